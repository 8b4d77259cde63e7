//! What every part of a run works with.
use kernel::{Clock, Timestamp, id::CustomerId};
use ninjaone::NinjaOne;
use pg::{ActorTx, Pg, SystemReason, WorkReason};
use serde_json::Value;
use store::sync::{self, Again, Claim, Counts, Part};

use super::{
    error::{SyncError, still_mine},
    hooks::{ConditionSink, SyncObserver, SyncPoint},
    run::PartName,
    syncer::{ActivityKept, SyncSettings},
};
use crate::documents::Files;

pub(super) struct Cx<'a, C = NinjaOne> {
    pub pg: &'a Pg,
    pub clock: &'a Clock,
    pub claim: &'a Claim,
    pub client: &'a C,
    pub settings: &'a SyncSettings,
    pub kept: ActivityKept,
    /// Where vendors reach this installation.
    pub public_url: Option<&'a str>,
    pub sink: &'a dyn ConditionSink,
    pub files: &'a dyn Files,
    pub observer: &'a dyn SyncObserver,
}

impl<C: Sync> Cx<'_, C> {
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub async fn at(&self, point: SyncPoint) {
        self.observer.at(point).await;
    }

    /// The provider's own tables.
    pub async fn provider(&self) -> Result<ActorTx, SyncError> {
        Ok(self.pg.work_for_provider(WorkReason::Sync).await?)
    }

    /// One customer's rows.
    pub async fn customer(&self, customer: CustomerId) -> Result<ActorTx, SyncError> {
        Ok(self.pg.work_for(customer, WorkReason::Sync).await?)
    }

    /// Keys of devices over all customers, to read only.
    pub async fn everywhere(&self) -> Result<ActorTx, SyncError> {
        Ok(self.pg.system(SystemReason::PlaceDevices).await?)
    }

    pub async fn part(&self, part: PartName) -> Result<Part, SyncError> {
        let tx = self.provider().await?;
        let parts = sync::parts(&tx, self.claim.run).await?;
        tx.rollback().await?;
        parts.into_iter().find(|row| row.part == part.as_str()).ok_or(SyncError::LeaseLost)
    }

    /// Begins a part, or lets it go on; gives what it kept.
    pub async fn start(
        &self,
        part: PartName,
        again: Again,
        rows_before: Option<usize>,
    ) -> Result<Part, SyncError> {
        let tx = self.provider().await?;
        let rows_before = rows_before.map(|rows| i32::try_from(rows).unwrap_or(i32::MAX));
        still_mine(sync::start_part(&tx, self.claim, part.as_str(), again, rows_before, self.now()).await?)?;
        tx.commit().await?;
        self.at(SyncPoint::PartStarted(part)).await;
        self.part(part).await
    }

    /// Within the transaction that writes the rows.
    pub async fn count(&self, tx: &ActorTx, part: PartName, counts: &Counts) -> Result<(), SyncError> {
        still_mine(sync::count_rows(tx, self.claim, part.as_str(), counts).await?)
    }

    /// A page is stored; `unmapped` of its rows were not kept.
    pub async fn keep_place(
        &self,
        tx: &ActorTx,
        part: PartName,
        cursor: Option<i64>,
        memory: Option<&Value>,
        unmapped: i32,
    ) -> Result<(), SyncError> {
        let cursor = cursor.map(|id| id.to_string());
        let kept =
            sync::keep_place(tx, self.claim, part.as_str(), cursor.as_deref(), memory, 1, unmapped).await?;
        still_mine(kept)
    }

    /// `left` rows are to be asked for one by one.
    pub async fn begin_asking(&self, part: PartName, left: usize) -> Result<(), SyncError> {
        let tx = self.provider().await?;
        still_mine(sync::begin_asking(&tx, self.claim, part.as_str(), rows(left)).await?)?;
        Ok(tx.commit().await?)
    }

    /// What came of asking for `asked` rows is stored.
    pub async fn asked(&self, part: PartName, asked: usize, memory: Option<&Value>) -> Result<(), SyncError> {
        let tx = self.provider().await?;
        still_mine(sync::asked(&tx, self.claim, part.as_str(), rows(asked), memory).await?)?;
        tx.commit().await?;
        self.at(SyncPoint::Asked(part)).await;
        Ok(())
    }

    pub async fn read_again(
        &self,
        part: PartName,
        memory: Option<&Value>,
        doubt: &Value,
    ) -> Result<(), SyncError> {
        let tx = self.provider().await?;
        still_mine(sync::read_again(&tx, self.claim, part.as_str(), memory, doubt).await?)?;
        tx.commit().await?;
        tracing::warn!(sync.run = %self.claim.run, sync.part = part.as_str(), %doubt, "a reading is not believed and repeated");
        self.at(SyncPoint::ReadingAgain(part)).await;
        Ok(())
    }
}

/// Rows of a batch as a count.
pub(super) fn rows(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
