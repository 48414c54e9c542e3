//! Receipts for billable messages: whether each is the signature that the server expects. What does not verify is ignored,
//! and its item stays in the queue until it expires.

use std::collections::{BTreeMap, BTreeSet};

use kabar_protocol::{
    ids::{AccountId, ConversationId, DeviceId},
    wire::ConversationKind,
};

use super::{
    conversation::Cached,
    meter::{Expected, Signed},
    send::{Acknowledged, Received},
};
use crate::{accounts, app::App, error::Failure, socket::Identity};

/// The receipts of a batch that hold.
#[derive(Default, Clone)]
pub(super) struct Receipts {
    pub(super) signed: Vec<Signed>,
    /// Items of queues that are done with: (device, cursor, conversation, seq).
    pub(super) items: Vec<(DeviceId, u64, ConversationId, u64)>,
}

/// Reads and verifies before the batch begins; nothing at all if no acknowledgement has a receipt.
pub(super) async fn check(
    app: &App,
    acks: impl Iterator<Item = &Acknowledged>,
    conversations: &BTreeMap<ConversationId, Cached>,
) -> Result<Receipts, Failure> {
    let mut claims: Vec<(Identity, AccountId, &Received)> = Vec::new();
    for ack in acks {
        for received in &ack.receipts {
            let conversation = conversations.get(&received.conversation);
            if let Some(business) = conversation.and_then(|known| other_account(known, ack.device)) {
                claims.push((ack.device, business, received));
            }
        }
    }
    if claims.is_empty() {
        return Ok(Receipts::default());
    }
    let place =
        |(_, business, received): &(Identity, AccountId, &Received)| (*business, received.conversation, received.seq);
    let places: BTreeSet<_> = claims.iter().map(place).collect();
    let places: Vec<_> = places.into_iter().collect();
    let expected = app.messaging.meter.expected(app, &places).await?;
    let expected: BTreeMap<(ConversationId, u64), Expected> = expected
        .into_iter()
        .map(|expected| ((expected.receipt.conversation, expected.receipt.seq), expected))
        .collect();
    let signers = claims.iter().map(|(device, ..)| device.account).collect();
    let lists = accounts::device_lists(app, &signers).await?;
    let mut receipts = Receipts::default();
    for (device, _, received) in claims {
        let listed = lists
            .get(&device.account)
            .and_then(|list| list.current_device(device.device));
        let Some((listed, expected)) = listed.zip(expected.get(&(received.conversation, received.seq))) else {
            continue;
        };
        let genuine = expected.receipt.message == received.message_id
            && expected.receipt.verify(&listed.public_key, &received.signature);
        if !genuine {
            continue;
        }
        receipts.signed.push(Signed {
            waba_id: expected.waba_id,
            conversation: received.conversation,
            seq: received.seq,
            timeline: expected.receipt.timeline,
            account: device.account,
            device_key: listed.public_key,
            signature: received.signature.clone(),
        });
        let item = (device.device, received.cursor, received.conversation, received.seq);
        receipts.items.push(item);
    }
    Ok(receipts)
}

/// The other side of a person in a conversation with a business; `None` if it is none, or the device is not in it.
fn other_account(conversation: &Cached, device: Identity) -> Option<AccountId> {
    let billed = conversation.kind == ConversationKind::Business && conversation.is_member(device);
    let mut accounts = conversation.members.iter().map(|member| member.account);
    billed
        .then(|| accounts.find(|account| *account != device.account))
        .flatten()
}
