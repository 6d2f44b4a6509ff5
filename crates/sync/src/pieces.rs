//! Streamed text in fewer, larger pieces: what a model says letter by letter need not be shared letter by letter.

use protocol::workspace::log::{NewEvent, PAYLOAD_BYTES};
use serde_json::Value;

/// One piece grows to so many bytes of text: escaped as JSON it still fits into a payload.
const PIECE_BYTES: usize = PAYLOAD_BYTES / 8;

/// Joins pieces of the same item's text that follow each other without a gap. A joined piece keeps the name and time of its
/// first one. For events that were not queued yet; 50 to 100 ms of them at a time is what a reader does not notice.
#[must_use]
pub fn joined(events: Vec<NewEvent>) -> Vec<NewEvent> {
    let mut result: Vec<NewEvent> = Vec::with_capacity(events.len());
    for event in events {
        if !result
            .last_mut()
            .is_some_and(|last| join(&mut last.payload, &event.payload))
        {
            result.push(event);
        }
    }
    result
}

/// Adds a piece to the one before it. False when they are no such pair.
fn join(to: &mut Value, piece: &Value) -> bool {
    let (Some((item, at, text)), Some((other, begins, more))) = (read(to), read(piece)) else {
        return false;
    };
    // Places are counted in UTF-16 units, as the log does.
    let ends = at + text.encode_utf16().count() as u64;
    if item != other || begins != ends || text.len() + more.len() > PIECE_BYTES {
        return false;
    }
    let whole = format!("{text}{more}");
    to["text"] = Value::String(whole);
    true
}

/// The item, the place and the text of a piece (`protocol::EventKind::ItemAppended`).
fn read(payload: &Value) -> Option<(&str, u64, &str)> {
    let fields = payload.as_object().filter(|it| it.len() == 4)?;
    let word = |name: &str| fields.get(name).and_then(Value::as_str);
    let at = fields.get("at").and_then(Value::as_u64)?;
    (word("type") == Some("itemAppended")).then_some((word("itemId")?, at, word("text")?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn piece(name: &str, item: &str, at: u64, text: &str) -> NewEvent {
        NewEvent {
            event_id: name.to_owned(),
            at_ms: 1,
            payload: json!({"type": "itemAppended", "itemId": item, "at": at, "text": text}),
        }
    }

    #[test]
    fn only_what_follows_without_a_gap_is_joined() {
        let other = NewEvent {
            payload: json!({"type": "unheardOf"}),
            ..piece("x", "", 0, "")
        };
        let shared = joined(vec![
            piece("1", "i", 0, "h€"),
            piece("2", "i", 2, "😀"),
            piece("3", "i", 4, "!"),
            piece("4", "j", 0, "a"),
            piece("5", "j", 2, "c"),
            other.clone(),
            piece("6", "j", 3, "d"),
        ]);
        let expected = [
            piece("1", "i", 0, "h€😀!"),
            piece("4", "j", 0, "a"),
            piece("5", "j", 2, "c"),
            other,
            piece("6", "j", 3, "d"),
        ];
        assert_eq!(shared, expected);
    }

    #[test]
    fn a_piece_grows_only_as_far_as_it_can_be_sent() {
        // Every letter is six bytes when it is written as JSON.
        let text = "\u{1}".repeat(5000);
        let many = (0..20)
            .map(|it| piece(&format!("{it}"), "i", it * 5000, &text))
            .collect();
        let shared = joined(many);
        assert!(shared.len() > 1);
        assert!(shared.iter().all(|it| it.payload.to_string().len() < PAYLOAD_BYTES));
    }
}
