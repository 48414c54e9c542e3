//! Groups of people at the server: roles and settings are enforced whoever is lying, on both engines.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    wire::{
        self, GroupPolicy, GroupSettings, MessageClass, Permission, Role, client_frame::Body as Request, deliver::Kind,
        error::Code, send_outcome as sent, server_frame::Body as Response, submit_commit_outcome as submitted,
    },
};

use crate::{
    device::{Device, XWING, policy},
    hostile_commits::follow,
    on_each_engine,
    resets::three,
    start,
};

/// The policy of the three with these roles instead of theirs.
fn roles(id: ConversationId, accounts: &[AccountId], changed: &[(AccountId, Role)]) -> GroupPolicy {
    let mut policy = policy(wire::ConversationKind::Group, id, 0, accounts);
    for member in &mut policy.members {
        if let Some((_, role)) = changed
            .iter()
            .find(|(account, _)| account.as_slice() == member.account_id)
        {
            member.role = (*role).into();
        }
    }
    policy
}

async fn refused(liar: &mut Device, id: ConversationId, epoch: u64, lie: wire::CommitBundle, rule: &str) {
    match liar.submit(id, epoch, lie).await {
        submitted::Outcome::PolicyDenied(denied) => assert_eq!(denied.rule, rule),
        other => panic!("expected {rule}, got {other:?}"),
    }
}

async fn accepted(device: &mut Device, id: ConversationId, bundle: wire::CommitBundle) {
    let epoch = device.epoch(id);
    match device.submit(id, epoch, bundle).await {
        submitted::Outcome::Accepted(_) => device.merge(id),
        other => panic!("{other:?}"),
    }
}

async fn error(device: &mut Device, send: wire::Send) -> wire::Error {
    match device.socket.request(Request::Send(send)).await {
        Response::Error(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_member_does_nothing_that_is_an_admins() {
    for test in on_each_engine().await {
        let ([mut ani, mut budi, citra], id) = three(&test.server).await;
        let dewi = Device::register(&test.server, None).await;
        let three = [ani.account, budi.account, citra.account];
        let four = [ani.account, budi.account, citra.account, dewi.account];
        let with = |changed: &[(AccountId, Role)]| roles(id, &three, changed);
        let mut open = with(&[]);
        open.settings = Some(GroupSettings {
            history: false,
            add: Permission::All.into(),
            ..GroupSettings::default()
        });
        let mut another = with(&[]);
        another.nonce = vec![1; 16].into();
        let lies = [
            (
                budi.change(id, &[], &[], Some(&with(&[(budi.account, Role::Admin)]))),
                "role",
            ),
            (
                budi.change(id, &[], &[], Some(&with(&[(citra.account, Role::Leaving)]))),
                "role",
            ),
            (
                budi.change(id, &[], &[], Some(&with(&[(ani.account, Role::Member)]))),
                "role",
            ),
            (budi.change(id, &[], &[], Some(&open)), "role"),
            (budi.change(id, &[], &[], Some(&another)), "group_policy"),
            (budi.change(id, &[], &[&dewi], Some(&roles(id, &four, &[]))), "role"),
            (budi.change(id, &[], &[&dewi], None), "roster"),
            (budi.change(id, &[citra.id], &[], None), "role"),
            (
                budi.change(id, &[citra.id], &[], Some(&roles(id, &three[..2], &[]))),
                "role",
            ),
        ];
        for (lie, rule) in lies {
            refused(&mut budi, id, 1, lie, rule).await;
        }
        let added = ani.change(id, &[], &[&dewi], Some(&roles(id, &four, &[])));
        accepted(&mut ani, id, added).await;
        assert_eq!(
            budi.socket.delivered().await.kind(),
            Kind::Commit,
            "nothing came of the lies"
        );
    }
}

#[tokio::test]
async fn where_only_admins_write_others_are_refused_after_a_restart_too() {
    for mut test in on_each_engine().await {
        let ([mut ani, mut budi, citra], id) = three(&test.server).await;
        let message = budi.message_in(id, (0, 1), 5);
        budi.sent(message).await;
        let mut quiet = policy(
            wire::ConversationKind::Group,
            id,
            0,
            &[ani.account, budi.account, citra.account],
        );
        quiet.settings = Some(GroupSettings {
            history: false,
            post: Permission::Admins.into(),
            ..GroupSettings::default()
        });
        let change = ani.change(id, &[], &[], Some(&quiet));
        accepted(&mut ani, id, change).await;
        for restarted in [false, true] {
            if restarted {
                test = test.restart().await;
                budi.reconnect(&test.server, 0).await;
                ani.reconnect(&test.server, 0).await;
            }
            let message = budi.message_in(id, (0, 2), 5);
            let refused = error(&mut budi, message).await;
            assert_eq!((refused.code(), refused.reason.as_str()), (Code::Denied, "policy"));
            assert!(refused.message.starts_with("post: "), "{}", refused.message);
            let edit = budi.message_of(id, (0, 2), MessageClass::Edit, 5);
            assert_eq!(error(&mut budi, edit).await.reason, "policy");
            // That it was read may be said.
            let receipt = budi.message_of(id, (0, 2), MessageClass::Receipt, 5);
            budi.sent(receipt).await;
            let message = ani.message_in(id, (0, 2), 5);
            ani.sent(message).await;
        }
    }
}

#[tokio::test]
async fn whoever_has_left_is_out_before_anything_is_said() {
    for test in on_each_engine().await {
        let ([mut ani, mut budi, mut citra], id) = three(&test.server).await;
        let accounts = [ani.account, budi.account, citra.account];
        let left = roles(id, &accounts, &[(budi.account, Role::Leaving)]);
        let leaving = budi.change(id, &[], &[], Some(&left));
        accepted(&mut budi, id, leaving).await;
        let message = budi.message_in(id, (0, 2), 5);
        assert_eq!(error(&mut budi, message).await.reason, "not_a_member");
        let typing = Request::Typing(wire::Typing {
            conversation_id: id.to_bytes(),
            active: true,
        });
        assert!(matches!(budi.socket.request(typing).await, Response::Error(_)));
        let info = Request::FetchGroupInfo(wire::FetchGroupInfo {
            conversation_id: id.to_bytes(),
        });
        match budi.socket.request(info).await {
            Response::GroupInfo(wire::GroupInfoOutcome {
                outcome: Some(wire::group_info_outcome::Outcome::NotFound(_)),
            }) => {}
            other => panic!("{other:?}"),
        }

        // The next who wants to write is told to remove him first, be he a plain member.
        let message = citra.message_in(id, (0, 2), 5);
        match citra.send(message).await {
            sent::Outcome::PendingRemoval(pending) => {
                assert_eq!(pending.devices.len(), 1);
                assert_eq!(pending.devices[0].device_id, budi.id.to_bytes());
            }
            other => panic!("{other:?}"),
        }
        follow(&mut citra, id).await;
        let without = roles(id, &[ani.account, citra.account], &[]);
        let without = GroupPolicy {
            founder: left.founder.clone(),
            members: without.members,
            ..left
        };
        let removal = citra.change(id, &[budi.id], &[], Some(&without));
        accepted(&mut citra, id, removal).await;
        let message = citra.message_in(id, (0, 3), 5);
        citra.sent(message.clone()).await;
        for kind in [Kind::Commit, Kind::Commit, Kind::Message] {
            assert_eq!(ani.socket.delivered().await.kind(), kind);
        }
        assert_eq!(budi.socket.delivered().await.kind(), Kind::Commit, "that he is out");
        budi.reconnect(&test.server, 2).await;
        budi.socket.queue_empty().await;
    }
}

#[tokio::test]
async fn a_group_stands_under_its_own_id_and_has_no_company_in_it() {
    let test = start().await;
    let mut ani = Device::register(&test.server, None).await;
    let budi = Device::register(&test.server, None).await;
    let accounts = [ani.account, budi.account];
    for id in [
        ConversationId::direct(accounts[0], accounts[1]),
        ConversationId([5; 16]),
    ] {
        let group = policy(wire::ConversationKind::Group, id, 0, &accounts);
        let packages = [(budi.account, budi.key_package(false))];
        let bundle = ani.group(XWING, &group, &packages);
        let request = wire::CreateConversation {
            conversation_id: id.to_bytes(),
            kind: wire::ConversationKind::Group.into(),
            bundle: Some(bundle),
            first: None,
        };
        match ani.socket.request(Request::CreateConversation(request)).await {
            Response::Error(error) => assert!(error.message.starts_with("group_policy"), "{}", error.message),
            other => panic!("{other:?}"),
        }
    }
    let ([mut ani, budi, citra], id) = three(&test.server).await;
    let (cinema, _) = Device::enrol(&test.server, "Bioskop", "+62215550100").await;
    let four = [ani.account, budi.account, citra.account, cinema.account];
    let lie = ani.change(id, &[], &[&cinema], Some(&roles(id, &four, &[])));
    refused(&mut ani, id, 1, lie, "roster").await;
}
