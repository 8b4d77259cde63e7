//! `microsoft-sync`, `mfa` and `graph-api`: who may, what is refused, and what a rule of seats is.
use kernel::ErrorCode;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{Api, MustFail as _};

/// A tenant of a customer with one account that is a gap; gives tenant and account.
async fn tenant(api: &Api, customer: &kernel::id::CustomerId, vendor_id: &str) -> (Uuid, Uuid) {
    let admin = api.db.admin_client().await;
    let sql = "with i as (insert into public.integrations (vendor, name, base_url) values ('microsoft', $2, 'https://vendor.example') returning id)
        insert into public.tenants (customer_id, integration_id, external_id, name, security_defaults, has_premium, observed_at, is_complete)
        select $1, i.id, $2, 'Tenant', false, false, now(), true from i returning id";
    let tenant: Uuid = admin.query_one(sql, &[&customer.0, &vendor_id]).await.expect("a tenant").get(0);
    let sql = "insert into public.tenant_parts (customer_id, tenant_id, part, state, attempted_at, observed_at)
        select $1, $2, part, 'complete', now(), now() from unnest('{seats,people,registrations,mfa_states,policies,roles}'::text[]) part";
    admin.execute(sql, &[&customer.0, &tenant]).await.expect("parts");
    let sql = "insert into public.access_facts (customer_id, tenant_id, kind, facts, observed_at)
        values ($1, $2, 'roles', '{\"users\": {}, \"names\": {}}', now()), ($1, $2, 'named_locations', '[]', now())";
    admin.execute(sql, &[&customer.0, &tenant]).await.expect("facts");
    let sql = "insert into public.tenant_people (customer_id, tenant_id, external_id, user_principal_name, display_name, user_type, account_enabled, mfa_registered, methods,
          per_user_mfa, raw, content_hash, observed_at, is_complete)
        values ($1, $2, 'a', 'ann@contoso.example', 'Ann', 'member', true, false, '{}', 'disabled', '{}', '\\x00', now(), true) returning id";
    (tenant, admin.query_one(sql, &[&customer.0, &tenant]).await.expect("an account").get(0))
}

#[tokio::test]
async fn a_gap_is_accepted_by_whoever_manages_second_factors() {
    let api = Api::new().await;
    let (_, ann) = tenant(&api, &api.contoso, "one").await;
    let (_, foreign) = tenant(&api, &api.fabrikam, "two").await;
    let accept = |person: Uuid, reason: &str, until: &str| json!({ "action": "accept", "customer_id": api.contoso, "person_id": person, "reason": reason, "until": until });
    let soon = (kernel::Clock::system().now() + jiff::Span::new().hours(48)).to_string();
    let good = accept(ann, "Emergency account", &soon);
    api.call(&api.at_contoso, "mfa", &good, None).await.must_fail(ErrorCode::NotPermitted);
    api.call(&api.at_fabrikam, "mfa", &good, None).await.must_fail(ErrorCode::NotFound);
    api.call(&api.owner, "mfa", &accept(foreign, "theirs", &soon), None).await.must_fail(ErrorCode::NotFound);
    let late = accept(ann, "for good", "2999-01-01T00:00:00Z");
    api.call(&api.owner, "mfa", &late, None).await.must_fail(ErrorCode::ValueRefused);
    api.call(&api.owner, "mfa", &accept(ann, " ", &soon), None).await.must_fail(ErrorCode::ValueRefused);
    let outcome = "select coalesce((select outcome || ' ' || reason_kind from public.mfa_results), 'none')";
    assert_eq!(api.db.read::<String>(outcome).await, "none");
    let done = api.call(&api.technician, "mfa", &good, None).await;
    assert_eq!((done.status.as_u16(), &done.json()["state"]), (200, &json!("accepted")), "{}", done.text);
    assert_eq!(api.db.read::<String>(outcome).await, "exempt accepted");
    let withdraw = json!({ "action": "withdraw", "customer_id": api.contoso, "person_id": ann });
    api.call(&api.at_contoso, "mfa", &withdraw, None).await.must_fail(ErrorCode::NotPermitted);
    assert_eq!(api.call(&api.owner, "mfa", &withdraw, None).await.status.as_u16(), 200);
    assert_eq!(api.db.read::<String>(outcome).await, "gap no_policy");
    api.call(&api.owner, "mfa", &withdraw, None).await.must_fail(ErrorCode::Conflict);
}

#[tokio::test]
async fn microsoft_is_asked_by_a_closed_list_and_by_staff_only() {
    let api = Api::new().await;
    let (one, _) = tenant(&api, &api.contoso, "one").await;
    let (theirs, _) = tenant(&api, &api.fabrikam, "two").await;
    let ask = |call: &str| json!({ "customer_id": api.contoso, "call": call });
    api.call(&api.at_contoso, "graph-api", &ask("users"), None).await.must_fail(ErrorCode::NotFound);
    for odd in ["/v1.0/users", "delete_user", "users?$top=1"] {
        api.call(&api.owner, "graph-api", &ask(odd), None).await.must_fail(ErrorCode::BodyInvalid);
    }
    let of =
        |tenant: Uuid| json!({ "customer_id": api.contoso, "tenant_id": tenant, "call": "organization" });
    api.call(&api.owner, "graph-api", &of(theirs), None).await.must_fail(ErrorCode::NotFound);
    api.call(&api.owner, "graph-api", &ask("user"), None).await.must_fail(ErrorCode::ValueRefused);
    // The vendor of these tests has no credentials: that far, and no further.
    api.call(&api.technician, "graph-api", &of(one), None).await.must_fail(ErrorCode::VendorNotConfigured);
}

#[tokio::test]
async fn microsoft_is_synchronized_by_its_own_function() {
    let api = Api::new().await;
    tenant(&api, &api.contoso, "one").await;
    let id: Uuid = api.db.read("select id from public.integrations").await;
    let sync = json!({ "integration_id": id, "kind": "full" });
    api.call(&api.technician, "ninjaone-sync", &sync, None).await.must_fail(ErrorCode::NotFound);
    api.call(&api.at_contoso, "microsoft-sync", &sync, None).await.must_fail(ErrorCode::NotFound);
    let queued = api.call(&api.technician, "microsoft-sync", &sync, None).await;
    assert_eq!(
        (queued.status.as_u16(), &queued.json()["already_running"]),
        (200, &json!(false)),
        "{}",
        queued.text
    );
}

#[tokio::test]
async fn a_rule_of_seats_names_licenses_and_no_device() {
    let api = Api::new().await;
    let preview = |more: Value| {
        let mut body =
            json!({ "action": "preview_rule", "billing_product_id": Uuid::nil(), "multiplier": "1" });
        let members = body.as_object_mut().expect("an object");
        members.extend(more.as_object().expect("an object").clone());
        body
    };
    let sku = Uuid::nil();
    for odd in [
        json!({}),
        json!({ "counts": "seats" }),
        json!({ "counts": "seats", "sku_ids": [sku] }),
        json!({ "counts": "seats", "sku_ids": [sku], "seat_basis": "assigned", "device_classes": ["server"] }),
        json!({ "device_classes": ["server"], "sku_ids": [sku] }),
    ] {
        api.call(&api.owner, "reconcile", &preview(odd), None).await.must_fail(ErrorCode::ValueRefused);
    }
    let good = json!({ "counts": "seats", "sku_ids": [sku], "seat_basis": "enabled" });
    api.call(&api.owner, "reconcile", &preview(good), None).await.must_fail(ErrorCode::NotFound);
}
