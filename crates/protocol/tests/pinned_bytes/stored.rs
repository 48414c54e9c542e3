//! What a server keeps in its database, and a client in its home.

use kabar_protocol::wire::{
    self, ClientFrame, CommitBundle, ConversationKind, Deliver, DeviceAddress, MessageClass,
    client_frame::Body as Request, deliver::Kind,
};

use crate::{ACCOUNT, CONVERSATION, DEVICE, PEER, encodes};

#[test]
fn rows_of_the_server() {
    let envelope = Deliver {
        conversation_id: CONVERSATION.to_bytes(),
        generation: 1,
        seq: 300,
        kind: Kind::Message.into(),
        class: MessageClass::Content.into(),
        sender: Some(DeviceAddress {
            account_id: ACCOUNT.to_bytes(),
            device_id: DEVICE.to_bytes(),
        }),
        time_ms: 1_790_000_000_000,
        stamp: vec![3; 32].into(),
        payload: vec![4; 5].into(),
        conversation_kind: ConversationKind::Direct.into(),
        ..Deliver::default()
    };
    encodes(
        "a queued envelope",
        &envelope,
        "1210c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4180120ac02280330013a240a10a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a11210d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d34080d8c1a28c344a200303030303030303030303030303030303030303030303030303030303030303520504040404045801",
    );
    // Kept as numbers in columns.
    let kinds = [
        Kind::Welcome,
        Kind::Commit,
        Kind::Message,
        Kind::Reset,
        Kind::Gone,
        Kind::Withdrawn,
    ];
    assert_eq!(kinds.map(|kind| kind as i32), [1, 2, 3, 4, 5, 6]);
    use ConversationKind::{Business, Direct, Group, SelfGroup};
    let kinds = [Direct, Group, SelfGroup, Business];
    assert_eq!(kinds.map(|kind| kind as i32), [1, 2, 3, 4]);
}

/// A client keeps these until the server has answered, over restarts and updates.
#[test]
fn requests_in_a_home() {
    let bundle = || {
        Some(CommitBundle {
            commit: vec![1; 3].into(),
            group_info: vec![2; 3].into(),
            welcome: vec![3; 3].into(),
            welcomed: vec![DeviceAddress {
                account_id: PEER.to_bytes(),
                device_id: DEVICE.to_bytes(),
            }],
        })
    };
    let request = |body| ClientFrame {
        request_id: 0,
        body: Some(body),
    };
    let first = wire::Send {
        conversation_id: CONVERSATION.to_bytes(),
        generation: 1,
        epoch: 2,
        client_message_id: vec![5; 16].into(),
        class: MessageClass::Content.into(),
        ciphertext: vec![6; 3].into(),
        ttl_s: 7,
        client_seq: 8,
        ..wire::Send::default()
    };
    let create = wire::CreateConversation {
        conversation_id: CONVERSATION.to_bytes(),
        kind: ConversationKind::Direct.into(),
        bundle: bundle(),
        first: Some(first),
    };
    encodes(
        "a creation",
        &request(Request::CreateConversation(create)),
        "c20280010a10c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c410011a350a0301010112030202021a0303030322240a10b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b21210d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d322330a10c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4100118022210050505050505050505050505050505052801320306060638074008",
    );
    let submit = wire::SubmitCommit {
        conversation_id: CONVERSATION.to_bytes(),
        generation: 1,
        epoch: 2,
        bundle: bundle(),
        client_seq: 3,
    };
    encodes(
        "a commit",
        &request(Request::SubmitCommit(submit)),
        "ca024f0a10c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c41001180222350a0301010112030202021a0303030322240a10b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b21210d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d32803",
    );
    let reset = wire::ResetConversation {
        conversation_id: CONVERSATION.to_bytes(),
        generation: 1,
        bundle: bundle(),
    };
    encodes(
        "a reset",
        &request(Request::ResetConversation(reset)),
        "f2024b0a10c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c410011a350a0301010112030202021a0303030322240a10b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b21210d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3",
    );
}
