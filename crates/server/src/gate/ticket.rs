//! Tickets: thirty seconds in which one socket may be opened, by one person, from one page, for one purpose, once.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::id::{DeviceId, WorkspaceId};
use protocol::workspace::people::Role;
use protocol::workspace::problem::{Problem, ProblemCode};
use protocol::workspace::ticket::Ticket;
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

use super::{Caller, place};
use crate::app::App;
use crate::problem::{Answer, Refusal};
use crate::store::tickets::TicketRow;

/// For how long a ticket is good.
pub const LIFE: Duration = Duration::from_secs(30);

/// The most tickets of one person that wait to be used.
const WAITING: u64 = 100;

/// What a socket is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// The live socket.
    Live,
    /// One document.
    Document {
        /// Where.
        workspace: WorkspaceId,
        /// Which.
        document: String,
    },
}

impl Purpose {
    /// As the database keeps it. Ids hold no spaces.
    fn text(&self) -> String {
        match self {
            Self::Live => "live".to_owned(),
            Self::Document { workspace, document } => format!("document {workspace} {document}"),
        }
    }
}

/// Somebody who holds a ticket.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Who.
    pub caller: Caller,
    /// With which device.
    pub device: Option<DeviceId>,
}

/// Makes a ticket for somebody who was checked.
pub async fn issue(
    app: &App,
    caller: &Caller,
    origin: Option<String>,
    device: Option<DeviceId>,
    purpose: &Purpose,
) -> Answer<Ticket> {
    let now_ms = app.clock.now_ms();
    let life = u64::try_from(LIFE.as_millis()).unwrap_or(u64::MAX);
    let mut expires_at_ms = now_ms.saturating_add(life);
    if let Some(end) = caller.verified.expires_at_ms {
        expires_at_ms = expires_at_ms.min(end);
    }
    let mut secret = [0; 32];
    SystemRandom::new().fill(&mut secret).map_err(|_| {
        Refusal::new(
            ProblemCode::Internal,
            "The server has no randomness. Nothing was changed.",
        )
    })?;
    let ticket = URL_SAFE_NO_PAD.encode(secret);
    let row = TicketRow {
        user: caller.user.clone(),
        verified: caller.verified.clone(),
        purpose: purpose.text(),
        origin,
        device,
        expires_at_ms,
    };
    if !app.store.put_ticket(&hash(&ticket), &row, WAITING, now_ms).await? {
        return Err(
            Problem::new(ProblemCode::RateLimited, "Too many tickets wait to be used.")
                .fact("retry_after_s", LIFE.as_secs())
                .into(),
        );
    }
    Ok(Ticket { ticket, expires_at_ms })
}

/// Takes a ticket: it is gone afterwards, whether it was good or not. Whoever was removed from a document's workspace in
/// the meantime has nothing to open.
pub async fn redeem(
    app: &App,
    ticket: &str,
    origin: Option<&str>,
    address: IpAddr,
    purpose: &Purpose,
) -> Answer<Holder> {
    let row = app.store.take_ticket(&hash(ticket)).await?.ok_or_else(spent)?;
    let good =
        row.expires_at_ms > app.clock.now_ms() && row.purpose == purpose.text() && row.origin.as_deref() == origin;
    if !good {
        return Err(spent());
    }
    let caller = Caller {
        user: row.user,
        verified: row.verified,
        address,
    };
    if let Purpose::Document { workspace, .. } = purpose {
        place(app, caller.clone(), workspace.clone(), Role::Viewer).await?;
    }
    Ok(Holder {
        caller,
        device: row.device,
    })
}

/// One answer for every reason, so that nobody learns which one it was.
fn spent() -> Refusal {
    Refusal(
        Problem::new(ProblemCode::Unauthenticated, "This ticket is not good, or no longer.")
            .hint("Ask for a new one: each opens one socket, once, within thirty seconds."),
    )
}

fn hash(ticket: &str) -> String {
    let digest = Sha256::digest(ticket.as_bytes());
    URL_SAFE_NO_PAD.encode(digest)
}
