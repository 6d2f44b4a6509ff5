//! How a machine's events get into the log: all of a batch or nothing, once however often it is sent, under the lease.

use protocol::id::ThreadId;
use protocol::workspace::log::{Acked, BATCH_BYTES, BATCH_EVENTS, Batch, PAYLOAD_BYTES};
use protocol::workspace::people::Role;
use protocol::workspace::problem::{Problem, ProblemCode};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::app::App;
use crate::bus::Hint;
use crate::fold::{Fact, Taken, changes, is_name};
use crate::gate::Place;
use crate::problem::{Answer, Refusal};
use crate::store::StoreError;
use crate::store::batch::{self, Claim, Header, Line, Standing};
use crate::store::events::SERVER;
use crate::store::fold::{self, Wanted};

#[cfg(test)]
mod tests;

/// Two batches of one producer may meet; each of them moves it on, so this many meetings end.
const ATTEMPTS: usize = 8;

/// A [`Batch`] whose payloads are still the text that came: that is what is kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Incoming {
    producer_id: String,
    lease_epoch: u64,
    base: u64,
    events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Event {
    event_id: String,
    at_ms: u64,
    payload: Box<RawValue>,
}

impl From<Batch> for Incoming {
    fn from(batch: Batch) -> Self {
        let events = batch.events.into_iter().map(|it| Event {
            event_id: it.event_id,
            at_ms: it.at_ms,
            // Values are always text.
            payload: serde_json::value::to_raw_value(&it.payload).unwrap_or_else(|_| RawValue::NULL.to_owned()),
        });
        Self {
            producer_id: batch.producer_id,
            lease_epoch: batch.lease_epoch,
            base: batch.base,
            events: events.collect(),
        }
    }
}

/// Appends a batch, and answers when it is on the disk. Readers are told afterwards.
pub async fn append(app: &App, place: &Place, thread: &ThreadId, batch: Incoming) -> Answer<Acked> {
    if place.role < Role::Member {
        return Err(Refusal::forbidden("Viewers read; they do not append."));
    }
    place.open_for_changes()?;
    let batch = read(batch)?;
    let count = u32::try_from(batch.lines.len()).unwrap_or(u32::MAX);
    app.rates
        .events
        .take(place.caller.user.clone(), count, app.clock.now_ms())
        .map_err(Refusal::rate_limited)?;
    for _ in 0..ATTEMPTS {
        if let Some(acked) = attempt(app, place, thread, &batch).await? {
            return Ok(acked);
        }
    }
    Err(Refusal::conflict(
        "Other batches of this producer kept coming in between. Nothing was appended.",
    ))
}

/// A batch that makes sense by itself.
struct Checked {
    producer_id: String,
    epoch: u64,
    base: u64,
    lines: Vec<(Line, Fact)>,
}

impl Checked {
    fn claim<'a>(&'a self, place: &'a Place) -> Claim<'a> {
        Claim {
            user: &place.caller.user,
            producer_id: &self.producer_id,
            epoch: self.epoch,
        }
    }

    /// What comes after the producer's number `last`.
    fn after(&self, last: u64) -> &[(Line, Fact)] {
        let known = usize::try_from((last + 1).saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.lines.get(known..).unwrap_or_default()
    }
}

/// Looks at everything that needs no database.
fn read(batch: Incoming) -> Answer<Checked> {
    if !is_producer(&batch.producer_id) {
        return Err(Refusal::invalid(
            "A producer has a name of 1 to 64 letters, digits, `_` and `-`.",
        ));
    }
    if batch.events.is_empty() || batch.events.len() > BATCH_EVENTS {
        return Err(Refusal::invalid(format!("A batch has 1 to {BATCH_EVENTS} events.")));
    }
    if batch.base == 0 || batch.base > u64::from(u32::MAX) << 16 {
        return Err(Refusal::invalid(
            "`base` is the producer's number of the first event, from 1.",
        ));
    }
    let (mut lines, mut bytes) = (Vec::with_capacity(batch.events.len()), 0);
    for event in batch.events {
        let name = event.event_id;
        if !is_name(&name) || name.starts_with(SERVER) {
            return Err(Refusal::invalid(
                "An event has a name of 1 to 128 letters, digits, `_`, `.`, `:` and `-` that does not begin with `server`.",
            ));
        }
        if i64::try_from(event.at_ms).is_err() {
            return Err(Refusal::invalid(format!(
                "The event {name} happened at no time that there is."
            )));
        }
        let payload = String::from(Box::<str>::from(event.payload));
        if payload.len() > PAYLOAD_BYTES {
            return Err(too_large(format!("The event {name} is too large."), PAYLOAD_BYTES));
        }
        bytes += payload.len();
        if bytes > BATCH_BYTES {
            return Err(too_large("The batch is too large.".to_owned(), BATCH_BYTES));
        }
        let fact = Fact::read(&payload)
            .map_err(|error| Refusal::invalid(format!("The event {name} cannot be taken: {error}.")))?;
        let piece_of = match &fact {
            Fact::Piece { item_id } => Some(item_id.0.clone()),
            Fact::TurnStarted { .. }
            | Fact::TurnEnded { .. }
            | Fact::Item { .. }
            | Fact::Asked { .. }
            | Fact::Resolved { .. }
            | Fact::Renamed { .. }
            | Fact::Model { .. }
            | Fact::Other => None,
        };
        let line = Line {
            event_id: name,
            at_ms: event.at_ms,
            piece_of,
            payload,
        };
        lines.push((line, fact));
    }
    Ok(Checked {
        producer_id: batch.producer_id,
        epoch: batch.lease_epoch,
        base: batch.base,
        lines,
    })
}

/// None when another batch was quicker and it has to be looked at again.
async fn attempt(app: &App, place: &Place, thread: &ThreadId, batch: &Checked) -> Answer<Option<Acked>> {
    // Nearly every batch is the next one, by who may append it: that is taken at its word, and the database says whether it
    // is so. Only what is not so is looked at with care.
    if let Some(acked) = write(app, place, thread, batch, batch.base - 1).await? {
        return Ok(Some(acked));
    }
    let claim = batch.claim(place);
    let mut tx = app.store.begin().await?;
    let standing = place.store(app).standing(&mut tx, thread, claim).await?;
    tx.rollback().await?;
    let standing = standing.ok_or_else(Refusal::not_found)?;
    let last = may_append(&standing, claim, app.clock.now_ms())?;
    if batch.base > last + 1 {
        return Err(Problem::new(
            ProblemCode::Gap,
            "Events before these are missing. Nothing was appended.",
        )
        .fact("expected", last + 1)
        .into());
    }
    if batch.after(last).is_empty() {
        return Ok(Some(Acked {
            acked: last,
            head_seq: standing.head_seq,
        }));
    }
    write(app, place, thread, batch, last).await
}

/// Writes what comes after the producer's number `last`, in one transaction. None when that is not where the producer is, or
/// when it may not append.
async fn write(app: &App, place: &Place, thread: &ThreadId, batch: &Checked, last: u64) -> Answer<Option<Acked>> {
    let now_ms = app.clock.now_ms();
    let claim = batch.claim(place);
    let new = batch.after(last);
    let count = new.len() as u64;
    let header = header(new.iter().map(|(_, fact)| fact));
    let lines: Vec<&Line> = new.iter().map(|(line, _)| line).collect();
    let items = changes(new.iter().map(|(_, fact)| fact));
    let batch = batch::Batch {
        thread,
        claim,
        now_ms,
        last,
        header: &header,
        lines: &lines,
        items: &items,
    };
    let wanted = Wanted::of(new.iter().map(|(_, fact)| fact));
    let written = if wanted.is_empty() {
        place
            .store(app)
            .write_batch(&batch)
            .await
            .map(|head| Some((head?, false)))
    } else {
        let taken = Taken {
            user: &place.caller.user,
            now_ms,
            approval_ttl_ms: app.config.limits.approval_ttl_s.saturating_mul(1000),
        };
        write_and_fold(app, place, &batch, &wanted, taken, new).await
    };
    let (head_seq, asked) = match written {
        Ok(Some(written)) => written,
        Ok(None) => return Ok(None),
        Err(error) if error.is_taken() => {
            return Err(Refusal::conflict(
                "The thread has another event with one of these names already. Nothing was appended.",
            ));
        }
        Err(error) => return Err(error.into()),
    };
    let (workspace, thread) = (place.workspace().clone(), thread.clone());
    if header != Header::default() || asked {
        app.bus.publish(Hint::Thread {
            workspace: workspace.clone(),
            thread: thread.clone(),
        });
    }
    app.bus.publish(Hint::Events {
        workspace,
        thread,
        head_seq,
    });
    Ok(Some(Acked {
        acked: last + count,
        head_seq,
    }))
}

/// As [`crate::store::Within::write_batch`], with turns and questions. Answers whether there were questions, too.
async fn write_and_fold(
    app: &App,
    place: &Place,
    batch: &batch::Batch<'_>,
    wanted: &Wanted,
    taken: Taken<'_>,
    new: &[(Line, Fact)],
) -> Result<Option<(u64, bool)>, StoreError> {
    let mut tx = app.store.begin_known().await?;
    let Some((log, head_seq)) = place.store(app).write_batch_within(&mut tx, batch).await? else {
        tx.rollback().await?;
        return Ok(None);
    };
    let first = head_seq + 1 - new.len() as u64;
    let mut fold = fold::load(&mut tx, log, wanted).await?;
    for (seq, (line, fact)) in (first..).zip(new) {
        fold.apply(seq, line.at_ms, taken, fact);
    }
    fold::save(&mut tx, log, first, &fold).await?;
    tx.commit().await?;
    Ok(Some((head_seq, !fold.approvals.is_empty())))
}

/// The producer's last number, if it is theirs and has the lease.
fn may_append(standing: &Standing, claim: Claim<'_>, now_ms: u64) -> Answer<u64> {
    let Some((whose, last)) = &standing.producer else {
        if standing.owner == *claim.user {
            return Err(fenced(standing.lease_epoch));
        }
        return Err(Refusal::forbidden("Only the machine that has the lease appends here."));
    };
    if whose != claim.user {
        return Err(Refusal::forbidden("This producer is somebody else's."));
    }
    let holds = standing.lease_producer.as_deref() == Some(claim.producer_id)
        && standing.lease_user.as_ref() == Some(claim.user)
        && standing.lease_epoch == claim.epoch
        && standing.lease_until_ms > now_ms;
    if !holds {
        return Err(fenced(standing.lease_epoch));
    }
    Ok(*last)
}

/// What the events say of the thread as a whole; the last word counts.
fn header<'a>(facts: impl Iterator<Item = &'a Fact>) -> Header {
    let mut header = Header::default();
    for fact in facts {
        match fact {
            Fact::TurnStarted { model, .. } => {
                header.turn_status = Some("running");
                header.model = Some(model.clone());
            }
            Fact::TurnEnded { status, .. } => {
                header.turn_status = Some(if *status == "failed" { "failed" } else { "idle" });
            }
            Fact::Renamed { title } if !title.trim().is_empty() => header.title = Some(title.clone()),
            Fact::Model { model } => header.model = Some(model.clone()),
            Fact::Renamed { .. }
            | Fact::Item { .. }
            | Fact::Piece { .. }
            | Fact::Asked { .. }
            | Fact::Resolved { .. }
            | Fact::Other => {}
        }
    }
    header
}

/// Whether it can name a producer, or what a client makes up for a request.
pub(crate) fn is_producer(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name != SERVER
        && name
            .bytes()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-'))
}

/// The lease is another's, or nobody's.
pub(crate) fn fenced(epoch: u64) -> Refusal {
    Problem::new(
        ProblemCode::Fenced,
        "The lease has moved on or has ended. Nothing was changed.",
    )
    .hint("Ask for the lease, and go on from its `next_producer_seq`.")
    .fact("epoch", epoch)
    .into()
}

fn too_large(message: String, limit: usize) -> Refusal {
    Problem::new(ProblemCode::TooLarge, message).fact("limit", limit).into()
}
