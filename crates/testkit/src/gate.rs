//! A point in a scripted answer where the server waits for the test, and the test for the server.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// Longer than anything takes; reached only by a test that fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// A cheap handle; both sides hold one.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Ends>);

#[derive(Debug)]
struct Ends {
    reached: watch::Sender<bool>,
    open: watch::Sender<bool>,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(Ends {
            reached: watch::Sender::new(false),
            open: watch::Sender::new(false),
        }))
    }

    /// Waits until the server stands at the gate: everything before it has been sent.
    ///
    /// # Panics
    /// When that takes longer than anything takes.
    pub async fn reached(&self) {
        let mut reached = self.0.reached.subscribe();
        // The sender lives in self, so waiting cannot fail.
        let came = tokio::time::timeout(PATIENCE, reached.wait_for(|it| *it)).await;
        assert!(came.is_ok(), "the scripted answer never came to its gate");
    }

    /// Lets the server go on, now or when it comes.
    pub fn open(&self) {
        self.0.open.send_replace(true);
    }

    pub(crate) async fn pass(&self) {
        self.0.reached.send_replace(true);
        let mut open = self.0.open.subscribe();
        drop(open.wait_for(|it| *it).await);
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}
