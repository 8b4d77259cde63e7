use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

fn person() -> Actor {
    let (user, session) = (UserId::new(at(1)), SessionId::new(at(1)));
    Actor::person("authenticated", user, session, String::new()).for_request(RequestId::new(at(2)))
}

fn read(actor: &Actor, rows: u64, second: i64) -> Read<'static> {
    Read { reader: actor.into(), source: Source::Rest, subject: ("public", "tickets"), rows, at: at(second) }
}

#[test]
fn reads_of_one_minute_and_shape_are_one_line() {
    let (log, actor) = (AccessLog::default(), person());
    for (rows, second) in [(3, 600), (4, 659), (5, 660)] {
        log.note(&read(&actor, rows, second), |shape| shape.push("select=*&id=eq"));
    }
    let mut lines = log.drain(at(700));
    lines.sort_by_key(|line| line.minute);
    let [first, second] = lines.as_slice() else { panic!("{} lines", lines.len()) };
    assert_eq!((first.minute, first.tally.requests, first.tally.rows), (at(600), 2, 7));
    assert_eq!((first.tally.first, first.tally.last), (at(600), at(659)));
    assert_eq!((second.minute, second.tally.requests, second.tally.rows), (at(660), 1, 5));
    assert_eq!((first.actor, first.session), (actor.user.map(|id| id.0), actor.session.map(|id| id.0)));
    assert_eq!(
        (first.role, first.source, &*first.subject, &*first.shape),
        ("authenticated", "rest", "public.tickets", "select=*&id=eq")
    );
    assert!(log.drain(at(701)).is_empty());
}

#[test]
fn too_many_shapes_are_counted_per_person_and_then_for_all() {
    let (log, actor) = (AccessLog::default(), person());
    for number in 0..ITEMIZED_LINES_MAX + 5 {
        log.note(&read(&actor, 2, 60), |shape| shape.push(&number.to_string()));
    }
    let others: Vec<Actor> = (0..PERSON_LINES_MAX + 3).map(|_| person()).collect();
    for other in &others {
        log.note(&read(other, 1, 60), |shape| shape.push("x"));
    }
    let status = log.status();
    assert_eq!(status.held_lines, ITEMIZED_LINES_MAX + PERSON_LINES_MAX + 1);
    assert_eq!(status.not_itemized_reads, 5 + PERSON_LINES_MAX as u64 + 3);
    let lines = log.drain(at(61));
    let of = |wanted: Option<Uuid>| -> (i64, i64) {
        let lines =
            lines.iter().filter(|line| line.source == NOT_ITEMIZED && line.actor == wanted).map(|l| l.tally);
        lines.fold((0, 0), |sum, tally| (sum.0 + tally.requests, sum.1 + tally.rows))
    };
    assert_eq!(of(actor.user.map(|id| id.0)), (5, 10), "the person's own line");
    assert_eq!(of(None), (4, 4), "nobody's line has the rest");
    let all: i64 = lines.iter().map(|line| line.tally.requests).sum();
    assert_eq!(all, (ITEMIZED_LINES_MAX + 5 + PERSON_LINES_MAX + 3) as i64, "every read is in some line");
}

#[test]
fn long_texts_end() {
    let (log, actor) = (AccessLog::default(), person());
    log.note(&read(&actor, 0, 60), |shape| {
        for _ in 0..1_000 {
            shape.push("column,");
        }
    });
    let lines = log.drain(at(61));
    assert!(lines[0].shape.len() <= SHAPE_BYTES_MAX + 3 && lines[0].shape.ends_with('…'));
}

#[test]
fn nobody_is_no_one_in_particular() {
    let log = AccessLog::default();
    log.note(&read(&Actor::anonymous(RequestId::new(at(1))), 0, 60), |_| {});
    let lines = log.drain(at(61));
    assert_eq!((lines[0].actor, lines[0].session, lines[0].role), (None, None, "anon"));
}
