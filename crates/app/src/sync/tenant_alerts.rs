//! What a vendor raised in a tenant, as alerts here: one open alert for each, a severe one with an incident that a person looks into.
//! When one is over is for the reader of the vendor to say; this module makes nothing of an absence.
use kernel::{Timestamp, id::CustomerId};
use pg::ActorTx;
use store::{
    alerts::{self, NewAlert, TenantAlert},
    incidents::{self, IncidentState},
    sync::Counts,
};

use super::{
    context::{Cx, rows},
    error::SyncError,
    hooks::SyncPoint,
    run::PartName,
};
use crate::incidents::intake;

/// What all alerts of a vendor have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source {
    pub name: &'static str,
    pub kind: &'static str,
    pub part: PartName,
    /// What people read of an incident that opens, and of one that closes by itself.
    pub raised: &'static str,
    pub over: &'static str,
}

/// One that the vendor has open.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// One open alert for each.
    pub key: String,
    pub title: String,
    pub severity: &'static str,
    /// The name of a device.
    pub device: Option<String>,
    pub seen_at: Timestamp,
}

impl Source {
    /// Those of one tenant that are open here; `prefix` begins the key of each.
    pub async fn open<C: Sync>(
        &self,
        cx: &Cx<'_, C>,
        customer: CustomerId,
        prefix: &str,
    ) -> Result<Vec<TenantAlert>, SyncError> {
        let tx = cx.customer(customer).await?;
        let open = alerts::open_of_tenant(&tx, customer, self.name, prefix).await?;
        tx.rollback().await?;
        Ok(open)
    }

    /// Returns how many are new.
    pub async fn raise<C: Sync>(
        &self,
        cx: &Cx<'_, C>,
        customer: CustomerId,
        found: &[Found],
        now: Timestamp,
    ) -> Result<i32, SyncError> {
        let tx = cx.customer(customer).await?;
        let mut created = 0;
        for it in found {
            created += i32::from(self.raise_one(&tx, customer, it, now).await?);
        }
        cx.count(&tx, self.part, &Counts::default()).await?;
        tx.commit().await?;
        cx.at(SyncPoint::CustomerStored(self.part)).await;
        Ok(created)
    }

    /// A severe one is an incident that a person looks into: nothing here mends it.
    async fn raise_one(
        &self,
        tx: &ActorTx,
        customer: CustomerId,
        it: &Found,
        now: Timestamp,
    ) -> Result<bool, SyncError> {
        let device = match it.device.as_deref() {
            Some(name) => alerts::device_named(tx, customer, name).await?,
            None => None,
        };
        let new = NewAlert {
            customer,
            source: self.name,
            dedup_key: &it.key,
            device,
            condition: None,
            kind: self.kind,
            severity: it.severity,
            title: &it.title,
            seen_at: it.seen_at,
        };
        let alert = alerts::raise(tx, &new).await?;
        if matches!(it.severity, "major" | "critical") {
            let opened =
                incidents::open_for_alert(tx, customer, alert.id, device, &it.title, it.severity, now)
                    .await?;
            if let Some(incident) = opened {
                intake::tell_staff(tx, customer, incident, &it.title, self.raised, now).await?;
            }
        }
        Ok(!alert.was_open)
    }

    /// Resolves what the vendor is known to have open no more, and the incidents that nobody works on. Returns how many.
    pub async fn clear<C: Sync>(
        &self,
        cx: &Cx<'_, C>,
        customer: CustomerId,
        over: &[TenantAlert],
        at: Timestamp,
    ) -> Result<i32, SyncError> {
        if over.is_empty() {
            return Ok(0);
        }
        let ids: Vec<_> = over.iter().map(|it| it.id).collect();
        let tx = cx.customer(customer).await?;
        alerts::resolve(&tx, customer, &ids, at).await?;
        for incident in incidents::unattended_of_alerts(&tx, customer, &ids).await? {
            let why = Some(self.over);
            incidents::set_state(&tx, customer, incident, IncidentState::Resolved, why, at).await?;
        }
        cx.count(&tx, self.part, &Counts::default()).await?;
        tx.commit().await?;
        cx.at(SyncPoint::Confirmed(self.part)).await;
        Ok(rows(ids.len()))
    }
}
