//! Conversations, messages, queues, acknowledgements, commits.

use kabar_protocol::wire::{
    self, client_frame::Body as Request, create_conversation_outcome as created, deliver::Kind, send_outcome as sent,
    server_frame::Body as Response, submit_commit_outcome as submitted,
};

use crate::{device::Device, on_each_engine};

/// Two people in a direct conversation; the second has acknowledged the Welcome.
pub(crate) async fn pair(server: &kabar_server::Server) -> (Device, Device, kabar_protocol::ids::ConversationId) {
    let mut ani = Device::register(server, None).await;
    let mut budi = Device::register(server, None).await;
    assert_eq!(budi.publish_key_packages(3).await, 3);
    let id = ani.create_direct(budi.account).await;
    let welcome = budi.socket.delivered().await;
    assert_eq!((welcome.cursor, welcome.kind()), (1, Kind::Welcome));
    budi.ack(1, &[]).await;
    (ani, budi, id)
}

#[tokio::test]
async fn a_message_is_delivered_once_acknowledged_and_gone() {
    for test in on_each_engine().await {
        let (mut ani, mut budi, id) = pair(&test.server).await;
        let message = ani.message(id, 1, 200);
        let sent = ani.sent(message.clone()).await;
        assert_eq!(sent.seq, 2);
        let delivered = budi.socket.delivered().await;
        assert_eq!(
            (delivered.cursor, delivered.seq, delivered.kind()),
            (2, 2, Kind::Message)
        );
        assert_eq!(delivered.payload, message.ciphertext);
        assert_eq!(delivered.stamp, sent.stamp);
        assert_eq!(delivered.sender.expect("a sender").device_id, ani.id.to_bytes());

        budi.ack(2, &[(id, 2)]).await;
        match ani.socket.pushed().await {
            Response::Delivered(receipt) => assert_eq!((receipt.seq, receipt.account_id), (2, budi.account.to_bytes())),
            other => panic!("expected the receipt, got {other:?}"),
        }
        budi.reconnect(&test.server, 0).await;
        budi.socket.queue_empty().await;
        let session = ani.reconnect(&test.server, 0).await;
        assert_eq!(session.client_seq, 1);
    }
}

#[tokio::test]
async fn the_same_send_again_is_the_same_message() {
    for test in on_each_engine().await {
        let (mut ani, mut budi, id) = pair(&test.server).await;
        let message = ani.message(id, 1, 10);
        let first = ani.sent(message.clone()).await;
        assert_eq!(ani.sent(message.clone()).await, first);
        let (one, two) = (ani.message(id, 1, 10), ani.message(id, 1, 10));
        for send in [&one, &one, &two] {
            ani.socket.post(Request::Send((*send).clone())).await;
        }
        for seq in 2..=4 {
            assert_eq!(budi.socket.delivered().await.seq, seq);
        }
        budi.ack(4, &[]).await;
    }
}

#[tokio::test]
async fn what_was_sent_meanwhile_survives_a_restart_and_arrives_in_order() {
    for test in on_each_engine().await {
        let (mut ani, mut budi, id) = pair(&test.server).await;
        drop(std::mem::replace(
            &mut budi.socket,
            crate::socket::Socket::open(&test.server).await,
        ));
        for _ in 0..250 {
            let message = ani.message(id, 1, 50);
            ani.sent(message).await;
        }
        let large = ani.message(id, 1, 30_000);
        ani.sent(large.clone()).await;
        let test = test.restart().await;
        budi.reconnect(&test.server, 0).await;
        for seq in 2..=251 {
            assert_eq!(budi.socket.delivered().await.seq, seq);
        }
        let last = budi.socket.delivered().await;
        assert_eq!(last.payload, large.ciphertext, "a large body comes from the log");
        budi.socket.queue_empty().await;
        budi.ack(last.cursor, &[]).await;
        budi.reconnect(&test.server, 0).await;
        budi.socket.queue_empty().await;
    }
}

#[tokio::test]
async fn nothing_newer_than_delivered_can_be_acknowledged() {
    for test in on_each_engine().await {
        let (_ani, mut budi, _) = pair(&test.server).await;
        let request = Request::Ack(wire::Ack {
            cursor: 9,
            ..Default::default()
        });
        match budi.socket.request(request).await {
            Response::Error(error) => assert_eq!(error.reason, "ack_ahead"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_pair_has_one_conversation() {
    for test in on_each_engine().await {
        let (mut ani, mut budi, id) = pair(&test.server).await;
        ani.publish_key_packages(1).await;
        let claimed = budi.claim(ani.account).await;
        let (same, bundle) = budi.direct_group(ani.account, &claimed.key_packages);
        assert_eq!(same, id);
        match budi.create(id, bundle, None).await {
            created::Outcome::AlreadyExists(exists) => assert_eq!(exists.conversation_id, id.to_bytes()),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn the_first_message_comes_with_the_conversation() {
    for test in on_each_engine().await {
        let mut ani = Device::register(&test.server, None).await;
        let mut budi = Device::register(&test.server, None).await;
        budi.publish_key_packages(1).await;
        let claimed = ani.claim(budi.account).await;
        let (id, bundle) = ani.direct_group(budi.account, &claimed.key_packages);
        let first = ani.message(id, 1, 20);
        let outcome = ani.create(id, bundle.clone(), Some(first.clone())).await;
        let created::Outcome::Created(created) = &outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(created.first.as_ref().map(|sent| sent.seq), Some(2));
        assert_eq!(budi.socket.delivered().await.kind(), Kind::Welcome);
        assert_eq!(budi.socket.delivered().await.payload, first.ciphertext);
        assert_eq!(
            ani.create(id, bundle, Some(first)).await,
            outcome,
            "the answer was lost: the same again"
        );
    }
}

#[tokio::test]
async fn the_first_commit_wins_and_its_repetition_is_accepted() {
    for test in on_each_engine().await {
        let (mut ani, _budi, id) = pair(&test.server).await;
        let bundle = ani.update(id);
        let accepted = ani.submit(id, 1, bundle.clone()).await;
        assert!(matches!(accepted, submitted::Outcome::Accepted(_)), "{accepted:?}");
        assert_eq!(ani.submit(id, 1, bundle.clone()).await, accepted);
        let mut other = bundle;
        other.commit = [&other.commit[..], &[0]].concat().into();
        match ani.submit(id, 1, other).await {
            submitted::Outcome::EpochConflict(conflict) => assert_eq!((conflict.generation, conflict.epoch), (0, 2)),
            other => panic!("{other:?}"),
        }
        let message = ani.message(id, 1, 5);
        match ani.send(message).await {
            sent::Outcome::StaleEpoch(stale) => assert_eq!(stale.epoch, 2),
            other => panic!("{other:?}"),
        }
        ani.merge(id);
        let epoch = ani.epoch(id);
        let message = ani.message(id, epoch, 5);
        assert_eq!(ani.sent(message).await.seq, 3);
    }
}

#[tokio::test]
async fn a_commit_with_another_epochs_group_info_is_refused() {
    for test in on_each_engine().await {
        let (mut ani, _budi, id) = pair(&test.server).await;
        let first = ani.update(id);
        ani.submit(id, 1, first.clone()).await;
        ani.merge(id);
        let mut second = ani.update(id);
        second.group_info = first.group_info;
        match ani.submit(id, 2, second).await {
            submitted::Outcome::PolicyDenied(denied) => assert_eq!(denied.rule, "group_info"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_member_that_lost_its_state_joins_again_and_reads_the_log() {
    for test in on_each_engine().await {
        let (mut ani, mut budi, id) = pair(&test.server).await;
        let request = Request::FetchGroupInfo(wire::FetchGroupInfo {
            conversation_id: id.to_bytes(),
        });
        let info = match budi.socket.request(request.clone()).await {
            Response::GroupInfo(wire::GroupInfoOutcome {
                outcome: Some(wire::group_info_outcome::Outcome::Info(info)),
            }) => info,
            other => panic!("{other:?}"),
        };
        let bundle = budi.join_externally(id, &info.group_info);
        let outcome = budi.submit(id, info.epoch, bundle.clone()).await;
        assert!(matches!(outcome, submitted::Outcome::Accepted(_)), "{outcome:?}");
        let commit = ani.socket.delivered().await;
        assert_eq!((commit.kind(), &commit.payload), (Kind::Commit, &bundle.commit));
        let request = Request::FetchLog(wire::FetchLog {
            conversation_id: id.to_bytes(),
            after_seq: 1,
            limit: 10,
        });
        match ani.socket.request(request).await {
            Response::LogPage(page) => {
                assert_eq!(page.items.len(), 1);
                assert_eq!((page.items[0].payload.clone(), page.more), (bundle.commit, false));
            }
            other => panic!("{other:?}"),
        }
        let mut stranger = Device::register(&test.server, None).await;
        let request = Request::FetchGroupInfo(wire::FetchGroupInfo {
            conversation_id: id.to_bytes(),
        });
        match stranger.socket.request(request).await {
            Response::GroupInfo(wire::GroupInfoOutcome {
                outcome: Some(wire::group_info_outcome::Outcome::NotFound(_)),
            }) => {}
            other => panic!("{other:?}"),
        }
        let message = stranger.message(id, 2, 5);
        match stranger.socket.request(Request::Send(message)).await {
            Response::Error(error) => {
                let answer = (error.code(), error.reason.as_str());
                assert_eq!(answer, (wire::error::Code::NotFound, "not_a_member"));
            }
            other => panic!("{other:?}"),
        }
    }
}
