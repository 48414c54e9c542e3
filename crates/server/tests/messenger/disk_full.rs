//! A full disk, seen from a socket: nothing new is taken, everything else goes on.
//!
//! The server keeps a reserve file and takes a failure to write it for a full disk. A directory in its place fails
//! the same way, without a disk to fill. What a failing commit does is in `src/messaging/tests.rs`.

use kabar_protocol::{
    ids::ConversationId,
    wire::{self, client_frame::Body as Request, deliver::Kind, error::Code, server_frame::Body as Response},
};

use crate::{device::Device, on_each_engine, socket::Socket};

async fn refused(device: &mut Device, request: Request) {
    match device.socket.request(request).await {
        Response::Error(error) => {
            assert_eq!((error.code(), error.reason.as_str()), (Code::Unavailable, "disk_full"));
            assert!(error.retry_after_ms.is_some_and(|ms| ms > 0), "{error:?}");
        }
        other => panic!("{other:?}"),
    }
}

/// No commit, no reset, no new conversation.
async fn no_group_goes_on(device: &mut Device, id: ConversationId) {
    let bundle = device.update(id);
    let commit = wire::SubmitCommit {
        conversation_id: id.to_bytes(),
        epoch: 1,
        bundle: Some(bundle.clone()),
        ..Default::default()
    };
    refused(device, Request::SubmitCommit(commit)).await;
    let reset = wire::ResetConversation {
        conversation_id: id.to_bytes(),
        bundle: Some(bundle.clone()),
        ..Default::default()
    };
    refused(device, Request::ResetConversation(reset)).await;
    let create = wire::CreateConversation {
        conversation_id: id.to_bytes(),
        bundle: Some(bundle),
        ..Default::default()
    };
    refused(device, Request::CreateConversation(create)).await;
}

#[tokio::test]
async fn a_full_disk_refuses_what_is_new_and_nothing_else() {
    for test in on_each_engine().await {
        let mut ani = Device::register(&test.server, None).await;
        let mut budi = Device::register(&test.server, None).await;
        budi.publish_key_packages(3).await;
        let id = ani.create_direct(budi.account).await;
        let message = ani.message(id, 1, 50);
        let sent = ani.sent(message.clone()).await;
        // Neither has been acknowledged: the next connection reads both from the queue.
        budi.socket = Socket::open(&test.server).await;

        let test = test
            .restart_with(|data| {
                std::fs::remove_file(data.join("reserve")).expect("the reserve");
                std::fs::create_dir(data.join("reserve")).expect("no reserve");
            })
            .await;
        ani.reconnect(&test.server, 0).await;
        let second = ani.message(id, 1, 50);
        refused(&mut ani, Request::Send(second.clone())).await;
        no_group_goes_on(&mut ani, id).await;

        budi.reconnect(&test.server, 0).await;
        assert_eq!(budi.socket.delivered().await.kind(), Kind::Welcome);
        let delivered = budi.socket.delivered().await;
        assert_eq!(
            (delivered.seq, delivered.payload),
            (sent.seq, message.ciphertext.clone())
        );
        budi.socket.queue_empty().await;
        budi.ack(2, &[(id, 2)]).await;
        let log = wire::FetchLog {
            conversation_id: id.to_bytes(),
            after_seq: 0,
            limit: 1,
        };
        assert!(matches!(
            budi.socket.request(Request::FetchLog(log)).await,
            Response::LogPage(_)
        ));
        budi.reconnect(&test.server, 0).await;
        budi.socket.queue_empty().await;

        let test = test
            .restart_with(|data| std::fs::remove_dir(data.join("reserve")).expect("space again"))
            .await;
        ani.reconnect(&test.server, 0).await;
        budi.reconnect(&test.server, 0).await;
        assert_eq!(ani.sent(message).await, sent, "acknowledged before: the same answer");
        assert_eq!(ani.sent(second).await.seq, sent.seq + 1);
        budi.socket.queue_empty().await;
        assert_eq!(budi.socket.delivered().await.seq, sent.seq + 1);
    }
}
