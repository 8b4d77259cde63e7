//! Where other use cases hook in: conditions become alerts there, and tests stop the world at a boundary.
use kernel::{
    Timestamp,
    id::{ConditionId, CustomerId, DeviceId},
};
use pg::ActorTx;
use store::sync::SyncState;

use super::run::PartName;
use crate::vendors::BoxFuture;

pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// A condition that was not open before, already stored in this transaction.
#[derive(Clone, Copy, Debug)]
pub struct Raised<'a> {
    pub condition: ConditionId,
    pub device: DeviceId,
    /// The vendor's id of the series, which webhooks name too.
    pub external_uid: &'a str,
    pub kind: &'a str,
    pub severity: &'a str,
    pub message: &'a str,
    pub raised_at: Timestamp,
    pub observed_at: Timestamp,
}

/// Told of every change of a condition, in the customer's transaction that records it: both commit or neither does.
/// An error rolls the customer's conditions back; they come again with the next synchronization.
pub trait ConditionSink: Send + Sync + 'static {
    fn raised<'a>(
        &'a self,
        tx: &'a ActorTx,
        customer: CustomerId,
        raised: &'a Raised<'a>,
    ) -> BoxFuture<'a, Result<(), SinkError>>;

    /// Called before the condition's row is marked as cleared.
    fn cleared<'a>(
        &'a self,
        tx: &'a ActorTx,
        customer: CustomerId,
        external_uid: &'a str,
        at: Timestamp,
    ) -> BoxFuture<'a, Result<(), SinkError>>;
}

/// Conditions are stored and nobody is told.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSink;

impl ConditionSink for NoSink {
    fn raised<'a>(
        &'a self,
        _: &'a ActorTx,
        _: CustomerId,
        _: &'a Raised<'a>,
    ) -> BoxFuture<'a, Result<(), SinkError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn cleared<'a>(
        &'a self,
        _: &'a ActorTx,
        _: CustomerId,
        _: &'a str,
        _: Timestamp,
    ) -> BoxFuture<'a, Result<(), SinkError>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A boundary between two committed states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncPoint {
    RunStarted,
    PartStarted(PartName),
    /// Devices that moved have left their old customers and have not arrived yet.
    MovedOut(PartName),
    /// Rows of one customer are committed, the page as a whole is not.
    CustomerStored(PartName),
    PageStored(PartName),
    /// The first reading was not believed.
    ReadingAgain(PartName),
    /// A disappearance was confirmed and marked.
    Confirmed(PartName),
    /// A batch of single rows was asked for, and what came of it is stored.
    Asked(PartName),
    PartEnded(PartName),
    RunEnded(SyncState),
}

/// Told of every boundary; the run waits for the answer.
pub trait SyncObserver: Send + Sync + 'static {
    fn at(&self, point: SyncPoint) -> BoxFuture<'_, ()>;
}

#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl SyncObserver for NoObserver {
    fn at(&self, _: SyncPoint) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}
