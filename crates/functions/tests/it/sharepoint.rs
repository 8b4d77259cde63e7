//! `sharepoint-sync`: who synchronizes, and who chooses what is read of a site.
use kernel::{ErrorCode, id::CustomerId};
use serde_json::json;
use uuid::Uuid;

use crate::api::{Api, MustFail as _};

async fn site(api: &Api, customer: CustomerId, external_id: &str) -> (Uuid, Uuid) {
    let admin = api.db.admin_client().await;
    let sql = "with i as (insert into public.integrations (vendor, name, base_url) values ('sharepoint', $2, 'https://vendor.example') returning id),
        t as (insert into public.document_tenants (customer_id, integration_id, external_id, name) select $1, i.id, $2, 'Tenant' from i returning id, integration_id)
        insert into public.document_sites (customer_id, tenant_id, external_id, name, kind, observed_at, is_complete)
        select $1, t.id, $2, 'Site', 'site', now(), true from t returning id, (select integration_id from t)";
    let row = admin.query_one(sql, &[&customer.0, &external_id]).await.expect("a site");
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn a_site_is_read_as_staff_chose_and_by_its_own_function() {
    let api = Api::new().await;
    let (ours, integration) = site(&api, api.contoso, "one").await;
    let (theirs, _) = site(&api, api.fabrikam, "two").await;
    let choose = |site: Uuid, reads: &str| json!({ "action": "choose", "customer_id": api.contoso, "document_site_id": site, "reads": reads });
    api.call(&api.at_contoso, "sharepoint-sync", &choose(ours, "documents"), None)
        .await
        .must_fail(ErrorCode::NotFound);
    api.call(&api.owner, "sharepoint-sync", &choose(theirs, "documents"), None)
        .await
        .must_fail(ErrorCode::NotFound);
    api.call(&api.owner, "sharepoint-sync", &choose(ours, "everything"), None)
        .await
        .must_fail(ErrorCode::BodyInvalid);
    let done = api.call(&api.technician, "sharepoint-sync", &choose(ours, "documents"), None).await;
    assert_eq!((done.status.as_u16(), &done.json()["reads"]), (200, &json!("documents")), "{}", done.text);
    let read = "select string_agg(reads || coalesce(' by ' || (chosen_by is not null), ''), ', ' order by external_id) from public.document_sites";
    assert_eq!(api.db.read::<String>(read).await, "documents by true, inventory by false");
    let sync = json!({ "action": "sync", "integration_id": integration, "kind": "full" });
    let queued = api.call(&api.technician, "sharepoint-sync", &sync, None).await;
    assert_eq!(
        (queued.status.as_u16(), &queued.json()["already_running"]),
        (200, &json!(false)),
        "{}",
        queued.text
    );
    let other = json!({ "integration_id": integration });
    api.call(&api.technician, "microsoft-sync", &other, None).await.must_fail(ErrorCode::NotFound);
}
