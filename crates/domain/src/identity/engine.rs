//! The steps in which records become machines: decisions, new enrollments, serial numbers, names, and what is kept.
use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use uuid::Uuid;

use super::{
    Before, Confidence, Conflict, ConflictKind, Decision, Group, Link, LinkKind, Member, Record, RecordId,
    Resolution, Source, Verdict,
    keys::{name_key, serial_key},
    stable, words,
};

/// Place of a record in the sorted list.
type At = usize;

struct Engine<'a> {
    records: Vec<&'a Record>,
    place: BTreeMap<RecordId, At>,
    serials: Vec<Option<String>>,
    names: Vec<Option<String>>,
    decisions: Vec<&'a Decision>,
    apart: HashSet<(At, At)>,
    /// Cluster of each record: its lowest member.
    cluster: Vec<At>,
    /// By that lowest member; empty for the others.
    members: Vec<Vec<At>>,
    edges: Vec<(At, At, Link)>,
    /// Serial numbers that more than one machine of a source has.
    shared: BTreeSet<String>,
    conflicts: Vec<Conflict>,
}

/// Records of one customer -> its machines, what is in doubt, and which machines ended.
pub fn resolve(records: &[Record], decisions: &[Decision], before: &[Before]) -> Resolution {
    let mut engine = Engine::new(records, decisions);
    engine.decide();
    engine.join_reenrolled();
    engine.join_entra_ids();
    engine.join_serials();
    engine.join_names();
    engine.keep(before);
    engine.find_contradictions();
    let mut groups = engine.groups();
    let ended = stable::name(&mut groups, before);
    Resolution { groups, conflicts: engine.open_conflicts(), ended }
}

fn pair(one: At, other: At) -> (At, At) {
    (one.min(other), one.max(other))
}

impl<'a> Engine<'a> {
    fn new(records: &'a [Record], decisions: &'a [Decision]) -> Self {
        let sorted: BTreeMap<_, _> = records.iter().map(|record| (record.id, record)).collect();
        let records: Vec<&Record> = sorted.into_values().collect();
        let mut decisions: Vec<&Decision> = decisions.iter().collect();
        decisions.sort_unstable_by_key(|decision| decision.id);
        Self {
            serials: records.iter().map(|it| it.serial.as_deref().and_then(serial_key)).collect(),
            names: records.iter().map(|it| it.name.as_deref().and_then(name_key)).collect(),
            cluster: (0..records.len()).collect(),
            members: (0..records.len()).map(|at| vec![at]).collect(),
            place: records.iter().enumerate().map(|(at, record)| (record.id, at)).collect(),
            records,
            decisions,
            apart: HashSet::new(),
            edges: Vec::new(),
            shared: BTreeSet::new(),
            conflicts: Vec::new(),
        }
    }

    /// A record's id is of one source only.
    fn places(&self, of: &BTreeSet<Uuid>) -> Vec<At> {
        let place = |id: &Uuid| {
            let at = |source| self.place.get(&RecordId { source, id: *id }).copied();
            Source::ALL.into_iter().find_map(at)
        };
        let mut places: Vec<At> = of.iter().filter_map(place).collect();
        places.sort_unstable();
        places
    }

    fn members(&self, cluster: At) -> &[At] {
        &self.members[cluster]
    }

    fn of(&self, places: &[At]) -> Vec<&'a Record> {
        places.iter().map(|at| self.records[*at]).collect()
    }

    fn may_join(&self, one: At, other: At) -> bool {
        let (one, other) = (self.members(self.cluster[one]), self.members(self.cluster[other]));
        self.apart.is_empty() || !one.iter().any(|a| other.iter().any(|b| self.apart.contains(&pair(*a, *b))))
    }

    /// Nothing happens where a person keeps them apart, or where they are one already.
    fn join(&mut self, one: At, other: At, link: Link) {
        if self.cluster[one] == self.cluster[other] || !self.may_join(one, other) {
            return;
        }
        let (low, high) = pair(self.cluster[one], self.cluster[other]);
        let moved = std::mem::take(&mut self.members[high]);
        for at in &moved {
            self.cluster[*at] = low;
        }
        self.members[low].extend(moved);
        self.members[low].sort_unstable();
        self.edges.push((one, other, link));
    }

    fn decide(&mut self) {
        for decision in self.decisions.clone() {
            let places = self.places(&decision.records);
            if decision.verdict == Verdict::Apart {
                for (at, one) in places.iter().enumerate() {
                    self.apart.extend(places[at + 1..].iter().map(|other| pair(*one, *other)));
                }
            }
        }
        for decision in self.decisions.clone() {
            if decision.verdict == Verdict::Together
                && let Some((first, others)) = self.places(&decision.records).split_first()
            {
                for other in others {
                    let evidence = words::decided();
                    let (kind, confidence) = (LinkKind::Decision, Confidence::Certain);
                    self.join(
                        *first,
                        *other,
                        Link { kind, confidence, evidence, decision: Some(decision.id) },
                    );
                }
            }
        }
    }

    /// Two records of one source are of one machine where the older fell silent before the newer was enrolled.
    fn join_reenrolled(&mut self) {
        let mut of: BTreeMap<(Source, &str, &str), Vec<At>> = BTreeMap::new();
        for (at, record) in self.records.iter().enumerate() {
            if let (Some(serial), Some(name)) = (&self.serials[at], &self.names[at]) {
                of.entry((record.id.source, serial, name)).or_default().push(at);
            }
        }
        let mut chains = Vec::new();
        for mut places in of.into_values().filter(|places| places.len() > 1) {
            places.sort_unstable_by_key(|at| (self.records[*at].enrolled_at, *at));
            if places.windows(2).all(|two| follows(self.records[two[0]], self.records[two[1]])) {
                chains.push(places);
            }
        }
        for two in chains.iter().flat_map(|places| places.windows(2)) {
            let evidence = words::reenrolled(self.records[two[0]], self.records[two[1]]);
            let (kind, confidence) = (LinkKind::Reenrolled, Confidence::Strong);
            self.join(two[0], two[1], Link { kind, confidence, evidence, decision: None });
        }
    }

    fn join_entra_ids(&mut self) {
        let mut of: BTreeMap<&str, Vec<At>> = BTreeMap::new();
        for (at, record) in self.records.iter().enumerate() {
            if let Some(id) = record.entra_device_id.as_deref() {
                of.entry(id).or_default().push(at);
            }
        }
        for places in of.into_values() {
            let sources: BTreeSet<Source> = places.iter().map(|at| self.records[*at].id.source).collect();
            if places.len() < 2 || sources.len() < places.len() {
                continue;
            }
            let evidence = words::by_entra_id(&self.of(&places));
            let (kind, confidence) = (LinkKind::EntraId, Confidence::Certain);
            for other in &places[1..] {
                self.join(
                    places[0],
                    *other,
                    Link { kind, confidence, evidence: evidence.clone(), decision: None },
                );
            }
        }
    }

    /// Clusters by what their records have there, each cluster once.
    fn clusters_by(&self, keys: &[Option<String>]) -> BTreeMap<String, BTreeSet<At>> {
        let mut of: BTreeMap<String, BTreeSet<At>> = BTreeMap::new();
        for (at, key) in keys.iter().enumerate() {
            if let Some(key) = key {
                of.entry(key.clone()).or_default().insert(self.cluster[at]);
            }
        }
        of
    }

    fn sources(&self, cluster: At) -> BTreeSet<Source> {
        self.members(cluster).iter().map(|at| self.records[*at].id.source).collect()
    }

    fn names_of(&self, cluster: At) -> BTreeSet<&str> {
        self.members(cluster).iter().filter_map(|at| self.names[*at].as_deref()).collect()
    }

    /// Serial numbers that tell its machine from others.
    fn serials_of(&self, cluster: At) -> BTreeSet<&str> {
        let all = self.members(cluster).iter().filter_map(|at| self.serials[*at].as_deref());
        all.filter(|serial| !self.shared.contains(*serial)).collect()
    }

    fn join_serials(&mut self) {
        let by_serial = self.clusters_by(&self.serials);
        let mut alike: Vec<Vec<At>> = Vec::new();
        for (serial, clusters) in by_serial {
            if clusters.len() < 2 {
                continue;
            }
            let of_source = |source: Source| {
                let has = |cluster: &&At| {
                    self.members(**cluster).iter().any(|at| {
                        self.records[*at].id.source == source && self.serials[*at].as_ref() == Some(&serial)
                    })
                };
                clusters.iter().filter(has).count()
            };
            if Source::ALL.into_iter().any(|source| of_source(source) > 1) {
                self.shared.insert(serial);
            } else {
                alike.push(clusters.into_iter().collect());
            }
        }
        let matched: BTreeSet<At> = alike.iter().flatten().copied().collect();
        let by_name = self.clusters_by(&self.names);
        let mut found = Vec::new();
        alike.retain(|clusters| {
            let others = self.others_by_name(clusters, &matched, &by_name);
            if others.is_empty() {
                return true;
            }
            found.push((
                ConflictKind::SerialAndName,
                clusters.iter().chain(&others).copied().collect::<Vec<_>>(),
            ));
            false
        });
        for clusters in alike {
            self.join_all(&clusters, LinkKind::Serial, Confidence::Certain, words::by_serial);
        }
        for (kind, clusters) in found {
            self.doubt(kind, &clusters);
        }
    }

    /// Machines of another source that have the name of one of these, where these have different names. What is matched by its
    /// own serial number, or kept apart by a person, is none.
    fn others_by_name(
        &self,
        clusters: &[At],
        matched: &BTreeSet<At>,
        by_name: &BTreeMap<String, BTreeSet<At>>,
    ) -> BTreeSet<At> {
        let names: Vec<BTreeSet<&str>> = clusters.iter().map(|cluster| self.names_of(*cluster)).collect();
        let common = names.iter().skip(1).fold(names[0].clone(), |common, names| &common & names);
        if !common.is_empty() {
            return BTreeSet::new();
        }
        let mut others = BTreeSet::new();
        for (cluster, names) in clusters.iter().zip(&names) {
            let sources = self.sources(*cluster);
            let same = names.iter().filter_map(|name| by_name.get(*name)).flatten();
            others.extend(same.copied().filter(|other| {
                !clusters.contains(other)
                    && !matched.contains(other)
                    && self.sources(*other).is_disjoint(&sources)
                    && self.may_join(*cluster, *other)
            }));
        }
        others
    }

    fn join_all(
        &mut self,
        clusters: &[At],
        kind: LinkKind,
        confidence: Confidence,
        evidence: fn(&[&Record]) -> Vec<String>,
    ) {
        // The newest record of a source speaks for it.
        let speakers: Vec<At> = clusters.iter().map(|cluster| self.speaker(*cluster)).collect();
        let evidence = evidence(&self.of(&speakers));
        for other in &speakers[1..] {
            self.join(
                speakers[0],
                *other,
                Link { kind, confidence, evidence: evidence.clone(), decision: None },
            );
        }
    }

    fn speaker(&self, cluster: At) -> At {
        let members = self.members(cluster).iter().copied();
        members.max_by_key(|at| (self.records[*at].enrolled_at, *at)).unwrap_or(cluster)
    }

    fn doubt(&mut self, kind: ConflictKind, clusters: &[At]) {
        let places: BTreeSet<At> =
            clusters.iter().flat_map(|cluster| self.members(self.cluster[*cluster])).copied().collect();
        let places: Vec<At> = places.into_iter().collect();
        let records = self.of(&places);
        let evidence = words::told(&records);
        self.conflicts.push(Conflict { kind, records: records.iter().map(|it| it.id).collect(), evidence });
    }

    fn join_names(&mut self) {
        let doubted: BTreeSet<At> = {
            let ids: BTreeSet<_> = self.conflicts.iter().flat_map(|conflict| &conflict.records).collect();
            (0..self.records.len())
                .filter(|at| ids.contains(&self.records[*at].id))
                .map(|at| self.cluster[at])
                .collect()
        };
        let mut pairs: Vec<(At, At)> = Vec::new();
        let mut found: Vec<(ConflictKind, Vec<At>)> = Vec::new();
        for clusters in self.clusters_by(&self.names).into_values() {
            let clusters: Vec<At> =
                clusters.into_iter().filter(|cluster| !doubted.contains(cluster)).collect();
            match self.judge_name(&clusters) {
                NameSays::Nothing => {}
                NameSays::One => pairs.push((clusters[0], clusters[1])),
                NameSays::Doubt(kind, of) => found.push((kind, of)),
            }
        }
        let mut uses: BTreeMap<At, usize> = BTreeMap::new();
        for (one, other) in &pairs {
            *uses.entry(*one).or_default() += 1;
            *uses.entry(*other).or_default() += 1;
        }
        for (one, other) in pairs {
            if uses[&one] == 1 && uses[&other] == 1 {
                self.join_all(&[one, other], LinkKind::Name, Confidence::Strong, words::by_name);
            } else {
                found.push((ConflictKind::TwoCandidates, vec![one, other]));
            }
        }
        for (kind, clusters) in found {
            self.doubt(kind, &clusters);
        }
    }

    /// What it means that these have a name in common.
    fn judge_name(&self, clusters: &[At]) -> NameSays {
        if clusters.len() < 2 {
            return NameSays::Nothing;
        }
        if let [one, other] = clusters
            && self.sources(*one).is_disjoint(&self.sources(*other))
        {
            if !self.may_join(*one, *other) {
                return NameSays::Nothing;
            }
            let differ = !self.serials_of(*one).is_empty() && !self.serials_of(*other).is_empty();
            return if differ {
                NameSays::Doubt(ConflictKind::SameName, clusters.to_vec())
            } else {
                NameSays::One
            };
        }
        let single = |cluster: &&At| self.sources(**cluster).len() == 1;
        let open: Vec<At> = clusters.iter().filter(single).copied().collect();
        let sources: BTreeSet<Source> = open.iter().flat_map(|cluster| self.sources(*cluster)).collect();
        if sources.len() > 1 {
            return NameSays::Doubt(ConflictKind::TwoCandidates, open);
        }
        // One without a serial number beside a machine that both sources know: it may be an older record of it.
        let nameless: Vec<At> =
            open.into_iter().filter(|cluster| self.serials_of(*cluster).is_empty()).collect();
        let whole = clusters.iter().filter(|cluster| self.sources(**cluster).len() > 1).copied();
        let of: Vec<At> = nameless.iter().copied().chain(whole).collect();
        if nameless.is_empty() || of.len() == nameless.len() {
            return NameSays::Nothing;
        }
        NameSays::Doubt(ConflictKind::TwoCandidates, of)
    }

    /// What was one machine stays one where a reading was not complete.
    fn keep(&mut self, before: &[Before]) {
        let mut before: Vec<&Before> = before.iter().filter(|machine| !machine.is_ended).collect();
        before.sort_unstable_by_key(|machine| machine.endpoint);
        for machine in before {
            let mut places: Vec<At> =
                machine.records.iter().filter_map(|id| self.place.get(id).copied()).collect();
            places.sort_unstable();
            if places.iter().all(|at| self.records[*at].is_complete) {
                continue;
            }
            for other in places.iter().skip(1) {
                let (kind, confidence) = (LinkKind::Kept, Confidence::Strong);
                self.join(
                    places[0],
                    *other,
                    Link { kind, confidence, evidence: words::kept(), decision: None },
                );
            }
        }
    }

    fn find_contradictions(&mut self) {
        for decision in self.decisions.clone() {
            let places = self.places(&decision.records);
            let changed = places.iter().any(|at| {
                let then = decision.facts.get(&self.records[*at].id.id);
                let key = then.and_then(|facts| facts.serial.as_deref()).and_then(serial_key);
                then.is_some() && key != self.serials[*at]
            });
            let serials: Vec<&str> = places.iter().filter_map(|at| self.serials[*at].as_deref()).collect();
            let different: BTreeSet<&str> = serials.iter().copied().collect();
            let says_otherwise = match decision.verdict {
                Verdict::Together => different.len() > 1,
                Verdict::Apart => different.len() < serials.len(),
            };
            if changed && says_otherwise {
                let records = self.of(&places);
                let mut evidence = vec![format!(
                    "A person decided that they are {}: {}",
                    if decision.verdict == Verdict::Together { "one machine" } else { "different machines" },
                    decision.reason.trim()
                )];
                evidence.extend(words::told(&records));
                let records = records.iter().map(|it| it.id).collect();
                self.conflicts.push(Conflict { kind: ConflictKind::Contradicted, records, evidence });
            }
        }
    }

    /// Without those that became one machine after all, or of which a person decided everything.
    fn open_conflicts(&self) -> Vec<Conflict> {
        let is_open = |conflict: &&Conflict| {
            let places: Vec<At> = conflict.records.iter().map(|record| self.place[record]).collect();
            conflict.kind == ConflictKind::Contradicted
                || places.iter().enumerate().any(|(at, one)| {
                    places[at + 1..].iter().any(|other| {
                        self.records[*one].id.source != self.records[*other].id.source
                            && self.cluster[*one] != self.cluster[*other]
                            && self.may_join(*one, *other)
                    })
                })
        };
        let mut open: Vec<Conflict> = self.conflicts.iter().filter(is_open).cloned().collect();
        open.sort_by(|one, other| (one.kind, &one.records).cmp(&(other.kind, &other.records)));
        open.dedup_by(|one, other| (one.kind, &one.records) == (other.kind, &other.records));
        open
    }

    fn groups(&self) -> Vec<Group> {
        let mut ways: BTreeMap<At, Vec<(At, &Link)>> = BTreeMap::new();
        for (one, other, link) in &self.edges {
            ways.entry(*one).or_default().push((*other, link));
            ways.entry(*other).or_default().push((*one, link));
        }
        let mut groups = Vec::new();
        for first in (0..self.records.len()).filter(|at| self.cluster[*at] == *at) {
            let mut members = vec![Member { record: self.records[first].id, link: None }];
            let (mut seen, mut next) = (BTreeSet::from([first]), VecDeque::from([first]));
            while let Some(at) = next.pop_front() {
                for (other, link) in ways.get(&at).into_iter().flatten() {
                    if seen.insert(*other) {
                        members.push(Member { record: self.records[*other].id, link: Some((*link).clone()) });
                        next.push_back(*other);
                    }
                }
            }
            members[1..].sort_unstable_by_key(|member| member.record);
            groups.push(Group { endpoint: None, members });
        }
        groups
    }
}

enum NameSays {
    Nothing,
    /// The first two are one machine.
    One,
    Doubt(ConflictKind, Vec<At>),
}

fn follows(older: &Record, newer: &Record) -> bool {
    let is_after = older.last_seen_at.zip(newer.enrolled_at).is_some_and(|(seen, enrolled)| seen <= enrolled);
    let same_entra = older.entra_device_id.is_some() && older.entra_device_id == newer.entra_device_id;
    is_after || same_entra
}
