use super::{
    Body, Keep, ROW, Sql, Told,
    filter::array,
    read::{Reader, Source},
};
use crate::{
    plan::{Arguments, CallPlan, Outcome, ReadPlan},
    request::{Media, prefer::Count},
    schema::{Argument, Form, FunctionBody, Passing, Rows, Schema},
};

/// `select total, count, body, location` out of a function's result.
pub fn call<'a>(
    mut sql: Sql<'a>,
    schema: &'a Schema,
    plan: &CallPlan<'a>,
    count: Option<Count>,
    body: Body<'_>,
    keep: Keep,
) -> Sql<'a> {
    match &plan.outcome {
        Outcome::Nothing => {
            sql.put("select null::int8,count(*),''::text,null::text").told(Told::Response).put(" from ");
            source(&mut sql, plan);
            sql.put(" as r");
        }
        Outcome::Value(_) => {
            let (before, after) = match body {
                Body::Media(Media::Text | Media::Xml) => ("coalesce(", "::text,'')"),
                Body::Media(Media::Bytes) => ("coalesce(", ",''::bytea)"),
                Body::Own(Form::Text) => ("coalesce(", "::text,'')"),
                Body::Own(Form::Bytes) => ("coalesce(", "::bytea,''::bytea)"),
                _ => ("coalesce(to_json(", ")::text,'null')"),
            };
            sql.put("select null::int8,1::int8,").put(before);
            invocation(&mut sql, plan);
            sql.put(after).put(",null::text").told(Told::Response);
            record(&mut sql, plan, " from ");
        }
        Outcome::Values(read) => {
            sql.put(with(plan)).put("(select v from ");
            source(&mut sql, plan);
            sql.put(" as f(v))");
            counts(&mut sql, schema, read, (count, keep));
            match body {
                Body::Media(Media::Object(_)) => sql.put("string_agg(to_json(r.v)::text,',')"),
                Body::Media(Media::Json(_)) => sql.put("coalesce(json_agg(r.v),'[]')::text"),
                Body::Media(_) | Body::None | Body::Handled(..) | Body::Own(_) => sql.body(body),
            };
            sql.put(",null::text").told(Told::Response).put(" from(select v from f");
            Reader { sql: &mut sql, schema }.window(read);
            sql.put(")as r");
        }
        Outcome::Rows(read, rows) => {
            let body = match (body, rows) {
                // A function's single row is an object, whatever is asked for.
                (Body::Media(Media::Json(nulls)), Rows::One) => Body::Media(Media::Object(nulls)),
                (body, _) => body,
            };
            sql.put(with(plan)).put("(select s.*");
            if read.needs_row() {
                sql.fmt(format_args!(",s as {ROW}"));
            }
            sql.put(" from ");
            source(&mut sql, plan);
            sql.put(" as s)");
            counts(&mut sql, schema, read, (count, keep));
            sql.body(body).put(",null::text").told(Told::Response).put(" from(");
            Reader { sql: &mut sql, schema }.rows(read, Source::Other("f"));
            sql.put(")as r");
        }
    }
    sql
}

/// Counted and shown, the rows are asked for twice. A function is called once for both; a query is better planned for each.
fn with(plan: &CallPlan<'_>) -> &'static str {
    match plan.function.body {
        FunctionBody::Query => "with f as not materialized",
        FunctionBody::Closed => "with f as",
    }
}

/// `select total,count,` of the rows in `f`. An estimate of a function's rows is a guess: they are counted.
fn counts<'a>(
    sql: &mut Sql<'a>,
    schema: &'a Schema,
    read: &ReadPlan<'a>,
    (count, keep): (Option<Count>, Keep),
) {
    sql.put("select ");
    match count {
        None => sql.put("null::int8"),
        Some(_) => Reader { sql, schema }.total(read, Source::Other("f"), None),
    };
    sql.put(",").kept_count(keep).put(",");
}

/// What stands after `from`: the function, preceded by the record of its arguments.
fn source<'a>(sql: &mut Sql<'a>, plan: &CallPlan<'a>) {
    record(sql, plan, "");
    if matches!(&plan.arguments, Arguments::Body { given, .. } if !given.is_empty()) {
        sql.put(",lateral ");
    }
    invocation(sql, plan);
}

/// `json_to_record($1::json) as b("a" int4)` when the arguments come in a body.
fn record<'a>(sql: &mut Sql<'a>, plan: &CallPlan<'a>, start: &str) {
    if let Arguments::Body { payload, given } = &plan.arguments
        && !given.is_empty()
    {
        sql.put(start).put("json_to_record(").bind(payload.text.as_str()).put("::json) as b(");
        sql.list(",", given, |sql, argument| {
            sql.put(&argument.sql).put(" ").put(&argument.type_sql);
        });
        sql.put(")");
    }
}

fn invocation<'a>(sql: &mut Sql<'a>, plan: &CallPlan<'a>) {
    let variadic = |sql: &mut Sql<'a>, argument: &Argument| {
        if argument.passing == Passing::Variadic {
            sql.put("variadic ");
        }
    };
    sql.put(&plan.function.sql).put("(");
    let mut is_first = match &plan.arguments {
        Arguments::Body { given, .. } => given.is_empty(),
        Arguments::Texts(texts) => texts.is_empty(),
        Arguments::Whole { .. } => false,
    };
    match &plan.arguments {
        Arguments::Body { given, .. } => sql.list(",", given, |sql, argument| {
            variadic(sql, argument);
            sql.put(&argument.sql).put(":=b.").put(&argument.sql);
        }),
        Arguments::Texts(texts) => sql.list(",", texts, |sql, (argument, values)| {
            variadic(sql, argument);
            sql.put(&argument.sql).put(":=");
            match (argument.passing, values.as_slice()) {
                (Passing::Single, [value]) => sql.bind(*value),
                _ => sql.bind(array(values)),
            };
            sql.put("::").put(&argument.type_sql);
        }),
        Arguments::Whole { text, type_sql } => sql.bind(*text).put("::").put(type_sql),
    };
    // PostgreSQL takes no name of a variadic argument without a value for it.
    for argument in plan.function.arguments.iter().filter(|one| one.passing == Passing::Variadic) {
        let is_given = match &plan.arguments {
            Arguments::Body { given, .. } => given.iter().any(|one| one.name == argument.name),
            Arguments::Texts(texts) => texts.iter().any(|(one, _)| one.name == argument.name),
            Arguments::Whole { .. } => true,
        };
        if !is_given {
            sql.put(if is_first { "" } else { "," });
            is_first = false;
            variadic(sql, argument);
            sql.put(&argument.sql).put(":='{}'::").put(&argument.type_sql);
        }
    }
    sql.put(")");
}
