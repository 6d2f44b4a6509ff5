//! What can go wrong between a client and the server, and whether it is worth trying again.

use std::time::Duration;

use protocol::workspace::problem::{Problem, ProblemCode};

use crate::journal::JournalError;
use crate::queue::QueueError;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The server answered, and said no.
    #[error("the server refused")]
    Refused(#[source] Problem),
    /// No node answered.
    #[error("the server cannot be reached")]
    Unreachable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A websocket was closed by the server. Codes from 4400 to 4499 stay as they are until something else changes.
    #[error("the server closed the connection ({code}): {reason}")]
    Closed {
        /// The close code.
        code: u16,
        /// Why, in the server's words.
        reason: String,
    },
    /// Nobody is signed in any more, or cannot be found out.
    #[error("there is no credential")]
    Credentials(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The answer is not one that this version understands.
    #[error("the answer makes no sense: {0}")]
    Nonsense(String),
    /// What is kept on this machine cannot be read or written.
    #[error("what is kept on this machine cannot be used")]
    Kept(#[from] JournalError),
    /// Events cannot be queued on this machine.
    #[error("events cannot be queued on this machine")]
    Queue(#[from] QueueError),
    /// A file on this machine cannot be read or written.
    #[error("a file cannot be used")]
    File(#[from] std::io::Error),
    /// The client that this belongs to has ended.
    #[error("the client has ended")]
    Ended,
}

/// Whether to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// After a while; the server may have said after how long at least.
    Later(Option<Duration>),
    /// Not before somebody changed something.
    Never,
}

impl Trouble {
    /// Whether to try the same again.
    #[must_use]
    pub fn again(&self) -> Again {
        match self {
            Self::Refused(problem) => again(problem),
            Self::Unreachable(_) | Self::Credentials(_) => Again::Later(None),
            // The server's own number of milliseconds stands in the reason of a restart.
            Self::Closed { code: 4400..4500, .. } => Again::Never,
            Self::Closed { reason, .. } => Again::Later(retry_after(reason)),
            Self::Nonsense(_) | Self::Kept(_) | Self::Queue(_) | Self::File(_) | Self::Ended => Again::Never,
        }
    }

    /// The problem that the server named, if it was a refusal.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            Self::Unreachable(_)
            | Self::Closed { .. }
            | Self::Credentials(_)
            | Self::Nonsense(_)
            | Self::Kept(_)
            | Self::Queue(_)
            | Self::File(_)
            | Self::Ended => None,
        }
    }
}

/// Whether to ask again what was refused so.
#[must_use]
pub fn again(problem: &Problem) -> Again {
    match problem.code {
        ProblemCode::RateLimited | ProblemCode::Unavailable | ProblemCode::Internal | ProblemCode::TooSlow => {
            let after = problem.facts.get("retry_after_s").and_then(serde_json::Value::as_f64);
            let after_ms = problem.facts.get("retry_after_ms").and_then(serde_json::Value::as_f64);
            let seconds = after_ms.map(|it| it / 1000.0).or(after);
            Again::Later(seconds.and_then(|it| Duration::try_from_secs_f64(it).ok()))
        }
        ProblemCode::InvalidRequest
        | ProblemCode::Unauthenticated
        | ProblemCode::Forbidden
        | ProblemCode::NotFound
        | ProblemCode::Conflict
        | ProblemCode::Fenced
        | ProblemCode::Gap
        | ProblemCode::EpochChanged
        | ProblemCode::TooLarge
        | ProblemCode::QuotaExceeded => Again::Never,
    }
}

/// A node that restarts says in its close frame when to come back.
fn retry_after(reason: &str) -> Option<Duration> {
    let said: serde_json::Value = serde_json::from_str(reason).ok()?;
    said.get("retry_after_ms")?.as_u64().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_server_says_decides_whether_to_come_back() {
        let refused = |code| Trouble::Refused(Problem::new(code, "no").fact("retry_after_s", 3));
        assert_eq!(
            refused(ProblemCode::RateLimited).again(),
            Again::Later(Some(Duration::from_secs(3)))
        );
        assert_eq!(refused(ProblemCode::Forbidden).again(), Again::Never);
        let closed = |code, reason: &str| Trouble::Closed {
            code,
            reason: reason.to_owned(),
        };
        assert_eq!(closed(4403, "").again(), Again::Never);
        assert_eq!(closed(4508, "").again(), Again::Later(None));
        assert_eq!(
            closed(1012, r#"{"retry_after_ms":250}"#).again(),
            Again::Later(Some(Duration::from_millis(250)))
        );
    }
}
