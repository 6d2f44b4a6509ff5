//! The tables, area by area. One text for both databases: `{blob}` is the only word that differs.

use sqlx::{Any, AssertSqlSafe, Transaction};

use super::{Kind, StoreError};

/// One step of one area's tables. Once released, a step never changes; a later one is added below it.
struct Step {
    area: &'static str,
    version: i64,
    sql: &'static str,
}

const STEPS: &[Step] = &[
    step("people", 1, include_str!("schema/people.sql")),
    step("activity", 1, include_str!("schema/activity.sql")),
    step("audit", 1, include_str!("schema/audit.sql")),
    step("membership", 1, include_str!("schema/membership.sql")),
    step("deletions", 1, include_str!("schema/deletions.sql")),
    step("deletions", 2, include_str!("schema/deletions-2.sql")),
    step("tickets", 1, include_str!("schema/tickets.sql")),
    step("documents", 1, include_str!("schema/documents.sql")),
    step("documents", 2, include_str!("schema/documents-2.sql")),
    step("log", 1, include_str!("schema/log.sql")),
    step("live", 1, include_str!("schema/live.sql")),
    step("artifacts", 1, include_str!("schema/artifacts.sql")),
    step("webhooks", 1, include_str!("schema/webhooks.sql")),
    step("log", 2, include_str!("schema/log-2.sql")),
    step("log", 3, include_str!("schema/log-3.sql")),
    step("documents", 3, include_str!("schema/documents-3.sql")),
];

const fn step(area: &'static str, version: i64, sql: &'static str) -> Step {
    Step { area, version, sql }
}

/// Brings the tables up to date, in the caller's transaction. Several nodes may do so at once.
pub(super) async fn migrate(kind: Kind, transaction: &mut Transaction<'_, Any>) -> Result<(), StoreError> {
    if kind == Kind::Postgres {
        // Any number; it only has to be the same on each node.
        sqlx::query("SELECT pg_advisory_xact_lock(7876111)")
            .execute(&mut **transaction)
            .await?;
    }
    sqlx::query("CREATE TABLE IF NOT EXISTS schema_steps (area TEXT NOT NULL, version BIGINT NOT NULL, PRIMARY KEY (area, version))")
        .execute(&mut **transaction)
        .await?;
    let done: Vec<(String, i64)> = sqlx::query_as("SELECT area, version FROM schema_steps")
        .fetch_all(&mut **transaction)
        .await?;
    if let Some((area, version)) = done
        .iter()
        .find(|(area, version)| !STEPS.iter().any(|it| it.area == area && it.version == *version))
    {
        return Err(StoreError::Newer {
            step: format!("{area} {version}"),
        });
    }
    for step in STEPS {
        if done
            .iter()
            .any(|(area, version)| area == step.area && *version == step.version)
        {
            continue;
        }
        let sql = step.sql.replace(
            "{blob}",
            match kind {
                Kind::Sqlite => "BLOB",
                Kind::Postgres => "BYTEA",
            },
        );
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut **transaction).await?;
        sqlx::query("INSERT INTO schema_steps (area, version) VALUES ($1, $2)")
            .bind(step.area)
            .bind(step.version)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}
