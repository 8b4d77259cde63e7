//! What the demo MSP demands of tenants: a baseline for everybody, a tier that one customer follows, and a deviation that is accepted.
use std::time::Duration;

use jiff::Span;
use kernel::id::CustomerId;
use pg::{ActorTx, PgError, SystemReason, WorkReason};
use serde_json::Value;
use store::drift;
use uuid::Uuid;

use crate::{failure::Failure, runtime::Product};

const EVERYBODY: &str = "Every tenant";
const TIER: &str = "Managed security";
/// What the baseline for everybody demands, as the library says it.
const DEMANDED: [&str; 12] = [
    "AuditLog",
    "OauthConsent",
    "DisableBasicAuthSMTP",
    "EnableMailboxAuditing",
    "PWnumberMatchingRequiredState",
    "AddDKIM",
    "SpoofWarn",
    "sharingCapability",
    "DisableSharedMailbox",
    "MailContacts",
    "AntiPhishPolicy",
    "DeletedUserRentention",
];
/// What the tier demands besides, or instead.
const OF_TIER: [(&str, Option<&str>); 4] = [
    ("sharingCapability", Some(r#"{"is": "equals", "value": "disabled"}"#)),
    ("DisableReshare", Some(r#"{"is": "equals", "value": true}"#)),
    ("SafeLinksPolicy", Some(r#"{"is": "contains", "value": {"AllowClickThrough": false}}"#)),
    ("DeletedUserRentention", None),
];
const ACCEPT_DAYS: i64 = 60;
const LOOK_EVERY: Duration = Duration::from_secs(2);
const LOOKS_MAX: u32 = 300;

/// Once: what somebody changed stays.
pub async fn prepare(product: &Product, customers: &[(CustomerId, String)]) -> Result<(), Failure> {
    let kept = async {
        let tx = product.services.pg.system(SystemReason::Seed).await?;
        if tx.query("select from public.baselines limit 1", &[]).await?.is_empty() {
            add(&tx, customers).await?;
        }
        tx.commit().await
    };
    kept.await.map_err(|error: PgError| Failure::start("the demo's baselines", &error))
}

async fn add(tx: &ActorTx, customers: &[(CustomerId, String)]) -> Result<(), PgError> {
    let everybody =
        baseline(tx, "provider", EVERYBODY, "What we demand of every tenant that we look after.").await?;
    let tier = baseline(tx, "tier", TIER, "For customers with the security package.").await?;
    for name in DEMANDED {
        entry(tx, everybody, name, None).await?;
    }
    for (name, rule) in OF_TIER {
        entry(tx, tier, name, Some(rule)).await?;
    }
    if let Some((customer, _)) = customers.first() {
        let sql = "insert into public.customer_tiers (customer_id, baseline_id) values ($1, $2)";
        tx.execute(sql, &[&customer.0, &tier]).await?;
    }
    Ok(())
}

async fn baseline(tx: &ActorTx, kind: &str, name: &str, description: &str) -> Result<Uuid, PgError> {
    let sql = "insert into public.baselines (kind, name, description) values ($1, $2, $3) returning id";
    Ok(tx.query_one(sql, &[&kind, &name, &description]).await?.get(0))
}

/// `rule`: another than the library's; `Some(None)`: not demanded.
async fn entry(tx: &ActorTx, baseline: Uuid, name: &str, rule: Option<Option<&str>>) -> Result<(), PgError> {
    let is_own = rule.is_some();
    let rule = rule.flatten();
    let sql = "insert into public.baseline_entries (baseline_id, setting, rule, severity, why)
        select $1, s.setting, case when $3 then $4::text::jsonb else s.rule end, s.severity, s.why from public.standards s where s.setting = 'standards.' || $2";
    tx.execute(sql, &[&baseline, &name, &is_own, &rule]).await.map(drop)
}

/// When the first drifts are known, one of them is accepted, as a person would have done.
pub async fn accept_one(product: Product, customers: Vec<(CustomerId, String)>) {
    for _ in 0..LOOKS_MAX {
        tokio::time::sleep(LOOK_EVERY).await;
        for (customer, _) in &customers {
            match accepted(&product, *customer).await {
                Ok(false) => {}
                Ok(true) => return,
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "no drift of the demo could be accepted"
                    );
                }
            }
        }
    }
}

async fn accepted(product: &Product, customer: CustomerId) -> Result<bool, PgError> {
    let now = product.clock.now();
    let tx = product.services.pg.work_for(customer, WorkReason::Schedule).await?;
    let known = tx
        .query("select from public.drift_exceptions where customer_id = $1 limit 1", &[&customer.0])
        .await?;
    if !known.is_empty() {
        return Ok(true);
    }
    let sql = "select cipp_tenant_id, setting, actual from public.drifts where customer_id = $1 and state = 'open' and severity in ('low', 'medium') order by setting limit 1";
    let Some(row) = tx.query_opt(sql, &[&customer.0]).await? else { return Ok(false) };
    let (tenant, setting): (Uuid, String) = (row.get(0), row.get(1));
    let value: Option<Value> = row.get(2);
    let reason = "Agreed with the customer until the migration is over.";
    let until = now + Span::new().hours(24 * ACCEPT_DAYS);
    drift::accept(&tx, customer, tenant, &setting, value.as_ref(), (reason, until), None, now).await?;
    app::drift::evaluate(&tx, customer, tenant, now).await?;
    tx.commit().await?;
    Ok(true)
}
