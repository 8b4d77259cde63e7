//! A machine keeps its id while its records come and go.
use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{Before, Ended, Group, RecordId};

/// Gives each group the machine with which it shares most records; what is in doubt goes to the older machine. A machine
/// that ended is only taken up again where no other claims.
pub(super) fn name(groups: &mut [Group], before: &[Before]) -> Vec<Ended> {
    let mut place: BTreeMap<RecordId, usize> = BTreeMap::new();
    for (at, group) in groups.iter().enumerate() {
        place.extend(group.members.iter().map(|member| (member.record, at)));
    }
    let mut claims: Vec<(bool, usize, Uuid, usize)> = Vec::new();
    for machine in before {
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        let known: BTreeSet<&RecordId> = machine.records.iter().collect();
        for at in known.iter().filter_map(|record| place.get(record)) {
            *shared.entry(*at).or_default() += 1;
        }
        // More shared records come first.
        claims.extend(
            shared
                .into_iter()
                .map(|(at, count)| (machine.is_ended, usize::MAX - count, machine.endpoint, at)),
        );
    }
    claims.sort_unstable();
    let mut taken: BTreeSet<Uuid> = BTreeSet::new();
    for (_, _, endpoint, at) in claims {
        if groups[at].endpoint.is_none() && taken.insert(endpoint) {
            groups[at].endpoint = Some(endpoint);
        }
    }
    let over = before.iter().filter(|machine| !machine.is_ended && !taken.contains(&machine.endpoint));
    let mut ended: Vec<Ended> = over
        .map(|machine| Ended {
            endpoint: machine.endpoint,
            into: machine.records.iter().filter_map(|record| place.get(record).copied()).min(),
        })
        .collect();
    ended.sort_unstable_by_key(|it| it.endpoint);
    ended
}
