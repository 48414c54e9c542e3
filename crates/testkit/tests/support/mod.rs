//! Two people who know each other, and a hand in SQLite files that nobody has open.

use std::path::Path;

use kabar_protocol::ids::ConversationId;
use kabar_testkit::{TestServer, TestUser};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

/// Runs statements; the number of rows that the last one changed.
pub(crate) async fn change(file: &Path, sql: &'static str) -> u64 {
    let options = SqliteConnectOptions::new().filename(file);
    let mut connection = SqliteConnection::connect_with(&options).await.expect("a database");
    let changed = sqlx::raw_sql(sql).execute(&mut connection).await.expect("changed");
    connection.close().await.expect("closed");
    changed.rows_affected()
}

/// Ani and Budi, who have written to each other: "satu", "dua".
pub(crate) async fn pair(server: &TestServer) -> (TestUser, TestUser, ConversationId) {
    let ani = TestUser::register(server.url(), "Ani").await;
    let budi = TestUser::register(server.url(), "Budi").await;
    let thread = ani.send("@budi", "satu").await.conversation_id;
    budi.sees(thread, &["satu"]).await;
    budi.send("@ani", "dua").await;
    ani.sees(thread, &["satu", "dua"]).await;
    (ani, budi, thread)
}

/// Deletes the MLS state of all groups from a home, and leaves the rest.
pub(crate) async fn lose_groups(home: &Path) {
    let lost = change(
        &home.join("kabar.db"),
        "DELETE FROM entry WHERE substr(key, 1, 2) = x'672f'",
    )
    .await;
    assert!(lost > 0, "there was a group to lose");
}
