//! What a vendor allows of each class of calls, and what was asked of it: token buckets that the calls of all clones of a
//! client take from, counts that somebody drains, and the day's quota that is worked out from them.
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use tokio::time::Instant;

use crate::VendorError;

/// The class of calls that name none.
pub const CLASS_COMMON: &str = "api";
/// This share of a window's units may leave at once; the rest is spread over the window. Both together are the limit, so
/// that no window holds more, wherever the vendor lets it begin.
const BURST_SHARE: u32 = 5;
/// Longest time that a vendor's word keeps calls away; then one may ask again.
const STAY_AWAY_MS_MAX: u64 = 15 * 60_000;

/// Units that calls of one class, or of any, may cost in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// `None`: calls of every class.
    pub class: Option<&'static str>,
    /// At least 2.
    pub units_max: u32,
    pub window_ms: u64,
}

impl Quota {
    pub const fn per_minute(units_max: u32) -> Self {
        Self { class: None, units_max, window_ms: 60_000 }
    }

    pub const fn of(class: &'static str, units_max: u32, window_ms: u64) -> Self {
        Self { class: Some(class), units_max, window_ms }
    }
}

/// The buckets of some quotas, and until when the vendor told a class to wait.
#[derive(Debug)]
pub(crate) struct Buckets {
    buckets: Vec<(Quota, Bucket)>,
    told_to_wait_until: Mutex<BTreeMap<&'static str, Instant>>,
}

impl Buckets {
    pub fn new(quotas: &[Quota]) -> Self {
        let buckets = quotas.iter().map(|quota| (*quota, Bucket::new(*quota))).collect();
        Self { buckets, told_to_wait_until: Mutex::default() }
    }

    /// Returns when this call may leave, with how long that took; at once, with the vendor's own word, when it told calls of
    /// this class to stay away for longer than `patience`.
    pub async fn wait(
        &self,
        class: &'static str,
        units: u32,
        patience: Duration,
    ) -> Result<Duration, VendorError> {
        let start = Instant::now();
        tokio::time::sleep_until(self.departure(class, units, start, patience)?).await;
        Ok(start.elapsed())
    }

    fn departure(
        &self,
        class: &str,
        units: u32,
        now: Instant,
        patience: Duration,
    ) -> Result<Instant, VendorError> {
        let mut at = now;
        if let Some(until) = self.blocked_until(class, now) {
            let left = until - now;
            if left > patience {
                return Err(VendorError::Throttled { retry_after: Some(left) });
            }
            at = until;
        }
        for (quota, bucket) in &self.buckets {
            if quota.class.is_none_or(|it| it == class) {
                at = bucket.take(units, at);
            }
        }
        Ok(at)
    }

    /// The vendor asked calls of this class to stay away: one that is made all the same would count again.
    pub fn stay_away(&self, class: &'static str, wait: Duration) {
        let until = Instant::now() + wait.min(Duration::from_millis(STAY_AWAY_MS_MAX));
        let mut all = self.told_to_wait_until.lock().unwrap_or_else(PoisonError::into_inner);
        let known = all.entry(class).or_insert(until);
        *known = until.max(*known);
    }

    fn blocked_until(&self, class: &str, now: Instant) -> Option<Instant> {
        let all = self.told_to_wait_until.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(class).copied().filter(|until| *until > now)
    }
}

#[derive(Debug)]
struct Bucket {
    /// Of one unit.
    interval: Duration,
    burst: Duration,
    /// When the bucket would be full again.
    full_at: Mutex<Option<Instant>>,
}

impl Bucket {
    fn new(quota: Quota) -> Self {
        let units = quota.units_max.max(2);
        let burst = (units / BURST_SHARE).max(1);
        let interval = Duration::from_millis(quota.window_ms) / (units - burst);
        Self { interval, burst: interval * burst, full_at: Mutex::new(None) }
    }

    /// When a call of so many units may leave. One that costs more than a burst leaves when the bucket is full.
    fn take(&self, units: u32, now: Instant) -> Instant {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let base = full_at.map_or(now, |at| at.max(now));
        let full = base + self.interval * units.max(1);
        *full_at = Some(full);
        full.checked_sub(self.burst.max(self.interval * units)).map_or(now, |at| at.max(now))
    }
}

/// Background work leaves so much of a day's quota to people.
const RESERVE_PERCENT: u64 = 10;

/// Units that a vendor takes in one day (UTC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayQuota {
    /// `None`: calls of every class.
    pub class: Option<&'static str>,
    pub units_max: u64,
    pub per: Per,
}

/// Whose units a day's quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// All of the connection.
    Connection,
    /// Each customer's behind it.
    Tenant,
}

impl DayQuota {
    fn counts(&self, class: &str) -> bool {
        self.class.is_none_or(|it| it == class)
    }
}

tokio::task_local! {
    static BACKGROUND: ();
}

/// Calls that this work makes by itself, in its own task, leave the reserve of a day's quota alone.
pub async fn in_background<F: Future>(work: F) -> F::Output {
    BACKGROUND.scope((), work).await
}

/// Whose attempts are counted together.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallKey {
    pub class: &'static str,
    /// Empty but for a quota that each tenant has of its own.
    pub tenant: String,
}

/// Attempts of one class since they were last taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub calls: u64,
    /// What they cost of a day's quota.
    pub units: u64,
    /// Answered with 429.
    pub throttled: u64,
    /// Without an answer, with a page instead of one, or with a status from 500.
    pub failed: u64,
    /// For quotas of our own.
    pub waited_ms: u64,
}

/// Every attempt at a vendor, by class, until somebody takes the counts; and what is left of the day.
#[derive(Debug, Default)]
pub struct CallCounts {
    quota: Option<DayQuota>,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    counted: BTreeMap<CallKey, Counted>,
    /// By tenant, what is not among `counted` any more.
    used: BTreeMap<String, u64>,
    on: Option<Date>,
}

impl CallCounts {
    /// With a day's quota. What was used of it before is nothing until [`Self::used_on`] says so.
    pub fn within(quota: Option<DayQuota>) -> Self {
        Self { quota, kept: Mutex::default() }
    }

    pub fn quota(&self) -> Option<DayQuota> {
        self.quota
    }

    /// Takes units of the day's quota before a call leaves: what the vendor would refuse is not sent, and what it was sent
    /// in vain counts as well.
    pub(crate) fn spend(
        &self,
        class: &'static str,
        tenant: &str,
        units: u32,
        now: Timestamp,
    ) -> Result<(), VendorError> {
        let key = self.key(class, tenant);
        let mut kept = self.kept();
        if let Some(quota) = self.quota.filter(|quota| quota.counts(class)) {
            kept.turn(day(now));
            let reserve = quota.units_max.saturating_mul(RESERVE_PERCENT) / 100;
            let is_background = BACKGROUND.try_with(|()| ()).is_ok();
            let max = if is_background { quota.units_max - reserve } else { quota.units_max };
            let ours =
                kept.counted.iter().filter(|(it, _)| it.tenant == key.tenant && quota.counts(it.class));
            let pending: u64 = ours.map(|(_, counted)| counted.units).sum();
            let used = kept.used.get(&key.tenant).copied().unwrap_or(0);
            if used.saturating_add(pending).saturating_add(units.into()) > max {
                return Err(VendorError::QuotaUsed { until: next_day(now) });
            }
        }
        kept.counted.entry(key).or_default().units += u64::from(units);
        Ok(())
    }

    pub(crate) fn add(&self, class: &'static str, tenant: &str, more: Counted) {
        let key = self.key(class, tenant);
        add(self.kept().counted.entry(key).or_default(), more);
    }

    /// Takes what was counted. It stays used of the day.
    pub fn take(&self) -> BTreeMap<CallKey, Counted> {
        let mut kept = self.kept();
        let taken = std::mem::take(&mut kept.counted);
        for (key, counted) in taken.iter().filter(|(key, _)| self.is_limited(key)) {
            *kept.used.entry(key.tenant.clone()).or_default() += counted.units;
        }
        taken
    }

    /// Puts counts back that could not be kept.
    pub fn put_back(&self, counts: BTreeMap<CallKey, Counted>) {
        let mut kept = self.kept();
        for (key, counted) in counts {
            if self.is_limited(&key)
                && let Some(used) = kept.used.get_mut(&key.tenant)
            {
                *used = used.saturating_sub(counted.units);
            }
            add(kept.counted.entry(key).or_default(), counted);
        }
    }

    /// What was written down of that day by everybody, by tenant: beside it only what was not taken yet counts.
    pub fn used_on(&self, on: Date, used: BTreeMap<String, u64>) {
        let mut kept = self.kept();
        (kept.on, kept.used) = (Some(on), used);
    }

    fn is_limited(&self, key: &CallKey) -> bool {
        self.quota.is_some_and(|quota| quota.counts(key.class))
    }

    fn key(&self, class: &'static str, tenant: &str) -> CallKey {
        let is_own = |quota: &DayQuota| quota.per == Per::Tenant && quota.counts(class);
        let tenant = if self.quota.as_ref().is_some_and(is_own) { tenant.to_owned() } else { String::new() };
        CallKey { class, tenant }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// A new day begins with nothing used.
    fn turn(&mut self, today: Date) {
        if self.on.is_some_and(|on| on != today) {
            self.used.clear();
        }
        self.on = Some(today);
    }
}

fn add(to: &mut Counted, more: Counted) {
    to.calls += more.calls;
    to.units += more.units;
    to.throttled += more.throttled;
    to.failed += more.failed;
    to.waited_ms += more.waited_ms;
}

/// The day that quotas are counted by.
pub fn day(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

fn next_day(now: Timestamp) -> Timestamp {
    let next = day(now).checked_add(1.day()).and_then(|day| day.to_zoned(TimeZone::UTC));
    next.map_or(now, |day| day.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds after the start at which each of `calls` may leave, all asked for at once.
    fn departures(quota: Quota, calls: u32, units: u32) -> Vec<Duration> {
        let (bucket, start) = (Bucket::new(quota), Instant::now());
        (0..calls).map(|_| bucket.take(units, start) - start).collect()
    }

    #[test]
    fn no_window_holds_more_than_allowed_and_a_burst_leaves_at_once() {
        for (limit, units) in [(2, 1), (7, 1), (60, 1), (500, 1), (60, 2), (500, 20), (10, 5)] {
            let quota = Quota::of("x", limit, 10_000);
            let all = departures(quota, limit * 3, units);
            let window = |from: Duration| {
                all.iter().filter(|at| **at >= from && **at < from + Duration::from_secs(10)).count()
            };
            let most = all.iter().map(|at| window(*at)).max();
            // One more than a burst's units may be under way when a call costs more than one.
            let allowed = (limit / units) as usize;
            assert!(most.is_some_and(|most| most <= allowed), "{limit}, {units} each: {most:?}");
        }
        let all = departures(Quota::per_minute(500), 150, 1);
        assert_eq!(all.iter().filter(|at| at.is_zero()).count(), 100);
        assert_eq!(all[100], Duration::from_millis(150));
    }

    #[test]
    fn an_idle_window_fills_the_bucket_once() {
        let (bucket, start) = (Bucket::new(Quota::per_minute(60)), Instant::now());
        for _ in 0..30 {
            bucket.take(1, start);
        }
        let later = start + Duration::from_secs(600);
        let free = (0..30).map(|_| bucket.take(1, later)).filter(|at| *at == later).count();
        assert_eq!(free, 12);
    }

    #[test]
    fn a_class_waits_for_its_own_quota_and_for_the_vendors_word() {
        let buckets = Buckets::new(&[Quota::of("reports", 5, 10_000)]);
        let start = Instant::now();
        let patience = Duration::from_secs(30);
        let leaves = |class| buckets.departure(class, 1, start, patience).map(|at| at - start);
        let reports: Vec<_> = (0..3).map(|_| leaves("reports").unwrap()).collect();
        assert_eq!(reports, [0, 2_500, 5_000].map(Duration::from_millis));
        assert_eq!(leaves(CLASS_COMMON).unwrap(), Duration::ZERO);

        buckets.stay_away(CLASS_COMMON, Duration::from_secs(20));
        let waited = leaves(CLASS_COMMON).unwrap();
        assert!(waited >= Duration::from_secs(20) && waited < Duration::from_secs(25), "{waited:?}");
        buckets.stay_away(CLASS_COMMON, Duration::from_secs(300));
        let refused = leaves(CLASS_COMMON);
        assert!(matches!(refused, Err(VendorError::Throttled { retry_after: Some(_) })), "{refused:?}");
    }

    #[test]
    fn counts_are_taken_once_and_can_be_put_back() {
        let counts = CallCounts::default();
        counts.add("a", "", Counted { calls: 2, throttled: 1, ..Counted::default() });
        let taken = counts.take();
        assert!(counts.take().is_empty());
        counts.add("a", "", Counted { calls: 1, ..Counted::default() });
        counts.put_back(taken);
        let key = CallKey { class: "a", tenant: String::new() };
        assert_eq!(counts.take()[&key], Counted { calls: 3, throttled: 1, ..Counted::default() });
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn used(refused: Result<(), VendorError>) -> Option<Timestamp> {
        match refused {
            Ok(()) => None,
            Err(VendorError::QuotaUsed { until }) => Some(until),
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn a_day_holds_its_quota_and_background_work_leaves_the_reserve() {
        let quota = DayQuota { class: Some("files"), units_max: 100, per: Per::Tenant };
        let counts = CallCounts::within(Some(quota));
        let (noon, midnight) = (at("2026-06-30T12:00:00Z"), at("2026-07-01T00:00:00Z"));
        let ask = |tenant: &str, units| used(counts.spend("files", tenant, units, noon));
        assert_eq!(in_background(async { ask("a", 90) }).await, None);
        assert_eq!(in_background(async { ask("a", 1) }).await, Some(midnight));
        // People have the rest, and no more; taking the counts changes nothing.
        assert_eq!(ask("a", 10), None);
        let taken = counts.take();
        assert_eq!((taken.len(), ask("a", 1)), (1, Some(midnight)));
        counts.put_back(taken);
        assert_eq!(ask("a", 1), Some(midnight));
        // Another tenant and another class have theirs.
        assert_eq!((ask("b", 100), used(counts.spend("api", "a", 1_000, noon))), (None, None));
        // What was written down by everybody counts; the next day begins anew.
        counts.take();
        counts.used_on(day(noon), BTreeMap::from([("a".to_owned(), 40)]));
        assert_eq!((ask("a", 60), ask("a", 1)), (None, Some(midnight)));
        counts.take();
        assert_eq!(used(counts.spend("files", "a", 100, midnight)), None);
    }
}
