//! Commits that no honest client makes: the server refuses them, and the group goes on in the same epoch.
//!
//! The engine makes what lies it can; where its builder refuses, the bytes are rewritten and signed again by the
//! liar's own key, so that signatures and tree are true and only the policy stands between the lie and the group.

use ed25519_dalek::{Signer as _, SigningKey};
use kabar_protocol::{
    credential::Credential,
    ids::{AccountId, ConversationId, DeviceId},
    wire::{
        self, AuthenticatedData, CommitBundle, DeviceAddress, MessageClass, client_frame::Body as Request,
        deliver::Kind, server_frame::Body as Response, submit_commit_outcome as submitted,
    },
};
use kabar_server::Server;
use openmls::{
    prelude::*,
    schedule::{ExternalPsk, PreSharedKeyId, Psk},
};
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use prost::Message as _;
use tls_codec::{Deserialize as _, Serialize as _, VLBytes};

use crate::{
    accounts::link,
    device::{Device, XWING, bundle, capabilities, random},
    on_each_engine, start,
};

/// Two people in a direct conversation, both with the group's secrets.
pub(crate) async fn pair(server: &Server) -> (Device, Device, ConversationId) {
    let mut ani = Device::register(server, None).await;
    let mut budi = Device::register(server, None).await;
    budi.publish_key_packages(3).await;
    let id = ani.create_direct(budi.account).await;
    join(&mut budi, id).await;
    (ani, budi, id)
}

/// Joins by the Welcome that comes next.
async fn join(device: &mut Device, id: ConversationId) {
    let delivered = device.socket.delivered().await;
    assert_eq!(delivered.kind(), Kind::Welcome);
    join_by(device, id, &delivered.payload);
}

pub(crate) fn join_by(device: &mut Device, id: ConversationId, welcome: &[u8]) {
    let message = MlsMessageIn::tls_deserialize_exact(welcome).expect("a message");
    let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
        panic!("no Welcome");
    };
    let config = MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .use_ratchet_tree_extension(true)
        .build();
    let group = StagedWelcome::new_from_welcome(&device.provider, &config, welcome, None)
        .expect("a Welcome for us")
        .into_group(&device.provider)
        .expect("a group");
    device.groups.insert(id, group);
}

/// Sends `text`, encrypted in the sender's epoch, and reads it at the other side.
pub(crate) async fn talk(from: &mut Device, to: &mut Device, id: ConversationId, text: &[u8]) {
    let epoch = from.epoch(id);
    let data = AuthenticatedData {
        message_id: [&[1][..], &random::<31>()].concat().into(),
        class: MessageClass::Content.into(),
        timeline: vec![0; 16].into(),
        device_list_version: 0,
        device_list_hash: vec![0; 32].into(),
    };
    let (_, generation) = ConversationId::from_group_id(from.groups[&id].group_id().as_slice()).expect("a group id");
    let mut send = from.message_in(id, (generation, epoch), 0);
    let group = from.groups.get_mut(&id).expect("a group");
    group.set_aad(data.encode_to_vec());
    let sealed = group
        .create_message(&from.provider, &from.signer, text)
        .expect("a message");
    send.ciphertext = sealed.tls_serialize_detached().expect("encodes").into();
    from.sent(send).await;

    let delivered = to.socket.delivered().await;
    assert_eq!(delivered.kind(), Kind::Message, "nothing came in between");
    let read = match process(to, id, &delivered.payload) {
        ProcessedMessageContent::ApplicationMessage(message) => message.into_bytes(),
        other => panic!("{other:?}"),
    };
    assert_eq!(read, text);
}

fn process(device: &mut Device, id: ConversationId, bytes: &[u8]) -> ProcessedMessageContent {
    let message = MlsMessageIn::tls_deserialize_exact(bytes).expect("a message");
    let message = message.try_into_protocol_message().expect("of a group");
    let group = device.groups.get_mut(&id).expect("a group");
    let processed = group.process_message(&device.provider, message).expect("of this epoch");
    processed.into_content()
}

/// Reads the commit that comes next, and merges it in place of any own one.
pub(crate) async fn follow(device: &mut Device, id: ConversationId) {
    drop_pending(device, id);
    let delivered = device.socket.delivered().await;
    assert_eq!(delivered.kind(), Kind::Commit);
    let ProcessedMessageContent::StagedCommitMessage(commit) = process(device, id, &delivered.payload) else {
        panic!("no commit");
    };
    let group = device.groups.get_mut(&id).expect("a group");
    group.merge_staged_commit(&device.provider, *commit).expect("merged");
}

fn drop_pending(device: &mut Device, id: ConversationId) {
    let group = device.groups.get_mut(&id).expect("a group");
    group
        .clear_pending_commit(device.provider.storage())
        .expect("nothing pending");
}

async fn group_info(device: &mut Device, id: ConversationId) -> wire::group_info_outcome::Info {
    let request = Request::FetchGroupInfo(wire::FetchGroupInfo {
        conversation_id: id.to_bytes(),
    });
    match device.socket.request(request).await {
        Response::GroupInfo(wire::GroupInfoOutcome {
            outcome: Some(wire::group_info_outcome::Outcome::Info(info)),
        }) => info,
        other => panic!("{other:?}"),
    }
}

/// Submits a lie in epoch 1 and expects the policy's rule against it.
async fn refused(liar: &mut Device, id: ConversationId, lie: CommitBundle, rule: &str) {
    match liar.submit(id, 1, lie).await {
        submitted::Outcome::PolicyDenied(denied) => assert_eq!(denied.rule, rule),
        other => panic!("expected {rule}, got {other:?}"),
    }
}

/// Submits a lie in epoch 1 that the engine refuses before the policy sees it.
async fn refused_by_engine(liar: &mut Device, id: ConversationId, lie: CommitBundle) {
    let parameter = not_submitted(liar, id, lie, "parameter_invalid").await;
    assert_eq!(parameter.as_deref(), Some("bundle.commit"));
}

/// Submits in epoch 1, is answered by an Error for this reason, and returns the parameter that it names.
async fn not_submitted(liar: &mut Device, id: ConversationId, lie: CommitBundle, reason: &str) -> Option<String> {
    let request = wire::SubmitCommit {
        conversation_id: id.to_bytes(),
        generation: 0,
        epoch: 1,
        bundle: Some(lie),
        client_seq: 0,
    };
    match liar.socket.request(Request::SubmitCommit(request)).await {
        Response::Error(error) => {
            assert_eq!(error.reason, reason);
            error.parameter
        }
        other => panic!("{other:?}"),
    }
}

/// The refused commit left nothing: both talk in epoch 1, and one commits to epoch 2, where both talk again.
async fn goes_on(ani: &mut Device, budi: &mut Device, id: ConversationId) {
    assert_eq!(group_info(ani, id).await.epoch, 1);
    talk(ani, budi, id, b"still here").await;
    talk(budi, ani, id, b"so am I").await;
    let update = ani.update(id);
    let outcome = ani.submit(id, 1, update).await;
    assert!(matches!(outcome, submitted::Outcome::Accepted(_)), "{outcome:?}");
    ani.merge(id);
    follow(budi, id).await;
    assert_eq!((ani.epoch(id), budi.epoch(id)), (2, 2));
    talk(budi, ani, id, b"and on we go").await;
}

/// A member's commit of these, past what an honest client offers.
fn commit_of(
    liar: &mut Device,
    id: ConversationId,
    added: Option<KeyPackage>,
    other: Option<Proposal>,
) -> CommitBundle {
    let group = liar.groups.get_mut(&id).expect("a group");
    let messages = group
        .commit_builder()
        .propose_adds(added)
        .add_proposals(other)
        .load_psks(liar.provider.storage())
        .expect("its PSKs")
        .build(liar.provider.rand(), liar.provider.crypto(), &liar.signer, |_| true)
        .expect("a commit")
        .stage_commit(&liar.provider)
        .expect("staged");
    bundle(messages)
}

/// A member's commit that adds a leaf of `key` whose credential says `account` and `device`.
fn adding(
    liar: &mut Device,
    id: ConversationId,
    key: &SigningKey,
    (account, device): (AccountId, DeviceId),
) -> CommitBundle {
    let public = key.verifying_key().to_bytes().to_vec();
    let signer = SignatureKeyPair::from_raw(SignatureScheme::ED25519, key.to_bytes().to_vec(), public.clone());
    let credential = Credential {
        account,
        device,
        list_version: liar.list.version,
        list_hash: liar.list.head_hash(),
    };
    let credential = CredentialWithKey {
        credential: BasicCredential::new(credential.encode().to_vec()).into(),
        signature_key: public.into(),
    };
    let package = KeyPackage::builder()
        .leaf_node_capabilities(capabilities())
        .build(XWING, &OpenMlsRustCrypto::default(), &signer, credential)
        .expect("a key package");
    let key_package = package.key_package().clone();
    welcoming(liar, id, key_package, (account, device))
}

fn welcoming(
    liar: &mut Device,
    id: ConversationId,
    key_package: KeyPackage,
    (account, device): (AccountId, DeviceId),
) -> CommitBundle {
    let mut lie = commit_of(liar, id, Some(key_package), None);
    lie.welcomed = vec![DeviceAddress {
        account_id: account.to_bytes(),
        device_id: device.to_bytes(),
    }];
    lie
}

#[tokio::test]
async fn hostile_an_outsider_does_not_join_by_a_leaked_group_info() {
    let test = start().await;
    let (mut ani, mut budi, id) = pair(&test.server).await;
    let mut stranger = Device::register(&test.server, None).await;
    let info = group_info(&mut ani, id).await;
    let lie = stranger.join_externally(id, &info.group_info);
    not_submitted(&mut stranger, id, lie, "conversation_unknown").await;
    goes_on(&mut ani, &mut budi, id).await;
}

#[tokio::test]
async fn hostile_a_members_commit_is_not_taken_from_anothers_session() {
    let test = start().await;
    let (mut ani, mut budi, id) = pair(&test.server).await;
    let mut stranger = Device::register(&test.server, None).await;
    let update = ani.update(id);
    not_submitted(&mut stranger, id, update.clone(), "conversation_unknown").await;
    not_submitted(&mut budi, id, update, "not_a_member").await;
    drop_pending(&mut ani, id);
    goes_on(&mut ani, &mut budi, id).await;
}

#[tokio::test]
async fn hostile_a_leaf_is_its_accounts_listed_device_or_is_not_added() {
    let test = start().await;
    let (mut ani, mut budi, id) = pair(&test.server).await;
    let key = SigningKey::from_bytes(&random());
    let device = DeviceId::of_key(&key.verifying_key().to_bytes());
    // Budi's own device by name, another key; a device of that key which Budi's, or the liar's own, list does not hold.
    for claimed in [(budi.account, budi.id), (budi.account, device), (ani.account, device)] {
        let lie = adding(&mut ani, id, &key, claimed);
        refused(&mut ani, id, lie, "credential").await;
        drop_pending(&mut ani, id);
    }
    goes_on(&mut ani, &mut budi, id).await;
}

#[tokio::test]
async fn hostile_no_third_account_enters_a_direct_conversation() {
    let test = start().await;
    let (mut ani, mut budi, id) = pair(&test.server).await;
    let mut citra = Device::register(&test.server, None).await;
    citra.publish_key_packages(1).await;
    let mut claimed = ani.claim(citra.account).await;
    let package = claimed.key_packages.pop().expect("a package");
    let package = ani.checked(&package.key_package);
    let lie = welcoming(&mut ani, id, package, (citra.account, citra.id));
    refused(&mut ani, id, lie, "role").await;
    drop_pending(&mut ani, id);
    goes_on(&mut ani, &mut budi, id).await;
}

#[tokio::test]
async fn hostile_a_psk_is_no_proposal_of_ours() {
    let test = start().await;
    let (mut ani, mut budi, id) = pair(&test.server).await;
    let psk = Psk::External(ExternalPsk::new(b"known to the liar".to_vec()));
    let psk = PreSharedKeyId::new(XWING, ani.provider.rand(), psk).expect("a PSK");
    psk.store(&ani.provider, &[7; 32]).expect("stored");
    let psk = Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(psk)));
    let lie = commit_of(&mut ani, id, None, Some(psk));
    refused(&mut ani, id, lie, "proposal_type").await;
    drop_pending(&mut ani, id);
    goes_on(&mut ani, &mut budi, id).await;
}

fn vector(bytes: &[u8]) -> Vec<u8> {
    VLBytes::new(bytes.to_vec()).tls_serialize_detached().expect("encodes")
}

/// SignWithLabel of RFC 9420 section 5.1.2, as a vector.
fn signed(key: &SigningKey, label: &str, content: &[u8]) -> Vec<u8> {
    let label = format!("MLS 1.0 {label}");
    let content = [vector(label.as_bytes()), vector(content)].concat();
    vector(&key.sign(&content).to_bytes())
}

/// Sizes, with their length prefixes, of what ends a member's PublicMessage: signature, and twice a SHA-256 tag.
const SIGNATURE: usize = 2 + 64;
const TAG: usize = 1 + 32;

/// The liar's commit that removes these leaves, retold as an external commit that also removes the liar's old leaf.
///
/// OpenMLS's builder adds no Remove of our choosing to an external commit. But the path of a member is that of an
/// external joiner who takes its place, as long as it is the leftmost place that the Removes leave free; so the
/// sender and the proposals are rewritten and the whole is signed again. The GroupInfo stays that of the member's
/// commit, and the kem_output is nothing: the server has no secret to open it with.
fn retold_as_external(liar: &mut Device, id: ConversationId, others: &[DeviceId]) -> CommitBundle {
    let mut lie = liar.remove(id, others);
    let group = &liar.groups[&id];
    let leaves = group.members().filter(|member| {
        let device = DeviceId::of_key(&member.signature_key);
        device == liar.id || others.contains(&device)
    });
    let own = group.own_leaf_index();
    let leaves: Vec<LeafNodeIndex> = leaves.map(|member| member.index).collect();
    assert_eq!(leaves.first(), Some(&own), "the liar's is the leftmost place");
    let mut proposals = [&[1, 0, 6][..], &vector(&[7; 1120])].concat();
    for leaf in leaves {
        proposals.extend([&[1, 0, 3][..], &leaf.u32().to_be_bytes()].concat());
    }

    let head = [&[0, 1, 0, 1][..], &vector(&id.group_id(0)), &1u64.to_be_bytes()].concat();
    let rest = lie.commit.strip_prefix(&head[..]).expect("a PublicMessage of epoch 1");
    let sender = [&[1][..], &own.u32().to_be_bytes(), &[0, 3]].concat();
    let mut rest = rest.strip_prefix(&sender[..]).expect("a member's commit, no AAD");
    VLBytes::tls_deserialize(&mut rest).expect("its proposals");
    let (path, end) = rest.split_at(rest.len() - SIGNATURE - 2 * TAG);
    let content = [&head[..], &[4, 0, 3], &vector(&proposals), path].concat();
    let context = group
        .public_group()
        .group_context()
        .tls_serialize_detached()
        .expect("encodes");
    let signature = signed(&liar.key, "FramedContentTBS", &[&content[..], &context].concat());
    lie.commit = [&content, &signature, &end[SIGNATURE..SIGNATURE + TAG]].concat().into();
    drop_pending(liar, id);
    lie
}

/// A pair whose second has two devices; they come in the order of their leaves.
async fn pair_and_tablet(server: &Server) -> (Device, [Device; 2], ConversationId) {
    let mut ani = Device::register(server, None).await;
    let mut budi = Device::register(server, None).await;
    let mut tablet = link(server, &mut budi).await;
    budi.publish_key_packages(1).await;
    tablet.publish_key_packages(1).await;
    let id = ani.create_direct(budi.account).await;
    let mut devices = [budi, tablet];
    for device in &mut devices {
        join(device, id).await;
    }
    devices.sort_by_key(|device| device.groups[&id].own_leaf_index());
    (ani, devices, id)
}

#[tokio::test]
async fn hostile_an_external_commit_removes_one_leaf_at_most() {
    let test = start().await;
    let (mut ani, [mut first, second], id) = pair_and_tablet(&test.server).await;
    // The engine counts Removes itself (valn0402); the policy's own count, `external_join`, stands behind it.
    let lie = retold_as_external(&mut first, id, &[second.id]);
    refused_by_engine(&mut first, id, lie).await;
    // Retold with the own leaf alone, engine and policy let it pass: what refused the lie was the second Remove.
    // Only its GroupInfo, that of a member's commit, is not of the epoch that it begins.
    let resync = retold_as_external(&mut first, id, &[]);
    refused(&mut first, id, resync, "group_info").await;
    goes_on(&mut ani, &mut first, id).await;
}

#[tokio::test]
async fn hostile_an_external_commit_does_not_take_the_other_account_along() {
    let test = start().await;
    let (mut ani, mut budi, id) = pair(&test.server).await;
    let lie = retold_as_external(&mut ani, id, &[budi.id]);
    refused_by_engine(&mut ani, id, lie).await;
    goes_on(&mut ani, &mut budi, id).await;
}

/// The liar's external commit whose one Remove is of the victim's leaf.
///
/// OpenMLS's builder removes the leaf that has the joiner's signature key. So it is told the victim's key, and then
/// the new leaf is given the liar's own, and leaf and commit are signed again. The GroupInfo is not true; the policy
/// comes before it.
fn replacing(liar: &mut Device, victim: &Device, id: ConversationId, group_info: &[u8]) -> CommitBundle {
    let credential = CredentialWithKey {
        signature_key: victim.signer.public().into(),
        ..liar.credential()
    };
    let mut lie = liar.join_externally_as(id, group_info, credential, Vec::new());
    let group = &victim.groups[&id];
    let head = [
        &[0, 1, 0, 1][..],
        &vector(&id.group_id(0)),
        &1u64.to_be_bytes(),
        &[4, 0, 3],
    ]
    .concat();
    let mut rest = lie.commit.strip_prefix(&head[..]).expect("an external commit");
    VLBytes::tls_deserialize(&mut rest).expect("its proposals");
    rest = rest.strip_prefix(&[1]).expect("a path");
    let before_leaf = &lie.commit[..lie.commit.len() - rest.len()];
    let leaf = rest;
    // Encryption key, signature key, credential, capabilities, source, parent hash, extensions (RFC 9420 section 7.2).
    for fixed in [0, 0, 2, 0, 0, 0, 0, 0, 1, 0] {
        rest = &rest[fixed..];
        VLBytes::tls_deserialize(&mut rest).expect("a vector of the leaf");
    }
    let leaf = replaced(
        &leaf[..leaf.len() - rest.len()],
        victim.signer.public(),
        liar.signer.public(),
    );
    let leaf_index = group.own_leaf_index().u32().to_be_bytes();
    let tbs = [&leaf[..], &vector(&id.group_id(0)), &leaf_index].concat();
    let (nodes, end) = rest[SIGNATURE..].split_at(rest.len() - 2 * SIGNATURE - TAG);
    let content = [before_leaf, &leaf, &signed(&liar.key, "LeafNodeTBS", &tbs), nodes].concat();
    let context = group.public_group().group_context();
    let context = context.tls_serialize_detached().expect("encodes");
    let signature = signed(&liar.key, "FramedContentTBS", &[&content[..], &context].concat());
    lie.commit = [&content, &signature, &end[SIGNATURE..]].concat().into();
    lie
}

/// `bytes` with `new` in the one place where `old` is.
fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let at = bytes
        .windows(old.len())
        .position(|window| window == old)
        .expect("there");
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

#[tokio::test]
async fn hostile_an_external_commit_does_not_replace_the_other_account() {
    let test = start().await;
    let (mut ani, mut budi, id) = pair(&test.server).await;
    let mut tablet = link(&test.server, &mut budi).await;
    let info = group_info(&mut budi, id).await;
    let lie = replacing(&mut tablet, &ani, id, &info.group_info);
    refused(&mut tablet, id, lie, "external_join").await;
    goes_on(&mut ani, &mut budi, id).await;
}

#[tokio::test]
async fn hostile_of_two_commits_at_once_one_is_accepted() {
    for test in on_each_engine().await {
        let (mut ani, mut budi, id) = pair(&test.server).await;
        for epoch in 1..=8 {
            let (hers, his) = (ani.update(id), budi.update(id));
            assert_ne!(hers.commit, his.commit);
            let outcomes = tokio::join!(ani.submit(id, epoch, hers), budi.submit(id, epoch, his));
            let (winner, loser, conflict) = match outcomes {
                (submitted::Outcome::Accepted(_), submitted::Outcome::EpochConflict(conflict)) => {
                    (&mut ani, &mut budi, conflict)
                }
                (submitted::Outcome::EpochConflict(conflict), submitted::Outcome::Accepted(_)) => {
                    (&mut budi, &mut ani, conflict)
                }
                other => panic!("{other:?}"),
            };
            assert_eq!((conflict.generation, conflict.epoch), (0, epoch + 1));
            winner.merge(id);
            follow(loser, id).await;
            talk(loser, winner, id, b"you were first").await;
            talk(winner, loser, id, b"by a hair").await;
        }
    }
}
