//! What is due to a client, from the most to the least urgent: that it may see something no more; what changed; events.

use std::time::Duration;

use protocol::id::{ThreadId, WorkspaceId};
use protocol::workspace::live::ServerFrame;
use protocol::workspace::log::PageStatus;
use protocol::workspace::people::Role;
use protocol::workspace::problem::{Problem, ProblemCode};
use tokio::time::Instant;

use super::pen::Close;
use super::{Live, problem};
use crate::follow::{Next, PAGE_BYTES, PAGE_EVENTS, frame};
use crate::gate::place;
use crate::problem::Refusal;
use crate::store::StoreError;

/// Frames in a row before the client is heard again.
const FRAMES: usize = 16;
/// Lines of activity in one frame.
const LINES: usize = 100;
/// After the database refused.
const PAUSE: Duration = Duration::from_millis(500);

/// What became of one thing that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// It is done, and there may be more of it.
    More,
    /// It is done.
    All,
    /// It could not be found out; it stays due.
    Later,
}

impl Live {
    /// Sends what is due, or some of it: then [`Live::is_busy`].
    pub(super) async fn settle(&mut self) -> Result<(), Close> {
        for _ in 0..FRAMES {
            self.following.marks.add(self.ear.take());
            if !self.settle_one().await? {
                break;
            }
        }
        Ok(())
    }

    /// One thing. False when nothing is due, or nothing can be found out at the moment.
    async fn settle_one(&mut self) -> Result<bool, Close> {
        let marks = &mut self.following.marks;
        if let Some(workspace) = pop(&mut marks.members) {
            let done = self.member(&workspace).await?;
            return Ok(self.keep(done, |it| it.members.insert(workspace)));
        }
        if let Some((workspace, thread)) = pop(&mut marks.threads) {
            let done = self.thread(&workspace, &thread).await?;
            return Ok(self.keep(done, |it| it.threads.insert((workspace, thread))));
        }
        if let Some(workspace) = pop(&mut marks.all_threads) {
            let done = self.all_threads(&workspace).await?;
            return Ok(self.keep(done, |it| it.all_threads.insert(workspace)));
        }
        if let Some(workspace) = pop(&mut marks.presence) {
            if self.following.watches.contains_key(&workspace)
                && let Some(frame) = self.app.presence.frame(&workspace)
            {
                self.pen.pass(frame).await?;
            }
            return Ok(true);
        }
        if let Some(workspace) = pop(&mut marks.activity) {
            let done = self.activity(&workspace).await?;
            return Ok(self.keep(done, |it| it.activity.insert(workspace)));
        }
        if let Some(thread) = self.following.turn() {
            let done = self.events(&thread).await?;
            return Ok(self.keep(done, |it| it.events.insert(thread)));
        }
        Ok(false)
    }

    /// Whether to go on at once.
    fn keep(&mut self, done: Done, mark: impl FnOnce(&mut crate::follow::Marks) -> bool) -> bool {
        match done {
            Done::All => true,
            Done::More => {
                mark(&mut self.following.marks);
                true
            }
            Done::Later => {
                mark(&mut self.following.marks);
                self.hours.retry = Some(Instant::now() + PAUSE);
                false
            }
        }
    }

    /// Whether something is due that can be sent now.
    pub(super) fn is_busy(&self) -> bool {
        self.hours.retry.is_none() && self.following.is_due()
    }

    /// The person's place may have changed.
    async fn member(&mut self, workspace: &WorkspaceId) -> Result<Done, Close> {
        if !self.following.places.contains(workspace) {
            return Ok(Done::All);
        }
        let found = place(&self.app, self.caller.clone(), workspace.clone(), Role::Viewer).await;
        match problem(found) {
            Ok(_) => Ok(Done::All),
            Err(it) if it.code == ProblemCode::Unavailable || it.code == ProblemCode::Internal => Ok(Done::Later),
            Err(problem) => {
                self.following.end(workspace);
                let ended = ServerFrame::Ended {
                    workspace_id: workspace.clone(),
                    thread_id: None,
                    problem,
                };
                self.pen.write(&ended).await?;
                Ok(Done::All)
            }
        }
    }

    /// A thread is new, changed or gone.
    async fn thread(&mut self, workspace: &WorkspaceId, thread: &ThreadId) -> Result<Done, Close> {
        let watched = self.following.watches.contains_key(workspace);
        if !watched && !self.following.subscriptions.contains_key(thread) {
            return Ok(Done::All);
        }
        let Some(scope) = self.scope(workspace) else {
            return Ok(Done::All);
        };
        match self.app.store.within(&scope).thread(thread, &self.caller.user).await {
            Ok(Some(shared)) => {
                if let Some(watch) = self.following.watches.get_mut(workspace) {
                    watch.threads.insert(thread.clone(), shared.updated_at_ms);
                    self.pen.write(&ServerFrame::Thread { thread: shared }).await?;
                }
                Ok(Done::All)
            }
            Ok(None) => {
                self.end_thread(workspace, thread).await?;
                let watch = self.following.watches.get_mut(workspace);
                // Who was never told of it is not told that it is gone.
                if watch.is_some_and(|it| it.threads.remove(thread).is_some()) {
                    let gone = ServerFrame::ThreadGone {
                        workspace_id: workspace.clone(),
                        thread_id: thread.clone(),
                    };
                    self.pen.write(&gone).await?;
                }
                Ok(Done::All)
            }
            Err(error) => Ok(later(&error)),
        }
    }

    /// Any thread may have changed: compares.
    async fn all_threads(&mut self, workspace: &WorkspaceId) -> Result<Done, Close> {
        let Some(scope) = self.scope(workspace) else {
            return Ok(Done::All);
        };
        let followed = self
            .following
            .subscriptions
            .iter()
            .filter(|(_, it)| it.workspace == *workspace);
        let followed: Vec<ThreadId> = followed.map(|(id, _)| id.clone()).collect();
        let marks = &mut self.following.marks;
        marks
            .threads
            .extend(followed.into_iter().map(|it| (workspace.clone(), it)));
        let Some(watch) = self.following.watches.get(workspace) else {
            return Ok(Done::All);
        };
        match self.app.store.within(&scope).thread_times(&self.caller.user).await {
            Ok(now) => {
                let changed = now.iter().filter(|(id, at)| watch.threads.get(*id) != Some(*at));
                let gone = watch.threads.keys().filter(|it| !now.contains_key(*it));
                let marked = changed.map(|(id, _)| id).chain(gone);
                marks.threads.extend(marked.map(|it| (workspace.clone(), it.clone())));
                Ok(Done::All)
            }
            Err(error) => Ok(later(&error)),
        }
    }

    async fn activity(&mut self, workspace: &WorkspaceId) -> Result<Done, Close> {
        let (Some(scope), Some(watch)) = (self.scope(workspace), self.following.watches.get_mut(workspace)) else {
            return Ok(Done::All);
        };
        let within = self.app.store.within(&scope);
        let lines = match within.activity_after(&self.caller.user, watch.told, LINES).await {
            Ok(lines) => lines,
            Err(error) => return Ok(later(&error)),
        };
        let Some(last) = lines.last().map(|it| it.seq) else {
            return Ok(Done::All);
        };
        watch.told = last;
        let more = lines.len() == LINES;
        let frame = ServerFrame::Activity {
            workspace_id: workspace.clone(),
            lines,
        };
        self.pen.write(&frame).await?;
        Ok(if more { Done::More } else { Done::All })
    }

    /// The next events of a followed thread: the bytes that all sockets of this node send, or a page of one's own.
    async fn events(&mut self, thread: &ThreadId) -> Result<Done, Close> {
        let Some(subscription) = self.following.subscriptions.get_mut(thread) else {
            return Ok(Done::All);
        };
        match subscription.feed.next(subscription.told) {
            Next::Nothing => Ok(Done::All),
            Next::Chunk(chunk) if chunk.private_to.as_ref().is_none_or(|it| *it == self.caller.user) => {
                subscription.told = chunk.last;
                self.pen.pass(chunk.frame).await?;
                Ok(Done::More)
            }
            Next::Chunk(chunk) => {
                let most = (chunk.last - subscription.told).min(PAGE_EVENTS);
                self.page(thread, most).await
            }
            Next::Page(most) => self.page(thread, most).await,
        }
    }

    /// A page of one's own.
    pub(super) async fn page(&mut self, thread: &ThreadId, most: u64) -> Result<Done, Close> {
        let Some(subscription) = self.following.subscriptions.get(thread) else {
            return Ok(Done::All);
        };
        let (workspace, told) = (subscription.workspace.clone(), subscription.told);
        let Some(scope) = self.scope(&workspace) else {
            return Ok(Done::All);
        };
        let within = self.app.store.within(&scope);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let page = match within.events_after(thread, told, most, PAGE_BYTES).await {
            Ok(page) => page,
            Err(error) => return Ok(later(&error)),
        };
        // Asked afterwards: what was read may be seen if it may still be seen now.
        match within.thread(thread, &self.caller.user).await {
            Ok(Some(_)) => {}
            Ok(None) => {
                self.end_thread(&workspace, thread).await?;
                return Ok(Done::All);
            }
            Err(error) => return Ok(later(&error)),
        }
        self.app.metrics.live_pages.inc();
        let moved = page.status == PageStatus::Ok && page.next > told || page.status == PageStatus::Rebased;
        if let Some(subscription) = self.following.subscriptions.get_mut(thread) {
            subscription.told = match page.status {
                PageStatus::Ok | PageStatus::Rebased => page.next.max(told),
                PageStatus::Ahead => page.head_seq,
            };
            subscription.feed.reach(page.head_seq);
        }
        match frame(thread, page) {
            Ok(frame) => self.pen.pass(frame).await?,
            Err(error) => return Ok(later(&error)),
        }
        Ok(if moved { Done::More } else { Done::All })
    }

    async fn end_thread(&mut self, workspace: &WorkspaceId, thread: &ThreadId) -> Result<(), Close> {
        if self.following.unsubscribe(thread).is_none() {
            return Ok(());
        }
        let ended = ServerFrame::Ended {
            workspace_id: workspace.clone(),
            thread_id: Some(thread.clone()),
            problem: Refusal::not_found().0,
        };
        self.pen.write(&ended).await
    }

    pub(super) async fn refuse(
        &mut self,
        id: Option<u64>,
        thread_id: Option<ThreadId>,
        problem: Problem,
    ) -> Result<(), Close> {
        let refused = ServerFrame::Refused {
            id,
            thread_id,
            workspace_id: None,
            problem,
        };
        self.pen.write(&refused).await
    }

    /// The right to look into a workspace in which something is followed: it was given there, and is taken away when the
    /// person's place ends.
    fn scope(&self, workspace: &WorkspaceId) -> Option<crate::store::Scope> {
        let followed = self.following.places.contains(workspace);
        followed.then(|| crate::store::Scope::of(workspace.clone()))
    }
}

fn later(error: &StoreError) -> Done {
    tracing::warn!(error = %crate::store::Chain(error), "what is due to a client cannot be read");
    Done::Later
}

fn pop<T: Clone + Eq + std::hash::Hash>(set: &mut std::collections::HashSet<T>) -> Option<T> {
    let first = set.iter().next()?.clone();
    set.take(&first)
}
