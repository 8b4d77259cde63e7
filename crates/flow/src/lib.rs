//! The durable workflow engine. It knows no domain: handlers do the work, the engine makes sure that every step is
//! recorded, none is lost, and none is done twice.
//!
//! * A [`TaskHandler`]'s database writes commit in one transaction with the step's record: exactly once.
//! * A [`ChangeHandler`] changes something outside: read, plan, guard, approve, act, read back. The act is at least once
//!   with an idempotency key that is committed before the call; after a crash or a time-out its effect is looked up
//!   before anything is repeated. Only an independent reading makes a change `verified`.
//! * The database clock is the only clock of leases, due times, expiry and deadlines, because it is the one clock that
//!   all workers share; `kernel::Clock` only makes ids.
mod boundary;
mod change;
mod claim;
mod commands;
mod compile;
mod context;
mod definition;
mod engine;
mod error;
pub mod evidence;
mod execute;
mod expr;
mod handler;
mod record;
mod state;
mod validate;
mod worker;

pub use boundary::{BOUNDARIES, BoundaryHook};
pub use change::{
    ActError, BlastRadius, Check, Completeness, Effect, Guard, Op, Plan, PlanLine, Planned, Reading, Receipt,
    Verdict,
};
pub use commands::{Cancelled, Decided, Decision, RunMode, StartOutcome, StartRun, Started, Subject};
pub use context::{ChangeView, StepContext};
pub use definition::{
    Approval, Definition, DryRun, Kind, OnFailure, Retry, RunOn, StepDef, Verify, canonical_sha256,
};
pub use engine::{Engine, RegisterOutcome, Registered};
pub use error::FlowError;
pub use evidence::{EvidenceSigner, SignError, Signature, SigningKey};
pub use futures_util::future::BoxFuture;
pub use handler::{ChangeHandler, Registry, StepError, StepOutcome, TaskHandler};
pub use state::{ChangeState, RunState, StepState};
pub use validate::DefinitionError;
pub use worker::{Worker, WorkerConfig};
