//! How much a person took within this hour, for whoever has to tell reading from carrying away.
use std::collections::HashMap;

use kernel::{Timestamp, id::UserId};

use super::{Read, Source};

/// People whose volume is kept. That of further ones is not known, and counts as none.
const PEOPLE_MAX: usize = 10_000;
const HOUR_S: i64 = 3_600;

/// What left through this process for one person since the hour of the clock began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Volume {
    pub rows: u64,
    pub files: u64,
}

#[derive(Debug, Default)]
pub(super) struct Volumes {
    /// Hours since 1970.
    hour: i64,
    by_person: HashMap<UserId, Volume>,
}

fn hour(at: Timestamp) -> i64 {
    at.as_second().div_euclid(HOUR_S)
}

impl Volumes {
    pub(super) fn add(&mut self, read: &Read<'_>) {
        let Some(user) = read.reader.user else { return };
        let hour = hour(read.at);
        if hour > self.hour {
            self.hour = hour;
            self.by_person.clear();
        }
        if hour < self.hour || (self.by_person.len() >= PEOPLE_MAX && !self.by_person.contains_key(&user)) {
            return;
        }
        let volume = self.by_person.entry(user).or_default();
        let counted = if read.source == Source::File { &mut volume.files } else { &mut volume.rows };
        *counted = counted.saturating_add(read.rows);
    }

    pub(super) fn of(&self, user: UserId, at: Timestamp) -> Volume {
        if hour(at) > self.hour {
            return Volume::default();
        }
        self.by_person.get(&user).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::{super::Reader, *};

    fn read(user: UserId, source: Source, rows: u64, at: Timestamp) -> Read<'static> {
        Read { reader: Reader::link(user), source, subject: ("public", "tickets"), rows, at }
    }

    #[test]
    fn rows_and_files_of_the_hour_are_counted_by_person() {
        let at: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
        let (one, other) = (UserId::new(at), UserId::new(at));
        let mut volumes = Volumes::default();
        volumes.add(&read(one, Source::Rest, 500, at));
        volumes.add(&read(one, Source::File, 2, at));
        volumes.add(&read(one, Source::Csv, 7, at + SignedDuration::from_mins(59)));
        assert_eq!(volumes.of(one, at), Volume { rows: 507, files: 2 });
        assert_eq!(volumes.of(other, at), Volume::default());
        let next = at + SignedDuration::from_hours(1);
        assert_eq!(volumes.of(one, next), Volume::default(), "nothing was read yet in the next hour");
        volumes.add(&read(other, Source::Rest, 3, next));
        volumes.add(&read(other, Source::Rest, 4, at));
        assert_eq!((volumes.of(one, next), volumes.of(other, next).rows), (Volume::default(), 3));
    }

    #[test]
    fn the_people_are_bounded() {
        let at: Timestamp = "2026-03-01T12:00:00Z".parse().expect("a time");
        let mut volumes = Volumes::default();
        let first = UserId::new(at);
        for _ in 0..=PEOPLE_MAX {
            volumes.add(&read(first, Source::Rest, 1, at));
            volumes.add(&read(UserId::new(at), Source::Rest, 1, at));
        }
        assert_eq!(volumes.by_person.len(), PEOPLE_MAX);
        assert_eq!(volumes.of(first, at).rows, PEOPLE_MAX as u64 + 1, "who is known is counted on");
    }
}
