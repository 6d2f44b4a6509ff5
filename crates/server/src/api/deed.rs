//! What somebody did in a workspace, written into the feed and the audit log in one transaction, and then announced.

use protocol::id::UserId;
use serde_json::Value;
use sqlx::{Any, Transaction};

use crate::app::App;
use crate::bus::Hint;
use crate::gate::Place;
use crate::problem::Answer;
use crate::store::audit::AuditEntry;

/// One deed.
#[derive(Debug)]
pub(crate) struct Deed {
    /// What, for both: `member.role_changed`.
    pub(crate) verb: &'static str,
    /// To what kind of thing.
    pub(crate) kind: &'static str,
    /// To which.
    pub(crate) id: String,
    /// What the feed's line shows.
    pub(crate) shown: Value,
    /// What the audit log's line holds: no content, no secrets.
    pub(crate) facts: Value,
}

impl Deed {
    /// Writes it down and commits; then tells those who follow the feed.
    pub(crate) async fn commit(self, app: &App, place: &Place, mut tx: Transaction<'_, Any>) -> Answer<()> {
        let now = app.clock.now_ms();
        let by = &place.caller.user;
        let store = place.store(app);
        let seq = store
            .record(&mut tx, now, Some(by), self.verb, self.kind, &self.id, self.shown)
            .await?;
        let entry = AuditEntry {
            detail: self.facts,
            ..place.entry(now, self.verb, format!("{}/{}", self.kind, self.id))
        };
        app.store.audit(&mut tx, &entry).await?;
        tx.commit().await?;
        app.bus.publish(Hint::Activity {
            workspace: place.workspace().clone(),
            seq,
        });
        Ok(())
    }

    /// The same for what only its owner may know of: no line in the feed.
    pub(crate) async fn commit_unseen(self, app: &App, place: &Place, mut tx: Transaction<'_, Any>) -> Answer<()> {
        let entry = AuditEntry {
            detail: self.facts,
            ..place.entry(app.clock.now_ms(), self.verb, format!("{}/{}", self.kind, self.id))
        };
        app.store.audit(&mut tx, &entry).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The same for what changes somebody's place, or everybody's: sockets look again.
    pub(crate) async fn commit_membership(
        self,
        app: &App,
        place: &Place,
        tx: Transaction<'_, Any>,
        user: Option<UserId>,
    ) -> Answer<()> {
        self.commit(app, place, tx).await?;
        app.bus.publish(Hint::Membership {
            workspace: place.workspace().clone(),
            user,
        });
        Ok(())
    }
}
