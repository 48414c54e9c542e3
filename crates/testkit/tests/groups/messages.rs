//! Who reads what, and what is known of it.

use kabar_client::api::{Command, GroupCommand, GroupRole, MessageKind, MessageState, Reply};
use kabar_testkit::{TestServer, TestUser};

use crate::{SECRETS, add, family, role};

#[tokio::test(flavor = "multi_thread")]
async fn four_people_write_in_all_directions() {
    let server = TestServer::start().await;
    let (people, group) = family(&server).await;
    let to = group.to_string();
    let mut expected = Vec::new();
    for (person, text) in people.iter().zip([
        "salam dari satu",
        "salam dari dua",
        "salam dari tiga",
        "salam dari empat",
    ]) {
        person.send(&to, text).await;
        expected.push(text);
        for reader in &people {
            reader.sees(group, &expected).await;
        }
    }
    let [ani, budi, ..] = &people;
    let chat = &budi.chats().await[0];
    let summary = chat.group.clone().expect("a group");
    assert_eq!((chat.peer.name.as_str(), summary.members), ("Keluarga Besar", 4));
    assert_eq!((summary.role, summary.may_post), (Some(GroupRole::Member), true));
    assert_eq!(chat.unread, 3, "what the others wrote");
    let view = ani.group(group, GroupCommand::Show).await;
    assert_eq!(
        (role(&view, ani), role(&view, budi)),
        (Some(GroupRole::Owner), Some(GroupRole::Member))
    );
    let names: Vec<&str> = view.members.iter().map(|member| member.person.name.as_str()).collect();
    assert_eq!(
        names,
        ["Anindita", "Budiawan", "Citrawati", "Dewantara"],
        "each said his own"
    );
    ani.sees_notice(group, MessageKind::NoticeGroupCreated).await;
    let added = budi.sees_notice(group, MessageKind::NoticeAdded).await;
    assert_eq!(
        (added.from.name.as_str(), added.about[0].account_id),
        ("Anindita", budi.me.account_id)
    );
    let secrets = [SECRETS, &expected].concat();
    server.stop_and_scan(&secrets).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_delivered_and_read_when_everybody_has_it() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, dewi], group) = family(&server).await;
    let to = group.to_string();
    for person in [&budi, &citra, &dewi] {
        // Answering accepts: strangers are told nothing of what was read.
        person.send(&to, "hadir").await;
    }
    ani.sees(group, &["hadir"; 3]).await;
    let message = ani.send(&to, "sudah makan semua?").await;
    ani.reaches(&message, MessageState::Delivered).await;
    budi.sees(group, &["hadir", "hadir", "hadir", "sudah makan semua?"])
        .await;
    budi.read(message.message_id).await;
    let states = async || match ani
        .ask(Command::MessageInfo {
            message_id: message.message_id,
        })
        .await
        .expect("info")
    {
        Reply::MessageInfo(info) => info,
        other => panic!("{other:?}"),
    };
    for _ in 0..100 {
        if states()
            .await
            .members
            .iter()
            .any(|member| member.state == MessageState::Read)
        {
            break;
        }
        ani.idle().await;
        tokio::task::yield_now().await;
    }
    for person in [&citra, &dewi] {
        person
            .sees(group, &["hadir", "hadir", "hadir", "sudah makan semua?"])
            .await;
        assert_ne!(states().await.state, MessageState::Read, "not before all have read it");
        person.read(message.message_id).await;
    }
    ani.reaches(&message, MessageState::Read).await;
    let info = states().await;
    assert_eq!(info.members.len(), 3);
    assert!(
        info.members.iter().all(|member| member.state == MessageState::Read),
        "{info:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_away_catches_up_and_who_comes_sees_nothing_from_before() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, dewi], group) = family(&server).await;
    let eka = TestUser::register(server.url(), "Ekawardani").await;
    let to = group.to_string();
    ani.send(&to, "rahasia lama").await;
    budi.sees(group, &["rahasia lama"]).await;
    let budi = budi
        .restart_with(async |_| {
            ani.send(&to, "waktu budi tidur").await;
            ani.group(group, add(&eka)).await;
            citra.sees_group(group, |view| view.members.len() == 5).await;
            citra.send(&to, "selamat datang").await;
        })
        .await;
    budi.sees(group, &["rahasia lama", "waktu budi tidur", "selamat datang"])
        .await;
    let added = budi.sees_notice(group, MessageKind::NoticeAdded).await;
    assert_eq!(added.about[0].account_id, budi.me.account_id, "first he himself");
    eka.sees(group, &["selamat datang"]).await;
    eka.sees_group(group, |view| view.name == "Keluarga Besar" && view.members.len() == 5)
        .await;
    let view = eka.group(group, GroupCommand::Show).await;
    let ani_seen = view
        .members
        .iter()
        .find(|member| member.person.account_id == ani.me.account_id);
    assert_eq!(
        ani_seen.map(|member| member.person.name.as_str()),
        Some("Anindita"),
        "told by the one who added"
    );
    let message = eka.send(&to, "terima kasih").await;
    for person in [&ani, &budi, &citra, &dewi] {
        person
            .sees_in_any_order(
                group,
                &["rahasia lama", "waktu budi tidur", "selamat datang", "terima kasih"],
            )
            .await;
    }
    eka.reaches(&message, MessageState::Delivered).await;
    server
        .stop_and_scan(&["rahasia lama", "waktu budi tidur", "terima kasih", "Ekawardani"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn typing_reaches_every_member() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, _], group) = family(&server).await;
    let to = group.to_string();
    budi.send(&to, "hadir").await;
    for person in [&ani, &citra] {
        person.sees(group, &["hadir"]).await;
    }
    let (seen_by_ani, seen_by_citra) = (ani.typing_of(group), citra.typing_of(group));
    let typing = Command::SetTyping {
        conversation_id: group,
        active: true,
    };
    budi.ask(typing).await.expect("told");
    assert_eq!(seen_by_ani.await, budi.me.account_id);
    assert_eq!(seen_by_citra.await, budi.me.account_id);
}
