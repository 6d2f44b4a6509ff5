//! Events in full batches into Postgres, beside the same payloads in bare `INSERT`s of as many rows into the same table.

use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::Value;
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, PgPool, query};
use testkit::daemon::Postgres;

use super::event::events;
use crate::contestant::{Footing, Ground, Node};
use crate::figure::{Figure, Target, median};
use crate::workspace::{Thread, Workspace};

const ROUNDS: u64 = 9;
/// Of a round.
const BATCHES: u64 = 40;
/// Events of a batch: as many as there may be.
const EVENTS: u64 = 256;

/// Both write into the table `events` as the server's own schema makes it, with its keys: a node has been started on the
/// second database and ended again. So the ratio is what the server adds to the same writing: the request, the lease, the
/// membership and what the events add up to.
pub(crate) async fn ingest(ground: &Ground) -> Result<Vec<Figure>> {
    let postgres = tokio::task::spawn_blocking(Postgres::start).await??;
    let footing = Footing {
        database_url: Some(postgres.database()?),
        redis_url: None,
    };
    let node = Node::start(ground, &footing).await?;
    let workspace = Workspace::make(node.address()).await?;
    let mut thread = workspace.thread().await?;
    let tables = Footing {
        database_url: Some(postgres.database()?),
        redis_url: None,
    };
    drop(Node::start(ground, &tables).await?);
    let bare = PgPoolOptions::new()
        .max_connections(16)
        .connect(tables.database_url.as_deref().unwrap_or_default())
        .await?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // The first round is for warming up.
    for round in 0..=ROUNDS {
        let batches: Vec<Vec<Value>> = (0..BATCHES)
            .map(|it| events((round * BATCHES + it) * EVENTS, EVENTS))
            .collect();
        let rates = (
            appended(&mut thread, &batches).await?,
            inserted(&bare, round, &batches).await?,
        );
        if round > 0 {
            ours.push(rates.0);
            theirs.push(rates.1);
        }
    }
    Ok(vec![Figure {
        name: "ingest on Postgres to bare INSERTs, 1000 events/s",
        ours: median(&ours) / 1e3,
        other: median(&theirs) / 1e3,
        target: Target::AtLeast(0.5),
        from: format!("median of {ROUNDS} rounds of {BATCHES} batches of {EVENTS}, one after the other"),
    }])
}

/// Events a second, over HTTP.
async fn appended(thread: &mut Thread, batches: &[Vec<Value>]) -> Result<f64> {
    let bodies = batches.iter().map(|it| serde_json::to_string(&thread.batch(it)));
    let bodies: Vec<String> = bodies.collect::<Result<_, _>>()?;
    let start = Instant::now();
    for body in bodies {
        thread.append(body).await?;
    }
    Ok((BATCHES * EVENTS) as f64 / start.elapsed().as_secs_f64())
}

/// Events a second, from here.
async fn inserted(bare: &PgPool, round: u64, batches: &[Vec<Value>]) -> Result<f64> {
    let payloads = batches.iter().map(|it| it.iter().map(Value::to_string).collect());
    let payloads: Vec<Vec<String>> = payloads.collect();
    let rows = (0..EVENTS).map(|it| {
        let bind = 1 + it * 9;
        let binds: Vec<String> = (bind..bind + 9).map(|it| format!("${it}")).collect();
        format!("({})", binds.join(", "))
    });
    let sql = format!(
        "INSERT INTO events (log_id, seq, event_id, at_ms, received_at_ms, producer_id, producer_seq, piece_of, payload) \
         VALUES {}",
        rows.collect::<Vec<_>>().join(", ")
    );
    let mut seq = i64::try_from(round * BATCHES * EVENTS)?;
    let start = Instant::now();
    for batch in payloads {
        let mut transaction = bare.begin().await?;
        let mut query = query(AssertSqlSafe(sql.clone()));
        for payload in batch {
            seq += 1;
            query = query
                .bind(1_i64)
                .bind(seq)
                .bind(format!("event-{seq}"))
                .bind(seq)
                .bind(seq)
                .bind("load")
                .bind(seq)
                .bind(None::<String>)
                .bind(payload);
        }
        let done = query.execute(&mut *transaction).await?;
        ensure!(done.rows_affected() == EVENTS, "a row is missing");
        transaction.commit().await?;
    }
    Ok((BATCHES * EVENTS) as f64 / start.elapsed().as_secs_f64())
}
