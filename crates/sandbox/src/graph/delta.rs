//! `users/delta`: all users once, then only who changed; some come twice, and an old token is forgotten.
use serde_json::{Value, json};

use super::errors::Refusal;
use super::paging::{self, context, link, seal, unseal};
use super::render::user;
use super::tenants::Tenant;
use super::{Ask, Outcome, Reply};
use crate::faults::Tamper;

const ROWS_MAX: usize = 200;
/// How long the vendor remembers.
const LIFETIME_S: i64 = 7 * 86_400;
const DELTA: &str = "$deltatoken";

pub(crate) fn users(tenant: &Tenant, ask: &Ask<'_>) -> Outcome {
    for name in ["$top", "$expand", "$orderby"] {
        if ask.param(name).is_some() {
            return Err(Refusal::bad(&format!("The query option '{name}' is not supported by delta.")));
        }
    }
    match ask.param(DELTA) {
        None => first_round(tenant, ask),
        Some("latest") => Ok(Reply::Json(json!({"value": [], "@odata.deltaLink": end(tenant, ask)}))),
        Some(token) => changes(tenant, ask, token),
    }
}

/// Where the next round begins.
fn end(tenant: &Tenant, ask: &Ask<'_>) -> String {
    let word = format!("{}_{}", tenant.changes.len(), ask.now.as_second());
    link(ask, DELTA, &seal(ask, tenant, &word))
}

fn first_round(tenant: &Tenant, ask: &Ask<'_>) -> Outcome {
    let select = ask.select();
    let indices: Vec<u32> = tenant.indices().collect();
    let reply = paging::page_of(ask, tenant, indices.len(), ROWS_MAX, |range| {
        // The last row of the page before comes again.
        let from = range.start.saturating_sub(usize::from(!range.is_empty()));
        indices[from..range.end]
            .iter()
            .map(|index| user(tenant, &tenant.person(*index), &select, ask.now))
            .collect()
    })?;
    let Reply::Json(mut body) = reply else { return Ok(reply) };
    if body.get("@odata.nextLink").is_none() && ask.tamper != Tamper::Truncate {
        body["@odata.deltaLink"] = end(tenant, ask).into();
    }
    Ok(Reply::Json(body))
}

fn changes(tenant: &Tenant, ask: &Ask<'_>, token: &str) -> Outcome {
    let word = unseal(ask, tenant, token)?;
    let parts = word.split_once('_').and_then(|(at, issued)| Some((at.parse().ok()?, issued.parse().ok()?)));
    let (at, issued): (usize, i64) = parts.ok_or_else(|| Refusal::bad("The delta token is not valid."))?;
    if ask.now.as_second() - issued > LIFETIME_S {
        return Err(Refusal::resync());
    }
    let select = ask.select();
    let row = |index: &u32| -> Value {
        if tenant.is_there(*index) {
            user(tenant, &tenant.person(*index), &select, ask.now)
        } else {
            json!({"id": tenant.user_id(*index), "@removed": {"reason": "changed"}})
        }
    };
    let rows: Vec<Value> = tenant.changes.iter().skip(at).map(row).collect();
    Ok(Reply::Json(
        json!({"@odata.context": context(ask, "users"), "value": rows, "@odata.deltaLink": end(tenant, ask)}),
    ))
}
