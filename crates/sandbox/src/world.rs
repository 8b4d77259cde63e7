//! All state of a sandbox. One lock; nothing is awaited while it is held.
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cipp::state::Deployment;
use crate::conditions::Alert;
use crate::config::Scope;
use crate::delivery::{Delivery, Outbox};
use crate::estate::{Device, Estate};
use crate::faults::Faults;
use crate::graph::auth::GraphToken;
use crate::graph::subscriptions::Subscription;
use crate::graph::tenants::Directory;
use crate::ninjaone::render;
use crate::ninjaone::scripts::Run;
use crate::ninjaone::sign_in::{Code, Stay};
use crate::ninjaone::ticketing::Ticket;
use crate::ninjaone::webhook::Webhook;
use crate::revio::books::{Books, Retired, counted};
use crate::rng::Rng;
use crate::sharepoint::Libraries;

/// Older activities are forgotten.
pub const ACTIVITIES_MAX: usize = 200_000;
pub const TOKEN_LIFETIME_S: i64 = 3_600;
pub const CURSOR_LIFETIME_S: i64 = 600;
/// Tokens and cursors that are remembered.
pub const HANDLES_MAX: usize = 100_000;
/// Activity ids begin here: nobody's first activity is number 1.
const ACTIVITY_ID_FIRST: i64 = 5_001;

#[derive(Debug)]
pub(crate) struct World {
    pub estate: Estate,
    pub books: Books,
    pub directory: Directory,
    pub cipp: Deployment,
    pub libraries: Libraries,
    pub graph_tokens: HashMap<String, GraphToken>,
    pub subscriptions: BTreeMap<Uuid, Subscription>,
    pub rng: Rng,
    pub alerts: BTreeMap<Uuid, Alert>,
    pub activities: VecDeque<Activity>,
    next_activity: i64,
    pub tokens: HashMap<String, Token>,
    /// Of people who allowed an app to act as them.
    pub codes: HashMap<String, Code>,
    pub stays: HashMap<String, Stay>,
    pub cursors: HashMap<String, CursorState>,
    /// By client id: one webhook per API app.
    pub webhooks: BTreeMap<String, Webhook>,
    pub runs: Vec<Run>,
    pub tickets: BTreeMap<i64, Ticket>,
    pub faults: Faults,
    pub settings: Settings,
    /// Scripts on these devices report success and change nothing, so many times.
    pub lies: HashMap<i64, u32>,
    pub script_answers: u64,
    pub outbox: Arc<Outbox>,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub client_id: String,
    pub scopes: Vec<Scope>,
    pub is_person: bool,
    pub expires: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct CursorState {
    pub query: String,
    pub offset: usize,
    pub expires: Timestamp,
}

/// Habits that a client must survive; each can be switched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case", default, deny_unknown_fields)]
pub(crate) struct Settings {
    pub page_borders: PageBorders,
    pub cursor: CursorShape,
    pub machine_tokens: MachineTokens,
    pub revio_keys: RevIoKeys,
    pub revio_tickets: RevIoTickets,
    pub graph_secret: GraphSecret,
    pub cipp_role: CippRole,
    pub activity: ActivityDelay,
}

/// When events appear in the logs of tenants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ActivityDelay {
    #[default]
    AtOnce,
    /// 40 minutes after they happened.
    Late,
}

/// The role of the API client at CIPP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CippRole {
    #[default]
    Admin,
    Readonly,
    /// May not change standards.
    Editor,
    /// All rights, in some tenants.
    Limited,
}

/// Whether the secret of the application at Microsoft still counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GraphSecret {
    #[default]
    Current,
    Expired,
}

/// Which names of query parameters Rev.io reads; others are ignored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RevIoKeys {
    /// Only those that begin with `search.`.
    #[default]
    Prefixed,
    AcceptUnprefixed,
}

/// Where Rev.io's client keeps its tickets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RevIoTickets {
    #[default]
    Here,
    /// In the newer PSA: this API has none.
    Elsewhere,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PageBorders {
    #[default]
    Clean,
    /// A page begins with the last row of the page before.
    Repeat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CursorShape {
    #[default]
    Object,
    Text,
}

/// Whether a token without a user may act.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MachineTokens {
    #[default]
    Accept,
    Refuse,
}

#[derive(Clone, Debug)]
pub(crate) struct Activity {
    pub id: i64,
    pub at: Timestamp,
    pub device_id: Option<i64>,
    pub kind: &'static str,
    pub code: &'static str,
    pub severity: &'static str,
    pub priority: &'static str,
    pub result: &'static str,
    pub series: Uuid,
    pub source_name: String,
    pub subject: String,
    pub message: String,
    pub data: Value,
}

/// An activity before it has its id and time.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub device_id: Option<i64>,
    pub kind: &'static str,
    pub code: &'static str,
    pub severity: &'static str,
    pub result: &'static str,
    pub series: Uuid,
    pub source_name: String,
    pub subject: String,
    pub message: String,
    pub data: Value,
}

impl World {
    pub fn new(
        estate: Estate,
        books: Books,
        directory: Directory,
        cipp: Deployment,
        seed: u64,
        outbox: Arc<Outbox>,
    ) -> Self {
        Self {
            estate,
            books,
            directory,
            cipp,
            libraries: Libraries::default(),
            graph_tokens: HashMap::new(),
            subscriptions: BTreeMap::new(),
            rng: Rng::of(seed, 0x0077_6f72_6c64),
            alerts: BTreeMap::new(),
            activities: VecDeque::new(),
            next_activity: ACTIVITY_ID_FIRST,
            tokens: HashMap::new(),
            codes: HashMap::new(),
            stays: HashMap::new(),
            cursors: HashMap::new(),
            webhooks: BTreeMap::new(),
            runs: Vec::new(),
            tickets: BTreeMap::new(),
            faults: Faults::default(),
            settings: Settings::default(),
            lies: HashMap::new(),
            script_answers: 0,
            outbox,
        }
    }

    pub fn device(&self, id: i64) -> Option<&Device> {
        self.estate.devices.get(&id)
    }

    /// Writes the log and hands a copy to every webhook that wants it.
    pub fn log(&mut self, entry: Entry, now: Timestamp) -> i64 {
        let priority = match entry.severity {
            "CRITICAL" | "MAJOR" => "HIGH",
            "MODERATE" => "MEDIUM",
            "MINOR" => "LOW",
            _ => "NONE",
        };
        let Entry { device_id, kind, code, severity, result, series, source_name, subject, message, data } =
            entry;
        let id = self.next_activity;
        self.next_activity += 1;
        let activity = Activity {
            id,
            at: now,
            device_id,
            kind,
            code,
            severity,
            priority,
            result,
            series,
            source_name,
            subject,
            message,
            data,
        };
        self.deliver(&activity);
        if self.activities.len() >= ACTIVITIES_MAX {
            self.activities.pop_front();
        }
        self.activities.push_back(activity);
        id
    }

    pub fn last_activity_id(&self) -> i64 {
        self.next_activity - 1
    }

    /// Puts an activity into the outbox for every webhook that asked for it.
    pub fn deliver(&self, activity: &Activity) -> usize {
        let organization_id =
            activity.device_id.and_then(|id| self.device(id)).map(|device| device.organization_id);
        let wanting = self.webhooks.values().filter(|webhook| webhook.wants(activity, organization_id));
        let mut queued = 0;
        for webhook in wanting {
            let payload = self.payload(activity, webhook);
            let (url, headers) = (webhook.url.clone(), webhook.headers.clone());
            queued += self.outbox.push(Delivery { url, headers, payload, activity_id: activity.id });
        }
        queued
    }

    /// The activity, the device it is about, and what `expand` names.
    fn payload(&self, activity: &Activity, webhook: &Webhook) -> Value {
        let mut payload = render::activity(activity);
        let Some(device) = activity.device_id.and_then(|id| self.device(id)) else { return payload };
        let mut node = Value::Object(render::node(device, activity.at));
        let mut references = serde_json::Map::new();
        if webhook.expands("organization")
            && let Some(organization) = self.estate.organizations.get(&device.organization_id)
        {
            references.insert("organization".into(), render::organization(organization));
        }
        if webhook.expands("location")
            && let Some(location) = self.estate.locations.get(&device.location_id)
        {
            references.insert("location".into(), render::location(location));
        }
        if !references.is_empty() {
            node["references"] = Value::Object(references);
        }
        payload["device"] = node;
        payload
    }

    pub fn issue_token(
        &mut self,
        client_id: &str,
        scopes: Vec<Scope>,
        is_person: bool,
        now: Timestamp,
    ) -> String {
        if self.tokens.len() >= HANDLES_MAX {
            self.tokens.retain(|_, token| token.expires > now);
        }
        let value = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        let expires = later(now, TOKEN_LIFETIME_S);
        self.tokens
            .insert(value.clone(), Token { client_id: client_id.to_owned(), scopes, is_person, expires });
        value
    }

    pub fn keep_cursor(&mut self, query: String, offset: usize, now: Timestamp) -> (String, Timestamp) {
        if self.cursors.len() >= HANDLES_MAX {
            self.cursors.retain(|_, cursor| cursor.expires > now);
        }
        let name = self.rng.uuid().to_string();
        let expires = later(now, CURSOR_LIFETIME_S);
        self.cursors.insert(name.clone(), CursorState { query, offset, expires });
        (name, expires)
    }

    /// A device leaves: its alerts go with it, and the log says so.
    pub fn remove_device(&mut self, id: i64, now: Timestamp) -> Option<Device> {
        let device = self.estate.devices.remove(&id)?;
        if let Some(class) = counted(&device) {
            let (organization_id, created_s) = (device.organization_id, device.created_s);
            self.books.retired.push(Retired {
                device_id: id,
                organization_id,
                class,
                created_s,
                removed: now,
            });
        }
        self.alerts.retain(|_, alert| alert.device_id != id);
        self.lies.remove(&id);
        let entry = self.node_entry(id, "NODE_DELETED", format!("Device '{}' deleted", device.name));
        self.log(entry, now);
        Some(device)
    }

    pub fn add_device(&mut self, organization_id: i64, now: Timestamp) -> Option<i64> {
        self.estate.organizations.get(&organization_id)?;
        let id = self.estate.add_device(organization_id, now);
        if let Some(device) = self.estate.devices.get_mut(&id) {
            // It joins now; only the devices of the seed have a past.
            device.created_s = now.as_second();
        }
        let name = self.device(id).map(|device| device.name.clone()).unwrap_or_default();
        let entry = self.node_entry(id, "NODE_CREATED", format!("Device '{name}' created"));
        self.log(entry, now);
        Some(id)
    }

    fn node_entry(&mut self, id: i64, code: &'static str, message: String) -> Entry {
        Entry {
            device_id: Some(id),
            kind: "SYSTEM",
            code,
            severity: "NONE",
            result: "SUCCESS",
            series: self.rng.uuid(),
            source_name: "System".into(),
            subject: message.clone(),
            message,
            data: json!({}),
        }
    }
}

pub(crate) fn later(now: Timestamp, seconds: i64) -> Timestamp {
    now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(now)
}
