//! The bytes of everything that outlives a connection: what is signed, hashed, or kept in a database or a home.
//!
//! A sample of each, byte for byte. If one of these tests fails, accounts, messages and groups made by an earlier
//! version would no longer verify or be read. So undo the change; or, if it is on purpose:
//! - a new field gets a new number, and its absence means what its absence meant before. No sample changes; add one.
//! - anything else is a new version: a new label (`kabar/v2/...`) or version byte beside the old one, code that reads
//!   both, a line in CHANGELOG.md. The old sample stays here as one that is still read.
//!
//! Frames that only travel are not here: both sides name their protocol version at the start of a connection.

use std::fmt::Debug;

use ed25519_dalek::{Signer as _, SigningKey};
use kabar_protocol::{
    content,
    credential::Credential,
    device_list::{self, DeviceList},
    ids::{AccountId, ConversationId, DeviceId, MessageId, Timeline},
    mls_header::opaque_private_message,
    policy::GROUP_POLICY_EXTENSION,
    receipt::Receipt,
    signing, suite,
    wire::{
        self, AuthenticatedData, ClientFrame, CommitBundle, Content, ConversationKind, Deliver, DeviceAddress,
        DeviceListEntry, DeviceListEntryBody, GroupPolicy, GroupSettings, MemberRole, MessageCategory, MessageClass,
        Permission, Profile, Role,
        client_frame::Body as Request,
        content::Body,
        deliver::Kind,
        device_list_entry_body::{Change, DeviceKey, Genesis, RecoveryKey, RevokeDevice},
    },
};
use prost::Message;

const ACCOUNT: AccountId = AccountId([0xa1; 16]);
const PEER: AccountId = AccountId([0xb2; 16]);
const DEVICE: DeviceId = DeviceId([0xd3; 16]);
const CONVERSATION: ConversationId = ConversationId([0xc4; 16]);

#[track_caller]
fn is(name: &str, bytes: &[u8], pinned: &str) {
    let bytes = hex::encode(bytes);
    assert!(
        bytes == pinned,
        "{name} has other bytes than before; the top of this file says what to do.\n now: {bytes}\nthen: {pinned}"
    );
}

/// Encoded as ever, and what was encoded before is still read.
#[track_caller]
fn encodes<M: Message + Default + PartialEq + Debug>(name: &str, message: &M, pinned: &str) {
    is(name, &message.encode_to_vec(), pinned);
    let bytes = hex::decode(pinned).expect("hex");
    assert_eq!(M::decode(bytes.as_slice()).as_ref(), Ok(message), "{name}");
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(key: &SigningKey) -> bytes::Bytes {
    key.verifying_key().to_bytes().to_vec().into()
}

fn genesis() -> DeviceListEntryBody {
    DeviceListEntryBody {
        version: 0,
        previous_hash: Default::default(),
        time_ms: 1_790_000_000_000,
        change: Some(Change::Genesis(Genesis {
            account_key: public(&key(1)),
            first_device: Some(DeviceKey {
                public_key: public(&key(2)),
            }),
            salt: vec![5; 16].into(),
        })),
    }
}

fn genesis_entry() -> DeviceListEntry {
    let body = genesis().encode_to_vec();
    let sign = |key: &SigningKey, label| key.sign(&signing::labelled(label, &body)).to_vec().into();
    DeviceListEntry {
        signature: sign(&key(1), signing::DEVICE_LIST),
        signer: public(&key(1)),
        device_proof: sign(&key(2), signing::DEVICE_PROOF),
        body: body.into(),
    }
}

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

#[test]
fn what_mls_carries() {
    let credential = Credential {
        account: ACCOUNT,
        device: DEVICE,
        list_version: 258,
        list_hash: [4; 32],
    };
    is(
        "a credential",
        &credential.encode(),
        "01a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3d3000001020404040404040404040404040404040404040404040404040404040404040404",
    );
    let member = |account: AccountId, role: Role| MemberRole {
        account_id: account.to_bytes(),
        role: role.into(),
    };
    let policy = GroupPolicy {
        version: 1,
        kind: ConversationKind::Group.into(),
        conversation_id: CONVERSATION.to_bytes(),
        generation: 3,
        members: vec![member(ACCOUNT, Role::Owner), member(PEER, Role::Member)],
        ..GroupPolicy::default()
    };
    encodes(
        "a group's policy",
        &policy,
        "080110021a10c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c420032a140a10a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a110032a140a10b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b21001",
    );
    let permission = |permission: Permission| permission.into();
    let settled = GroupPolicy {
        members: vec![member(ACCOUNT, Role::Owner), member(PEER, Role::Leaving)],
        settings: Some(GroupSettings {
            post: permission(Permission::All),
            add: permission(Permission::Admins),
            edit: permission(Permission::Admins),
        }),
        founder: ACCOUNT.to_bytes(),
        nonce: vec![5; 16].into(),
        ..policy
    };
    encodes(
        "a group's policy with its settings and its name's origin",
        &settled,
        "080110021a10c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c420032a140a10a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a110032a140a10b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2100432060801100218023a10a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1421005050505050505050505050505050505",
    );
    is(
        "a group's id",
        ConversationId::group(ACCOUNT, &[5; 16]).as_slice(),
        "ab4ac2f02ea8033304c54b2567cbafc8",
    );
    encodes(
        "authenticated data",
        &authenticated_data(),
        "0a20010101010101010101010101010101010101010101010101010101010101010110011a100202020202020202020202020202020220032a200404040404040404040404040404040404040404040404040404040404040404",
    );
    let message = opaque_private_message(
        &CONVERSATION.group_id(3),
        4,
        &authenticated_data().encode_to_vec(),
        &[0; 64],
    );
    is(
        "a PrivateMessage's header",
        &message[..40],
        "0001000214c4c4c4c4c4c4c4c4c4c4c4c4c4c4c4c400000003000000000000000401405a0a200101",
    );
    let numbers = [GROUP_POLICY_EXTENSION, suite::X25519, suite::XWING];
    assert_eq!(numbers, [0xf4b1, 0x0001, 0x004f]);
}

fn authenticated_data() -> AuthenticatedData {
    AuthenticatedData {
        message_id: vec![1; 32].into(),
        class: MessageClass::Content.into(),
        timeline: vec![2; 16].into(),
        device_list_version: 3,
        device_list_hash: vec![4; 32].into(),
    }
}

fn content_of(body: Body) -> Content {
    Content {
        salt: vec![1; 16].into(),
        sent_at_ms: 1_790_000_000_000,
        body: Some(body),
        ..Content::default()
    }
}

#[test]
fn contents() {
    let message = || Some(bytes::Bytes::from(vec![2; 32]));
    let text = Content {
        in_reply_to: message(),
        expires_at_ms: Some(1_790_000_060_000),
        profile: Some(Profile {
            name: "Ani".into(),
            version: 2,
        }),
        automated: true,
        ..content_of(Body::Text(wire::Text { body: "halo".into() }))
    };
    encodes(
        "a text",
        &text,
        "0a10010101010101010101010101010101011080d8c1a28c342220020202020202020202020202020202020202020202020202020202020202020228e0acc5a28c3452060a0468616c6ff201070a03416e691002f80101",
    );
    encodes(
        "a read receipt",
        &content_of(Body::ReadUpTo(wire::ReadUpTo { seq: 300 })),
        "0a10010101010101010101010101010101011080d8c1a28c345a0308ac02",
    );
    let deleted = Content {
        replaces: message(),
        ..content_of(Body::Deleted(wire::Empty {}))
    };
    encodes(
        "a deletion",
        &deleted,
        "0a10010101010101010101010101010101011080d8c1a28c341a2002020202020202020202020202020202020202020202020202020202020202026200",
    );
    let reaction = wire::Reaction { emoji: "👍".into() };
    encodes(
        "a reaction",
        &content_of(Body::Reaction(reaction)),
        "0a10010101010101010101010101010101011080d8c1a28c346a060a04f09f918d",
    );
}

#[test]
fn offers_of_businesses() {
    use wire::interactive;
    let list = wire::ReplyList {
        button: "Pilih".into(),
        sections: vec![wire::ListSection {
            title: "Kopi".into(),
            rows: vec![wire::ListRow {
                id: "k1".into(),
                title: "Tubruk".into(),
                description: Some("hitam".into()),
            }],
        }],
    };
    let buttons = wire::ReplyButtons {
        buttons: vec![wire::ReplyButton {
            id: "ya".into(),
            title: "Ya".into(),
        }],
    };
    let link = wire::CtaUrl {
        display_text: "Lacak".into(),
        url: "https://toko.example/1".into(),
    };
    let interactive = |action| {
        content_of(Body::Interactive(wire::Interactive {
            header: Some("Toko".into()),
            body: "Mau?".into(),
            footer: Some("terima kasih".into()),
            action: Some(action),
        }))
    };
    encodes(
        "a list",
        &interactive(interactive::Action::List(list)),
        "0a10010101010101010101010101010101011080d8c1a28c3472400a04546f6b6f12044d61753f1a0c746572696d61206b617369685a240a0550696c6968121b0a044b6f706912130a026b31120654756272756b1a05686974616d",
    );
    encodes(
        "buttons",
        &interactive(interactive::Action::Buttons(buttons)),
        "0a10010101010101010101010101010101011080d8c1a28c3472260a04546f6b6f12044d61753f1a0c746572696d61206b61736968520a0a080a02796112025961",
    );
    encodes(
        "a link",
        &interactive(interactive::Action::CtaUrl(link)),
        "0a10010101010101010101010101010101011080d8c1a28c34723b0a04546f6b6f12044d61753f1a0c746572696d61206b61736968621f0a054c6163616b121668747470733a2f2f746f6b6f2e6578616d706c652f31",
    );
}

#[test]
fn answers_to_businesses_and_templates() {
    use wire::{interactive_reply, template_button};
    let reply = |reply| content_of(Body::InteractiveReply(wire::InteractiveReply { reply: Some(reply) }));
    let tapped = wire::ButtonReply {
        id: "ya".into(),
        title: "Ya".into(),
    };
    encodes(
        "a tap",
        &reply(interactive_reply::Reply::Button(tapped)),
        "0a10010101010101010101010101010101011080d8c1a28c347a0a0a080a02796112025961",
    );
    let picked = wire::ListReply {
        id: "k1".into(),
        title: "Tubruk".into(),
        description: Some("hitam".into()),
    };
    encodes(
        "a choice",
        &reply(interactive_reply::Reply::List(picked)),
        "0a10010101010101010101010101010101011080d8c1a28c347a1512130a026b31120654756272756b1a05686974616d",
    );
    let button = |text: &str, action| wire::TemplateButton {
        text: text.into(),
        action: Some(action),
    };
    let template = wire::Template {
        name: "pesanan".into(),
        language: "id".into(),
        header: Some("Pesanan".into()),
        body: "Pesanan 7 dikirim".into(),
        footer: Some("Toko".into()),
        buttons: vec![
            button("Baik", template_button::Action::Payload("ok".into())),
            button("Lacak", template_button::Action::Url("https://toko.example/7".into())),
        ],
    };
    encodes(
        "a template",
        &content_of(Body::Template(template)),
        "0a10010101010101010101010101010101011080d8c1a28c3482015c0a07706573616e616e120269641a07506573616e616e2211506573616e616e20372064696b6972696d2a04546f6b6f320a0a044261696b12026f6b321f0a054c6163616b1a1668747470733a2f2f746f6b6f2e6578616d706c652f37",
    );
}

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
    let kinds = [Kind::Welcome, Kind::Commit, Kind::Message, Kind::Reset, Kind::Gone];
    assert_eq!(kinds.map(|kind| kind as i32), [1, 2, 3, 4, 5]);
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
