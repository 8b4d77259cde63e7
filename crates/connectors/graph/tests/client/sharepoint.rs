//! SharePoint: sites, changes, permissions, and files that are followed to their address.
use connector_api::VendorError;
use graph::Graph;
use graph::sharepoint::{Change, ChangesPage, Continue, Download, Item, ReadChanges, ShareScope, Wanted};
use serde_json::json;

use crate::support::{Scene, TIMEOUT_MS, scene, whole};

const BYTES_MAX: usize = 1_000_000;

fn client(scene: &Scene) -> Graph {
    let access = scene.sandbox.graph();
    let (id, secret) = (access.sharepoint_client_id.clone(), access.sharepoint_client_secret.clone());
    let home = access.home_tenant_id.to_string();
    let config =
        graph::Config::new(scene.sandbox.graph_login_url(), scene.sandbox.graph_url(), id, secret, home);
    let config = config.unwrap().with_retry(connector_api::RetryPolicy::fast()).with_timeout_ms(TIMEOUT_MS);
    Graph::new(config, scene.clock.clone()).unwrap()
}

struct It {
    scene: Scene,
    tenant: graph::TenantClient,
    drive: String,
}

async fn it() -> It {
    let scene = scene(3, 40).await;
    let known = scene.first().await;
    let tenant = client(&scene).tenant(known.tenant_id());
    let sites = whole(tenant.sites().await);
    let site = sites.iter().find(|site| site.name == "IT Documentation").unwrap();
    assert_eq!(tenant.site(&site.id).await.unwrap().value.id, site.id);
    let drives = whole(tenant.drives(&site.id).await);
    assert!(drives[0].used_bytes.unwrap() > 0);
    It { scene, drive: drives[0].id.clone(), tenant }
}

impl It {
    async fn page(&self, link: Option<&str>) -> ChangesPage {
        match self.tenant.drive_changes(&self.drive, link).await.unwrap() {
            ReadChanges::Page(page) => page.value,
            other => panic!("{other:?}"),
        }
    }

    async fn item(&self, name: &str) -> Item {
        let page = self.page(None).await;
        let found = page.changes.into_iter().find_map(|change| match change {
            Change::Is(item) if item.name == name => Some(*item),
            _ => None,
        });
        found.unwrap()
    }

    async fn download(&self, item: &Item) -> Result<Download, VendorError> {
        let wanted = Wanted {
            drive: &self.drive,
            item: &item.id,
            unless_etag: None,
            quick_xor_hash: item.quick_xor_hash.as_deref(),
            size_bytes: item.size_bytes.unsigned_abs(),
            bytes_max: BYTES_MAX,
        };
        self.tenant.download(wanted).await
    }

    async fn fault(&self, kind: &str, path: &str, times: u32) {
        self.scene
            .fault(json!({"kind": kind, "path_prefix": path, "times": times, "retry_after_s": 0}))
            .await;
    }
}

fn round(page: &ChangesPage) -> String {
    match &page.goes_on {
        Continue::Round(link) => link.clone(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn changes_are_read_once_each_and_the_last_holds() {
    let it = it().await;
    let first = it.page(None).await;
    assert!(first.unreadable == 0 && first.changes.len() > 10);
    let order = |action: &str, path: &str| json!({"organization_id": 1, "action": action, "path": path, "text": "x", "to": "Books"});
    it.scene.control("/documents", order("rename", "/Runbooks")).await;
    it.scene.control("/documents", order("delete", "/Notes.one")).await;
    let next = it.page(Some(&round(&first))).await;
    assert_eq!(next.changes.len(), 2, "{:?}", next.changes);
    assert!(next.changes.iter().any(|change| matches!(change, Change::Is(item) if item.name == "Books")));
    assert!(next.changes.iter().any(|change| matches!(change, Change::Gone { .. })));
    // Cut in the middle: neither a page nor a round.
    it.fault("truncated_list", "/v1.0/drives", 1).await;
    assert_eq!(it.page(None).await.goes_on, Continue::Cut);
    // Forgotten: where to begin anew.
    it.fault("sync_state_lost", "/v1.0/drives", 1).await;
    let lost = it.tenant.drive_changes(&it.drive, Some(&round(&next))).await.unwrap();
    let ReadChanges::Resync { from: Some(from), .. } = lost else { panic!("{lost:?}") };
    assert!(it.page(Some(&from)).await.changes.len() > 10);
}

#[tokio::test]
async fn a_file_comes_without_a_token_and_only_when_its_hash_is_right() {
    let it = it().await;
    let item = it.item("Backup restore.docx").await;
    let Download::Bytes(bytes) = it.download(&item).await.unwrap() else { panic!("no bytes") };
    assert_eq!(bytes.len() as i64, item.size_bytes);
    // A byte of it is another one.
    it.fault("broken_file", "/_files", 1).await;
    let refused = it.download(&item).await.unwrap_err();
    assert!(matches!(&refused, VendorError::Shape { reason, .. } if reason.contains("hash")), "{refused}");
    // Broken connections, a busy server: again, and whole.
    it.fault("dropped_connection", "/_files", 1).await;
    it.fault("too_many_requests", "/_files", 1).await;
    assert_eq!(it.download(&item).await.unwrap(), Download::Bytes(bytes));
    // A page in the place of the file is not the file.
    it.fault("html_page", "/_files", 1).await;
    assert!(it.download(&item).await.is_err());
    let small = Wanted {
        drive: &it.drive,
        item: &item.id,
        unless_etag: None,
        quick_xor_hash: None,
        size_bytes: 1,
        bytes_max: 100,
    };
    assert!(matches!(it.tenant.download(small).await, Err(VendorError::TooLarge { .. })));
    let same = Wanted { unless_etag: item.etag.as_deref(), bytes_max: BYTES_MAX, ..small };
    assert_eq!(it.tenant.download(same).await.unwrap(), Download::NotModified);
    let gone = Wanted { item: "01NOTHING", bytes_max: BYTES_MAX, ..small };
    assert_eq!(it.tenant.download(gone).await.unwrap_err(), VendorError::NotFound);
}

#[tokio::test]
async fn shares_are_told_from_what_comes_from_above_and_rights_are_named() {
    let it = it().await;
    let order = |path: &str| json!({"organization_id": 1, "action": "share", "path": path, "kind": "view"});
    it.scene.control("/documents", order("/Runbooks")).await;
    it.scene.control("/documents", order("/Runbooks/New starter.html")).await;
    let item = it.item("New starter.html").await;
    assert!(item.is_shared);
    let all = whole(it.tenant.item_permissions(&it.drive, &item.id).await);
    assert_eq!(all.iter().filter(|share| !share.is_share).count(), 1, "the site's owners");
    let own: Vec<_> = all.iter().filter(|share| share.is_share && !share.is_inherited).collect();
    assert_eq!((own.len(), own[0].scope), (1, ShareScope::Anonymous));
    assert_eq!(all.iter().filter(|share| share.is_inherited).count(), 1);
    let health = client(&it.scene).sharepoint_health_check().await;
    assert!(health.can_read(), "{:?}", health.problems());
    it.fault("missing_permission", "/v1.0/sites/root/drives", 1).await;
    let health = client(&it.scene).sharepoint_health_check().await;
    assert_eq!(health.problems(), ["files: a right is missing (Files.Read.All)"]);
}
