//! The schema's versions, in order, each applied once in its own transaction.
//!
//! One text for both engines: `{BLOB}` and `{WITHOUT_ROWID}` are the only words that differ.
//! A released migration is never edited; a new one is appended.

use sqlx::AssertSqlSafe;

use super::{DbError, Engine, Tx, params};

/// Version, then text. Versions count up from 1.
const MIGRATIONS: &[(i64, &str)] = &[
    (1, include_str!("../../migrations/0001_messenger.sql")),
    (2, include_str!("../../migrations/0002_business.sql")),
    (3, include_str!("../../migrations/0003_commerce.sql")),
    (4, include_str!("../../migrations/0004_charges.sql")),
    (5, include_str!("../../migrations/0005_media.sql")),
    (6, include_str!("../../migrations/0006_groups.sql")),
    (7, include_str!("../../migrations/0007_invites.sql")),
    (8, include_str!("../../migrations/0008_bucket.sql")),
    (9, include_str!("../../migrations/0009_reports.sql")),
];

/// Brings the schema up to date; refuses a database that a newer program wrote.
pub(super) async fn run(tx: &mut Tx) -> Result<(), DbError> {
    tx.execute(
        "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL PRIMARY KEY)",
        params![],
    )
    .await?;
    let rows = tx.fetch("SELECT version FROM schema_version", params![]).await?;
    let applied: Vec<i64> = rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?;
    let found = applied.iter().copied().max().unwrap_or(0);
    let known = MIGRATIONS.last().map_or(0, |(version, _)| *version);
    if found > known {
        return Err(DbError::Newer { found, known });
    }
    // Each by itself: a build between two releases may have had a later one without an earlier one.
    for (version, text) in MIGRATIONS.iter().filter(|(version, _)| !applied.contains(version)) {
        apply(tx, *version, text).await?;
    }
    Ok(())
}

async fn apply(tx: &mut Tx, version: i64, text: &str) -> Result<(), DbError> {
    tx.execute("BEGIN", params![]).await?;
    for statement in statements(tx.engine(), text) {
        tx.execute(AssertSqlSafe(statement), params![]).await?;
    }
    tx.execute("INSERT INTO schema_version (version) VALUES ($1)", params![version])
        .await?;
    tx.execute("COMMIT", params![]).await?;
    Ok(())
}

/// The statements of a migration, without its comment lines, in the engine's words.
fn statements(engine: Engine, text: &str) -> Vec<String> {
    let (blob, without_rowid) = match engine {
        Engine::Sqlite => ("BLOB", "WITHOUT ROWID"),
        Engine::Postgres => ("BYTEA", ""),
    };
    let code: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"))
        .collect();
    code.join("\n")
        .replace("{BLOB}", blob)
        .replace("{WITHOUT_ROWID}", without_rowid)
        .split(';')
        .map(|statement| statement.trim().to_owned())
        .filter(|statement| !statement.is_empty())
        .collect()
}
