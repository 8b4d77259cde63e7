//! What is known of one customer into [`domain::identity`], and its machines into rows.
use std::collections::{BTreeMap, HashMap};

use domain::{
    estate::DeviceClass,
    identity::{self, Before, Decision, Facts, Group, Record, RecordId, Resolution, Source, Verdict},
};
use jiff::{Span, tz::TimeZone};
use kernel::{
    Timestamp,
    id::{CustomerId, uuid_v7},
};
use pg::{ActorTx, PgError};
use store::endpoints::{self, ConflictRow, Decided, EndedRow, EndpointRow, Kept, Known, RecordRow, Was};
use uuid::Uuid;

/// A machine that nobody heard of for so long is stale.
const STALE_HOURS: i64 = 30 * 24;

/// Works the machines of one customer out anew, in the customer's transaction, and writes what changed. Nothing that is
/// not there is read as gone: records are taken away by their own synchronization only.
pub async fn resolve(tx: &ActorTx, customer: CustomerId, now: Timestamp) -> Result<(), PgError> {
    endpoints::lock(tx, customer).await?;
    let known = endpoints::records(tx, customer).await?;
    let records: Vec<Record> = known.iter().filter_map(record).collect();
    let before = machines(endpoints::before(tx, customer).await?);
    let decisions: Vec<Decision> =
        endpoints::decisions(tx, customer).await?.into_iter().map(decision).collect();
    let found = identity::resolve(&records, &decisions, &before);
    endpoints::keep(tx, customer, &rows(&found, &known, now), now).await
}

fn record(known: &Known) -> Option<Record> {
    Some(Record {
        id: RecordId { source: Source::of(&known.source)?, id: known.id },
        name: known.name.clone(),
        serial: known.serial_number.clone(),
        entra_device_id: known.entra_device_id.clone(),
        enrolled_at: known.enrolled_at,
        last_seen_at: known.last_seen_at,
        is_complete: known.is_complete,
    })
}

fn machines(rows: Vec<Was>) -> Vec<Before> {
    let mut machines: BTreeMap<Uuid, Before> = BTreeMap::new();
    for row in rows {
        let machine = machines.entry(row.endpoint).or_insert_with(|| Before {
            endpoint: row.endpoint,
            is_ended: row.is_ended,
            records: Vec::new(),
        });
        let record = row.record.and_then(|(source, id)| Some(RecordId { source: Source::of(&source)?, id }));
        machine.records.extend(record);
    }
    machines.into_values().collect()
}

fn decision(row: Decided) -> Decision {
    let verdict = if row.verdict == Verdict::Together.as_str() { Verdict::Together } else { Verdict::Apart };
    let facts = row.facts.into_iter();
    Decision {
        id: row.id,
        verdict,
        records: row.records.into_iter().collect(),
        facts: facts.map(|(id, it)| (id, Facts { serial: it.serial_number, name: it.name })).collect(),
        reason: row.reason,
    }
}

fn rows(found: &Resolution, known: &[Known], now: Timestamp) -> Kept {
    let known: HashMap<Uuid, &Known> = known.iter().map(|it| (it.id, it)).collect();
    let ids: Vec<Uuid> =
        found.groups.iter().map(|group| group.endpoint.unwrap_or_else(|| uuid_v7(now))).collect();
    let mut place: HashMap<Uuid, Uuid> = HashMap::new();
    for (group, id) in found.groups.iter().zip(&ids) {
        place.extend(group.members.iter().map(|member| (member.record.id, *id)));
    }
    let mut doubts: HashMap<Uuid, usize> = HashMap::new();
    let mut conflicts = Vec::with_capacity(found.conflicts.len());
    for conflict in &found.conflicts {
        let mut records: Vec<Uuid> = conflict.records.iter().map(|record| record.id).collect();
        records.sort_unstable();
        let mut endpoint_ids: Vec<Uuid> = records.iter().filter_map(|id| place.get(id).copied()).collect();
        endpoint_ids.sort_unstable();
        endpoint_ids.dedup();
        for id in &endpoint_ids {
            *doubts.entry(*id).or_default() += 1;
        }
        let (kind, evidence) = (conflict.kind.as_str(), conflict.evidence.clone());
        conflicts.push(ConflictRow { kind, records, endpoint_ids, evidence });
    }
    let mut kept = Kept { endpoints: Vec::new(), records: Vec::new(), conflicts, ended: Vec::new() };
    for (group, id) in found.groups.iter().zip(&ids) {
        let open = doubts.get(id).copied().unwrap_or(0);
        kept.endpoints.push(endpoint(*id, group, &known, open, now));
        kept.records.extend(records(*id, group));
    }
    let into = |place: Option<usize>| place.and_then(|at| ids.get(at).copied());
    kept.ended.extend(found.ended.iter().map(|it| EndedRow { id: it.endpoint, into_id: into(it.into) }));
    kept
}

/// What the RMM says goes first, then what was seen last.
fn endpoint(
    id: Uuid,
    group: &Group,
    known: &HashMap<Uuid, &Known>,
    open_conflicts: usize,
    now: Timestamp,
) -> EndpointRow {
    let mut of: Vec<(Source, &Known)> =
        group.members.iter().filter_map(|it| Some((it.record.source, *known.get(&it.record.id)?))).collect();
    of.sort_by_key(|(source, it)| (*source, std::cmp::Reverse(it.last_seen_at), it.id));
    let text = |read: fn(&Known) -> Option<&String>| {
        let said = of.iter().filter_map(|(_, it)| read(it)).find(|text| !text.trim().is_empty());
        said.map(|text| text.trim().to_owned())
    };
    let mut sources: Vec<Source> = of.iter().map(|(source, _)| *source).collect();
    sources.dedup();
    let last_seen_at = of.iter().filter_map(|(_, it)| it.last_seen_at).max();
    let class = of.iter().find_map(|(_, it)| it.class.clone());
    let class =
        class.unwrap_or_else(|| class_of(text(|it| it.os_name.as_ref()).as_deref()).as_str().to_owned());
    EndpointRow {
        id,
        name: text(|it| it.name.as_ref()).unwrap_or_else(|| "Without a name".to_owned()),
        class,
        os_name: text(|it| it.os_name.as_ref()),
        serial_number: text(|it| it.serial_number.as_ref()),
        coverage: coverage(
            &sources,
            last_seen_at.or(of.iter().filter_map(|(_, it)| it.enrolled_at).max()),
            now,
        ),
        sources: sources.into_iter().map(Source::as_str).collect(),
        confidence: group.confidence().map(identity::Confidence::as_str),
        site_id: of.iter().find_map(|(_, it)| it.site_id),
        person_id: of.iter().find_map(|(_, it)| it.person_id),
        open_conflicts,
        last_seen_on: last_seen_at.map(|at| at.to_zoned(TimeZone::UTC).date()),
    }
}

/// Of a device that only Intune knows, by its operating system.
fn class_of(os: Option<&str>) -> DeviceClass {
    let os = os.unwrap_or_default().to_ascii_lowercase();
    if ["ios", "ipados", "android"].iter().any(|mobile| os.starts_with(mobile)) {
        DeviceClass::Mobile
    } else if ["windows", "macos", "linux", "chromeos"].iter().any(|desk| os.starts_with(desk)) {
        DeviceClass::Workstation
    } else {
        DeviceClass::Other
    }
}

fn coverage(sources: &[Source], seen_at: Option<Timestamp>, now: Timestamp) -> &'static str {
    if seen_at.is_some_and(|at| at < now - Span::new().hours(STALE_HOURS)) {
        return "stale";
    }
    match (sources.contains(&Source::NinjaOne), sources.contains(&Source::Intune)) {
        (true, true) => "covered",
        (true, false) => "rmm_only",
        _ => "mdm_only",
    }
}

fn records(endpoint_id: Uuid, group: &Group) -> impl Iterator<Item = RecordRow> {
    group.members.iter().map(move |member| {
        let (link, id) = (member.link.as_ref(), Some(member.record.id));
        let (device_id, managed_device_id) = match member.record.source {
            Source::NinjaOne => (id, None),
            Source::Intune => (None, id),
        };
        let decision_id = link.and_then(|link| link.decision);
        RecordRow {
            endpoint_id,
            source: member.record.source.as_str(),
            device_id,
            managed_device_id,
            link_kind: link.map(|link| link.kind.as_str()),
            confidence: link.map(|link| link.confidence.as_str()),
            evidence: link.map(|link| link.evidence.clone()).unwrap_or_default(),
            decided_by: if decision_id.is_some() { "person" } else { "rule" },
            decision_id,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_says_who_knows_a_machine_and_whether_anybody_heard_of_it() {
        let now: Timestamp = "2026-03-10T12:00:00Z".parse().unwrap();
        let both = [Source::NinjaOne, Source::Intune];
        assert_eq!(coverage(&both, Some(now), now), "covered");
        assert_eq!(coverage(&both[..1], Some(now), now), "rmm_only");
        assert_eq!(coverage(&both[1..], None, now), "mdm_only");
        assert_eq!(coverage(&both, Some(now - Span::new().hours(31 * 24)), now), "stale");
    }

    #[test]
    fn what_only_intune_knows_has_the_class_of_its_system() {
        assert_eq!(class_of(Some("iOS")), DeviceClass::Mobile);
        assert_eq!(class_of(Some("Windows")), DeviceClass::Workstation);
        assert_eq!(class_of(None), DeviceClass::Other);
    }
}
