//! What Microsoft tells of is read at once, by its tenant only; what it does not prove is refused; what is lost is found all the same.
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use app::{sync::Syncer, webhooks::microsoft};
use kernel::{Clock, id::IntegrationId};
use pg::Pg;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use crate::world::World;

const PEOPLE: &str = "select count(*) from public.tenant_people where missing_since is null";
const STANDING: &str = "select count(*) from public.tenant_subscriptions where external_id is not null and expires_at > now() + interval '6 days'";
const BODY_BYTES_MAX: usize = 1 << 20;

/// What was refused, and whether the handshake is answered.
#[derive(Default)]
struct Door {
    refused: AtomicUsize,
    is_shut: AtomicUsize,
}

/// The address that the vendor posts to, over real HTTP, as long as the tasks are held; behind it the use case itself.
async fn listen(pg: Pg, integration: IntegrationId) -> (SocketAddr, Arc<Door>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (address, door) = (listener.local_addr().expect("an address"), Arc::new(Door::default()));
    let (shared, mut tasks) = (door.clone(), JoinSet::new());
    tasks.spawn(async move {
        let mut open = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let (pg, door) = (pg.clone(), shared.clone());
            open.spawn(async move { serve(stream, &pg, integration, &door).await });
        }
    });
    (address, door, tasks)
}

async fn serve(mut stream: TcpStream, pg: &Pg, integration: IntegrationId, door: &Door) -> Option<()> {
    let mut seen = Vec::new();
    let (head, body) = loop {
        let mut part = [0; 4_096];
        let count =
            stream.read(&mut part).await.ok().filter(|count| *count > 0 && seen.len() < BODY_BYTES_MAX)?;
        seen.extend_from_slice(&part[..count]);
        let text = String::from_utf8_lossy(&seen).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let lower = head.to_lowercase();
        let length =
            lower.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        if body.len() >= length.unwrap_or(0) {
            break (head.to_owned(), body.to_owned());
        }
    };
    let query = head.split_whitespace().nth(1)?.split_once('?').map(|(_, query)| query.to_owned());
    let (status, answer) = match query.as_deref().and_then(|query| query.strip_prefix("validationToken=")) {
        Some(_) if door.is_shut.load(Ordering::SeqCst) > 0 => ("500 Away", String::new()),
        Some(token) => ("200 OK", decoded(token)),
        None => match microsoft::handle(pg, integration, body.as_bytes(), Clock::system().now()).await {
            Ok(taken) => ("202 Accepted", taken.to_string()),
            Err(_) => {
                door.refused.fetch_add(1, Ordering::SeqCst);
                ("401 Unauthorized", String::new())
            }
        },
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    stream.write_all(format!("{head}{answer}").as_bytes()).await.ok()
}

/// As forms are written: a plus is a space.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes().iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let hex: String = rest.by_ref().take(2).map(|it| char::from(*it)).collect();
                u8::from_str_radix(&hex, 16).unwrap_or(b'?')
            }
            other => *other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl World {
    async fn reachable(&self) -> (Syncer, Arc<Door>, JoinSet<()>) {
        // Nothing but Microsoft is due in these tests.
        let off = "update public.integrations set enabled = false where vendor <> 'microsoft'";
        self.admin.execute(off, &[]).await.expect("switched off");
        let (address, door, tasks) = listen(self.db.pg.clone(), self.graph).await;
        (self.syncer().reachable_at(Some(format!("http://{address}").into())), door, tasks)
    }

    async fn run(&self, syncer: &Syncer, kind: &str) -> &'static str {
        self.queue(self.graph, kind).await;
        syncer.run_one().await.expect("a worked run").expect("a run").1.as_str()
    }

    /// Everything that was told has arrived; what is due runs. Gives how many runs there were.
    async fn notified(&self, syncer: &Syncer) -> u64 {
        self.control("/webhook/settle", json!({})).await;
        self.admin
            .execute("update public.sync_runs set queued_at = queued_at - interval '1 minute'", &[])
            .await
            .expect("time");
        let queued = syncer.schedule().await.expect("a schedule");
        if queued > 0 {
            syncer.run_one().await.expect("a worked run").expect("a run");
        }
        queued
    }

    async fn life(&self, action: &str) {
        self.control("/subscriptions", json!({ "organization_id": 1, "action": action })).await;
    }

    async fn comes(&self, count: u32) {
        self.control("/people", json!({ "organization_id": 1, "action": "join", "count": count })).await;
    }
}

#[tokio::test]
async fn what_is_told_is_read_at_once_and_only_there() {
    let world = World::new(4, 40).await;
    let (syncer, door, _tasks) = world.reachable().await;
    assert_eq!(world.run(&syncer, "full").await, "complete");
    let tenants = world.count("select count(*) from public.tenants").await;
    assert_eq!(world.count(STANDING).await, tenants);
    let before = world.count(PEOPLE).await;
    assert_eq!(world.notified(&syncer).await, 0, "nothing was told");
    // Told twice each: one run reads them once.
    world.control("/webhook/next", json!({ "repeat": 2 })).await;
    world.comes(2).await;
    world.comes(1).await;
    assert_eq!(world.notified(&syncer).await, 1);
    assert_eq!(world.count(PEOPLE).await, before + 3);
    let read = "select count(distinct p.tenant_id) from public.tenant_parts p join public.sync_runs r on r.id = p.sync_run_id where r.reason = 'notified' and p.part = ";
    for part in ["people", "seats", "directory_changes"] {
        assert_eq!(
            world.count(&format!("{read} '{part}'")).await,
            1,
            "{part}: of the tenant that was told of"
        );
    }
    assert_eq!(world.count(&format!("{read} 'policies'")).await, 0);
    assert_eq!(world.notified(&syncer).await, 0, "it was read");
    // What is lost on the way is found by the next run.
    world.control("/webhook/next", json!({ "drop": 1 })).await;
    world.comes(1).await;
    assert_eq!(world.notified(&syncer).await, 0);
    assert_eq!(world.run(&syncer, "incremental").await, "complete");
    assert_eq!(world.count(PEOPLE).await, before + 4);
    assert_eq!(door.refused.load(Ordering::SeqCst), 0);
    assert_eq!(world.count(STANDING).await, tenants, "the same ones");
}

#[tokio::test]
async fn a_notification_without_the_secret_is_refused() {
    let world = World::new(2, 30).await;
    let (syncer, door, _tasks) = world.reachable().await;
    world.run(&syncer, "full").await;
    world.life("forge").await;
    assert_eq!(world.notified(&syncer).await, 0);
    assert!(door.refused.load(Ordering::SeqCst) > 0);
    let kept = "select count(*) from public.tenant_subscriptions where due_at is not null or told_count > 0";
    assert_eq!(world.count(kept).await, 0);
    let strange = json!({"value": [{"subscriptionId": "s", "tenantId": "nobody", "clientState": "x", "lifecycleEvent": "missed"}]});
    let other = IntegrationId(uuid::Uuid::now_v7());
    for (integration, body) in
        [(world.graph, strange.to_string()), (other, strange.to_string()), (world.graph, "<html>".into())]
    {
        assert!(
            microsoft::handle(&world.db.pg, integration, body.as_bytes(), Clock::system().now())
                .await
                .is_err(),
            "{body}"
        );
    }
    assert!(microsoft::is_expected(&world.db.pg, world.graph).await.expect("an answer"));
    assert!(!microsoft::is_expected(&world.db.pg, world.revio).await.expect("an answer"));
}

#[tokio::test]
async fn a_subscription_lives_through_what_happens_to_it() {
    let world = World::new(3, 30).await;
    let (syncer, door, _tasks) = world.reachable().await;
    world.run(&syncer, "full").await;
    let tenants = world.count(STANDING).await;
    let id = "select string_agg(external_id, ' ' order by tenant_external) from public.tenant_subscriptions";
    let first: String = world.db.read(id).await;
    let ends = "update public.tenant_subscriptions set expires_at = now() + interval '1 day'";
    // Asked to renew, though the end is far.
    world.life("reauthorize").await;
    assert_eq!(world.notified(&syncer).await, 1);
    assert_eq!(world.count("select count(*) from public.tenant_subscriptions where renew_now").await, 0);
    assert_eq!(world.db.read::<String>(id).await, first);
    // Near its end.
    world.admin.execute(ends, &[]).await.expect("time passes");
    world.run(&syncer, "incremental").await;
    assert_eq!((world.count(STANDING).await, world.db.read::<String>(id).await), (tenants, first.clone()));
    // Notifications were lost: the tenant is read.
    world.control("/webhook/next", json!({ "drop": 1 })).await;
    world.comes(1).await;
    let before = world.count(PEOPLE).await;
    world.life("miss").await;
    assert_eq!(world.notified(&syncer).await, 1);
    assert_eq!(world.count(PEOPLE).await, before + 1);
    assert_eq!(world.count("select sum(missed_count)::bigint from public.tenant_subscriptions").await, 1);
    // Removed: another stands in its place, and tells.
    world.life("remove").await;
    assert_eq!(world.notified(&syncer).await, 1);
    assert_eq!(world.count(STANDING).await, tenants);
    assert_ne!(world.db.read::<String>(id).await, first);
    world.comes(1).await;
    assert_eq!(world.notified(&syncer).await, 1);
    assert_eq!(world.count(PEOPLE).await, before + 2);
    // Gone at the vendor without a word, and near its end: made anew.
    let second: String = world.db.read(id).await;
    world.control("/webhook/next", json!({ "drop": 1 })).await;
    world.life("remove").await;
    world.admin.execute(ends, &[]).await.expect("time passes");
    world.run(&syncer, "incremental").await;
    assert_eq!(world.count(STANDING).await, tenants);
    assert_ne!(world.db.read::<String>(id).await, second);
    assert_eq!(door.refused.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn where_nobody_can_be_told_the_tenant_says_so_and_is_polled() {
    let world = World::new(2, 30).await;
    assert_eq!(world.sync(world.graph, "full").await, "complete");
    let polled = "select count(*) from public.tenant_parts where part = 'subscriptions' and state = 'denied' and reason like '%no public address%'";
    let tenants = world.count("select count(*) from public.tenants").await;
    assert_eq!(world.count(polled).await, tenants);
    let (syncer, door, _tasks) = world.reachable().await;
    door.is_shut.store(1, Ordering::SeqCst);
    assert_eq!(world.run(&syncer, "incremental").await, "complete", "the reading itself is whole");
    let failed = "select count(*) from public.tenant_parts where part = 'subscriptions' and state = 'failed' and reason like '%validation%'";
    assert_eq!(world.count(failed).await, tenants);
    assert_eq!(world.count(STANDING).await, 0);
    door.is_shut.store(0, Ordering::SeqCst);
    assert_eq!(world.run(&syncer, "incremental").await, "complete");
    assert_eq!(world.count(STANDING).await, tenants);
}
