//! One Conditional Access policy as Graph says it.
use serde_json::Value;

/// A policy, read tolerantly: what is not understood never counts as protecting.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub id: String,
    pub name: String,
}

impl Policy {
    /// `policy` is one row of `/identity/conditionalAccess/policies`.
    pub fn from_graph(policy: &Value) -> Self {
        let text = |key: &str| policy.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { id: text("id"), name: text("displayName") }
    }

    /// The groups whose members must be read before this policy can be judged.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        std::iter::empty()
    }
}
