//! The task of a shared document: does what it is told, keeps what has to be kept, and holds the document's websocket, which
//! it opens again whenever it broke.

use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use super::journal::{Keeper, KeeperError};
use super::pen::Pen;
use super::shared::{Left, Link, Order, Place, SharedError, Standing, Why};
use super::{Document, DocumentError, Kept, People};
use crate::backoff::Backoff;
use crate::client::door::{Door, Socket};
use crate::frame::{Frame, FrameError};
use crate::trouble::{Again, Trouble};

#[cfg(test)]
mod tests;

/// Orders of one round: what they change is kept by one write.
const ROUND: usize = 256;
/// The server is heard every 20 seconds; one that is silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// A server that takes nothing is left when so much waits for it.
const QUEUE_BYTES: usize = 64 << 20;
/// For how long a server may take to hear a goodbye.
const GOODBYE: Duration = Duration::from_secs(1);

/// The credential has ended, or was taken back.
const UNAUTHENTICATED: u16 = 4401;
/// One of two things that a close code stands for, by its reason.
const RENEWED: (u16, &str) = (4409, "epoch_changed");

/// See the [module](self).
pub(super) struct Task {
    door: Arc<Door>,
    place: Place,
    document: Document,
    /// Away only while it writes.
    keeper: Option<Keeper>,
    orders: mpsc::Receiver<Order>,
    show: watch::Sender<Standing>,
    present: Option<Arc<str>>,
    people: Arc<People>,
    changes: u64,
    over: Option<Why>,
    trouble: Option<String>,
    unkept: Option<String>,
    credential: Credential,
}

/// What the server said of the credential since the last line that worked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Credential {
    Good,
    /// It was refused once: it has ended, perhaps, and another one is asked for.
    Refused,
    /// There is another one. When that is refused, too, a third one would be no better.
    Renewed,
}

/// What an order leads to, beyond what it does.
enum Turn {
    On,
    /// Connect now.
    Again,
    /// It was closed, or nobody is left who could say anything.
    Stop,
}

/// How a line ended.
enum End {
    Stop,
    Again,
    Line(Trouble),
    Document(DocumentError),
}

impl From<DocumentError> for End {
    fn from(error: DocumentError) -> Self {
        Self::Document(error)
    }
}

/// What came first.
enum First<T> {
    Done(T),
    Again,
    Stop,
}

impl Task {
    pub(super) fn new(
        door: Arc<Door>,
        place: Place,
        document: Document,
        keeper: Keeper,
        (orders, show): (mpsc::Receiver<Order>, watch::Sender<Standing>),
    ) -> Self {
        let task = Self {
            door,
            place,
            document,
            keeper: Some(keeper),
            orders,
            show,
            present: None,
            people: Arc::default(),
            changes: 0,
            over: None,
            trouble: None,
            unkept: None,
            credential: Credential::Good,
        };
        task.tell();
        task
    }

    /// Until it is closed, or the last one who could say anything is gone.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            let line = connect(self.door.clone(), self.path(), self.credential == Credential::Refused);
            let end = match self.meanwhile(line).await {
                First::Done(Ok(socket)) => {
                    if self.credential == Credential::Refused {
                        self.credential = Credential::Renewed;
                    }
                    self.talk(socket).await
                }
                First::Done(Err(trouble)) => End::Line(trouble),
                First::Again => End::Again,
                First::Stop => End::Stop,
            };
            if self.document.is_synced() {
                backoff.reset();
                self.credential = Credential::Good;
            }
            if self.document.disconnect() {
                self.people = Arc::default();
            }
            let wait = match self.after(end) {
                Ok(None) => continue,
                Ok(Some(least)) => Some(backoff.next(least, rand::random())),
                Err(Some(why)) => {
                    self.over = Some(why);
                    None
                }
                Err(None) => return,
            };
            self.tell();
            let paused = match wait {
                Some(wait) => self.meanwhile(sleep(wait)).await,
                None => self.meanwhile(pending()).await,
            };
            self.over = None;
            self.tell();
            match paused {
                First::Done(()) => {}
                First::Again => {
                    backoff.reset();
                    self.credential = Credential::Good;
                }
                First::Stop => return,
            }
        }
    }

    /// After how long to try again: at once, or at least so much later; or why not, which is nothing when it was closed.
    fn after(&mut self, end: End) -> Result<Option<Option<Duration>>, Option<Why>> {
        let trouble = match end {
            End::Stop => return Err(None),
            End::Again => return Ok(None),
            End::Document(DocumentError::Renewed) => return Err(Some(Why::Renewed)),
            End::Document(error @ DocumentError::Behind) => {
                self.trouble = Some(error.to_string());
                return Ok(Some(None));
            }
            End::Document(error) => return Err(Some(Why::Failed(chain(&error)))),
            End::Line(trouble) => trouble,
        };
        tracing::debug!(error = %trouble, "the line of a document ended");
        self.trouble = Some(chain(&trouble));
        if let Trouble::Closed { code, reason } = &trouble {
            if (*code, reason.as_str()) == RENEWED {
                return Err(Some(Why::Renewed));
            }
            if *code == UNAUTHENTICATED && self.credential == Credential::Good {
                self.credential = Credential::Refused;
                return Ok(Some(None));
            }
        }
        match (trouble.again(), trouble) {
            (Again::Later(least), _) => Ok(Some(least)),
            (Again::Never, Trouble::Closed { code, reason }) => Err(Some(Why::Closed { code, reason })),
            (Again::Never, trouble) => Err(Some(Why::Failed(chain(&trouble)))),
        }
    }

    fn path(&self) -> String {
        let Place {
            workspace, document, ..
        } = &self.place;
        let epoch = self.document.epoch();
        let known = epoch.map_or(String::new(), |it| format!("&epoch={it}"));
        format!("/workspaces/{workspace}/docs/{document}?acks=1{known}")
    }

    /// Does what it is told until something is done.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> First<T> {
        let mut work = pin!(work);
        let mut batch = Vec::with_capacity(16);
        loop {
            tokio::select! {
                done = &mut work => return First::Done(done),
                count = self.orders.recv_many(&mut batch, ROUND) => {
                    if count == 0 {
                        return First::Stop;
                    }
                    // Nobody hears what one says of oneself; it is said when there is a line.
                    let mut unheard = Vec::new();
                    match self.obey(batch.drain(..), &mut unheard).await {
                        Turn::On => {}
                        Turn::Again => return First::Again,
                        Turn::Stop => return First::Stop,
                    }
                }
            }
        }
    }

    /// Holds a line until it ends.
    async fn talk(&mut self, socket: Socket) -> End {
        let (sink, mut stream) = socket.split();
        let mut pen = Pen::new(sink);
        match self.document.connect() {
            Ok(first) => pen.put(first),
            Err(error) => return error.into(),
        }
        let mut batch = Vec::with_capacity(16);
        let mut heard_at = Instant::now();
        loop {
            // Edits that are made while the line is busy are put together.
            if pen.is_idle() {
                match self.document.due() {
                    Ok(due) => pen.put(due),
                    Err(error) => return error.into(),
                }
            }
            let mut say = Vec::new();
            tokio::select! {
                message = stream.next() => {
                    heard_at = Instant::now();
                    match self.heard(message).await {
                        Ok(answer) => say = answer,
                        Err(end) => {
                            // Whether it ends in order or not, another node may be there already.
                            self.door.leave_node();
                            return end;
                        }
                    }
                }
                count = self.orders.recv_many(&mut batch, ROUND) => {
                    let turn = match count {
                        0 => Turn::Stop,
                        _ => self.obey(batch.drain(..), &mut say).await,
                    };
                    match turn {
                        // There is a line already.
                        Turn::On | Turn::Again => {}
                        Turn::Stop => {
                            say.extend(self.document.be_present(None));
                            pen.put(say);
                            // A server that does not listen sees that the line is gone.
                            let _ = timeout(GOODBYE, pen.end()).await;
                            return End::Stop;
                        }
                    }
                }
                written = pen.write() => if let Err(error) = written {
                    self.door.leave_node();
                    return End::Line(Trouble::Unreachable(Box::new(error)));
                },
                () = sleep_until(heard_at + SILENCE) => {
                    self.door.leave_node();
                    return End::Line(Trouble::Closed { code: 1006, reason: "nothing was heard".to_owned() });
                }
            }
            pen.put(say);
            if pen.bytes() > QUEUE_BYTES {
                self.door.leave_node();
                return End::Line(Trouble::Closed {
                    code: 1006,
                    reason: "nothing was taken".to_owned(),
                });
            }
        }
    }

    /// Takes a message, keeps what came of it, and answers what to say.
    async fn heard(&mut self, message: Option<Result<Message, SocketError>>) -> Result<Vec<Frame>, End> {
        let frame = match message {
            Some(Ok(Message::Binary(bytes))) => match Frame::decode(&bytes) {
                Ok(frame) => frame,
                // A newer server says things that this version does not know.
                Err(FrameError::Unknown(_)) => return Ok(Vec::new()),
                Err(error) => return Err(DocumentError::from(error).into()),
            },
            Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                return Ok(Vec::new());
            }
            Some(Ok(Message::Close(Some(close)))) => {
                return Err(End::Line(Trouble::Closed {
                    code: close.code.into(),
                    reason: close.reason.to_string(),
                }));
            }
            Some(Ok(Message::Close(None))) | None => {
                return Err(End::Line(Trouble::Closed {
                    code: 1006,
                    reason: String::new(),
                }));
            }
            Some(Err(error)) => return Err(End::Line(Trouble::Unreachable(Box::new(error)))),
        };
        let was_synced = self.document.is_synced();
        let heard = self.document.hear(frame)?;
        if heard.people {
            self.people = Arc::new(self.document.people());
        }
        self.changes += u64::from(heard.change.is_some());
        if self.document.is_synced() {
            self.trouble = None;
        }
        // What came with the first answer is much, and is kept at once; later things wait for company.
        let all = self.document.is_synced() && !was_synced;
        // The server has it, so whether it is kept here changes nothing of what is said.
        let _ = self.keep(all).await;
        self.tell();
        Ok(heard.say)
    }

    /// Does all of them, keeps what came of it by one write, and tells those who asked.
    async fn obey(&mut self, orders: impl Iterator<Item = Order>, say: &mut Vec<Frame>) -> Turn {
        let mut tells = Vec::new();
        let mut turn = Turn::On;
        for order in orders {
            match order {
                Order::Work(work) => tells.push(work(&mut self.document)),
                Order::Present(state) => {
                    self.present.clone_from(&state);
                    say.extend(self.document.be_present(state));
                }
                Order::Again => turn = Turn::Again,
                Order::StartOver(done) => {
                    let started = self.start_over().await;
                    if started.is_ok() {
                        turn = Turn::Again;
                    }
                    // Whoever asked may have gone.
                    let _ = done.send(started);
                }
                Order::Close(done) => {
                    let kept = self.keep(true).await;
                    let _ = done.send(kept.map_err(SharedError::Kept));
                    turn = Turn::Stop;
                    break;
                }
            }
        }
        let kept = self.keep(false).await;
        self.tell();
        for tell in tells {
            tell(kept.clone());
        }
        turn
    }

    /// Keeps what has to be kept; what may wait for company only if `all`.
    async fn keep(&mut self, all: bool) -> Result<(), Arc<KeeperError>> {
        let facts = self.document.facts();
        let Some(mut keeper) = self.keeper.take() else {
            return Ok(());
        };
        if !keeper.note(facts) && !all {
            self.keeper = Some(keeper);
            return Ok(());
        }
        let anew = if keeper.is_long() {
            self.document.kept().ok()
        } else {
            None
        };
        let kept = self
            .on_disk(keeper, move |keeper| {
                keeper.write()?;
                if let Some(Err(error)) = anew.map(|it| keeper.replace(&it)) {
                    tracing::warn!(error = %chain(&error), "the file of a document could not be written anew");
                }
                Ok(())
            })
            .await;
        self.unkept = kept.as_ref().err().map(|it| chain(it));
        kept
    }

    /// Lets the earlier life of a document go, once that is known to be over.
    async fn start_over(&mut self) -> Result<Left, SharedError> {
        let epoch = match (&self.over, self.document.epoch()) {
            (Some(Why::Renewed), Some(epoch)) => epoch,
            (_, _) => return Err(SharedError::SameLife),
        };
        let mut fresh = Document::new(rand::random(), Kept::default())?;
        fresh.be_present(self.present.clone());
        let left = Left {
            epoch,
            whole: self.document.missing(&Bytes::from_static(crate::frame::NOTHING_SEEN))?,
            pending: self.document.pending().cloned().collect(),
        };
        let facts = self.document.facts();
        let mut keeper = self.keeper.take().ok_or(SharedError::Ended)?;
        keeper.note(facts);
        self.on_disk(keeper, move |keeper| keeper.start_over(epoch)).await?;
        self.document = fresh;
        self.changes += 1;
        Ok(left)
    }

    async fn on_disk(
        &mut self,
        mut keeper: Keeper,
        work: impl FnOnce(&mut Keeper) -> Result<(), KeeperError> + Send + 'static,
    ) -> Result<(), Arc<KeeperError>> {
        let worked = tokio::task::spawn_blocking(move || {
            let done = work(&mut keeper);
            (keeper, done)
        });
        match worked.await {
            Ok((keeper, done)) => {
                self.keeper = Some(keeper);
                done.map_err(Arc::new)
            }
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // It is cancelled only with the whole program, and then nobody is told anything.
            Err(_) => pending().await,
        }
    }

    fn tell(&self) {
        let link = match &self.over {
            Some(why) => Link::Over(why.clone()),
            None if self.document.is_synced() => Link::Synced,
            None => Link::Away,
        };
        let now = Standing {
            link,
            changes: self.changes,
            epoch: self.document.epoch(),
            last: self.document.last(),
            stored: self.document.stored(),
            denied: self.document.denied().map(str::to_owned),
            people: self.people.clone(),
            trouble: self.trouble.clone(),
            unkept: self.unkept.clone(),
        };
        self.show.send_if_modified(|shown| {
            let is_new = *shown != now;
            *shown = now;
            is_new
        });
    }
}

/// Opens a line; with another credential than before, if that was refused.
async fn connect(door: Arc<Door>, path: String, renews: bool) -> Result<Socket, Trouble> {
    if renews {
        door.credential(true).await?;
    }
    door.websocket(&path).await
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
