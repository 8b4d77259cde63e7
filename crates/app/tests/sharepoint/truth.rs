//! What is read is what there is, and words are found in the right customer only.
use app::documents::{self, Reads};
use kernel::id::CustomerId;
use serde_json::json;
use uuid::Uuid;

use crate::world::World;

#[tokio::test]
async fn files_shares_and_words_are_those_of_the_sites() {
    let world = World::read(4, 40).await;
    assert_eq!(world.found_files().await, world.planned_files().await);
    let planned = world.planned_shares().await;
    assert!(planned.iter().any(|row| row.contains("anonymous edit false")), "{planned:?}");
    assert_eq!(world.found_shares().await, planned);
    let states = "select string_agg(distinct d.text_state || ' ' || regexp_replace(d.name, '^.*\\.', ''), ', ' order by d.text_state || ' ' || regexp_replace(d.name, '^.*\\.', ''))
        from public.documents d join public.document_sites s on s.customer_id = d.customer_id and s.id = d.site_id where s.reads = 'documents' and d.kind = 'file'";
    let states: String = world.db.read(states).await;
    assert_eq!(
        states,
        "extracted csv, extracted docx, extracted html, extracted md, extracted pdf, extracted pptx, extracted txt, extracted xlsx, unsupported png"
    );
    // Bytes are in the store under the customer's id, each once, and their hash is that of the row.
    let kept = world.shelf.bytes.lock().unwrap().len();
    assert_eq!(
        world.count("select count(distinct object_id) from public.documents").await,
        i64::try_from(kept).unwrap()
    );
    let elsewhere = "select count(*) from public.documents d join public.document_sites s on s.customer_id = d.customer_id and s.id = d.site_id
        where s.reads <> 'documents' and (d.object_id is not null or exists (select from public.document_texts x where x.document_id = d.id))";
    assert_eq!(world.count(elsewhere).await, 0);
    // Again: nothing is downloaded, nothing changes.
    assert_eq!(world.sync("incremental").await, "complete");
    let again = "select coalesce(sum(p.rows_read), 0)::bigint from public.sync_parts p join public.sync_runs r on r.id = p.sync_run_id
        where r.kind = 'incremental' and p.part in ('items', 'texts')";
    assert_eq!(world.count(again).await, 0);
}

#[tokio::test]
async fn a_search_finds_words_in_their_customer_only() {
    let world = World::read(4, 40).await;
    let technician = world.db.staff("technician").await;
    let truth = world.truth().await;
    let readmes: Vec<_> =
        truth["documents"].as_array().unwrap().iter().filter(|row| row["path"] == "/README.txt").collect();
    let mut seen = 0;
    for tenant in truth["tenants"].as_array().unwrap().iter().filter(|it| it["organization_id"].is_i64()) {
        let readme = readmes.iter().find(|row| row["tenant_id"] == tenant["tenant_id"]).unwrap();
        let words = readme["words"].as_str().unwrap();
        let code = words.split("door is ").nth(1).unwrap().split('.').next().unwrap();
        let slug = format!("customer-{}", tenant["organization_id"]);
        let found = world.search(&technician, code).await;
        assert_eq!(found.len(), 1, "{code} {found:?}");
        assert_eq!((found[0].0.as_str(), found[0].1.as_str()), (slug.as_str(), "/README.txt"));
        assert!(found[0].2.contains(&format!("\u{2}{code}\u{3}")), "{:?}", found[0].2);
        seen += 1;
    }
    assert!(seen > 1);
    // Every kind of file, by its words; a device by its name; a stem; a name.
    let first = "select name from public.customers where slug = 'customer-1'";
    let _name: String = world.db.read(first).await;
    let device = truth["documents"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["path"] == "/Inventory/Devices.xlsx")
        .unwrap();
    let device = device["words"].as_str().unwrap().lines().nth(1).unwrap().split(',').next().unwrap();
    let paths: Vec<String> = world.search(&technician, device).await.into_iter().map(|it| it.1).collect();
    assert!(paths.contains(&"/Inventory/Devices.xlsx".to_owned()) && paths.len() > 2, "{device}: {paths:?}");
    for (term, path) in [
        ("restoring backups", "/Runbooks/Backup restore.docx"),
        ("\"print spooler\"", "/Runbooks/Password rotation.pdf"),
        ("mailbox laptop", "/Runbooks/New starter.html"),
        ("uplinks", "/Network/Overview.pptx"),
        ("guest network", "/Network/Firewall rules.md"),
        ("Visio", "/Inventory/Licenses.csv"),
        ("salaries", "/Salaries 2026.xlsx"),
    ] {
        let found = world.search(&technician, term).await;
        assert!(!found.is_empty() && found.iter().all(|it| it.1 == path), "{term}: {found:?}");
    }
    for nothing in ["", "  ", "the", "xyzzyunknown", "';drop"] {
        assert!(world.search(&technician, nothing).await.is_empty(), "{nothing}");
    }
    // A customer's own people find nothing, not even their own.
    let customer: Uuid = world.db.read("select id from public.customers where slug = 'customer-1'").await;
    let member = world.db.portal(CustomerId(customer), "portal_admin").await;
    let tx = world.db.pg.act_as(&member).await.unwrap();
    assert!(tx.query("select * from public.search_documents('restore')", &[]).await.is_err());
    tx.rollback().await.unwrap();
}

#[tokio::test]
async fn what_is_read_of_a_site_is_chosen_and_forgotten_again() {
    let world = World::read(3, 30).await;
    let (owner, auditor) = (world.db.staff("owner").await, world.db.staff("auditor").await);
    let sql = "select customer_id, id from public.document_sites where name = 'IT Documentation' order by customer_id limit 1";
    let row = world.admin.query_one(sql, &[]).await.unwrap();
    let (customer, site): (Uuid, Uuid) = (row.get(0), row.get(1));
    let other: Uuid =
        world.db.read(&format!("select id from public.customers where id <> '{customer}' limit 1")).await;
    let now = world.clock.now();
    let refused =
        documents::choose(&world.db.pg, &auditor, (CustomerId(customer), site), Reads::Inventory, now).await;
    assert_eq!(refused.unwrap_err().status, 403);
    let nowhere =
        documents::choose(&world.db.pg, &owner, (CustomerId(other), site), Reads::Inventory, now).await;
    assert_eq!(nowhere.unwrap_err().status, 404);
    let texts = format!(
        "select count(*) from public.document_texts x join public.documents d on d.id = x.document_id where d.site_id = '{site}'"
    );
    let files = format!("select count(*) from public.documents d where d.site_id = '{site}'");
    let objects = format!(
        "select count(*) from storage.objects where customer_id = '{customer}' and bucket = 'documents'"
    );
    assert!(world.count(&texts).await > 5 && world.count(&objects).await > 5);
    documents::choose(&world.db.pg, &owner, (CustomerId(customer), site), Reads::Sharing, now).await.unwrap();
    assert_eq!(world.sync("incremental").await, "complete");
    assert_eq!((world.count(&texts).await, world.count(&objects).await), (0, 0));
    assert!(world.count(&files).await > 5);
    documents::choose(&world.db.pg, &owner, (CustomerId(customer), site), Reads::Inventory, now)
        .await
        .unwrap();
    assert_eq!(world.sync("incremental").await, "complete");
    assert_eq!(world.count(&files).await, 0);
    let audited = format!(
        "select count(*) from audit.log where table_name = 'public.document_sites' and row_id = '{site}' and actor_role = 'staff'"
    );
    assert_eq!(world.count(&audited).await, 2);
}

#[tokio::test]
async fn bytes_that_another_connection_has_just_kept_are_left_to_it() {
    let world = World::read(3, 30).await;
    let sql = "with one as (select * from public.document_tenants order by customer_id limit 1), integration as (
         insert into public.integrations (id, vendor, name, base_url) select app.uuid_v7(), vendor, 'A second one', base_url
           from public.integrations where id = (select integration_id from one) returning id),
       tenant as (insert into public.document_tenants (customer_id, integration_id, external_id, name)
           select one.customer_id, integration.id, 'second', 'Second' from one, integration returning customer_id, id),
       site as (insert into public.document_sites (customer_id, tenant_id, external_id, name, kind, observed_at, is_complete)
           select customer_id, id, 'second', 'Second', 'site', now(), true from tenant returning customer_id, id),
       drive as (insert into public.document_drives (customer_id, site_id, external_id, name, observed_at)
           select customer_id, id, 'second', 'Second', now() from site returning customer_id, site_id, id),
       file as (insert into public.documents (customer_id, site_id, drive_id, external_id, name, kind, size_bytes, is_shared, observed_at)
           select customer_id, site_id, id, 'file', 'Fresh.txt', 'file', 5, false, now() from drive returning customer_id, id)
       insert into storage.objects (customer_id, bucket, name, blob_key, sha256, size_bytes, mime_type)
         select customer_id, 'documents', customer_id || '/' || id || '/' || repeat('a', 64), 'second', repeat('a', 64), 5, 'text/plain' from file
         returning customer_id, split_part(name, '/', 2)::uuid";
    let row = world.admin.query_one(sql, &[]).await.unwrap();
    let (customer, document): (Uuid, Uuid) = (row.get(0), row.get(1));
    let kept = format!("select count(*) from storage.objects where name like '{customer}/{document}/%'");
    assert_eq!(world.sync("incremental").await, "complete", "{:?}", world.trouble().await);
    assert_eq!(world.count(&kept).await, 1);
    world.admin.execute("delete from public.documents where id = $1", &[&document]).await.unwrap();
    assert_eq!(world.sync("incremental").await, "complete", "{:?}", world.trouble().await);
    assert_eq!(world.count(&kept).await, 0, "nobody can refer to it any more");
}

#[tokio::test]
async fn edits_renames_and_deletions_arrive_by_changes() {
    let world = World::read(3, 30).await;
    let technician = world.db.staff("technician").await;
    world
        .order(
            json!({"action": "add", "path": "/Runbooks/VPN.docx", "text": "The tunnel ends at quokkagate."}),
        )
        .await;
    world.order(json!({"action": "edit", "path": "/README.txt", "text": "Now numbatword only."})).await;
    world.order(json!({"action": "rename", "path": "/Network", "to": "Wires"})).await;
    world.order(json!({"action": "delete", "path": "/Inventory"})).await;
    world.order(json!({"action": "share", "path": "/Runbooks/New starter.html"})).await;
    world.order(json!({"action": "unshare", "site": "Human Resources", "path": "/Handbook.pdf"})).await;
    let before = world.count("select count(*) from public.document_shares where missing_since is null").await;
    assert_eq!(world.sync("incremental").await, "complete", "{:?}", world.trouble().await);
    assert_eq!(world.found_files().await, world.planned_files().await);
    assert_eq!(world.found_shares().await, world.planned_shares().await);
    assert_eq!(
        world.count("select count(*) from public.document_shares where missing_since is null").await,
        before
    );
    let paths = |found: Vec<(String, String, String)>| found.into_iter().map(|it| it.1).collect::<Vec<_>>();
    assert_eq!(paths(world.search(&technician, "quokkagate").await), ["/Runbooks/VPN.docx"]);
    assert_eq!(paths(world.search(&technician, "numbatword").await), ["/README.txt"]);
    let first = world.search(&technician, "uplinks").await;
    assert!(first.iter().any(|it| it.0 == "customer-1" && it.1 == "/Wires/Overview.pptx"), "{first:?}");
    assert!(!world.search(&technician, "Visio").await.iter().any(|it| it.0 == "customer-1"));
    // Old bytes are swept: one file in the store for each that is kept.
    let kept = i64::try_from(world.shelf.bytes.lock().unwrap().len()).unwrap();
    assert_eq!(world.count("select count(*) from public.documents where object_id is not null").await, kept);
    let rounds = "select count(*) from public.document_drives where full_round_id <> round_id and round_is_done and not round_is_full";
    assert!(world.count(rounds).await > 3, "the last rounds were of changes");
}
