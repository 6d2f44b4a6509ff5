//! What an event says about turns, items and questions. What is not known here is kept and passed on unread.

use std::borrow::Cow;

use protocol::approval::{DecidedBy, Decision};
use protocol::id::{ApprovalId, ItemId, TurnId};
use protocol::workspace::log::{ApprovalStatus, SERVER_EVENT_PREFIX};
use protocol::{EventKind, Item, ItemStatus};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

mod sound;
#[cfg(test)]
mod tests;

/// The types of [`EventKind`] that are read; another type is somebody's newer one.
const KNOWN: [&str; 19] = [
    "threadStarted",
    "threadRenamed",
    "threadPinned",
    "threadArchived",
    "settingsChanged",
    "turnStarted",
    "turnCompleted",
    "turnInterrupted",
    "turnFailed",
    "itemStarted",
    "itemUpdated",
    "itemAppended",
    "itemCompleted",
    "approvalRequested",
    "approvalResolved",
    "inputQueued",
    "inputDequeued",
    "usageUpdated",
    "changesReverted",
];

/// Characters of a title, as a person may give it.
const TITLE: usize = 200;

/// Why a payload is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misread {
    /// It cannot be read, and nobody else could.
    #[error("its payload cannot be read: {0}")]
    Text(String),
    /// It is no object with a type.
    #[error("its payload must be an object with a `type`")]
    NoType,
    /// Only the server may say this.
    #[error("only the server says `{0}`")]
    Servers(String),
    /// It is for the model's eyes only.
    #[error("`contextAppended` is what only the model reads: it is not shared")]
    Context,
    /// Its type is known, and it is not as that type is.
    #[error("it is no `{kind}`: {why}")]
    Shape {
        /// The type.
        kind: String,
        /// What does not fit.
        why: String,
    },
    /// An id in it is none.
    #[error("an id in it is not of 1 to 128 letters, digits, `_`, `.`, `:` and `-`")]
    Id,
}

/// What is folded.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// A turn began.
    TurnStarted {
        /// Which.
        turn_id: TurnId,
        /// With which model.
        model: String,
    },
    /// A turn ended.
    TurnEnded {
        /// Which.
        turn_id: TurnId,
        /// How.
        status: &'static str,
    },
    /// An item is like this from now on.
    Item {
        /// Its turn.
        turn_id: TurnId,
        /// Which.
        item_id: ItemId,
        /// It begins here.
        begun: bool,
        /// It has ended.
        completed: bool,
    },
    /// A piece of streamed text.
    Piece {
        /// Its item.
        item_id: ItemId,
    },
    /// A question was asked.
    Asked {
        /// Which.
        approval_id: ApprovalId,
        /// Its turn.
        turn_id: TurnId,
        /// As JSON text.
        payload: String,
        /// SHA-256 of that text, in hex.
        payload_hash: String,
    },
    /// The machine says what became of a question.
    Resolved {
        /// Which.
        approval_id: ApprovalId,
        /// What.
        status: ApprovalStatus,
        /// The person at the machine answered.
        by_person: bool,
    },
    /// The thread has another title.
    Renamed {
        /// The title.
        title: String,
    },
    /// The thread runs with another model.
    Model {
        /// Which.
        model: String,
    },
    /// Nothing that is folded.
    Other,
}

impl Fact {
    /// Reads a payload, which is JSON text.
    pub fn read(text: &str) -> Result<Self, Misread> {
        // Most events are this, so it is read where it lies.
        if let Ok(Piece {
            kind: "itemAppended",
            item_id,
            ..
        }) = serde_json::from_str(text)
        {
            named(&item_id)?;
            return Ok(Self::Piece {
                item_id: ItemId(item_id.into_owned()),
            });
        }
        let kind = sound::kind(text)
            .map_err(|error| Misread::Text(brief(&error)))?
            .ok_or(Misread::NoType)?;
        if kind.starts_with(SERVER_EVENT_PREFIX) {
            return Err(Misread::Servers(kind.chars().take(64).collect()));
        }
        if kind == "contextAppended" {
            return Err(Misread::Context);
        }
        if !KNOWN.contains(&kind.as_ref()) {
            return Ok(Self::Other);
        }
        let event: EventKind = serde_json::from_str(text).map_err(|error| Misread::Shape {
            kind: kind.into_owned(),
            why: brief(&error),
        })?;
        Self::of(event, text)
    }

    fn of(event: EventKind, payload: &str) -> Result<Self, Misread> {
        Ok(match event {
            EventKind::TurnStarted { turn_id, settings, .. } => Self::TurnStarted {
                turn_id: turn(turn_id)?,
                model: tidy(&settings.model),
            },
            EventKind::TurnCompleted { turn_id } => ended(turn_id, "completed")?,
            EventKind::TurnInterrupted { turn_id, .. } => ended(turn_id, "interrupted")?,
            EventKind::TurnFailed { turn_id, .. } => ended(turn_id, "failed")?,
            EventKind::ItemStarted { turn_id, item } => {
                let completed = item.status != ItemStatus::InProgress;
                whole(turn_id, item, true, completed)?
            }
            EventKind::ItemUpdated { turn_id, item } => {
                let completed = item.status != ItemStatus::InProgress;
                whole(turn_id, item, false, completed)?
            }
            EventKind::ItemCompleted { turn_id, item } => whole(turn_id, item, false, true)?,
            EventKind::ItemAppended { item_id, .. } => {
                named(item_id.as_str())?;
                Self::Piece { item_id }
            }
            EventKind::ApprovalRequested { approval } => {
                named(approval.id.as_str())?;
                let asked: Asked = serde_json::from_str(payload).map_err(|error| Misread::Text(brief(&error)))?;
                let text = asked.approval.to_string();
                Self::Asked {
                    approval_id: approval.id,
                    turn_id: turn(approval.turn_id)?,
                    payload_hash: format!("{:x}", Sha256::digest(&text)),
                    payload: text,
                }
            }
            EventKind::ApprovalResolved {
                approval_id,
                decision,
                by,
            } => {
                named(approval_id.as_str())?;
                let status = match (&by, decision) {
                    (DecidedBy::Nobody, _) => ApprovalStatus::Cancelled,
                    (_, Decision::Once | Decision::Thread | Decision::Always { .. }) => ApprovalStatus::Accepted,
                    (_, Decision::Decline { .. }) => ApprovalStatus::Declined,
                };
                Self::Resolved {
                    approval_id,
                    status,
                    by_person: by == DecidedBy::Person,
                }
            }
            EventKind::ThreadRenamed { title } => Self::Renamed { title: tidy(&title) },
            EventKind::ThreadStarted { settings, .. } | EventKind::SettingsChanged { settings } => Self::Model {
                model: tidy(&settings.model),
            },
            EventKind::ContextAppended { .. } => return Err(Misread::Context),
            EventKind::ThreadPinned { .. }
            | EventKind::ThreadArchived { .. }
            | EventKind::InputQueued { .. }
            | EventKind::InputDequeued { .. }
            | EventKind::UsageUpdated { .. }
            | EventKind::ChangesReverted { .. } => Self::Other,
        })
    }
}

/// [`EventKind::ItemAppended`] with nothing else in it, where it lies.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Piece<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    item_id: Cow<'a, str>,
    #[serde(rename = "at")]
    _at: u64,
    #[serde(borrow, rename = "text")]
    _text: Cow<'a, str>,
}

/// [`EventKind::ApprovalRequested`], with the question as it was written.
#[derive(Deserialize)]
struct Asked {
    approval: Value,
}

/// Whether it can name something: 1 to 128 letters, digits, `_`, `.`, `:` and `-`.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'.' | b':' | b'-'))
}

fn named(text: &str) -> Result<(), Misread> {
    is_name(text).then_some(()).ok_or(Misread::Id)
}

fn turn(id: TurnId) -> Result<TurnId, Misread> {
    named(id.as_str())?;
    Ok(id)
}

fn ended(turn_id: TurnId, status: &'static str) -> Result<Fact, Misread> {
    Ok(Fact::TurnEnded {
        turn_id: turn(turn_id)?,
        status,
    })
}

fn whole(turn_id: TurnId, item: Item, begun: bool, completed: bool) -> Result<Fact, Misread> {
    named(item.id.as_str())?;
    Ok(Fact::Item {
        turn_id: turn(turn_id)?,
        item_id: item.id,
        begun,
        completed,
    })
}

/// What a reader said, without pages of what it was about.
fn brief(error: &serde_json::Error) -> String {
    error.to_string().chars().take(200).collect()
}

/// Text for a list: on one line, and not longer than a person may make it.
fn tidy(text: &str) -> String {
    text.chars().filter(|it| !it.is_control()).take(TITLE).collect()
}
