//! The router, and how one request goes through the stages.
use std::{borrow::Cow, sync::Arc};

use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{OriginalUri, Path, Request, State},
    http::{HeaderMap, Method, Response, Uri},
    routing::any,
};
use kernel::{ApiError, Clock, id::RequestId};
use pg::{Actor, Pace, Pg, foreign::Caller};

mod call;
mod guard;
mod media;
mod write;

use crate::{
    config::{RestConfig, RootDocument},
    error::{self, Failure},
    openapi, plan,
    request::{
        Head, Media, Verb,
        prefer::{Count, Handling},
        query::{Parameters, Query},
    },
    response,
    schema::{
        Allowed, RequestReaders, Schema,
        cache::{Cache, LoadError, Reader, Reloaded},
    },
    sql::{self, Sql, Told},
    transaction::{self, Access, Answer, Mode, Statement},
    watch::{Free, Leaving, Refused, Seen, Watch},
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
    costs: guard::Costs,
    /// Of the product's own database only.
    watch: Option<Watch>,
    free: Free,
}

impl RestState {
    /// Starts to load the schema in the background, and to follow `NOTIFY pgrst`. Ends when the last clone is dropped.
    /// Must be called inside a Tokio runtime.
    pub fn start(pg: Pg, config: RestConfig, clock: Clock) -> Self {
        Self::with(pg, Reader::Product, config, clock, None)
    }

    /// The same, with every read counted, and exports refused while they are frozen.
    pub fn start_watched(pg: Pg, config: RestConfig, clock: Clock, watch: Watch) -> Self {
        Self::with(pg, Reader::Product, config, clock, Some(watch))
    }

    /// Over a database that is not the product's: its catalog is read as `login`, requests come with a foreign
    /// [`pg::Actor`], and whoever starts this calls [`RestState::reload`] when the schema changes.
    pub fn start_alone(pg: Pg, login: Actor, config: RestConfig, clock: Clock) -> Self {
        Self::with(pg, Reader::Login(login), config, clock, None)
    }

    fn with(pg: Pg, reader: Reader, config: RestConfig, clock: Clock, watch: Option<Watch>) -> Self {
        let cache = Cache::start(pg.clone(), reader, config.schemas.clone());
        Self(Arc::new(Inner {
            pg,
            cache,
            config,
            clock,
            costs: guard::Costs::default(),
            watch,
            free: Free::default(),
        }))
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

/// [`router`] under its base path, whose root is also there with a slash after it.
pub fn mounted(state: RestState) -> Router {
    let base_path = state.0.config.base_path.clone();
    let slash = Router::new().route(&format!("{base_path}/"), any(root)).with_state(state.clone());
    Router::new().nest(&base_path, router(state)).merge(slash)
}

async fn root(
    State(state): State<RestState>,
    OriginalUri(uri): OriginalUri,
    actor: Option<Extension<Actor>>,
    request: Request,
) -> Response<Body> {
    answer(&state.0, Target::Root, "", &uri, actor, request).await
}

async fn invalid_path() -> Response<Body> {
    response::failure(&error::path().into())
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
    Root,
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
        Err(failure) => return response::failure(&failure.into()),
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
    headers: HeaderMap,
    path: String,
    parameters: Parameters,
    body: Bytes,
}

impl Asked {
    async fn receive(
        state: &Inner,
        target: Target,
        name: &str,
        uri: &Uri,
        mut actor: Actor,
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
        if target == Target::Relation {
            head.media = head.accepted.rows.unwrap_or(head.media);
        }
        let parameters = Parameters::decode(uri.query().unwrap_or_default())?;
        let body = match head.verb {
            Verb::Insert | Verb::Put | Verb::Update => axum::body::to_bytes(body, limits.body_bytes_max)
                .await
                .map_err(|_| error::too_large("body", limits.body_bytes_max))?,
            _ => Bytes::new(),
        };
        let path = uri.path();
        let path = path.strip_prefix(limits.base_path.as_str()).unwrap_or(path).to_owned();
        if let Some(caller) = actor.foreign_mut() {
            let profile = head.profile.as_deref();
            guard::tell_foreign(caller, limits, profile, (&parts.method, &path, &parts.headers));
        }
        if let Some(limit_ms) = limits.statement_timeout_ms.of(actor.role_name()) {
            actor.limit_statements(limit_ms);
        }
        Ok(Self {
            target,
            name: name.to_owned(),
            actor,
            method: parts.method,
            headers: parts.headers,
            head,
            path,
            parameters,
            body,
        })
    }

    async fn answer(&self, state: &Inner) -> Result<Response<Body>, Failure> {
        let schema = state.cache.current()?;
        let profile = schema.profile(self.head.profile.as_deref())?;
        match (self.target, self.head.verb) {
            (Target::Root, Verb::Read | Verb::Head) => self.describe(state, &schema, profile).await,
            (Target::Root, Verb::Options) => Ok(response::options("OPTIONS,GET,HEAD")),
            (Target::Root, _) => Err(error::method(self.method.as_str()).into()),
            (Target::Relation, Verb::Read | Verb::Head) => self.read(state, &schema, profile).await,
            (Target::Relation, Verb::Options) => Ok(self.options(&schema, profile)?),
            (Target::Relation, _) => self.write(state, &schema, profile).await,
            (Target::Function, Verb::Read | Verb::Head | Verb::Insert) => {
                self.call(state, &schema, profile).await
            }
            (Target::Function, Verb::Options) if schema.overloads(profile, &self.name).is_empty() => {
                Err(error::no_function(profile, &self.name, &[]).into())
            }
            (Target::Function, Verb::Options) => Ok(response::options("OPTIONS,GET,HEAD,POST")),
            (Target::Function, _) => Err(error::call_method(self.method.as_str()).into()),
        }
    }

    async fn describe(
        &self,
        state: &Inner,
        schema: &Schema,
        profile: &str,
    ) -> Result<Response<Body>, Failure> {
        if state.config.root == RootDocument::Disabled {
            return Err(error::no_root().into());
        }
        if !matches!(self.head.accepted.first, Some(Media::Json(_) | Media::OpenApi)) {
            return Err(error::media(self.accept()).into());
        }
        let rights = if state.config.root == RootDocument::IgnorePrivileges {
            openapi::all_rights(schema, profile)
        } else {
            let rights = openapi::rights(&state.pg, &self.actor, profile).await;
            rights.map_err(|failure| error::from_pg(&failure, &self.actor, self.head.verb))?
        };
        let text = openapi::document(schema, profile, &rights, &state.config.base_path);
        Ok(response::document(text, self.head.verb))
    }

    async fn read(
        &self,
        state: &Inner,
        schema: &Arc<Schema>,
        profile: &str,
    ) -> Result<Response<Body>, Failure> {
        let relation = schema.relation(profile, &self.name)?;
        let handled = self.handled(schema, relation)?;
        let query = Query::parse(&self.parameters, &state.config, |_| false)?;
        let mut plan = plan::read(schema, relation, &query, &state.config)?;
        if let Some(range) = self.head.range {
            plan.narrow(range);
        }
        if self.actor.is_member() {
            plan.share_out();
        }
        let leaving = media::leaves_as(handled.as_ref(), self.head.media);
        self.may_leave(state, leaving, Some(&plan)).await?;
        let count = self.head.prefer.count;
        let rows_max = state.config.rows_max;
        let body = self.body_wanted(handled.as_ref(), self.head.media);
        let told = if handled.is_some() { Told::Response } else { self.told(schema) };
        let main = sql::read(self.sql(), schema, &plan, count, body, rows_max, told);
        if let Some(most) = state.config.plan_cost_max
            && !self.actor.sees_all()
            && !plan.is_keyed()
        {
            state.costs.check(&state.pg, &self.actor, schema, &main, most).await?;
        }
        let mode = match count {
            Some(Count::Planned | Count::Estimated) => Mode::ReadEstimated {
                estimate: sql::estimate(self.sql(), schema, &plan),
                known_up_to: (count == Some(Count::Estimated)).then_some(i64::from(rows_max)),
            },
            None if handled.is_none() => Mode::Read(plan.pace()),
            _ => Mode::Read(Pace::Unknown),
        };
        let (head, actor) = self.settled(state, schema).await?;
        let answer = self.run(state, &actor, main, mode).await?;
        let rows = answer.rows;
        let response = match (self.head.media, handled) {
            (Media::Plan(_), None) => response::plan(answer, self.head.media),
            (_, None) => response::read(answer, &head, plan.window)?,
            (_, Some(handled)) => response::read(answer, &handled.head(head.into_owned()), plan.window)?,
        };
        if let Some(watch) = &state.watch {
            watch.read(&self.seen(state, rows), &plan, leaving);
        }
        Ok(response)
    }

    fn seen<'a>(&'a self, state: &'a Inner, rows: i64) -> Seen<'a> {
        Seen { pg: &state.pg, actor: &self.actor, rows, at: state.clock.now() }
    }

    /// An error when this is an export and exports are frozen.
    async fn may_leave(
        &self,
        state: &Inner,
        media: Media,
        plan: Option<&plan::ReadPlan<'_>>,
    ) -> Result<(), Failure> {
        let Some(watch) = &state.watch else { return Ok(()) };
        let wish = Leaving { media, plan, at: state.clock.now() };
        watch.may_leave(&state.pg, &state.free, &self.actor, &wish).await.map_err(|refused| match refused {
            Refused::Frozen(error) => error.into(),
            Refused::Unknown(failure) => error::from_pg(&failure, &self.actor, self.head.verb),
        })
    }

    /// Runs the statement, or asks for its plan when that is what the caller takes.
    async fn run(
        &self,
        state: &Inner,
        actor: &Actor,
        main: Sql<'_>,
        mode: Mode<'_>,
    ) -> Result<Answer, Failure> {
        let verb = self.head.verb;
        let (main, mode) = match self.head.media {
            Media::Plan(explain) => {
                guard::may_see_plans(&state.config, &self.actor)?;
                let access = match mode {
                    Mode::Read(_) | Mode::ReadEstimated { .. } => Access::ReadOnly,
                    _ => Access::Write,
                };
                (main.explained(explain), Mode::Explain(access))
            }
            _ => (main, mode),
        };
        transaction::run(&state.pg, actor, &Statement { verb, main, mode }).await
    }

    /// What was applied of the preferences, and the caller with the settings that the transaction is told besides.
    async fn settled(
        &self,
        state: &Inner,
        schema: &Schema,
    ) -> Result<(Cow<'_, Head>, Cow<'_, Actor>), Failure> {
        let (mut head, mut actor) = (Cow::Borrowed(&self.head), Cow::Borrowed(&self.actor));
        if let Some(zone) = self.head.prefer.timezone.as_deref() {
            if state.cache.knows_timezone(zone).await? {
                actor.to_mut().set("timezone", zone.to_owned());
            } else if self.head.prefer.handling == Some(Handling::Strict) {
                return Err(error::preferences(&[&format!("timezone={zone}")]).into());
            } else {
                head.to_mut().prefer.timezone = None;
            }
        }
        if schema.request_readers == RequestReaders::Some && self.actor.foreign().is_none() {
            let told = guard::request_settings(&state.config, &self.method, &self.path, &self.headers);
            told.into_iter().for_each(|(name, value)| actor.to_mut().set(name, value));
        }
        Ok((head, actor))
    }

    fn options(&self, schema: &Schema, profile: &str) -> Result<Response<Body>, ApiError> {
        let relation = schema.relation(profile, &self.name)?;
        let mut allow = "OPTIONS,GET,HEAD".to_owned();
        let verbs = [
            (relation.can_insert, ",POST"),
            (if relation.primary_key.is_empty() { Allowed::No } else { relation.can_insert }, ",PUT"),
            (relation.can_update, ",PATCH"),
            (relation.can_delete, ",DELETE"),
        ];
        for (_, verb) in verbs.iter().filter(|(allowed, _)| *allowed == Allowed::Yes) {
            allow.push_str(verb);
        }
        Ok(response::options(&allow))
    }

    /// Reads tell what a function set that ran before them or in them; without one nobody could.
    fn told(&self, schema: &Schema) -> Told {
        if schema.response_writers || self.actor.foreign().is_some_and(Caller::calls_first) {
            Told::Response
        } else {
            Told::Nothing
        }
    }

    fn sql<'a>(&self) -> Sql<'a> {
        Sql::for_role(self.actor.foreign().map_or(self.actor.role_name(), Caller::role))
    }
}
