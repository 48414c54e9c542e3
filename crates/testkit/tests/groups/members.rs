//! Who comes, goes, and may do what.

use kabar_client::api::{Allowed, GroupCommand, GroupRole, MessageKind, Standing};
use kabar_testkit::{TestServer, TestUser};

use crate::{add, family, remove, role, set_role};

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
        history: None,
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
