//! Scenarios over sockets are in `tests/messenger/messages.rs`; here is what they cannot see.

use kabar_protocol::{
    content::authenticated_data,
    ids::{AccountId, ConversationId, DeviceId},
    mls_header::opaque_private_message,
    wire::{AuthenticatedData, MessageClass, Send},
};
use prost::Message as _;

use super::send::outgoing;
use crate::socket::Identity;

const SENDER: Identity = Identity {
    account: AccountId([1; 16]),
    device: DeviceId([2; 16]),
};

fn send() -> Send {
    let conversation = ConversationId([3; 16]);
    let data = AuthenticatedData {
        message_id: vec![1; 32].into(),
        class: MessageClass::Content.into(),
        ..Default::default()
    };
    assert!(authenticated_data(&data.encode_to_vec()).is_some());
    let ciphertext = opaque_private_message(&conversation.group_id(0), 4, &data.encode_to_vec(), b"secret");
    Send {
        conversation_id: conversation.to_bytes(),
        epoch: 4,
        client_message_id: vec![5; 16].into(),
        class: MessageClass::Content.into(),
        ciphertext: ciphertext.into(),
        ..Send::default()
    }
}

fn refused(change: impl FnOnce(&mut Send)) -> &'static str {
    let mut send = send();
    change(&mut send);
    outgoing(SENDER, send)
        .expect_err("refused")
        .parameter
        .expect("a parameter")
}

#[test]
fn a_send_must_say_what_its_message_says() {
    assert!(outgoing(SENDER, send()).is_ok());
    assert_eq!(refused(|send| send.epoch = 5), "send.ciphertext");
    assert_eq!(refused(|send| send.generation = 1), "send.ciphertext");
    assert_eq!(
        refused(|send| send.conversation_id = vec![9; 16].into()),
        "send.ciphertext"
    );
    assert_eq!(refused(|send| send.class = MessageClass::Receipt.into()), "send.class");
    assert_eq!(refused(|send| send.class = 77), "send.class");
    assert_eq!(
        refused(|send| send.client_message_id = vec![1; 15].into()),
        "send.client_message_id"
    );
    assert_eq!(
        refused(|send| send.ciphertext = vec![0; 70_000].into()),
        "send.ciphertext"
    );
    assert_eq!(refused(|send| send.client_seq = u64::MAX), "send.client_seq");
}
