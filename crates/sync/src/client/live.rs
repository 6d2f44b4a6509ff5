//! The one live socket of a client: opened when something is followed, closed when nothing is, opened again when it broke.
//!
//! It keeps no cursors. When it breaks, or when a reader does not keep up, the reader's channel is closed; the reader knows
//! where it was and follows again from there. So nothing is held for a slow reader, and nobody waits for one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use protocol::id::{DeviceId, ThreadId, WorkspaceId};
use protocol::workspace::live::{ClientFrame, Present, ServerFrame};
use protocol::workspace::log::SharedThread;
use protocol::workspace::people::Activity;
use protocol::workspace::problem::Problem;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::door::{Door, Socket};
use crate::backoff::Backoff;
use crate::inbox::Page;
use crate::trouble::{Again, Trouble, again};

/// Frames that wait for one reader before it is cut off and has to come back.
const FRAMES: usize = 32;
/// The server is heard every 20 seconds; one that is silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);
/// A server that takes nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is followed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Thread(WorkspaceId, ThreadId),
    Workspace(WorkspaceId),
}

impl Key {
    fn workspace(&self) -> &WorkspaceId {
        match self {
            Self::Thread(workspace, _) | Self::Workspace(workspace) => workspace,
        }
    }
}

/// What a reader hears.
#[derive(Debug)]
pub(super) enum Heard {
    Page(Page),
    Head(u64),
    Thread(SharedThread),
    ThreadGone(ThreadId),
    Activity(Vec<Activity>),
    Presence(Vec<Present>),
    /// The last word.
    Ended(Problem),
}

/// What the socket is told.
#[derive(Debug)]
pub(super) enum Command {
    /// Follow from a place on, and tell it here.
    Follow {
        key: Key,
        after: u64,
        to: mpsc::Sender<Heard>,
    },
    /// No longer.
    Leave(Key),
    /// Say where one is; none to leave.
    Present(WorkspaceId, Option<Value>),
}

/// A channel for one reader.
pub(super) fn channel() -> (mpsc::Sender<Heard>, mpsc::Receiver<Heard>) {
    mpsc::channel(FRAMES)
}

#[derive(Debug)]
struct Wanted {
    after: u64,
    to: mpsc::Sender<Heard>,
}

/// The socket's side of a client.
#[derive(Debug)]
pub(super) struct Live {
    door: Arc<Door>,
    device: DeviceId,
    commands: mpsc::UnboundedReceiver<Command>,
    wanted: HashMap<Key, Wanted>,
    present: HashMap<WorkspaceId, Value>,
}

/// How a socket ended.
enum End {
    /// Nobody needs it any more.
    Idle,
    /// The client is gone.
    Client,
    Trouble(Trouble),
}

impl Live {
    pub(super) fn new(door: Arc<Door>, device: DeviceId, commands: mpsc::UnboundedReceiver<Command>) -> Self {
        Self {
            door,
            device,
            commands,
            wanted: HashMap::new(),
            present: HashMap::new(),
        }
    }

    /// Until the client is gone.
    pub(super) async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            while self.is_idle() {
                match self.commands.recv().await {
                    Some(command) => {
                        self.note(command);
                    }
                    None => return,
                }
            }
            let path = format!("/live?device_id={}", self.device);
            let end = match self.door.websocket(&path).await {
                Ok(socket) => self.serve(socket, &mut backoff).await,
                Err(trouble) => End::Trouble(trouble),
            };
            let trouble = match end {
                End::Idle => continue,
                End::Client => return,
                End::Trouble(trouble) => trouble,
            };
            tracing::debug!(error = %trouble, "the live socket ended");
            let wait = match trouble.again() {
                Again::Later(least) => backoff.next(least, rand::random()),
                Again::Never => {
                    self.tell_all(&trouble);
                    continue;
                }
            };
            // Readers follow again from where they are; the presence is said again.
            self.wanted.clear();
            if !self.pause(wait).await {
                return;
            }
        }
    }

    fn is_idle(&self) -> bool {
        self.wanted.is_empty() && self.present.is_empty()
    }

    /// Waits, and hears commands in the meantime. False when the client is gone.
    async fn pause(&mut self, wait: Duration) -> bool {
        let end = sleep(wait);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return true,
                command = self.commands.recv() => match command {
                    Some(command) => {
                        self.note(command);
                    }
                    None => return false,
                },
            }
        }
    }

    /// Remembers a command, and answers what to say to a server that is there.
    fn note(&mut self, command: Command) -> Option<ClientFrame> {
        match command {
            Command::Follow { key, after, to } => {
                let frame = follow(&key, after);
                self.wanted.insert(key, Wanted { after, to });
                Some(frame)
            }
            Command::Leave(key) => {
                self.wanted.remove(&key)?;
                Some(leave(&key))
            }
            Command::Present(workspace_id, state) => {
                match &state {
                    Some(state) => {
                        self.present.insert(workspace_id.clone(), state.clone());
                    }
                    None => {
                        self.present.remove(&workspace_id);
                    }
                }
                Some(ClientFrame::Presence { workspace_id, state })
            }
        }
    }

    /// The server will have none of it: every reader is told, and nothing is tried again until somebody follows anew.
    fn tell_all(&mut self, trouble: &Trouble) {
        let problem = trouble.problem().cloned().unwrap_or_else(|| {
            Problem::new(
                protocol::workspace::problem::ProblemCode::Forbidden,
                trouble.to_string(),
            )
        });
        for (_, wanted) in self.wanted.drain() {
            // Whoever does not hear this sees the channel closed, follows again, and is told then.
            let _ = wanted.to.try_send(Heard::Ended(problem.clone()));
        }
        self.present.clear();
    }

    async fn serve(&mut self, socket: Socket, backoff: &mut Backoff) -> End {
        let (mut write, mut read) = socket.split();
        let first: Vec<ClientFrame> = self.beginnings();
        for frame in first {
            if let Err(trouble) = say(&mut write, &frame).await {
                return End::Trouble(trouble);
            }
        }
        let mut heard = Instant::now();
        loop {
            let to_say = tokio::select! {
                message = read.next() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => match serde_json::from_str::<ServerFrame>(&text) {
                            Ok(frame) => {
                                backoff.reset();
                                match self.hear(frame).await {
                                    Ok(frames) => frames,
                                    Err(trouble) => return End::Trouble(trouble),
                                }
                            }
                            // A newer server says things that this version does not know.
                            Err(error) => {
                                tracing::debug!(%error, "a frame of the server is not known");
                                Vec::new()
                            }
                        },
                        Some(Ok(Message::Close(frame))) => {
                            self.door.leave_node();
                            return End::Trouble(match frame {
                                Some(it) => Trouble::Closed { code: it.code.into(), reason: it.reason.to_string() },
                                None => Trouble::Closed { code: 1006, reason: String::new() },
                            });
                        }
                        Some(Ok(Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Vec::new(),
                        Some(Err(error)) => {
                            self.door.leave_node();
                            return End::Trouble(Trouble::Unreachable(Box::new(error)));
                        }
                        None => {
                            self.door.leave_node();
                            return End::Trouble(Trouble::Closed { code: 1006, reason: String::new() });
                        }
                    }
                }
                command = self.commands.recv() => match command {
                    Some(command) => self.note(command).into_iter().collect(),
                    None => return End::Client,
                },
                () = sleep_until(heard + SILENCE) => {
                    self.door.leave_node();
                    return End::Trouble(Trouble::Closed { code: 1006, reason: "nothing was heard".to_owned() });
                }
            };
            for frame in to_say {
                if let Err(trouble) = say(&mut write, &frame).await {
                    return End::Trouble(trouble);
                }
            }
            if self.is_idle() {
                // A reader that goes often has the next thing to read: the socket waits a moment for that.
                match timeout(Duration::from_secs(5), self.commands.recv()).await {
                    Ok(Some(command)) => {
                        if let Some(frame) = self.note(command)
                            && let Err(trouble) = say(&mut write, &frame).await
                        {
                            return End::Trouble(trouble);
                        }
                    }
                    Ok(None) => return End::Client,
                    Err(_) => {
                        // The server sees a socket that is gone in any case.
                        let _ = timeout(Duration::from_secs(1), write.close()).await;
                        return End::Idle;
                    }
                }
            }
        }
    }

    /// What a new socket is told first.
    fn beginnings(&self) -> Vec<ClientFrame> {
        let follows = self.wanted.iter().map(|(key, wanted)| follow(key, wanted.after));
        let present = self.present.iter().map(|(workspace, state)| ClientFrame::Presence {
            workspace_id: workspace.clone(),
            state: Some(state.clone()),
        });
        follows.chain(present).collect()
    }

    /// Hands a frame on, and answers what to say to it.
    async fn hear(&mut self, frame: ServerFrame) -> Result<Vec<ClientFrame>, Trouble> {
        let cut_off = match frame {
            ServerFrame::Events {
                thread_id,
                status,
                snapshot,
                events,
                head_seq,
                next: _,
            } => {
                let page = Page {
                    status,
                    snapshot,
                    events,
                    head_seq,
                };
                self.tell_thread(&thread_id, Heard::Page(page))
            }
            ServerFrame::Head { thread_id, head_seq } => self.tell_thread(&thread_id, Heard::Head(head_seq)),
            ServerFrame::Thread { thread } => {
                let key = Key::Workspace(thread.workspace_id.clone());
                self.tell(&key, Heard::Thread(thread))
            }
            ServerFrame::ThreadGone {
                workspace_id,
                thread_id,
            } => self.tell(&Key::Workspace(workspace_id), Heard::ThreadGone(thread_id)),
            ServerFrame::Activity { workspace_id, lines } => {
                self.tell(&Key::Workspace(workspace_id), Heard::Activity(lines))
            }
            ServerFrame::Presence { workspace_id, people } => {
                self.tell(&Key::Workspace(workspace_id), Heard::Presence(people))
            }
            ServerFrame::Ended {
                workspace_id,
                thread_id,
                problem,
            } => {
                self.end(&workspace_id, thread_id.as_ref(), &problem);
                None
            }
            ServerFrame::Refused {
                thread_id,
                workspace_id,
                problem,
                id: _,
            } => self.refused(thread_id, workspace_id, &problem),
            ServerFrame::Reauthenticate { .. } => {
                let credential = timeout(PATIENCE, self.door.credential(true)).await;
                return match credential {
                    Ok(Ok(credential)) => Ok(vec![ClientFrame::Authenticate {
                        token: credential.secret().to_owned(),
                    }]),
                    // The old one is good for a while; the socket ends with it, and asks again then.
                    Ok(Err(_)) | Err(_) => Ok(Vec::new()),
                };
            }
            ServerFrame::Hello { .. } | ServerFrame::Acked { .. } | ServerFrame::Pong {} => None,
        };
        Ok(cut_off.into_iter().collect())
    }

    fn tell_thread(&mut self, thread: &ThreadId, heard: Heard) -> Option<ClientFrame> {
        let key = self
            .wanted
            .keys()
            .find(|it| matches!(it, Key::Thread(_, id) if id == thread));
        let key = key?.clone();
        self.tell(&key, heard)
    }

    /// Hands it to the reader; one that does not keep up is cut off, and the server is told so.
    fn tell(&mut self, key: &Key, heard: Heard) -> Option<ClientFrame> {
        let wanted = self.wanted.get(key)?;
        match wanted.to.try_send(heard) {
            Ok(()) => None,
            Err(TrySendError::Full(_) | TrySendError::Closed(_)) => {
                self.wanted.remove(key);
                Some(leave(key))
            }
        }
    }

    /// What was followed can be followed no more.
    fn end(&mut self, workspace: &WorkspaceId, thread: Option<&ThreadId>, problem: &Problem) {
        let ended = |key: &Key| match thread {
            Some(thread) => matches!(key, Key::Thread(_, it) if it == thread),
            None => key.workspace() == workspace,
        };
        let keys: Vec<Key> = self.wanted.keys().filter(|it| ended(it)).cloned().collect();
        for key in keys {
            if let Some(wanted) = self.wanted.remove(&key) {
                let _ = wanted.to.try_send(Heard::Ended(problem.clone()));
            }
        }
        if thread.is_none() {
            self.present.remove(workspace);
        }
    }

    /// A reader that is refused for now follows again after a while, by itself.
    fn refused(
        &mut self,
        thread: Option<ThreadId>,
        workspace: Option<WorkspaceId>,
        problem: &Problem,
    ) -> Option<ClientFrame> {
        let key = match (thread, workspace) {
            (Some(thread), _) => {
                let found = self
                    .wanted
                    .keys()
                    .find(|it| matches!(it, Key::Thread(_, id) if *id == thread));
                found?.clone()
            }
            (None, Some(workspace)) => Key::Workspace(workspace),
            (None, None) => return None,
        };
        let wanted = self.wanted.remove(&key)?;
        if again(problem) == Again::Never {
            let _ = wanted.to.try_send(Heard::Ended(problem.clone()));
        }
        None
    }
}

fn follow(key: &Key, after: u64) -> ClientFrame {
    match key.clone() {
        Key::Thread(workspace_id, thread_id) => ClientFrame::Subscribe {
            workspace_id,
            thread_id,
            after,
        },
        Key::Workspace(workspace_id) => ClientFrame::Watch { workspace_id, after },
    }
}

fn leave(key: &Key) -> ClientFrame {
    match key.clone() {
        Key::Thread(_, thread_id) => ClientFrame::Unsubscribe { thread_id },
        Key::Workspace(workspace_id) => ClientFrame::Unwatch { workspace_id },
    }
}

async fn say(write: &mut futures::stream::SplitSink<Socket, Message>, frame: &ClientFrame) -> Result<(), Trouble> {
    let text = serde_json::to_string(frame).map_err(|it| Trouble::Nonsense(it.to_string()))?;
    match timeout(PATIENCE, write.send(Message::Text(text.into()))).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Trouble::Unreachable(Box::new(error))),
        Err(late) => Err(Trouble::Unreachable(Box::new(late))),
    }
}
