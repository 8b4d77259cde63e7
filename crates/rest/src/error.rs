//! One constructor per error of the dialect, and the map from PostgreSQL's own errors.
//! Source of codes and statuses: PostgREST 14, "Errors" page of its documentation.
use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use kernel::{ApiError, ErrorCode};
use pg::{Actor, DbFault, PgError, PgErrorKind};
use serde::Deserialize;

use crate::{request::Verb, sql::Stop};

/// Every code of the dialect that this crate answers with; each has a page in `docs/errors`.
/// SQLSTATE codes of PostgreSQL pass through besides.
pub const CODES: &[&str] = &[
    "PGRST001", "PGRST002", "PGRST003", "PGRST100", "PGRST101", "PGRST102", "PGRST103", "PGRST106",
    "PGRST105", "PGRST107", "PGRST108", "PGRST109", "PGRST111", "PGRST112", "PGRST114", "PGRST115",
    "PGRST116", "PGRST117", "PGRST118", "PGRST120", "PGRST121", "PGRST122", "PGRST123", "PGRST124",
    "PGRST125", "PGRST126", "PGRST127", "PGRST128", "PGRST200", "PGRST201", "PGRST202", "PGRST203",
    "PGRST204", "PGRST205", "PGRST300", "PGRST301", "PGRST302", "PGRST303",
];

/// An error, and headers that its raiser wants in the answer.
#[derive(Debug)]
pub struct Failure {
    pub error: ApiError,
    pub headers: Option<Box<HeaderMap>>,
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self { error, headers: None }
    }
}

pub fn new(status: u16, code: &str, message: impl Into<String>) -> ApiError {
    ApiError { status, code: code.to_owned(), message: message.into(), details: None, hint: None }
}

/// True when the answer may be wrong because the schema changed since it was read.
pub fn may_be_stale(failure: &Failure) -> bool {
    matches!(
        failure.error.code.as_str(),
        "PGRST200" | "PGRST202" | "PGRST204" | "PGRST205" | "42703" | "42P01" | "42883"
    )
}

pub fn parse(message: String, details: String) -> ApiError {
    new(400, "PGRST100", message).details(details)
}

pub fn over_limit(what: &str, limit: usize) -> ApiError {
    new(400, "PGRST100", format!("Too many {what}: the limit is {limit}.")).hint("Split the request.")
}

pub fn too_large(what: &str, limit: usize) -> ApiError {
    ApiError::new(ErrorCode::TooLarge, format!("The {what} is over its limit of {limit} bytes."))
}

pub fn call_method(method: &str) -> ApiError {
    new(405, "PGRST101", format!("Cannot use the {method} method on RPC"))
}

pub fn body(cause: &str) -> ApiError {
    new(400, "PGRST102", "Empty or invalid json").details(cause)
}

pub fn keys_differ() -> ApiError {
    new(400, "PGRST102", "All object keys must match").hint("Name the columns: ?columns=a,b")
}

pub fn content_type(name: &str) -> ApiError {
    new(415, "PGRST102", format!("Content-Type not acceptable: {name}"))
}

pub fn range(details: String) -> ApiError {
    new(416, "PGRST103", "Requested range not satisfiable").details(details)
}

pub fn schema_not_served(schema: &str, served: &[String]) -> ApiError {
    new(406, "PGRST106", format!("Invalid schema: {schema}"))
        .hint(format!("Only the following schemas are exposed: {}", served.join(", ")))
}

pub fn media(accept: &str) -> ApiError {
    new(406, "PGRST107", format!("None of these media types are available: {accept}"))
}

pub fn not_embedded(name: &str) -> ApiError {
    new(400, "PGRST108", format!("'{name}' is not an embedded resource in this request"))
        .hint(format!("Verify that '{name}' is included in the 'select' query parameter."))
}

pub fn not_one_row(rows: i64) -> ApiError {
    new(406, "PGRST116", "Cannot coerce the result to a single JSON object")
        .details(format!("The result contains {rows} rows"))
}

pub fn method(name: &str) -> ApiError {
    new(405, "PGRST117", format!("Unsupported HTTP method: {name}"))
}

pub fn read_only_view(name: &str) -> ApiError {
    new(405, "PGRST117", format!("'{name}' cannot be written this way"))
        .hint("Write to the table behind the view.")
}

pub fn order_needs_one(embed: &str) -> ApiError {
    new(400, "PGRST118", format!("A related order on '{embed}' is not possible"))
        .details("A row has many of them; order by a column of one.")
}

pub fn only_null_tests(embed: &str) -> ApiError {
    new(400, "PGRST120", format!("Bad operator on the '{embed}' embedded resource"))
        .details("Only is null or not is null filters are allowed on embedded resources")
}

pub fn no_filter_for_writes(embed: &str) -> ApiError {
    new(400, "PGRST120", format!("The embedded resource '{embed}' cannot choose the rows to write"))
        .hint("Filter by columns of the written relation.")
}

pub fn preferences(unknown: &[&str]) -> ApiError {
    new(400, "PGRST122", "Invalid preferences given with handling=strict")
        .details(format!("Invalid preferences: {}", unknown.join(", ")))
}

pub fn aggregates_off() -> ApiError {
    new(400, "PGRST123", "Use of aggregate functions is not allowed")
}

pub fn not_implemented(what: &str) -> ApiError {
    new(400, "PGRST127", "Feature not implemented").details(what)
}

/// As PostgreSQL says it.
pub fn not_grouped(column: &str) -> ApiError {
    new(400, "42803", format!("{column} must be among the selected columns to order grouped rows by it"))
}

pub fn put_filters() -> ApiError {
    new(405, "PGRST105", "Filters must include all and only primary key columns with 'eq' operators")
}

pub fn put_window() -> ApiError {
    new(400, "PGRST114", "limit/offset querystring parameters are not allowed for PUT")
}

pub fn put_key_differs() -> ApiError {
    new(400, "PGRST115", "Payload values do not match URL in primary key column(s)")
}

pub fn limit_needs_order() -> ApiError {
    new(400, "PGRST109", "A 'limit' was applied without an explicit 'order'")
        .hint("Apply an 'order' using unique column(s): the whole primary key")
}

pub fn no_set_to_limit() -> ApiError {
    new(400, "PGRST128", "The max-affected preference needs a function that returns a set of rows")
}

pub fn response_headers() -> ApiError {
    new(
        500,
        "PGRST111",
        "response.headers guc must be a JSON array composed of objects with a single key and a string value",
    )
}

pub fn response_status() -> ApiError {
    new(500, "PGRST112", "response.status guc must be a valid status code")
}

pub fn raised(part: &str) -> ApiError {
    new(500, "PGRST121", format!("Could not parse JSON in the \"RAISE SQLSTATE 'PGRST'\" error: the {part} is not as documented"))
        .hint("MESSAGE is an object with 'code', 'message' and optionally 'details' and 'hint'; DETAIL is an object with 'status' and 'headers'.")
}

pub fn too_costly(limit: u64) -> ApiError {
    ApiError::new(
        ErrorCode::TooLarge,
        format!("The request is over its limit of {limit} units of planned cost."),
    )
    .hint("Filter by indexed columns, embed less, or ask for fewer rows.")
}

pub fn too_many_affected(rows: i64) -> ApiError {
    new(400, "PGRST124", "Query result exceeds max-affected preference constraint")
        .details(format!("The query affects {rows} rows"))
}

pub fn path() -> ApiError {
    new(404, "PGRST125", "Invalid path specified in request URL")
}

pub fn no_root() -> ApiError {
    new(404, "PGRST126", "Root endpoint metadata is disabled")
}

pub fn no_relationship(from: &str, to: &str, hint: Option<&str>, schema: &str) -> ApiError {
    let by = hint.map(|hint| format!(" using the hint '{hint}'")).unwrap_or_default();
    new(400, "PGRST200", format!("Could not find a relationship between '{from}' and '{to}' in the schema cache"))
        .details(format!("Searched for a foreign key relationship between '{from}' and '{to}'{by} in the schema '{schema}', but no matches were found."))
}

pub fn many_relationships(from: &str, to: &str, ways: &[String], choices: &[String]) -> ApiError {
    let choices: Vec<_> = choices.iter().map(|choice| format!("'{to}!{choice}'")).collect();
    new(
        300,
        "PGRST201",
        format!("Could not embed because more than one relationship was found for '{from}' and '{to}'"),
    )
    .details(ways.join("; "))
    .hint(format!("Try changing '{to}' to one of the following: {}.", choices.join(", ")))
}

pub fn no_function(schema: &str, name: &str, arguments: &[&str]) -> ApiError {
    let with = if arguments.is_empty() {
        "without parameters".to_owned()
    } else {
        format!("({})", arguments.join(", "))
    };
    new(404, "PGRST202", format!("Could not find the function {schema}.{name}{with} in the schema cache"))
}

pub fn many_functions(schema: &str, name: &str) -> ApiError {
    new(300, "PGRST203", format!("Could not choose the best candidate function for {schema}.{name}"))
        .hint("Give more arguments, or give the functions different names.")
}

pub fn no_written_column(column: &str, relation: &str) -> ApiError {
    new(400, "PGRST204", format!("Could not find the '{column}' column of '{relation}' in the schema cache"))
}

pub fn no_relation(schema: &str, name: &str) -> ApiError {
    new(404, "PGRST205", format!("Could not find the table '{schema}.{name}' in the schema cache"))
}

/// A column in `select`, a filter or `order`, answered as PostgreSQL would.
pub fn no_column(column: &str, relation: &str) -> ApiError {
    new(400, "42703", format!("column {relation}.{column} does not exist"))
}

pub fn no_type(name: &str) -> ApiError {
    new(400, "42704", format!("type \"{name}\" does not exist"))
}

pub fn unfiltered(verb: &str) -> ApiError {
    new(400, "21000", format!("{verb} requires a filter"))
        .details("Without one, every row that you may write would be written.")
        .hint("Add a filter, for example ?id=eq.…")
}

pub fn schema_not_loaded() -> ApiError {
    new(503, "PGRST002", "Could not query the database for the schema cache. Retrying.")
}

/// What the caller may know of a failure. Other customers' rows do not exist for people who are not staff:
/// a refused row and a missing row answer alike, and values of rows are never echoed.
pub fn from_pg(failure: &PgError, actor: &Actor, verb: Verb) -> Failure {
    match failure.db() {
        Some(db) if db.code().code() == "PGRST" => raised_by(db),
        Some(db) => match Stop::of(db) {
            Some(stop) => stopped(stop).into(),
            None => forwarded(failure, actor, verb).into(),
        },
        None => forwarded(failure, actor, verb).into(),
    }
}

fn stopped(stop: Stop) -> ApiError {
    match stop {
        Stop::ResponseHeaders => response_headers(),
        Stop::ResponseStatus => response_status(),
        Stop::NotOne(rows) => not_one_row(rows),
        Stop::TooMany(rows) => too_many_affected(rows),
    }
}

fn forwarded(failure: &PgError, actor: &Actor, verb: Verb) -> ApiError {
    // A refused login comes with an error of PostgreSQL, but not one of the statement.
    let Some(db) = failure.db().filter(|_| failure.kind != PgErrorKind::Connection) else {
        tracing::error!(error = failure as &dyn std::error::Error, "database access failed");
        return match failure.kind {
            PgErrorKind::PoolExhausted => {
                new(504, "PGRST003", "Timed out acquiring connection from connection pool.")
            }
            PgErrorKind::Connection => {
                new(503, "PGRST001", "Database client error. Retrying the connection.")
            }
            _ => ApiError::new(ErrorCode::Internal, "Something went wrong on our side; nothing was changed."),
        };
    };
    let code = db.code().code();
    if is_hidden(db, code, actor, verb) {
        return ApiError::new(ErrorCode::NotFound, "Nothing with this id that you may see.");
    }
    let status = status(code, db, actor);
    if status >= 500 {
        tracing::error!(error = failure as &dyn std::error::Error, sqlstate = code, "statement failed");
    }
    let tells_values = matches!(code.get(..2), Some("23" | "44")) && !actor.sees_all();
    ApiError {
        status,
        code: code.to_owned(),
        message: db.message().to_owned(),
        details: db.detail().filter(|_| !tells_values).map(str::to_owned),
        hint: db.hint().map(str::to_owned),
    }
}

/// The MESSAGE of `raise sqlstate 'PGRST'`.
#[derive(Deserialize)]
struct RaisedMessage {
    code: String,
    message: String,
    details: Option<String>,
    hint: Option<String>,
}

/// And its DETAIL.
#[derive(Deserialize)]
struct RaisedDetail {
    status: u16,
    headers: HashMap<String, String>,
}

fn raised_by(db: &DbFault) -> Failure {
    let Ok(message) = serde_json::from_str::<RaisedMessage>(db.message()) else {
        return raised("MESSAGE").into();
    };
    let detail = db.detail().and_then(|detail| serde_json::from_str::<RaisedDetail>(detail).ok());
    let Some(detail) = detail.filter(|detail| (200..=599).contains(&detail.status)) else {
        return raised("DETAIL").into();
    };
    let mut headers = HeaderMap::new();
    for (name, value) in &detail.headers {
        let Some((name, value)) = header(name, value) else { return raised("DETAIL").into() };
        headers.append(name, value);
    }
    let RaisedMessage { code, message, details, hint } = message;
    let error = ApiError { status: detail.status, code, message, details, hint };
    Failure { error, headers: Some(Box::new(headers)) }
}

/// A header that a function may set; `None` for malformed ones and those that frame the message.
pub fn header(name: &str, value: &str) -> Option<(HeaderName, HeaderValue)> {
    let name: HeaderName = name.parse().ok()?;
    let frames = ["content-length", "transfer-encoding", "connection", "upgrade", "keep-alive", "trailer"];
    (!frames.contains(&name.as_str())).then_some(())?;
    Some((name, HeaderValue::from_str(value).ok()?))
}

/// A row that policies refuse, or a reference to a row that is not there (or not theirs): both do not exist.
/// A row that cannot be deleted because others refer to it is the caller's own.
fn is_hidden(db: &DbFault, code: &str, actor: &Actor, verb: Verb) -> bool {
    let is_refused_row = code == "42501" && db.routine() == Some("ExecWithCheckOptions");
    let is_dangling = code == "23503" && verb != Verb::Delete;
    !actor.sees_all() && !actor.is_anonymous() && (is_refused_row || is_dangling)
}

fn status(code: &str, db: &DbFault, actor: &Actor) -> u16 {
    if let Some(raised) = code.strip_prefix("PT") {
        return raised.parse().ok().filter(|status| (200..=599).contains(status)).unwrap_or(500);
    }
    match code {
        "23503" | "23505" => 409,
        "25006" => 405,
        "42883" | "42P01" => 404,
        "42501" if actor.is_anonymous() => 401,
        "42501" => 403,
        "P0001" => 400,
        "53400" | "42P17" => 500,
        _ => match code.get(..2) {
            Some("08" | "53") => 503,
            Some("0L" | "0P" | "28") => 403,
            Some(
                "09" | "25" | "2D" | "38" | "39" | "3B" | "40" | "54" | "55" | "57" | "58" | "F0" | "HV"
                | "P0" | "XX",
            ) => 500,
            _ if db.severity() == "PANIC" => 500,
            _ => 400,
        },
    }
}
