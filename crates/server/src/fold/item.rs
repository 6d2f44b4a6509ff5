//! Items: what a batch says of them, which is where in the log they are to be found; and an item as those events say it.

use std::collections::BTreeMap;

use protocol::id::{ItemId, TurnId};
use serde_json::{Map, Value};

use super::Fact;

#[cfg(test)]
mod tests;

/// A streamed text stops growing here; the item's end brings all of it, or an artifact.
const TEXT_BYTES: usize = 1024 * 1024;

/// What a batch says of one item. Places are those of its events in the batch, from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// All of it, if the batch has that; else only pieces of its text.
    pub whole: Option<Whole>,
    /// There are pieces of its text among it.
    pub pieces: bool,
    /// The last event about it.
    pub last: usize,
}

/// An item as a whole, the last time that the batch has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// Its turn.
    pub turn_id: TurnId,
    /// The first event of the batch that has all of it.
    pub first: usize,
    /// The item begins there: most likely nobody has heard of it.
    pub begun: bool,
    /// The last one.
    pub place: usize,
    /// It has ended.
    pub completed: bool,
}

/// What a batch says of items.
pub fn changes<'a>(facts: impl Iterator<Item = &'a Fact>) -> BTreeMap<&'a ItemId, Change> {
    let mut changes: BTreeMap<&ItemId, Change> = BTreeMap::new();
    let unsaid = || Change {
        whole: None,
        pieces: false,
        last: 0,
    };
    for (place, fact) in facts.enumerate() {
        match fact {
            Fact::Item {
                turn_id,
                item_id,
                begun,
                completed,
            } => {
                let change = changes.entry(item_id).or_insert_with(unsaid);
                let before = change.whole.as_ref();
                change.whole = Some(Whole {
                    turn_id: turn_id.clone(),
                    first: before.map_or(place, |it| it.first),
                    begun: before.map_or(*begun, |it| it.begun),
                    place,
                    completed: *completed,
                });
                change.last = place;
            }
            Fact::Piece { item_id } => {
                let change = changes.entry(item_id).or_insert_with(unsaid);
                change.pieces = true;
                change.last = place;
            }
            Fact::TurnStarted { .. }
            | Fact::TurnEnded { .. }
            | Fact::Asked { .. }
            | Fact::Resolved { .. }
            | Fact::Renamed { .. }
            | Fact::Model { .. }
            | Fact::Other => {}
        }
    }
    changes
}

/// Puts a piece into an item as an event before it has it. The piece is an event's payload.
pub fn take_piece(item: &mut Map<String, Value>, piece: &Value) {
    let at = piece.get("at").and_then(Value::as_u64);
    if let (Some(at), Some(text)) = (at, piece.get("text").and_then(Value::as_str)) {
        grow(item, at, text);
    }
}

/// Puts a piece of streamed text where it belongs; at the end, when something before it is missing.
fn grow(item: &mut Map<String, Value>, at: u64, piece: &str) {
    if !matches!(
        item.get("type").and_then(Value::as_str),
        Some("agentMessage" | "reasoning")
    ) {
        return;
    }
    if let Some(Value::String(text)) = item.get_mut("text") {
        text.truncate(byte_of_unit(text, at));
        if text.len() + piece.len() <= TEXT_BYTES {
            text.push_str(piece);
        }
    }
}

/// Where UTF-16 unit `unit` begins in `text`, in bytes; the end when there are fewer.
fn byte_of_unit(text: &str, unit: u64) -> usize {
    let mut units = 0;
    for (byte, letter) in text.char_indices() {
        if units >= unit {
            return byte;
        }
        units += letter.len_utf16() as u64;
    }
    text.len()
}
