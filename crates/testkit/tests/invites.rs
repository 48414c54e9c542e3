//! Links into groups: who comes in by one, who does not, and what the server never had.

use kabar_client::api::{
    Allowed, ApiError, Command, GroupCommand, GroupRole, InvitePreview, InviteView, JoinRequestView, MessageKind,
    Reply, Standing,
};
use kabar_protocol::ids::ConversationId;
use kabar_testkit::{TestServer, TestUser};

const NAMES: [&str; 4] = ["Anindita", "Budiawan", "Citrawati", "Dewantara"];

/// Four people, of whom the first two are in a group that the first has made.
async fn neighbours(server: &TestServer) -> ([TestUser; 4], ConversationId) {
    let mut people = Vec::new();
    for name in NAMES {
        people.push(TestUser::register(server.url(), name).await);
    }
    for person in &people {
        person.idle().await;
    }
    let group = people[0].create_group("Rukun Tetangga", &["@budiawan"]).await;
    people[1].sees_group(group, |view| view.name == "Rukun Tetangga").await;
    let Ok(people) = <[TestUser; 4]>::try_from(people) else {
        unreachable!("four were made")
    };
    (people, group)
}

async fn asked(person: &TestUser, conversation_id: ConversationId, request: GroupCommand) -> Result<Reply, ApiError> {
    person
        .ask(Command::Group {
            conversation_id,
            request,
        })
        .await
}

async fn link(person: &TestUser, group: ConversationId, uses: Option<u32>, approval: bool) -> InviteView {
    let request = GroupCommand::Invite {
        hours: None,
        uses,
        approval,
    };
    match asked(person, group, request).await.expect("a link") {
        Reply::Invite(link) => link,
        other => panic!("{other:?}"),
    }
}

fn path(link: &InviteView) -> String {
    link.path.clone().expect("our own")
}

async fn join(person: &TestUser, link: &str) -> Result<Reply, ApiError> {
    person.ask(Command::JoinGroup { link: link.into() }).await
}

async fn preview(person: &TestUser, link: &str) -> Result<InvitePreview, ApiError> {
    match person.ask(Command::OpenInvite { link: link.into() }).await? {
        Reply::InvitePreview(preview) => Ok(preview),
        other => panic!("{other:?}"),
    }
}

async fn requests(person: &TestUser, group: ConversationId) -> Vec<JoinRequestView> {
    match asked(person, group, GroupCommand::JoinRequests)
        .await
        .expect("requests")
    {
        Reply::JoinRequests { requests } => requests,
        other => panic!("{other:?}"),
    }
}

fn code(result: Result<Reply, ApiError>) -> String {
    result.expect_err("refused").code
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_the_link_comes_in_and_everybody_knows_whom_it_is() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, _], group) = neighbours(&server).await;
    let link = link(&ani, group, None, false).await;
    let shown = preview(&citra, &path(&link)).await.expect("a preview");
    assert_eq!(
        (shown.name.as_str(), shown.inviter.as_str()),
        ("Rukun Tetangga", "Anindita")
    );
    assert_eq!((shown.members, shown.approval, shown.member), (2, false, false));
    assert!(citra.chats().await.is_empty(), "looking leaves nothing behind");

    match join(&citra, &format!("https://chat.example{}", path(&link)))
        .await
        .expect("in")
    {
        Reply::Group(view) => assert_eq!((view.members.len(), view.standing), (3, Standing::Member)),
        other => panic!("{other:?}"),
    }
    let to = group.to_string();
    citra.send(&to, "permisi semua").await;
    for person in [&ani, &budi] {
        person.sees(group, &["permisi semua"]).await;
        let come = person.sees_notice(group, MessageKind::NoticeAdded).await;
        let last = come.about.last().expect("somebody");
        assert!([&citra, &budi].iter().any(|new| new.me.account_id == last.account_id));
    }
    // Each has said his name, or one who made a link has said it for him.
    ani.send(&to, "mari masuk").await;
    budi.send(&to, "silakan duduk").await;
    for person in [&ani, &budi, &citra] {
        person
            .sees_group(group, |view| {
                let mut names: Vec<&str> = view.members.iter().map(|member| member.person.name.as_str()).collect();
                names.sort_unstable();
                names == NAMES[..3]
            })
            .await;
    }
    // What was said before is not for who comes later.
    citra
        .sees_in_any_order(group, &["permisi semua", "mari masuk", "silakan duduk"])
        .await;
    assert!(preview(&citra, &path(&link)).await.expect("again").member);
    match join(&citra, &path(&link)).await.expect("in already") {
        Reply::Group(view) => assert_eq!(view.members.len(), 3),
        other => panic!("{other:?}"),
    }
    let secret = path(&link);
    let secret = secret.split_once('#').expect("a secret").1;
    server
        .stop_and_scan(
            &[
                &NAMES[..],
                &["Rukun Tetangga", "permisi semua", "silakan duduk", secret],
            ]
            .concat(),
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_came_by_a_link_is_a_member_like_any_other() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, dewi], group) = neighbours(&server).await;
    let to = group.to_string();
    let link = link(&ani, group, None, false).await;
    join(&citra, &path(&link)).await.expect("in");
    join(&dewi, &path(&link)).await.expect("in");
    let role = |person: &TestUser, role| GroupCommand::SetRole {
        who: person.account(),
        role,
    };
    budi.sees_group(group, |view| view.members.len() == 4).await;
    // Not listed in the policy until somebody changes it: nothing in between may depend on that.
    citra.send(&to, "sebelumnya").await;
    ani.group(group, role(&citra, GroupRole::Admin)).await;
    citra
        .sees_group(group, |view| {
            view.members
                .iter()
                .any(|member| member.me && member.role == GroupRole::Admin)
        })
        .await;
    let remove = GroupCommand::Remove { who: dewi.account() };
    citra.group(group, remove).await;
    dewi.sees_group(group, |view| view.standing == Standing::Removed).await;
    join(&dewi, &path(&link)).await.expect("the link still works");
    dewi.group(group, GroupCommand::Leave { successor: None }).await;
    let citra = citra.restart().await;
    citra.send(&to, "sesudahnya").await;
    for person in [&ani, &budi, &citra] {
        person.sees(group, &["sebelumnya", "sesudahnya"]).await;
        person.sees_group(group, |view| view.members.len() == 3).await;
    }
    server.stop_and_scan(&["sebelumnya", "sesudahnya"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_for_one_lets_one_in_and_a_link_taken_back_nobody() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, dewi], group) = neighbours(&server).await;
    let once = link(&ani, group, Some(1), false).await;
    let url = path(&once);
    let (one, other) = tokio::join!(join(&citra, &url), join(&dewi, &url));
    assert_eq!(
        [&one, &other].iter().filter(|result| result.is_ok()).count(),
        1,
        "{one:?} {other:?}"
    );
    let (late, refused) = if one.is_ok() { (&dewi, other) } else { (&citra, one) };
    let refused = code(refused);
    assert!(["invite", "invite_gone"].contains(&refused.as_str()), "{refused}");
    assert!(late.chats().await.is_empty(), "nothing of it stays");

    let open = link(&ani, group, None, false).await;
    assert_eq!(
        code(
            asked(
                &budi,
                group,
                GroupCommand::Uninvite {
                    code: open.code.clone()
                }
            )
            .await
        ),
        "not_allowed"
    );
    ani.group(
        group,
        GroupCommand::Uninvite {
            code: open.code.clone(),
        },
    )
    .await;
    assert_eq!(code(join(late, &path(&open)).await), "invite_gone");
    assert_eq!(preview(late, &path(&open)).await.expect_err("gone").code, "invite_gone");
    budi.sees_group(group, |view| view.invites.iter().all(|invite| invite.code != open.code))
        .await;
    ani.sees_group(group, |view| view.members.len() == 3).await;
    server.stop_and_scan(&[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_somebody_has_to_say_yes_a_link_only_asks() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, dewi], group) = neighbours(&server).await;
    let link = link(&ani, group, None, true).await;
    assert!(preview(&citra, &path(&link)).await.expect("a preview").approval);
    for person in [&citra, &dewi, &citra] {
        match join(person, &path(&link)).await.expect("asked") {
            Reply::JoinAsked(preview) => assert_eq!(preview.name, "Rukun Tetangga"),
            other => panic!("{other:?}"),
        }
    }
    let chat = &citra.chats().await[0];
    assert_eq!(chat.group.as_ref().expect("a group").standing, Standing::Asked);
    let refused = citra.try_send(&group.to_string(), "halo?").await.expect_err("not in");
    assert_eq!(refused.code, "not_a_member");

    assert_eq!(
        code(asked(&budi, group, GroupCommand::JoinRequests).await),
        "policy",
        "a plain member"
    );
    let mut waiting: Vec<String> = requests(&ani, group)
        .await
        .into_iter()
        .map(|asker| asker.person.name)
        .collect();
    waiting.sort_unstable();
    assert_eq!(waiting, NAMES[2..], "each asks once, under his name");
    asked(&ani, group, GroupCommand::Decline { who: dewi.account() })
        .await
        .expect("declined");
    ani.group(
        group,
        GroupCommand::Add {
            who: vec![citra.account()],
        },
    )
    .await;
    assert_eq!(requests(&ani, group).await, Vec::new());
    citra
        .sees_group(group, |view| {
            view.standing == Standing::Member && view.members.len() == 3
        })
        .await;
    citra.send(&group.to_string(), "terima kasih").await;
    budi.sees(group, &["terima kasih"]).await;
    assert!(
        !citra.chats().await[0].request,
        "it is not a stranger's group to who has asked"
    );
    server
        .stop_and_scan(&["Rukun Tetangga", "terima kasih", "Citrawati", "Dewantara"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_asked_takes_it_back() {
    let server = TestServer::start().await;
    let ([ani, _, citra, dewi], group) = neighbours(&server).await;
    let link = link(&ani, group, None, true).await;
    for person in [&citra, &dewi] {
        join(person, &path(&link)).await.expect("asked");
    }
    citra.group(group, GroupCommand::Leave { successor: None }).await;
    let waiting = requests(&ani, group).await;
    assert_eq!(waiting.len(), 1);
    assert_eq!(waiting[0].person.account_id.to_string(), dewi.account());
    assert!(citra.chats().await.is_empty());
    let citra = citra.restart().await;
    join(&citra, &path(&link)).await.expect("asked again");
    assert_eq!(requests(&ani, group).await.len(), 2);
    server.stop_and_scan(&["Rukun Tetangga"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_make_links_where_members_may_add() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, dewi], group) = neighbours(&server).await;
    let wish = GroupCommand::Invite {
        hours: None,
        uses: None,
        approval: false,
    };
    assert_eq!(code(asked(&budi, group, wish.clone()).await), "not_allowed");
    let open = GroupCommand::Settings {
        post: None,
        add: Some(Allowed::All),
        edit: None,
        history: None,
    };
    ani.group(group, open).await;
    budi.sees_group(group, |view| view.settings.add == Allowed::All).await;
    let link = link(&budi, group, None, false).await;
    join(&citra, &path(&link)).await.expect("in");
    // Somebody else's link is seen and taken back without being known.
    ani.sees_group(group, |view| view.invites.len() == 1 && view.invites[0].path.is_none())
        .await;
    ani.group(
        group,
        GroupCommand::Uninvite {
            code: link.code.clone(),
        },
    )
    .await;
    assert_eq!(code(join(&dewi, &path(&link)).await), "invite_gone");
    server.stop_and_scan(&["Rukun Tetangga"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_followed_to_the_end_when_the_server_dies_on_the_way() {
    let server = TestServer::start().await;
    let ([ani, budi, citra, _], group) = neighbours(&server).await;
    let link = link(&ani, group, Some(1), false).await;
    let joining = tokio::spawn(async move {
        let result = join(&citra, &path(&link)).await;
        (citra, result)
    });
    let server = server.restart().await;
    let (citra, result) = joining.await.expect("no panic");
    // Either it was in before, or it is asked again with the next connection; in both cases it is in once.
    if result.is_err() {
        citra.idle().await;
    }
    let inside = citra.chats().await.iter().any(|chat| {
        let standing = chat.group.as_ref().map(|group| group.standing);
        matches!(standing, Some(Standing::Member | Standing::Joining))
    });
    if inside {
        citra.sees_group(group, |view| view.standing == Standing::Member).await;
        for person in [&ani, &budi] {
            person.sees_group(group, |view| view.members.len() == 3).await;
        }
    } else {
        assert!(result.is_err(), "nothing is half-done");
    }
    server.stop_and_scan(&[]).await;
}
