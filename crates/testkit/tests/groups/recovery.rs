//! Removed while sending, restarted in the middle, its MLS state lost: the group goes on.

use kabar_client::api::{Allowed, GroupCommand, GroupRole, Standing};
use kabar_testkit::TestServer;

use crate::{family, remove, role, set_role, support::lose_groups};

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
            history: None,
        },
    )
    .await;
    let server = server.restart().await;
    let refused = citra.try_send(&to, "tidak boleh").await.expect_err("still admins only");
    assert_eq!(refused.code, "not_allowed");
    server.stop_and_scan(&["sebelumnya", "sesudahnya", "tidak boleh"]).await;
}
