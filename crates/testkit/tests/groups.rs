//! Groups of people: who reads what, who may do what, what survives, what the server never had.

#[allow(dead_code, reason = "pairs are for conversations of two")]
mod support;

use kabar_client::api::{
    Allowed, Command, GroupCommand, GroupRole, GroupView, MessageKind, MessageState, Reply, Standing,
};
use kabar_protocol::ids::ConversationId;
use kabar_testkit::{TestServer, TestUser};
use support::lose_groups;

const SECRETS: &[&str] = &["Keluarga Besar", "Anindita", "Budiawan", "Citrawati", "Dewantara"];

/// Four people, of whom the first has made a group of all.
async fn family(server: &TestServer) -> ([TestUser; 4], ConversationId) {
    let mut people = Vec::new();
    for name in ["Anindita", "Budiawan", "Citrawati", "Dewantara"] {
        people.push(TestUser::register(server.url(), name).await);
    }
    for person in &people {
        // What others add them with is published.
        person.idle().await;
    }
    let group = people[0]
        .create_group("Keluarga Besar", &["@budiawan", "@citrawati", "@dewantara"])
        .await;
    for person in &people {
        person.sees_group(group, |view| view.name == "Keluarga Besar").await;
    }
    let Ok(people) = <[TestUser; 4]>::try_from(people) else {
        unreachable!("four were made")
    };
    (people, group)
}

fn role(view: &GroupView, user: &TestUser) -> Option<GroupRole> {
    let members = view.members.iter();
    let mut own = members.filter(|member| member.person.account_id == user.me.account_id);
    own.next().map(|member| member.role)
}

fn set_role(user: &TestUser, role: GroupRole) -> GroupCommand {
    GroupCommand::SetRole {
        who: user.account(),
        role,
    }
}

fn remove(user: &TestUser) -> GroupCommand {
    GroupCommand::Remove { who: user.account() }
}

fn add(user: &TestUser) -> GroupCommand {
    GroupCommand::Add {
        who: vec![user.account()],
    }
}

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
async fn who_was_removed_reads_and_writes_nothing_more() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, dewi], group) = family(&server).await;
    let to = group.to_string();
    ani.send(&to, "dengan citra").await;
    citra.sees(group, &["dengan citra"]).await;
    let gone = remove(&citra);
    let citra = citra
        .restart_with(async |_| {
            ani.group(group, gone).await;
            ani.send(&to, "tanpa citra").await;
            dewi.sees(group, &["dengan citra", "tanpa citra"]).await;
        })
        .await;
    let refused = citra.try_send(&to, "masih di sini").await.expect_err("refused");
    assert_eq!(refused.code, "not_a_member");
    citra.sees_group(group, |view| view.standing == Standing::Removed).await;
    let notice = citra.sees_notice(group, MessageKind::NoticeRemoved).await;
    assert_eq!(
        (notice.from.name.as_str(), notice.about[0].account_id),
        ("Anindita", citra.me.account_id)
    );
    assert_eq!(citra.texts(group).await, ["dengan citra"]);
    for person in [&ani, &budi, &dewi] {
        person.sees(group, &["dengan citra", "tanpa citra"]).await;
        person.sees_notice(group, MessageKind::NoticeRemoved).await;
    }
    // Added again, she is as good as new.
    ani.group(group, add(&citra)).await;
    citra.sees_group(group, |view| view.standing == Standing::Member).await;
    ani.send(&to, "citra kembali").await;
    citra.sees(group, &["dengan citra", "citra kembali"]).await;
    citra.send(&to, "halo lagi").await;
    budi.sees_in_any_order(group, &["dengan citra", "tanpa citra", "citra kembali", "halo lagi"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_leaves_and_the_others_go_on() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, dewi], group) = family(&server).await;
    let to = group.to_string();
    ani.send(&to, "bersama").await;
    dewi.sees(group, &["bersama"]).await;
    let view = dewi.group(group, GroupCommand::Leave { successor: None }).await;
    assert_eq!(view.standing, Standing::Left);
    let refused = dewi.try_send(&to, "satu lagi").await.expect_err("refused");
    assert_eq!(refused.code, "not_a_member");
    for person in [&ani, &budi, &citra] {
        let left = person.sees_notice(group, MessageKind::NoticeLeft).await;
        assert_eq!(left.about[0].account_id, dewi.me.account_id);
    }
    citra.send(&to, "tanpa dewi").await;
    for person in [&ani, &budi, &citra] {
        person.sees(group, &["bersama", "tanpa dewi"]).await;
        person.sees_group(group, |view| view.members.len() == 3).await;
    }
    dewi.idle().await;
    assert_eq!(dewi.texts(group).await, ["bersama"]);

    let last = ani.try_group(group, GroupCommand::Leave { successor: None }).await;
    assert_eq!(last.expect_err("the last owner").code, "last_owner");
    let successor = Some(budi.account());
    ani.group(group, GroupCommand::Leave { successor }).await;
    budi.sees_group(group, |view| role(view, &budi) == Some(GroupRole::Owner))
        .await;
    budi.group(group, add(&dewi)).await;
    budi.send(&to, "dewi kembali").await;
    dewi.sees(group, &["bersama", "dewi kembali"]).await;
    ani.idle().await;
    assert_eq!(ani.texts(group).await, ["bersama", "tanpa dewi"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_and_settings_decide_who_may_do_what() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, dewi], group) = family(&server).await;
    let eka = TestUser::register(server.url(), "Ekawardani").await;
    let to = group.to_string();
    let rename = |name: &str| GroupCommand::Edit {
        name: Some(name.into()),
        description: None,
        photo: None,
    };
    let settings = |post, add| GroupCommand::Settings {
        post: Some(post),
        add: Some(add),
        edit: None,
    };
    let forbidden = [
        add(&eka),
        remove(&dewi),
        set_role(&budi, GroupRole::Admin),
        settings(Allowed::Admins, Allowed::All),
        rename("Kudeta"),
    ];
    for request in forbidden {
        let refused = budi.try_group(group, request.clone()).await.expect_err("refused");
        assert_eq!(refused.code, "not_allowed", "{request:?}");
    }
    ani.group(group, set_role(&budi, GroupRole::Admin)).await;
    let promoted = citra.sees_notice(group, MessageKind::NoticeRole).await;
    assert_eq!(
        (promoted.about[0].account_id, promoted.text.as_deref()),
        (budi.me.account_id, Some("admin"))
    );
    budi.sees_group(group, |view| role(view, &budi) == Some(GroupRole::Admin))
        .await;
    let refused = budi.try_group(group, remove(&ani)).await.expect_err("the owner");
    assert_eq!(refused.code, "not_allowed");
    budi.group(group, settings(Allowed::Admins, Allowed::All)).await;
    budi.group(group, rename("Keluarga Kecil")).await;
    for person in [&ani, &citra, &dewi] {
        person.sees_group(group, |view| view.name == "Keluarga Kecil").await;
        let renamed = person.sees_notice(group, MessageKind::NoticeGroupName).await;
        assert_eq!(renamed.from.account_id, budi.me.account_id);
    }
    let refused = citra.try_send(&to, "boleh bicara?").await.expect_err("admins only");
    assert_eq!(refused.code, "not_allowed");
    citra.group(group, add(&eka)).await;
    budi.send(&to, "pengumuman").await;
    for person in [&ani, &citra, &dewi, &eka] {
        person.sees(group, &["pengumuman"]).await;
    }
    eka.sees_group(group, |view| view.name == "Keluarga Kecil").await;
    ani.group(group, set_role(&budi, GroupRole::Member)).await;
    let refused = budi.try_send(&to, "masih boleh?").await.expect_err("no admin any more");
    assert_eq!(refused.code, "not_allowed");
    server
        .stop_and_scan(&["Keluarga Kecil", "Keluarga Besar", "pengumuman", "boleh bicara?"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_admins_at_once_end_up_in_the_same_group() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, dewi], group) = family(&server).await;
    let eka = TestUser::register(server.url(), "Ekawardani").await;
    let fajar = TestUser::register(server.url(), "Fajarudin").await;
    ani.group(group, set_role(&budi, GroupRole::Admin)).await;
    budi.sees_group(group, |view| role(view, &budi) == Some(GroupRole::Admin))
        .await;
    let to = group.to_string();
    tokio::join!(
        ani.group(group, add(&eka)),
        budi.group(group, add(&fajar)),
        citra.send(&to, "di tengah keramaian"),
        dewi.send(&to, "dan lagi"),
    );
    let (one, two) = tokio::join!(
        ani.try_group(group, remove(&dewi)),
        budi.try_group(group, remove(&dewi))
    );
    assert!(one.is_ok() && two.is_ok(), "what both wanted is so: {one:?} {two:?}");
    for person in [&ani, &budi, &citra, &eka, &fajar] {
        person
            .sees_group(group, |view| view.members.len() == 5 && role(view, &dewi).is_none())
            .await;
    }
    eka.send(&to, "sampai di semua").await;
    for person in [&ani, &budi, &citra, &fajar] {
        person.until_sees(group, "sampai di semua").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_removed_while_sending_loses_only_what_was_too_late() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, dewi], group) = family(&server).await;
    let to = group.to_string();
    let texts: Vec<String> = (0..20).map(|n| format!("dari citra {n}")).collect();
    let sending = async {
        let mut sent = Vec::new();
        for text in &texts {
            if citra.try_send(&to, text).await.is_ok() {
                sent.push(text.as_str());
            }
        }
        sent
    };
    let (sent, _) = tokio::join!(sending, ani.group(group, remove(&citra)));
    assert_eq!(
        sent,
        texts[..sent.len()].iter().map(String::as_str).collect::<Vec<_>>(),
        "none after the first refused"
    );
    ani.send(&to, "selesai").await;
    let expected: Vec<&str> = sent.iter().copied().chain(["selesai"]).collect();
    for person in [&ani, &budi, &dewi] {
        person.sees_in_any_order(group, &expected).await;
    }
    citra.sees_group(group, |view| view.standing == Standing::Removed).await;
    assert_eq!(
        citra
            .texts(group)
            .await
            .iter()
            .filter(|text| *text == "selesai")
            .count(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_wished_before_a_restart_comes_true_after_it() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, dewi], group) = family(&server).await;
    let to = group.to_string();
    // The server is away: the wish stays in the home.
    let (gone, promoted) = (remove(&dewi), set_role(&budi, GroupRole::Admin));
    let (mut away, mut ani) = (None, Some(ani));
    let server = server
        .restart_with(async |_| {
            let person = ani.take().expect("once");
            let short = std::time::Duration::from_millis(300);
            for request in [promoted, gone] {
                let asked = person.try_group(group, request);
                assert!(
                    tokio::time::timeout(short, asked).await.is_err(),
                    "no answer without a server"
                );
            }
            away = Some(person.restart().await);
        })
        .await;
    let ani = away.expect("somebody");
    for person in [&ani, &budi, &citra] {
        person
            .sees_group(group, |view| {
                role(view, &budi) == Some(GroupRole::Admin) && role(view, &dewi).is_none()
            })
            .await;
    }
    ani.send(&to, "tetap jalan").await;
    for person in [&budi, &citra] {
        person.sees(group, &["tetap jalan"]).await;
    }
    server.stop_and_scan(&["tetap jalan", "Keluarga Besar"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_mls_state_of_a_group_is_joined_again() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, dewi], group) = family(&server).await;
    let to = group.to_string();
    ani.send(&to, "sebelumnya").await;
    budi.sees(group, &["sebelumnya"]).await;
    let budi = budi.restart_with(lose_groups).await;
    budi.send(&to, "sesudahnya").await;
    for person in [&ani, &citra, &dewi] {
        person.sees(group, &["sebelumnya", "sesudahnya"]).await;
    }
    ani.send(&to, "terbaca").await;
    budi.sees(group, &["sebelumnya", "sesudahnya", "terbaca"]).await;
    // The owner himself, and with a change at once.
    let ani = ani.restart_with(lose_groups).await;
    ani.group(group, remove(&dewi)).await;
    citra.send(&to, "bertiga").await;
    for person in [&ani, &budi] {
        person
            .sees(group, &["sebelumnya", "sesudahnya", "terbaca", "bertiga"])
            .await;
    }
    dewi.sees_group(group, |view| view.standing == Standing::Removed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_goes_on_with_the_group() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, dewi], group) = family(&server).await;
    let to = group.to_string();
    ani.send(&to, "sebelumnya").await;
    let server = server.restart().await;
    budi.send(&to, "sesudahnya").await;
    for person in [&ani, &citra, &dewi] {
        person.sees(group, &["sebelumnya", "sesudahnya"]).await;
    }
    ani.group(
        group,
        GroupCommand::Settings {
            post: Some(Allowed::Admins),
            add: None,
            edit: None,
        },
    )
    .await;
    let server = server.restart().await;
    let refused = citra.try_send(&to, "tidak boleh").await.expect_err("still admins only");
    assert_eq!(refused.code, "not_allowed");
    server.stop_and_scan(&["sebelumnya", "sesudahnya", "tidak boleh"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_group_is_of_its_own_suite_and_a_small_one_says_its_limit() {
    let server = TestServer::start().await;
    let ani = TestUser::register(server.url(), "Anindita").await;
    let budi = TestUser::register(server.url(), "Budiawan").await;
    let large = ani
        .try_create_group("Warga Satu RT", &["@budiawan"], true)
        .await
        .expect("a group");
    assert!(large.large);
    let to = large.conversation_id.to_string();
    ani.send(&to, "untuk warga").await;
    budi.sees(large.conversation_id, &["untuk warga"]).await;
    budi.send(&to, "siap").await;
    ani.sees(large.conversation_id, &["untuk warga", "siap"]).await;
    let view = budi.group(large.conversation_id, GroupCommand::Show).await;
    assert!(view.large && view.name == "Warga Satu RT");

    let nobody = ani.try_create_group("Sendiri", &[], false).await.expect_err("nobody");
    assert_eq!(nobody.parameter.as_deref(), Some("members"));
    let unknown = ani
        .try_create_group("Salah", &["@tidakada"], false)
        .await
        .expect_err("unknown");
    assert_eq!(unknown.code, "not_found");
    let nameless = ani
        .try_create_group(" ", &["@budiawan"], false)
        .await
        .expect_err("no name");
    assert_eq!(nameless.parameter.as_deref(), Some("name"));
    assert_eq!(ani.chats().await.len(), 1, "nothing of them stays");
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
