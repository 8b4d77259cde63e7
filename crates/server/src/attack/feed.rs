//! Shots at the feed: everybody subscribes to every published table, whole and by the other customer's id, while that customer's rows
//! change. Someone who may see them says when they have all been told.
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use testkit::rows::Whose;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::world::{Expect, Raider, World};

const WAIT: Duration = Duration::from_secs(30);
/// Told to its person alone; the changes after it say that it has been told.
const PERSONAL: &str = "public.notifications";

struct Listener {
    label: &'static str,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    heard: Vec<String>,
    next_ref: u64,
}

impl Listener {
    async fn open(url: &str, raider: &Raider) -> Self {
        let (socket, _answer) = connect_async(url).await.expect("a websocket");
        Self { label: raider.label, socket, heard: Vec::new(), next_ref: 0 }
    }

    async fn push(&mut self, topic: &str, event: &str, payload: &Value) -> String {
        self.next_ref += 1;
        let reference = self.next_ref.to_string();
        let frame = json!({ "topic": topic, "event": event, "payload": payload, "ref": reference, "join_ref": reference });
        self.socket.send(Message::text(frame.to_string())).await.expect("sent");
        reference
    }

    /// Reads until a frame is the one.
    async fn until(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) {
        loop {
            let message = timeout(WAIT, self.socket.next()).await;
            let message = message
                .unwrap_or_else(|_| panic!("{} waits for {what}; last: {:?}", self.label, self.heard.last()));
            let Some(Ok(message)) = message else { panic!("{}: the socket ended before {what}", self.label) };
            let Ok(text) = message.into_text() else { continue };
            self.heard.push(text.to_string());
            if serde_json::from_str(&text).is_ok_and(|frame: Value| is_it(&frame)) {
                return;
            }
        }
    }

    /// Joins and waits for the answer, and for the feed when it was let in.
    async fn join(&mut self, topic: &str, token: Option<&str>, change: &Value) {
        let topic = format!("realtime:{topic}");
        let payload = json!({ "config": { "postgres_changes": [change] }, "access_token": token });
        let reference = self.push(&topic, "phx_join", &payload).await;
        let is_reply = |frame: &Value| frame["event"] == "phx_reply" && frame["ref"] == json!(reference);
        self.until("the answer to a join", is_reply).await;
        let answer: Value = serde_json::from_str(self.heard.last().expect("an answer")).expect("JSON");
        if answer["payload"]["status"] == "ok" {
            let is_live = |frame: &Value| {
                frame["topic"] == json!(topic)
                    && frame["event"] == "system"
                    && frame["payload"]["status"] == "ok"
            };
            self.until("the feed", is_live).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_feed_tells_nothing_of_another_customer() {
    let world = World::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("ws://{}/realtime/v1/websocket?vsn=1.0.0", listener.local_addr().expect("an address"));
    let mut server = JoinSet::new();
    let router = world.router();
    server.spawn(async move { axum::serve(listener, router).await.expect("a server") });

    let target = Whose::Foreign;
    let side = world.side(target);
    // Tables by their own name and by the one that clients know.
    let published = "select format('%s.%s', n.nspname, c.relname), format('%s.%s', f.seen_schema, f.seen_name) from realtime.feed_tables() f
        join pg_catalog.pg_class c on c.oid = f.relation join pg_catalog.pg_namespace n on n.oid = c.relnamespace order by 1";
    let rows = world.admin.query(published, &[]).await.expect("the publication");
    let tables: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    let has_row = |(table, _): &&(String, String)| {
        world.row(table, target).is_some_and(|row| row.contains_key("customer_id"))
    };
    let mut changed: Vec<&(String, String)> = tables.iter().filter(has_row).collect();
    changed.sort_by_key(|(table, _)| table != PERSONAL);
    assert!(changed.len() > 10, "only {changed:?} have rows of the customer");

    let mut listeners = Vec::new();
    for raider in
        world.raiders.iter().filter(|raider| raider.target == target && raider.expect != Expect::NoFault)
    {
        let mut listener = Listener::open(&url, raider).await;
        for (_, table) in &tables {
            let (schema, name) = table.split_once('.').expect("schema and name");
            let all = json!({ "event": "*", "schema": schema, "table": name });
            listener.join(&format!("all-{table}"), raider.token.as_deref(), &all).await;
            let mut theirs = all;
            theirs["filter"] = json!(format!("customer_id=eq.{}", side.customer));
            listener.join(&format!("theirs-{table}"), raider.token.as_deref(), &theirs).await;
        }
        listeners.push(listener);
    }
    // The owner of the provider sees them all.
    let owner = world.raider("staff owner");
    let mut witness = Listener::open(&url, owner).await;
    for (_, table) in &changed {
        let (schema, name) = table.split_once('.').expect("schema and name");
        let change = json!({ "event": "*", "schema": schema, "table": name });
        witness.join(table, owner.token.as_deref(), &change).await;
    }
    for (table, seen) in &changed {
        let sql =
            format!("update {table} set customer_id = customer_id where customer_id = '{}'", side.customer);
        let change =
            format!("set session_replication_role = replica; {sql}; set session_replication_role = origin");
        world.admin.batch_execute(&change).await.expect("a change");
        if table == PERSONAL {
            continue;
        }
        let topic = json!(format!("realtime:{seen}"));
        let is_told = |frame: &Value| frame["event"] == "postgres_changes" && frame["topic"] == topic;
        witness.until(&format!("a change of {table}"), is_told).await;
    }
    for listener in &mut listeners {
        let reference = listener.push("phoenix", "heartbeat", &json!({})).await;
        listener
            .until("a heartbeat", |frame| frame["event"] == "phx_reply" && frame["ref"] == json!(reference))
            .await;
        for text in &listener.heard {
            let frame: Value = serde_json::from_str(text).expect("JSON");
            assert!(frame["event"] != "postgres_changes", "{} heard {text}", listener.label);
            let told = side.told_in(text, &side.customer);
            assert!(told.is_none(), "{} heard {told:?}: {text}", listener.label);
        }
    }
}
