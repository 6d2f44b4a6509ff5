//! A node that has lost Redis alone calls the others through Postgres: they still hear Redis, so they would not look for
//! themselves. A call says no more than that something was missed. While all is well nobody calls.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::bus::{Hint, Link};
use crate::problem::Chain;
use crate::store::{Kind, StoreError};

/// What happens within this time is told in one call.
const REST: Duration = Duration::from_millis(200);
/// After the database refused.
const PAUSE: Duration = Duration::from_secs(1);

/// Calls whenever something could not be told through Redis.
pub(crate) async fn tell(app: App, stop: CancellationToken) {
    let (Some(link), Kind::Postgres) = (app.bus.link(), app.store.kind()) else {
        return;
    };
    while stop.run_until_cancelled(link.untold()).await.is_some() {
        if let Err(error) = app.store.call(link.node()).await {
            // Everybody looks at every heartbeat anyway.
            tracing::debug!(error = %Chain(&error), "the other nodes cannot be called");
        }
        if stop.run_until_cancelled(sleep(REST)).await.is_none() {
            return;
        }
    }
}

/// Hears the others' calls.
pub(crate) async fn hear(app: App, stop: CancellationToken) {
    let (Some(link), Kind::Postgres) = (app.bus.link(), app.store.kind()) else {
        return;
    };
    loop {
        let Some(Err(error)) = stop.run_until_cancelled(listen(&app, link)).await else {
            return;
        };
        tracing::debug!(error = %Chain(&error), "calls of other nodes are not heard right now");
        if stop.run_until_cancelled(sleep(PAUSE)).await.is_none() {
            return;
        }
    }
}

async fn listen(app: &App, link: &Link) -> Result<Infallible, StoreError> {
    let mut calls = app.store.calls().await?;
    // Whoever called before was not heard.
    app.bus.publish_here(Hint::Missed);
    loop {
        // A connection that was lost may have lost a call.
        if calls.next().await?.is_none_or(|node| node != link.node()) {
            app.bus.publish_here(Hint::Missed);
        }
    }
}
