//! Streams and who has seen how much of them.

use super::*;

fn output(at: u64, text: &str) -> Live {
    Live::Output {
        item_id: ItemId::from("i"),
        at,
        text: text.to_owned(),
    }
}

fn text(at: u64, text: &str) -> Live {
    Live::Text {
        item_id: ItemId::from("m"),
        at,
        text: text.to_owned(),
    }
}

fn collect(feed: &Feed, seen: &mut Seen) -> Vec<Live> {
    feed.collect(0, seen, 8 * 1024).unwrap().0
}

#[test]
fn a_slow_reader_gets_the_newest_output_and_memory_stays_bounded() {
    let feed = Feed::new();
    let mut seen = Seen::default();
    feed.live(output(0, "first\n"));
    assert_eq!(collect(&feed, &mut seen), [output(0, "first\n")]);
    let line = "0123456789abcde\n";
    for count in 0..1_000_000_u64 {
        feed.live(output(6 + count * 16, line));
    }
    {
        let streams = feed.streams();
        let Body::Output(kept) = &streams.items[0].body else {
            unreachable!()
        };
        assert!(kept.window.capacity() <= 8 * WINDOW && kept.marks.len() == 1);
    }
    let end = 6 + 16_000_000;
    assert_eq!(collect(&feed, &mut seen), [output(end - 8192, &line.repeat(512))]);
    assert_eq!(collect(&feed, &mut seen), []);
}

#[test]
fn places_in_an_output_count_its_bytes_not_those_of_replaced_letters() {
    let feed = Feed::new();
    let mut seen = Seen::default();
    // One invalid byte is shown as a letter of three.
    feed.live(output(0, "a\u{fffd}b"));
    feed.live(output(3, "cd"));
    assert_eq!(collect(&feed, &mut seen), [output(0, "a\u{fffd}bcd")]);
    feed.live(output(5, "e"));
    assert_eq!(collect(&feed, &mut seen), [output(5, "e")]);
}

#[test]
fn text_that_is_taken_back_is_sent_anew() {
    let feed = Feed::new();
    let mut seen = Seen::default();
    feed.live(text(0, "Hello wor"));
    assert_eq!(collect(&feed, &mut seen), [text(0, "Hello wor")]);
    feed.live(text(0, ""));
    assert_eq!(collect(&feed, &mut seen), [text(0, "")]);
    feed.live(text(0, "Good "));
    feed.live(text(5, "day"));
    assert_eq!(collect(&feed, &mut seen), [text(0, "Good day")]);
}

#[test]
fn a_long_text_comes_in_pieces_of_whole_letters() {
    let feed = Feed::new();
    let mut seen = Seen::default();
    let long = "𝕏é".repeat(4_000);
    feed.live(text(0, &long));
    let mut got = String::new();
    loop {
        let (pieces, more) = feed.collect(0, &mut seen, 1_000).unwrap();
        for piece in pieces {
            let Live::Text { at, text, .. } = piece else {
                unreachable!()
            };
            assert_eq!(at, units(&got));
            assert!(text.len() <= 1_000);
            got.push_str(&text);
        }
        if !more {
            break;
        }
    }
    assert!(got == long);
}

#[test]
fn a_retry_is_told_once_and_forgotten_when_text_comes() {
    let retrying = Live::Retrying {
        turn_id: protocol::TurnId::from("t"),
        attempt: 1,
        max: 5,
        failure: protocol::Failure::new(protocol::Code::Unreachable, "no"),
        wait_ms: 200,
    };
    let feed = Feed::new();
    let (mut early, mut late) = (Seen::default(), Seen::default());
    feed.live(retrying.clone());
    assert_eq!(collect(&feed, &mut early), [retrying]);
    assert_eq!(collect(&feed, &mut early), []);
    feed.live(text(0, "a"));
    assert_eq!(collect(&feed, &mut late), [text(0, "a")]);
}
