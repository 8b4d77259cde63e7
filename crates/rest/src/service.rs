//! The router, and how one request goes through the stages.
use std::sync::Arc;

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{OriginalUri, Path, Request, State},
    http::{Method, Response, Uri},
    routing::any,
};
use kernel::{ApiError, Clock, id::RequestId};
use pg::{Actor, Pg, TxEnd};

use crate::{
    config::RestConfig,
    error, plan,
    request::{
        Content, Head, Media, Verb, Window,
        body::{KeyRule, Payload, Shape},
        prefer::{Count, Handling, Returning, Tx},
        query::{Parameters, Query},
    },
    response,
    schema::{
        Allowed, Schema, Volatility,
        cache::{Cache, LoadError, Reloaded},
    },
    sql::{self, Body as Wanted, Sql},
    transaction::{self, Mode, Statement, Wanted as Rows},
};

/// What the router needs; cheap to clone.
#[derive(Clone, Debug)]
pub struct RestState(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pg: Pg,
    cache: Cache,
    config: RestConfig,
    clock: Clock,
}

impl RestState {
    /// Starts to load the schema in the background, and to follow `NOTIFY pgrst`. Ends when the last clone is dropped.
    /// Must be called inside a Tokio runtime.
    pub fn start(pg: Pg, config: RestConfig, clock: Clock) -> Self {
        let cache = Cache::start(pg.clone(), config.schemas.clone());
        Self(Arc::new(Inner { pg, cache, config, clock }))
    }

    /// Waits until the schema was loaded for the first time. Until then requests get 503 `PGRST002`.
    pub async fn loaded(&self) {
        self.0.cache.loaded().await;
    }

    /// For `/readyz`: whether requests can be answered.
    pub fn is_loaded(&self) -> bool {
        self.0.cache.current().is_ok()
    }

    /// Reads the schema again now.
    pub async fn reload(&self) -> Result<(), LoadError> {
        self.0.cache.reload().await
    }
}

/// The data API. A layer before it authenticates and inserts a [`pg::Actor`] into the request's extensions;
/// without one the caller is nobody.
pub fn router(state: RestState) -> Router {
    Router::new()
        .route("/", any(root))
        .route("/{relation}", any(on_relation))
        .route("/rpc/{function}", any(on_function))
        .fallback(invalid_path)
        .with_state(state)
}

async fn root() -> Response<Body> {
    response::failure(&error::no_root())
}

async fn invalid_path() -> Response<Body> {
    response::failure(&error::path())
}

async fn on_relation(
    State(state): State<RestState>,
    Path(name): Path<String>,
    OriginalUri(uri): OriginalUri,
    actor: Option<Extension<Actor>>,
    request: Request,
) -> Response<Body> {
    answer(&state.0, Target::Relation, &name, &uri, actor, request).await
}

async fn on_function(
    State(state): State<RestState>,
    Path(name): Path<String>,
    OriginalUri(uri): OriginalUri,
    actor: Option<Extension<Actor>>,
    request: Request,
) -> Response<Body> {
    answer(&state.0, Target::Function, &name, &uri, actor, request).await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    Relation,
    Function,
}

async fn answer(
    state: &Inner,
    target: Target,
    name: &str,
    uri: &Uri,
    actor: Option<Extension<Actor>>,
    request: Request,
) -> Response<Body> {
    let actor =
        actor.map_or_else(|| Actor::anonymous(RequestId::new(state.clock.now())), |Extension(actor)| actor);
    let asked = match Asked::receive(state, target, name, uri, actor, request).await {
        Ok(asked) => asked,
        Err(failure) => return response::failure(&failure),
    };
    match asked.answer(state).await {
        Err(failure)
            if error::may_be_stale(&failure) && state.cache.reload_on_demand().await == Reloaded::Yes =>
        {
            asked.answer(state).await.unwrap_or_else(|failure| response::failure(&failure))
        }
        Err(failure) => response::failure(&failure),
        Ok(response) => response,
    }
}

/// A request that was read, but not yet looked up.
struct Asked {
    target: Target,
    name: String,
    actor: Actor,
    method: Method,
    head: Head,
    parameters: Parameters,
    body: Bytes,
}

impl Asked {
    async fn receive(
        state: &Inner,
        target: Target,
        name: &str,
        uri: &Uri,
        actor: Actor,
        request: Request,
    ) -> Result<Self, ApiError> {
        let limits = &state.config;
        let url_bytes = uri.path_and_query().map_or(0, |path| path.as_str().len());
        if url_bytes > limits.url_bytes_max {
            return Err(error::too_large("URL", limits.url_bytes_max));
        }
        let (parts, body) = request.into_parts();
        let mut head = Head::parse(&parts.method, &parts.headers)?;
        head.prefer.narrow(limits, &actor);
        let parameters = Parameters::decode(uri.query().unwrap_or_default())?;
        let body = match head.verb {
            Verb::Insert | Verb::Update => axum::body::to_bytes(body, limits.body_bytes_max)
                .await
                .map_err(|_| error::too_large("body", limits.body_bytes_max))?,
            _ => Bytes::new(),
        };
        Ok(Self { target, name: name.to_owned(), actor, method: parts.method, head, parameters, body })
    }

    async fn answer(&self, state: &Inner) -> Result<Response<Body>, ApiError> {
        let schema = state.cache.current()?;
        let profile = schema.profile(self.head.profile.as_deref())?;
        match (self.target, self.head.verb) {
            (Target::Relation, Verb::Read | Verb::Head) => self.read(state, &schema, profile).await,
            (Target::Relation, Verb::Options) => self.options(&schema, profile),
            (Target::Relation, _) => self.write(state, &schema, profile).await,
            (Target::Function, Verb::Read | Verb::Head | Verb::Insert) => {
                self.call(state, &schema, profile).await
            }
            (Target::Function, Verb::Options) if schema.overloads(profile, &self.name).is_empty() => {
                Err(error::no_function(profile, &self.name, &[]))
            }
            (Target::Function, Verb::Options) => Ok(response::options("OPTIONS,GET,HEAD,POST")),
            (Target::Function, _) => Err(error::call_method(self.method.as_str())),
        }
    }

    async fn read(&self, state: &Inner, schema: &Schema, profile: &str) -> Result<Response<Body>, ApiError> {
        let relation = schema.relation(profile, &self.name)?;
        let query = Query::parse(&self.parameters, &state.config, |_| false)?;
        let mut plan = plan::read(schema, relation, &query, &state.config)?;
        if let Some(range) = self.head.range {
            plan.narrow(range);
        }
        let count = self.head.prefer.count;
        let rows_max = state.config.rows_max;
        let main = sql::read(self.sql(), schema, &plan, count, self.body_wanted(), rows_max);
        let mode = match count {
            Some(Count::Planned | Count::Estimated) => Mode::ReadEstimated {
                estimate: sql::estimate(self.sql(), schema, &plan),
                known_up_to: (count == Some(Count::Estimated)).then_some(i64::from(rows_max)),
            },
            _ => Mode::Read,
        };
        let answer =
            transaction::run(&state.pg, &self.actor, &Statement { verb: self.head.verb, main, mode }).await?;
        response::read(answer, &self.head, plan.window)
    }

    async fn write(&self, state: &Inner, schema: &Schema, profile: &str) -> Result<Response<Body>, ApiError> {
        let config = &state.config;
        let relation = schema.relation(profile, &self.name)?;
        let query = Query::parse(&self.parameters, config, |_| false)?;
        let prefer = &self.head.prefer;
        let payload;
        let plan = match self.head.verb {
            Verb::Insert => {
                let rule = if query.columns.is_some() { KeyRule::Any } else { KeyRule::AllTheSame };
                payload = self.payload(rule, config.bulk_rows_max)?;
                plan::insert(schema, relation, &query, &payload, prefer, config)?
            }
            Verb::Update => {
                payload = self.payload(KeyRule::AllTheSame, 1)?;
                if payload.shape != Shape::Object {
                    return Err(error::body("expected one object with the new values"));
                }
                plan::update(schema, relation, &query, &payload, prefer, config)?
            }
            _ => plan::delete(schema, relation, &query, prefer, config)?,
        };
        let main = sql::write(self.sql(), schema, &plan, Wanted::Media(self.head.media));
        let statement = Statement { verb: self.head.verb, main, mode: self.write_mode() };
        let answer = transaction::run(&state.pg, &self.actor, &statement).await?;
        Ok(response::written(answer, &self.head, (&relation.name, &relation.primary_key), &config.base_path))
    }

    async fn call(&self, state: &Inner, schema: &Schema, profile: &str) -> Result<Response<Body>, ApiError> {
        let config = &state.config;
        let overloads = schema.overloads(profile, &self.name);
        let by_query = self.head.verb != Verb::Insert;
        let is_argument = |key: &str| {
            by_query
                && overloads
                    .iter()
                    .any(|function| function.arguments.iter().any(|argument| argument.name == key))
        };
        let query = Query::parse(&self.parameters, config, is_argument)?;
        let payload = if by_query { None } else { Some(self.arguments()?) };
        let mut plan = plan::call(schema, profile, &self.name, &query, payload.as_ref(), config)?;
        let mut window = Window::default();
        if let plan::Outcome::Rows(read, _) | plan::Outcome::Values(read) = &mut plan.outcome {
            if let Some(range) = self.head.range {
                read.narrow(range);
            }
            window = read.window;
        }
        let main = sql::call(self.sql(), schema, &plan, self.head.prefer.count, self.body_wanted());
        // By GET nothing is written, whatever the function says; a function that only reads needs no more either.
        let mode = match plan.function.volatility {
            Volatility::Volatile if !by_query => self.write_mode(),
            _ => Mode::Read,
        };
        let answer =
            transaction::run(&state.pg, &self.actor, &Statement { verb: self.head.verb, main, mode }).await?;
        match plan.outcome {
            plan::Outcome::Nothing => Ok(response::value(answer, &self.head, response::IsVoid::Yes)),
            plan::Outcome::Value => Ok(response::value(answer, &self.head, response::IsVoid::No)),
            plan::Outcome::Rows(_, crate::schema::Rows::One) if self.head.media != Media::Csv => {
                Ok(response::value(answer, &self.head, response::IsVoid::No))
            }
            plan::Outcome::Rows(..) | plan::Outcome::Values(_) => response::read(answer, &self.head, window),
        }
    }

    fn options(&self, schema: &Schema, profile: &str) -> Result<Response<Body>, ApiError> {
        let relation = schema.relation(profile, &self.name)?;
        let mut allow = "OPTIONS,GET,HEAD".to_owned();
        let verbs = [
            (relation.can_insert, ",POST"),
            (relation.can_update, ",PATCH"),
            (relation.can_delete, ",DELETE"),
        ];
        for (_, verb) in verbs.iter().filter(|(allowed, _)| *allowed == Allowed::Yes) {
            allow.push_str(verb);
        }
        Ok(response::options(&allow))
    }

    fn sql<'a>(&self) -> Sql<'a> {
        Sql::for_role(self.actor.role_name())
    }

    fn body_wanted(&self) -> Wanted {
        if self.head.verb == Verb::Head { Wanted::None } else { Wanted::Media(self.head.media) }
    }

    fn write_mode<'a>(&self) -> Mode<'a> {
        let prefer = &self.head.prefer;
        let end = if prefer.tx == Some(Tx::Rollback) { TxEnd::Rollback } else { TxEnd::Commit };
        let answers_one = matches!(self.head.media, Media::Object(_))
            && (self.target == Target::Function || prefer.returning == Some(Returning::Representation));
        match prefer.max_affected.filter(|_| prefer.handling == Some(Handling::Strict)) {
            _ if answers_one => Mode::WriteChecked { end, wanted: Rows::ExactlyOne },
            Some(most) => Mode::WriteChecked { end, wanted: Rows::AtMost(most) },
            None => Mode::Write(end),
        }
    }

    fn payload(&self, rule: KeyRule, rows_max: usize) -> Result<Payload, ApiError> {
        match self.head.content {
            Content::Json => Payload::json(self.body.clone(), rule, rows_max),
            Content::Csv => Payload::csv(&self.body, rows_max),
            Content::Form => Err(error::content_type("application/x-www-form-urlencoded")),
        }
    }

    fn arguments(&self) -> Result<Payload, ApiError> {
        let body = if self.body.is_empty() { Bytes::from_static(b"{}") } else { self.body.clone() };
        match self.head.content {
            Content::Json => Payload::json(body, KeyRule::AllTheSame, 1).and_then(|payload| {
                if payload.shape == Shape::Object {
                    Ok(payload)
                } else {
                    Err(error::body("expected one object with the arguments"))
                }
            }),
            Content::Csv => Err(error::content_type("text/csv")),
            Content::Form => Err(error::content_type("application/x-www-form-urlencoded")),
        }
    }
}
