use std::collections::{BTreeMap, BTreeSet};

use kernel::Timestamp;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn day(number: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + number * 86_400).unwrap()
}

fn record(source: Source, id: u128, name: &str, serial: &str) -> Record {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Record {
        id: RecordId { source, id: Uuid::from_u128(id) },
        name: some(name),
        serial: some(serial),
        entra_device_id: None,
        enrolled_at: None,
        last_seen_at: None,
        is_complete: true,
    }
}

fn rmm(id: u128, name: &str, serial: &str) -> Record {
    record(Source::NinjaOne, id, name, serial)
}

fn mdm(id: u128, name: &str, serial: &str) -> Record {
    record(Source::Intune, 1_000 + id, name, serial)
}

fn decision(id: u128, verdict: Verdict, of: &[&Record]) -> Decision {
    let facts = |it: &&Record| (it.id.id, Facts { serial: it.serial.clone(), name: it.name.clone() });
    Decision {
        id: Uuid::from_u128(id),
        verdict,
        records: of.iter().map(|it| it.id.id).collect(),
        facts: of.iter().map(facts).collect(),
        reason: "I looked".into(),
    }
}

/// Groups of more than one, by the numbers of their records.
fn joined(found: &Resolution) -> Vec<Vec<u128>> {
    let ids = |group: &Group| group.members.iter().map(|it| it.record.id.as_u128()).collect::<Vec<_>>();
    found.groups.iter().map(ids).filter(|ids| ids.len() > 1).collect()
}

fn doubts(found: &Resolution) -> Vec<(ConflictKind, Vec<u128>)> {
    let ids = |it: &Conflict| it.records.iter().map(|record| record.id.as_u128()).collect();
    found.conflicts.iter().map(|it| (it.kind, ids(it))).collect()
}

#[test]
fn serials_and_names_are_compared_in_one_form() {
    assert_eq!(serial_key(" 5cg 12 "), Some("5CG12".into()));
    for junk in [
        "",
        " ",
        "0",
        "0000",
        "....",
        "To Be Filled By O.E.M.",
        "system serial number",
        "0123456789",
        "N/A",
        "xxxx",
    ] {
        assert_eq!(serial_key(junk), None, "{junk}");
    }
    assert!(serial_key("1111").is_some() && serial_key("PF0000").is_some());
    assert_eq!(name_key(" Frontdesk-Laptop-07 "), name_key("FRONTDESK-LAPTO"));
    assert_eq!(name_key(" "), None);
}

#[test]
fn each_way_in_which_records_agree_and_disagree() {
    use ConflictKind::{SameName, SerialAndName, TwoCandidates};
    type Case = (&'static str, Vec<Record>, Vec<Vec<u128>>, Vec<(ConflictKind, Vec<u128>)>);
    let cases: Vec<Case> = vec![
        ("the same serial", vec![rmm(1, "A", "S1"), mdm(1, "A", "s 1")], vec![vec![1, 1001]], vec![]),
        ("renamed", vec![rmm(1, "A", "S1"), mdm(1, "B", "S1")], vec![vec![1, 1001]], vec![]),
        ("junk, the same name", vec![rmm(1, "A", "0"), mdm(1, "a", "0")], vec![vec![1, 1001]], vec![]),
        ("junk, another name", vec![rmm(1, "A", "None"), mdm(1, "B", "None")], vec![], vec![]),
        ("blank, the same name", vec![rmm(1, "A", "S1"), mdm(1, "a", "")], vec![vec![1, 1001]], vec![]),
        (
            "long names",
            vec![rmm(1, "FRONTDESK-LAPTO", "S1"), mdm(1, "Frontdesk-Laptop-07", "")],
            vec![vec![1, 1001]],
            vec![],
        ),
        ("nothing in common", vec![rmm(1, "A", "S1"), mdm(1, "B", "S2")], vec![], vec![]),
        (
            "twice on one side",
            vec![rmm(1, "A", "S"), rmm(2, "B", "S"), mdm(1, "B", "S")],
            vec![vec![2, 1001]],
            vec![],
        ),
        ("machines of one image", vec![mdm(1, "A", "S"), mdm(2, "B", "S")], vec![], vec![]),
        (
            "the same name, two serials",
            vec![rmm(1, "A", "S1"), mdm(1, "A", "S2")],
            vec![],
            vec![(SameName, vec![1, 1001])],
        ),
        (
            "serial of one, name of the other",
            vec![rmm(1, "A", "S1"), rmm(2, "B", "S2"), mdm(1, "B", "S1")],
            vec![],
            vec![(SerialAndName, vec![1, 2, 1001])],
        ),
        (
            "serial of one, name of another that has its own",
            vec![rmm(1, "A", "S1"), rmm(2, "B", "S2"), mdm(1, "B", "S1"), mdm(2, "C", "S2")],
            vec![vec![1, 1001], vec![2, 1002]],
            vec![],
        ),
        (
            "a name that occurs twice",
            vec![rmm(1, "A", ""), rmm(2, "A", ""), mdm(1, "A", "")],
            vec![],
            vec![(TwoCandidates, vec![1, 2, 1001])],
        ),
        (
            "one without a serial beside a whole one",
            vec![rmm(1, "A", "S1"), mdm(1, "A", "S1"), mdm(2, "A", "")],
            vec![vec![1, 1001]],
            vec![(TwoCandidates, vec![1, 1001, 1002])],
        ),
    ];
    for (what, records, groups, conflicts) in cases {
        let found = resolve(&records, &[], &[]);
        assert_eq!((joined(&found), doubts(&found)), (groups, conflicts), "{what}");
        let has_reasons = |group: &Group| {
            group.members[1..].iter().all(|it| it.link.as_ref().is_some_and(|link| !link.evidence.is_empty()))
        };
        assert!(
            found.groups.iter().all(has_reasons) && found.conflicts.iter().all(|it| !it.evidence.is_empty()),
            "{what}"
        );
    }
}

#[test]
fn a_machine_that_was_set_up_anew_keeps_both_records() {
    let (rmm, mut old, mut new) = (rmm(1, "A", "S1"), mdm(1, "A", "S1"), mdm(2, "A", "S1"));
    (old.enrolled_at, old.last_seen_at, new.enrolled_at) = (Some(day(0)), Some(day(50)), Some(day(51)));
    let found = resolve(&[rmm.clone(), old.clone(), new.clone()], &[], &[]);
    assert_eq!((joined(&found), doubts(&found)), (vec![vec![1, 1001, 1002]], vec![]));
    let kinds: Vec<_> =
        found.groups[0].members.iter().filter_map(|it| it.link.as_ref()).map(|it| it.kind).collect();
    assert!(kinds.contains(&LinkKind::Serial) && kinds.contains(&LinkKind::Reenrolled), "{kinds:?}");
    // Both are alive: the serial number is on two machines, and says nothing.
    old.last_seen_at = Some(day(60));
    let found = resolve(&[rmm, old, new], &[], &[]);
    assert_eq!(joined(&found), Vec::<Vec<u128>>::new());
    assert_eq!(doubts(&found), [(ConflictKind::TwoCandidates, vec![1, 1001, 1002])]);
}

#[test]
fn what_a_person_decided_holds_and_is_shown_when_facts_say_otherwise() {
    let (a, b, mut i) = (rmm(1, "A", "S1"), rmm(2, "B", "S2"), mdm(1, "B", "S1"));
    let decided = [decision(7, Verdict::Together, &[&a, &i]), decision(8, Verdict::Apart, &[&b, &i])];
    let found = resolve(&[a.clone(), b.clone(), i.clone()], &decided, &[]);
    assert_eq!((joined(&found), doubts(&found)), (vec![vec![1, 1001]], vec![]));
    assert_eq!(found.groups[0].confidence(), Some(Confidence::Certain));
    // Later it has the serial number of the other one.
    i.serial = Some("S2".into());
    let found = resolve(&[a.clone(), b.clone(), i.clone()], &decided, &[]);
    assert_eq!(joined(&found), [vec![1, 1001]]);
    let expected =
        vec![(ConflictKind::Contradicted, vec![1, 1001]), (ConflictKind::Contradicted, vec![2, 1001])];
    assert_eq!(doubts(&found), expected);
    // Apart is stronger than any rule, and than together.
    let apart = [decision(1, Verdict::Together, &[&a, &b]), decision(2, Verdict::Apart, &[&a, &b])];
    assert!(joined(&resolve(&[a, b], &apart, &[])).is_empty());
}

#[test]
fn only_complete_readings_take_a_machine_apart_and_it_keeps_its_id() {
    let (a, mut i) = (rmm(1, "A", "S1"), mdm(1, "B", "S2"));
    let endpoint = Uuid::from_u128(99);
    let before = [Before { endpoint, is_ended: false, records: vec![a.id, i.id] }];
    i.is_complete = false;
    let found = resolve(&[a.clone(), i.clone()], &[], &before);
    assert_eq!(joined(&found), [vec![1, 1001]]);
    assert_eq!(found.groups[0].members[1].link.as_ref().unwrap().kind, LinkKind::Kept);
    assert_eq!((found.groups[0].endpoint, found.ended.len()), (Some(endpoint), 0));
    i.is_complete = true;
    let found = resolve(&[a.clone(), i.clone()], &[], &before);
    assert_eq!(found.groups.iter().map(|it| it.endpoint).collect::<Vec<_>>(), [Some(endpoint), None]);
    // They become one: the older machine goes on, the other ends in it. Apart again, it comes back.
    let other = Uuid::from_u128(100);
    i.serial = Some("S1".into());
    let (one, two_of) = (a.id, i.id);
    let two = |is_ended| {
        [
            Before { endpoint, is_ended: false, records: vec![one] },
            Before { endpoint: other, is_ended, records: vec![two_of] },
        ]
    };
    let found = resolve(&[a.clone(), i.clone()], &[], &two(false));
    assert_eq!(
        (found.groups[0].endpoint, &found.ended),
        (Some(endpoint), &vec![Ended { endpoint: other, into: Some(0) }])
    );
    i.serial = Some("S2".into());
    let found = resolve(&[a, i], &[], &two(true));
    assert_eq!(found.groups.iter().map(|it| it.endpoint).collect::<Vec<_>>(), [Some(endpoint), Some(other)]);
    assert!(found.ended.is_empty());
}

/// Whether of the RMM, serial number, name, days of enrollment and of the last sight, whether its reading was complete.
type Drawn = (bool, &'static str, &'static str, Option<i64>, Option<i64>, bool);

/// Few names and serial numbers, so that all sorts of collisions come up.
fn some_records() -> impl Strategy<Value = Vec<Record>> {
    let serial = prop::sample::select(vec!["", "0", "S1", "S2", "S3", "S4", "s1"]);
    let name = prop::sample::select(vec!["", "A", "B", "C", "a", "D"]);
    let one = (
        prop::bool::ANY,
        serial,
        name,
        prop::option::of(0_i64..9),
        prop::option::of(0_i64..9),
        prop::bool::weighted(0.8),
    );
    prop::collection::vec(one, 0..9).prop_map(|rows| {
        let make = |(at, row): (usize, Drawn)| {
            let (is_rmm, serial, name, enrolled, seen, is_complete) = row;
            let source = if is_rmm { Source::NinjaOne } else { Source::Intune };
            let mut it = record(source, 1 + at as u128, name, serial);
            (it.enrolled_at, it.last_seen_at, it.is_complete) =
                (enrolled.map(day), seen.map(day), is_complete);
            it
        };
        rows.into_iter().enumerate().map(make).collect()
    })
}

fn some_decisions() -> impl Strategy<Value = Vec<(bool, usize, usize)>> {
    prop::collection::vec((prop::bool::ANY, 0_usize..9, 0_usize..9), 0..4)
}

fn made(records: &[Record], decisions: &[(bool, usize, usize)]) -> Vec<Decision> {
    let one = |(at, (is_together, one, other)): (usize, &(bool, usize, usize))| {
        let (one, other) = (records.get(*one)?, records.get(*other)?);
        let verdict = if *is_together { Verdict::Together } else { Verdict::Apart };
        (one.id != other.id).then(|| decision(500 + at as u128, verdict, &[one, other]))
    };
    decisions.iter().enumerate().filter_map(one).collect()
}

/// Groups, doubts, and groups by the machine that they were.
type Print = (BTreeSet<BTreeSet<Uuid>>, Vec<(ConflictKind, Vec<u128>)>, BTreeMap<Uuid, BTreeSet<Uuid>>);

/// What a resolution comes to, in any order.
fn print(found: &Resolution) -> Print {
    let ids = |group: &Group| group.members.iter().map(|it| it.record.id).collect::<BTreeSet<_>>();
    let named = found.groups.iter().filter_map(|group| Some((group.endpoint?, ids(group)))).collect();
    (found.groups.iter().map(ids).collect(), doubts(found), named)
}

proptest! {
    #[test]
    fn the_order_of_records_does_not_matter(records in some_records(), decided in some_decisions(), turn in 0_usize..9) {
        let decisions = made(&records, &decided);
        let first = resolve(&records, &decisions, &[]);
        let before: Vec<Before> = first.groups.iter().enumerate().map(|(at, group)| Before {
            endpoint: Uuid::from_u128(9_000 + at as u128), is_ended: at % 4 == 3, records: group.members.iter().map(|it| it.record).collect() }).collect();
        let found = resolve(&records, &decisions, &before);
        prop_assert_eq!(print(&first).0, print(&found).0, "what was found before changes nothing");
        let (mut turned, mut decided, mut was) = (records.clone(), decisions, before);
        let by = turn % turned.len().max(1);
        turned.rotate_left(by);
        turned.reverse();
        decided.reverse();
        was.reverse();
        prop_assert_eq!(print(&found), print(&resolve(&turned, &decided, &was)));
    }

    #[test]
    fn every_record_is_in_one_group_and_nobody_is_overruled(records in some_records(), decided in some_decisions()) {
        let decisions = made(&records, &decided);
        let found = resolve(&records, &decisions, &[]);
        let all: Vec<RecordId> = found.groups.iter().flat_map(|group| group.members.iter().map(|it| it.record)).collect();
        let mut each: Vec<RecordId> = records.iter().map(|it| it.id).collect();
        let mut sorted = all.clone();
        sorted.sort_unstable();
        each.sort_unstable();
        prop_assert_eq!(sorted, each);
        for apart in decisions.iter().filter(|it| it.verdict == Verdict::Apart) {
            prop_assert!(found.groups.iter().all(|group| group.members.iter().filter(|it| apart.records.contains(&it.record.id)).count() < 2));
        }
        let has_apart = decisions.iter().any(|it| it.verdict == Verdict::Apart);
        for together in decisions.iter().filter(|it| it.verdict == Verdict::Together && !has_apart) {
            prop_assert!(found.groups.iter().any(|group| together.records.iter().all(|id| group.has(*id))));
        }
        for group in &found.groups {
            prop_assert!(group.members.iter().skip(1).all(|it| it.link.is_some()) && group.members[0].link.is_none());
        }
    }

    #[test]
    fn serials_without_a_meaning_never_join(records in some_records()) {
        // All names differ, and every serial number says nothing.
        let odd: Vec<Record> = records.into_iter().enumerate().map(|(at, mut it)| {
            it.name = Some(format!("N{at}"));
            it.serial = it.serial.filter(|serial| serial_key(serial).is_none());
            it
        }).collect();
        prop_assert!(joined(&resolve(&odd, &[], &[])).is_empty());
    }

    #[test]
    fn an_unrelated_record_changes_no_other_machine(records in some_records(), decided in some_decisions(), is_rmm in prop::bool::ANY) {
        let decisions = made(&records, &decided);
        let found = resolve(&records, &decisions, &[]);
        let mut more = records;
        more.push(record(if is_rmm { Source::NinjaOne } else { Source::Intune }, 777, "ELSEWHERE", "OWN-SERIAL"));
        let again = resolve(&more, &decisions, &[]);
        let (mut groups, conflicts, _) = print(&again);
        prop_assert!(groups.remove(&BTreeSet::from([Uuid::from_u128(777)])));
        prop_assert_eq!((groups, conflicts), (print(&found).0, print(&found).1));
    }
}
