//! The waiting times between attempts.

use std::time::Duration;

use super::{backoff, first_words};

#[test]
fn waits_double_up_to_ten_seconds() {
    let first = Duration::from_millis(200);
    let waits: Vec<u128> = [0, 1, 2, 3, 4, 20]
        .iter()
        .map(|it| backoff(first, *it, 0.5).as_millis())
        .collect();
    assert_eq!(waits, [200, 400, 800, 1_600, 3_200, 10_000]);
    assert_eq!(backoff(first, 0, 0.0).as_millis(), 180);
    assert_eq!(backoff(first, 0, 1.0).as_millis(), 220);
}

#[test]
fn a_page_is_told_in_its_words() {
    assert_eq!(
        first_words("<html><head><title>Sign in</title></head>\n<body><p>Corporate&nbsp;proxy</p></body></html>"),
        "Sign in Corporate&nbsp;proxy"
    );
}
