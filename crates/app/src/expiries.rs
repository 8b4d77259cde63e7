//! What a connection needs that ends by itself: people hear of it 90, 30 and 7 days before, and when it has ended; once each.
mod renewals;

use std::collections::BTreeMap;

use kernel::{Timestamp, id::IntegrationId};
use pg::{Pg, PgError, WorkReason};
use store::{
    cipp::{self, DueExpiry},
    expiries,
    notifications::{self, NewNotification},
};

/// Subjects that one notification names.
const NAMED_MAX: usize = 5;

/// Tells whoever may mend connections of what became due, in one notification for each connection and nearness. Returns how many things
/// were told of. Any number of processes may do it at the same time.
pub async fn tell_due(pg: &Pg, now: Timestamp) -> Result<usize, PgError> {
    let tx = pg.work_for_provider(WorkReason::Sync).await?;
    expiries::own(&tx, now).await?;
    tx.commit().await?;
    renewals::close_renewed(pg, now).await?;
    // Tickets first: a process that dies in between finds them, and tells.
    let tx = pg.work_for_provider(WorkReason::Sync).await?;
    let due = cipp::due_expiries(&tx, now).await?;
    tx.rollback().await?;
    renewals::prepare(pg, &due, now).await?;
    let tx = pg.work_for_provider(WorkReason::Sync).await?;
    let due = cipp::due_expiries(&tx, now).await?;
    if due.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    let people = notifications::staff_who_can(&tx, "integrations:write").await?;
    let mut together: BTreeMap<(i32, IntegrationId, What), Vec<&DueExpiry>> = BTreeMap::new();
    for it in &due {
        together.entry((it.days, it.integration, What::of(&it.kind))).or_default().push(it);
    }
    for ((days, _, what), of_one) in together {
        let (title, body) = (title(what, days, &of_one), body(what, &of_one));
        let new = NewNotification {
            customer: None,
            kind: "expiry",
            title: &title,
            body: &body,
            link: Some("/expiries"),
            at: now,
        };
        notifications::add(&tx, &people, &new).await?;
    }
    cipp::told_expiries(&tx, &due).await?;
    tx.commit().await?;
    Ok(due.len())
}

/// What kind of thing ends, as people have to do with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Access,
    /// Of a customer's application.
    Credential,
    /// Our own at a vendor.
    Own,
}

impl What {
    fn of(kind: &str) -> Self {
        match kind {
            "app_secret" | "app_certificate" => Self::Credential,
            "secret" | "token" => Self::Own,
            _ => Self::Access,
        }
    }

    const fn advice(self) -> &'static str {
        match self {
            Self::Access => {
                "Renew the delegated admin relationship (GDAP) in Partner Center; without it nothing of the tenant can be read or changed."
            }
            Self::Own => {
                "Make new credentials at the vendor, enter them on the integration's page, and say there when they end."
            }
            Self::Credential => {
                "Make a new secret or certificate in the application, put it where the application is used, then remove the old one."
            }
        }
    }
}

fn title(what: What, days: i32, of_one: &[&DueExpiry]) -> String {
    let name = of_one.first().map_or("A connection", |it| it.integration_name.as_str());
    let thing = match (what, of_one) {
        (What::Access, [one]) => format!("access to {}", one.subject),
        (What::Access, many) => format!("access to {} tenants", many.len()),
        (What::Credential | What::Own, [one]) => one.subject.clone(),
        (What::Own, many) => format!("{} credentials", many.len()),
        (What::Credential, many) => {
            let verb = if days == 0 { "ended".to_owned() } else { format!("end within {days} days") };
            return format!("{name}: {} secrets and certificates of applications {verb}", many.len());
        }
    };
    if days == 0 {
        format!("{name}: {thing} has ended")
    } else {
        format!("{name}: {thing} ends within {days} days")
    }
}

fn body(what: What, of_one: &[&DueExpiry]) -> String {
    let named = of_one.iter().take(NAMED_MAX).map(|it| format!("{} ({})", it.subject, day(it.ends_at)));
    let mut named = named.collect::<Vec<_>>().join(", ");
    if of_one.len() > NAMED_MAX {
        named.push_str(&format!(" and {} more", of_one.len() - NAMED_MAX));
    }
    format!("{named}. {}", what.advice())
}

/// UTC.
fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
