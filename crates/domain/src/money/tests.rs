use kernel::id::DeviceId;
use proptest::prelude::*;

use super::*;

fn compare(rule: &Rule, devices: &[Device], lines: &[Line]) -> Result<Option<Difference>, TooLarge> {
    super::compare(rule, &Things { devices: devices.to_vec(), ..Things::default() }, lines)
}

pub(super) fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(super) fn at(day: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + day * 86_400).unwrap()
}

pub(super) fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(super) fn rule(multiplier: &str) -> Rule {
    Rule {
        id: id(1),
        product_id: id(2),
        product_name: "Managed workstation".into(),
        product_rate: Some(dec("40")),
        currency: "USD".into(),
        counts: Counts::Devices { device_classes: vec!["workstation".into()], approved_only: true },
        multiplier: dec(multiplier),
    }
}

pub(super) fn device(number: u128, added: i64) -> Device {
    Device {
        id: DeviceId(id(100 + number)),
        name: format!("WS-{number}"),
        class: "workstation".into(),
        approval: "approved".into(),
        added_at: Some(at(added)),
        missing_since: None,
    }
}

pub(super) fn line(number: u128, quantity: &str) -> Line {
    Line {
        id: id(1_000 + number),
        external_id: number.to_string(),
        product_id: id(2),
        quantity: dec(quantity),
        rate: Some(dec("55.50")),
        currency: "USD".into(),
        is_active: true,
        activated_at: Some(at(10)),
        disconnected_at: None,
        quantity_changed_at: None,
        updated_at: None,
        contract_end_at: None,
    }
}

fn found(rule: &Rule, devices: &[Device], lines: &[Line]) -> Difference {
    compare(rule, devices, lines).unwrap().expect("a difference")
}

fn off(line: Line) -> Line {
    Line { is_active: false, disconnected_at: Some(at(20)), ..line }
}

pub(super) fn gone(device: Device, day: i64) -> Device {
    Device { missing_since: Some(at(day)), ..device }
}

#[test]
fn each_cause_is_told_with_its_money() {
    let devices: Vec<Device> = (1..=3).map(|n| device(n, n as i64 * 6)).collect();
    let one = rule("1");
    let cases = [
        (devices.clone(), vec![], CauseKind::NoLine, "120.00", RateSource::Product),
        (
            devices.clone(),
            vec![off(line(1, "3"))],
            CauseKind::DisconnectedLine,
            "166.50",
            RateSource::FormerLine,
        ),
        (devices.clone(), vec![line(1, "1")], CauseKind::DevicesAdded, "111.00", RateSource::Line),
        (
            vec![device(1, 1), device(2, 2)],
            vec![line(1, "1")],
            CauseKind::QuantityTooLow,
            "55.50",
            RateSource::Line,
        ),
        (vec![], vec![line(1, "2")], CauseKind::LineWithoutDevices, "-111.00", RateSource::Line),
        (
            devices.clone(),
            vec![line(1, "3"), line(2, "3")],
            CauseKind::DuplicateLines,
            "-166.50",
            RateSource::Line,
        ),
        (
            vec![device(1, 1), gone(device(2, 2), 15)],
            vec![line(1, "2")],
            CauseKind::DevicesGone,
            "-55.50",
            RateSource::Line,
        ),
        (
            vec![device(1, 1), gone(device(2, 2), 5)],
            vec![line(1, "2")],
            CauseKind::QuantityTooHigh,
            "-55.50",
            RateSource::Line,
        ),
    ];
    for (devices, lines, kind, money, source) in cases {
        let difference = found(&one, &devices, &lines);
        assert_eq!((difference.cause.kind, difference.rate_source), (kind, source), "{}", difference.text);
        assert_eq!(difference.money_per_month.unwrap().fixed(2), money, "{}", difference.text);
    }
}

#[test]
fn a_cause_names_the_devices_that_make_the_difference() {
    let devices: Vec<Device> = (1..=5).map(|n| device(n, 10 + n as i64)).collect();
    let difference = found(&rule("1"), &devices, &[line(1, "3")]);
    let names: Vec<_> = difference.cause.devices.iter().map(|device| device.name.as_str()).collect();
    assert_eq!(names, ["WS-5", "WS-4"], "the latest two");
    assert!(
        difference.text.contains("WS-5") && difference.text.contains("says 3 since"),
        "{}",
        difference.text
    );
}

#[test]
fn what_a_rule_does_not_mean_is_not_counted() {
    let pending = Device { approval: "pending".into(), ..device(2, 1) };
    let server = Device { class: "server".into(), ..device(3, 1) };
    let devices = [device(1, 1), pending, server, gone(device(4, 1), 2)];
    assert_eq!(compare(&rule("1"), &devices, &[line(1, "1")]).unwrap(), None);
    let any = Counts::Devices { device_classes: vec!["workstation".into()], approved_only: false };
    let all = Rule { counts: any, ..rule("1") };
    assert_eq!(found(&all, &devices, &[line(1, "1")]).difference, dec("1"));
    let other = Line { product_id: id(3), ..line(2, "7") };
    assert_eq!(compare(&rule("1"), &devices, &[line(1, "1"), other, off(line(3, "9"))]).unwrap(), None);
}

#[test]
fn the_line_to_change_can_take_the_whole_difference() {
    let devices: Vec<Device> = (1..=3).map(|n| device(n, 1)).collect();
    assert_eq!(
        found(&rule("1"), &devices, &[line(10, "3"), line(9, "3")]).line,
        Some(id(1_010)),
        "the newest of two alike"
    );
    assert_eq!(found(&rule("1"), &[], &[line(1, "3"), line(2, "2")]).line, None, "neither alone");
    assert_eq!(
        found(&rule("1"), &devices, &[line(1, "4"), line(2, "0.5")]).line,
        Some(id(1_001)),
        "the one that can take it"
    );
}

pub(super) fn seat(number: u128, day: i64) -> Seat {
    Seat {
        person_id: id(200 + number),
        name: format!("Person {number}"),
        sku_id: id(9),
        is_enabled: true,
        disabled_at: None,
        added_at: Some(at(day)),
        missing_since: None,
        given: None,
        taken: None,
    }
}

pub(super) fn of_seats(basis: SeatBasis, things: &Things, lines: &[Line]) -> Option<Difference> {
    let rule = Rule { counts: Counts::Seats { sku_ids: vec![id(9)], basis }, ..rule("1") };
    super::compare(&rule, things, lines).unwrap()
}

#[test]
fn seats_are_counted_as_the_rule_says() {
    let off = |seat: Seat, day| Seat { is_enabled: false, disabled_at: Some(at(day)), ..seat };
    let other = Seat { sku_id: id(8), ..seat(4, 1) };
    let gone = Seat { missing_since: Some(at(12)), ..seat(5, 1) };
    let bought = |sku_id, purchased| Purchase { sku_id, purchased };
    let things = Things {
        seats: vec![seat(1, 1), off(seat(2, 1), 15), seat(3, 12), other, gone],
        purchases: vec![bought(id(9), 4), bought(id(8), 9)],
        ..Things::default()
    };
    for (basis, counted) in
        [(SeatBasis::Assigned, "3"), (SeatBasis::Enabled, "2"), (SeatBasis::Purchased, "4")]
    {
        let found = of_seats(basis, &things, &[]).expect("no line bills them");
        assert_eq!((found.counted, found.cause.kind), (dec(counted), CauseKind::NoLine), "{basis:?}");
        assert!(found.text.contains(basis.as_str()) || basis != SeatBasis::Assigned, "{}", found.text);
    }
    let kinds = |basis, quantity| {
        let found = of_seats(basis, &things, &[line(1, quantity)]).expect("a difference");
        let people = found.cause.people.expect("seats are held by people");
        assert_eq!((found.cause.devices.len(), found.cause.people_total), (0, Some(people.len())));
        (found.cause.kind, people.into_iter().map(|person| person.name).collect::<Vec<_>>())
    };
    assert_eq!(kinds(SeatBasis::Assigned, "2"), (CauseKind::SeatsAdded, vec!["Person 3".into()]));
    assert_eq!(kinds(SeatBasis::Assigned, "4"), (CauseKind::SeatsGone, vec!["Person 5".into()]));
    assert_eq!(kinds(SeatBasis::Enabled, "3"), (CauseKind::SeatsGone, vec!["Person 2".into()]));
    assert_eq!(kinds(SeatBasis::Purchased, "3"), (CauseKind::QuantityTooLow, vec![]));
    assert_eq!(kinds(SeatBasis::Purchased, "5"), (CauseKind::QuantityTooHigh, vec![]));
    assert_eq!(of_seats(SeatBasis::Assigned, &things, &[line(1, "3")]), None);
    let none = of_seats(SeatBasis::Assigned, &Things::default(), &[line(1, "3")]).unwrap();
    assert_eq!(none.cause.kind, CauseKind::LineWithoutSeats);
    let twice = of_seats(SeatBasis::Purchased, &things, &[line(1, "4"), line(2, "4")]).unwrap();
    assert_eq!(twice.cause.kind, CauseKind::DuplicateLines);
}

#[test]
fn a_tenants_log_names_who_gave_and_who_took_seats() {
    let deed = |by: &str, day| Some(Deed { by: by.into(), at: at(day) });
    let given = Seat { given: deed("admin@a.example", 13), ..seat(3, 12) };
    let things = Things { seats: vec![seat(1, 1), given], ..Things::default() };
    let found = of_seats(SeatBasis::Assigned, &things, &[line(1, "1")]).expect("one more");
    let named = &found.cause.people.expect("people")[0];
    assert_eq!((named.by.as_deref(), named.at), (Some("admin@a.example"), at(13)));
    assert!(found.text.ends_with(" by admin@a.example)."), "{}", found.text);
    let taken = Seat { missing_since: Some(at(14)), taken: deed("HR provisioning", 12), ..seat(2, 1) };
    let lost = Loss {
        id: id(7),
        name: "former@a.example".into(),
        sku_id: id(9),
        taken: deed("admin@a.example", 13).unwrap(),
    };
    let other = Loss { sku_id: id(8), ..lost.clone() };
    let things = Things { seats: vec![seat(1, 1), taken], losses: vec![lost, other], ..Things::default() };
    let found = of_seats(SeatBasis::Assigned, &things, &[line(1, "3")]).expect("two less");
    assert_eq!(found.cause.kind, CauseKind::SeatsGone);
    let named = found.cause.people.expect("people");
    assert_eq!(named.len(), 2, "{named:?}");
    assert_eq!((named[0].is_known, named[0].name.as_str()), (false, "former@a.example"));
    assert_eq!((named[1].is_known, named[1].by.as_deref()), (true, Some("HR provisioning")));
    let before = Loss {
        id: id(7),
        name: "former@a.example".into(),
        sku_id: id(9),
        taken: deed("admin@a.example", 9).unwrap(),
    };
    let things = Things { seats: vec![seat(1, 1)], losses: vec![before], ..Things::default() };
    let found = of_seats(SeatBasis::Assigned, &things, &[line(1, "3")]).expect("two less");
    assert_eq!(found.cause.kind, CauseKind::QuantityTooHigh, "it went before the line was changed");
}

fn known(state: State) -> Known {
    Known { state, ignored_until: None, ignored_numbers: None, run_is_over: false }
}

#[test]
fn a_known_difference_moves_only_as_the_facts_say() {
    let difference = found(&rule("1"), &[device(1, 1)], &[]);
    let numbers = (difference.counted, difference.billed);
    let ignored = |until, numbers| Known {
        ignored_until: Some(until),
        ignored_numbers: Some(numbers),
        ..known(State::Ignored)
    };
    let reopens = |known: &Known| matches!(next(known, Some(&difference), at(5)), Move::Reopen(_));
    assert_eq!(next(&known(State::Open), Some(&difference), at(5)), Move::Keep);
    assert_eq!(next(&known(State::Open), None, at(5)), Move::Close(Close::Vanished));
    assert_eq!(next(&ignored(at(6), numbers), Some(&difference), at(5)), Move::Keep);
    assert_eq!(next(&ignored(at(6), numbers), None, at(5)), Move::Close(Close::Vanished));
    assert!(reopens(&ignored(at(5), numbers)), "its time is over");
    assert!(reopens(&ignored(at(6), (dec("2"), dec("0")))), "the numbers changed");
    assert_eq!(next(&known(State::Changing), None, at(5)), Move::Keep, "the run says what came of it");
    assert!(reopens(&Known { run_is_over: true, ..known(State::Changing) }));
}

#[test]
fn only_a_later_bill_with_the_changed_quantity_closes() {
    let waiting = Waiting { changed_quantity: dec("4"), line_quantity: Some(dec("4.0")), is_settled: false };
    let bill = |day, quantity: &str, is_prorated| Charge {
        bill_id: id(day as u128),
        billed_at: at(day),
        is_later: day > 5,
        quantity: Some(dec(quantity)),
        is_prorated,
    };
    for (charges, wanted) in [
        (vec![], (Move::Keep, None)),
        (vec![bill(4, "4", false)], (Move::Keep, None)),
        (vec![bill(6, "3", false)], (Move::Keep, None)),
        (vec![bill(6, "4", true)], (Move::Keep, None)),
        (vec![bill(9, "4", false), bill(7, "4.00", false)], (Move::Close(Close::Invoiced), Some(id(7)))),
    ] {
        assert_eq!(next_waiting(&waiting, &charges), wanted);
    }
    let undone = Waiting { line_quantity: Some(dec("3")), ..waiting };
    assert!(matches!(next_waiting(&undone, &[]).0, Move::Reopen(_)));
    assert_eq!(next_waiting(&Waiting { is_settled: true, ..undone }, &[]).0, Move::Close(Close::Superseded));
}

prop_compose! {
    fn devices()(kinds in prop::collection::vec((0u8..4, prop::bool::ANY, 0i64..30), 0..30)) -> Vec<Device> {
        kinds.into_iter().zip(1..).map(|((kind, is_gone, day), number)| {
            let made = device(number, day);
            let made = if is_gone { gone(made, day + 1) } else { made };
            match kind {
                0 => Device { class: "server".into(), ..made },
                1 => Device { approval: "pending".into(), ..made },
                _ => made,
            }
        }).collect()
    }
}

prop_compose! {
    fn lines()(kinds in prop::collection::vec((0i128..2_000_000, 0i128..1_000_000, prop::bool::ANY), 0..4)) -> Vec<Line> {
        kinds.into_iter().zip(1..).map(|((quantity, rate, is_off), number)| {
            let made = Line { quantity: Decimal::new(quantity, 4).unwrap(), rate: Decimal::new(rate, 2), ..line(number, "1") };
            if is_off { off(made) } else { made }
        }).collect()
    }
}

proptest! {
    #[test]
    fn the_numbers_agree_with_each_other(devices in devices(), lines in lines(), multiplier in 1i128..30_000) {
        let rule = Rule { multiplier: Decimal::new(multiplier, 4).unwrap(), ..rule("1") };
        let billed = lines.iter().filter(|line| line.is_active)
            .fold(Decimal::ZERO, |sum, line| sum.checked_add(line.quantity).unwrap());
        let there = devices.iter()
            .filter(|device| device.class == "workstation" && device.approval == "approved" && device.missing_since.is_none())
            .fold(Decimal::ZERO, |sum, _| sum.checked_add(rule.multiplier).unwrap());
        match compare(&rule, &devices, &lines).unwrap() {
            None => prop_assert_eq!(billed, there),
            Some(found) => {
                prop_assert_eq!((found.counted, found.billed), (there, billed));
                prop_assert_eq!(found.billed.checked_add(found.difference).unwrap(), found.counted);
                prop_assert_eq!(found.direction == Direction::Over, found.difference.is_negative());
                let money = found.money_per_month.unwrap();
                prop_assert!(money.is_zero() || money.is_negative() == found.difference.is_negative());
                prop_assert_eq!(money, money.rounded(MONEY_PLACES));
                prop_assert!(found.cause.devices.len() <= NAMED_MAX && found.cause.devices_total >= found.cause.devices.len());
            }
        }
    }

    #[test]
    fn changing_the_line_as_told_leaves_no_difference(devices in devices(), lines in lines()) {
        if let Some(found) = compare(&rule("1"), &devices, &lines).unwrap()
            && let Some(line) = found.line
        {
            let mut changed = lines.clone();
            let line = changed.iter_mut().find(|it| it.id == line).unwrap();
            line.quantity = target_quantity(line.quantity, found.difference).unwrap();
            prop_assert_eq!(compare(&rule("1"), &devices, &changed).unwrap(), None);
        }
    }

    #[test]
    fn the_order_of_facts_does_not_matter(devices in devices(), lines in lines(), turn in 0usize..30) {
        let (mut devices_turned, mut lines_turned) = (devices.clone(), lines.clone());
        if !devices.is_empty() { devices_turned.rotate_left(turn % devices.len()); }
        if !lines.is_empty() { lines_turned.rotate_left(turn % lines.len()); }
        prop_assert_eq!(compare(&rule("1"), &devices, &lines), compare(&rule("1"), &devices_turned, &lines_turned));
    }
}
