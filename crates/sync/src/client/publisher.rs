//! Writing a shared thread: events are safe on this machine when [`Publisher::append`] answers, and on the server when the line
//! and the lease allow it, in order and once, whatever crashes in between.

use std::path::PathBuf;

use protocol::id::{DeviceId, ThreadId, UserId, WorkspaceId};
use protocol::workspace::log::NewEvent;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

use super::calls::Calls;
use super::follower::on_disk;
use crate::outbox::{Outbox, Stuck};
use crate::queue::Queue;
use crate::trouble::Trouble;

mod task;

use task::Task;

/// Orders that wait for the one before them.
const ORDERS: usize = 64;

/// What a thread is written as.
#[derive(Debug, Clone)]
pub struct Writing {
    /// Where.
    pub workspace: WorkspaceId,
    /// Which.
    pub thread: ThreadId,
    /// This machine.
    pub device: DeviceId,
    /// A name for this machine's events in the thread, the same after every start: the queue's numbers are its own.
    pub producer: String,
    /// The file of the queue.
    pub queue: PathBuf,
}

/// How it stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// The lease's epoch, while this machine has it.
    pub epoch: Option<u64>,
    /// The number of the newest event that is queued.
    pub last: u64,
    /// The server has the events up to this one.
    pub acked: u64,
    /// Another machine has the lease.
    pub is_held: bool,
    /// Somebody has to do something.
    pub stuck: Option<Stuck>,
    /// What went wrong the last time, if it did.
    pub trouble: Option<String>,
}

impl Standing {
    /// Whether the server has everything.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.acked >= self.last
    }
}

/// What the task is told.
#[derive(Debug)]
enum Order {
    Append(Vec<NewEvent>, oneshot::Sender<Result<(), Trouble>>),
    /// Have the lease even with nothing to send; take it from another machine if need be.
    Hold {
        take: bool,
    },
    /// Give the lease back when everything is sent, perhaps for somebody.
    Release(Option<UserId>, oneshot::Sender<Result<(), Trouble>>),
    /// Try again what was refused.
    Unstick,
}

/// Writes one thread. Dropping it ends the sending; what is queued stays queued.
#[derive(Debug)]
pub struct Publisher {
    orders: mpsc::Sender<Order>,
    standing: watch::Receiver<Standing>,
    task: JoinSet<()>,
}

impl Publisher {
    pub(super) async fn open(calls: Calls, writing: Writing) -> Result<Self, Trouble> {
        let path = writing.queue.clone();
        let queue = on_disk(move || Queue::open(&path)).await?;
        let outbox = Outbox::new(queue.is_anchored(), queue.forgotten(), queue.last());
        let (orders, told) = mpsc::channel(ORDERS);
        let begins = Standing {
            last: outbox.last(),
            acked: outbox.has(),
            ..Standing::default()
        };
        let (show, standing) = watch::channel(begins);
        let task = Task::new(calls, writing, queue, outbox, (show, told));
        let mut tasks = JoinSet::new();
        tasks.spawn(task.run());
        Ok(Self {
            orders,
            standing,
            task: tasks,
        })
    }

    /// Adds events in their order, and answers when they are on this machine's disk. They are sent by themselves.
    ///
    /// # Errors
    /// One of them is unfit or the disk refuses: none of them was added.
    pub async fn append(&self, events: Vec<NewEvent>) -> Result<(), Trouble> {
        let (done, answer) = oneshot::channel();
        self.order(Order::Append(events, done)).await?;
        answer.await.unwrap_or(Err(Trouble::Ended))
    }

    /// Waits until the server has everything that was added before.
    ///
    /// # Errors
    /// It is stuck: somebody has to do something first.
    pub async fn settled(&self) -> Result<(), Stuck> {
        let mut standing = self.standing.clone();
        let seen = standing.wait_for(|it| it.is_settled() || it.stuck.is_some()).await;
        match seen {
            Ok(standing) if standing.is_settled() => Ok(()),
            Ok(standing) => standing.stuck.clone().map_or(Ok(()), Err),
            Err(_) => Ok(()),
        }
    }

    /// Gets the lease, even with nothing to send, and keeps it until it is released or another machine takes it. Answers its
    /// epoch.
    ///
    /// # Errors
    /// The lease is not for this person, or the client has ended. While another machine has it this waits, unless `take`.
    pub async fn hold(&self, take: bool) -> Result<u64, Trouble> {
        self.order(Order::Hold { take }).await?;
        let mut standing = self.standing.clone();
        let seen = standing.wait_for(|it| it.epoch.is_some() || it.stuck.is_some()).await;
        let standing = seen.map_err(|_| Trouble::Ended)?;
        match (standing.epoch, &standing.stuck) {
            (Some(epoch), _) => Ok(epoch),
            (None, Some(Stuck::Refused(problem))) => Err(Trouble::Refused(problem.clone())),
            (None, _) => Err(Trouble::Ended),
        }
    }

    /// Sends what is queued and gives the lease back, so that another machine need not wait for its end.
    ///
    /// # Errors
    /// The server cannot be reached or refuses. The lease ends by itself then.
    pub async fn release(&self, to: Option<UserId>) -> Result<(), Trouble> {
        let (done, answer) = oneshot::channel();
        self.order(Order::Release(to, done)).await?;
        answer.await.unwrap_or(Err(Trouble::Ended))
    }

    /// Tries again what was refused for good, after somebody did something about it.
    ///
    /// # Errors
    /// The client has ended.
    pub async fn unstick(&self) -> Result<(), Trouble> {
        self.order(Order::Unstick).await
    }

    /// How it stands, now and whenever that changes.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Ends the sending, and answers when the queue can be opened again.
    pub async fn close(mut self) {
        drop(self.orders);
        while self.task.join_next().await.is_some() {}
    }

    async fn order(&self, order: Order) -> Result<(), Trouble> {
        self.orders.send(order).await.map_err(|_| Trouble::Ended)
    }
}
