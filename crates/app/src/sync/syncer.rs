//! The worker: queues what is due, claims runs, keeps their leases, and goes on after a lost connection.
use std::{fmt, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use kernel::{Clock, id::SyncRunId};
use pg::{Pg, WorkReason};
use store::{
    integrations::Vendor,
    sync::{self, Claim, SyncState},
};
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    cipp,
    context::Cx,
    error::{SyncError, still_mine, trouble},
    hooks::{ConditionSink, NoObserver, SyncObserver},
    microsoft, revio, run, sharepoint,
};
use crate::documents::{Files, NoFiles};
use crate::vendors::{Vendors, VendorsError};

/// Notified when somebody asks for a run.
pub(crate) const WAKE_CHANNEL: &str = "obera_sync";
/// Runs of one worker at the same time; there is at most one per integration anyway.
const RUNS_AT_ONCE_MAX: usize = 4;
const RECONNECT_DELAY_FIRST_MS: u64 = 100;
const RECONNECT_DELAY_MS_MAX: u64 = 5_000;

#[derive(Clone, Copy, Debug)]
pub struct SyncSettings {
    /// A worker that does not renew its lease for this long has lost its run. Renewed three times as often.
    pub lease: Duration,
    /// How often the worker looks for due and abandoned runs when nobody wakes it.
    pub poll: Duration,
    /// Devices per page, 1 to 1,000.
    pub page_rows: u32,
}

impl Default for SyncSettings {
    fn default() -> Self {
        Self { lease: Duration::from_secs(30), poll: Duration::from_secs(5), page_rows: 1_000 }
    }
}

/// For how many days events of tenants are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivityKept {
    pub directory_changes_days: u16,
    pub sign_ins_days: u16,
}

impl ActivityKept {
    /// Bounds of both.
    pub const DAYS: std::ops::RangeInclusive<u16> = 1..=730;
}

impl Default for ActivityKept {
    fn default() -> Self {
        Self { directory_changes_days: 180, sign_ins_days: 30 }
    }
}

/// Synchronizes. Any number of them may run, in any number of processes.
#[derive(Clone)]
pub struct Syncer {
    pg: Pg,
    clock: Clock,
    vendors: Arc<dyn Vendors>,
    sink: Arc<dyn ConditionSink>,
    files: Arc<dyn Files>,
    observer: Arc<dyn SyncObserver>,
    settings: SyncSettings,
    kept: ActivityKept,
    public_url: Option<Arc<str>>,
    owner: Uuid,
}

impl fmt::Debug for Syncer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Syncer")
            .field("owner", &self.owner)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// How work on a claimed run ended here.
enum Worked {
    Ended(SyncState),
    /// Another worker has it.
    Lost,
}

impl Syncer {
    pub fn new(pg: Pg, clock: Clock, vendors: Arc<dyn Vendors>, sink: Arc<dyn ConditionSink>) -> Self {
        let owner = Uuid::new_v4();
        Self {
            pg,
            clock,
            vendors,
            sink,
            files: Arc::new(NoFiles),
            observer: Arc::new(NoObserver),
            settings: SyncSettings::default(),
            kept: ActivityKept::default(),
            public_url: None,
            owner,
        }
    }

    #[must_use]
    pub fn with_settings(mut self, settings: SyncSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Where vendors reach this installation; without it changes are found by polling only.
    #[must_use]
    pub fn reachable_at(mut self, public_url: Option<Arc<str>>) -> Self {
        self.public_url = public_url;
        self
    }

    #[must_use]
    pub fn keeping(mut self, kept: ActivityKept) -> Self {
        self.kept = kept;
        self
    }

    /// Where the bytes of documents go.
    #[must_use]
    pub fn with_files(mut self, files: Arc<dyn Files>) -> Self {
        self.files = files;
        self
    }

    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn SyncObserver>) -> Self {
        self.observer = observer;
        self
    }

    /// Works until `shutdown` turns true. Runs under way are given back at their last committed place.
    pub async fn run(&self, mut shutdown: watch::Receiver<bool>) {
        let mut wake = self.pg.listen(&[WAKE_CHANNEL]);
        let mut under_way = FuturesUnordered::new();
        loop {
            if let Err(error) = self.schedule().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "could not look for due synchronizations"
                );
            }
            while under_way.len() < RUNS_AT_ONCE_MAX && !*shutdown.borrow() {
                match self.claim().await {
                    Ok(Some(claim)) => under_way.push(Box::pin(self.work_until(claim, shutdown.clone()))),
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "could not claim a synchronization"
                        );
                        break;
                    }
                }
            }
            let is_busy = !under_way.is_empty();
            tokio::select! {
                () = stopped(&mut shutdown) => break,
                _ = under_way.next(), if is_busy => {}
                _ = wake.recv() => {}
                () = tokio::time::sleep(self.settings.poll) => {}
            }
        }
        while under_way.next().await.is_some() {}
    }

    /// Claims one run and works on it to its end. `None`: nothing to do, or another worker took it over.
    pub async fn run_one(&self) -> Result<Option<(SyncRunId, SyncState)>, SyncError> {
        let Some(claim) = self.claim().await? else { return Ok(None) };
        match self.work(claim).await? {
            Worked::Ended(state) => Ok(Some((claim.run, state))),
            Worked::Lost => Ok(None),
        }
    }

    /// Queues what is due. Whichever process inserts first wins; returns how many runs this one queued.
    pub async fn schedule(&self) -> Result<u64, SyncError> {
        let tx = self.pg.work_for_provider(WorkReason::Schedule).await?;
        let queued = sync::schedule(&tx, self.clock.now()).await?;
        tx.commit().await?;
        Ok(queued)
    }

    async fn claim(&self) -> Result<Option<Claim>, SyncError> {
        let tx = self.pg.work_for_provider(WorkReason::Sync).await?;
        let claim = sync::claim(&tx, self.owner, self.settings.lease, self.clock.now()).await?;
        tx.commit().await?;
        Ok(claim)
    }

    async fn work_until(&self, claim: Claim, mut shutdown: watch::Receiver<bool>) {
        let worked = tokio::select! {
            worked = self.work(claim) => worked,
            () = stopped(&mut shutdown) => {
                if let Err(error) = self.release(&claim).await {
                    tracing::warn!(error = &error as &dyn std::error::Error, sync.run = %claim.run, "the lease could not be given back; it runs out by itself");
                }
                return;
            }
        };
        if let Err(error) = worked {
            tracing::error!(error = &error as &dyn std::error::Error, sync.run = %claim.run, "a synchronization could not be recorded");
        }
    }

    /// To the end, over lost connections to the database.
    async fn work(&self, claim: Claim) -> Result<Worked, SyncError> {
        let mut claim = claim;
        let mut delay_ms = RECONNECT_DELAY_FIRST_MS;
        loop {
            let error = match self.attempt(&claim).await {
                Ok(state) => return Ok(Worked::Ended(state)),
                Err(SyncError::LeaseLost) => return Ok(Worked::Lost),
                Err(error) => error,
            };
            if !error.is_transient() {
                return self.give_up(&claim, &error).await.map(Worked::Ended);
            }
            tracing::warn!(error = &error as &dyn std::error::Error, sync.run = %claim.run, "a synchronization goes on from its last place");
            claim = loop {
                tokio::time::sleep(Duration::from_millis(delay_ms)).await;
                delay_ms = (delay_ms * 2).min(RECONNECT_DELAY_MS_MAX);
                match self.reclaim(&claim).await {
                    Ok(Some(claim)) => break claim,
                    Ok(None) => return Ok(Worked::Lost),
                    Err(error) if error.is_transient() => {}
                    Err(error) => return Err(error),
                }
            };
        }
    }

    /// The last of a day's quota is left to people.
    async fn attempt(&self, claim: &Claim) -> Result<SyncState, SyncError> {
        connector_api::in_background(Box::pin(self.read(claim))).await
    }

    async fn read(&self, claim: &Claim) -> Result<SyncState, SyncError> {
        match claim.vendor {
            Vendor::NinjaOne => {
                let client = self.vendors.ninjaone(claim.integration).await?;
                self.hold(claim, Box::pin(run::drive(&self.cx(claim, &client)))).await
            }
            Vendor::RevIo => {
                let client = self.vendors.revio(claim.integration).await?;
                self.hold(claim, Box::pin(revio::drive(&self.cx(claim, &client)))).await
            }
            Vendor::Microsoft => {
                let client = self.vendors.microsoft(claim.integration).await?;
                self.hold(claim, Box::pin(microsoft::drive(&self.cx(claim, &client)))).await
            }
            Vendor::Cipp => {
                let client = self.vendors.cipp(claim.integration).await?;
                self.hold(claim, Box::pin(cipp::drive(&self.cx(claim, &client)))).await
            }
            Vendor::SharePoint => {
                let client = self.vendors.sharepoint(claim.integration).await?;
                self.hold(claim, Box::pin(sharepoint::drive(&self.cx(claim, &client)))).await
            }
        }
    }

    fn cx<'a, C>(&'a self, claim: &'a Claim, client: &'a C) -> Cx<'a, C> {
        Cx {
            pg: &self.pg,
            clock: &self.clock,
            claim,
            client,
            settings: &self.settings,
            kept: self.kept,
            public_url: self.public_url.as_deref(),
            sink: self.sink.as_ref(),
            files: self.files.as_ref(),
            observer: self.observer.as_ref(),
        }
    }

    /// Works while the lease is kept.
    async fn hold(
        &self,
        claim: &Claim,
        work: impl Future<Output = Result<SyncState, SyncError>>,
    ) -> Result<SyncState, SyncError> {
        tokio::select! {
            ended = work => ended,
            lost = self.keep_lease(claim) => Err(lost),
        }
    }

    /// Ends only when the lease is lost. A database that does not answer is the work's to find out.
    async fn keep_lease(&self, claim: &Claim) -> SyncError {
        loop {
            tokio::time::sleep(self.settings.lease / 3).await;
            match self.renew(claim).await {
                Ok(()) => {}
                Err(SyncError::LeaseLost) => return SyncError::LeaseLost,
                Err(error) => {
                    tracing::debug!(error = &error as &dyn std::error::Error, sync.run = %claim.run, "the lease was not renewed")
                }
            }
        }
    }

    async fn renew(&self, claim: &Claim) -> Result<(), SyncError> {
        let tx = self.pg.work_for_provider(WorkReason::Sync).await?;
        let renewed = sync::renew(&tx, claim, self.settings.lease).await?;
        tx.commit().await?;
        still_mine(renewed)
    }

    async fn reclaim(&self, claim: &Claim) -> Result<Option<Claim>, SyncError> {
        let tx = self.pg.work_for_provider(WorkReason::Sync).await?;
        let claim = sync::reclaim(&tx, claim, self.settings.lease).await?;
        tx.commit().await?;
        Ok(claim)
    }

    async fn release(&self, claim: &Claim) -> Result<(), SyncError> {
        let tx = self.pg.work_for_provider(WorkReason::Sync).await?;
        sync::release(&tx, claim).await?;
        Ok(tx.commit().await?)
    }

    /// Something that trying again does not cure: the run failed, and says why.
    async fn give_up(&self, claim: &Claim, error: &SyncError) -> Result<SyncState, SyncError> {
        tracing::error!(error = error as &dyn std::error::Error, sync.run = %claim.run, "a synchronization failed");
        let reason = match error {
            SyncError::Vendors(error @ (VendorsError::NotConfigured | VendorsError::SwitchedOff)) => {
                trouble("not_configured", &error.to_string())
            }
            SyncError::Vendors(error) => trouble("client", &error.to_string()),
            SyncError::Database(_) | SyncError::LeaseLost => {
                trouble("internal", "a fault of ours; the log says which")
            }
        };
        let tx = self.pg.work_for_provider(WorkReason::Sync).await?;
        let text = reason["message"].as_str().unwrap_or_default();
        run::tell_staff(&tx, claim, SyncState::Failed, text, self.clock.now()).await?;
        still_mine(sync::finish_run(&tx, claim, SyncState::Failed, Some(&reason), self.clock.now()).await?)?;
        tx.commit().await?;
        Ok(SyncState::Failed)
    }
}

/// Ends when told to stop, and when nobody is left to tell. Holds no guard of the channel.
async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    let _told = shutdown.wait_for(|stop| *stop).await.is_ok();
}
