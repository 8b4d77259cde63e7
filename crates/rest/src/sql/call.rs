use super::{
    Body, Sql,
    read::{Reader, Source},
};
use crate::{
    plan::{Arguments, CallPlan, Outcome},
    request::Media,
    schema::{Rows, Schema},
};

/// `select total, count, body, location` out of a function's result.
pub fn call<'a>(mut sql: Sql<'a>, schema: &'a Schema, plan: &CallPlan<'a>, body: Body) -> Sql<'a> {
    match &plan.outcome {
        Outcome::Nothing => {
            sql.put("select null::int8,count(*),''::text,null::text from ");
            let source = source(&mut sql, plan);
            sql.put(&source).put(" as r");
        }
        Outcome::Value => {
            sql.put("select null::int8,1::int8,coalesce(to_json(");
            invocation(&mut sql, plan);
            sql.put(")::text,'null'),null::text");
            record(&mut sql, plan, " from ");
        }
        Outcome::Values(read) => {
            sql.put("select null::int8,count(*),");
            match body {
                Body::Media(Media::Object(_)) => sql.put("string_agg(to_json(r.v)::text,',')"),
                Body::Media(Media::Json(_)) => sql.put("coalesce(json_agg(r.v),'[]')::text"),
                Body::Media(Media::Csv) | Body::None => sql.body(body),
            };
            sql.put(",null::text from(select v from ");
            let source = source(&mut sql, plan);
            sql.put(&source).put(" as f(v)");
            Reader { sql: &mut sql, schema }.window(read);
            sql.put(")as r");
        }
        Outcome::Rows(read, rows) => {
            let body = match (body, rows) {
                (Body::Media(Media::Json(nulls)), Rows::One) => Body::Media(Media::Object(nulls)),
                (body, _) => body,
            };
            sql.put("select null::int8,count(*),").body(body).put(",null::text from(");
            // Arguments stand before everything else that has parameters.
            let mut from = Sql { params: std::mem::take(&mut sql.params), ..Sql::default() };
            let source = source(&mut from, plan);
            sql.params = from.params;
            Reader { sql: &mut sql, schema }.rows(read, Source::Other(&source));
            sql.put(")as r");
        }
    }
    sql
}

/// What stands after `from`: the function, preceded by the record of its arguments. Binds its parameters in `sql`
/// and returns the text.
fn source<'a>(sql: &mut Sql<'a>, plan: &CallPlan<'a>) -> String {
    let start = sql.text.len();
    record(sql, plan, "");
    if matches!(&plan.arguments, Arguments::Body { given, .. } if !given.is_empty()) {
        sql.put(",lateral ");
    }
    invocation(sql, plan);
    sql.text.split_off(start)
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
    sql.put(&plan.function.sql).put("(");
    match &plan.arguments {
        Arguments::Body { given, .. } => sql.list(",", given, |sql, argument| {
            sql.put(&argument.sql).put(":=b.").put(&argument.sql);
        }),
        Arguments::Texts(texts) => sql.list(",", texts, |sql, (argument, text)| {
            sql.put(&argument.sql).put(":=").bind(*text).put("::").put(&argument.type_sql);
        }),
    };
    sql.put(")");
}
