//! What a synchronization finds takes the same way as what a webhook says.
use flow::Engine;
use kernel::{Timestamp, id::CustomerId};
use pg::ActorTx;

use super::intake;
use crate::{
    sync::{ConditionSink, Raised, SinkError},
    vendors::BoxFuture,
};

#[derive(Clone, Debug)]
pub struct IncidentSink(pub Engine);

impl ConditionSink for IncidentSink {
    fn raised<'a>(
        &'a self,
        tx: &'a ActorTx,
        customer: CustomerId,
        raised: &'a Raised<'a>,
    ) -> BoxFuture<'a, Result<(), SinkError>> {
        Box::pin(async move {
            let report = intake::Raised {
                device: raised.device,
                external_uid: raised.external_uid,
                kind: raised.kind,
                severity: raised.severity,
                message: raised.message,
                raised_at: raised.raised_at,
                source: "ninjaone",
            };
            intake::raised(tx, &self.0, customer, &report, raised.observed_at).await?;
            Ok(())
        })
    }

    fn cleared<'a>(
        &'a self,
        tx: &'a ActorTx,
        customer: CustomerId,
        external_uid: &'a str,
        at: Timestamp,
    ) -> BoxFuture<'a, Result<(), SinkError>> {
        Box::pin(async move {
            intake::cleared(tx, customer, external_uid, at).await?;
            Ok(())
        })
    }
}
