//! What members learn of each other beside messages: how far they have them, and that somebody types.

use kabar_protocol::{
    ids::ConversationId,
    limits::RECEIPTS_PER_REQUEST_MAX,
    wire::{self, client_frame::Body as Request, deliver::Kind, error::Code, server_frame::Body as Response},
};

use crate::{
    device::{Device, random},
    on_each_engine,
    socket::Socket,
    start,
};

async fn pair(server: &kabar_server::Server) -> (Device, Device, ConversationId) {
    let mut ani = Device::register(server, None).await;
    let mut budi = Device::register(server, None).await;
    budi.publish_key_packages(3).await;
    let id = ani.create_direct(budi.account).await;
    assert_eq!(budi.socket.delivered().await.kind(), Kind::Welcome);
    (ani, budi, id)
}

async fn receipts(device: &mut Device, ids: &[ConversationId]) -> Response {
    let request = wire::FetchReceipts {
        conversation_ids: ids.iter().map(ConversationId::to_bytes).collect(),
    };
    device.socket.request(Request::FetchReceipts(request)).await
}

/// (conversation, sequence) by account `of`.
async fn delivered_to(device: &mut Device, of: &Device, ids: &[ConversationId]) -> Vec<(ConversationId, u64)> {
    let page = match receipts(device, ids).await {
        Response::Receipts(page) => page,
        other => panic!("{other:?}"),
    };
    let of_account = page
        .receipts
        .iter()
        .filter(|mark| mark.account_id == of.account.to_bytes());
    let marks = of_account.map(|mark| {
        (
            ConversationId::from_slice(&mark.conversation_id).expect("an id"),
            mark.seq,
        )
    });
    let mut marks: Vec<_> = marks.collect();
    marks.sort();
    marks
}

#[tokio::test]
async fn after_an_absence_the_marks_are_asked_for() {
    for test in on_each_engine().await {
        let (mut ani, mut budi, id) = pair(&test.server).await;
        let mut citra = Device::register(&test.server, None).await;
        citra.publish_key_packages(1).await;
        let with_citra = ani.create_direct(citra.account).await;
        for seq in 2..=3 {
            let message = ani.message(id, 1, 20);
            assert_eq!(ani.sent(message).await.seq, seq);
        }
        // Ani is away while Budi gets them.
        ani.socket = Socket::open(&test.server).await;
        for _ in 2..=3 {
            budi.socket.delivered().await;
        }
        budi.ack(3, &[(id, 3)]).await;
        ani.reconnect(&test.server, 0).await;
        ani.socket.queue_empty().await;

        let all = [with_citra, id];
        assert_eq!(delivered_to(&mut ani, &budi, &all).await, [(id, 3)]);
        assert_eq!(
            delivered_to(&mut ani, &citra, &all).await,
            [],
            "nothing has reached her"
        );
        let test = test.restart().await;
        ani.reconnect(&test.server, 0).await;
        assert_eq!(delivered_to(&mut ani, &budi, &all).await, [(id, 3)]);
        assert_eq!(delivered_to(&mut ani, &budi, &[with_citra]).await, []);
    }
}

#[tokio::test]
async fn marks_are_shown_to_members_only() {
    for test in on_each_engine().await {
        let (mut ani, mut budi, id) = pair(&test.server).await;
        let mut citra = Device::register(&test.server, None).await;
        budi.ack(1, &[(id, 1)]).await;
        let unknown = ConversationId(random());
        assert_eq!(delivered_to(&mut citra, &budi, &[id, unknown]).await, []);
        assert_eq!(delivered_to(&mut ani, &budi, &[unknown, id]).await, [(id, 1)]);
        // An outsider's acknowledgement marks nothing either.
        citra.ack(0, &[(id, 9)]).await;
        assert_eq!(delivered_to(&mut ani, &citra, &[id]).await, []);
    }
}

#[tokio::test]
async fn marks_are_asked_for_in_pages() {
    let test = start().await;
    let (mut ani, _budi, id) = pair(&test.server).await;
    let mut ids = vec![id; RECEIPTS_PER_REQUEST_MAX];
    assert!(matches!(receipts(&mut ani, &ids).await, Response::Receipts(_)));
    ids.push(id);
    match receipts(&mut ani, &ids).await {
        Response::Error(error) => {
            assert_eq!(
                (error.code(), error.reason.as_str()),
                (Code::Invalid, "parameter_invalid")
            );
            assert_eq!(error.parameter.as_deref(), Some("fetch_receipts.conversation_ids"));
            assert!(error.message.contains("100"), "{}", error.message);
        }
        other => panic!("{other:?}"),
    }
    let short = wire::FetchReceipts {
        conversation_ids: vec![vec![1; 15].into()],
    };
    match ani.socket.request(Request::FetchReceipts(short)).await {
        Response::Error(error) => assert_eq!(error.parameter.as_deref(), Some("fetch_receipts.conversation_ids")),
        other => panic!("{other:?}"),
    }
}

async fn typing(device: &mut Device, id: ConversationId, active: bool) -> Response {
    let request = wire::Typing {
        conversation_id: id.to_bytes(),
        active,
    };
    device.socket.request(Request::Typing(request)).await
}

#[tokio::test]
async fn typing_reaches_who_is_online_and_is_kept_nowhere() {
    for test in on_each_engine().await {
        let (mut ani, mut budi, id) = pair(&test.server).await;
        for active in [true, false] {
            assert!(matches!(
                typing(&mut ani, id, active).await,
                Response::EphemeralAccepted(_)
            ));
            match budi.socket.pushed().await {
                Response::Typing(notice) => {
                    assert_eq!((notice.conversation_id, notice.active), (id.to_bytes(), active));
                    assert_eq!(notice.account_id, ani.account.to_bytes());
                }
                other => panic!("{other:?}"),
            }
        }
        // A socket that has not signed in is nobody's: Budi is away.
        budi.socket = Socket::open(&test.server).await;
        assert!(matches!(
            typing(&mut ani, id, true).await,
            Response::EphemeralAccepted(_)
        ));
        budi.reconnect(&test.server, 1).await;
        budi.socket.queue_empty().await;
        let message = ani.message(id, 1, 5);
        ani.sent(message).await;
        let next = budi.socket.delivered().await;
        assert_eq!(
            (next.cursor, next.seq),
            (2, 2),
            "typing took no place in queue or conversation"
        );
    }
}

#[tokio::test]
async fn outsiders_do_not_type() {
    let test = start().await;
    let (mut ani, mut budi, id) = pair(&test.server).await;
    let mut citra = Device::register(&test.server, None).await;
    for strange in [id, ConversationId(random())] {
        match typing(&mut citra, strange, true).await {
            Response::Error(error) => assert_eq!((error.code(), error.reason.as_str()), (Code::Denied, "not_a_member")),
            other => panic!("{other:?}"),
        }
    }
    let message = ani.message(id, 1, 5);
    ani.sent(message).await;
    assert_eq!(budi.socket.delivered().await.seq, 2, "nothing came before it");
}
