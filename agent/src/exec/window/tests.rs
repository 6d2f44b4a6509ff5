//! Windows on outputs.

use std::collections::VecDeque;

use super::{Window, last, unfinished};

#[test]
fn what_fits_is_shown_whole() {
    let mut window = Window::new(100);
    window.push(b"one ");
    window.push("zw\u{f6}lf".as_bytes());
    let shown = window.take(100);
    assert_eq!(
        (shown.text.as_str(), shown.omitted, shown.bytes, shown.tokens()),
        ("one zw\u{f6}lf", 0, 10, 3)
    );
    assert_eq!(window.take(100).text, "", "what was shown is not shown again");
}

#[test]
fn what_does_not_fit_loses_its_middle_and_says_how_much() {
    let check = |kept: usize, limit: usize, head: &str, omitted: u64, tail: &str| {
        let mut window = Window::new(kept);
        for piece in b"0123456789abcdefghij".chunks(3) {
            window.push(piece);
        }
        let shown = window.take(limit);
        assert_eq!(
            shown.text,
            format!("{head}\n... {omitted} bytes omitted ...\n{tail}"),
            "{kept} {limit}"
        );
        assert_eq!((shown.omitted, shown.bytes), (omitted, 20));
    };
    check(100, 8, "0123", 12, "ghij");
    check(10, 100, "01234", 10, "fghij");
    check(10, 4, "01", 16, "ij");
    check(1, 1, "", 19, "j");
}

#[test]
fn a_character_is_never_cut() {
    let mut window = Window::new(1000);
    window.push("\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}".as_bytes());
    let shown = window.take(6);
    assert_eq!(shown.text, "\u{e4}\n... 6 bytes omitted ...\n\u{e4}");
}

#[test]
fn a_huge_piece_takes_no_more_room_than_a_small_one() {
    let mut window = Window::new(1000);
    window.push(&vec![b'x'; 10_000_000]);
    assert!(window.head.capacity() + window.tail.capacity() <= 4000);
    assert_eq!(window.take(10_000).omitted, 9_999_000);
}

#[test]
fn binary_output_is_noted_and_text_in_any_language_is_not() {
    let check = |bytes: &[u8], expect: bool| {
        let mut window = Window::new(1000);
        window.push(bytes);
        assert_eq!(window.take(1000).binary, expect, "{bytes:?}");
    };
    check(b"\x7fELF\0\0\0", true);
    check(&[0xff; 50], true);
    check("\u{4f60}\u{597d}".as_bytes(), false);
    check(b"caf\xe9 and a long line of plain text", false);
}

#[test]
fn an_unfinished_character_waits_for_its_rest() {
    let check = |bytes: &[u8], expect: usize| assert_eq!(unfinished(bytes), expect, "{bytes:?}");
    check(b"abc", 0);
    check("\u{20ac}".as_bytes(), 0);
    check(&"\u{20ac}".as_bytes()[..2], 2);
    check(&"\u{20ac}".as_bytes()[..1], 1);
    check(&"\u{1f600}".as_bytes()[..3], 3);
    check(&[0x80, 0x80, 0x80, 0x80], 0);
}

#[test]
fn a_tail_is_never_longer_than_asked_for() {
    let bytes: VecDeque<u8> = [0xff; 100].into_iter().collect();
    assert!(last(&bytes, 10).len() <= 10);
    let bytes: VecDeque<u8> = "\u{20ac}uro".bytes().collect();
    assert_eq!(last(&bytes, 5), "uro");
    assert_eq!(last(&bytes, 6), "\u{20ac}uro");
}
