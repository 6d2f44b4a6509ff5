//! What can be asked of threads without writing to them: pages, lists, outlines, searches.
//!
//! The rollout answers for itself; the index only saves reading all of it. Without an index everything but searching
//! still works, slower.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use protocol::artifact::ArtifactEntry;
use protocol::thread::{Page, SearchHit, ThreadStatus, ThreadSummary, TurnSummary};
use protocol::{EventKind, Failure, ThreadId};

use super::files::open;
use super::index::{Known, Place};
use super::{Error, Logs, Result, State, page, rollout, search};

impl Logs {
    /// A stretch of a thread: its end, or what came before event `before`, at least back to event `reach`.
    ///
    /// # Errors
    /// When there is no such thread or it cannot be read.
    pub async fn page(&self, id: &ThreadId, before: Option<u64>, reach: Option<u64>) -> Result<Page> {
        let (state, len) = self.standing(id).await?;
        let path = self.path(id)?;
        let head = state.summary.head_seq;
        let last = before.map_or(head, |it| head.min(it.saturating_sub(1)));
        let stretch = self
            .with_file(id, move |file| {
                let end = if last >= head {
                    len
                } else {
                    rollout::locate(file, last, len)?
                };
                page::stretch(file, &path, end, reach)
            })
            .await?;
        let turns = self.turns(id, len, (stretch.first, last)).await?;
        tracing::debug!(%id, events = stretch.events.len(), bytes = stretch.bytes, "a page was read");
        Ok(Page {
            thread: state.summary.clone(),
            before: (!stretch.whole).then_some(stretch.first),
            events: stretch.events,
            turns,
            next_seq: last,
            approvals: state.approvals.clone(),
            queue: state.queue.clone(),
            context: state.context,
            usage: state.usage,
        })
    }

    /// A thread in a list.
    ///
    /// # Errors
    /// When there is no such thread or it cannot be read.
    pub async fn summary(&self, id: &ThreadId) -> Result<ThreadSummary> {
        Ok(self.standing(id).await?.0.summary.clone())
    }

    /// The archived threads or the others: pinned first, then the newest first.
    ///
    /// # Errors
    /// When nothing can be read at all.
    pub async fn list(&self, archived: bool) -> Result<Vec<ThreadSummary>> {
        let mut list = match self.caught_up_list().await {
            Ok(list) => list.into_iter().map(|it| self.present(it)).collect(),
            Err(error) => {
                tracing::warn!(%error, "the index cannot be used, so all threads are read");
                self.read_all().await?
            }
        };
        list.retain(|it| it.archived == archived);
        list.sort_by(|a, b| (b.pinned, b.updated_ms, &b.id).cmp(&(a.pinned, a.updated_ms, &a.id)));
        Ok(list)
    }

    /// All turns of a thread.
    ///
    /// # Errors
    /// When there is no such thread or it cannot be read.
    pub async fn outline(&self, id: &ThreadId) -> Result<Vec<TurnSummary>> {
        let (state, len) = self.standing(id).await?;
        self.turns(id, len, (0, state.summary.head_seq)).await
    }

    /// Places where all words of `query` occur, the last one perhaps as a beginning.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn search(&self, query: &str) -> Result<Vec<SearchHit>> {
        let Some(expression) = search::expression(query) else {
            return Ok(Vec::new());
        };
        self.catch_up().await.map_err(Error::Index)?;
        let places = self.0.news.index.find(&expression).await.map_err(Error::Index)?;
        let (root, query) = (self.0.home.threads(), query.to_owned());
        let hits = tokio::task::spawn_blocking(move || -> Vec<SearchHit> {
            places.into_iter().filter_map(|it| hit(&root, it, &query)).collect()
        })
        .await?;
        let present = |it: SearchHit| SearchHit {
            thread: self.present(it.thread),
            ..it
        };
        Ok(hits.into_iter().map(present).collect())
    }

    /// A turn or an item of the thread began and did not end.
    ///
    /// # Errors
    /// When there is no such thread or it cannot be read.
    pub async fn is_unfinished(&self, id: &ThreadId) -> Result<bool> {
        let (state, _) = self.standing(id).await?;
        Ok(state.open_turn.is_some() || !state.open_items.is_empty())
    }

    /// The files a thread made for the person, the newest first.
    ///
    /// # Errors
    /// When there is no such thread or it cannot be read.
    pub async fn artifacts(&self, id: &ThreadId) -> Result<Vec<ArtifactEntry>> {
        Ok(self.standing(id).await?.0.artifacts.clone())
    }

    /// Waits until the index knows all that was appended.
    pub async fn settled(&self) {
        self.0.news.index.settle().await;
    }

    /// Waits until the index knows all that was appended, and lets go of its file.
    pub async fn close(&self) {
        self.0.news.index.close().await;
    }

    /// Makes the index anew from the rollouts.
    pub async fn rebuild(&self) {
        if let Err(error) = self.0.news.index.rebuild().await {
            tracing::warn!(%error, "the index was not built anew");
        }
    }

    /// What the person should know: the index was damaged, moved aside and built anew.
    #[must_use]
    pub fn damage(&self) -> Option<Failure> {
        self.0.news.index.damage()
    }

    /// The thread as it stands, and the bytes of its rollout that say so.
    async fn standing(&self, id: &ThreadId) -> Result<(Arc<State>, u64)> {
        if let Some(log) = self.writer(id) {
            return Ok(log.snapshot());
        }
        let path = self.path(id)?;
        let known = self
            .known(id, &path)
            .await
            .unwrap_or_else(|| Known::nothing(id.clone()));
        self.with_file(id, move |file| {
            let len = rollout::whole_lines(file, file.metadata()?.len())?;
            let mut state = page::fold_on(file, &path, len, known)?;
            state.summary = closed(state.summary);
            Ok((Arc::new(state), len))
        })
        .await
    }

    /// What the index knows of a closed thread.
    pub(super) async fn known(&self, id: &ThreadId, path: &Path) -> Option<Known> {
        let len = tokio::fs::metadata(path).await.ok()?.len();
        self.0.news.index.know(id, len).await
    }

    /// The turns of a stretch from event `range.0` to event `range.1` of a thread with `len` bytes.
    async fn turns(&self, id: &ThreadId, len: u64, range: (u64, u64)) -> Result<Vec<TurnSummary>> {
        let index = &self.0.news.index;
        if index.know(id, len).await.is_some_and(|it| it.len >= len) {
            match index.turns(id, range.0, range.1).await {
                Ok(turns) => return Ok(turns),
                Err(error) => tracing::warn!(%id, %error, "the index does not know a thread's turns"),
            }
        }
        let path = self.path(id)?;
        self.with_file(id, move |file| {
            let turns = page::outline(file, &path, len)?;
            Ok(page::between(turns, range.0, range.1))
        })
        .await
    }

    async fn caught_up_list(&self) -> Result<Vec<ThreadSummary>, sqlx::Error> {
        self.catch_up().await?;
        self.0.news.index.list().await
    }

    /// Takes in what other processes appended, and tells those who follow such threads here.
    async fn catch_up(&self) -> Result<(), sqlx::Error> {
        self.0.news.index.start();
        for id in self.0.news.index.catch_up().await? {
            if self.writer(&id).is_none() {
                if let Some(feed) = self.threads().get(&id).and_then(|it| it.feed.upgrade()) {
                    feed.poke();
                }
                self.0.news.changed(&id);
            }
        }
        Ok(())
    }

    async fn read_all(&self) -> Result<Vec<ThreadSummary>> {
        let root = self.0.home.threads();
        let mut list = Vec::new();
        for (id, _) in tokio::task::spawn_blocking(move || rollout::all(&root)).await? {
            match self.summary(&id).await {
                Ok(summary) => list.push(summary),
                Err(error) => tracing::warn!(%id, %error, "a thread is left out of the list"),
            }
        }
        Ok(list)
    }

    /// A thread from the index, with what only this process knows.
    fn present(&self, summary: ThreadSummary) -> ThreadSummary {
        match self.writer(&summary.id) {
            Some(log) => log.state().summary.clone(),
            None => closed(summary),
        }
    }

    async fn with_file<T: Send + 'static>(
        &self,
        id: &ThreadId,
        work: impl FnOnce(&File) -> std::io::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (id, path) = (id.clone(), self.path(id)?);
        tokio::task::spawn_blocking(move || {
            let file = open(&id, &path)?;
            work(&file).map_err(|source| Error::io("read", &path, source))
        })
        .await?
    }
}

/// Nothing runs in a thread that is closed, whatever its last event was; a question waits all the same.
fn closed(mut summary: ThreadSummary) -> ThreadSummary {
    if summary.status == ThreadStatus::Running {
        summary.status = ThreadStatus::Idle;
    }
    summary
}

/// A place with the text around it; `None` when the rollout does not say any more what the index remembers.
fn hit(root: &Path, place: Place, query: &str) -> Option<SearchHit> {
    let snippet = match &place.item {
        None => search::snippet(&place.thread.title, query),
        Some(_) => {
            let file = File::open(rollout::path(root, &place.thread.id)?).ok()?;
            let mut line = vec![0; usize::try_from(place.len).ok()?];
            rollout::read_at(&file, &mut line, place.offset).ok()?;
            let rollout::Line::Event(event) = rollout::parse(&line) else {
                return None;
            };
            let EventKind::ItemCompleted { item, .. } = event.kind else {
                return None;
            };
            search::snippet(&search::words(&item.kind)?, query)
        }
    };
    Some(SearchHit {
        thread: place.thread,
        seq: place.item.is_some().then_some(place.seq),
        item_id: place.item,
        snippet,
    })
}
