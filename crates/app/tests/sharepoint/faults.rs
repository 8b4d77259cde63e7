//! No fault takes anything away; what could not be read is said, and the next synchronization mends it.
use serde_json::json;

use crate::world::World;

const DIGEST: &str = "select md5(coalesce(string_agg(t, ',' order by t), '')) from (
    select d.external_id || d.path || d.text_state || coalesce(d.sha256, '') || coalesce(d.missing_since::text, '') as t from public.documents d
    union all select h.external_id || h.risk || coalesce(h.missing_since::text, '') from public.document_shares h
    union all select s.external_id || coalesce(s.missing_since::text, '') from public.document_sites s
    union all select md5(x.text) from public.document_texts x) x";

#[tokio::test]
async fn no_fault_deletes_a_file_a_share_or_a_word() {
    let world = World::read(3, 30).await;
    let whole: String = world.db.read(DIGEST).await;
    for (kind, path) in [
        ("truncated_list", "/v1.0/sites"),
        ("truncated_list", "/v1.0/drives"),
        ("too_many_requests", "/v1.0/drives"),
        ("server_error", "/v1.0/drives"),
        ("html_page", "/v1.0/drives"),
        ("dropped_connection", "/v1.0/drives"),
        ("missing_permission", "/v1.0/drives"),
        ("html_page", "/v1.0/sites"),
    ] {
        world.fault(kind, path, 40).await;
        let state = world.sync("full").await;
        assert!(matches!(state, "partial" | "failed"), "{kind} {path}: {state}");
        let after: String = world.db.read(DIGEST).await;
        assert_eq!(after, whole, "{kind} {path}");
        world.clear_faults().await;
    }
    let denied = "select count(*) from public.document_site_parts where permission = 'Files.Read.All'";
    world.fault("missing_permission", "/v1.0/drives", 40).await;
    world.sync("full").await;
    assert!(world.count(denied).await > 0, "the missing right is named");
    world.clear_faults().await;
    assert_eq!(world.sync("full").await, "complete");
    let after: String = world.db.read(DIGEST).await;
    assert_eq!(after, whole);
}

#[tokio::test]
async fn a_file_whose_hash_differs_is_not_kept_and_is_asked_for_again() {
    let world = World::read(3, 30).await;
    let technician = world.db.staff("technician").await;
    world.order(json!({"action": "add", "path": "/Plan.docx", "text": "a wombatword"})).await;
    world.fault("broken_file", "/_files", 1).await;
    assert_eq!(world.sync("incremental").await, "partial");
    assert!(world.search(&technician, "wombatword").await.is_empty());
    let reason: String = world
        .db
        .read("select reason from public.document_site_parts where part = 'texts' and state <> 'complete'")
        .await;
    assert!(reason.contains("hash"), "{reason}");
    assert_eq!(world.sync("incremental").await, "complete");
    assert_eq!(world.search(&technician, "wombatword").await.len(), 1);
}

#[tokio::test]
async fn a_forgotten_link_begins_anew_and_removes_only_what_is_gone() {
    let world = World::read(3, 30).await;
    world.order(json!({"action": "delete", "path": "/Notes.one"})).await;
    world.fault("sync_state_lost", "/v1.0/drives", 40).await;
    world.sync("incremental").await;
    world.clear_faults().await;
    world.fault("sync_state_lost", "/v1.0/drives", 1).await;
    assert_eq!(world.sync("incremental").await, "complete", "{:?}", world.trouble().await);
    assert_eq!(world.found_files().await, world.planned_files().await);
    let gone = world.set("select name from public.documents where missing_since is not null").await;
    assert_eq!(gone.into_iter().collect::<Vec<_>>(), ["Notes.one"]);
}
