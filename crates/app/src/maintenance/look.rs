//! By the clock: windows that are over give their alerts back.
use flow::Engine;
use jiff::SignedDuration;
use kernel::{Clock, Timestamp, id::CustomerId};
use pg::{Pg, SystemReason, WorkReason};
use store::maintenance::{self, End, Outcome};

use super::give_back;
use crate::incidents::intake::IntakeError;

/// Customers of one look at what is due.
const CUSTOMERS_MAX: i64 = 100;
/// Windows of one transaction.
const WINDOWS_TOGETHER_MAX: i64 = 50;
/// A window is looked at this often, besides at its end: somebody may end it in the RMM's own console.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(60);

/// For the worker's clock. Returns how many windows ended. Any number of processes may look at the same time.
pub async fn when_due(pg: &Pg, engine: &Engine, clock: &Clock) -> Result<usize, IntakeError> {
    let now = clock.now();
    let tx = pg.system(SystemReason::MaintenanceDue).await?;
    let customers = maintenance::due(&tx, now, now - LOOK_EVERY, CUSTOMERS_MAX).await?;
    tx.rollback().await?;
    let mut ended = 0;
    for customer in customers {
        ended += of_customer(pg, engine, customer, now).await?;
    }
    Ok(ended)
}

async fn of_customer(
    pg: &Pg,
    engine: &Engine,
    customer: CustomerId,
    now: Timestamp,
) -> Result<usize, IntakeError> {
    let tx = pg.work_for(customer, WorkReason::Schedule).await?;
    let over = maintenance::look(&tx, customer, now, WINDOWS_TOGETHER_MAX).await?;
    for (window, how) in &over {
        let text = (*how == End::AtVendor).then_some("NinjaOne no longer shows the device in maintenance.");
        if maintenance::end(&tx, customer, *window, *how, text, now).await? {
            let muted = maintenance::muted_by(&tx, customer, *window).await?;
            give_back(&tx, engine, customer, &muted, Outcome::Returned, None, now).await?;
        }
    }
    tx.commit().await?;
    Ok(over.len())
}
