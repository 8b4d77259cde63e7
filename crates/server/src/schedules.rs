//! What the worker role does by the clock: synchronization, sealing the audit log, partitions, sweeping files and calls, the watch.
use std::time::Duration;

use pg::SystemReason;
use tokio::task::JoinSet;

use crate::{
    documents::DocumentFiles,
    failure::Failure,
    runtime::{Product, Tuning},
    shutdown::Shutdown,
    watch::{
        isolation::{self, Prober, When},
        volume,
    },
};

const SEAL_EVERY: Duration = Duration::from_secs(30);
const MAINTAIN_EVERY: Duration = Duration::from_secs(6 * 3_600);
/// How often it is asked whether a comparison of counts with lines is due.
const RECONCILE_LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often it is looked for accepted gaps whose time is over.
const EXCEPTIONS_LOOK_EVERY: Duration = Duration::from_secs(60);
/// Calls of vendors that a killed process forgets are those of this time.
pub(crate) const COUNT_EVERY: Duration = Duration::from_secs(10);
/// How often it is looked for tenants whose turn to be asked it is.
const CANARIES_LOOK_EVERY: Duration = Duration::from_secs(60);
/// How often it is looked for accesses that end soon.
const EXPIRIES_LOOK_EVERY: Duration = Duration::from_secs(300);
/// How often it is looked for tenants that are to be judged against their baselines.
const DRIFT_LOOK_EVERY: Duration = Duration::from_secs(5);
/// Checks that became due are worked out within this.
const POSTURE_LOOK_EVERY: Duration = Duration::from_secs(5);
/// Muted alerts come back within this after their window.
const MAINTENANCE_LOOK_EVERY: Duration = Duration::from_secs(5);
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// What is past its time goes within this.
const EXPIRE_EVERY: Duration = Duration::from_secs(3_600);

pub fn spawn(
    tasks: &mut JoinSet<Result<(), Failure>>,
    product: &Product,
    tuning: &Tuning,
    prober: Prober,
    shutdown: &Shutdown,
) {
    let services = &product.services;
    let sink = std::sync::Arc::new(app::incidents::sink::IncidentSink(services.engine.clone()));
    let syncer =
        app::sync::Syncer::new(services.pg.clone(), product.clock.clone(), services.vendors.clone(), sink)
            .with_files(std::sync::Arc::new(DocumentFiles(product.storage.clone())))
            .with_settings(tuning.sync)
            .reachable_at(services.public_url.clone().or_else(|| tuning.reachable_at.clone()))
            .keeping(product.activity);
    let stop = shutdown.watch();
    tasks.spawn(async move {
        syncer.run(stop).await;
        Ok(())
    });
    let (seal, stop) = (product.clone(), shutdown.clone());
    tasks.spawn(async move { every(SEAL_EVERY, stop, || seal_audit(&seal)).await });
    let (maintain, stop) = (product.clone(), shutdown.clone());
    tasks.spawn(async move { every(MAINTAIN_EVERY, stop, || maintain_partitions(&maintain)).await });
    let (compare, stop) = (product.clone(), shutdown.clone());
    tasks.spawn(async move { every(RECONCILE_LOOK_EVERY, stop, || reconcile(&compare)).await });
    let (exceptions, stop) = (product.clone(), shutdown.clone());
    tasks.spawn(async move { every(EXCEPTIONS_LOOK_EVERY, stop, || end_exceptions(&exceptions)).await });
    let (expiries, stop) = (product.clone(), shutdown.clone());
    tasks.spawn(async move { every(EXPIRIES_LOOK_EVERY, stop, || tell_expiries(&expiries)).await });
    let (canaries, stop) = (product.clone(), shutdown.clone());
    tasks.spawn(async move { every(CANARIES_LOOK_EVERY, stop, || ask_canaries(&canaries)).await });
    let (drift, stop) = (product.clone(), shutdown.clone());
    tasks.spawn(async move { every(DRIFT_LOOK_EVERY, stop, || judge_drift(&drift)).await });
    let (posture, stop) = (product.clone(), shutdown.clone());
    tasks.spawn(async move { every(POSTURE_LOOK_EVERY, stop, || check_posture(&posture)).await });
    let (windows, stop) = (product.clone(), shutdown.clone());
    tasks.spawn(async move { every(MAINTENANCE_LOOK_EVERY, stop, || end_maintenance(&windows)).await });
    let (sweep, stop) = (product.clone(), shutdown.clone());
    tasks.spawn(async move { every(SWEEP_EVERY, stop, || sweep_files(&sweep)).await });
    let (calls, stop) = (product.clone(), shutdown.clone());
    tasks.spawn(async move { every(SWEEP_EVERY, stop, || sweep_calls(&calls)).await });
    let (past, stop) = (product.clone(), shutdown.clone());
    tasks.spawn(async move { every(EXPIRE_EVERY, stop, || expire(&past)).await });
    let (reads, stop) = (product.clone(), shutdown.clone());
    tasks.spawn(async move { every(volume::LOOK_EVERY, stop, || watch_volume(&reads)).await });
    let stop = shutdown.clone();
    tasks.spawn(async move {
        let probing = every(isolation::LOOK_EVERY, stop.clone(), || probe_isolation(&prober));
        // A run takes minutes: it is broken off, and its person falls asleep.
        let ended = tokio::select! {
            () = stop.wait() => Ok(()),
            ended = probing => ended,
        };
        prober.stop().await;
        ended
    });
}

/// Runs `work` at once and then at every interval. A failed turn is logged and tried again at the next.
pub(crate) async fn every<F, Fut>(interval: Duration, shutdown: Shutdown, mut work: F) -> Result<(), Failure>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = ()>,
{
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut stop = std::pin::pin!(shutdown.wait());
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            _ = ticks.tick() => work().await,
        }
    }
}

/// One process seals at a time; the vault's lock decides which.
async fn seal_audit(product: &Product) {
    loop {
        match vault::seal::seal_once(&product.services.pg, &product.vault, product.clock.now()).await {
            Ok(report) if report.is_full => {}
            Ok(_) => return,
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the audit log could not be sealed"
                );
                return;
            }
        }
    }
}

/// Accepted gaps whose time is over are gaps again.
async fn end_exceptions(product: &Product) {
    match app::posture::when_due(&product.services.pg, &product.clock).await {
        Ok(0) => {}
        Ok(customers) => tracing::info!(customers, "accepted gaps ended"),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "accepted gaps could not be ended");
        }
    }
}

/// What ends soon is said to whoever can renew it.
async fn tell_expiries(product: &Product) {
    match app::expiries::tell_due(&product.services.pg, product.clock.now()).await {
        Ok(0) => {}
        Ok(told) => tracing::info!(told, "people were told of what ends soon"),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "nobody could be told of what ends soon"
            );
        }
    }
}

/// Tenants are asked whether they still let us in. Any number of processes may ask: the database says whose turn it is.
async fn ask_canaries(product: &Product) {
    let services = &product.services;
    match app::canaries::when_due(&services.pg, &services.vendors, &product.clock).await {
        Ok(0) => {}
        Ok(tenants) => tracing::debug!(tenants, "tenants were asked whether they let us in"),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "tenants could not be asked whether they let us in"
            );
        }
    }
}

/// Any number of processes may judge at once; the database's locks decide who judges which tenant.
async fn judge_drift(product: &Product) {
    match app::drift::when_due(&product.services.pg, &product.clock).await {
        Ok(0) => {}
        Ok(tenants) => tracing::debug!(tenants, "tenants were judged against their baselines"),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "tenants could not be judged");
        }
    }
}

/// Any number of processes may check at once; the database's locks decide who checks which tenant.
async fn check_posture(product: &Product) {
    match app::posture::checks::when_due(&product.services.pg, &product.clock).await {
        Ok(0) => {}
        Ok(tenants) => tracing::debug!(tenants, "the posture of tenants was checked"),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the posture of tenants could not be checked"
            );
        }
    }
}

/// Any number of processes may look at once; the database's locks decide who ends which window.
async fn end_maintenance(product: &Product) {
    let services = &product.services;
    match app::maintenance::when_due(&services.pg, &services.engine, &product.clock).await {
        Ok(0) => {}
        Ok(windows) => tracing::info!(windows, "maintenance of devices ended"),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "maintenance of devices could not be ended"
            );
        }
    }
}

async fn maintain_partitions(product: &Product) {
    let outcome = async {
        let tx = product.services.pg.system(SystemReason::SealAudit).await?;
        tx.query("select app.maintain_partitions()", &[]).await?;
        tx.commit().await
    };
    if let Err(error) = outcome.await {
        tracing::error!(error = &error as &dyn std::error::Error, "partitions could not be made");
    }
}

/// One process compares at a time; the database's lock decides which.
async fn reconcile(product: &Product) {
    match app::money::reconcile::when_due(&product.services.pg, &product.clock).await {
        Ok(None) => {}
        Ok(Some(done)) => tracing::info!(
            reconciliation.id = %done.id, customers_done = done.ended.done, customers_skipped = done.ended.skipped.len(),
            opened = done.ended.opened, reopened = done.ended.reopened, closed = done.ended.closed, "counts were compared with lines"
        ),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "counts could not be compared with lines"
            );
        }
    }
}

/// Any number of processes may do this at once.
async fn sweep_files(product: &Product) {
    match product.storage.sweep().await {
        Ok(report) => tracing::debug!(
            uploads_ended = report.uploads_ended,
            orphans_removed = report.orphans_removed,
            half_written_removed = report.half_written_removed,
            "files were swept"
        ),
        Err(error) => {
            tracing::error!(error = &error as &dyn std::error::Error, "files could not be swept");
        }
    }
}

/// Forgets idempotency keys after their day. Any number of processes may do this at once.
async fn sweep_calls(product: &Product) {
    match functions::sweep(&product.services.pg, product.clock.now()).await {
        Ok(report) => {
            tracing::debug!(keys_forgotten = report.keys_forgotten, "calls of functions were swept")
        }
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "calls of functions could not be swept"
            );
        }
    }
}

/// Every role that asks vendors writes down how often.
pub(crate) async fn keep_counts(product: &Product) {
    if let Err(error) = product.services.vendors.keep_counts().await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "how often vendors were asked could not be written down; it is kept and tried again"
        );
    }
}

/// Any number of processes may do this at once; the database's lock decides which one deletes.
async fn expire(product: &Product) {
    match app::retention::expire(&product.services.pg, product.clock.now()).await {
        Ok(done) => {
            for (table, rows) in &done.removed {
                tracing::info!(table, rows, "rows past their time were deleted");
            }
            for (table, problem) in &done.problems {
                tracing::error!(table, problem, "rows past their time could not be deleted");
            }
            if !done.is_finished {
                tracing::warn!("more rows are past their time: the next turn goes on");
            }
        }
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "what is past its time could not be deleted"
            );
        }
    }
}

/// Any number of processes may look; one at a time does.
async fn watch_volume(product: &Product) {
    let limits = domain::volume::Limits::default();
    match volume::look(&product.services.pg, product.clock.now(), &limits).await {
        Ok(0) => {}
        Ok(raised) => tracing::warn!(raised, "people read unusually much"),
        Err(error) => tracing::error!(
            error = &error as &dyn std::error::Error,
            "unusual volumes of reading could not be looked for"
        ),
    }
}

/// Any number of processes may ask; one an hour probes.
async fn probe_isolation(prober: &Prober) {
    if let Err(error) = prober.probe(When::Due).await {
        tracing::error!(error = &error as &dyn std::error::Error, "the isolation could not be probed");
    }
}
