//! How often a person may call, and how often a customer may be acted upon. In memory of this process: a limit on load
//! and on runaway loops, not on rights.
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use kernel::{
    ApiError, ErrorCode, Timestamp,
    id::{CustomerId, UserId},
};

/// Buckets kept at once; above this the full ones are dropped, and all if that is not enough.
const BUCKETS_MAX: usize = 20_000;
const MINUTE_MS: i64 = 60_000;

/// A token bucket: so many at once, refilled by so many a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub burst: i64,
    pub per_minute: i64,
}

/// What a call costs, and so how often it is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// Looks something up.
    Read,
    /// Changes something, or starts what does.
    Act,
    /// Makes a vendor answer at length.
    Sync,
}

impl RateClass {
    pub const ALL: [Self; 3] = [Self::Read, Self::Act, Self::Sync];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Act => "act",
            Self::Sync => "sync",
        }
    }

    pub const fn per_user(self) -> Rate {
        match self {
            Self::Read => Rate { burst: 120, per_minute: 600 },
            Self::Act => Rate { burst: 60, per_minute: 120 },
            Self::Sync => Rate { burst: 20, per_minute: 20 },
        }
    }

    /// Of all people together.
    pub const fn per_customer(self) -> Rate {
        match self {
            Self::Read => Rate { burst: 600, per_minute: 3_000 },
            Self::Act => Rate { burst: 240, per_minute: 480 },
            Self::Sync => Rate { burst: 40, per_minute: 40 },
        }
    }
}

/// Whose bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Whose {
    User(UserId),
    Customer(CustomerId),
}

/// Per bucket the instant at which it is full again (the generic cell rate algorithm).
#[derive(Debug, Default)]
pub(crate) struct Limiter(Mutex<HashMap<(RateClass, Whose), i64>>);

impl Limiter {
    /// Takes one token, or says in how many seconds there is one.
    pub(crate) fn take(&self, class: RateClass, whose: Whose, now: Timestamp) -> Result<(), u64> {
        let rate = match whose {
            Whose::User(_) => class.per_user(),
            Whose::Customer(_) => class.per_customer(),
        };
        let now_ms = now.as_millisecond();
        let token_ms = MINUTE_MS / rate.per_minute;
        let mut full_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if full_at.len() >= BUCKETS_MAX {
            full_at.retain(|_, full| *full > now_ms);
            if full_at.len() >= BUCKETS_MAX {
                tracing::warn!(
                    buckets = full_at.len(),
                    "the limits of functions were reset: too many callers"
                );
                full_at.clear();
            }
        }
        let full = full_at.entry((class, whose)).or_insert(now_ms);
        let after = (*full).max(now_ms) + token_ms;
        let over_ms = after - now_ms - rate.burst * token_ms;
        if over_ms > 0 {
            return Err(u64::try_from(over_ms).unwrap_or(0).div_ceil(1_000).max(1));
        }
        *full = after;
        Ok(())
    }
}

pub(crate) fn too_many(class: RateClass, whose: Whose, retry_after_s: u64) -> ApiError {
    let (of, rate) = match whose {
        Whose::User(_) => ("your calls", class.per_user()),
        Whose::Customer(_) => ("all calls for this customer", class.per_customer()),
    };
    let limit = format!(
        "The limit of {of} of class `{}` is {} at once and {} a minute.",
        class.name(),
        rate.burst,
        rate.per_minute
    );
    ApiError::new(ErrorCode::TooMany, "Too many calls. Nothing was done.")
        .details(limit)
        .hint(format!("Come back in {retry_after_s} s."))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).expect("an instant")
    }

    #[test]
    fn a_burst_is_taken_then_one_for_each_that_came_back() {
        let limiter = Limiter::default();
        let start = at(1_000_000);
        let me = Whose::User(UserId::new(start));
        let rate = RateClass::Sync.per_user();
        for taken in 0..rate.burst {
            assert_eq!(limiter.take(RateClass::Sync, me, start), Ok(()), "{taken}");
        }
        assert_eq!(limiter.take(RateClass::Sync, me, start), Err(3));
        let later = start + SignedDuration::from_secs(3);
        assert_eq!(limiter.take(RateClass::Sync, me, later), Ok(()));
        assert_eq!(limiter.take(RateClass::Sync, me, later), Err(3));
        assert_eq!(limiter.take(RateClass::Act, me, later), Ok(()), "classes do not share");
        let other = Whose::User(UserId::new(start));
        assert_eq!(limiter.take(RateClass::Sync, other, later), Ok(()), "people do not share");
    }

    #[test]
    fn the_buckets_are_bounded() {
        let limiter = Limiter::default();
        for one in 0..=BUCKETS_MAX {
            let whose = Whose::Customer(CustomerId::new(at(1_000_000)));
            assert_eq!(limiter.take(RateClass::Act, whose, at(1_000_000)), Ok(()), "{one}");
        }
        assert!(limiter.0.lock().expect("a lock").len() <= BUCKETS_MAX);
    }
}
