//! What goes on in a workspace as a whole: its threads, its activity, and who is there.

use protocol::id::ThreadId;
use protocol::workspace::live::Present;
use protocol::workspace::log::SharedThread;
use protocol::workspace::people::Activity;
use tokio::sync::mpsc;

use super::follower::Claim;
use super::live::Heard;
use crate::backoff::Backoff;
use crate::trouble::Trouble;

/// What is new.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Watching begins, for the first time or after a break: lists that were read before may be out of date.
    Begins,
    /// A thread is new or has changed.
    Thread(Box<SharedThread>),
    /// A thread is gone, or no longer for this person.
    ThreadGone(ThreadId),
    /// New lines of activity, in order, none of them twice.
    Activity(Vec<Activity>),
    /// Everybody who is there.
    Presence(Vec<Present>),
}

/// Watches one workspace. Dropping it ends that.
#[derive(Debug)]
pub struct Watcher {
    claim: Claim,
    seen: u64,
    heard: Option<mpsc::Receiver<Heard>>,
    backoff: Backoff,
}

impl Watcher {
    pub(super) fn new(claim: Claim, after: u64) -> Self {
        Self {
            claim,
            seen: after,
            heard: None,
            backoff: Backoff::default(),
        }
    }

    /// What is new; waits until there is something. Dropping the future loses nothing.
    ///
    /// # Errors
    /// It can be watched no more: [`Trouble::Refused`] says why. A line that breaks is no error.
    pub async fn next(&mut self) -> Result<News, Trouble> {
        loop {
            let Some(heard) = &mut self.heard else {
                self.heard = Some(self.claim.follow(self.seen)?);
                return Ok(News::Begins);
            };
            let news = match heard.recv().await {
                Some(Heard::Thread(thread)) => News::Thread(Box::new(thread)),
                Some(Heard::ThreadGone(thread)) => News::ThreadGone(thread),
                Some(Heard::Presence(people)) => News::Presence(people),
                Some(Heard::Activity(mut lines)) => {
                    lines.retain(|it| it.seq > self.seen);
                    match lines.last() {
                        Some(last) => self.seen = last.seq,
                        None => continue,
                    }
                    News::Activity(lines)
                }
                Some(Heard::Ended(problem)) => return Err(Trouble::Refused(problem)),
                Some(Heard::Page(_) | Heard::Head(_)) => continue,
                None => {
                    let wait = self.backoff.next(None, rand::random());
                    tokio::time::sleep(wait).await;
                    self.heard = None;
                    continue;
                }
            };
            self.backoff.reset();
            return Ok(news);
        }
    }
}
