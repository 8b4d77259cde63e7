//! Whether somebody reads unusually much: rows of the last hour against the same person's own hours, with a floor below which
//! nothing is unusual, and against everybody in the role for those who are new.

/// How far back the own history goes.
pub const HISTORY_HOURS: u32 = 14 * 24;

/// Rows that a person read in one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourlyRows {
    /// Whole hours before now; 0 is the hour that is judged, and is not counted as history.
    pub hours_ago: u32,
    pub rows: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Below this many rows in an hour nothing is unusual.
    pub floor_rows: i64,
    /// How many times the usual is unusual.
    pub factor: i64,
    /// Hours with reading that a person needs before their own history counts.
    pub own_hours_min: usize,
    /// For people without history, where the role has none either.
    pub new_person_rows: i64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { floor_rows: 5_000, factor: 4, own_hours_min: 10, new_person_rows: 20_000 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ComparedWith {
    OwnHistory,
    Role,
    Nothing,
}

impl ComparedWith {
    pub const fn name(self) -> &'static str {
        match self {
            Self::OwnHistory => "own history",
            Self::Role => "everybody in the role",
            Self::Nothing => "a fixed limit",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unusual {
    pub rows: i64,
    /// What 95 of 100 hours stay at or below.
    pub usual_rows: i64,
    pub threshold_rows: i64,
    pub compared_with: ComparedWith,
}

/// `rows` were read in the last hour; `of_role` is the usual of an hour of everybody in the role, if there is one.
pub fn judge(rows: i64, history: &[HourlyRows], of_role: Option<i64>, limits: &Limits) -> Option<Unusual> {
    let mut hours: Vec<i64> = history
        .iter()
        .filter(|hour| (1..=HISTORY_HOURS).contains(&hour.hours_ago) && hour.rows > 0)
        .map(|hour| hour.rows)
        .collect();
    let (usual_rows, compared_with) = if hours.len() >= limits.own_hours_min.max(1) {
        (p95(&mut hours), ComparedWith::OwnHistory)
    } else if let Some(of_role) = of_role {
        (of_role, ComparedWith::Role)
    } else {
        (0, ComparedWith::Nothing)
    };
    let most = match compared_with {
        ComparedWith::Nothing => limits.new_person_rows,
        ComparedWith::OwnHistory | ComparedWith::Role => usual_rows.saturating_mul(limits.factor.max(1)),
    };
    let threshold_rows = most.max(limits.floor_rows);
    (rows > threshold_rows).then_some(Unusual { rows, usual_rows, threshold_rows, compared_with })
}

/// The smallest value that at least 95 of 100 do not exceed. Not for an empty list.
fn p95(values: &mut [i64]) -> i64 {
    values.sort_unstable();
    let rank = (values.len() * 95).div_ceil(100);
    values.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hours(rows: &[i64]) -> Vec<HourlyRows> {
        let hour = |(place, rows): (usize, &i64)| HourlyRows {
            hours_ago: u32::try_from(place).unwrap() + 1,
            rows: *rows,
        };
        rows.iter().enumerate().map(hour).collect()
    }

    fn judged(rows: i64, history: &[i64], of_role: Option<i64>) -> Option<Unusual> {
        judge(rows, &hours(history), of_role, &Limits::default())
    }

    #[test]
    fn the_own_history_decides() {
        let usual = [3_000; 20];
        assert_eq!(judged(12_000, &usual, Some(1)), None, "four times is still usual");
        let unusual = judged(12_001, &usual, Some(1_000_000)).expect("unusual, whatever others do");
        assert_eq!((unusual.usual_rows, unusual.threshold_rows), (3_000, 12_000));
        assert_eq!(unusual.compared_with, ComparedWith::OwnHistory);
    }

    #[test]
    fn below_the_floor_nothing_is_unusual() {
        assert_eq!(judged(5_000, &[1; 50], None), None);
        assert!(judged(5_001, &[1; 50], None).is_some());
    }

    #[test]
    fn one_big_hour_of_many_does_not_make_it_usual() {
        let mut history = [2_000; 40];
        history[7] = 900_000;
        assert!(judged(100_000, &history, None).is_some());
    }

    #[test]
    fn new_people_are_compared_with_their_role() {
        let unusual = judged(9_000, &[8_000; 3], Some(2_000)).expect("three hours are no history");
        assert_eq!((unusual.compared_with, unusual.threshold_rows), (ComparedWith::Role, 8_000));
        assert_eq!(judged(20_000, &[], None), None);
        let unusual = judged(20_001, &[], None).expect("over the fixed limit");
        assert_eq!(unusual.compared_with, ComparedWith::Nothing);
    }

    #[test]
    fn the_judged_hour_and_old_hours_are_no_history() {
        let mut history = hours(&[6_000; 12]);
        history.push(HourlyRows { hours_ago: 0, rows: 1_000_000 });
        history.extend((0..90).map(|n| HourlyRows { hours_ago: HISTORY_HOURS + 1 + n, rows: 1_000_000 }));
        assert!(judge(30_000, &history, None, &Limits::default()).is_some());
    }

    proptest! {
        #[test]
        fn more_rows_are_never_less_unusual(rows in 0_i64..1_000_000, more in 0_i64..1_000_000,
            history in proptest::collection::vec(0_i64..100_000, 0..60), of_role in proptest::option::of(0_i64..100_000)) {
            if judged(rows, &history, of_role).is_some() {
                prop_assert!(judged(rows + more, &history, of_role).is_some());
            }
        }

        #[test]
        fn what_was_done_in_most_hours_is_never_unusual(rows in 1_i64..1_000_000, count in 10_usize..200) {
            prop_assert_eq!(judged(rows, &vec![rows; count], None), None);
        }

        #[test]
        fn the_order_of_hours_does_not_matter(mut history in proptest::collection::vec(0_i64..100_000, 0..60), rows in 0_i64..500_000) {
            let one = judged(rows, &history, Some(100));
            history.reverse();
            prop_assert_eq!(one, judged(rows, &history, Some(100)));
        }

        #[test]
        fn nothing_overflows(rows in any::<i64>(), history in proptest::collection::vec(any::<i64>(), 0..30), of_role in proptest::option::of(any::<i64>())) {
            let unusual = judged(rows, &history, of_role);
            prop_assert!(unusual.is_none_or(|unusual| unusual.rows > unusual.threshold_rows && unusual.threshold_rows >= 5_000));
        }
    }
}
