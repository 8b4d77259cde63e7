//! How many calls a minute: a bucket that the calls of all clones of a client take from.
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// This share of a minute's calls may leave at once; the rest is spread over the minute. Both together are the limit, so
/// that no window of sixty seconds holds more, wherever the vendor lets its minute begin.
const BURST_SHARE: u32 = 5;

#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    burst: Duration,
    /// When the bucket would be full again.
    full_at: Mutex<Option<Instant>>,
}

impl Pace {
    pub fn per_minute(calls: u32) -> Self {
        let calls = calls.max(2);
        let burst = (calls / BURST_SHARE).max(1);
        let interval = Duration::from_secs(60) / (calls - burst);
        Self { interval, burst: interval * (burst - 1), full_at: Mutex::new(None) }
    }

    /// Returns when this call may leave.
    pub async fn wait(&self) {
        tokio::time::sleep_until(self.take(Instant::now())).await;
    }

    fn take(&self, now: Instant) -> Instant {
        let mut full_at = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        let base = full_at.map_or(now, |at| at.max(now));
        *full_at = Some(base + self.interval);
        base.checked_sub(self.burst).map_or(now, |at| at.max(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds after the start at which each of `calls` may leave, all asked for at once.
    fn departures(per_minute: u32, calls: usize) -> Vec<Duration> {
        let (pace, start) = (Pace::per_minute(per_minute), Instant::now());
        (0..calls).map(|_| pace.take(start) - start).collect()
    }

    #[test]
    fn no_minute_holds_more_than_allowed_and_a_burst_leaves_at_once() {
        for limit in [2u32, 7, 60, 500] {
            let all = departures(limit, limit as usize * 3);
            let window = |from: Duration| {
                all.iter().filter(|at| **at >= from && **at < from + Duration::from_secs(60)).count()
            };
            let most = all.iter().map(|at| window(*at)).max();
            assert!(most.is_some_and(|most| most <= limit as usize), "{limit}: {most:?}");
        }
        let all = departures(500, 150);
        assert_eq!(all.iter().filter(|at| at.is_zero()).count(), 100);
        assert_eq!(all[100], Duration::from_millis(150));
    }

    #[test]
    fn an_idle_minute_fills_the_bucket_once() {
        let (pace, start) = (Pace::per_minute(60), Instant::now());
        for _ in 0..30 {
            pace.take(start);
        }
        let later = start + Duration::from_secs(600);
        let free = (0..30).map(|_| pace.take(later)).filter(|at| *at == later).count();
        assert_eq!(free, 12);
    }
}
