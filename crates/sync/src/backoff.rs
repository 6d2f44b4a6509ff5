//! How long to wait before trying again: longer each time, and never all at once with everybody else.

use std::time::Duration;

/// The first wait is about this long.
const FIRST: Duration = Duration::from_millis(100);
/// No wait is longer.
const LONGEST: Duration = Duration::from_secs(30);

/// Counts failures in a row.
#[derive(Debug, Clone, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// It worked: the next failure is the first one again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// It failed again. Answers how long to wait: between half and all of a time that doubles up to 30 seconds, and no less
    /// than `least`, which is what the other side asked for. `chance` is a random number from 0 to 1.
    pub fn next(&mut self, least: Option<Duration>, chance: f64) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let wait = whole.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0);
        match least {
            // What was asked for is asked of many at once, too.
            Some(least) => wait.max(least.mul_f64(1.0 + chance.clamp(0.0, 1.0) / 4.0)),
            None => wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_half_a_minute_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..12).map(|_| backoff.next(None, 1.0).as_millis()).collect();
        assert_eq!(
            waits,
            [100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000, 30000]
        );
        assert_eq!(backoff.next(None, 0.0), Duration::from_secs(15));
        assert_eq!(
            backoff.next(Some(Duration::from_secs(40)), 0.0),
            Duration::from_secs(40)
        );
        backoff.reset();
        assert_eq!(backoff.next(None, 0.0), Duration::from_millis(50));
    }
}
