//! Links into groups at the server: what they show, how often they work, and that nobody comes in by anything else.

use kabar_protocol::{
    ids::ConversationId,
    invite::{InviteCode, InviteSecret},
    wire::{
        self, GroupInvite, GroupPolicy, client_frame::Body as Request, group_info_outcome::Outcome as Info,
        invite_outcome::Outcome as Shown, publish_invite_outcome::Outcome as Published,
        request_join_outcome::Outcome as Asked, server_frame::Body as Response,
        submit_commit_outcome::Outcome as Submitted,
    },
};

use crate::{
    TestServer,
    device::{Device, policy, random},
    on_each_engine,
    resets::three,
    start,
};

const HOUR_MS: i64 = 3_600_000;

/// A group of three that the first owns, and somebody outside it.
struct Scene {
    test: TestServer,
    ani: Device,
    budi: Device,
    dewi: Device,
    id: ConversationId,
    policy: GroupPolicy,
    now_ms: i64,
}

async fn scene(test: TestServer) -> Scene {
    let ([ani, budi, citra], id) = three(&test.server).await;
    let dewi = Device::register(&test.server, None).await;
    let accounts = [ani.account, budi.account, citra.account];
    Scene {
        policy: policy(wire::ConversationKind::Group, id, 0, &accounts),
        now_ms: test.clock.now_ms(),
        ani,
        budi,
        dewi,
        id,
        test,
    }
}

fn secret() -> InviteSecret {
    InviteSecret::new(random())
}

impl Scene {
    fn publish(&self, secret: &InviteSecret, uses_max: u32, approval: bool) -> wire::PublishInvite {
        wire::PublishInvite {
            conversation_id: self.id.to_bytes(),
            public_key: secret.public_key().to_vec().into(),
            expires_ms: self.now_ms + HOUR_MS,
            uses_max,
            approval,
            preview: vec![1; 40].into(),
        }
    }

    /// Puts the link into the group's policy, by its owner.
    async fn agree(&mut self, secret: &InviteSecret, expires_ms: i64) {
        self.policy.invites = vec![GroupInvite {
            public_key: secret.public_key().to_vec().into(),
            expires_ms,
            created_by: self.ani.account.to_bytes(),
        }];
        let change = self.ani.change(self.id, &[], &[], Some(&self.policy));
        let epoch = self.ani.epoch(self.id);
        match self.ani.submit(self.id, epoch, change).await {
            Submitted::Accepted(_) => self.ani.merge(self.id),
            other => panic!("{other:?}"),
        }
    }

    /// A link that lets people in.
    async fn link(&mut self, uses_max: u32) -> InviteSecret {
        let secret = secret();
        self.agree(&secret, self.now_ms + HOUR_MS).await;
        let publish = self.publish(&secret, uses_max, false);
        published(&mut self.ani, publish).await;
        secret
    }
}

async fn ask_to_publish(device: &mut Device, publish: wire::PublishInvite) -> Published {
    match device.socket.request(Request::PublishInvite(publish)).await {
        Response::PublishInvite(outcome) => outcome.outcome.expect("an outcome"),
        other => panic!("{other:?}"),
    }
}

async fn published(device: &mut Device, publish: wire::PublishInvite) {
    let code = InviteCode::new(
        ConversationId::from_slice(&publish.conversation_id).expect("an id"),
        &publish.public_key,
    );
    match ask_to_publish(device, publish).await {
        Published::Published(published) => assert_eq!(published.code, code.to_vec()),
        other => panic!("{other:?}"),
    }
}

async fn shown(device: &mut Device, code: InviteCode) -> Shown {
    let fetch = wire::FetchInvite {
        code: code.to_vec().into(),
    };
    match device.socket.request(Request::FetchInvite(fetch)).await {
        Response::Invite(outcome) => outcome.outcome.expect("an outcome"),
        other => panic!("{other:?}"),
    }
}

/// What a device is given that shows the proof which `by` makes for it.
async fn group_of(
    device: &mut Device,
    id: ConversationId,
    named: &InviteSecret,
    by: &InviteSecret,
) -> Option<wire::group_info_outcome::Info> {
    let code = named.code(id);
    let fetch = wire::FetchInvitedGroup {
        code: code.to_vec().into(),
        signature: by.open_signature(code, device.id).to_vec().into(),
    };
    match device.socket.request(Request::FetchInvitedGroup(fetch)).await {
        Response::GroupInfo(outcome) => match outcome.outcome.expect("an outcome") {
            Info::Info(info) => Some(info),
            Info::NotFound(_) => None,
        },
        other => panic!("{other:?}"),
    }
}

async fn came_in(
    device: &mut Device,
    id: ConversationId,
    info: &wire::group_info_outcome::Info,
    by: &InviteSecret,
) -> Result<(), String> {
    let bundle = device.join_by_invite(id, info, by);
    let submit = wire::SubmitCommit {
        conversation_id: id.to_bytes(),
        generation: info.generation,
        epoch: info.epoch,
        bundle: Some(bundle),
        client_seq: 0,
    };
    match device.socket.request(Request::SubmitCommit(submit)).await {
        Response::SubmitCommit(outcome) => match outcome.outcome.expect("an outcome") {
            Submitted::Accepted(_) => Ok(()),
            Submitted::PolicyDenied(denied) => Err(denied.rule),
            other => panic!("{other:?}"),
        },
        Response::Error(error) => Err(error.reason),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_link_shows_its_preview_and_lets_in_as_often_as_it_says() {
    for test in on_each_engine().await {
        let mut scene = scene(test).await;
        let id = scene.id;
        let link = scene.link(1).await;
        match shown(&mut scene.dewi, link.code(id)).await {
            Shown::Found(found) => {
                assert_eq!((found.members, found.approval), (3, false));
                assert_eq!(
                    (&found.preview[..], found.expires_ms),
                    (&[1; 40][..], scene.now_ms + HOUR_MS)
                );
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(
            group_of(&mut scene.dewi, id, &link, &secret()).await,
            None,
            "the code alone is not enough"
        );
        let info = group_of(&mut scene.dewi, id, &link, &link).await.expect("the group");
        assert_eq!(
            came_in(&mut scene.dewi, id, &info, &secret()).await,
            Err("invite".into())
        );
        assert_eq!(came_in(&mut scene.dewi, id, &info, &link).await, Ok(()));
        let message = scene.dewi.message_in(id, (0, info.epoch + 1), 5);
        scene.dewi.sent(message).await;

        let mut late = Device::register(&scene.test.server, None).await;
        assert!(matches!(shown(&mut late, link.code(id)).await, Shown::Gone(_)));
        assert_eq!(group_of(&mut late, id, &link, &link).await, None);
        let stale = wire::group_info_outcome::Info {
            epoch: info.epoch + 1,
            ..info
        };
        let refused = came_in(&mut late, id, &stale, &link).await;
        assert_eq!(refused, Err("conversation_unknown".into()), "no link is open");
    }
}

#[tokio::test]
async fn a_link_that_has_expired_or_was_taken_back_lets_nobody_in() {
    let mut scene = scene(start().await).await;
    let id = scene.id;
    let link = scene.link(0).await;
    let info = group_of(&mut scene.dewi, id, &link, &link).await.expect("the group");
    scene.test.clock.advance(HOUR_MS);
    assert!(matches!(shown(&mut scene.dewi, link.code(id)).await, Shown::Gone(_)));
    assert_eq!(
        came_in(&mut scene.dewi, id, &info, &link).await,
        Err("conversation_unknown".into())
    );

    // Here the server knows of one that works, the policy of one that has expired.
    scene.now_ms = scene.test.clock.now_ms();
    let other = secret();
    scene.agree(&other, scene.now_ms - 1).await;
    let publish = scene.publish(&other, 0, false);
    published(&mut scene.ani, publish).await;
    let info = group_of(&mut scene.dewi, id, &other, &other).await.expect("the group");
    assert_eq!(came_in(&mut scene.dewi, id, &info, &other).await, Err("invite".into()));

    let revoke = Request::RevokeInvite(wire::RevokeInvite {
        conversation_id: id.to_bytes(),
        public_key: other.public_key().to_vec().into(),
    });
    assert!(matches!(
        scene.ani.socket.request(revoke).await,
        Response::RevokeInvite(_)
    ));
    assert!(matches!(shown(&mut scene.dewi, other.code(id)).await, Shown::Gone(_)));
}

#[tokio::test]
async fn links_are_made_by_who_may_add_people() {
    let mut scene = scene(start().await).await;
    let id = scene.id;
    let own = secret();
    let publish = scene.publish(&own, 0, false);
    match ask_to_publish(&mut scene.budi, publish.clone()).await {
        Published::PolicyDenied(denied) => assert_eq!(denied.rule, "role"),
        other => panic!("{other:?}"),
    }
    match scene.dewi.socket.request(Request::PublishInvite(publish.clone())).await {
        Response::Error(error) => assert_eq!(error.reason, "not_a_member"),
        other => panic!("{other:?}"),
    }
    for (parameter, bad) in [
        (
            "publish_invite.public_key",
            wire::PublishInvite {
                public_key: vec![1; 31].into(),
                ..publish.clone()
            },
        ),
        (
            "publish_invite.expires_ms",
            wire::PublishInvite {
                expires_ms: scene.now_ms,
                ..publish.clone()
            },
        ),
        (
            "publish_invite.preview",
            wire::PublishInvite {
                preview: vec![0; 25_000].into(),
                ..publish.clone()
            },
        ),
        (
            "publish_invite.conversation_id",
            wire::PublishInvite {
                conversation_id: vec![1].into(),
                ..publish
            },
        ),
    ] {
        match scene.ani.socket.request(Request::PublishInvite(bad)).await {
            Response::Error(error) => assert_eq!(error.parameter.as_deref(), Some(parameter)),
            other => panic!("{other:?}"),
        }
    }
    // Nor does a plain member write one into the policy, nor anybody one in another's name.
    for (by_owner, maker, rule) in [
        (false, scene.budi.account, "role"),
        (true, scene.budi.account, "invite"),
    ] {
        let mut policy = scene.policy.clone();
        policy.invites = vec![GroupInvite {
            public_key: own.public_key().to_vec().into(),
            expires_ms: scene.now_ms + HOUR_MS,
            created_by: maker.to_bytes(),
        }];
        let liar = if by_owner { &mut scene.ani } else { &mut scene.budi };
        let lie = liar.change(id, &[], &[], Some(&policy));
        match liar.submit(id, 1, lie).await {
            Submitted::PolicyDenied(denied) => assert_eq!(denied.rule, rule),
            other => panic!("{other:?}"),
        }
    }
}

/// A request to be let in by the link of this code, with the proof that `by` makes.
fn ask_in(code: InviteCode, by: &InviteSecret, device: &Device) -> Request {
    Request::RequestJoin(wire::RequestJoin {
        code: code.to_vec().into(),
        signature: by.open_signature(code, device.id).to_vec().into(),
        note: vec![2; 30].into(),
    })
}

#[tokio::test]
async fn by_a_link_with_approval_one_asks_and_no_more() {
    for test in on_each_engine().await {
        let mut scene = scene(test).await;
        let id = scene.id;
        let link = secret();
        let publish = scene.publish(&link, 0, true);
        published(&mut scene.ani, publish).await;
        assert_eq!(group_of(&mut scene.dewi, id, &link, &link).await, None);
        let code = link.code(id);
        let ask = |by: &InviteSecret, device: &Device| ask_in(code, by, device);
        let asked = async |device: &mut Device, request: Request| match device.socket.request(request).await {
            Response::RequestJoin(outcome) => outcome.outcome.expect("an outcome"),
            other => panic!("{other:?}"),
        };
        let (without, with) = (ask(&secret(), &scene.dewi), ask(&link, &scene.dewi));
        assert!(matches!(asked(&mut scene.dewi, without).await, Asked::Gone(_)));
        assert!(matches!(asked(&mut scene.dewi, with).await, Asked::Asked(_)));
        let member = ask(&link, &scene.budi);
        assert!(matches!(asked(&mut scene.budi, member).await, Asked::Member(_)));

        let fetch = Request::FetchJoinRequests(wire::FetchJoinRequests {
            conversation_id: id.to_bytes(),
        });
        match scene.ani.socket.request(fetch.clone()).await {
            Response::JoinRequests(waiting) => {
                assert_eq!(waiting.requests.len(), 1);
                assert_eq!(waiting.requests[0].account_id, scene.dewi.account.to_bytes());
                assert_eq!(
                    (&waiting.requests[0].note[..], &waiting.requests[0].code[..]),
                    (&[2; 30][..], &code.to_vec()[..])
                );
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(
            scene.budi.socket.request(fetch.clone()).await,
            Response::Error(_)
        ));
        let decline = Request::DeclineJoinRequest(wire::DeclineJoinRequest {
            conversation_id: id.to_bytes(),
            account_id: scene.dewi.account.to_bytes(),
        });
        assert!(matches!(
            scene.ani.socket.request(decline).await,
            Response::JoinRequestDeclined(_)
        ));
        match scene.ani.socket.request(fetch).await {
            Response::JoinRequests(waiting) => assert!(waiting.requests.is_empty()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn who_asks_takes_it_back_himself_and_nobody_else_but_a_host() {
    for test in on_each_engine().await {
        let mut scene = scene(test).await;
        let id = scene.id;
        let link = secret();
        let publish = scene.publish(&link, 0, true);
        published(&mut scene.ani, publish).await;
        let code = link.code(id);
        let mut ediana = Device::register(&scene.test.server, None).await;
        for asker in [&mut scene.dewi, &mut ediana] {
            let ask = ask_in(code, &link, asker);
            assert!(matches!(asker.socket.request(ask).await, Response::RequestJoin(_)));
        }
        let decline = |of: &Device| {
            Request::DeclineJoinRequest(wire::DeclineJoinRequest {
                conversation_id: id.to_bytes(),
                account_id: of.account.to_bytes(),
            })
        };
        let (of_dewi, of_ediana) = (decline(&scene.dewi), decline(&ediana));
        match scene.dewi.socket.request(of_ediana).await {
            Response::Error(error) => assert_eq!(error.reason, "not_a_member"),
            other => panic!("{other:?}"),
        }
        match scene.budi.socket.request(of_dewi.clone()).await {
            Response::Error(error) => assert_eq!(error.reason, "policy"),
            other => panic!("{other:?}"),
        }
        for _ in 0..2 {
            let withdrawn = scene.dewi.socket.request(of_dewi.clone()).await;
            assert!(matches!(withdrawn, Response::JoinRequestDeclined(_)), "{withdrawn:?}");
        }
        let fetch = Request::FetchJoinRequests(wire::FetchJoinRequests {
            conversation_id: id.to_bytes(),
        });
        match scene.ani.socket.request(fetch).await {
            Response::JoinRequests(waiting) => {
                let askers: Vec<_> = waiting.requests.iter().map(|asker| asker.account_id.clone()).collect();
                assert_eq!(askers, [ediana.account.to_bytes()]);
            }
            other => panic!("{other:?}"),
        }
        let nonsense = Request::DeclineJoinRequest(wire::DeclineJoinRequest {
            conversation_id: vec![1].into(),
            account_id: scene.dewi.account.to_bytes(),
        });
        match scene.dewi.socket.request(nonsense).await {
            Response::Error(error) => {
                assert_eq!(error.parameter.as_deref(), Some("decline_join_request.conversation_id"))
            }
            other => panic!("{other:?}"),
        }
    }
}
