//! What counts as an echo.

use sync::frame::{Awareness, Frame, put_awareness};

use super::*;

fn said(clock: u32, state: &str) -> Bytes {
    let said = Awareness {
        client: 7,
        clock,
        state,
    };
    Frame::Awareness(put_awareness(std::iter::once(said))).encode()
}

#[test]
fn only_what_was_written_comes_back_as_an_echo() {
    let mut echo = Echo::default();
    assert!(!echo.is(&said(1, "{}")));
    echo.wrote(&said(1, "{}"));
    assert!(echo.is(&said(1, "{}")));
    // Somebody's own words about the same client are news.
    assert!(!echo.is(&said(2, "{}")));
    assert!(!echo.is(&said(1, "null")));
}

#[test]
fn edits_are_never_taken_for_echoes() {
    let mut echo = Echo::default();
    let edit = Frame::Update(Bytes::from_static(&[0, 0])).encode();
    echo.wrote(&edit);
    assert!(!echo.is(&edit));
}

#[test]
fn what_is_kept_is_bounded() {
    let mut echo = Echo::default();
    let large = said(1, &format!("\"{}\"", "x".repeat(BYTES)));
    echo.wrote(&large);
    assert!(!echo.is(&large));
    for clock in 0..=KEPT as u32 {
        echo.wrote(&said(clock, "{}"));
    }
    assert!(!echo.is(&said(0, "{}")));
    assert!(echo.is(&said(1, "{}")));
    assert!(echo.is(&said(KEPT as u32, "{}")));
}
