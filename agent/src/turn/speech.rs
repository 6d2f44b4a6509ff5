//! Takes in what the model says: text as it streams, finished entries into the context, calls for [`super::act`].

use futures::StreamExt;
use models::{Piece, Prompt};
use protocol::context::{Content, Entry};
use protocol::{EventKind, Failure, Item, ItemId, ItemKind, ItemStatus, Live, TurnId};

use super::{Error, Seams, append, append_all, meter};
use crate::tool::Call;

/// Streamed text is made durable at least this often, so that a crash loses little of it.
const DURABLE_EVERY_MS: u64 = 2_000;
/// … or after this many UTF-16 units.
const DURABLE_EVERY_UNITS: u64 = 8_192;

/// A message or a thought that is still being said. Dropped unfinished (the turn was stopped), it keeps what was said.
struct Streaming<'a> {
    seams: &'a Seams,
    turn_id: &'a TurnId,
    item: Option<Item>,
    units: u64,
    durable_bytes: usize,
    durable_units: u64,
    durable_ms: u64,
    wrap: fn(String) -> ItemKind,
    /// Text that was said but never became an entry goes into the context when it is a message.
    message: bool,
}

impl<'a> Streaming<'a> {
    fn new(seams: &'a Seams, turn_id: &'a TurnId, message: bool) -> Self {
        let wrap = if message {
            |text| ItemKind::AgentMessage { text }
        } else {
            |text| ItemKind::Reasoning { text }
        };
        let durable_ms = seams.clock.now_ms();
        Self {
            seams,
            turn_id,
            item: None,
            units: 0,
            durable_bytes: 0,
            durable_units: 0,
            durable_ms,
            wrap,
            message,
        }
    }

    fn text(&self) -> &str {
        match self.item.as_ref().map(|it| &it.kind) {
            Some(ItemKind::AgentMessage { text } | ItemKind::Reasoning { text }) => text,
            _ => "",
        }
    }

    fn push(&mut self, piece: String) -> Result<(), Error> {
        let units = if piece.is_ascii() {
            piece.len()
        } else {
            piece.encode_utf16().count()
        } as u64;
        if self.item.is_none() {
            let item = Item {
                id: ItemId::new(),
                status: ItemStatus::InProgress,
                started_ms: self.seams.clock.now_ms(),
                ended_ms: None,
                kind: (self.wrap)(String::new()),
            };
            append(
                self.seams,
                EventKind::ItemStarted {
                    turn_id: self.turn_id.clone(),
                    item: item.clone(),
                },
            )?;
            self.durable_ms = item.started_ms;
            self.item = Some(item);
        }
        let Some(item) = self.item.as_mut() else { return Ok(()) };
        if let ItemKind::AgentMessage { text } | ItemKind::Reasoning { text } = &mut item.kind {
            text.push_str(&piece);
        }
        let item_id = item.id.clone();
        self.seams.log.live(Live::Text {
            item_id,
            at: self.units,
            text: piece,
        });
        self.units += units;
        self.keep_if_due()
    }

    fn keep_if_due(&mut self) -> Result<(), Error> {
        let fresh = self.units - self.durable_units;
        // The clock is asked rarely: a fast stream has hundreds of pieces in the time it takes to matter.
        if fresh < DURABLE_EVERY_UNITS && (fresh < 64 || self.seams.clock.now_ms() < self.durable_ms + DURABLE_EVERY_MS)
        {
            return Ok(());
        }
        let Some(item_id) = self.item.as_ref().map(|it| it.id.clone()) else {
            return Ok(());
        };
        let text = self.text().get(self.durable_bytes..).unwrap_or_default().to_owned();
        self.durable_bytes += text.len();
        append(
            self.seams,
            EventKind::ItemAppended {
                item_id,
                at: self.durable_units,
                text,
            },
        )?;
        self.durable_units = self.units;
        self.durable_ms = self.seams.clock.now_ms();
        Ok(())
    }

    /// The provider starts this message again.
    fn restart(&mut self) -> Result<(), Error> {
        let wrap = self.wrap;
        let Some(item) = self.item.as_mut() else { return Ok(()) };
        item.kind = wrap(String::new());
        let item = item.clone();
        (self.units, self.durable_bytes, self.durable_units) = (0, 0, 0);
        append(
            self.seams,
            EventKind::ItemUpdated {
                turn_id: self.turn_id.clone(),
                item,
            },
        )
    }

    /// It was said to its end: `text` is the whole, where the provider repeats it.
    fn finish(&mut self, text: Option<String>) -> Result<(), Error> {
        if self.item.is_none() && text.as_deref().is_some_and(|it| !it.is_empty()) {
            self.push(text.clone().unwrap_or_default())?;
        }
        let Some(mut item) = self.item.take() else {
            return Ok(());
        };
        if let Some(text) = text.filter(|it| !it.is_empty()) {
            item.kind = (self.wrap)(text);
        }
        item.status = ItemStatus::Completed;
        item.ended_ms = Some(self.seams.clock.now_ms());
        (self.units, self.durable_bytes, self.durable_units) = (0, 0, 0);
        append(
            self.seams,
            EventKind::ItemCompleted {
                turn_id: self.turn_id.clone(),
                item,
            },
        )
    }
}

impl Drop for Streaming<'_> {
    fn drop(&mut self) {
        let Some(mut item) = self.item.take() else { return };
        item.status = ItemStatus::Interrupted;
        item.ended_ms = Some(self.seams.clock.now_ms());
        let mut kinds = Vec::new();
        if self.message
            && let ItemKind::AgentMessage { text } = &item.kind
            && !text.is_empty()
        {
            let entries = vec![Entry::text(protocol::context::Role::Assistant, text.clone())];
            kinds.push(EventKind::ContextAppended {
                turn_id: self.turn_id.clone(),
                entries,
            });
        }
        kinds.push(EventKind::ItemCompleted {
            turn_id: self.turn_id.clone(),
            item,
        });
        if let Err(error) = append_all(self.seams, kinds) {
            tracing::error!(%error, "the partial answer could not be kept");
        }
    }
}

/// Streams one answer of the model. What it wants done comes back.
pub(super) async fn listen(seams: &Seams, turn_id: &TurnId, prompt: Prompt) -> Result<Vec<Call>, Error> {
    let mut pieces = seams.provider.stream(prompt);
    let mut message = Streaming::new(seams, turn_id, true);
    let mut thought = Streaming::new(seams, turn_id, false);
    let mut calls = Vec::new();
    let mut usage = None;
    let mut incomplete = None;
    let mut ended = false;
    while let Some(piece) = pieces.next().await {
        match piece.map_err(|error| Error::Failed(error.into()))? {
            Piece::Text(text) => message.push(text)?,
            Piece::Reasoning(text) => thought.push(text)?,
            Piece::ReasoningBreak => thought.push("\n\n".to_owned())?,
            Piece::Entry(entry) => {
                // Into the context first: what a crash then loses is only the look of it.
                let entries = vec![entry.clone()];
                append(
                    seams,
                    EventKind::ContextAppended {
                        turn_id: turn_id.clone(),
                        entries,
                    },
                )?;
                take(&entry, &mut message, &mut thought, &mut calls)?;
            }
            Piece::Usage(it) => usage = Some(it),
            Piece::Retrying {
                attempt,
                max,
                wait_ms,
                failure,
            } => {
                message.restart()?;
                thought.restart()?;
                seams.log.live(Live::Retrying {
                    turn_id: turn_id.clone(),
                    attempt,
                    max,
                    failure,
                    wait_ms,
                });
            }
            Piece::Done { incomplete: why } => {
                incomplete = why;
                ended = true;
            }
        }
    }
    message.finish(None)?;
    thought.finish(None)?;
    let context = meter(seams, usage)?;
    append(
        seams,
        EventKind::UsageUpdated {
            turn_id: turn_id.clone(),
            last: usage.unwrap_or_default(),
            context,
        },
    )?;
    if let Some(why) = incomplete {
        return Err(Error::Failed(cut_short(&why)));
    }
    if !ended {
        return Err(Error::Failed(cut_short("the stream ended early")));
    }
    Ok(calls)
}

/// A finished entry ends what was streaming, or is a call.
fn take(
    entry: &Entry,
    message: &mut Streaming<'_>,
    thought: &mut Streaming<'_>,
    calls: &mut Vec<Call>,
) -> Result<(), Error> {
    match entry {
        Entry::Message { content, .. } => {
            let text = content
                .iter()
                .filter_map(|it| match it {
                    Content::Text { text } => Some(text.as_str()),
                    Content::Image { .. } => None,
                })
                .collect::<String>();
            thought.finish(None)?;
            message.finish(Some(text))
        }
        Entry::Reasoning { summary, .. } => thought.finish(Some(summary.join("\n\n"))),
        Entry::Call {
            call_id,
            name,
            arguments,
            freeform,
            ..
        } => {
            thought.finish(None)?;
            calls.push(Call {
                call_id: call_id.clone(),
                name: name.clone(),
                arguments: arguments.clone(),
                freeform: *freeform,
            });
            Ok(())
        }
        Entry::Output { .. } => Ok(()),
    }
}

fn cut_short(why: &str) -> Failure {
    let (message, hint) = match why {
        "max_output_tokens" | "length" => (
            "The model stopped because its answer reached the longest length it may have.",
            "Ask it to go on, or to do the task in smaller parts.",
        ),
        "content_filter" => (
            "The provider's content filter stopped the answer.",
            "Say it differently, or use another model.",
        ),
        _ => (
            "The model's answer ended before it was complete.",
            "Send the message again.",
        ),
    };
    let code = if why == "content_filter" {
        protocol::Code::ContentRefused
    } else {
        protocol::Code::ProviderFailed
    };
    Failure::new(code, message).hint(hint).details(why)
}
