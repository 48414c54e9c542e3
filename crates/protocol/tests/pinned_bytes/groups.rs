//! What MLS carries of ours.

use kabar_protocol::{
    credential::Credential,
    ids::{AccountId, ConversationId},
    mls_header::opaque_private_message,
    policy::GROUP_POLICY_EXTENSION,
    suite,
    wire::{ConversationKind, GroupPolicy, GroupSettings, MemberRole, Permission, Role},
};
use prost::Message;

use crate::{ACCOUNT, CONVERSATION, DEVICE, PEER, authenticated_data, encodes, is};

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
    let settled = GroupPolicy {
        members: vec![member(ACCOUNT, Role::Owner), member(PEER, Role::Leaving)],
        settings: Some(GroupSettings {
            history: false,
            post: Permission::All.into(),
            add: Permission::Admins.into(),
            edit: Permission::Admins.into(),
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

#[test]
fn what_newcomers_are_shown() {
    let settings = GroupSettings {
        history: true,
        ..GroupSettings::default()
    };
    encodes("settings that show them the last messages", &settings, "2001");
}
