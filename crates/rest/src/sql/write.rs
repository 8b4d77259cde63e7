use super::{
    Body, Keep, Sql,
    read::{Reader, Source},
};
use crate::{
    plan::{Chosen, Condition, Conflict, OrderBy, Output, ReadPlan, WriteKind, WritePlan},
    request::{
        body::{Payload, Shape},
        prefer::{Missing, Resolution, Returning},
    },
    schema::{Column, Relation, Schema, quote},
};

/// `with w as (insert … returning …) select total, count, body, location, headers, status, updated`
pub fn write<'a>(
    mut sql: Sql<'a>,
    schema: &'a Schema,
    plan: &WritePlan<'a>,
    body: Body<'_>,
    keep: Keep,
) -> Sql<'a> {
    let relation = plan.read.relation;
    sql.put("with w as(");
    match &plan.kind {
        WriteKind::Insert { payload, columns, names, missing, conflict, only } => {
            insert(&mut sql, relation, payload, columns, names, *missing);
            conditions(&mut sql, only, super::Alias::Body);
            if let Some(conflict) = conflict {
                on_conflict(&mut sql, conflict, columns);
            }
        }
        WriteKind::Update { columns, .. } if columns.is_empty() => {
            // Nothing to set: no row is written.
            sql.put("select ");
            returned(&mut sql, plan);
            sql.put(" from ").put(&relation.sql).put(" as t where false");
        }
        WriteKind::Update { payload, columns, rows } => {
            sql.put("update ").put(&relation.sql).put(" as t set ");
            sql.list(",", columns, |sql, column| {
                sql.put(&column.sql).put("=b.").put(&column.sql);
            });
            sql.put(" from json_to_record(").bind(payload.text.as_str()).put("::json)");
            record(&mut sql, columns);
            chosen(&mut sql, schema, rows);
        }
        WriteKind::Delete { rows } => {
            sql.put("delete from ").put(&relation.sql).put(" as t");
            chosen(&mut sql, schema, rows);
        }
    }
    if !matches!(&plan.kind, WriteKind::Update { columns, .. } if columns.is_empty()) {
        sql.put(" returning ");
        returned(&mut sql, plan);
    }
    sql.put(")select null::int8,").kept_count(keep).put(",");
    let told = match &plan.kind {
        WriteKind::Insert {
            conflict: Some(Conflict { resolution: Resolution::MergeDuplicates, .. }),
            ..
        } => super::Told::ResponseAndUpdates,
        _ => super::Told::Response,
    };
    match plan.returning {
        Returning::Minimal => sql.put("''::text,null::text").told(told).put(" from w"),
        Returning::HeadersOnly => {
            sql.put("''::text,");
            location(&mut sql, relation);
            sql.told(told).put(" from w")
        }
        Returning::Representation => {
            sql.body(body).put(",null::text").told(told).put(" from(");
            Reader { sql: &mut sql, schema }.rows(&plan.read, Source::Other("w"));
            sql.put(")as r")
        }
    };
    sql
}

fn insert<'a>(
    sql: &mut Sql<'a>,
    relation: &'a Relation,
    payload: &'a Payload,
    columns: &[&'a Column],
    names: &[&'a str],
    missing: Missing,
) {
    sql.put("insert into ").put(&relation.sql).put(" as t");
    if columns.is_empty() {
        sql.put(" select from generate_series(1,").bind(payload.rows.to_string()).put("::int4)");
        return;
    }
    sql.put("(").list(",", columns, |sql, column| {
        sql.put(&column.sql);
    });
    sql.put(")select ").list(",", columns, |sql, column| {
        sql.put("b.").put(&column.sql);
    });
    sql.put(" from ");
    match (missing, payload.shape) {
        (Missing::Null, Shape::Object) => {
            sql.put("json_to_record(").bind(payload.text.as_str()).put("::json)")
        }
        (Missing::Null, Shape::List) => {
            sql.put("json_to_recordset(").bind(payload.text.as_str()).put("::json)")
        }
        (Missing::Default, shape) => {
            match shape {
                Shape::Object => sql.put("(select ").bind(payload.text.as_str()).put("::jsonb as v)as e"),
                Shape::List => {
                    sql.put("jsonb_array_elements(").bind(payload.text.as_str()).put("::jsonb)as e(v)")
                }
            };
            sql.put(",lateral jsonb_to_record(jsonb_build_object(");
            let defaults = columns
                .iter()
                .zip(names)
                .filter_map(|(column, name)| Some((*name, column.default.as_deref()?)));
            sql.list(",", defaults, |sql, (name, default)| {
                sql.bind(name).put("::text,").put(default);
            });
            sql.put(")||e.v)")
        }
    };
    record(sql, columns);
}

/// ` as b("a" int4,…)`
fn record<'a>(sql: &mut Sql<'a>, columns: &[&'a Column]) {
    sql.put(" as b(").list(",", columns, |sql, column| {
        sql.put(&column.sql).put(" ").put(&column.type_sql);
    });
    sql.put(")");
}

/// Columns of the key stay as they are: setting them would need one more privilege and change nothing.
fn on_conflict<'a>(sql: &mut Sql<'a>, conflict: &Conflict<'a>, columns: &[&'a Column]) {
    sql.put(" on conflict(").list(",", &conflict.target, |sql, column| {
        sql.put(&column.sql);
    });
    sql.put(")");
    let is_key = |column: &&Column| conflict.target.iter().any(|key| key.sql == column.sql);
    let mut set: Vec<&Column> = columns.iter().copied().filter(|column| !is_key(column)).collect();
    if set.is_empty() {
        set = columns.to_vec();
    }
    if conflict.resolution == Resolution::IgnoreDuplicates || set.is_empty() {
        sql.put(" do nothing");
        return;
    }
    sql.put(" do update set ").list(",", set, |sql, column| {
        sql.put(&column.sql).put("=excluded.").put(&column.sql);
    });
    sql.put(super::COUNT_UPDATE);
}

fn conditions<'a>(sql: &mut Sql<'a>, filters: &[Condition<'a>], alias: super::Alias) {
    if filters.is_empty() {
        return;
    }
    sql.put(" where ").list(" and ", filters, |sql, condition| {
        sql.condition(condition, alias, &mut |_, _, _| {});
    });
}

fn chosen<'a>(sql: &mut Sql<'a>, schema: &'a Schema, rows: &Chosen<'a>) {
    match rows {
        Chosen::By(filters) => conditions(sql, filters, super::Alias::Written),
        Chosen::First { by, key } => {
            let columns = |sql: &mut Sql<'a>, alias: super::Alias| {
                sql.list(",", key, |sql, column| {
                    sql.fmt(format_args!("{alias}.{}", column.sql));
                });
            };
            sql.put(" where (");
            columns(sql, super::Alias::Written);
            sql.put(")in(select ");
            let alias = sql.alias();
            columns(sql, alias);
            sql.put(" from ").put(&by.relation.sql).fmt(format_args!(" as {alias}"));
            let mut reader = Reader { sql, schema };
            reader.filters(by, alias, " where ");
            reader.order(by, alias);
            reader.window(by);
            sql.put(")");
        }
    }
}

/// The columns that the answer needs of written rows: no more, because each needs the privilege to read it.
fn returned<'a>(sql: &mut Sql<'a>, plan: &WritePlan<'a>) {
    let relation = plan.read.relation;
    let columns: Vec<String> = match plan.returning {
        Returning::Minimal => Vec::new(),
        Returning::HeadersOnly => relation.primary_key.iter().map(|name| quote(name)).collect(),
        Returning::Representation if plan.read.needs_row() => {
            sql.fmt(format_args!("t.*,t as {}", super::ROW));
            return;
        }
        Returning::Representation => match needed(&plan.read) {
            Some(columns) => columns,
            None => {
                sql.put("t.*");
                return;
            }
        },
    };
    if columns.is_empty() {
        sql.put("1");
    }
    sql.list(",", columns, |sql, column| {
        sql.put("t.").put(&column);
    });
}

/// `None` when all columns are needed.
fn needed(plan: &ReadPlan<'_>) -> Option<Vec<String>> {
    let mut columns: Vec<String> = Vec::new();
    let mut add = |column: String| {
        if !columns.contains(&column) {
            columns.push(column);
        }
    };
    for output in &plan.outputs {
        match output {
            Output::All => return None,
            Output::Column { of, .. } | Output::Aggregate { of: Some(of), .. } => add(of.column.sql.clone()),
            Output::Embed(_) | Output::Aggregate { of: None, .. } => {}
        }
    }
    for term in &plan.order {
        if let OrderBy::Own(of) = &term.by {
            add(of.column.sql.clone());
        }
    }
    for embed in &plan.embeds {
        let near = embed.link.through.as_ref().map_or(&embed.link.pairs, |through| &through.near);
        near.iter().for_each(|(here, _)| add(quote(here)));
    }
    Some(columns)
}

/// The primary key of the one written row as a JSON list of texts.
fn location(sql: &mut Sql<'_>, relation: &Relation) {
    if relation.primary_key.is_empty() {
        sql.put("null::text");
        return;
    }
    sql.put("case when count(*)=1 then min(json_build_array(").list(
        ",",
        &relation.primary_key,
        |sql, name| {
            sql.put("w.").put(&quote(name)).put("::text");
        },
    );
    sql.put(")::text) end");
}
