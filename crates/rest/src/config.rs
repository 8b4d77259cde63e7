use serde::Deserialize;

/// Limits and choices of the data API, the table `[rest]` of the settings file. Every limit answers with a clear 4xx
/// that names it.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RestConfig {
    /// Schemas that are served; the first is the default, `Accept-Profile` and `Content-Profile` choose another.
    pub schemas: Vec<String>,
    /// Where the router is mounted; the start of every `Location`.
    #[serde(skip)]
    pub base_path: String,
    /// Largest page of a read, also inside embedded lists.
    pub rows_max: u32,
    /// Largest number of rows in one insert.
    pub bulk_rows_max: usize,
    pub body_bytes_max: usize,
    pub url_bytes_max: usize,
    /// Embedded resources in one request.
    pub embeds_max: usize,
    /// Nesting of embeds, and of `and`/`or`.
    pub depth_max: usize,
    /// Conditions in one request, counted over all levels.
    pub filters_max: usize,
    /// Items in one `select`, counted over all levels, and terms in one `order`.
    pub items_max: usize,
    pub unfiltered_writes: UnfilteredWrites,
    pub tx_end: TxChoice,
    pub aggregates: Aggregates,
    /// Who may ask for the planner's plan of a request.
    pub plans: PlanAccess,
    /// The description of the API at its root.
    pub root: RootDocument,
    /// Highest cost (in the planner's units) of a request of people who are not staff, reads by a whole key aside;
    /// `None`: any. Each shape of a request is asked about once until the schema changes.
    pub plan_cost_max: Option<u64>,
    /// Cookies that `request.cookies` does not tell to functions, besides the headers with credentials.
    pub private_cookies: Vec<String>,
    /// How long one statement of a person may take, by their role.
    pub statement_timeout_ms: StatementTimeouts,
    /// Of a database that is not the product's: schemas in the search path besides the one asked for.
    #[serde(skip)]
    pub extra_search_path: Vec<String>,
    /// And settings of functions that hold for the whole transaction of a call.
    #[serde(skip)]
    pub hoisted_settings: Vec<String>,
}

/// `None`: what the role has anyway, 3 seconds for nobody and 15 for people. In a database that is not the product's
/// `alter role … set statement_timeout` says it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatementTimeouts {
    pub anon: Option<StatementTimeout>,
    pub authenticated: Option<StatementTimeout>,
    pub staff: Option<StatementTimeout>,
}

impl StatementTimeouts {
    pub(crate) fn of(&self, role: &str) -> Option<u32> {
        let limit = match role {
            "anon" => self.anon,
            "authenticated" => self.authenticated,
            "staff" => self.staff,
            _ => None,
        };
        limit.map(|limit| limit.0)
    }
}

/// In milliseconds, from 1 to [`STATEMENT_MS_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct StatementTimeout(u32);

/// What background work gets: nobody waits longer for an answer.
const STATEMENT_MS_MAX: u32 = 120_000;

impl TryFrom<u32> for StatementTimeout {
    type Error = String;

    fn try_from(ms: u32) -> Result<Self, String> {
        (1..=STATEMENT_MS_MAX)
            .contains(&ms)
            .then_some(Self(ms))
            .ok_or_else(|| format!("a time limit of {ms} ms: write 1 to {STATEMENT_MS_MAX}"))
    }
}

/// Whether `count()`, `sum()`, `avg()`, `min()` and `max()` may stand in `select`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aggregates {
    Allow,
    /// 400 `PGRST123`.
    Refuse,
}

/// Plans tell of all customers' rows, by the planner's statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanAccess {
    Nobody,
    /// People who see all customers.
    Staff,
    Everyone,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RootDocument {
    /// OpenAPI 2.0 of what the caller's role may use.
    FollowPrivileges,
    /// OpenAPI 2.0 of everything that is served, to everybody.
    IgnorePrivileges,
    /// 404 `PGRST126`.
    Disabled,
}

/// What a `PATCH` or `DELETE` without any filter does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnfilteredWrites {
    /// 400 with SQLSTATE 21000, as the extension `safeupdate` does.
    Refuse,
    /// Writes every row that the caller may write, as PostgREST does alone.
    Allow,
}

/// How transactions end, and whether a caller may choose by `Prefer: tx=…`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TxChoice {
    AlwaysCommit,
    CallerMayRollBack,
    AlwaysRollBack,
    /// Rolled back, unless `Prefer: tx=commit`.
    CallerMayCommit,
}

const EMBEDS_MAX: usize = 20;
const DEPTH_MAX: usize = 8;
const FILTERS_MAX: usize = 100;
const ITEMS_MAX: usize = 300;
const BULK_ROWS_MAX: usize = 10_000;

impl Default for RestConfig {
    fn default() -> Self {
        Self {
            schemas: vec!["public".to_owned()],
            base_path: "/rest/v1".to_owned(),
            rows_max: kernel::limits::LIST_ROWS_MAX,
            bulk_rows_max: BULK_ROWS_MAX,
            body_bytes_max: kernel::limits::BODY_BYTES_MAX,
            url_bytes_max: kernel::limits::URL_BYTES_MAX,
            embeds_max: EMBEDS_MAX,
            depth_max: DEPTH_MAX,
            filters_max: FILTERS_MAX,
            items_max: ITEMS_MAX,
            unfiltered_writes: UnfilteredWrites::Refuse,
            tx_end: TxChoice::AlwaysCommit,
            aggregates: Aggregates::Allow,
            plans: PlanAccess::Staff,
            root: RootDocument::FollowPrivileges,
            plan_cost_max: None,
            private_cookies: Vec::new(),
            statement_timeout_ms: StatementTimeouts::default(),
            extra_search_path: Vec::new(),
            hoisted_settings: Vec::new(),
        }
    }
}
