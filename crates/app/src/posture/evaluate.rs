//! The facts of one tenant into [`domain::mfa`], and its verdicts into rows.
use std::collections::{HashMap, HashSet};

use domain::mfa::{
    Exception, Group, Known, Methods, NamedLocation, PerUser, Policy, Tenant, TenantFacts, User, UserKind,
    verdict,
};
use kernel::{Clock, Timestamp, id::CustomerId};
use pg::{ActorTx, Pg, PgError, SystemReason, WorkReason};
use serde_json::Value;
use store::{
    mfa::{self, PartFacts, Person, ResultRow},
    tenants,
};
use uuid::Uuid;

/// Results that are written together.
const ROWS_TOGETHER_MAX: usize = 1_000;
/// Parts that an outcome stands on.
const PARTS: [&str; 6] = ["seats", "people", "registrations", "mfa_states", "policies", "roles"];

/// Whose outcome is worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    All,
    One(Uuid),
}

/// Works outcomes of one tenant out anew, in the customer's transaction; returns how many rows were written. What was read once
/// stays known when the last reading failed; only what was never read is missing.
pub async fn evaluate(
    tx: &ActorTx,
    customer: CustomerId,
    tenant: Uuid,
    whom: Whom,
    now: Timestamp,
) -> Result<u64, PgError> {
    mfa::end_exceptions(tx, customer, now).await?;
    let Some(facts) = mfa::facts(tx, customer, tenant).await? else { return Ok(0) };
    let only = match whom {
        Whom::All => None,
        Whom::One(person) => Some(person),
    };
    let people = mfa::people(tx, customer, tenant, only).await?;
    let reasons = Reasons(&facts.parts);
    let oldest = PARTS.iter().filter_map(|part| facts.parts.get(*part)?.observed_at).min();
    let observed_at = oldest.unwrap_or(now);
    let tenant_facts = Tenant::new(of_tenant(&facts, &reasons));
    let mut written = 0;
    for page in people.chunks(ROWS_TOGETHER_MAX) {
        let rows: Vec<ResultRow> =
            page.iter().map(|person| judged(&tenant_facts, person, &reasons, now)).collect();
        written += mfa::keep(tx, customer, tenant, &rows, now, observed_at).await?;
    }
    Ok(written)
}

/// For the worker's clock: accounts whose accepted gap is over are gaps again.
pub async fn when_due(pg: &Pg, clock: &Clock) -> Result<usize, PgError> {
    let now = clock.now();
    let tx = pg.system(SystemReason::MfaDue).await?;
    let customers = mfa::due(&tx, now).await?;
    tx.rollback().await?;
    for customer in &customers {
        let tx = pg.work_for(*customer, WorkReason::Schedule).await?;
        mfa::end_exceptions(&tx, *customer, now).await?;
        for (tenant, _) in tenants::of_customer(&tx, *customer).await? {
            evaluate(&tx, *customer, tenant.id, Whom::All, now).await?;
        }
        tx.commit().await?;
    }
    Ok(customers.len())
}

/// Why a part was never read.
struct Reasons<'a>(&'a HashMap<String, PartFacts>);

impl Reasons<'_> {
    fn is_known(&self, part: &str) -> bool {
        self.0.get(part).is_some_and(|part| part.observed_at.is_some())
    }

    fn missing<T>(&self, part: &str) -> Known<T> {
        let reason = self.0.get(part).and_then(|part| part.reason.as_deref());
        // It goes into the middle of a sentence.
        Known::Missing(reason.unwrap_or("it was not read yet").trim_end_matches('.').to_owned())
    }

    fn known<T>(&self, part: &str, value: Option<T>) -> Known<T> {
        value.map_or_else(|| self.missing(part), Known::Read)
    }
}

fn of_tenant(facts: &mfa::TenantFacts, reasons: &Reasons<'_>) -> TenantFacts {
    let policies: Vec<Policy> = facts.policies.iter().map(Policy::from_graph).collect();
    let locations = facts.named_locations.as_ref().and_then(Value::as_array);
    let locations = locations.map(|rows| rows.iter().filter_map(NamedLocation::from_graph).collect());
    let roles = facts.roles.as_ref().map(|roles| {
        let users = roles["users"].as_object().into_iter().flatten();
        users.map(|(user, templates)| (user.clone(), texts(templates).collect())).collect()
    });
    let names = facts.roles.as_ref().and_then(|roles| roles["names"].as_object());
    let role_names = names.into_iter().flatten();
    let groups = facts.groups.as_ref().and_then(Value::as_object).into_iter().flatten();
    TenantFacts {
        security_defaults: reasons.known("policies", facts.security_defaults),
        has_premium: reasons.known("seats", facts.has_premium),
        policies: if reasons.is_known("policies") {
            Known::Read(policies)
        } else {
            reasons.missing("policies")
        },
        named_locations: reasons.known("policies", locations),
        roles: reasons.known("roles", roles),
        role_names: role_names
            .filter_map(|(id, name)| Some((id.clone(), name.as_str()?.to_owned())))
            .collect(),
        groups: groups.map(|(id, group)| (id.clone(), group_of(group))).collect(),
        app_names: HashMap::new(),
    }
}

fn group_of(group: &Value) -> Group {
    let members = match group.get("members") {
        Some(members) => Known::Read(texts(members).collect::<HashSet<String>>()),
        None => Known::Missing(group["missing"].as_str().unwrap_or("it was not read").to_owned()),
    };
    Group { name: group["name"].as_str().map(str::to_owned), members }
}

fn texts(list: &Value) -> impl Iterator<Item = String> {
    list.as_array().into_iter().flatten().filter_map(|text| Some(text.as_str()?.to_owned()))
}

fn judged(tenant: &Tenant, person: &Person, reasons: &Reasons<'_>, now: Timestamp) -> ResultRow {
    let per_user = person.per_user_mfa.as_deref();
    let per_user = match per_user.map(PerUser::from_graph) {
        Some(Some(state)) => Known::Read(state),
        Some(None) => Known::Missing("the vendor sent a word that this version does not know".to_owned()),
        None => reasons.missing("mfa_states"),
    };
    let registered =
        person.mfa_registered.map(|mfa| Methods { mfa, names: person.methods.clone().unwrap_or_default() });
    let user = User {
        id: person.external_id.clone(),
        name: person.display_name.clone(),
        upn: person.user_principal_name.clone(),
        kind: if person.user_type == "guest" { UserKind::Guest } else { UserKind::Member },
        enabled: person.account_enabled,
        per_user,
        registered: reasons.known("registrations", registered),
        created_at: person.created_in_vendor_at,
    };
    let exception =
        person.accepted.as_ref().map(|(reason, until)| Exception { reason: reason.clone(), until: *until });
    let found = verdict(tenant, &user, exception.as_ref(), now);
    ResultRow {
        person_id: person.id,
        outcome: found.outcome.as_str(),
        is_admin: person.is_admin,
        reason_kind: found.kind.as_str(),
        reason_text: found.text,
        chain: serde_json::to_value(&found.chain).unwrap_or_default(),
        missing: found.missing.iter().map(|read| read.as_str()).collect(),
        fix: found.fix,
        legacy_open: found.legacy_open,
    }
}
