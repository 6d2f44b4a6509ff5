//! Followers: cursors over one thread, or over what changes at home.

use std::sync::Arc;
use std::time::Duration;

use protocol::{Failure, Frame, ThreadId, Topic};
use tokio::sync::{broadcast, watch};

use crate::log::{Error, Logs, Reader};
use crate::thread::Shared;

/// Changes at home that come together are told together.
const TOGETHER: Duration = Duration::from_millis(50);

/// Delivers frames, one after another, for as long as it is asked.
pub struct Follower(Kind);

enum Kind {
    Thread(Box<Reader>),
    Home(Home),
}

struct Home {
    shared: Arc<Shared>,
    threads: broadcast::Receiver<ThreadId>,
    settings: watch::Receiver<u64>,
}

impl Follower {
    /// The next frame; waits for as long as nothing happens. `None` when nothing ever will.
    pub async fn next(&mut self) -> Option<Frame> {
        match &mut self.0 {
            Kind::Thread(reader) => reader.next().await,
            Kind::Home(home) => home.next().await,
        }
    }
}

pub(super) async fn follow(shared: &Arc<Shared>, topic: Topic) -> Result<Follower, Failure> {
    Ok(Follower(match topic {
        Topic::Home => Kind::Home(Home {
            threads: shared.logs.changes(),
            settings: shared.settings_changed.subscribe(),
            shared: Arc::clone(shared),
        }),
        Topic::Thread { thread_id, after } => {
            shared.logs.summary(&thread_id).await?;
            Kind::Thread(Box::new(shared.logs.follow(&thread_id, after)))
        }
    }))
}

enum News {
    Thread(ThreadId),
    /// More changed than the channel holds: look at all of them.
    Threads,
    Settings,
    End,
}

impl Home {
    async fn next(&mut self) -> Option<Frame> {
        let mut ids = Vec::new();
        let mut frame = Frame::default();
        let mut news = self.wait().await;
        let until = tokio::time::Instant::now() + TOGETHER;
        let all = loop {
            match news {
                News::Thread(id) if !ids.contains(&id) => ids.push(id),
                News::Thread(_) => {}
                News::Threads => break true,
                News::Settings => frame.settings = Some(Box::new(self.shared.settings())),
                News::End => return None,
            }
            match tokio::time::timeout_at(until, self.wait()).await {
                Ok(more) => news = more,
                Err(_) => break false,
            }
        };
        if all {
            frame.threads = everything(&self.shared.logs).await;
        } else {
            for id in ids {
                match self.shared.logs.summary(&id).await {
                    Ok(summary) => frame.threads.push(summary),
                    Err(Error::NoSuchThread(_)) => frame.removed.push(id),
                    // It is still there, so it must not vanish from the list.
                    Err(error) => tracing::warn!(%id, %error, "a thread that changed could not be read"),
                }
            }
        }
        Some(frame)
    }

    async fn wait(&mut self) -> News {
        tokio::select! {
            thread = self.threads.recv() => match thread {
                Ok(id) => News::Thread(id),
                Err(broadcast::error::RecvError::Lagged(_)) => News::Threads,
                Err(broadcast::error::RecvError::Closed) => News::End,
            },
            changed = self.settings.changed() => if changed.is_ok() { News::Settings } else { News::End },
        }
    }
}

async fn everything(logs: &Logs) -> Vec<protocol::thread::ThreadSummary> {
    let mut all = Vec::new();
    for archived in [false, true] {
        match logs.list(archived).await {
            Ok(threads) => all.extend(threads),
            Err(error) => tracing::error!(%error, "the list of threads could not be read"),
        }
    }
    all
}
