//! Device lists, ids, and what devices sign.

use kabar_protocol::{
    content,
    device_list::{self, DeviceList},
    ids::{ConversationId, DeviceId, MessageId, Timeline},
    receipt::Receipt,
    signing,
    wire::{
        DeviceListEntryBody, MessageCategory,
        device_list_entry_body::{Change, DeviceKey, RecoveryKey, RevokeDevice},
    },
};

use crate::{ACCOUNT, CONVERSATION, DEVICE, PEER, encodes, genesis, genesis_entry, is};

#[test]
fn device_lists() {
    encodes(
        "a genesis",
        &genesis(),
        "1880d8c1a28c3422580a208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c12220a208139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b3941a1005050505050505050505050505050505",
    );
    encodes(
        "an entry, signed",
        &genesis_entry(),
        "0a611880d8c1a28c3422580a208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c12220a208139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b3941a100505050505050505050505050505050512407a3e4d0ac53c358ee0f871c0d211371a6def28dc12b4003833c2b05889274558fce350644f506fd3ba15e5b129eaa59b29ad4a87388a7b426ae85689191843001a208a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c2240d530fe5a08d9bca08824529b6b1916c5638a6bdd388a2fb14f11d884d8ad56c019af7ee85a365f1ec3865a19542315da0c41feddc12566d3b928325b5b727b01",
    );
    let list = DeviceList::from_genesis(&genesis_entry()).expect("a list");
    is(
        "an account's id",
        list.account.as_slice(),
        "4cf3df3f9d31c1eea78c63759dd578b6",
    );
    is(
        "an entry's hash",
        &device_list::hash(&genesis_entry().body),
        "8018217526611f1eac8c43162932a56399f3dfe92c7881156c4b2004a78732c7",
    );
    let later = |change| DeviceListEntryBody {
        version: 7,
        previous_hash: vec![6; 32].into(),
        time_ms: 1_790_000_000_000,
        change: Some(change),
    };
    let device = DeviceKey {
        public_key: vec![7; 32].into(),
    };
    encodes(
        "an added device",
        &later(Change::AddDevice(device)),
        "0807122006060606060606060606060606060606060606060606060606060606060606061880d8c1a28c342a220a200707070707070707070707070707070707070707070707070707070707070707",
    );
    let revoked = RevokeDevice {
        device_id: DEVICE.to_bytes(),
    };
    encodes(
        "a revoked device",
        &later(Change::RevokeDevice(revoked)),
        "0807122006060606060606060606060606060606060606060606060606060606060606061880d8c1a28c3432120a10d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3",
    );
    let recovery = RecoveryKey {
        public_key: vec![8; 32].into(),
    };
    encodes(
        "a recovery key",
        &later(Change::SetRecoveryKey(recovery)),
        "0807122006060606060606060606060606060606060606060606060606060606060606061880d8c1a28c343a220a200808080808080808080808080808080808080808080808080808080808080808",
    );
}

#[test]
fn ids() {
    is(
        "a device's id",
        DeviceId::of_key(&[7; 32]).as_slice(),
        "83b74b3f74cf6e76710b811fccab0479",
    );
    is(
        "a direct conversation's id",
        ConversationId::direct(PEER, ACCOUNT).as_slice(),
        "2b72076034dc2643f244381aa12852c4",
    );
    is(
        "a business conversation's id",
        ConversationId::business(PEER, ACCOUNT).as_slice(),
        "4fa8f69085b641c9e6953632d918181c",
    );
    is(
        "a self group's id",
        ConversationId::own(ACCOUNT).as_slice(),
        "0c6fb205f9b993dc361775e37e4c4d75",
    );
    is(
        "a group id",
        &CONVERSATION.group_id(258),
        "c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c400000102",
    );
    is(
        "a message's id",
        content::message_id(ACCOUNT, CONVERSATION, b"content").as_slice(),
        "01afcdab7ab296d955c149aa707458b71be6e38368ef40609019eb7f64e95fa3",
    );
}

#[test]
fn what_devices_sign() {
    is(
        "the answer to a challenge",
        &signing::authenticate_bytes(&[9; 32], ACCOUNT, DEVICE),
        "6b616261722f76312f61757468656e7469636174650909090909090909090909090909090909090909090909090909090909090909a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3",
    );
    is(
        "a device-list entry",
        &signing::labelled(signing::DEVICE_LIST, b"body"),
        "6b616261722f76312f6465766963652d6c697374626f6479",
    );
    is(
        "a device proof",
        &signing::labelled(signing::DEVICE_PROOF, b"body"),
        "6b616261722f76312f6465766963652d70726f6f66626f6479",
    );
}

#[test]
fn what_a_device_signs_for_a_delivery() {
    let receipt = Receipt {
        timeline: Timeline([5; 16]),
        conversation: CONVERSATION,
        seq: 3,
        message: MessageId([6; 32]),
        category: MessageCategory::Utility,
        rate_card_id: 7,
    };
    is(
        "a delivery receipt",
        &receipt.signed_bytes(),
        "6b616261722f76312f64656c69766572792d7265636569707405050505050505050505050505050505c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c400000000000000030606060606060606060606060606060606060606060606060606060606060606000000020000000000000007",
    );
}
