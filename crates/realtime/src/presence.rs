//! Who is present on a topic: per key the metas that its channels track, on this node and on others.
use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Map, Value};

use crate::{frame::quoted, limits::PRESENCES_PER_TOPIC_MAX};

/// Whose presence it is: a channel of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub node: Arc<str>,
    pub channel: u64,
}

#[derive(Clone, Debug)]
struct Meta {
    owner: Owner,
    reference: String,
    /// The client's object with `phx_ref`, as JSON text.
    json: String,
}

#[derive(Debug, Default)]
pub struct Presence {
    by_key: BTreeMap<String, Vec<Meta>>,
    metas: usize,
}

/// What changed, in the shape of `presence_diff`.
#[derive(Debug, Default)]
pub struct Diff {
    joins: BTreeMap<String, Vec<String>>,
    leaves: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Full;

impl Presence {
    /// Tracks a meta, in place of what the same owner tracked before.
    pub fn track(
        &mut self,
        owner: Owner,
        key: &str,
        reference: &str,
        meta: &Map<String, Value>,
    ) -> Result<Diff, Full> {
        if self.by_key.get(key).is_some_and(|metas| metas.iter().any(|meta| meta.reference == reference)) {
            return Ok(Diff::default());
        }
        let mut diff = self.untrack(|other| *other == owner);
        if self.metas >= PRESENCES_PER_TOPIC_MAX {
            return Err(Full);
        }
        let mut meta = meta.clone();
        meta.insert("phx_ref".to_owned(), Value::from(reference));
        let json = Value::Object(meta).to_string();
        diff.joins.entry(key.to_owned()).or_default().push(json.clone());
        self.by_key.entry(key.to_owned()).or_default().push(Meta {
            owner,
            reference: reference.to_owned(),
            json,
        });
        self.metas += 1;
        Ok(diff)
    }

    /// Removes what these owners tracked.
    pub fn untrack(&mut self, is_gone: impl Fn(&Owner) -> bool) -> Diff {
        let mut diff = Diff::default();
        for (key, metas) in &mut self.by_key {
            metas.retain(|meta| {
                let stays = !is_gone(&meta.owner);
                if !stays {
                    diff.leaves.entry(key.clone()).or_default().push(meta.json.clone());
                }
                stays
            });
        }
        self.by_key.retain(|_, metas| !metas.is_empty());
        self.metas = self.by_key.values().map(Vec::len).sum();
        diff
    }

    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// The shape of `presence_state`.
    pub fn state_json(&self) -> String {
        let metas = self.by_key.iter().map(|(key, metas)| (key, metas.iter().map(|meta| meta.json.as_str())));
        let parts: Vec<String> = metas.map(|(key, metas)| key_json(key, metas)).collect();
        format!("{{{}}}", parts.join(","))
    }

    /// Key, reference and meta of what one node tracks.
    pub fn of_node(&self, node: &str) -> Vec<(u64, String, String, String)> {
        let all = self.by_key.iter().flat_map(|(key, metas)| metas.iter().map(move |meta| (key, meta)));
        all.filter(|(_, meta)| &*meta.owner.node == node)
            .map(|(key, meta)| (meta.owner.channel, key.clone(), meta.reference.clone(), meta.json.clone()))
            .collect()
    }
}

impl Diff {
    pub fn is_empty(&self) -> bool {
        self.joins.is_empty() && self.leaves.is_empty()
    }

    pub fn json(&self) -> String {
        let side = |side: &BTreeMap<String, Vec<String>>| {
            let parts: Vec<String> =
                side.iter().map(|(key, metas)| key_json(key, metas.iter().map(String::as_str))).collect();
            parts.join(",")
        };
        format!(r#"{{"joins":{{{}}},"leaves":{{{}}}}}"#, side(&self.joins), side(&self.leaves))
    }
}

fn key_json<'a>(key: &str, metas: impl Iterator<Item = &'a str>) -> String {
    let metas: Vec<&str> = metas.collect();
    format!(r#"{}:{{"metas":[{}]}}"#, quoted(key), metas.join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owner(node: &str, channel: u64) -> Owner {
        Owner { node: node.into(), channel }
    }

    fn meta(value: &Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    fn value(json: &str) -> Value {
        serde_json::from_str(json).expect("JSON")
    }

    #[test]
    fn tracking_again_replaces_and_leaving_removes() {
        let mut presence = Presence::default();
        let first = presence.track(owner("a", 1), "ann", "r1", &meta(&json!({"at": 1}))).expect("room");
        assert_eq!(
            value(&first.json()),
            json!({"joins": {"ann": {"metas": [{"at": 1, "phx_ref": "r1"}]}}, "leaves": {}})
        );
        let again = presence.track(owner("a", 1), "ann", "r2", &meta(&json!({"at": 2}))).expect("room");
        assert_eq!(value(&again.json())["leaves"]["ann"]["metas"][0]["phx_ref"], "r1");
        presence.track(owner("b", 1), "ann", "r3", &meta(&json!({}))).expect("room");
        assert_eq!(value(&presence.state_json())["ann"]["metas"].as_array().map(Vec::len), Some(2));
        let same = presence.track(owner("b", 1), "ann", "r3", &meta(&json!({}))).expect("room");
        assert!(same.is_empty(), "what is known already is no news");
        let gone = presence.untrack(|owner| &*owner.node == "b");
        assert_eq!(value(&gone.json())["leaves"]["ann"]["metas"][0]["phx_ref"], "r3");
        assert_eq!(presence.of_node("a").len(), 1);
        presence.untrack(|owner| owner.channel == 1);
        assert!(presence.is_empty());
    }

    #[test]
    fn a_topic_has_room_for_so_many() {
        let mut presence = Presence::default();
        for channel in 0..PRESENCES_PER_TOPIC_MAX as u64 {
            presence.track(owner("a", channel), "k", &channel.to_string(), &Map::new()).expect("room");
        }
        assert!(presence.track(owner("a", u64::MAX), "k", "more", &Map::new()).is_err());
    }
}
