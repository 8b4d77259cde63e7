//! A file under a ticket's folder is an attachment of the ticket.
use serde_json::json;

use crate::api::{Api, MustFail as _};

async fn ticket(api: &Api) -> uuid::Uuid {
    api.db
        .arrange(&format!(
            "insert into public.tickets (customer_id, subject) values ('{}', 'Printer')",
            api.contoso
        ))
        .await;
    api.db.read("select id from public.tickets").await
}

#[tokio::test]
async fn an_upload_into_the_tickets_folder_attaches() {
    let api = Api::new().await;
    let ticket = ticket(&api).await;
    let url = format!("/object/attachments/{}/tickets/{ticket}/1/photo.png", api.contoso);
    let ask = api.ask(&api.at_contoso, "POST", &url).header("content-type", "image/png");
    // {"file_name":"My photo.png"}
    ask.header("x-metadata", "eyJmaWxlX25hbWUiOiJNeSBwaG90by5wbmcifQ==").body("png").send().await.ok();
    let list = "select file_name || ' ' || size_bytes || ' ' || mime_type from public.ticket_attachment_list";
    assert_eq!(api.db.read::<String>(list).await, "My photo.png 3 image/png");
    let told: String = api.db.read("select body from public.ticket_events where kind = 'attachment'").await;
    assert_eq!(told, "Attached My photo.png.");
    let added_by: uuid::Uuid = api.db.read("select added_by from public.ticket_attachments").await;
    assert_eq!(Some(added_by), api.at_contoso.user.map(|user| user.0));
    api.ask(&api.owner, "DELETE", &url).send().await.ok();
    assert_eq!(api.db.read::<i64>("select count(*) from public.ticket_attachments").await, 0);
}

#[tokio::test]
async fn only_an_own_ticket_takes_attachments() {
    let api = Api::new().await;
    let ticket = ticket(&api).await;
    let at = |customer: kernel::id::CustomerId, ticket: uuid::Uuid| {
        format!("/object/attachments/{customer}/tickets/{ticket}/a.txt")
    };
    let foreign = api.ask(&api.at_fabrikam, "POST", at(api.contoso, ticket)).body("x").send().await;
    foreign.must_fail(404, "not_found");
    // Under their own customer, but another customer's ticket: the key carries the customer.
    let planted = api.ask(&api.at_fabrikam, "POST", at(api.fabrikam, ticket)).body("x").send().await;
    planted.must_fail(404, "not_found");
    let none = api.ask(&api.at_contoso, "POST", at(api.contoso, uuid::Uuid::now_v7())).body("x").send().await;
    none.must_fail(404, "not_found");
    assert_eq!(planted.bytes, none.bytes);
    assert!(api.blobs().is_empty());
    // A right to files alone is not a right to the ticket.
    api.db.arrange("delete from public.role_permissions where role = 'portal_admin' and permission = 'tickets:write'").await;
    let refused = api.ask(&api.at_contoso, "POST", at(api.contoso, ticket)).body("x").send().await;
    refused.must_fail(403, "Unauthorized");
    api.attach(&api.at_contoso, api.contoso, "loose.txt", "x").await.ok();
    let body = json!({
        "bucketId": "attachments", "sourceKey": format!("{}/loose.txt", api.contoso),
        "destinationKey": format!("{}/tickets/{ticket}/a.txt", api.contoso),
    });
    api.ask(&api.at_contoso, "POST", "/object/move").json(&body).send().await.must_fail(403, "Unauthorized");
    api.ask(&api.owner, "POST", "/object/move").json(&body).send().await.ok();
    assert_eq!(api.db.read::<i64>("select count(*) from public.ticket_attachments").await, 1);
}
