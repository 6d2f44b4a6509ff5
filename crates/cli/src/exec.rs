//! `zspark exec`: one prompt, one turn, its result on stdout.
//!
//! [`plan`] turns flags, files and stdin into what is to be done, before anything runs; [`run`] does it.

mod json;
mod output;
mod overrides;
mod plan;
mod progress;
mod prompt;
mod signal;

use agent::engine::{Engine, Options};
use protocol::event::Topic;
use protocol::request::{
    OutputRead, OutputWindow, ThreadList, ThreadSettingsSet, ThreadStart, TurnInterrupt, TurnStart,
};
use protocol::thread::ThreadSummary;
use protocol::{Code, EventKind, Failure, Frame, Item, ItemKind, ThreadId, TurnId};

use self::output::Output;
pub(crate) use self::output::say;
use self::plan::{Ask, Target};
pub(crate) use self::plan::{Plan, plan};
pub(crate) use self::progress::{Paint, plain};
pub(crate) use self::prompt::Stdin;
use self::signal::Signals;
use crate::args::Exec;
use crate::outside::Outside;

/// Output of one command that a line carries; more is left out in the middle.
const OUTPUT_BYTES: usize = 1 << 20;

/// Runs the command and says how the process ends.
pub(crate) fn main(exec: Exec, outside: Outside) -> u8 {
    let json = exec.json();
    let mut output = Output::new(json, outside.paint(exec.color()), outside.stdout_is_terminal);
    let done = plan(exec, outside).and_then(|plan| {
        let runtime = crate::runtime()?;
        let done = runtime.block_on(run(plan, &mut output));
        // What still runs on other threads (a name look-up) has nothing to keep.
        runtime.shutdown_background();
        done
    });
    match done {
        Ok(code) => code,
        Err(failure) => {
            output.fail(&failure);
            1
        }
    }
}

/// One turn, from the start of the engine to its stop.
async fn run(plan: Plan, output: &mut Output) -> Result<u8, Failure> {
    let mut signals = Signals::listen()?;
    let engine = Engine::start(Options {
        home: plan.home,
        clock: plan.clock,
        inputs: plan.inputs,
        launcher: plan.launcher,
        secrets: None,
        attended: false,
        watch: false,
        rest: agent::engine::REST,
    })
    .await?;
    let ended = turn(&engine, plan.ask, output, &mut signals).await;
    engine.stop().await;
    drop(plan.ephemeral);
    let ended = ended?;
    if let Ended::Completed = ended {
        output.result();
        plan.last_message.map_or(Ok(()), |path| output.keep_last(&path))?;
    }
    Ok(match ended {
        Ended::Completed => 0,
        Ended::Failed => 1,
        Ended::Stopped(code) => code,
    })
}

/// How a turn ended.
enum Ended {
    Completed,
    Failed,
    /// Before its end, because of a signal or because nobody reads the output. With the exit code.
    Stopped(u8),
}

async fn turn(engine: &Engine, ask: Ask, output: &mut Output, signals: &mut Signals) -> Result<Ended, Failure> {
    let thread = open(engine, &ask).await?;
    let thread_id = thread.id.clone();
    let mut follower = engine
        .follow(Topic::Thread {
            thread_id: thread_id.clone(),
            after: thread.head_seq,
        })
        .await?;
    let started = engine
        .ask(TurnStart {
            thread_id: thread_id.clone(),
            input: ask.input,
            output_schema: ask.output_schema,
        })
        .await?
        .0;
    let Some(turn_id) = started.turn_id else {
        return Err(Failure::new(Code::Conflict, "a turn already runs in this thread")
            .hint("The prompt waits for its end. Look at the thread in the window where it runs."));
    };
    output.opening(&thread);
    let mut stopped = None;
    loop {
        tokio::select! {
            frame = follower.next() => {
                let Some(frame) = frame else {
                    return Err(Failure::new(Code::Internal, "the thread's log ended before the turn"));
                };
                if let Some(end) = show(engine, &thread_id, &turn_id, frame, output).await {
                    return Ok(match end {
                        Ended::Stopped(code) => Ended::Stopped(stopped.unwrap_or(code)),
                        Ended::Completed | Ended::Failed => end,
                    });
                }
                if output.broken() && stopped.is_none() {
                    stopped = Some(signal::BROKEN_PIPE);
                    interrupt(engine, &thread_id).await;
                }
            }
            code = signals.next() => {
                if stopped.is_some() {
                    // Asked twice: what is not done yet stays undone.
                    return Ok(Ended::Stopped(code));
                }
                stopped = Some(code);
                interrupt(engine, &thread_id).await;
            }
        }
    }
}

/// Shows one frame; tells when the turn has ended.
async fn show(engine: &Engine, thread: &ThreadId, turn: &TurnId, frame: Frame, output: &mut Output) -> Option<Ended> {
    let mut end = None;
    for mut event in frame.events {
        if let EventKind::ItemCompleted { item, .. } = &mut event.kind
            && output.is_json()
        {
            complete_output(engine, thread, item).await;
        }
        output.event(&event.kind);
        end = end.or(end_of(&event.kind, turn));
    }
    for live in &frame.live {
        output.live(live);
    }
    end
}

/// How the turn ended, if this is its end.
fn end_of(kind: &EventKind, turn: &TurnId) -> Option<Ended> {
    let (turn_id, ended) = if let EventKind::TurnCompleted { turn_id } = kind {
        (turn_id, Ended::Completed)
    } else if let EventKind::TurnFailed { turn_id, .. } = kind {
        (turn_id, Ended::Failed)
    } else if let EventKind::TurnInterrupted { turn_id, .. } = kind {
        (turn_id, Ended::Stopped(1))
    } else {
        return None;
    };
    (turn_id == turn).then_some(ended)
}

async fn interrupt(engine: &Engine, thread: &ThreadId) {
    // It may have ended by itself a moment ago; then its end is already on the way to us.
    let _ = engine
        .ask(TurnInterrupt {
            thread_id: thread.clone(),
        })
        .await;
}

/// The thread to work in.
async fn open(engine: &Engine, ask: &Ask) -> Result<ThreadSummary, Failure> {
    let cwd = &ask.cwd;
    let thread_id = match &ask.target {
        Target::New => {
            let start = ThreadStart {
                cwd: cwd.clone(),
                settings: ask.settings.clone(),
            };
            return Ok(engine.ask(start).await?.0);
        }
        Target::Named(name) => named(engine, name).await?,
        Target::Last { all } => {
            let threads = engine.ask(ThreadList { archived: false }).await?.0;
            let here = threads.into_iter().filter(|it| *all || it.cwd == *cwd);
            let last = here.max_by_key(|it| it.updated_ms);
            let none = || {
                Failure::new(Code::NotFound, format!("there is no thread in {cwd} yet"))
                    .hint("`zspark threads` lists all threads; `--all` takes the last one of any folder.")
            };
            last.ok_or_else(none)?.id
        }
    };
    let settings = ask.settings.clone();
    let thread = engine.ask(ThreadSettingsSet { thread_id, settings }).await?.0;
    if ask.cwd_given && thread.cwd != *cwd {
        let message = format!("this thread works in {}, so it cannot go on in {cwd}", thread.cwd);
        return Err(Failure::new(Code::Conflict, message).hint("Leave -C out, or start a new thread there."));
    }
    Ok(thread)
}

/// A thread by its id or its title; of several with the same title, the one used last.
async fn named(engine: &Engine, name: &str) -> Result<ThreadId, Failure> {
    if is_id(name) {
        return Ok(name.into());
    }
    let threads = engine.ask(ThreadList { archived: false }).await?.0;
    let titled = threads.into_iter().filter(|it| it.title == name);
    let found = titled.max_by_key(|it| it.updated_ms).map(|it| it.id);
    found.ok_or_else(|| {
        Failure::new(Code::NotFound, format!("there is no thread \"{name}\"")).hint("`zspark threads` lists them.")
    })
}

/// Whether this is written like an id: then no list is needed.
fn is_id(name: &str) -> bool {
    let groups: Vec<usize> = name.split('-').map(str::len).collect();
    groups == [8, 4, 4, 4, 12] && name.chars().all(|it| it.is_ascii_hexdigit() || it == '-')
}

/// A command's item carries the last lines of its output; a line carries all of it, within reason.
async fn complete_output(engine: &Engine, thread: &ThreadId, item: &mut Item) {
    let ItemKind::Command {
        tail,
        output: Some(output),
        ..
    } = &mut item.kind
    else {
        return;
    };
    if output.bytes <= tail.len() as u64 {
        return;
    }
    let mut text = String::new();
    let mut line = 0;
    loop {
        let read = engine.ask(OutputRead {
            thread_id: thread.clone(),
            blob: output.blob.clone(),
            line,
            limit: 1_000,
            query: None,
        });
        let Ok(OutputWindow { lines, total, .. }) = read.await.map(|it| it.0) else {
            // The tail is better than nothing.
            return;
        };
        if lines.is_empty() {
            break;
        }
        for it in &lines {
            text.push_str(it);
            text.push('\n');
        }
        line += lines.len() as u64;
        if line >= total || text.len() > OUTPUT_BYTES {
            break;
        }
    }
    if !tail.ends_with('\n') && text.ends_with('\n') {
        text.pop();
    }
    if text.len() > OUTPUT_BYTES {
        text.truncate(text.floor_char_boundary(OUTPUT_BYTES));
        let left_out = output.bytes.saturating_sub((text.len() + tail.len()) as u64);
        text.push_str(&format!("\n… {left_out} bytes left out …\n{tail}"));
    }
    *tail = text;
}
