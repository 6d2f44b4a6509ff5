//! How often somebody may do something: token buckets, bounded in number, that know no clock of their own.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use protocol::id::UserId;
use protocol::workspace::log::BATCH_EVENTS;

use crate::config::Limits;

/// At most so many buckets of one kind. Full ones are forgotten first: they say nothing.
const BUCKETS: usize = 20_000;

/// Refused credentials that a node writes down in a minute; the others are counted in the next line.
const REFUSALS_WRITTEN: u32 = 120;

/// What fills and how fast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// What a full bucket holds.
    pub holds: f64,
    /// What flows in, in a millisecond.
    pub per_ms: f64,
}

impl Rate {
    /// So many in a second, and twice as many at once.
    #[must_use]
    pub fn per_second(number: u32) -> Self {
        Self {
            holds: f64::from(number) * 2.0,
            per_ms: f64::from(number) / 1000.0,
        }
    }

    /// So many in a second, and at least `once` at once.
    #[must_use]
    pub fn with_batches_of(self, once: u32) -> Self {
        Self {
            holds: self.holds.max(f64::from(once)),
            ..self
        }
    }

    /// So many in a minute, all at once if need be.
    #[must_use]
    pub fn per_minute(number: u32) -> Self {
        Self {
            holds: f64::from(number),
            per_ms: f64::from(number) / 60_000.0,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    holds: f64,
    at_ms: u64,
}

/// One bucket a key.
#[derive(Debug)]
pub struct Buckets<K> {
    rate: Rate,
    buckets: Mutex<HashMap<K, Bucket>>,
}

impl<K: Eq + Hash> Buckets<K> {
    /// All of them full.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        Self {
            rate,
            buckets: Mutex::new(HashMap::new()),
        }
    }

    /// Takes `number` out, or says in how many milliseconds there will be as many.
    pub fn take(&self, key: K, number: u32, now_ms: u64) -> Result<(), u64> {
        let number = f64::from(number);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS && !buckets.contains_key(&key) {
            buckets.retain(|_, it| it.holds + self.inflow(*it, now_ms) < self.rate.holds);
            if buckets.len() >= BUCKETS {
                // Nobody can be told apart any more; better a short time without limits than one without memory.
                buckets.clear();
            }
        }
        let bucket = buckets.entry(key).or_insert(Bucket {
            holds: self.rate.holds,
            at_ms: now_ms,
        });
        bucket.holds = (bucket.holds + self.inflow(*bucket, now_ms)).min(self.rate.holds);
        bucket.at_ms = bucket.at_ms.max(now_ms);
        if bucket.holds >= number {
            bucket.holds -= number;
            return Ok(());
        }
        Err(milliseconds((number - bucket.holds) / self.rate.per_ms))
    }

    #[expect(clippy::cast_precision_loss, reason = "a span of milliseconds is far below 2^53")]
    fn inflow(&self, bucket: Bucket, now_ms: u64) -> f64 {
        now_ms.saturating_sub(bucket.at_ms) as f64 * self.rate.per_ms
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to an hour before"
)]
fn milliseconds(ms: f64) -> u64 {
    ms.ceil().clamp(1.0, 3_600_000.0) as u64
}

/// The buckets of a node's gate.
#[derive(Debug)]
pub struct Rates {
    /// Requests of a person.
    pub requests: Buckets<UserId>,
    /// Events that a person appends, whatever the thread and the way.
    pub events: Buckets<UserId>,
    /// Refused credentials of a network.
    pub refused: Buckets<IpAddr>,
    /// Lines in the audit log about refused credentials, whosever they were: a flood from everywhere fills no disk.
    pub refusals_written: Buckets<()>,
    /// Refusals since the last such line that got none.
    pub refusals_unwritten: AtomicU64,
    /// Lines in the audit log that somebody signed in: one in twelve hours, since every request brings a token.
    pub sign_ins: Buckets<UserId>,
}

impl Rates {
    /// As configured.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self {
            requests: Buckets::new(Rate::per_second(limits.requests_per_s)),
            // A whole batch must fit, or it could never be taken.
            events: Buckets::new(Rate::per_second(limits.events_per_s).with_batches_of(BATCH_EVENTS as u32)),
            refused: Buckets::new(Rate::per_minute(limits.failures_per_min)),
            refusals_written: Buckets::new(Rate::per_minute(REFUSALS_WRITTEN)),
            refusals_unwritten: AtomicU64::new(0),
            sign_ins: Buckets::new(Rate {
                holds: 1.0,
                per_ms: 1.0 / (12.0 * 3_600_000.0),
            }),
        }
    }
}

/// Whose address it is, for counting: of IPv6 the network of 64 bits, which one machine may have whole.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(it) => IpAddr::V6(Ipv6Addr::from_bits(it.to_bits() & !u128::from(u64::MAX))),
        it @ IpAddr::V4(_) => it,
    }
}

#[cfg(test)]
mod tests;
