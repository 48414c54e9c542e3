//! How a client writes: what comes while it writes shares the next batch, and a write that fails is said and mended.

#[expect(dead_code, reason = "no group is lost here")]
mod support;

use std::path::Path;

use kabar_client::api::{ApiError, Command, MessageView, Reply};
use kabar_testkit::{TestServer, TestUser};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use support::{change, pair};

const WAL_HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// Transactions in the write-ahead log of a home that is open. It is not begun anew while it is as short as here.
fn commits(home: &Path) -> usize {
    let wal = std::fs::read(home.join("kabar.db-wal")).expect("a log");
    let number = |at: usize| u32::from_be_bytes(wal[at..at + 4].try_into().expect("four bytes")) as usize;
    let salt = &wal[16..24];
    let frames = wal[WAL_HEADER_BYTES..].chunks_exact(FRAME_HEADER_BYTES + number(8));
    // A frame that ends a transaction names the size of the database after it.
    frames
        .filter(|frame| &frame[8..16] == salt && frame[4..8] != [0; 4])
        .count()
}

async fn post(user: &TestUser, to: String, text: String) -> Result<MessageView, ApiError> {
    let command = Command::SendText {
        to,
        text,
        reply_to: None,
        wait: false,
    };
    user.ask(command).await.map(|reply| match reply {
        Reply::Sent(message) => message,
        other => panic!("unexpected reply {other:?}"),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_while_a_batch_is_written_shares_the_next() {
    const MESSAGES: usize = 40;
    let server = TestServer::start().await;
    let (ani, budi, thread) = pair(&server).await;
    ani.idle().await;
    let options = SqliteConnectOptions::new().filename(ani.home().join("kabar.db"));
    let mut other = SqliteConnection::connect_with(&options).await.expect("a database");
    let before = commits(ani.home());

    // Whoever has the lock holds up the first of them; by then the others are on their way.
    let held = other.begin_with("BEGIN IMMEDIATE").await.expect("the lock");
    let texts: Vec<String> = (0..MESSAGES).map(|number| number.to_string()).collect();
    // By its id: a name would have to be looked up at the server first.
    let posts = texts.iter().map(|text| post(&ani, thread.to_string(), text.clone()));
    let mut posts: Vec<_> = posts.map(Box::pin).collect();
    for post in &mut posts {
        tokio::select! {
            biased;
            early = post => panic!("{early:?} while nothing can be written"),
            () = std::future::ready(()) => {}
        }
    }
    held.rollback().await.expect("released");
    for post in posts {
        post.await.expect("queued");
    }
    let batches = commits(ani.home()) - before;
    assert!(
        (1..=MESSAGES / 4).contains(&batches),
        "{batches} batches for {MESSAGES} messages"
    );

    other.close().await.expect("closed");
    let mut expected: Vec<&str> = vec!["satu", "dua"];
    expected.extend(texts.iter().map(String::as_str));
    budi.sees(thread, &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_cannot_be_written_is_said_and_nothing_of_it_stays() {
    let server = TestServer::start().await;
    let (ani, budi, thread) = pair(&server).await;
    ani.idle().await;
    let file = ani.home().join("kabar.db");
    let fill = "CREATE TRIGGER full BEFORE INSERT ON entry BEGIN SELECT RAISE(ABORT, 'no space'); END";
    change(&file, fill).await;
    let post = |text: &str| post(&ani, "@budi".into(), text.into());
    let refused = tokio::join!(post("a"), post("b"), post("c"));
    for refused in [refused.0, refused.1, refused.2] {
        assert_eq!(refused.expect_err("not stored").code, "storage_failed");
    }

    change(&file, "DROP TRIGGER full").await;
    ani.send("@budi", "tiga").await;
    budi.sees(thread, &["satu", "dua", "tiga"]).await;
    let ani = ani.restart().await;
    ani.sees(thread, &["satu", "dua", "tiga"]).await;
}
