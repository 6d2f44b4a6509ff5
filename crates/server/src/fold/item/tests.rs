//! What a batch says of items, and what they are read as.

use serde_json::json;

use super::*;

fn item(id: &str, completed: bool) -> Fact {
    Fact::Item {
        turn_id: TurnId("t".to_owned()),
        item_id: ItemId(id.to_owned()),
        begun: !completed,
        completed,
    }
}

fn piece(id: &str) -> Fact {
    Fact::Piece {
        item_id: ItemId(id.to_owned()),
    }
}

fn whole(first: usize, place: usize, completed: bool) -> Option<Whole> {
    Some(Whole {
        turn_id: TurnId("t".to_owned()),
        first,
        begun: true,
        place,
        completed,
    })
}

#[test]
fn a_batch_says_where_its_items_are() {
    let facts = [
        piece("b"),
        item("a", false),
        piece("a"),
        Fact::Other,
        item("a", true),
        item("c", false),
        piece("c"),
    ];
    let expected = [
        ("a", whole(1, 4, true), true, 4),
        ("b", None, true, 0),
        ("c", whole(5, 5, false), true, 6),
    ];
    let changes: Vec<_> = changes(facts.iter())
        .into_iter()
        .map(|(id, it)| (id.as_str().to_owned(), it.whole, it.pieces, it.last))
        .collect();
    assert_eq!(
        changes,
        expected.map(|(id, whole, pieces, last)| (id.to_owned(), whole, pieces, last))
    );
}

#[test]
fn an_item_that_ends_without_having_begun_here_began_before() {
    let facts = [item("a", true), item("a", false)];
    let begun = changes(facts.iter()).into_values().next().unwrap().whole.unwrap().begun;
    assert!(!begun);
}

fn read(kind: &str, text: &str, pieces: &[(u64, &str)]) -> Value {
    let Value::Object(mut item) = json!({"type": kind, "text": text, "more": 1}) else {
        unreachable!()
    };
    for (at, text) in pieces {
        take_piece(&mut item, &json!({"at": at, "text": text}));
    }
    item["text"].clone()
}

#[test]
fn pieces_go_where_they_belong() {
    assert_eq!(read("agentMessage", "", &[(0, "ab"), (2, "c")]), "abc");
    assert_eq!(
        read("reasoning", "abc", &[(1, "x")]),
        "ax",
        "it was said anew from there"
    );
    assert_eq!(
        read("agentMessage", "ab", &[(9, "c")]),
        "abc",
        "something before it is missing"
    );
    assert_eq!(
        read("agentMessage", "", &[(0, "😀é"), (2, "x")]),
        "😀x",
        "units are those of UTF-16"
    );
    assert_eq!(
        read("command", "ab", &[(2, "c")]),
        "ab",
        "nothing else is streamed like this"
    );
}

#[test]
fn a_text_stops_growing_at_its_bound() {
    let most = "x".repeat(TEXT_BYTES);
    assert_eq!(
        read("agentMessage", "", &[(0, &most), (TEXT_BYTES as u64, "y")]),
        most.as_str()
    );
}
