//! What is lost and comes back: a device's MLS state, and a group that nobody can enter any more.

mod support;

use kabar_client::api::MessageKind;
use kabar_protocol::ids::ConversationId;
use kabar_testkit::{TestServer, TestUser};
use support::{change, lose_groups, pair};

#[tokio::test(flavor = "multi_thread")]
async fn lost_mls_state_is_joined_again() {
    let server = TestServer::start().await;
    let (ani, budi, thread) = pair(&server).await;
    let budi = budi.restart_with(lose_groups).await;
    budi.send("@ani", "tiga").await;
    ani.sees(thread, &["satu", "dua", "tiga"]).await;
    ani.send("@budi", "empat").await;
    for user in [&ani, &budi] {
        user.sees(thread, &["satu", "dua", "tiga", "empat"]).await;
    }
    // Whoever loses it next.
    let ani = ani.restart_with(lose_groups).await;
    budi.send("@ani", "lima").await;
    ani.send("@budi", "enam").await;
    budi.sees(thread, &["satu", "dua", "tiga", "empat", "lima", "enam"])
        .await;
}

async fn kinds(user: &TestUser, thread: ConversationId) -> Vec<MessageKind> {
    let messages = user.messages(thread).await;
    messages.iter().map(|message| message.kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_nobody_can_enter_is_begun_anew() {
    let server = TestServer::start().await;
    let (ani, budi, thread) = pair(&server).await;
    // The signature of what an external commit is built from is spoilt: no client enters by it.
    let server = server
        .restart_with(async |data| {
            let spoil = "UPDATE conversation_group \
                         SET group_info = substr(group_info, 1, length(group_info) - 1) \
                         || CASE substr(group_info, -1) WHEN x'00' THEN x'01' ELSE x'00' END";
            assert_eq!(change(&data.join("kabar.db"), spoil).await, 1);
        })
        .await;
    let budi = budi.restart_with(lose_groups).await;
    budi.send("@ani", "dari generasi berikut").await;
    let texts = ["satu", "dua", "dari generasi berikut"];
    ani.sees(thread, &texts).await;
    for user in [&ani, &budi] {
        assert!(
            kinds(user, thread).await.contains(&MessageKind::NoticeReset),
            "{}",
            user.me.name
        );
    }
    ani.send("@budi", "sampai").await;
    for user in [&ani, &budi] {
        user.sees(thread, &[&texts[..], &["sampai"]].concat()).await;
    }
    // What the server has of the new generation is of use again.
    let ani = ani.restart_with(lose_groups).await;
    ani.send("@budi", "masuk lagi").await;
    budi.sees(thread, &[&texts[..], &["sampai", "masuk lagi"]].concat())
        .await;
    server.stop_and_scan(&["dari generasi berikut", "masuk lagi"]).await;
}
