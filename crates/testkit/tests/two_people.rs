//! Two people chat: what each sees, what survives, what the server never had.

use kabar_client::api::{MessageKind, MessageState};
use kabar_testkit::{TestServer, TestUser, assert_nowhere};

#[tokio::test(flavor = "multi_thread")]
async fn two_people_write_read_and_answer() {
    let server = TestServer::start().await;
    let ani = TestUser::register(server.url(), "Anindita").await;
    let budi = TestUser::register(server.url(), "Budiawan").await;

    let first = ani.send("@budiawan", "apa kabar, Budi?").await;
    let thread = first.conversation_id;
    budi.sees(thread, &["apa kabar, Budi?"]).await;
    let answer = budi.send(&thread.to_string(), "kabar baik").await;
    ani.sees(thread, &["apa kabar, Budi?", "kabar baik"]).await;

    ani.reaches(&first, MessageState::Delivered).await;
    budi.read(first.message_id).await;
    ani.reaches(&first, MessageState::Read).await;
    budi.reaches(&answer, MessageState::Delivered).await;

    let seen_by_budi = &budi.messages(thread).await[0];
    assert_eq!(seen_by_budi.from.name, "Anindita", "the name came inside the message");
    server
        .stop_and_scan(&["apa kabar, Budi?", "kabar baik", "Anindita", "Budiawan"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_a_request_until_he_is_answered() {
    let server = TestServer::start().await;
    let ani = TestUser::register(server.url(), "Ani").await;
    let budi = TestUser::register(server.url(), "Budi").await;
    let thread = ani.send("@budi", "kita belum kenal").await.conversation_id;
    budi.sees(thread, &["kita belum kenal"]).await;
    assert!(budi.chat_with(&thread.to_string()).await.request);
    assert_eq!(budi.chat_with(&thread.to_string()).await.unread, 1);
    budi.send(&thread.to_string(), "halo").await;
    assert!(!budi.chat_with(&thread.to_string()).await.request);
    assert!(!ani.chat_with("@budi").await.request);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_while_away_arrives_in_order_once() {
    let server = TestServer::start().await;
    let ani = TestUser::register(server.url(), "Ani").await;
    let budi = TestUser::register(server.url(), "Budi").await;
    let thread = ani.send("@budi", "0").await.conversation_id;
    budi.sees(thread, &["0"]).await;
    let expected: Vec<String> = (0..40).map(|n| n.to_string()).collect();
    let budi = budi
        .restart_with(async |_| {
            for text in &expected[1..] {
                ani.send("@budi", text).await;
            }
        })
        .await;
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    budi.sees(thread, &expected).await;
    assert_eq!(budi.chat_with("@ani").await.unread, 40);
    let budi = budi.restart().await;
    budi.idle().await;
    budi.sees(thread, &expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_simultaneous_starts_meet_in_one_conversation() {
    let server = TestServer::start().await;
    let ani = TestUser::register(server.url(), "Ani").await;
    let budi = TestUser::register(server.url(), "Budi").await;
    let (from_ani, from_budi) = tokio::join!(ani.send("@budi", "dari Ani"), budi.send("@ani", "dari Budi"));
    assert_eq!(from_ani.conversation_id, from_budi.conversation_id);
    for user in [&ani, &budi] {
        user.sees_in_any_order(from_ani.conversation_id, &["dari Ani", "dari Budi"])
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_compute_the_same_safety_number() {
    let server = TestServer::start().await;
    let ani = TestUser::register(server.url(), "Ani").await;
    let budi = TestUser::register(server.url(), "Budi").await;
    let number = ani.safety_number("@budi").await;
    assert_eq!(number, budi.safety_number("@ani").await);
    assert!(
        number.len() == 60 && number.bytes().all(|b| b.is_ascii_digit()),
        "{number}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolled_back_home_becomes_a_new_device() {
    let server = TestServer::start().await;
    let ani = TestUser::register(server.url(), "Ani").await;
    let budi = TestUser::register(server.url(), "Budi").await;
    let thread = ani.send("@budi", "satu").await.conversation_id;
    budi.sees(thread, &["satu"]).await;

    let copy = tempfile::tempdir().expect("directory");
    let ani = ani.restart_with(async |home| copy_files(home, copy.path())).await;
    let device = ani.me.device_id;
    ani.send("@budi", "dua").await;
    budi.send("@ani", "tiga").await;
    ani.sees(thread, &["satu", "dua", "tiga"]).await;
    let ani = ani.restart_with(async |home| copy_files(copy.path(), home)).await;

    ani.send("@budi", "empat").await;
    budi.sees(thread, &["satu", "dua", "tiga", "empat"]).await;
    let kabar_client::api::Reply::Me(me) = ani.ask(kabar_client::api::Command::Whoami).await.expect("me") else {
        panic!("not me")
    };
    assert_ne!(
        me.device_id, device,
        "the copied state must not speak as the old device"
    );
    let notices = budi.messages(thread).await;
    assert!(
        notices.iter().any(|m| m.kind == MessageKind::NoticeSafetyChanged),
        "Budi is told of the new device"
    );
    budi.send("@ani", "lima").await;
    let texts = ani.texts(thread).await;
    assert!(texts.contains(&"satu".to_owned()));
}

fn copy_files(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(to).expect("directory").flatten() {
        if entry.file_name() != "lock" {
            std::fs::remove_file(entry.path()).expect("removed");
        }
    }
    for entry in std::fs::read_dir(from).expect("directory").flatten() {
        if entry.file_name() != "lock" {
            std::fs::copy(entry.path(), to.join(entry.file_name())).expect("copied");
        }
    }
}

#[test]
fn the_search_for_plaintext_can_fail() {
    let directory = tempfile::tempdir().expect("directory");
    std::fs::write(directory.path().join("db"), "..kabar baik..").expect("write");
    let found = std::panic::catch_unwind(|| assert_nowhere(directory.path(), &["kabar baik"]));
    assert!(found.is_err());
}
