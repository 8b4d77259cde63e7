//! Who a transaction acts for. The role is asked of the database, never trusted alone: policies check sessions,
//! memberships and permissions again at every statement.
use kernel::id::{CustomerId, RequestId, SessionId, UserId};

use crate::foreign::{Caller, Standing};

/// A signed-in person (or nobody), as the verified token says.
#[derive(Clone, Debug)]
pub struct Actor {
    pub(crate) role: Role,
    pub user: Option<UserId>,
    pub session: Option<SessionId>,
    /// The token's claims as JSON text, for `request.jwt.claims`.
    pub claims: String,
    pub request: Option<RequestId>,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) reason: &'static str,
    /// Further settings of the transaction; none for most.
    pub(crate) told: Vec<(&'static str, String)>,
    /// Instead of the role's own.
    pub(crate) statement_timeout_ms: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Anon,
    Authenticated,
    Staff,
    Worker,
    System,
    /// Not the product's database: see [`crate::foreign`].
    Foreign(Box<Caller>),
}

impl Role {
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Anon => "anon",
            Self::Authenticated => "authenticated",
            Self::Staff => "staff",
            Self::Worker => "worker",
            Self::System => "system",
            Self::Foreign(_) => "foreign",
        }
    }

    /// Time limit of one statement; 0 is the database's own.
    pub(crate) const fn statement_timeout_ms(&self) -> &'static str {
        match self {
            Self::Anon => "3000",
            Self::Authenticated | Self::Staff => "15000",
            Self::Worker | Self::System => "120000",
            Self::Foreign(_) => "0",
        }
    }
}

impl Actor {
    /// Nobody is signed in.
    pub fn anonymous(request: RequestId) -> Self {
        Self::bare(Role::Anon, "").for_request(request)
    }

    /// A person, as their token says. `role` must be `staff` or `authenticated`; anything else acts as nobody.
    pub fn person(role: &str, user: UserId, session: SessionId, claims: String) -> Self {
        let role = match role {
            "staff" => Role::Staff,
            "authenticated" => Role::Authenticated,
            _ => Role::Anon,
        };
        Self { user: Some(user), session: Some(session), claims, ..Self::bare(role, "") }
    }

    /// Who signed in to the product.
    pub fn user(&self) -> Option<UserId> {
        self.user
    }

    #[must_use]
    pub fn for_request(mut self, request: RequestId) -> Self {
        self.request = Some(request);
        self
    }

    /// A setting of the transaction besides the caller's own. It travels in the same write.
    pub fn set(&mut self, name: &'static str, value: String) {
        match self.foreign_mut() {
            Some(caller) => caller.set(name, value),
            None => self.told.push((name, value)),
        }
    }

    /// Another time limit of one statement than the role's. Callers of another database have that of their role there.
    pub fn limit_statements(&mut self, limit_ms: u32) {
        self.statement_timeout_ms = Some(limit_ms);
    }

    /// True for people with provider-wide reach (they see all customers while they hold the permission).
    pub fn is_staff(&self) -> bool {
        self.role == Role::Staff
    }

    /// Somebody who sees the rows of their customers.
    pub fn is_member(&self) -> bool {
        self.role == Role::Authenticated
    }

    /// True where nobody stands between the statement and the database's own policies: staff, and callers of a
    /// database that is not the product's.
    pub fn sees_all(&self) -> bool {
        self.is_staff() || self.foreign().is_some()
    }

    pub fn is_anonymous(&self) -> bool {
        match &self.role {
            Role::Foreign(caller) => caller.standing() == Standing::Anonymous,
            role => *role == Role::Anon,
        }
    }

    /// The product's database role this actor runs as; `foreign`, which is none of them, for callers of another database,
    /// who have theirs in [`Actor::foreign`].
    pub fn role_name(&self) -> &'static str {
        self.role.name()
    }

    pub(crate) fn bare(role: Role, reason: &'static str) -> Self {
        Self {
            role,
            user: None,
            session: None,
            claims: String::new(),
            request: None,
            customer: None,
            reason,
            told: Vec::new(),
            statement_timeout_ms: None,
        }
    }
}

/// Why background work acts for a customer; written into the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkReason {
    Sync,
    Webhook,
    Workflow,
    Approval,
    Schedule,
    /// Serves a file by a signed URL or from a public bucket.
    Files,
}

impl WorkReason {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Webhook => "webhook",
            Self::Workflow => "workflow",
            Self::Approval => "approval",
            Self::Schedule => "schedule",
            Self::Files => "files",
        }
    }
}

/// The closed list of reasons to look over all customers. `db/tests/system_reasons.txt` is its committed copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SystemReason {
    /// Reads and writes people, sessions and tokens before anybody is known.
    SignIn,
    /// Reads and makes signing keys and credentials.
    Keys,
    /// Finds steps that are due, over all customers.
    ClaimSteps,
    /// Finds integrations to synchronize, and which one a webhook belongs to.
    Schedule,
    /// Finds under which customer a vendor's device is filed: keys only, so that one that moved is never shown to two.
    PlaceDevices,
    /// Finds the customers whose counts and lines are to be compared: keys only.
    Reconcile,
    /// Finds the customers where the time of an accepted gap in second factors is over: keys only.
    MfaDue,
    /// Finds the customers with tenants that are to be judged against their baselines: keys and times only.
    DriftDue,
    /// Finds the customers with tenants whose checks are due: keys and times only.
    PostureDue,
    /// Finds the customers with maintenance windows to look at: keys and times only.
    MaintenanceDue,
    /// Finds the customers where something that ended was renewed: keys only.
    ExpiriesDue,
    /// Finds which stored bytes no row refers to, and ends uploads that expired.
    SweepFiles,
    /// Orders the audit log into signed chains.
    SealAudit,
    /// Deletes what is past its time, by the rules of the database.
    Retention,
    /// Reads the catalog for the data API.
    SchemaCache,
    /// Makes the demo's and the first installation's rows.
    Seed,
    /// Keeps which credentials and address an integration uses, for a person who may say so.
    Connect,
    /// Answers `obera doctor` and the health endpoints.
    Health,
    /// Reads the change feed and who may hear it, and sends between nodes.
    Realtime,
    /// Forgets idempotency keys after a day.
    SweepCalls,
    /// Writes who read what.
    AccessLog,
    /// Looks over all reads for people who read unusually much.
    WatchVolume,
    /// Gives the isolation's probe its customers, reads their canaries, and freezes exports when one was seen.
    WatchIsolation,
}

impl SystemReason {
    pub const ALL: &'static [Self] = &[
        Self::SignIn,
        Self::Keys,
        Self::ClaimSteps,
        Self::Schedule,
        Self::PlaceDevices,
        Self::Reconcile,
        Self::MfaDue,
        Self::DriftDue,
        Self::PostureDue,
        Self::MaintenanceDue,
        Self::ExpiriesDue,
        Self::SweepFiles,
        Self::SealAudit,
        Self::Retention,
        Self::SchemaCache,
        Self::Seed,
        Self::Connect,
        Self::Health,
        Self::Realtime,
        Self::SweepCalls,
        Self::AccessLog,
        Self::WatchVolume,
        Self::WatchIsolation,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Keys => "keys",
            Self::ClaimSteps => "claim_steps",
            Self::Schedule => "schedule",
            Self::PlaceDevices => "place_devices",
            Self::Reconcile => "reconcile",
            Self::MfaDue => "mfa_due",
            Self::DriftDue => "drift_due",
            Self::PostureDue => "posture_due",
            Self::MaintenanceDue => "maintenance_due",
            Self::ExpiriesDue => "expiries_due",
            Self::SweepFiles => "sweep_files",
            Self::SealAudit => "seal_audit",
            Self::Retention => "retention",
            Self::SchemaCache => "schema_cache",
            Self::Seed => "seed",
            Self::Connect => "connect",
            Self::Health => "health",
            Self::Realtime => "realtime",
            Self::SweepCalls => "sweep_calls",
            Self::AccessLog => "access_log",
            Self::WatchVolume => "watch_volume",
            Self::WatchIsolation => "watch_isolation",
        }
    }
}
