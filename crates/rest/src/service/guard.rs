//! What stands before a statement: who may see plans, what a request may cost, what functions are told of it.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, Method, header};
use kernel::ApiError;
use pg::{Actor, Pg, foreign::Caller};
use serde_json::{Map, Value};

use crate::{
    config::{PlanAccess, RestConfig},
    error::{self, Failure},
    request::{Explain, ExplainForm},
    schema::{Schema, quote},
    sql::Sql,
    transaction,
};

/// Headers with secrets: nothing in the database needs them, and functions may log what they read.
const CREDENTIAL_HEADERS: &[&str] = &["authorization", "apikey", "cookie", "proxy-authorization"];
/// Shapes of requests whose cost is remembered.
const SHAPES_MAX: usize = 4_096;
/// Statistics and values change: a shape is asked about again after this time.
const VERDICT_MS_MAX: u64 = 60_000;

pub fn may_see_plans(config: &RestConfig, actor: &Actor) -> Result<(), ApiError> {
    let may = match config.plans {
        PlanAccess::Nobody => false,
        PlanAccess::Staff => actor.sees_all(),
        PlanAccess::Everyone => true,
    };
    if may { Ok(()) } else { Err(error::media("application/vnd.pgrst.plan")) }
}

/// Name and value of each setting.
type Told = [(&'static str, String); 4];

/// `request.method`, `request.path`, `request.headers` and `request.cookies`.
pub fn request_settings(config: &RestConfig, method: &Method, path: &str, headers: &HeaderMap) -> Told {
    let is_told = |name: &str| !CREDENTIAL_HEADERS.contains(&name);
    let is_public = |name: &str| !config.private_cookies.iter().any(|private| private == name);
    told(method, path, headers, is_told, is_public)
}

fn told(
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    is_told: impl Fn(&str) -> bool,
    is_public: impl Fn(&str) -> bool,
) -> Told {
    let mut told = Map::new();
    for (name, value) in headers {
        if let Ok(value) = value.to_str()
            && is_told(name.as_str())
        {
            told.insert(name.as_str().to_owned(), Value::from(value));
        }
    }
    let mut cookies = Map::new();
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    for (name, value) in pairs.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='))
    {
        if is_public(name) {
            cookies.insert(name.to_owned(), Value::from(value));
        }
    }
    [
        ("request.method", method.as_str().to_owned()),
        ("request.path", path.to_owned()),
        ("request.headers", Value::Object(told).to_string()),
        ("request.cookies", Value::Object(cookies).to_string()),
    ]
}

/// Tells a caller of another database's functions how they were asked, and where names are looked for. Headers are told
/// whole there: those functions were written to look at `apikey` and `authorization`.
pub fn tell_foreign(
    caller: &mut Caller,
    config: &RestConfig,
    profile: Option<&str>,
    (method, path, headers): (&Method, &str, &HeaderMap),
) {
    let schema = profile.or(config.schemas.first().map(String::as_str));
    let schemas = schema.into_iter().chain(config.extra_search_path.iter().map(String::as_str));
    let search_path: Vec<String> = schemas.map(quote).collect();
    caller.set("search_path", search_path.join(", "));
    for (name, value) in told(method, path, headers, |_| true, |_| true) {
        caller.set(name, value);
    }
}

/// What shapes of requests cost, by their statements.
#[derive(Debug, Default)]
pub struct Costs(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    schema: Weak<Schema>,
    costs: HashMap<String, (Instant, f64)>,
}

impl Costs {
    /// An error when the planner thinks that `main` costs more than `most` units.
    pub async fn check(
        &self,
        pg: &Pg,
        actor: &Actor,
        schema: &Arc<Schema>,
        main: &Sql<'_>,
        most: u64,
    ) -> Result<(), Failure> {
        let cost = match self.known(schema, &main.text) {
            Some(cost) => cost,
            None => {
                let explain = Explain { form: ExplainForm::Json, options: 0 };
                let cost = transaction::cost(pg, actor, &main.borrowed().explained(explain)).await?;
                self.learn(&main.text, cost);
                cost
            }
        };
        #[expect(clippy::cast_precision_loss, reason = "a limit of more than 2^53 units is none")]
        let is_over = cost > most as f64;
        if is_over { Err(error::too_costly(most).into()) } else { Ok(()) }
    }

    fn known(&self, schema: &Arc<Schema>, text: &str) -> Option<f64> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::ptr::eq(known.schema.as_ptr(), Arc::as_ptr(schema)) {
            *known = Known { schema: Arc::downgrade(schema), costs: HashMap::new() };
        }
        let (at, cost) = known.costs.get(text)?;
        (at.elapsed() < Duration::from_millis(VERDICT_MS_MAX)).then_some(*cost)
    }

    fn learn(&self, text: &str, cost: f64) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.costs.len() >= SHAPES_MAX {
            known.costs.clear();
        }
        known.costs.insert(text.to_owned(), (Instant::now(), cost));
    }
}
