//! The contract of `Db`, on SQLite always and on PostgreSQL where KABAR_TEST_POSTGRES_URL names one.

use sqlx::{AssertSqlSafe, Row as _};

use super::{tx::Connection, *};

/// Tables that grow with use: no statement may read one from end to end.
const LARGE: [&str; 16] = [
    "queue",
    "send",
    "inbox",
    "conversation",
    "conversation_group",
    "conversation_log",
    "member",
    "receipt",
    "key_package",
    "payment_order",
    "payment",
    "payment_change",
    "payment_event",
    "sandbox_transaction",
    "allowance",
    "message_charge",
];

/// Asks SQLite for the plan of every statement that a unit test runs.
pub(super) async fn assert_searches(connection: &mut Connection, sql: &sqlx::SqlStr) {
    let Connection::Sqlite(connection) = connection else {
        return;
    };
    let first = sql.as_str().split_whitespace().next().unwrap_or_default();
    if !["SELECT", "UPDATE", "DELETE", "INSERT"].contains(&first) {
        return;
    }
    let explain = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", sql.as_str()));
    let plan = sqlx::query(explain).fetch_all(&mut **connection).await.expect("a plan");
    for step in plan {
        let step: String = step.get("detail");
        let scanned = step.strip_prefix("SCAN ").and_then(|rest| rest.split(' ').next());
        assert!(
            !scanned.is_some_and(|table| LARGE.contains(&table)),
            "{step}: {}",
            sql.as_str()
        );
    }
}

struct Store {
    db: Db,
    _directory: tempfile::TempDir,
}

async fn stores() -> Vec<Store> {
    let mut stores = vec![store(None).await];
    if let Ok(url) = std::env::var("KABAR_TEST_POSTGRES_URL") {
        stores.push(store(Some(&fresh_database(&url).await)).await);
    }
    stores
}

async fn store(url: Option<&str>) -> Store {
    let directory = tempfile::tempdir().expect("a directory");
    Store {
        db: Db::open(directory.path(), url).await.expect("a database"),
        _directory: directory,
    }
}

/// A database of its own for this test.
async fn fresh_database(url: &str) -> String {
    let unique = tempfile::Builder::new().prefix("").tempdir().expect("a unique name");
    let unique = unique
        .path()
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .to_lowercase();
    let name = format!("kabar_db_{}_{}", std::process::id(), unique.replace('.', ""));
    let pool = sqlx::PgPool::connect(url)
        .await
        .expect("the PostgreSQL of KABAR_TEST_POSTGRES_URL");
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE \"{name}\""));
    sqlx::raw_sql(create).execute(&pool).await.expect("a database");
    let (server, query) = url.split_once('?').unwrap_or((url, ""));
    let base = server.rsplit_once('/').map_or(server, |(base, _)| base);
    format!("{base}/{name}?{query}")
}

async fn put(tx: &mut Tx, name: &str, value: u8) -> Result<u64, DbError> {
    let sql = "INSERT INTO server_value (name, value) VALUES ($1, $2)";
    tx.execute(sql, params![name, vec![value]]).await
}

async fn names(db: &Db) -> Vec<String> {
    let mut tx = db.reader().await.expect("a reader");
    let rows = tx
        .fetch("SELECT name FROM server_value ORDER BY name", params![])
        .await
        .expect("rows");
    rows.iter().map(|row| row.get(0).expect("a name")).collect()
}

#[tokio::test]
async fn a_write_that_fails_takes_nobody_else_with_it() {
    for store in stores().await {
        let write = |name: &'static str| {
            store.db.write(name, |tx, name| {
                Box::pin(async move {
                    put(tx, name, 1).await?;
                    if *name == "bad" {
                        // The same key again: an error of the engine, not a result.
                        put(tx, name, 2).await?;
                    }
                    Ok(())
                })
            })
        };
        let (a, bad, c) = tokio::join!(write("a"), write("bad"), write("c"));
        assert!(a.is_ok() && c.is_ok());
        assert!(matches!(bad, Err(DbError::Engine(_))));
        assert_eq!(names(&store.db).await, ["a", "c"]);
        store.db.close().await;
    }
}

#[tokio::test]
async fn many_writes_at_once_share_commits_and_are_all_there() {
    for store in stores().await {
        let writes = (0..300).map(|n| {
            store.db.write(format!("{n:03}"), |tx, name| {
                Box::pin(async move { put(tx, name, 0).await })
            })
        });
        let results = futures_util::future::join_all(writes).await;
        assert!(results.iter().all(Result::is_ok));
        assert_eq!(names(&store.db).await.len(), 300);
        let commits = store.db.stats().commits.load(std::sync::atomic::Ordering::Relaxed);
        if store.db.engine() == Engine::Sqlite {
            assert!(commits < 100, "{commits} commits");
        }
        store.db.close().await;
    }
}

#[tokio::test]
async fn rows_of_any_number_are_written_read_and_deleted() {
    for store in stores().await {
        let inserted = store.db.write((), |tx, ()| {
            Box::pin(async move {
                let mut rows = Rows::new(2);
                (0..777).for_each(|n| rows.push([format!("{n:04}").as_str().into(), vec![7].into()]));
                let sql = "INSERT INTO server_value (name, value) VALUES {rows} ON CONFLICT DO NOTHING";
                tx.execute_rows(sql, &rows).await?;
                let mut keys = Rows::new(2);
                (0..5).for_each(|n| keys.push([format!("{n:04}").as_str().into(), vec![7].into()]));
                let sql = "SELECT name FROM server_value WHERE (name, value) IN (SELECT column1, column2 FROM (VALUES {rows}) AS v)";
                let found = tx.fetch_rows(sql, &keys).await?.len();
                let sql = "DELETE FROM server_value WHERE (name, value) IN (SELECT column1, column2 FROM (VALUES {rows}) AS v)";
                Ok((found, tx.execute_rows(sql, &keys).await?))
            })
        });
        assert_eq!(inserted.await.expect("written"), (5, 5));
        assert_eq!(names(&store.db).await.len(), 772);
        store.db.close().await;
    }
}

#[tokio::test]
async fn a_reopened_database_keeps_its_schema_and_a_newer_one_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let db = Db::open(directory.path(), None).await.expect("a database");
    db.write((), |tx, ()| Box::pin(async move { put(tx, "kept", 1).await }))
        .await
        .expect("written");
    db.close().await;
    let db = Db::open(directory.path(), None).await.expect("the same again");
    assert_eq!(names(&db).await, ["kept"]);
    db.write((), |tx, ()| {
        Box::pin(async move {
            tx.execute("INSERT INTO schema_version (version) VALUES (999)", params![])
                .await
        })
    })
    .await
    .expect("written");
    db.close().await;
    let refused = Db::open(directory.path(), None).await.err();
    assert!(
        matches!(refused, Some(DbError::Newer { found: 999, .. })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_full_disk_is_named_and_what_deletes_goes_on() {
    let store = store(None).await;
    let fill = |_: &()| {
        store.db.write((), |tx, ()| {
            Box::pin(async move {
                // As if the disk ended here.
                tx.fetch("PRAGMA max_page_count = 1", params![]).await?;
                let sql = "INSERT INTO server_value (name, value) VALUES ('big', $1)";
                tx.execute(sql, params![vec![0; 100_000]]).await
            })
        })
    };
    store
        .db
        .write((), |tx, ()| Box::pin(async move { put(tx, "old", 1).await }))
        .await
        .expect("written");
    assert!(matches!(fill(&()).await, Err(DbError::DiskFull)));
    assert!(store.db.reserve().disk_full());
    assert!(
        !store._directory.path().join("reserve").exists(),
        "its space is given back"
    );
    let deleted = store.db.write((), |tx, ()| {
        Box::pin(async move {
            tx.execute("DELETE FROM server_value WHERE name = 'old'", params![])
                .await
        })
    });
    assert_eq!(deleted.await.expect("deletes go on"), 1);
    store.db.reserve().restore();
    assert!(!store.db.reserve().disk_full());
}
