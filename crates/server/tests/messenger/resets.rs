//! ResetConversation: who begins the next generation, who is told, and what is no next generation.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    wire::{
        self, CommitBundle, ConversationKind, Role, client_frame::Body as Request,
        create_conversation_outcome as created, deliver::Kind, error::Code, reset_conversation_outcome as reset,
        send_outcome as sent, server_frame::Body as Response,
    },
};
use kabar_server::Server;
use openmls::prelude::Ciphersuite;

use crate::{
    device::{Device, NONCE, XWING, policy, random},
    hostile_commits::{join_by, pair, talk},
    on_each_engine, start,
};

const X25519: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
const HOUR_MS: i64 = 3_600_000;

async fn ask(device: &mut Device, id: ConversationId, generation: u32, bundle: CommitBundle) -> Response {
    let request = wire::ResetConversation {
        conversation_id: id.to_bytes(),
        generation,
        bundle: Some(bundle),
    };
    device.socket.request(Request::ResetConversation(request)).await
}

async fn submit(device: &mut Device, id: ConversationId, generation: u32, bundle: CommitBundle) -> reset::Outcome {
    match ask(device, id, generation, bundle).await {
        Response::ResetConversation(outcome) => outcome.outcome.expect("an outcome"),
        other => panic!("{other:?}"),
    }
}

async fn accepted(device: &mut Device, id: ConversationId, generation: u32, bundle: CommitBundle) -> u64 {
    match submit(device, id, generation, bundle).await {
        reset::Outcome::Accepted(accepted) => accepted.seq,
        other => panic!("{other:?}"),
    }
}

async fn refused(device: &mut Device, id: ConversationId, bundle: CommitBundle, rule: &str) {
    match submit(device, id, 0, bundle).await {
        reset::Outcome::PolicyDenied(denied) => assert_eq!(denied.rule, rule),
        other => panic!("expected {rule}, got {other:?}"),
    }
}

async fn conflicts(device: &mut Device, id: ConversationId, generation: u32, bundle: CommitBundle, with: (u32, u64)) {
    match submit(device, id, generation, bundle).await {
        reset::Outcome::EpochConflict(conflict) => assert_eq!((conflict.generation, conflict.epoch), with),
        other => panic!("{other:?}"),
    }
}

/// A group of the conversation for its members' accounts, with a leaf for each of `others`.
fn generation(
    creator: &mut Device,
    (kind, id): (ConversationKind, ConversationId),
    generation: u32,
    accounts: &[AccountId],
    others: &[&Device],
) -> CommitBundle {
    let packages = others.iter().map(|other| (other.account, other.key_package(false)));
    let packages: Vec<_> = packages.collect();
    creator.group(XWING, &policy(kind, id, generation, accounts), &packages)
}

fn direct(creator: &mut Device, id: ConversationId, next: u32, other: &Device) -> CommitBundle {
    let accounts = [creator.account, other.account];
    generation(creator, (ConversationKind::Direct, id), next, &accounts, &[other])
}

#[tokio::test]
async fn a_member_begins_the_next_generation_and_the_other_is_told() {
    for test in on_each_engine().await {
        let (mut ani, mut budi, id) = pair(&test.server).await;
        let bundle = direct(&mut ani, id, 1, &budi);
        assert_eq!(accepted(&mut ani, id, 0, bundle.clone()).await, 2);

        let told = budi.socket.delivered().await;
        assert_eq!((told.kind(), told.generation, told.seq), (Kind::Reset, 1, 2));
        assert_eq!(told.conversation_kind(), ConversationKind::Direct);
        assert_eq!(told.payload, bundle.welcome);
        assert_eq!(told.sender.expect("a sender").device_id, ani.id.to_bytes());
        join_by(&mut budi, id, &told.payload);
        assert_eq!(budi.groups[&id].group_id().as_slice(), id.group_id(1));

        // The answer was lost, and the same is asked again: the next generation is there already.
        conflicts(&mut ani, id, 0, bundle, (1, 1)).await;
        let late = ani.message(id, 1, 5);
        match ani.send(late).await {
            sent::Outcome::StaleEpoch(stale) => assert_eq!((stale.generation, stale.epoch), (1, 1)),
            other => panic!("{other:?}"),
        }
        talk(&mut ani, &mut budi, id, b"from the next generation").await;
        talk(&mut budi, &mut ani, id, b"in the next generation").await;
    }
}

#[tokio::test]
async fn a_conversation_is_reset_once_an_hour() {
    for test in on_each_engine().await {
        let (mut ani, mut budi, id) = pair(&test.server).await;
        let first = direct(&mut ani, id, 1, &budi);
        accepted(&mut ani, id, 0, first).await;
        test.clock.advance(HOUR_MS - 1_000);
        // Whoever asks: the hour is the conversation's.
        let second = direct(&mut budi, id, 2, &ani);
        match ask(&mut budi, id, 1, second.clone()).await {
            Response::Error(error) => {
                assert_eq!((error.code(), error.reason.as_str()), (Code::RateLimited, "resets"));
                assert_eq!(error.retry_after_ms, Some(1_000));
            }
            other => panic!("{other:?}"),
        }
        // A restart does not forget it.
        let test = test.restart().await;
        budi.reconnect(&test.server, 0).await;
        let error = match ask(&mut budi, id, 1, second.clone()).await {
            Response::Error(error) => error,
            other => panic!("{other:?}"),
        };
        assert_eq!(error.reason, "resets");
        test.clock.advance(1_000);
        accepted(&mut budi, id, 1, second).await;
    }
}

#[tokio::test]
async fn a_reset_that_is_refused_changes_nothing() {
    let test = start().await;
    let (mut ani, mut budi, id) = pair(&test.server).await;
    let mut citra = Device::register(&test.server, None).await;

    // Neither the right nor another generation tells her whether there is a conversation.
    let unknown = ConversationId(random());
    for (strange, next) in [(id, 1), (id, 5), (unknown, 1)] {
        let outsider = direct(&mut citra, strange, next, &budi);
        match ask(&mut citra, strange, next - 1, outsider).await {
            Response::Error(error) => {
                let answer = (error.code(), error.reason.as_str());
                assert_eq!(answer, (Code::NotFound, "conversation_unknown"));
            }
            other => panic!("{other:?}"),
        }
    }
    let not_hers = direct(&mut citra, id, 1, &budi);
    match ask(&mut ani, id, 0, not_hers).await {
        Response::Error(error) => assert_eq!((error.code(), error.reason.as_str()), (Code::Denied, "policy")),
        other => panic!("{other:?}"),
    }
    let with_citra = [ani.account, budi.account, citra.account];
    let kind = (ConversationKind::Direct, id);
    let larger = generation(&mut ani, kind, 1, &with_citra, &[&budi, &citra]);
    refused(&mut ani, id, larger, "roster").await;
    let package = (budi.account, budi.key_package_of(X25519, false));
    let both = policy(ConversationKind::Direct, id, 1, &[ani.account, budi.account]);
    let weaker = ani.group(X25519, &both, &[package]);
    refused(&mut ani, id, weaker, "suite").await;

    let early = direct(&mut ani, id, 2, &budi);
    conflicts(&mut ani, id, 1, early, (0, 1)).await;
    let misnamed = direct(&mut ani, id, 2, &budi);
    match ask(&mut ani, id, 0, misnamed).await {
        Response::Error(error) => assert_eq!(error.parameter.as_deref(), Some("bundle.group_info")),
        other => panic!("{other:?}"),
    }
    let message = ani.message(id, 1, 5);
    assert_eq!(ani.sent(message).await.seq, 2, "the same generation and epoch");
    assert_eq!(budi.socket.delivered().await.seq, 2, "and nothing came in between");
}

/// A group conversation of three accounts, one device each, in generation 0.
pub(crate) async fn three(server: &Server) -> ([Device; 3], ConversationId) {
    let mut ani = Device::register(server, None).await;
    let mut budi = Device::register(server, None).await;
    let mut citra = Device::register(server, None).await;
    let accounts = [ani.account, budi.account, citra.account];
    let id = ConversationId::group(ani.account, &NONCE);
    let kind = (ConversationKind::Group, id);
    let bundle = generation(&mut ani, kind, 0, &accounts, &[&budi, &citra]);
    let request = wire::CreateConversation {
        conversation_id: id.to_bytes(),
        kind: ConversationKind::Group.into(),
        bundle: Some(bundle),
        first: None,
    };
    match ani.socket.request(Request::CreateConversation(request)).await {
        Response::CreateConversation(wire::CreateConversationOutcome {
            outcome: Some(created::Outcome::Created(_)),
        }) => {}
        other => panic!("{other:?}"),
    }
    for device in [&mut budi, &mut citra] {
        let delivered = device.socket.delivered().await;
        assert_eq!(delivered.kind(), Kind::Welcome);
        join_by(device, id, &delivered.payload);
    }
    ([ani, budi, citra], id)
}

#[tokio::test]
async fn the_next_generation_keeps_policy_and_suite_and_holds_nobody_new() {
    let test = start().await;
    let ([mut ani, budi, citra], id) = three(&test.server).await;
    let dewi = Device::register(&test.server, None).await;
    let accounts = [ani.account, budi.account, citra.account];
    let kind = (ConversationKind::Group, id);

    // A leaf of somebody who is in no policy: in a group of this kind the roster alone would let it pass.
    let larger = generation(&mut ani, kind, 1, &accounts, &[&budi, &dewi]);
    refused(&mut ani, id, larger, "reset").await;
    let mut promoted = policy(ConversationKind::Group, id, 1, &accounts);
    promoted
        .members
        .iter_mut()
        .for_each(|member| member.role = Role::Owner.into());
    let package = (budi.account, budi.key_package(false));
    let promoted = ani.group(XWING, &promoted, &[package]);
    refused(&mut ani, id, promoted, "reset").await;
    // A group may be of the weaker suite, but not become it.
    let package = (budi.account, budi.key_package_of(X25519, false));
    let weaker = ani.group(X25519, &policy(ConversationKind::Group, id, 1, &accounts), &[package]);
    refused(&mut ani, id, weaker, "reset").await;
}

#[tokio::test]
async fn whoever_is_not_in_the_next_generation_is_no_member_any_more() {
    for test in on_each_engine().await {
        let ([mut ani, mut budi, mut citra], id) = three(&test.server).await;
        let accounts = [ani.account, budi.account, citra.account];
        let kind = (ConversationKind::Group, id);
        let bundle = generation(&mut ani, kind, 1, &accounts, &[&budi]);
        accepted(&mut ani, id, 0, bundle).await;
        assert_eq!(budi.socket.delivered().await.kind(), Kind::Reset);
        let message = citra.message_in(id, (1, 1), 5);
        match citra.socket.request(Request::Send(message)).await {
            Response::Error(error) => assert_eq!(error.reason, "not_a_member"),
            other => panic!("{other:?}"),
        }
        let message = ani.message_in(id, (1, 1), 5);
        ani.sent(message.clone()).await;
        assert_eq!(budi.socket.delivered().await.payload, message.ciphertext);
        citra.reconnect(&test.server, 1).await;
        citra.socket.queue_empty().await;
    }
}
