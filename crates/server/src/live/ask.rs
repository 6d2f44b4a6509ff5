//! What a client asks for.

use protocol::id::{ThreadId, WorkspaceId};
use protocol::workspace::live::{ClientFrame, Present, ServerFrame};
use protocol::workspace::log::Batch;
use protocol::workspace::people::Role;
use protocol::workspace::problem::{Problem, ProblemCode};
use serde_json::Value;

use super::due::Done;
use super::following::Watch;
use super::pen::Close;
use super::{Live, problem};
use crate::follow::PAGE_EVENTS;
use crate::gate::{Place, place};
use crate::ingest;
use crate::presence::STATE_BYTES;
use crate::problem::{Answer, Refusal};

impl Live {
    pub(super) async fn obey(&mut self, frame: ClientFrame) -> Result<(), Close> {
        match frame {
            ClientFrame::Authenticate { token } => self.authenticate(&token).await,
            ClientFrame::Watch { workspace_id, after } => {
                let watched = problem(self.watch(&workspace_id, after).await);
                self.refuse_if(watched, workspace_id).await
            }
            ClientFrame::Unwatch { workspace_id } => {
                self.following.unwatch(&workspace_id);
                Ok(())
            }
            ClientFrame::Subscribe {
                workspace_id,
                thread_id,
                after,
            } => match self.subscribe(&workspace_id, &thread_id, after).await {
                // The first page always comes, even with nothing in it: it says where the thread ends.
                Ok(()) => match self.page(&thread_id, PAGE_EVENTS).await? {
                    Done::All | Done::More => Ok(()),
                    Done::Later => {
                        self.following.unsubscribe(&thread_id);
                        let problem = Problem::new(ProblemCode::Unavailable, "The thread cannot be read right now.");
                        self.refuse(None, Some(thread_id), problem).await
                    }
                },
                Err(Refusal(problem)) => self.refuse(None, Some(thread_id), problem).await,
            },
            ClientFrame::Unsubscribe { thread_id } => {
                self.following.unsubscribe(&thread_id);
                Ok(())
            }
            ClientFrame::Append {
                id,
                workspace_id,
                thread_id,
                batch,
            } => match self.append(workspace_id, &thread_id, batch).await {
                Ok(acked) => self.pen.write(&ServerFrame::Acked { id, acked }).await,
                Err(Refusal(problem)) => self.refuse(Some(id), Some(thread_id), problem).await,
            },
            ClientFrame::Presence { workspace_id, state } => {
                let told = problem(self.be_present(&workspace_id, state).await);
                self.refuse_if(told, workspace_id).await
            }
            ClientFrame::Ping {} => self.pen.write(&ServerFrame::Pong {}).await,
        }
    }

    async fn refuse_if(&mut self, done: Result<(), Problem>, workspace_id: WorkspaceId) -> Result<(), Close> {
        let Err(problem) = done else { return Ok(()) };
        let refused = ServerFrame::Refused {
            id: None,
            thread_id: None,
            workspace_id: Some(workspace_id),
            problem,
        };
        self.pen.write(&refused).await
    }

    /// Looks up the person's place, and listens for its end from before that on, so that none is missed.
    async fn enter(&mut self, workspace: &WorkspaceId) -> Answer<Place> {
        if self.following.is_full(workspace) {
            return Err(Refusal::new(
                ProblemCode::RateLimited,
                "One socket follows no more than this. Unwatch or unsubscribe something first.",
            ));
        }
        self.following.enter(workspace);
        let found = place(&self.app, self.caller.clone(), workspace.clone(), Role::Viewer).await;
        if found.is_err() {
            self.following.leave_if_idle(workspace);
        }
        found
    }

    async fn watch(&mut self, workspace: &WorkspaceId, after: u64) -> Answer<()> {
        let place = self.enter(workspace).await?;
        let threads = place.store(&self.app).thread_times(&self.caller.user).await;
        let threads = match threads {
            Ok(threads) => threads,
            Err(error) => {
                self.following.leave_if_idle(workspace);
                return Err(error.into());
            }
        };
        self.following
            .watches
            .insert(workspace.clone(), Watch { told: after, threads });
        self.following.marks.activity.insert(workspace.clone());
        self.following.marks.presence.insert(workspace.clone());
        Ok(())
    }

    async fn subscribe(&mut self, workspace: &WorkspaceId, thread: &ThreadId, after: u64) -> Answer<()> {
        let place = self.enter(workspace).await?;
        let found = place.store(&self.app).thread(thread, &self.caller.user).await;
        let found = found
            .map_err(Refusal::from)
            .and_then(|it| it.ok_or_else(Refusal::not_found));
        match found {
            Ok(found) => {
                self.following
                    .subscribe(workspace.clone(), thread.clone(), after, found.head_seq);
                Ok(())
            }
            Err(refusal) => {
                self.following.leave_if_idle(workspace);
                Err(refusal)
            }
        }
    }

    async fn append(
        &mut self,
        workspace: WorkspaceId,
        thread: &ThreadId,
        batch: Batch,
    ) -> Answer<protocol::workspace::log::Acked> {
        let place = place(&self.app, self.caller.clone(), workspace, Role::Member).await?;
        place.open_for_changes()?;
        ingest::append(&self.app, &place, thread, batch.into()).await
    }

    async fn be_present(&mut self, workspace: &WorkspaceId, state: Option<Value>) -> Answer<()> {
        let Some(state) = state else {
            self.following.be_absent(workspace);
            return Ok(());
        };
        if state.to_string().len() > STATE_BYTES {
            let problem = Problem::new(ProblemCode::TooLarge, "That is too much to say about oneself.");
            return Err(problem.fact("limit", STATE_BYTES).into());
        }
        self.enter(workspace).await?;
        let present = Present {
            user_id: self.caller.user.clone(),
            name: self.caller.verified.name.clone(),
            device_id: self.device.clone(),
            state,
        };
        if !self.app.presence.set(workspace, self.number, present) {
            self.following.leave_if_idle(workspace);
            return Err(Refusal::conflict(
                "Too many are there, or the device is another person's.",
            ));
        }
        self.following.be_present(workspace, &self.device);
        Ok(())
    }
}
