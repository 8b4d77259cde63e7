//! A rate that one connection may keep up: a bucket that fills with time.
use std::time::Instant;

#[derive(Debug)]
pub struct Budget {
    per_second: f64,
    burst: f64,
    left: f64,
    at: Instant,
}

impl Budget {
    pub fn new(per_second: u32, burst: u32, now: Instant) -> Self {
        Self { per_second: f64::from(per_second), burst: f64::from(burst), left: f64::from(burst), at: now }
    }

    /// Takes one, if there is one.
    pub fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * self.per_second).min(self.burst);
        self.at = now;
        let has_one = self.left >= 1.0;
        if has_one {
            self.left -= 1.0;
        }
        has_one
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_is_let_through_and_then_the_rate() {
        let start = Instant::now();
        let mut budget = Budget::new(2, 3, start);
        assert_eq!([(); 4].map(|()| budget.take(start)), [true, true, true, false]);
        let later = start + Duration::from_millis(600);
        assert_eq!([(); 2].map(|()| budget.take(later)), [true, false]);
    }
}
