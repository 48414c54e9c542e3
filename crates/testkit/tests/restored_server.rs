//! A server whose database was put back from a backup, as docs/operating.md says: nothing that somebody sees is lost.

mod support;

use std::path::Path;

use kabar_client::api::{Command, MessageState};
use kabar_testkit::{TestServer, TestUser};
use support::{change, pair};

/// The backup of a server that does not run.
async fn back_up(server: TestServer) -> (TestServer, tempfile::TempDir) {
    let backup = tempfile::tempdir().expect("a directory");
    let server = server.restart_with(async |data| copy(data, backup.path())).await;
    (server, backup)
}

fn copy(from: &Path, to: &Path) {
    for name in ["kabar.db", "secrets"] {
        std::fs::copy(from.join(name), to.join(name)).expect("copied");
    }
}

async fn restore(server: TestServer, backup: &tempfile::TempDir, meanwhile: impl AsyncFnOnce()) -> TestServer {
    server
        .restart_with(async |data| {
            for name in ["kabar.db-wal", "kabar.db-shm"] {
                assert!(
                    !data.join(name).exists(),
                    "a server that has stopped leaves its database in one file"
                );
            }
            copy(backup.path(), data);
            change(&data.join("kabar.db"), new_life()).await;
            meanwhile().await;
        })
        .await
}

/// The statements of docs/operating.md.
fn new_life() -> &'static str {
    let docs = include_str!("../../../docs/operating.md");
    let (_, after) = docs.split_once("```sql\n").expect("the statements");
    after.split_once("```").expect("their end").0
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_see_stays_and_what_waited_goes_out() {
    let server = TestServer::start().await;
    let (ani, budi, thread) = pair(&server).await;
    let (server, backup) = back_up(server).await;
    // Both have this, and the restored server has not.
    let third = ani.send("@budi", "tiga").await;
    budi.sees(thread, &["satu", "dua", "tiga"]).await;
    budi.read(third.message_id).await;
    ani.reaches(&third, MessageState::Read).await;

    let server = restore(server, &backup, async || {
        let waiting = Command::SendText {
            to: thread.to_string(),
            text: "menunggu".into(),
            reply_to: None,
            wait: false,
        };
        ani.ask(waiting).await.expect("queued");
    })
    .await;
    budi.sees(thread, &["satu", "dua", "tiga", "menunggu"]).await;
    let answer = budi.send("@ani", "empat").await;
    let last = ani.send("@budi", "lima").await;
    for user in [&ani, &budi] {
        user.sees(thread, &["satu", "dua", "tiga", "menunggu", "empat", "lima"])
            .await;
    }
    // Marks are those of these messages, not those of other ones that had their numbers.
    ani.reaches(&last, MessageState::Delivered).await;
    let state = async |user: &TestUser, of: &str| {
        let messages = user.messages(thread).await;
        let message = messages.into_iter().find(|message| message.text.as_deref() == Some(of));
        message.expect("the message").state
    };
    assert_eq!(state(&ani, "lima").await, MessageState::Delivered, "nobody has read it");
    ani.read(answer.message_id).await;
    budi.reaches(&answer, MessageState::Read).await;
    budi.read(last.message_id).await;
    ani.reaches(&last, MessageState::Read).await;
    server.stop_and_scan(&["menunggu"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn key_packages_that_were_used_since_are_not_handed_out_again() {
    let server = TestServer::start().await;
    let ani = TestUser::register(server.url(), "Ani").await;
    let budi = TestUser::register(server.url(), "Budi").await;
    let citra = TestUser::register(server.url(), "Citra").await;
    for user in [&ani, &budi, &citra] {
        user.idle().await;
    }
    let (server, backup) = back_up(server).await;
    let thread = ani.send("@budi", "satu").await.conversation_id;
    budi.sees(thread, &["satu"]).await;
    let _server = restore(server, &backup, async || {}).await;
    let thread = citra.send("@budi", "dengan kunci baru").await.conversation_id;
    budi.sees(thread, &["dengan kunci baru"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_went_on_since_is_joined_again() {
    let server = TestServer::start().await;
    let (ani, budi, thread) = pair(&server).await;
    let (server, backup) = back_up(server).await;
    // Ani comes back by a commit: both are in an epoch that the backup has not.
    let ani = ani.restart_with(support::lose_groups).await;
    ani.send("@budi", "tiga").await;
    budi.sees(thread, &["satu", "dua", "tiga"]).await;
    let _server = restore(server, &backup, async || {}).await;
    ani.send("@budi", "empat").await;
    budi.send("@ani", "lima").await;
    for user in [&ani, &budi] {
        user.sees_in_any_order(thread, &["satu", "dua", "tiga", "empat", "lima"])
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_that_began_since_is_begun_anew() {
    let server = TestServer::start().await;
    let ani = TestUser::register(server.url(), "Ani").await;
    let budi = TestUser::register(server.url(), "Budi").await;
    for user in [&ani, &budi] {
        user.idle().await;
    }
    let (server, backup) = back_up(server).await;
    let thread = ani.send("@budi", "satu").await.conversation_id;
    budi.sees(thread, &["satu"]).await;
    let _server = restore(server, &backup, async || {}).await;
    ani.send("@budi", "dua").await;
    budi.sees(thread, &["satu", "dua"]).await;
    budi.send("@ani", "tiga").await;
    ani.sees(thread, &["satu", "dua", "tiga"]).await;
}
