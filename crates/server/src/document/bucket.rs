//! How often somebody may do something: a bucket of tokens that fills with time. Who is too quick waits; who is too quick for
//! too long is closed. Nothing is dropped.

use std::time::{Duration, Instant};

#[cfg(test)]
mod tests;

/// For how long somebody may be too quick without a pause.
const PATIENCE: Duration = Duration::from_secs(60);

/// What somebody may do so often a second, and twice as much at once.
#[derive(Debug)]
pub(crate) struct Bucket {
    rate: f64,
    tokens: f64,
    filled: Instant,
    /// Since when there was never as much as half a second's worth left.
    short_since: Option<Instant>,
}

/// What to do before the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Go on.
    Go,
    /// Wait so long.
    Wait(Duration),
    /// This has gone on for too long.
    Stop,
}

impl Bucket {
    /// A full one.
    pub(crate) fn new(rate: u32, now: Instant) -> Self {
        let rate = f64::from(rate.max(1));
        Self {
            rate,
            tokens: 2.0 * rate,
            filled: now,
            short_since: None,
        }
    }

    /// Takes so many tokens.
    pub(crate) fn take(&mut self, count: u32, now: Instant) -> Pace {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        self.filled = now;
        self.tokens = (self.tokens + passed * self.rate).min(2.0 * self.rate) - f64::from(count);
        if self.tokens >= self.rate / 2.0 {
            self.short_since = None;
            return Pace::Go;
        }
        let since = *self.short_since.get_or_insert(now);
        if now.saturating_duration_since(since) > PATIENCE {
            return Pace::Stop;
        }
        if self.tokens >= 0.0 {
            Pace::Go
        } else {
            Pace::Wait(Duration::from_secs_f64(-self.tokens / self.rate))
        }
    }
}
