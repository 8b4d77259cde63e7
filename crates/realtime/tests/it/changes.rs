//! `postgres_changes`: kinds of change, filters, types.
use serde_json::{Value, json};

use crate::{client::on, world::World};

#[tokio::test]
async fn updates_and_deletes_carry_the_key() {
    let world = World::new().await;
    let ann = world.db.portal(world.contoso, "portal_admin").await;
    let mut client = world.client().await;
    let id = world.site(world.contoso, "Here").await;
    client.join("one", &world.token(&ann), on("sites")).await;
    world.db.arrange("update public.sites set name = 'There'").await;
    let data = client.change().await;
    assert_eq!((&data["type"], &data["record"]["name"]), (&json!("UPDATE"), &json!("There")));
    assert_eq!(data["old_record"], json!({ "customer_id": world.contoso.0, "id": id }));
    world.db.arrange("delete from public.sites").await;
    let data = client.change().await;
    assert_eq!(data["type"], "DELETE");
    assert_eq!(data["old_record"], json!({ "customer_id": world.contoso.0, "id": id }));
    assert!(data.get("record").is_none());
}

#[tokio::test]
async fn filters_events_and_columns_narrow() {
    let world = World::new().await;
    let owner = world.db.staff("owner").await;
    let mut client = world.client().await;
    let wish = |event: &str, filter: &str| json!({ "event": event, "schema": "public", "table": "sites", "filter": filter });
    let config = json!({ "postgres_changes": [
        wish("INSERT", &format!("customer_id=eq.{}", world.contoso)),
        wish("*", "name=in.(\"Paris, North\",Rome)"),
        wish("UPDATE", "name=like.P%,name=neq.Pisa"),
        { "event": "INSERT", "schema": "public", "table": "sites", "select": ["name"] },
    ] });
    let payload = json!({ "config": config, "access_token": world.token(&owner) });
    let (status, response) = client.ask(None, "realtime:one", "phx_join", payload).await;
    assert_eq!(status, "ok", "{response}");
    let id = |n: usize| response["postgres_changes"][n]["id"].clone();

    world.site(world.contoso, "Rome").await;
    let (mut whole, mut chosen) =
        (client.event("postgres_changes").await, client.event("postgres_changes").await);
    if whole.payload["ids"] == json!([id(3)]) {
        std::mem::swap(&mut whole, &mut chosen);
    }
    assert_eq!(whole.payload["ids"], json!([id(0), id(1)]));
    assert_eq!(chosen.payload["ids"], json!([id(3)]));
    assert_eq!(chosen.payload["data"]["record"], json!({ "name": "Rome" }));

    world.site(world.fabrikam, "Pisa").await;
    assert_eq!(client.event("postgres_changes").await.payload["ids"], json!([id(3)]));
    world.db.arrange("update public.sites set name = 'Paris, North' where name = 'Pisa'").await;
    assert_eq!(client.event("postgres_changes").await.payload["ids"], json!([id(1), id(2)]));
    world.db.arrange("update public.sites set name = 'Pisa' where name = 'Paris, North'").await;
    world.site(world.fabrikam, "End").await;
    assert_eq!(
        client.event("postgres_changes").await.payload["ids"],
        json!([id(3)]),
        "the update matched no filter"
    );
}

#[tokio::test]
async fn a_record_is_what_the_data_api_gives() {
    let world = World::new().await;
    let owner = world.db.staff("owner").await;
    let mut client = world.client().await;
    client.join("one", &world.token(&owner), on("integrations")).await;
    world
        .db
        .arrange("insert into public.integrations (vendor, name, base_url, enabled) values ('ninjaone', 'Ninja \"one\"', 'https://x.example', true)")
        .await;
    let data = client.change().await;
    // Without the columns that no person may read.
    let hidden = "'{credential_id,webhook_secret_sha256,activity_cursor,credentials_told_at}'::text[]";
    let expected: Value =
        world.db.read(&format!("select to_jsonb(i) - {hidden} from public.integrations i")).await;
    assert_eq!(data["record"], expected);
    let named = data["columns"]
        .as_array()
        .expect("columns")
        .iter()
        .any(|column| column["name"] == "webhook_secret_sha256");
    assert!(!named, "a column that may not be read is not even named");
}

#[tokio::test]
async fn tables_of_the_engine_go_by_their_view() {
    let world = World::new().await;
    let owner = world.db.staff("owner").await;
    let mut client = world.client().await;
    client.join("one", &world.token(&owner), on("runs")).await;
    world
        .db
        .arrange(&format!(
            "insert into public.workflows (key, name, description) values ('cleaning', 'X', 'X');
             insert into public.workflow_versions (workflow_id, version, definition, definition_sha256)
               select id, 1, '{{}}', repeat('a', 64) from public.workflows;
             insert into flow.runs (customer_id, workflow_id, workflow_version, title, started_reason, deadline_at)
               select '{}', id, 1, 'Cleaning', 'test', now() from public.workflows",
            world.contoso
        ))
        .await;
    let data = client.change().await;
    assert_eq!(
        (&data["schema"], &data["table"], &data["record"]["title"]),
        (&json!("public"), &json!("runs"), &json!("Cleaning"))
    );
}

#[tokio::test]
async fn many_changes_come_in_order_and_none_is_lost() {
    let world = World::new().await;
    let ann = world.db.portal(world.contoso, "portal_admin").await;
    let mut client = world.client().await;
    client.join("one", &world.token(&ann), on("sites")).await;
    for part in 0..4 {
        world
            .db
            .arrange(&format!(
                "insert into public.sites (customer_id, name) select '{}', 'Site ' || n from generate_series({}, {}) n",
                world.contoso,
                part * 300,
                part * 300 + 299
            ))
            .await;
    }
    for n in 0..1_200 {
        assert_eq!(client.change().await["record"]["name"], json!(format!("Site {n}")));
    }
}

#[tokio::test]
async fn a_join_is_written_down_without_its_values() {
    let world = World::new().await;
    let owner = world.db.staff("owner").await;
    let mut client = world.client().await;
    let change = json!({ "event": "*", "schema": "public", "table": "sites", "filter": "name=eq.hunter2" });
    let payload = json!({ "config": { "postgres_changes": [change] }, "access_token": world.token(&owner) });
    let (status, response) = client.ask(None, "realtime:one", "phx_join", payload).await;
    assert_eq!(status, "ok", "{response}");
    world.db.pg.access().flush(&world.db.pg, kernel::Clock::system().now()).await.expect("written");
    let sql =
        "select string_agg(concat_ws('|', source, subject, shape, request_count), ' ') from audit.access";
    assert_eq!(world.db.read::<String>(sql).await, "feed|public.sites|join&name|1");
}
