//! What an attempt comes to.

use std::time::Duration;

use protocol::workspace::webhook::DeliveryState;
use reqwest::StatusCode;

use super::judge;
use crate::config::Egress;
use crate::webhook::SendError;

fn refused() -> Result<u16, SendError> {
    Err(SendError::Status(StatusCode::INTERNAL_SERVER_ERROR))
}

#[test]
fn each_failure_waits_longer_and_the_last_one_gives_up() {
    let retries = Egress::default().retries;
    let mut waits = Vec::new();
    for attempt in 1..=retries.len() as u64 {
        let tried = judge(refused(), attempt, 1000, &retries, 1.0);
        assert_eq!(tried.state, DeliveryState::Pending);
        assert_eq!((tried.attempts, tried.at_ms, tried.status), (attempt, 1000, Some(500)));
        waits.push(tried.due_at_ms - 1000);
    }
    assert_eq!(waits, [10_000, 60_000, 600_000, 3_600_000, 21_600_000]);
    let last = judge(refused(), retries.len() as u64 + 1, 1000, &retries, 1.0);
    assert_eq!(last.state, DeliveryState::Dead);
    assert_eq!(last.error.as_deref(), Some("the answer was 500, not 2xx"));
}

#[test]
fn waits_are_spread_and_success_needs_none() {
    let retries = [Duration::from_secs(10)];
    assert_eq!(judge(refused(), 1, 0, &retries, 0.8).due_at_ms, 8_000);
    assert_eq!(judge(refused(), 1, 0, &retries, 1.2).due_at_ms, 12_000);
    let sent = judge(Ok(204), 1, 7, &retries, 1.2);
    assert_eq!((sent.state, sent.status), (DeliveryState::Delivered, Some(204)));
    assert_eq!(sent.error, None);
    let late = judge(Err(SendError::Late(Duration::from_secs(5))), 2, 7, &retries, 1.0);
    assert_eq!((late.state, late.status), (DeliveryState::Dead, None));
}
