//! When to ask again, and how long to wait. Bounded in attempts and in total wait.
use std::time::Duration;

use jiff::Timestamp;

/// Of reads only. A write is sent again only when it cannot have left this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The first attempt counts.
    pub attempts_max: u32,
    /// Doubled after every attempt.
    pub delay_first_ms: u64,
    pub delay_ms_max: u64,
    /// Over all waits of one call. A `Retry-After` beyond what is left ends the call at once.
    pub wait_total_ms_max: u64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts_max: 5, delay_first_ms: 500, delay_ms_max: 15_000, wait_total_ms_max: 60_000 }
    }
}

impl RetryPolicy {
    pub const fn never() -> Self {
        Self { attempts_max: 1, delay_first_ms: 0, delay_ms_max: 0, wait_total_ms_max: 0 }
    }

    /// For tests: the same number of attempts, waits of a millisecond or two.
    pub const fn fast() -> Self {
        Self { attempts_max: 5, delay_first_ms: 1, delay_ms_max: 4, wait_total_ms_max: 1_000 }
    }

    /// How long to wait before the next attempt, or `None` when the call has to end here.
    /// `attempt` counts from 1; `jitter` is in `0.0..=1.0` and takes away at most half of our own delay.
    pub fn wait(
        &self,
        attempt: u32,
        waited: Duration,
        retry_after: Option<Duration>,
        jitter: f64,
    ) -> Option<Duration> {
        if attempt >= self.attempts_max {
            return None;
        }
        let doubled = self.delay_first_ms.saturating_mul(1u64 << attempt.saturating_sub(1).min(20));
        let own =
            Duration::from_millis(doubled.min(self.delay_ms_max)).mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0);
        // The vendor's word is a lower bound: never earlier than it asked for.
        let wait = retry_after.map_or(own, |asked| asked.max(own));
        (waited.saturating_add(wait) <= Duration::from_millis(self.wait_total_ms_max)).then_some(wait)
    }
}

/// `Retry-After` in both of its forms (RFC 9110, 10.2.3): seconds, or an HTTP date.
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(value).ok()?;
    let at = Timestamp::try_from(at).ok()?;
    Some(Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy =
        RetryPolicy { attempts_max: 4, delay_first_ms: 100, delay_ms_max: 300, wait_total_ms_max: 10_000 };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn delays_double_up_to_the_limit_and_attempts_end() {
        let waits: Vec<_> = (1..=4).map(|attempt| POLICY.wait(attempt, ms(0), None, 0.0)).collect();
        assert_eq!(waits, [Some(ms(100)), Some(ms(200)), Some(ms(300)), None]);
        assert_eq!(POLICY.wait(1, ms(0), None, 1.0), Some(ms(50)));
    }

    #[test]
    fn the_vendors_wait_is_kept_and_ends_the_call_when_it_is_too_long() {
        assert_eq!(POLICY.wait(1, ms(0), Some(ms(3_000)), 0.5), Some(ms(3_000)));
        assert_eq!(POLICY.wait(1, ms(8_000), Some(ms(3_000)), 0.5), None);
        assert_eq!(POLICY.wait(1, ms(0), Some(Duration::MAX), 0.5), None);
    }

    #[test]
    fn retry_after_reads_seconds_and_dates() {
        let now: Timestamp = "2026-03-01T10:00:00Z".parse().unwrap();
        assert_eq!(retry_after("120", now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after("Sun, 01 Mar 2026 10:00:30 GMT", now), Some(Duration::from_secs(30)));
        assert_eq!(retry_after("Sun, 01 Mar 2026 09:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", now), None);
    }
}
