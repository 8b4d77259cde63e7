//! What demands a second factor: security defaults, access policies, and the locations, roles and groups that these name. When
//! they are stored, the outcome of each account is worked out.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use ::graph::{AccessPolicy, Graph, RoleAssignment, RoleDefinition};
use connector_api::{Completeness, PartialReason, VendorError, Walk};
use domain::mfa::Policy;
use futures_util::{StreamExt as _, stream};
use kernel::Timestamp;
use serde_json::{Value, json};
use store::{
    accounts::{self, RolesRow},
    mfa,
    sync::{Counts, SyncKind},
    tenants::{self, FactsKind, Flags, PartOf, PartRead, Seen},
};

use super::{
    rows as row_of,
    tenants::{Came, Reading, complete, each},
    trouble,
};
use crate::{
    posture,
    sync::{
        confirm::READS_AT_ONCE_MAX,
        context::Cx,
        device_row::text,
        error::{PartEnd, SyncError},
        run::PartName,
    },
};

const PART: PartName = PartName::Policies;
/// Groups whose members are read for one tenant.
const GROUPS_MAX: usize = 200;

pub(super) async fn read(cx: &Cx<'_, Graph>, kind: SyncKind) -> Result<PartEnd, SyncError> {
    cx.start(PART, store::sync::Again::GoOn, None).await?;
    each(cx, kind, PART, PartOf::Policies, |cx, tenant| Box::pin(one(cx, tenant))).await
}

async fn one(cx: &Cx<'_, Graph>, tenant: &Reading) -> Came {
    let policies = policies(cx, tenant).await?;
    let roles = roles(cx, tenant).await?;
    // Outcomes stand on what the parts say: both are kept together.
    let reads = vec![policies, roles];
    let tx = cx.customer(tenant.customer).await?;
    for read in &reads {
        tenants::finish_part(&tx, tenant.customer, tenant.id, cx.claim.run, read, cx.now()).await?;
    }
    posture::evaluate(&tx, tenant.customer, tenant.id, posture::Whom::All, cx.now()).await?;
    cx.count(&tx, PART, &Counts::default()).await?;
    tx.commit().await?;
    Ok((reads, 0))
}

async fn policies(cx: &Cx<'_, Graph>, tenant: &Reading) -> Result<PartRead, SyncError> {
    let mut doubts: Vec<PartRead> = Vec::new();
    let defaults = tenant.client.security_defaults().await;
    match &defaults {
        Ok(fact) => {
            let flags = Flags { security_defaults: Some(fact.value.is_enabled), ..Flags::default() };
            let tx = cx.customer(tenant.customer).await?;
            tenants::set_flags(&tx, tenant.customer, tenant.id, flags).await?;
            tx.commit().await?;
        }
        Err(error) => doubts.push(trouble::refused(PartOf::Policies, error)),
    }
    let (observed_at, count) = match access_policies(cx, tenant).await? {
        Ok((at, count)) => (Some(at), count),
        Err(doubt) => {
            doubts.push(doubt);
            (None, 0)
        }
    };
    doubts.extend(named_locations(cx, tenant).await?);
    doubts.extend(groups(cx, tenant).await?);
    // What was read is kept even where something beside it was not.
    Ok(match (doubts.into_iter().next(), observed_at) {
        (None, Some(at)) => complete(PartOf::Policies, at, count),
        (Some(doubt), observed_at) => PartRead { observed_at, rows: count, ..doubt },
        (None, None) => trouble::partial(PartOf::Policies, "no policies came".to_owned()),
    })
}

/// When they were seen and how many; or why not. A tenant without Entra ID P1 has none.
async fn access_policies(
    cx: &Cx<'_, Graph>,
    tenant: &Reading,
) -> Result<Result<(Timestamp, usize), PartRead>, SyncError> {
    let tx = cx.customer(tenant.customer).await?;
    let known = tenants::policies_present(&tx, tenant.customer, tenant.id).await?;
    tx.rollback().await?;
    let mut walk = tenant.client.access_policies().await;
    let lacking = |walk: &Walk<AccessPolicy>| -> Vec<String> {
        let seen: HashSet<&str> = walk.items.iter().map(|it| it.id.as_str()).collect();
        known.iter().filter(|id| !seen.contains(id.as_str())).cloned().collect()
    };
    let mut gone = lacking(&walk);
    if walk.completeness.is_complete() && !gone.is_empty() {
        walk = tenant.client.access_policies().await;
        let again: HashSet<String> = lacking(&walk).into_iter().collect();
        gone.retain(|id| again.contains(id));
    }
    if has_none(tenant, &walk.completeness) {
        return Ok(Ok((cx.now(), 0)));
    }
    let Some(observed_at) = walk.observed_at else {
        return Ok(Err(trouble::of_walk(PartOf::Policies, &walk.completeness, 0)));
    };
    let is_complete = walk.completeness.is_complete();
    let found: Vec<_> = walk.items.iter().map(row_of::policy).collect();
    let seen = Seen { run: cx.claim.run, observed_at, is_complete };
    let tx = cx.customer(tenant.customer).await?;
    let mut counts = tenants::upsert_policies(&tx, tenant.customer, tenant.id, &seen, &found).await?;
    if is_complete && !gone.is_empty() {
        let removed =
            tenants::mark_policies_missing(&tx, tenant.customer, tenant.id, &gone, cx.now()).await?;
        counts += Counts { removed, ..Counts::default() };
    }
    cx.count(&tx, PART, &counts).await?;
    tx.commit().await?;
    Ok(if is_complete {
        Ok((observed_at, found.len()))
    } else {
        Err(trouble::of_walk(PartOf::Policies, &walk.completeness, found.len()))
    })
}

/// The tenant has no such thing because it has no Entra ID P1.
fn has_none(tenant: &Reading, completeness: &Completeness) -> bool {
    let Completeness::Partial { reason: PartialReason::Stopped(error) } = completeness else { return false };
    tenant.has_premium == Some(false) && matches!(error, VendorError::MissingCapability { .. })
}

async fn named_locations(cx: &Cx<'_, Graph>, tenant: &Reading) -> Result<Option<PartRead>, SyncError> {
    let walk = tenant.client.named_locations().await;
    let at = match walk.observed_at.filter(|_| walk.completeness.is_complete()) {
        Some(at) => at,
        None if has_none(tenant, &walk.completeness) => cx.now(),
        None => return Ok(Some(trouble::of_walk(PartOf::Policies, &walk.completeness, walk.items.len()))),
    };
    let facts = Value::Array(walk.items.iter().map(|it| row_of::value(&it.raw)).collect());
    keep(cx, tenant, FactsKind::NamedLocations, &facts, at).await?;
    Ok(None)
}

/// Members of every group that a policy names. A group that could not be read keeps what was known of it.
async fn groups(cx: &Cx<'_, Graph>, tenant: &Reading) -> Result<Option<PartRead>, SyncError> {
    let tx = cx.customer(tenant.customer).await?;
    let facts = mfa::facts(&tx, tenant.customer, tenant.id).await?;
    tx.rollback().await?;
    let Some(facts) = facts else { return Ok(None) };
    let policies: Vec<Policy> = facts.policies.iter().map(Policy::from_graph).collect();
    let named: BTreeSet<String> =
        policies.iter().flat_map(|policy| policy.groups().map(str::to_owned)).collect();
    let before = facts.groups.unwrap_or_default();
    let walks: Vec<(String, Walk<String>, Option<String>)> = stream::iter(named.into_iter().take(GROUPS_MAX))
        .map(|id| async move {
            let walk = tenant.client.group_members(&id).await;
            // Only for the sentence: without a name it shows the id.
            let name = tenant.client.group_name(&id).await.ok().map(|fact| fact.value);
            (id, walk, name)
        })
        .buffered(READS_AT_ONCE_MAX)
        .collect()
        .await;
    let mut doubt = None;
    let mut kept = serde_json::Map::new();
    for (id, walk, name) in walks {
        let mut group = match members(&walk) {
            Ok(members) => json!({ "members": members }),
            Err(why) => {
                doubt.get_or_insert_with(|| {
                    trouble::of_walk(PartOf::Policies, &walk.completeness, walk.items.len())
                });
                let known = before.get(&id).filter(|known| known.get("members").is_some());
                known.cloned().unwrap_or_else(|| json!({ "missing": why }))
            }
        };
        if let Some(name) = name {
            group["name"] = json!(text(&name));
        }
        kept.insert(id, group);
    }
    keep(cx, tenant, FactsKind::Groups, &Value::Object(kept), cx.now()).await?;
    Ok(doubt)
}

/// A group that does not exist any more has nobody in it.
fn members(walk: &Walk<String>) -> Result<Vec<String>, String> {
    match &walk.completeness {
        Completeness::Complete => Ok(walk.items.clone()),
        Completeness::Partial { reason: PartialReason::Stopped(VendorError::NotFound) } => Ok(Vec::new()),
        Completeness::Partial { reason } => Err(reason.to_string()),
    }
}

async fn keep(
    cx: &Cx<'_, Graph>,
    tenant: &Reading,
    kind: FactsKind,
    facts: &Value,
    at: Timestamp,
) -> Result<(), SyncError> {
    let tx = cx.customer(tenant.customer).await?;
    tenants::keep_facts(&tx, tenant.customer, tenant.id, kind, facts, at).await?;
    cx.count(&tx, PART, &Counts::default()).await?;
    Ok(tx.commit().await?)
}

/// Who holds which role in the whole tenant, by themself or through a group.
async fn roles(cx: &Cx<'_, Graph>, tenant: &Reading) -> Result<PartRead, SyncError> {
    let (assignments, definitions) =
        futures_util::join!(tenant.client.role_assignments(), tenant.client.role_definitions());
    let completeness = assignments.completeness.clone().and(definitions.completeness.clone());
    let Some(observed_at) = assignments.observed_at.filter(|_| completeness.is_complete()) else {
        let rows = assignments.items.len().min(definitions.items.len());
        return Ok(trouble::of_walk(PartOf::Roles, &completeness, rows));
    };
    let tx = cx.customer(tenant.customer).await?;
    let people: HashSet<String> =
        accounts::present(&tx, tenant.customer, tenant.id).await?.into_iter().collect();
    tx.rollback().await?;
    let holders = match holders(tenant, &assignments.items, &people).await {
        Ok(holders) => holders,
        Err(doubt) => return Ok(doubt),
    };
    let definitions: HashMap<&str, &RoleDefinition> =
        definitions.items.iter().map(|it| (it.id.as_str(), it)).collect();
    let template = |id: &str| {
        let known = definitions.get(id).and_then(|it| it.template_id.clone());
        known.unwrap_or_else(|| id.to_owned())
    };
    let name = |id: &str| definitions.get(id).map_or_else(|| id.to_owned(), |it| text(&it.name));
    let mut named: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut templates: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (person, role) in &holders {
        named.entry(person).or_default().insert(name(role));
        templates.entry(person).or_default().insert(template(role));
    }
    let names: BTreeMap<String, String> = definitions.keys().map(|id| (template(id), name(id))).collect();
    let rows: Vec<RolesRow> = named
        .iter()
        .map(|(person, roles)| RolesRow {
            external_id: (*person).to_owned(),
            roles: roles.iter().cloned().collect(),
        })
        .collect();
    keep(cx, tenant, FactsKind::Roles, &json!({ "users": templates, "names": names }), observed_at).await?;
    let tx = cx.customer(tenant.customer).await?;
    accounts::set_roles(&tx, tenant.customer, tenant.id, &rows).await?;
    cx.count(&tx, PART, &Counts::default()).await?;
    tx.commit().await?;
    Ok(complete(PartOf::Roles, observed_at, rows.len()))
}

/// `(account, role definition)`. A principal that is no account is a group, or an application.
async fn holders(
    tenant: &Reading,
    assignments: &[RoleAssignment],
    people: &HashSet<String>,
) -> Result<BTreeSet<(String, String)>, PartRead> {
    // Access policies pass over roles of an administrative unit, and so do we.
    let whole =
        assignments.iter().filter(|it| it.directory_scope_id.as_deref().is_none_or(|scope| scope == "/"));
    let mut holders = BTreeSet::new();
    let mut of_groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for it in whole {
        if people.contains(&it.principal_id) {
            holders.insert((it.principal_id.clone(), it.role_definition_id.clone()));
        } else {
            of_groups.entry(&it.principal_id).or_default().push(&it.role_definition_id);
        }
    }
    for (group, roles) in of_groups.into_iter().take(GROUPS_MAX) {
        let walk = tenant.client.group_members(group).await;
        let members = members(&walk)
            .map_err(|_| trouble::of_walk(PartOf::Roles, &walk.completeness, walk.items.len()))?;
        for member in members {
            holders.extend(roles.iter().map(|role| (member.clone(), (*role).to_owned())));
        }
    }
    Ok(holders)
}
