//! Does what the model wants done: each call is shown, decided, run, and answered. Independent calls run together.

use std::path::PathBuf;
use std::time::Duration;

use futures::future::join_all;
use protocol::context::{Content, Entry};
use protocol::{EventKind, Item, ItemId, ItemKind, ItemStatus, TurnId};
use tokio_util::sync::CancellationToken;

use super::{Error, Seams, append};
use crate::tool::{Access, AnyTool, Begin, Call, Cx, End, Grant, Output, Step};

mod ask;

pub(crate) use ask::{Asker, Claim, Pending};

/// How long a stopped tool may take to clean up after itself before it is dropped.
const GRACE: Duration = Duration::from_secs(3);

/// Runs calls and answers them all. An interrupted call is answered too, so that the context stays whole.
pub(crate) async fn act(
    seams: &Seams,
    turn_id: &TurnId,
    calls: Vec<Call>,
    stop: &CancellationToken,
) -> Result<(), Error> {
    let ends = join_all(calls.iter().map(|call| one(seams, turn_id, call, stop))).await;
    ends.into_iter().collect::<Result<(), Error>>()?;
    if stop.is_cancelled() {
        Err(Error::Interrupted)
    } else {
        Ok(())
    }
}

async fn one(seams: &Seams, turn_id: &TurnId, call: &Call, stop: &CancellationToken) -> Result<(), Error> {
    let (output, stopped) = match prepare(seams, turn_id, call)? {
        Prepared::Answered(output) => (output, false),
        Prepared::Ready(ready) => run(seams, turn_id, call, *ready, stop).await?,
    };
    let (content, ok) = match output {
        Output::Ok(content) => (content, true),
        Output::Failed(text) | Output::Denied(text) => (vec![Content::Text { text }], false),
    };
    let answer = Entry::Output {
        call_id: call.call_id.clone(),
        content,
        freeform: call.freeform,
        ok,
    };
    append(
        seams,
        EventKind::ContextAppended {
            turn_id: turn_id.clone(),
            entries: vec![answer],
        },
    )?;
    if stopped { Err(Error::Interrupted) } else { Ok(()) }
}

enum Prepared<'a> {
    /// It never came to anything; this is the answer.
    Answered(Output),
    /// It can be decided on.
    Ready(Box<Ready<'a>>),
}

struct Ready<'a> {
    tool: &'a dyn AnyTool,
    begin: Begin,
    item: Option<Item>,
}

fn prepare<'a>(seams: &'a Seams, turn_id: &TurnId, call: &Call) -> Result<Prepared<'a>, Error> {
    let begun = seams
        .tools
        .get(&call.name)
        .ok_or_else(|| format!("unsupported call: {}", call.name))
        .and_then(|tool| Ok((tool, tool.begin(call, &seams.cx)?)));
    let (tool, begin) = match begun {
        Ok(it) => it,
        Err(why) => {
            let kind = ItemKind::ToolCall {
                tool: call.name.clone(),
                arguments: call.arguments.clone(),
                output: why.clone(),
            };
            let mut item = new_item(seams, kind);
            append(
                seams,
                EventKind::ItemStarted {
                    turn_id: turn_id.clone(),
                    item: item.clone(),
                },
            )?;
            item.status = ItemStatus::Failed;
            complete(seams, turn_id, item)?;
            return Ok(Prepared::Answered(Output::Failed(why)));
        }
    };
    // A question that waited through a restart has its item already.
    let open = seams
        .asker
        .pending
        .parked(&call.call_id)
        .map(|it| it.item)
        .and_then(|id| {
            seams
                .log
                .state()
                .open_items
                .iter()
                .find(|(_, item)| item.id == id)
                .map(|(_, item)| item.clone())
        });
    let item = match (open, &begin.item) {
        (Some(item), _) => Some(item),
        (None, Some(kind)) => {
            let item = new_item(seams, kind.clone());
            append(
                seams,
                EventKind::ItemStarted {
                    turn_id: turn_id.clone(),
                    item: item.clone(),
                },
            )?;
            Some(item)
        }
        (None, None) => None,
    };
    Ok(Prepared::Ready(Box::new(Ready { tool, begin, item })))
}

async fn run(
    seams: &Seams,
    turn_id: &TurnId,
    call: &Call,
    ready: Ready<'_>,
    stop: &CancellationToken,
) -> Result<(Output, bool), Error> {
    let Ready { tool, begin, item } = ready;
    let item_id = item.as_ref().map_or_else(ItemId::new, |it| it.id.clone());
    let decision = seams
        .asker
        .decide(seams, turn_id, call, &item_id, &begin.access, stop)
        .await?;
    let by_person = matches!(decision, ask::Outcome::Declined(_) | ask::Outcome::NoAndStop(_));
    let end = match decision {
        ask::Outcome::Go(grant) => match keep_before(seams, turn_id, &begin.access, grant).await {
            Ok(()) => go(seams, call, tool, &item_id, grant, stop).await,
            Err(why) => End {
                item: None,
                status: ItemStatus::Failed,
                output: Output::Failed(why),
            },
        },
        ask::Outcome::Declined(why) | ask::Outcome::No(why) => End {
            item: None,
            status: ItemStatus::Declined,
            output: Output::Denied(why),
        },
        ask::Outcome::NoAndStop(why) => {
            stop.cancel();
            End {
                item: None,
                status: ItemStatus::Declined,
                output: Output::Denied(why),
            }
        }
        ask::Outcome::Stopped => End {
            item: None,
            status: ItemStatus::Interrupted,
            output: Output::Failed("aborted by the person before it ran".to_owned()),
        },
    };
    if let Some(mut item) = item
        && end.status != ItemStatus::InProgress
    {
        item.kind = end.item.unwrap_or(item.kind);
        item.status = end.status;
        if !by_person {
            explain(&mut item.kind, &end.output);
        }
        complete(seams, turn_id, item)?;
    }
    Ok((end.output, stop.is_cancelled()))
}

/// Says on the item of a call that came to nothing why it did: the model's answer is not on the screen.
fn explain(kind: &mut ItemKind, output: &Output) {
    let (Output::Failed(why) | Output::Denied(why)) = output else {
        return;
    };
    if let ItemKind::Command {
        tail,
        output: None,
        exit_code: None,
        ..
    } = kind
        && tail.is_empty()
    {
        tail.clone_from(why);
    } else if let ItemKind::FileChange {
        error: error @ None, ..
    } = kind
    {
        *error = Some(why.clone());
    }
}

async fn go(
    seams: &Seams,
    call: &Call,
    tool: &dyn AnyTool,
    item_id: &ItemId,
    grant: Grant,
    stop: &CancellationToken,
) -> End {
    let cx = Cx {
        stop: stop.child_token(),
        ..seams.cx.clone()
    };
    let mut running = tool.run(
        call,
        Step {
            item_id,
            grant,
            cx: &cx,
        },
    );
    tokio::select! {
        biased;
        end = &mut running => return end,
        () = stop.cancelled() => {}
    }
    tokio::time::timeout(GRACE, running).await.unwrap_or_else(|_| End {
        item: None,
        status: ItemStatus::Interrupted,
        output: Output::Failed("aborted by the person".to_owned()),
    })
}

/// Copies what the call may change, so that it can be undone. Without the copy the call does not run.
async fn keep_before(seams: &Seams, turn_id: &TurnId, access: &Access, grant: Grant) -> Result<(), String> {
    let kept = match access {
        Access::Nothing | Access::Read(_) => Ok(()),
        Access::Command(_) => {
            seams
                .checkpoints
                .before_command(&seams.cx.thread_id, turn_id, &seams.cx.policy, grant)
                .await
        }
        Access::Write(changes) => {
            let paths: Vec<PathBuf> = changes
                .iter()
                .flat_map(|it| std::iter::once(&it.path).chain(it.moved_from.as_ref()))
                .map(PathBuf::from)
                .collect();
            seams
                .checkpoints
                .before_write(&seams.cx.thread_id, turn_id, &paths)
                .await
        }
    };
    kept.map_err(|error| format!("not run: what it may change could not be kept for undo ({error})"))
}

fn new_item(seams: &Seams, kind: ItemKind) -> Item {
    let started_ms = seams.clock.now_ms();
    Item {
        id: ItemId::new(),
        status: ItemStatus::InProgress,
        started_ms,
        ended_ms: None,
        kind,
    }
}

fn complete(seams: &Seams, turn_id: &TurnId, mut item: Item) -> Result<(), Error> {
    item.ended_ms = Some(seams.clock.now_ms());
    append(
        seams,
        EventKind::ItemCompleted {
            turn_id: turn_id.clone(),
            item,
        },
    )
}
