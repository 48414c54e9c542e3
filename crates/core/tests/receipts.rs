//! Receipts for what a business's messages cost: signed when a message opened, until the server has taken them.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_protocol::{
    device_list::DeviceList,
    ids::{ConversationId, MessageId, Timeline},
    receipt::Receipt,
    wire::{Billable, DeliveryReceipt, MessageCategory, MessageClass},
};
use support::World;

const BILLABLE: Billable = Billable {
    category: MessageCategory::Utility as i32,
    rate_card_id: 7,
};

/// Ani has written to a business, whose content costs something from now on.
fn billed(seed: u64) -> (World, usize, usize, String) {
    let mut world = World::new(seed);
    let (ani, toko) = (world.person("Ani"), world.business("Toko"));
    let conversation = world.send(ani, "@toko", "halo").conversation_id;
    world.run();
    world.server.tamper = Some(|item| {
        if item.class() == MessageClass::Content {
            item.billable = Some(BILLABLE);
        }
    });
    (world, ani, toko, conversation.to_string())
}

fn receipt(of: &DeliveryReceipt) -> Receipt {
    Receipt {
        timeline: Timeline([1; 16]),
        conversation: ConversationId::from_slice(&of.conversation_id).unwrap(),
        seq: of.seq,
        message: MessageId::from_slice(&of.message_id).unwrap(),
        category: MessageCategory::Utility,
        rate_card_id: 7,
    }
}

fn device_key(world: &mut World, client: usize) -> [u8; 32] {
    let me = world.me(client);
    let list = DeviceList::from_entries(&world.server.data.chains[&me.account_id]).unwrap();
    list.current_device(me.device_id).unwrap().public_key
}

#[test]
fn a_billable_message_is_signed_for_by_the_device_that_opened_it() {
    let (mut world, ani, toko, conversation) = billed(1);
    let sent = world.send(toko, &conversation, "tiket Anda");
    world.run();
    assert_eq!(world.texts(ani), ["halo", "tiket Anda"]);
    let [signed] = &world.server.signed[..] else {
        panic!("{:?}", world.server.signed)
    };
    let signed = signed.clone();
    assert_eq!(signed.message_id, sent.message_id.to_bytes());
    let key = device_key(&mut world, ani);
    assert!(receipt(&signed).verify(&key, &signed.signature));
    assert!(signed.cursor > 0);

    world.restart(ani);
    world.run();
    assert_eq!(
        world.server.signed.len(),
        1,
        "once the server has taken it, it is owed no more"
    );
    // What a person writes is signed for by nobody, whatever a server says of it.
    world.send(ani, "@toko", "terima kasih");
    world.run();
    assert_eq!(world.server.signed.len(), 1);
}

#[test]
fn a_receipt_that_did_not_arrive_is_signed_again_after_a_crash() {
    let (mut world, ani, toko, conversation) = billed(2);
    world.server.refuse_acks = true;
    world.send(toko, &conversation, "satu");
    world.run();
    let first = world.server.signed.last().cloned().unwrap();
    world.restart(ani);
    world.run();
    let second = world.server.signed.last().cloned().unwrap();
    assert_eq!(first, second, "the same facts, the same signature");
    assert!(world.server.signed.len() > 1);
    world.server.refuse_acks = false;
    world.restart(ani);
    world.run();
    let taken = world.server.signed.len();
    world.restart(ani);
    world.run();
    assert_eq!(world.server.signed.len(), taken);
    assert_eq!(world.texts(ani), ["halo", "satu"]);
}

#[test]
fn what_did_not_open_or_is_between_people_is_not_signed_for() {
    let (mut world, ani, toko, conversation) = billed(3);
    world.server.tamper = Some(|item| {
        item.billable = Some(BILLABLE);
        let mut payload = item.payload.to_vec();
        if let Some(last) = payload.last_mut().filter(|_| item.class() == MessageClass::Content) {
            *last ^= 1;
        }
        item.payload = payload.into();
    });
    world.send(toko, &conversation, "rusak");
    world.run();
    assert!(!world.texts(ani).contains(&"rusak".to_owned()));
    world.server.tamper = Some(|item| item.billable = Some(BILLABLE));
    let budi = world.person("Budi");
    world.send(ani, "@budi", "antara kita");
    world.run();
    assert_eq!(world.texts(budi), ["antara kita"]);
    assert_eq!(world.server.signed, []);
}
