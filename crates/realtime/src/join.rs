//! Joining a channel: who asks, what for, and whether that is allowed. Also the same questions again for a new token.
use std::sync::Arc;

use kernel::Timestamp;
use pg::{
    Actor,
    access::{Read, Source},
};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    access::{self, Access},
    catalog::{Catalog, Table},
    channel::{Binding, Channel, Events, Options, Reach, Standing},
    filter::Filter,
    hub::Sight,
    judge::Question,
    limits::{BINDINGS_PER_CHANNEL_MAX, PRESENCE_KEY_BYTES_MAX, TOPIC_BYTES_MAX},
    peer::Peer,
    state::{PublicChannels, Shared},
};

const TOPIC_PREFIX: &str = "realtime:";

#[derive(Debug, Default, Deserialize)]
pub struct JoinPayload {
    #[serde(default)]
    config: Config,
    pub access_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Config {
    broadcast: BroadcastConfig,
    presence: PresenceConfig,
    postgres_changes: Vec<Wish>,
    private: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BroadcastConfig {
    #[serde(rename = "self")]
    hears_itself: bool,
    #[serde(rename = "ack")]
    wants_acknowledgement: bool,
    replay: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PresenceConfig {
    key: String,
    /// Clients before 2.50 do not say; they always want it.
    enabled: Option<bool>,
}

/// One entry of `config.postgres_changes`, as the client says it.
#[derive(Debug, Deserialize)]
struct Wish {
    event: String,
    schema: Option<String>,
    table: Option<String>,
    filter: Option<String>,
    select: Option<Vec<String>>,
}

/// Why a join or a token is refused, in words for a developer.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("{0}")]
    Because(String),
    #[error("The database could not be reached; try again.")]
    Database(#[from] pg::PgError),
}

fn because<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Because(why.into()))
}

/// A channel that may be joined.
#[derive(Debug)]
pub struct Joined {
    pub channel: Channel,
    pub sight: Sight,
    pub expires_at: Timestamp,
    /// `response` of the reply, as JSON text.
    pub response: String,
}

/// Who a token is from, and what that person may see now.
#[derive(Debug)]
pub struct Person {
    pub actor: Actor,
    pub session: Uuid,
    pub sight: Sight,
    pub expires_at: Timestamp,
}

pub async fn identify(shared: &Shared, token: Option<&str>) -> Result<Person, Refusal> {
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return because("Sign in first: the join has no access_token.");
    };
    let verified = shared.verifier.verify(token).await.map_err(|error| Refusal::Because(error.message))?;
    let (Some(session), false) = (verified.actor.session, verified.actor.is_anonymous()) else {
        return because("Sign in first: the token is not a person's.");
    };
    if verified.expires_at <= shared.clock.now() {
        return because("The token has expired.");
    }
    let sight = shared.sights(&[session.0]).await?.remove(&session.0);
    let Some(sight) = sight else { return because("The session has ended; sign in again.") };
    Ok(Person { actor: verified.actor, session: session.0, sight, expires_at: verified.expires_at })
}

/// What this person may do on a topic.
pub async fn access_to(shared: &Shared, actor: &Actor, reach: Reach, name: &str) -> Result<Access, Refusal> {
    match (reach, shared.config.public_channels) {
        (Reach::Public, PublicChannels::Open) => Ok(Access::EVERYTHING),
        (Reach::Public, PublicChannels::Closed) => Ok(Access::default()),
        (Reach::Private, _) => {
            let catalog = shared.loaded_catalog().await?;
            Ok(access::check(&shared.pg, &catalog, actor, name).await?)
        }
    }
}

pub async fn join(
    shared: &Shared,
    peer: &Arc<Peer>,
    topic: &str,
    join_ref: Option<&str>,
    payload: JoinPayload,
    api_key: Option<&str>,
) -> Result<Joined, Refusal> {
    let Some(name) = topic.strip_prefix(TOPIC_PREFIX).filter(|name| !name.is_empty()) else {
        return because("A topic begins with `realtime:` and has a name.");
    };
    if name.len() > TOPIC_BYTES_MAX {
        return because(format!("The topic is over its limit of {TOPIC_BYTES_MAX} bytes."));
    }
    let config = payload.config;
    if config.presence.key.len() > PRESENCE_KEY_BYTES_MAX {
        return because(format!("The presence key is over its limit of {PRESENCE_KEY_BYTES_MAX} bytes."));
    }
    if config.broadcast.replay.is_some() {
        return because("Replay of broadcasts is not offered; read the table instead.");
    }
    let person = identify(shared, payload.access_token.as_deref().or(api_key)).await?;
    let catalog = shared.loaded_catalog().await?;
    let reach = if config.private { Reach::Private } else { Reach::Public };
    let access = access_to(shared, &person.actor, reach, name).await?;
    if reach == Reach::Private && access.is_nothing() {
        return because("You may not use this private topic.");
    }
    let (bindings, echoes) = bind(shared, &catalog, &person.actor, config.postgres_changes).await?;
    let id = shared.hub.next_id();
    let presence_key = match config.presence.key.as_str() {
        "" => kernel::id::uuid_v7(shared.clock.now()).to_string(),
        key => key.to_owned(),
    };
    let channel = Channel {
        id,
        peer: Arc::clone(peer),
        topic: topic.into(),
        name: name.into(),
        reach,
        join_ref: join_ref.map(Arc::from),
        bindings,
        options: Options {
            hears_itself: config.broadcast.hears_itself,
            wants_acknowledgement: config.broadcast.wants_acknowledgement,
            wants_presence: config.presence.enabled.unwrap_or(true),
            presence_key,
        },
        standing: Standing { actor: person.actor, session: person.session, access }.into(),
    };
    let response = serde_json::json!({ "postgres_changes": echoes }).to_string();
    Ok(Joined { channel, sight: person.sight, expires_at: person.expires_at, response })
}

async fn bind(
    shared: &Shared,
    catalog: &Catalog,
    actor: &Actor,
    wishes: Vec<Wish>,
) -> Result<(Vec<Binding>, Vec<Value>), Refusal> {
    if wishes.len() > BINDINGS_PER_CHANNEL_MAX {
        return because(format!("More than {BINDINGS_PER_CHANNEL_MAX} subscriptions in one channel."));
    }
    let (mut bindings, mut echoes) = (Vec::new(), Vec::new());
    for wish in wishes {
        let binding = resolve(shared, catalog, actor, &wish).await?;
        note(shared, actor, &wish, &binding);
        let mut echo = serde_json::json!({ "id": binding.id, "event": wish.event });
        let known = [("schema", wish.schema), ("table", wish.table), ("filter", wish.filter)];
        for (name, value) in known.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            echo[name] = Value::from(value);
        }
        if let Some(select) = wish.select {
            echo["select"] = Value::from(select);
        }
        bindings.push(binding);
        echoes.push(echo);
    }
    Ok((bindings, echoes))
}

/// Counts a subscription: which table, by which columns; never by which values.
fn note(shared: &Shared, actor: &Actor, wish: &Wish, binding: &Binding) {
    let subject = (wish.schema.as_deref().unwrap_or("public"), wish.table.as_deref().unwrap_or("*"));
    let read = Read { reader: actor.into(), source: Source::Feed, subject, rows: 0, at: shared.clock.now() };
    shared.pg.access().note(&read, |shape| {
        shape.push("join");
        for condition in binding.filter.iter().flat_map(|filter| filter.conditions.iter()) {
            shape.push("&");
            shape.push(&condition.column);
        }
    });
}

async fn resolve(shared: &Shared, catalog: &Catalog, actor: &Actor, wish: &Wish) -> Result<Binding, Refusal> {
    let Some(events) = Events::parse(&wish.event) else {
        return because(format!("`{}` is no event; use *, INSERT, UPDATE or DELETE.", wish.event));
    };
    let role = actor.role_name();
    let schema = wish.schema.as_deref().unwrap_or("public");
    let name = wish.table.as_deref().unwrap_or("*");
    let tables = catalog.find(role, schema, name);
    if tables.is_empty() {
        return because(format!("There is no published table {schema}.{name} that you may read."));
    }
    let filter = Filter::parse(wish.filter.as_deref().unwrap_or_default())
        .map_err(|fault| Refusal::Because(format!("The filter is not understood: {fault}.")))?
        .map(Arc::new);
    let select: Option<Arc<[String]>> = wish.select.clone().filter(|names| !names.is_empty()).map(Arc::from);
    let columns =
        filter.iter().flat_map(|filter| filter.conditions.iter().map(|condition| &condition.column));
    for column in columns.chain(select.iter().flat_map(|names| names.iter())) {
        if tables.len() != 1 || !tables[0].shows(role, column) {
            return because(format!("{schema}.{name} has no column `{column}` that you may read."));
        }
    }
    if let Some(filter) = &filter {
        try_filter(shared, &tables[0], actor, filter).await?;
    }
    let text = [
        &wish.event,
        schema,
        name,
        wish.filter.as_deref().unwrap_or_default(),
        &format!("{:?}", wish.select),
    ]
    .join("\u{0}");
    Ok(Binding {
        id: fnv(&text),
        events,
        tables: tables.iter().map(|table| table.oid).collect(),
        filter,
        select,
    })
}

/// Asks PostgreSQL whether the operators exist for the columns' types and the values are of them.
async fn try_filter(
    shared: &Shared,
    table: &Table,
    actor: &Actor,
    filter: &Arc<Filter>,
) -> Result<(), Refusal> {
    let Some(question) = Question::new(table, "true", std::slice::from_ref(filter)) else {
        return because("The filter names a column that is not there.");
    };
    match question.ask(&shared.pg, actor, "[{}]").await {
        Ok(_) => Ok(()),
        Err(error) if error.db().is_some() => {
            because("The filter's operator or value does not fit its column.")
        }
        Err(error) => Err(error.into()),
    }
}

/// FNV-1a: the same subscription has the same id on every node, so that subscribers share their frames.
fn fnv(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_send_is_understood() {
        let stock = r#"{"config":{"broadcast":{"ack":false,"self":true},"presence":{"key":"","enabled":false},
            "postgres_changes":[{"event":"*","schema":"public","table":"tickets","filter":"state=eq.open"}],"private":false},
            "access_token":"t","version":"x"}"#;
        let payload: JoinPayload = serde_json::from_str(stock).expect("the stock client's join");
        assert!(payload.config.broadcast.hears_itself);
        assert_eq!(payload.config.presence.enabled, Some(false));
        assert_eq!(payload.config.postgres_changes.len(), 1);
        let bare: JoinPayload = serde_json::from_str("{}").expect("a bare join");
        assert!(bare.config.postgres_changes.is_empty() && bare.access_token.is_none());
    }

    #[test]
    fn ids_are_stable() {
        assert_eq!(fnv(""), 0x811c_9dc5);
        assert_eq!(fnv("a"), 0xe40c_292c);
    }
}
