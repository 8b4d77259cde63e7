//! Places of a customer: locations in the RMM.
use std::collections::HashMap;

use kernel::{
    Timestamp,
    id::{CustomerId, IntegrationId},
};
use pg::{ActorTx, PgError};

use crate::sync::Counts;

/// Longest name of a site, as its constraint says.
pub const SITE_NAME_CHARS_MAX: usize = 200;

/// `(external id, name)` of one customer's locations as just seen.
pub async fn upsert(
    tx: &ActorTx,
    customer: CustomerId,
    integration: IntegrationId,
    seen: &[(String, String)],
    observed_at: Timestamp,
) -> Result<Counts, PgError> {
    let (ids, names): (Vec<&str>, Vec<&str>) =
        seen.iter().map(|(id, name)| (id.as_str(), name.as_str())).unzip();
    let of_integration = include_str!("../../../db/queries/sites/of_integration.sql");
    let known = tx.query(of_integration, &[&customer.0, &integration.0, &ids]).await?;
    let known: HashMap<&str, &str> =
        known.iter().map(|row| (row.get("external_id"), row.get("name"))).collect();
    let mut counts = Counts { read: count(seen.len()), ..Counts::default() };
    for (id, name) in ids.iter().zip(&names) {
        match known.get(id) {
            None => counts.created += 1,
            Some(before) if before == name => counts.unchanged += 1,
            Some(_) => counts.updated += 1,
        }
    }
    let sql = include_str!("../../../db/queries/sites/upsert.sql");
    tx.execute(sql, &[&customer.0, &integration.0, &ids, &names, &observed_at]).await?;
    Ok(counts)
}

fn count(rows: usize) -> i32 {
    i32::try_from(rows).unwrap_or(i32::MAX)
}
