//! What can be asked of the server, each as one function.

use std::sync::Arc;

use protocol::id::{ApprovalId, ThreadId, TurnId, TurnRequestId, WorkspaceId};
use protocol::workspace::log::{
    ApprovalDecision, ApprovalStatus, EventPage, Lease, LeaseRelease, LeaseRequest, NewSharedThread, NewTurnRequest,
    SharedApproval, SharedThread, SharedThreadChange, TurnRequest, TurnRequestChange, TurnRequestStatus,
};
use protocol::workspace::people::{AcceptInvitation, Invitation, Listed, Me, NewInvitation, NewWorkspace, Workspace};
use reqwest::Method;

use super::door::Door;
use crate::trouble::Trouble;

/// No body.
const NOTHING: Option<&()> = None;

/// The server, asked one thing at a time. What is not here can be asked through [`Calls::door`].
#[derive(Debug, Clone)]
pub struct Calls {
    door: Arc<Door>,
}

impl Calls {
    /// Through a door.
    #[must_use]
    pub fn new(door: Arc<Door>) -> Self {
        Self { door }
    }

    /// The way to the server.
    #[must_use]
    pub fn door(&self) -> &Arc<Door> {
        &self.door
    }

    /// Who one is taken for.
    ///
    /// # Errors
    /// As [`Trouble`] says; the same holds for all that follow.
    pub async fn me(&self) -> Result<Me, Trouble> {
        self.door.ask(Method::GET, "/me", NOTHING).await
    }

    /// Makes a workspace.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn new_workspace(&self, name: &str) -> Result<Workspace, Trouble> {
        let new = NewWorkspace { name: name.to_owned() };
        self.door.ask(Method::POST, "/workspaces", Some(&new)).await
    }

    /// Invites somebody into a workspace.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn invite(&self, workspace: &WorkspaceId, new: &NewInvitation) -> Result<Invitation, Trouble> {
        let path = workspace_path(workspace, "/invitations")?;
        self.door.ask(Method::POST, &path, Some(new)).await
    }

    /// Accepts an invitation.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn accept(&self, token: &str) -> Result<Workspace, Trouble> {
        let accept = AcceptInvitation {
            token: token.to_owned(),
        };
        self.door.ask(Method::POST, "/invitations/accept", Some(&accept)).await
    }

    /// Shares a thread. Asking again with the same id answers the same thread.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn share(&self, workspace: &WorkspaceId, new: &NewSharedThread) -> Result<SharedThread, Trouble> {
        let path = workspace_path(workspace, "/threads")?;
        self.door.ask(Method::POST, &path, Some(new)).await
    }

    /// A shared thread.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn thread(&self, workspace: &WorkspaceId, thread: &ThreadId) -> Result<SharedThread, Trouble> {
        let path = thread_path(workspace, thread, "")?;
        self.door.ask(Method::GET, &path, NOTHING).await
    }

    /// Changes a shared thread's title, visibility or approvers.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn change_thread(
        &self,
        workspace: &WorkspaceId,
        thread: &ThreadId,
        change: &SharedThreadChange,
    ) -> Result<SharedThread, Trouble> {
        let path = thread_path(workspace, thread, "")?;
        self.door.ask(Method::PATCH, &path, Some(change)).await
    }

    /// A page of a thread's events.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn events(&self, workspace: &WorkspaceId, thread: &ThreadId, after: u64) -> Result<EventPage, Trouble> {
        let path = thread_path(workspace, thread, &format!("/events?after={after}"))?;
        self.door.ask(Method::GET, &path, NOTHING).await
    }

    /// Asks for the right to append, or for more of it. A publisher does this by itself.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn lease(
        &self,
        workspace: &WorkspaceId,
        thread: &ThreadId,
        asks: &LeaseRequest,
    ) -> Result<Lease, Trouble> {
        let path = thread_path(workspace, thread, "/lease")?;
        self.door.ask(Method::POST, &path, Some(asks)).await
    }

    /// Gives it back. A publisher does this when it is told to.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn release(
        &self,
        workspace: &WorkspaceId,
        thread: &ThreadId,
        gives: &LeaseRelease,
    ) -> Result<(), Trouble> {
        let path = thread_path(workspace, thread, "/lease")?;
        self.door.ask(Method::DELETE, &path, Some(gives)).await
    }

    /// The questions of a thread that wait for an answer: the first page.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn open_questions(
        &self,
        workspace: &WorkspaceId,
        thread: &ThreadId,
    ) -> Result<Vec<SharedApproval>, Trouble> {
        let path = thread_path(workspace, thread, "/approvals?status=pending")?;
        let page: Listed<SharedApproval> = self.door.ask(Method::GET, &path, NOTHING).await?;
        debug_assert!(page.items.iter().all(|it| it.status == ApprovalStatus::Pending));
        Ok(page.items)
    }

    /// Answers a question. The first answer stands.
    ///
    /// # Errors
    /// As [`Trouble`] says; a conflict names who was first.
    pub async fn decide(
        &self,
        workspace: &WorkspaceId,
        thread: &ThreadId,
        approval: &ApprovalId,
        decision: &ApprovalDecision,
    ) -> Result<SharedApproval, Trouble> {
        let rest = format!("/approvals/{}/decision", segment(approval.as_str())?);
        let path = thread_path(workspace, thread, &rest)?;
        self.door.ask(Method::POST, &path, Some(decision)).await
    }

    /// Asks the machine that runs a thread for a turn. The same key answers the same request.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn request_turn(
        &self,
        workspace: &WorkspaceId,
        thread: &ThreadId,
        new: &NewTurnRequest,
    ) -> Result<TurnRequest, Trouble> {
        let path = thread_path(workspace, thread, "/turn-requests")?;
        self.door.ask(Method::POST, &path, Some(new)).await
    }

    /// The requests for turns that wait: the first page.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn waiting_turns(&self, workspace: &WorkspaceId, thread: &ThreadId) -> Result<Vec<TurnRequest>, Trouble> {
        let path = thread_path(workspace, thread, "/turn-requests?status=queued")?;
        let page: Listed<TurnRequest> = self.door.ask(Method::GET, &path, NOTHING).await?;
        Ok(page.items)
    }

    /// The machine with the lease takes a request up: nobody else will.
    ///
    /// # Errors
    /// As [`Trouble`] says; a conflict when somebody was first or it was taken back.
    pub async fn take_turn(
        &self,
        (workspace, thread): (&WorkspaceId, &ThreadId),
        request: &TurnRequestId,
        (producer, epoch): (&str, u64),
    ) -> Result<TurnRequest, Trouble> {
        let change = TurnRequestChange {
            status: TurnRequestStatus::Taken,
            producer_id: Some(producer.to_owned()),
            lease_epoch: Some(epoch),
            turn_id: None,
        };
        self.change_turn((workspace, thread), request, &change).await
    }

    /// And says which turn it became.
    ///
    /// # Errors
    /// As [`Trouble`] says.
    pub async fn begin_turn(
        &self,
        (workspace, thread): (&WorkspaceId, &ThreadId),
        request: &TurnRequestId,
        (producer, epoch): (&str, u64),
        turn: &TurnId,
    ) -> Result<TurnRequest, Trouble> {
        let change = TurnRequestChange {
            status: TurnRequestStatus::Started,
            producer_id: Some(producer.to_owned()),
            lease_epoch: Some(epoch),
            turn_id: Some(turn.clone()),
        };
        self.change_turn((workspace, thread), request, &change).await
    }

    async fn change_turn(
        &self,
        (workspace, thread): (&WorkspaceId, &ThreadId),
        request: &TurnRequestId,
        change: &TurnRequestChange,
    ) -> Result<TurnRequest, Trouble> {
        let rest = format!("/turn-requests/{}", segment(request.as_str())?);
        let path = thread_path(workspace, thread, &rest)?;
        self.door.ask(Method::PATCH, &path, Some(change)).await
    }
}

/// A path in a workspace.
pub(super) fn workspace_path(workspace: &WorkspaceId, rest: &str) -> Result<String, Trouble> {
    Ok(format!("/workspaces/{}{rest}", segment(workspace.as_str())?))
}

/// A path in a thread.
pub(super) fn thread_path(workspace: &WorkspaceId, thread: &ThreadId, rest: &str) -> Result<String, Trouble> {
    let thread = segment(thread.as_str())?;
    workspace_path(workspace, &format!("/threads/{thread}{rest}"))
}

/// An id as a part of a path. One that would lead elsewhere is none.
pub(super) fn segment(id: &str) -> Result<&str, Trouble> {
    let is_id = !id.is_empty()
        && id.chars().all(|it| it.is_ascii_alphanumeric() || "_.:-".contains(it))
        && id.chars().any(|it| it != '.');
    is_id
        .then_some(id)
        .ok_or_else(|| Trouble::Nonsense(format!("{id:?} is no id")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_never_leads_elsewhere() {
        for good in ["a", "01J-x_y", "a.b:c"] {
            assert_eq!(segment(good).unwrap(), good);
        }
        for bad in ["", ".", "..", "a/b", "a?b", "a#b", "a%2fb", "ä", "a b"] {
            assert!(segment(bad).is_err(), "{bad}");
        }
    }
}
