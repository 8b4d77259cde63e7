//! The subscribers of one table, by visibility class: who may be asked for together, and who then gets what.
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use pg::Actor;
use uuid::Uuid;

use crate::{
    catalog::Table,
    channel::{Channel, Events},
    filter::Filter,
    hub::Session,
    judge::Question,
};

#[derive(Debug)]
pub struct TablePlan {
    pub table: Arc<Table>,
    pub classes: Vec<Class>,
}

/// Sessions that see the same rows of this table.
#[derive(Debug)]
pub struct Class {
    pub role: &'static str,
    pub fingerprint: Arc<str>,
    pub sessions: Vec<Uuid>,
    /// One of them, who is asked for all.
    pub actor: Actor,
    /// Customers that a visible row can belong to; `None`: the policies are not by customer.
    pub customers: Option<Arc<HashSet<Uuid>>>,
    pub question: Question,
    pub listeners: Vec<Listener>,
}

/// A channel with its bindings to this table.
#[derive(Debug)]
pub struct Listener {
    pub channel: Arc<Channel>,
    pub bindings: Vec<Bound>,
}

#[derive(Debug)]
pub struct Bound {
    pub id: u32,
    pub events: Events,
    /// Position among the class's filters.
    pub filter: Option<usize>,
    pub select: Option<Arc<[String]>>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    role: &'static str,
    fingerprint: Arc<str>,
    /// Set where a policy asks for more than permissions.
    own: Option<Uuid>,
}

impl TablePlan {
    pub fn new<'a>(
        table: &Arc<Table>,
        channels: impl Iterator<Item = &'a Arc<Channel>>,
        sessions: &HashMap<Uuid, Session>,
    ) -> Self {
        let mut groups: BTreeMap<Key, Vec<(Uuid, &Arc<Channel>)>> = BTreeMap::new();
        for channel in channels {
            let (session, rules) = {
                let standing = channel.standing();
                (standing.session, table.rules.get_key_value(standing.actor.role_name()))
            };
            let (Some(known), Some((&role, rules))) = (sessions.get(&session), rules) else {
                continue;
            };
            let fingerprint = Arc::clone(&known.sight.fingerprint);
            let own = rules.is_personal.then_some(session);
            groups.entry(Key { role, fingerprint, own }).or_default().push((session, channel));
        }
        let classes = groups.into_iter().filter_map(|(key, members)| class(table, key, members, sessions));
        Self { table: Arc::clone(table), classes: classes.collect() }
    }
}

fn class(
    table: &Arc<Table>,
    key: Key,
    mut members: Vec<(Uuid, &Arc<Channel>)>,
    sessions: &HashMap<Uuid, Session>,
) -> Option<Class> {
    let rules = table.rules.get(key.role)?;
    let condition = rules.condition.as_deref()?;
    members.sort_by_key(|(_, channel)| channel.id);
    let first = sessions.get(&members.first()?.0)?;
    let mut filters: Vec<Arc<Filter>> = Vec::new();
    let mut listeners = Vec::with_capacity(members.len());
    for (_, channel) in &members {
        let mine = channel.bindings.iter().filter(|binding| binding.tables.contains(&table.oid));
        let bindings = mine
            .map(|binding| Bound {
                id: binding.id,
                events: binding.events,
                filter: binding.filter.as_ref().map(|filter| position(&mut filters, filter)),
                select: binding.select.clone(),
            })
            .collect();
        listeners.push(Listener { channel: Arc::clone(channel), bindings });
    }
    let mut ids: Vec<Uuid> = members.iter().map(|(session, _)| *session).collect();
    ids.sort_unstable();
    ids.dedup();
    Some(Class {
        role: key.role,
        question: Question::new(table, condition, &filters)?,
        fingerprint: key.fingerprint,
        sessions: ids,
        actor: first.actor.clone(),
        customers: rules.is_by_customer.then(|| Arc::clone(&first.sight.customers)),
        listeners,
    })
}

fn position(filters: &mut Vec<Arc<Filter>>, filter: &Arc<Filter>) -> usize {
    filters.iter().position(|known| known == filter).unwrap_or_else(|| {
        filters.push(Arc::clone(filter));
        filters.len() - 1
    })
}
