//! What a person may do on a private channel: the policies of `realtime.messages`, evaluated on the message that would be heard or
//! sent. Nothing is written for it.
use pg::{Actor, Pg, PgError};
use uuid::Uuid;

use crate::catalog::Catalog;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    pub broadcast: Ways,
    pub presence: Ways,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    pub may_hear: bool,
    pub may_send: bool,
}

impl Access {
    pub const EVERYTHING: Self = Self {
        broadcast: Ways { may_hear: true, may_send: true },
        presence: Ways { may_hear: true, may_send: true },
    };

    pub fn is_nothing(self) -> bool {
        self == Self::default()
    }
}

/// The customer of a topic `customer:<id>` or `customer:<id>:<anything>`, as the table's check constraint has it.
pub fn customer_of(topic: &str) -> Option<Uuid> {
    let rest = topic.strip_prefix("customer:")?;
    let id = rest.get(..36)?;
    let is_lower =
        id.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let ends = rest.len() == 36 || rest.as_bytes()[36] == b':';
    if is_lower && ends { Uuid::try_parse(id).ok() } else { None }
}

/// Asks the policies.
pub async fn check(pg: &Pg, catalog: &Catalog, actor: &Actor, topic: &str) -> Result<Access, PgError> {
    let Some(rules) = catalog.channel_rules.get(actor.role_name()) else { return Ok(Access::default()) };
    let never = || "false".to_owned();
    let sql = format!(
        "select messages.extension, coalesce({}, false), coalesce({}, false)
         from jsonb_array_elements($1::text::jsonb) as e (v) cross join lateral jsonb_populate_record(null::realtime.messages, e.v) as messages",
        rules.hear.clone().unwrap_or_else(never),
        rules.send.clone().unwrap_or_else(never),
    );
    let row = |extension: &str| {
        serde_json::json!({ "topic": topic, "extension": extension, "event": "", "payload": {}, "private": true,
                            "customer_id": customer_of(topic) })
    };
    let messages = serde_json::json!([row("broadcast"), row("presence")]).to_string();
    let tx = pg.act_as(actor).await?;
    tx.query("select set_config('realtime.topic', $1, true)", &[&topic]).await?;
    let rows = tx.query_then_commit(&sql, &[&messages]).await?;
    let mut access = Access::default();
    for row in rows {
        let ways = Ways { may_hear: row.get(1), may_send: row.get(2) };
        if row.get::<_, &str>(0) == "broadcast" {
            access.broadcast = ways;
        } else {
            access.presence = ways;
        }
    }
    Ok(access)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_names_its_customer_exactly() {
        let id = "0190a000-0000-7000-8000-00000000000a";
        assert_eq!(customer_of(&format!("customer:{id}")), id.parse().ok());
        assert_eq!(customer_of(&format!("customer:{id}:chat")), id.parse().ok());
        for topic in [
            format!("customer:{id}x"),
            format!("customer:{}", id.to_uppercase()),
            format!("customer:{}", id.replace('-', "")),
            format!("customers:{id}"),
            "customer:".to_owned(),
            "customer:é".to_owned(),
        ] {
            assert_eq!(customer_of(&topic), None, "{topic}");
        }
    }
}
