use std::sync::Arc;

/// Called at every boundary of a step's execution with the boundary's name. Tests use it to end the process there.
pub type BoundaryHook = Arc<dyn Fn(&str) + Send + Sync>;

/// Every place where a worker may die with a different state behind it, in the order of execution.
pub const BOUNDARIES: &[&str] = &[
    CLAIMED,
    OPENED,
    BEFORE_HANDLER,
    AFTER_HANDLER,
    ACT_RECORDED,
    ACT_CALLED,
    BEFORE_LOOK,
    AFTER_LOOK,
    BEFORE_RECORD,
    COMMITTED,
];

/// Steps are leased; nothing of them has run.
pub(crate) const CLAIMED: &str = "claimed";
/// The context of a step is loaded.
pub(crate) const OPENED: &str = "opened";
/// Just before a handler other than `act`.
pub(crate) const BEFORE_HANDLER: &str = "before_handler";
/// The handler returned; its writes are not committed.
pub(crate) const AFTER_HANDLER: &str = "after_handler";
/// The idempotency key and the beginning of the act are committed; the call has not been made.
pub(crate) const ACT_RECORDED: &str = "act_recorded";
/// The call was made; nobody here knows yet.
pub(crate) const ACT_CALLED: &str = "act_called";
/// Before looking for the effect of an earlier attempt.
pub(crate) const BEFORE_LOOK: &str = "before_look";
pub(crate) const AFTER_LOOK: &str = "after_look";
/// The record of the step is about to be written and committed.
pub(crate) const BEFORE_RECORD: &str = "before_record";
/// The step's record is committed.
pub(crate) const COMMITTED: &str = "committed";
