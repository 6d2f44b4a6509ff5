//! Reading a shared thread live: what is there, then what comes, over every break of the line, once and in order.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::live::{Command, Heard, Key, channel};
use crate::backoff::Backoff;
use crate::inbox::{Fit, Inbox, Told};
use crate::journal::JournalError;
use crate::mirror::Mirror;
use crate::trouble::Trouble;

/// Batches of news that wait to be taken before reading pauses.
const NEWS: usize = 4;

/// What is followed by a client already.
pub(super) type Followed = Arc<Mutex<HashSet<Key>>>;

/// Marks a thread as followed, as long as it lives.
#[derive(Debug)]
pub(super) struct Claim {
    key: Key,
    followed: Followed,
    commands: mpsc::UnboundedSender<Command>,
}

impl Claim {
    /// None when it is followed already.
    pub(super) fn new(key: Key, followed: &Followed, commands: mpsc::UnboundedSender<Command>) -> Option<Self> {
        let mut set = followed.lock().unwrap_or_else(PoisonError::into_inner);
        set.insert(key.clone()).then(|| Self {
            key,
            followed: followed.clone(),
            commands,
        })
    }

    /// Follows from a place on.
    pub(super) fn follow(&self, after: u64) -> Result<mpsc::Receiver<Heard>, Trouble> {
        let (to, heard) = channel();
        let key = self.key.clone();
        let told = self.commands.send(Command::Follow { key, after, to });
        told.map(|()| heard).map_err(|_| Trouble::Ended)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // A client that is gone follows nothing.
        let _ = self.commands.send(Command::Leave(self.key.clone()));
        let mut set = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        set.remove(&self.key);
    }
}

/// Where a reader begins.
#[derive(Debug)]
pub enum From {
    /// After an event that was told before; 0 for all.
    After(u64),
    /// From a copy on this machine, which is told first and kept up to date.
    Mirror(PathBuf),
}

/// A reader of one thread. Dropping it ends the reading.
#[derive(Debug)]
pub struct Follower {
    news: mpsc::Receiver<Result<Vec<Told>, Trouble>>,
    _task: JoinSet<()>,
}

impl Follower {
    pub(super) fn new(claim: Claim, from: From) -> Self {
        let (to, news) = mpsc::channel(NEWS);
        let mut task = JoinSet::new();
        task.spawn(async move {
            if let Err(trouble) = read(&claim, from, &to).await {
                let _ = to.send(Err(trouble)).await;
            }
        });
        Self { news, _task: task }
    }

    /// What is new, in order; waits until there is something. Dropping the future loses nothing.
    ///
    /// # Errors
    /// It can be followed no more: [`Trouble::Refused`] says why. A line that breaks is no error.
    pub async fn next(&mut self) -> Result<Vec<Told>, Trouble> {
        self.news.recv().await.unwrap_or(Err(Trouble::Ended))
    }
}

/// Reads until the reader is gone or the thread is.
async fn read(claim: &Claim, from: From, to: &mpsc::Sender<Result<Vec<Told>, Trouble>>) -> Result<(), Trouble> {
    let (mut inbox, mut mirror) = match from {
        From::After(seq) => (Inbox::new(seq), None),
        From::Mirror(path) => {
            let mut told = Vec::new();
            let (mirror, told) = on_disk(move || {
                let mirror = Mirror::open(&path, |it| told.push(it))?;
                Ok::<_, JournalError>((mirror, told))
            })
            .await?;
            let inbox = Inbox::new(mirror.cursor());
            if !told.is_empty() && to.send(Ok(told)).await.is_err() {
                return Ok(());
            }
            (inbox, Some(mirror))
        }
    };
    let mut backoff = Backoff::default();
    loop {
        let mut heard = claim.follow(inbox.cursor())?;
        let mut is_behind = false;
        while let Some(heard) = heard.recv().await {
            let fit = match heard {
                Heard::Page(page) => {
                    is_behind = false;
                    let mut told = Vec::new();
                    let fit = inbox.page(page, |it| told.push(it));
                    if !told.is_empty() {
                        backoff.reset();
                        if let Some(mut keeper) = mirror.take() {
                            let kept = on_disk(move || keeper.keep(&told).map(|()| (keeper, told))).await?;
                            mirror = Some(kept.0);
                            told = kept.1;
                        }
                        if to.send(Ok(told)).await.is_err() {
                            return Ok(());
                        }
                    }
                    fit
                }
                // The page up to it may be on its way the first time. It is not when nothing came until the next time.
                Heard::Head(head_seq) if inbox.head_is(head_seq) => {
                    if std::mem::replace(&mut is_behind, true) {
                        Fit::AskAgain
                    } else {
                        Fit::Whole
                    }
                }
                Heard::Head(_) => Fit::Whole,
                Heard::Ended(problem) => return Err(Trouble::Refused(problem)),
                Heard::Thread(_) | Heard::ThreadGone(_) | Heard::Activity(_) | Heard::Presence(_) => Fit::Whole,
            };
            if fit == Fit::AskAgain {
                break;
            }
        }
        // The line broke, or reading was too slow. The socket waits by itself before it tries; a thread that is refused
        // for now is asked for again here, and not at once.
        let wait = backoff.next(None, rand::random());
        tokio::time::sleep(wait).await;
    }
}

/// Files are read and written where nobody waits for them.
pub(super) async fn on_disk<T: Send + 'static, E: Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Trouble>
where
    Trouble: std::convert::From<E>,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(Trouble::Ended),
    }
}
