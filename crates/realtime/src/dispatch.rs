//! From changes in commit order to frames: judged per class, written once per shape, shared by all who get the same.
use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use axum::extract::ws::Message;
use futures_util::{StreamExt as _, stream};
use uuid::Uuid;

use crate::{
    change::{Change, Item, Sent, Whose},
    channel::Operation,
    frame::{self, Vsn},
    gap::{self, Cause},
    judge::Verdict,
    limits::{JUDGE_TRIES_MAX, JUDGES_AT_ONCE_MAX, SEGMENT_CHANGES_MAX},
    peer::Out,
    plan::{Class, TablePlan},
    state::Shared,
};

/// Delivers items in order. Rights that change are looked at before what comes after them is judged.
pub async fn dispatch(shared: &Shared, items: Vec<Item>) {
    let mut segment: Vec<Item> = Vec::new();
    for item in items {
        match item {
            Item::Rights(whose) => {
                deliver(shared, std::mem::take(&mut segment)).await;
                rights_changed(shared, &whose).await;
            }
            item => {
                segment.push(item);
                if segment.len() >= SEGMENT_CHANGES_MAX {
                    deliver(shared, std::mem::take(&mut segment)).await;
                    tokio::task::yield_now().await;
                }
            }
        }
    }
    deliver(shared, segment).await;
}

async fn rights_changed(shared: &Shared, whose: &BTreeSet<Whose>) {
    let hub = &shared.hub;
    let sessions: BTreeSet<Uuid> = if whose.contains(&Whose::Everybody) {
        hub.sessions().into_iter().collect()
    } else {
        let of = |whose: &Whose| match whose {
            Whose::User(user) => hub.sessions_of(*user),
            Whose::Session(session) if hub.has_session(*session) => vec![*session],
            Whose::Session(_) | Whose::Everybody => Vec::new(),
        };
        whose.iter().flat_map(of).collect()
    };
    let sessions: Vec<Uuid> = sessions.into_iter().collect();
    if let Err(error) = shared.review(&sessions).await {
        // Unknown rights are none: better nobody hears than one who must not.
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "rights could not be read; ending the channels of {} sessions",
            sessions.len()
        );
        for channel in shared.hub.channels() {
            if sessions.contains(&channel.standing().session) {
                shared.end_channel(channel.id, "Your rights could not be read; join again.");
            }
        }
    }
}

/// The verdict of one class about the segment: per item, which filters match. `Err`: it could not be asked.
type ClassVerdict = Result<HashMap<usize, Vec<bool>>, ()>;

struct Judged {
    plan: Arc<TablePlan>,
    verdicts: Vec<ClassVerdict>,
}

async fn deliver(shared: &Shared, items: Vec<Item>) {
    if items.is_empty() {
        return;
    }
    let judged = judge(shared, &items).await;
    for one in judged.values() {
        for (class, verdict) in one.plan.classes.iter().zip(&one.verdicts) {
            if verdict.is_err() {
                let channels = class.listeners.iter().map(|listener| &listener.channel);
                gap::announce(channels, Cause::NotJudged, &[&one.plan.table.name], shared.clock.now());
            }
        }
    }
    for (position, item) in items.iter().enumerate() {
        match item {
            Item::Change(change) => {
                if let Some(judged) = judged.get(&change.table.oid) {
                    send_change(shared, position, change, judged);
                }
            }
            Item::Sent(sent) => send_broadcast(shared, sent),
            Item::Truncated(oid) => {
                let catalog = shared.catalog();
                if let Some(table) = catalog.tables.get(oid) {
                    gap::announce(
                        &shared.hub.subscribers(*oid),
                        Cause::Truncated,
                        &[&table.name],
                        shared.clock.now(),
                    );
                }
            }
            Item::Rights(_) => {}
        }
    }
}

/// Asks every class that the segment may concern. A class whose rights changed since is taken apart and asked anew.
async fn judge(shared: &Shared, items: &[Item]) -> HashMap<u32, Judged> {
    for attempt in 1.. {
        let mut asks = Vec::new();
        let mut judged: HashMap<u32, Judged> = HashMap::new();
        let catalog = shared.catalog();
        for (oid, changes) in by_table(items) {
            let Some(plan) = shared.hub.plan(&catalog, oid) else { continue };
            let texts: HashMap<usize, String> =
                changes.iter().map(|(position, change)| (*position, change.judged_json())).collect();
            for (index, class) in plan.classes.iter().enumerate() {
                let concerned: Vec<usize> = changes
                    .iter()
                    .filter(|(_, change)| concerns(class, change))
                    .map(|(position, _)| *position)
                    .collect();
                if !concerned.is_empty() {
                    let rows: Vec<&str> = concerned.iter().map(|position| texts[position].as_str()).collect();
                    asks.push((Arc::clone(&plan), index, format!("[{}]", rows.join(",")), concerned));
                }
            }
            let verdicts = plan.classes.iter().map(|_| Ok(HashMap::new())).collect();
            judged.insert(oid, Judged { plan, verdicts });
        }
        metrics::histogram!("realtime_judgements_per_segment").record(count(asks.len()));
        let answers: Vec<_> = stream::iter(asks)
            .map(|(plan, index, rows, concerned)| async move {
                let class = &plan.classes[index];
                let answer = class.question.ask(&shared.pg, &class.actor, &rows).await;
                (plan, index, concerned, answer)
            })
            .buffer_unordered(JUDGES_AT_ONCE_MAX)
            .collect()
            .await;
        let mut outdated: Vec<Uuid> = Vec::new();
        for (plan, index, concerned, answer) in answers {
            let class = &plan.classes[index];
            let Some(entry) = judged.get_mut(&plan.table.oid) else { continue };
            entry.verdicts[index] = match answer {
                Ok(verdict) if verdict.fingerprint.as_deref() == Some(&*class.fingerprint) => {
                    Ok(placed(verdict, &concerned))
                }
                Ok(_) => {
                    outdated.extend(&class.sessions);
                    Err(())
                }
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        table = plan.table.name,
                        "changes could not be judged"
                    );
                    Err(())
                }
            };
        }
        if outdated.is_empty() || attempt >= JUDGE_TRIES_MAX {
            return judged;
        }
        if let Err(error) = shared.review(&outdated).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "rights could not be read");
            return judged;
        }
    }
    HashMap::new()
}

fn by_table(items: &[Item]) -> HashMap<u32, Vec<(usize, &Change)>> {
    let mut tables: HashMap<u32, Vec<(usize, &Change)>> = HashMap::new();
    for (position, item) in items.iter().enumerate() {
        if let Item::Change(change) = item {
            tables.entry(change.table.oid).or_default().push((position, change));
        }
    }
    tables
}

/// False when the class certainly does not see the change; saves the asking.
fn concerns(class: &Class, change: &Change) -> bool {
    let is_wanted = class
        .listeners
        .iter()
        .any(|listener| listener.bindings.iter().any(|binding| binding.events.include(change.operation)));
    is_wanted
        && class
            .customers
            .as_ref()
            .is_none_or(|customers| change.customer().is_some_and(|customer| customers.contains(&customer)))
}

fn placed(verdict: Verdict, concerned: &[usize]) -> HashMap<usize, Vec<bool>> {
    verdict.visible.into_iter().filter_map(|(n, matches)| Some((*concerned.get(n)?, matches))).collect()
}

/// What decides which columns are in a record: the role, and the columns that were asked for.
type Columns = (&'static str, Option<Arc<[String]>>);

/// Everything that makes one frame different from another of the same change.
#[derive(PartialEq, Eq, Hash)]
struct Shape {
    role: &'static str,
    select: Option<Arc<[String]>>,
    ids: Vec<u32>,
    topic: Arc<str>,
    vsn: Vsn,
}

fn send_change(shared: &Shared, position: usize, change: &Change, judged: &Judged) {
    let mut frames: HashMap<Shape, Message> = HashMap::new();
    let mut data: HashMap<Columns, String> = HashMap::new();
    for (class, verdict) in judged.plan.classes.iter().zip(&judged.verdicts) {
        let Some(matches) = verdict.as_ref().ok().and_then(|visible| visible.get(&position)) else {
            continue;
        };
        for listener in &class.listeners {
            let mut ids: HashMap<Option<Arc<[String]>>, Vec<u32>> = HashMap::new();
            for binding in &listener.bindings {
                let is_hit = binding.events.include(change.operation)
                    && binding.filter.is_none_or(|filter| matches.get(filter).copied().unwrap_or(false));
                if is_hit {
                    ids.entry(binding.select.clone()).or_default().push(binding.id);
                }
            }
            for (select, ids) in ids {
                let channel = &listener.channel;
                let body = data
                    .entry((class.role, select.clone()))
                    .or_insert_with(|| change.data_json(class.role, select.as_deref()));
                let shape = Shape {
                    role: class.role,
                    select,
                    ids,
                    topic: Arc::clone(&channel.topic),
                    vsn: channel.vsn(),
                };
                let message = frames.entry(shape).or_insert_with_key(|shape| {
                    let ids: Vec<String> = shape.ids.iter().map(u32::to_string).collect();
                    let payload = format!(r#"{{"ids":[{}],"data":{body}}}"#, ids.join(","));
                    frame::text(shape.vsn, None, None, &shape.topic, "postgres_changes", &payload)
                });
                channel.peer.push(Out::Frame(message.clone()));
            }
        }
    }
    let lag_us = shared.clock.now().as_microsecond() - change.committed_at.as_microsecond();
    metrics::histogram!("realtime_change_lag_seconds", "operation" => operation(change.operation))
        .record(std::time::Duration::from_micros(lag_us.max(0).unsigned_abs()).as_secs_f64());
}

const fn operation(operation: Operation) -> &'static str {
    operation.name()
}

#[expect(clippy::cast_precision_loss, reason = "a metric")]
fn count(n: usize) -> f64 {
    n as f64
}

fn send_broadcast(shared: &Shared, sent: &Sent) {
    let key = (sent.reach, Arc::from(sent.topic.as_str()));
    let meta = format!(r#"{{"id":{}}}"#, frame::quoted(&sent.id));
    for channel in shared.hub.members(&key) {
        if channel.access().broadcast.may_hear {
            channel.send_broadcast(&sent.broadcast, Some(&meta));
        }
    }
}
