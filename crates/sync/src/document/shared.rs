//! A document that is kept on this machine's disk and brought together with the server's whenever there is a line. One task
//! owns it; this is the way to that task. Dropping it ends the task; what pends stays on the disk.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use protocol::id::WorkspaceId;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use yrs::{Transaction, TransactionMut};

use super::journal::{Keeper, KeeperError};
use super::socket::Task;
use super::{Document, DocumentError, Edit, People};
use crate::client::door::Door;

/// Orders that wait for the ones before them.
const ORDERS: usize = 256;

/// Which document, and where it is kept.
#[derive(Debug, Clone)]
pub struct Place {
    /// Where it is on the server.
    pub workspace: WorkspaceId,
    /// Its id there.
    pub document: String,
    /// The file on this machine. Others beside it begin with the same name.
    pub file: PathBuf,
}

/// Why a document did not do it.
#[derive(Debug, thiserror::Error)]
pub enum SharedError {
    /// As it says.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The file cannot be used. An edit stands and is sent all the same; a crash before it [`is
    /// settled`](Standing::is_settled) loses it. It is written again with the next one.
    #[error("the document cannot be kept on this machine")]
    Kept(#[from] Arc<KeeperError>),
    /// It is brought together no more, before somebody does something: [`Standing::link`] says why.
    #[error("the document is brought together with others no more")]
    Over,
    /// Only a document that was made anew can be started over.
    #[error("the document was not made anew")]
    SameLife,
    /// The task has ended.
    #[error("the document was closed")]
    Ended,
}

/// How a document and the server stand to one another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Link {
    /// There is no line; it is tried again by itself.
    #[default]
    Away,
    /// Everything the server has is here, and comes here as it happens.
    Synced,
    /// It is not tried again by itself.
    Over(Why),
}

/// Why a document is brought together no more. Edits are still taken, kept, and can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It was deleted and perhaps made anew: see [`Shared::start_over`].
    Renewed,
    /// The server will not have it, and says so with a code from 4400 to 4499.
    Closed {
        /// The close code.
        code: u16,
        /// Why, in the server's words.
        reason: String,
    },
    /// Something went wrong that does not get better by trying again.
    Failed(String),
}

/// How it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// With the server.
    pub link: Link,
    /// Grows whenever something comes from elsewhere: ask for what is [`missing`](Shared::missing) then.
    pub changes: u64,
    /// Which life of the document this is, once that is known.
    pub epoch: Option<u64>,
    /// The number of the newest edit that was made here.
    pub last: u64,
    /// The server has the edits up to this one on its disk.
    pub stored: u64,
    /// Why nothing may be written now, if that is so. Edits pend.
    pub denied: Option<String>,
    /// Who else is there.
    pub people: Arc<People>,
    /// What went wrong with the line the last time, if it did.
    pub trouble: Option<String>,
    /// Why the newest edits are not on this machine's disk, if they are not.
    pub unkept: Option<String>,
}

impl Standing {
    /// Whether the server has everything.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.stored >= self.last
    }
}

/// What is left of a document that was made anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Which life of the document it was.
    pub epoch: u64,
    /// All of it, as one update.
    pub whole: Bytes,
    /// The edits that the server never had.
    pub pending: Vec<Edit>,
}

/// Tells whoever asked, once what they did is kept or could not be.
pub(super) type Tell = Box<dyn FnOnce(Result<(), Arc<KeeperError>>) + Send>;

/// What the task is told.
pub(super) enum Order {
    Work(Box<dyn FnOnce(&mut Document) -> Tell + Send>),
    Present(Option<Arc<str>>),
    Again,
    StartOver(oneshot::Sender<Result<Left, SharedError>>),
    Close(oneshot::Sender<Result<(), SharedError>>),
}

/// A document that is shared. See the [module](self).
#[derive(Debug)]
pub struct Shared {
    orders: mpsc::Sender<Order>,
    standing: watch::Receiver<Standing>,
    task: JoinSet<()>,
}

impl Shared {
    /// Opens a document as it was kept, and brings it together with the server's from now on.
    ///
    /// # Errors
    /// The file cannot be used.
    pub async fn open(door: Arc<Door>, place: Place) -> Result<Self, SharedError> {
        let file = place.file.clone();
        let opened = tokio::task::spawn_blocking(move || {
            let (keeper, kept) = Keeper::open(&file).map_err(Arc::new)?;
            Ok::<_, SharedError>((keeper, Document::new(rand::random(), kept)?))
        });
        let (keeper, document) = opened.await.map_err(|_| SharedError::Ended)??;
        let (orders, told) = mpsc::channel(ORDERS);
        let (show, standing) = watch::channel(Standing::default());
        let task = Task::new(door, place, document, keeper, (told, show));
        let mut tasks = JoinSet::new();
        tasks.spawn(task.run());
        Ok(Self {
            orders,
            standing,
            task: tasks,
        })
    }

    /// Changes it, and answers when the change is on this machine's disk. It is sent by itself. Offsets in texts count as
    /// JavaScript does, in UTF-16.
    ///
    /// # Errors
    /// It is broken, or not kept: [`SharedError::Kept`] says what that means.
    pub async fn edit<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut TransactionMut<'_>) -> T + Send + 'static,
    ) -> Result<T, SharedError> {
        self.work(move |document| document.edit(change)).await
    }

    /// Takes in an edit that another replica on this machine made, such as a page's, and answers when it is on the disk:
    /// whether it changed anything.
    ///
    /// # Errors
    /// The bytes are refused; or as for [`Shared::edit`].
    pub async fn add(&self, update: Bytes) -> Result<bool, SharedError> {
        self.work(move |document| document.add(&update)).await
    }

    /// Looks at it.
    ///
    /// # Errors
    /// It is broken.
    pub async fn read<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Transaction<'_>) -> T + Send + 'static,
    ) -> Result<T, SharedError> {
        self.work(move |document| document.read(look)).await
    }

    /// What somebody lacks who has seen `vector`.
    ///
    /// # Errors
    /// That is no state vector.
    pub async fn missing(&self, vector: Bytes) -> Result<Bytes, SharedError> {
        self.work(move |document| document.missing(&vector)).await
    }

    /// The edits that the server does not have, as far as is known.
    ///
    /// # Errors
    /// The task has ended.
    pub async fn pending(&self) -> Result<Vec<Edit>, SharedError> {
        self.work(|document| Ok(document.pending().cloned().collect())).await
    }

    /// Says what one is doing in it, for as long as this lives; none to leave.
    ///
    /// # Errors
    /// The task has ended.
    pub async fn be_present(&self, state: Option<&Value>) -> Result<(), SharedError> {
        let state = state.map(|it| it.to_string().into());
        self.order(Order::Present(state)).await
    }

    /// How it stands, now and whenever that changes.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Waits until the server has everything that was done before.
    ///
    /// # Errors
    /// It is over before that.
    pub async fn settled(&self) -> Result<(), SharedError> {
        let mut standing = self.standing();
        let seen = standing.wait_for(|it| it.is_settled() || matches!(it.link, Link::Over(_)));
        match seen.await {
            Ok(standing) if standing.is_settled() => Ok(()),
            Ok(_) => Err(SharedError::Over),
            Err(_) => Err(SharedError::Ended),
        }
    }

    /// Tries the server again now, though it was over or would be tried only later.
    ///
    /// # Errors
    /// The task has ended.
    pub async fn again(&self) -> Result<(), SharedError> {
        self.order(Order::Again).await
    }

    /// Takes up the new life of a document that was made anew. What is left of the earlier one is answered, and stays in a
    /// file beside this one.
    ///
    /// # Errors
    /// It was not made anew, or the disk refuses: nothing has happened then.
    pub async fn start_over(&self) -> Result<Left, SharedError> {
        let (done, answer) = oneshot::channel();
        self.order(Order::StartOver(done)).await?;
        answer.await.map_err(|_| SharedError::Ended)?
    }

    /// Says goodbye, and answers when all of it is on this machine's disk.
    ///
    /// # Errors
    /// The disk refuses. What was edited was written before, or said not to be.
    pub async fn close(mut self) -> Result<(), SharedError> {
        let (done, answer) = oneshot::channel();
        self.order(Order::Close(done)).await?;
        let answer = answer.await.map_err(|_| SharedError::Ended)?;
        // The file can be opened again once the task has let go of it.
        while self.task.join_next().await.is_some() {}
        answer
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Document) -> Result<T, DocumentError> + Send + 'static,
    ) -> Result<T, SharedError> {
        let (done, answer) = oneshot::channel();
        let order = Order::Work(Box::new(move |document| {
            let worked = work(document);
            Box::new(move |kept| {
                let told = match kept {
                    Ok(()) => worked.map_err(SharedError::Document),
                    Err(error) => worked.map_err(SharedError::Document).and(Err(error.into())),
                };
                // Whoever asked may have gone.
                let _ = done.send(told);
            })
        }));
        self.order(order).await?;
        answer.await.map_err(|_| SharedError::Ended)?
    }

    async fn order(&self, order: Order) -> Result<(), SharedError> {
        self.orders.send(order).await.map_err(|_| SharedError::Ended)
    }
}
