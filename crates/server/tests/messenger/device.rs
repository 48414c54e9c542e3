//! A device with its account, its keys and its MLS groups, on a socket.

use std::collections::BTreeMap;

use ed25519_dalek::{Signer as _, SigningKey};
use kabar_protocol::{
    credential::Credential,
    device_list::DeviceList,
    ids::{AccountId, ConversationId, DeviceId},
    mls_header::opaque_private_message,
    policy::GROUP_POLICY_EXTENSION,
    signing, suite,
    wire::{
        self, AuthenticatedData, CommitBundle, ConversationKind, DeviceAddress, DeviceListEntry, DeviceListEntryBody,
        GroupPolicy, GroupSettings, MemberRole, MessageClass, Permission, Role,
        client_frame::Body as Request,
        device_list_entry_body::{Change, DeviceKey, Genesis},
        server_frame::Body as Response,
    },
};
use kabar_server::{
    Server,
    admin::{self, Command},
};
use openmls::{messages::group_info::VerifiableGroupInfo, prelude::*};
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use prost::Message as _;
use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};
use tls_codec::{Deserialize as _, Serialize as _};

use crate::socket::Socket;

pub(crate) const XWING: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519;

pub(crate) struct Device {
    pub(crate) socket: Socket,
    pub(crate) list: DeviceList,
    pub(crate) key: SigningKey,
    pub(crate) account: AccountId,
    pub(crate) id: DeviceId,
    genesis: DeviceListEntry,
    pub(crate) provider: OpenMlsRustCrypto,
    pub(crate) signer: SignatureKeyPair,
    pub(crate) groups: BTreeMap<ConversationId, MlsGroup>,
    client_seq: u64,
}

fn text<'a>(answer: &'a serde_json::Value, name: &str) -> &'a str {
    answer[name].as_str().expect("a text")
}

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    StdRng::from_os_rng().fill_bytes(&mut bytes);
    bytes
}

pub(crate) fn entry(body: &DeviceListEntryBody, signer: &SigningKey, added: Option<&SigningKey>) -> DeviceListEntry {
    let body = body.encode_to_vec();
    let sign = |key: &SigningKey, label| key.sign(&signing::labelled(label, &body)).to_vec();
    DeviceListEntry {
        signature: sign(signer, signing::DEVICE_LIST).into(),
        signer: signer.verifying_key().to_bytes().to_vec().into(),
        device_proof: added
            .map(|key| sign(key, signing::DEVICE_PROOF))
            .unwrap_or_default()
            .into(),
        body: body.into(),
    }
}

pub(crate) fn device_key(key: &SigningKey) -> DeviceKey {
    DeviceKey {
        public_key: key.verifying_key().to_bytes().to_vec().into(),
    }
}

pub(crate) fn capabilities() -> Capabilities {
    Capabilities::builder()
        .ciphersuites(vec![XWING, Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519])
        .extensions(vec![
            ExtensionType::Unknown(GROUP_POLICY_EXTENSION),
            ExtensionType::LastResort,
        ])
        .build()
}

impl Device {
    /// Registers a new account.
    pub(crate) async fn register(server: &Server, username: Option<&str>) -> Self {
        let mut device = Self::fresh(server).await;
        device.try_register(username, None).await.expect("an account");
        device.socket.queue_empty().await;
        device
    }

    /// The account of a new number of a new business; its id.
    pub(crate) async fn enrol(server: &Server, name: &str, phone: &str) -> (Self, u64) {
        let command = Command::BusinessCreate { name: name.into() };
        let business = admin::run(server.app(), command).await.expect("a business");
        let waba_id: u64 = text(&business, "waba_id").parse().expect("an id");
        let command = Command::NumberAdd {
            waba_id,
            phone: phone.into(),
            name: name.into(),
            keys_at_business: false,
        };
        let number = admin::run(server.app(), command).await.expect("a number");
        let mut device = Self::fresh(server).await;
        let request = wire::Register {
            version: 1,
            genesis: Some(device.genesis.clone()),
            signature: device.sign_challenge().into(),
            enrolment_code: Some(text(&number, "enrolment_code").into()),
            ..Default::default()
        };
        match device.socket.request(Request::Register(request)).await {
            Response::Register(wire::RegisterOutcome {
                outcome: Some(wire::register_outcome::Outcome::Session(_)),
            }) => device.socket.queue_empty().await,
            other => panic!("not enrolled: {other:?}"),
        }
        (device, waba_id)
    }

    /// Keys of an account that is not registered yet.
    pub(crate) async fn fresh(server: &Server) -> Self {
        Self::fresh_on(Socket::open(server).await)
    }

    pub(crate) fn fresh_on(socket: Socket) -> Self {
        let (account_key, key) = (SigningKey::from_bytes(&random()), SigningKey::from_bytes(&random()));
        let change = Genesis {
            account_key: account_key.verifying_key().to_bytes().to_vec().into(),
            first_device: Some(device_key(&key)),
            salt: random::<16>().to_vec().into(),
        };
        let body = DeviceListEntryBody {
            change: Some(Change::Genesis(change)),
            ..Default::default()
        };
        let genesis = entry(&body, &account_key, Some(&key));
        let list = DeviceList::from_genesis(&genesis).expect("a genesis");
        let mut device = Self::new(socket, list, key);
        device.genesis = genesis;
        device
    }

    pub(crate) async fn try_register(
        &mut self,
        username: Option<&str>,
        invite: Option<&str>,
    ) -> Result<(), wire::register_outcome::refused::Reason> {
        let request = wire::Register {
            version: 1,
            genesis: Some(self.genesis.clone()),
            signature: self.sign_challenge().into(),
            username: username.map(Into::into),
            invite_code: invite.map(Into::into),
            ..Default::default()
        };
        match self.socket.request(Request::Register(request)).await {
            Response::Register(outcome) => match outcome.outcome.expect("an outcome") {
                wire::register_outcome::Outcome::Session(_) => Ok(()),
                wire::register_outcome::Outcome::Refused(refused) => Err(refused.reason()),
            },
            other => panic!("not registered: {other:?}"),
        }
    }

    /// A device of the list, not yet authenticated.
    pub(crate) fn new(socket: Socket, list: DeviceList, key: SigningKey) -> Self {
        let public = key.verifying_key().to_bytes();
        Self {
            socket,
            account: list.account,
            id: DeviceId::of_key(&public),
            signer: SignatureKeyPair::from_raw(SignatureScheme::ED25519, key.to_bytes().to_vec(), public.to_vec()),
            provider: OpenMlsRustCrypto::default(),
            genesis: DeviceListEntry::default(),
            list,
            key,
            groups: BTreeMap::new(),
            client_seq: 0,
        }
    }

    pub(crate) fn sign_challenge(&self) -> Vec<u8> {
        let signed = signing::authenticate_bytes(&self.socket.challenge.nonce, self.account, self.id);
        self.key.sign(&signed).to_vec()
    }

    /// Authenticates on the socket at hand.
    pub(crate) async fn authenticate(&mut self, resume_cursor: u64) -> Response {
        let request = wire::Authenticate {
            version: 1,
            account_id: self.account.to_bytes(),
            device_id: self.id.to_bytes(),
            signature: self.sign_challenge().into(),
            resume_cursor,
            suites: vec![],
        };
        self.socket.request(Request::Authenticate(request)).await
    }

    /// Drops the connection and opens another.
    pub(crate) async fn reconnect(&mut self, server: &Server, resume_cursor: u64) -> wire::Session {
        self.socket = Socket::open(server).await;
        match self.authenticate(resume_cursor).await {
            Response::Session(session) => session,
            other => panic!("no session: {other:?}"),
        }
    }

    pub(crate) fn credential(&self) -> CredentialWithKey {
        let credential = Credential {
            account: self.account,
            device: self.id,
            list_version: self.list.version,
            list_hash: self.list.head_hash(),
        };
        CredentialWithKey {
            credential: BasicCredential::new(credential.encode().to_vec()).into(),
            signature_key: self.signer.public().into(),
        }
    }

    pub(crate) fn key_package(&self, last_resort: bool) -> Vec<u8> {
        self.key_package_of(XWING, last_resort)
    }

    pub(crate) fn key_package_of(&self, suite: Ciphersuite, last_resort: bool) -> Vec<u8> {
        let mut builder = KeyPackage::builder().leaf_node_capabilities(capabilities());
        if last_resort {
            builder = builder.mark_as_last_resort();
        }
        let bundle = builder
            .build(suite, &self.provider, &self.signer, self.credential())
            .expect("a key package");
        bundle.key_package().tls_serialize_detached().expect("encodes")
    }

    pub(crate) async fn publish_key_packages(&mut self, count: usize) -> u32 {
        let request = wire::PublishKeyPackages {
            key_packages: (0..count).map(|_| self.key_package(false).into()).collect(),
            last_resort: Some(self.key_package(true).into()),
        };
        match self.socket.request(Request::PublishKeyPackages(request)).await {
            Response::KeyPackagesPublished(published) => published.left,
            other => panic!("not published: {other:?}"),
        }
    }

    pub(crate) async fn claim(&mut self, account: AccountId) -> wire::claim_key_packages_outcome::Claimed {
        let request = wire::ClaimKeyPackages {
            account_id: account.to_bytes(),
            suite: suite::XWING.into(),
            from_version: 0,
        };
        match self.socket.request(Request::ClaimKeyPackages(request)).await {
            Response::ClaimKeyPackages(wire::ClaimKeyPackagesOutcome {
                outcome: Some(wire::claim_key_packages_outcome::Outcome::Claimed(claimed)),
            }) => claimed,
            other => panic!("not claimed: {other:?}"),
        }
    }

    /// Makes the group of a direct conversation with `peer`, whose packages these are.
    pub(crate) fn direct_group(
        &mut self,
        peer: AccountId,
        packages: &[wire::DeviceKeyPackage],
    ) -> (ConversationId, CommitBundle) {
        let id = ConversationId::direct(self.account, peer);
        let policy = policy(ConversationKind::Direct, id, 0, &[self.account, peer]);
        let packages = packages.iter().map(|package| (peer, package.key_package.to_vec()));
        (id, self.group(XWING, &policy, &packages.collect::<Vec<_>>()))
    }

    /// Makes the group that `policy` names, with the devices of these packages; an earlier try is forgotten.
    pub(crate) fn group(
        &mut self,
        suite: Ciphersuite,
        policy: &GroupPolicy,
        packages: &[(AccountId, Vec<u8>)],
    ) -> CommitBundle {
        let id = ConversationId::from_slice(&policy.conversation_id).expect("an id");
        let group_id = GroupId::from_slice(&id.group_id(policy.generation));
        if let Ok(Some(mut earlier)) = MlsGroup::load(self.provider.storage(), &group_id) {
            earlier.delete(self.provider.storage()).expect("forgotten");
        }
        let mut group = MlsGroup::builder()
            .with_group_id(group_id)
            .ciphersuite(suite)
            .with_capabilities(capabilities())
            .with_group_context_extensions(context(policy))
            .with_wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .build(&self.provider, &self.signer, self.credential())
            .expect("a group");
        let members = packages.iter().map(|(_, package)| self.checked(package));
        let members: Vec<KeyPackage> = members.collect();
        let welcomed = packages
            .iter()
            .zip(&members)
            .map(|((account, _), package)| DeviceAddress {
                account_id: account.to_bytes(),
                device_id: DeviceId::of_key(package.leaf_node().signature_key().as_slice()).to_bytes(),
            });
        let welcomed = welcomed.collect();
        let messages = group
            .commit_builder()
            .propose_adds(members)
            .load_psks(self.provider.storage())
            .expect("no PSKs")
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)
            .expect("a commit")
            .stage_commit(&self.provider)
            .expect("staged");
        group.merge_pending_commit(&self.provider).expect("merged");
        self.groups.insert(id, group);
        CommitBundle {
            commit: Default::default(),
            welcomed,
            ..bundle(messages)
        }
    }

    pub(crate) fn checked(&self, package: &[u8]) -> KeyPackage {
        KeyPackageIn::tls_deserialize_exact(package)
            .expect("a key package")
            .validate(self.provider.crypto(), ProtocolVersion::Mls10)
            .expect("a valid key package")
    }

    /// Commits a path update of its own leaf; merged by [`Self::merge`].
    pub(crate) fn update(&mut self, id: ConversationId) -> CommitBundle {
        let group = self.groups.get_mut(&id).expect("a group");
        let messages = group
            .self_update(&self.provider, &self.signer, LeafNodeParameters::default())
            .expect("an update");
        bundle(messages)
    }

    pub(crate) fn merge(&mut self, id: ConversationId) {
        let group = self.groups.get_mut(&id).expect("a group");
        group.merge_pending_commit(&self.provider).expect("merged");
    }

    pub(crate) fn epoch(&self, id: ConversationId) -> u64 {
        self.groups[&id].epoch().as_u64()
    }

    /// Removes the leaves of these devices, by a commit.
    pub(crate) fn remove(&mut self, id: ConversationId, devices: &[DeviceId]) -> CommitBundle {
        self.change(id, devices, &[], None)
    }

    /// Commits removals, additions and another policy. An earlier try is forgotten.
    pub(crate) fn change(
        &mut self,
        id: ConversationId,
        removed: &[DeviceId],
        added: &[&Device],
        policy: Option<&GroupPolicy>,
    ) -> CommitBundle {
        let packages: Vec<KeyPackage> = added
            .iter()
            .map(|device| self.checked(&device.key_package(false)))
            .collect();
        let welcomed = added.iter().map(|device| DeviceAddress {
            account_id: device.account.to_bytes(),
            device_id: device.id.to_bytes(),
        });
        let welcomed = welcomed.collect();
        let group = self.groups.get_mut(&id).expect("a group");
        let leaves: Vec<LeafNodeIndex> = group
            .members()
            .filter(|member| removed.contains(&DeviceId::of_key(&member.signature_key)))
            .map(|member| member.index)
            .collect();
        group
            .clear_pending_commit(self.provider.storage())
            .expect("nothing pending");
        let mut builder = group.commit_builder().propose_removals(leaves).propose_adds(packages);
        if let Some(policy) = policy {
            builder = builder
                .propose_group_context_extensions(context(policy))
                .expect("extensions");
        }
        let messages = builder
            .load_psks(self.provider.storage())
            .expect("no PSKs")
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)
            .expect("a commit")
            .stage_commit(&self.provider)
            .expect("staged");
        CommitBundle {
            welcomed,
            ..bundle(messages)
        }
    }

    /// Joins from outside, replacing an own leaf if there is one.
    pub(crate) fn join_externally(&mut self, id: ConversationId, group_info: &[u8]) -> CommitBundle {
        self.join_externally_as(id, group_info, self.credential())
    }

    /// Joins from outside, replacing the leaf of the credential's signature key if there is one.
    pub(crate) fn join_externally_as(
        &mut self,
        id: ConversationId,
        group_info: &[u8],
        credential: CredentialWithKey,
    ) -> CommitBundle {
        let info: VerifiableGroupInfo = match MlsMessageIn::tls_deserialize_exact(group_info)
            .expect("a message")
            .extract()
        {
            MlsMessageBodyIn::GroupInfo(info) => info,
            other => panic!("no GroupInfo: {other:?}"),
        };
        let config = MlsGroupJoinConfig::builder()
            .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .build();
        let provider = OpenMlsRustCrypto::default();
        let (mut group, messages) = MlsGroup::external_commit_builder()
            .with_config(config)
            .build_group(&provider, info, credential)
            .expect("an external group")
            .leaf_node_parameters(LeafNodeParameters::builder().with_capabilities(capabilities()).build())
            .load_psks(provider.storage())
            .expect("no PSKs")
            .build(provider.rand(), provider.crypto(), &self.signer, |_| true)
            .expect("a commit")
            .finalize(&provider)
            .expect("finalized");
        group.set_aad(Vec::new());
        self.provider = provider;
        self.groups.insert(id, group);
        bundle(messages)
    }

    pub(crate) async fn create_direct(&mut self, peer: AccountId) -> ConversationId {
        let claimed = self.claim(peer).await;
        let (id, bundle) = self.direct_group(peer, &claimed.key_packages);
        match self.create(id, bundle, None).await {
            wire::create_conversation_outcome::Outcome::Created(created) => assert_eq!(created.seq, 1),
            other => panic!("not created: {other:?}"),
        }
        id
    }

    pub(crate) async fn create(
        &mut self,
        id: ConversationId,
        bundle: CommitBundle,
        first: Option<wire::Send>,
    ) -> wire::create_conversation_outcome::Outcome {
        let request = wire::CreateConversation {
            conversation_id: id.to_bytes(),
            kind: ConversationKind::Direct.into(),
            bundle: Some(bundle),
            first,
        };
        match self.socket.request(Request::CreateConversation(request)).await {
            Response::CreateConversation(outcome) => outcome.outcome.expect("an outcome"),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn submit(
        &mut self,
        id: ConversationId,
        epoch: u64,
        bundle: CommitBundle,
    ) -> wire::submit_commit_outcome::Outcome {
        let request = wire::SubmitCommit {
            conversation_id: id.to_bytes(),
            generation: 0,
            epoch,
            bundle: Some(bundle),
            client_seq: 0,
        };
        match self.socket.request(Request::SubmitCommit(request)).await {
            Response::SubmitCommit(outcome) => outcome.outcome.expect("an outcome"),
            other => panic!("{other:?}"),
        }
    }

    /// A message of true shape; the server cannot tell that nothing is encrypted in it.
    pub(crate) fn message(&mut self, id: ConversationId, epoch: u64, bytes: usize) -> wire::Send {
        self.message_in(id, (0, epoch), bytes)
    }

    /// As [`Self::message`], in a generation and epoch.
    pub(crate) fn message_in(&mut self, id: ConversationId, place: (u32, u64), bytes: usize) -> wire::Send {
        self.message_of(id, place, MessageClass::Content, bytes)
    }

    /// As [`Self::message_in`], of a class.
    pub(crate) fn message_of(
        &mut self,
        id: ConversationId,
        (generation, epoch): (u32, u64),
        class: MessageClass,
        bytes: usize,
    ) -> wire::Send {
        self.client_seq += 1;
        let data = AuthenticatedData {
            message_id: [&[1][..], &random::<31>()].concat().into(),
            class: class.into(),
            timeline: vec![0; 16].into(),
            device_list_version: 0,
            device_list_hash: vec![0; 32].into(),
        };
        let group_id = id.group_id(generation);
        wire::Send {
            conversation_id: id.to_bytes(),
            generation,
            epoch,
            client_message_id: random::<16>().to_vec().into(),
            class: class.into(),
            ciphertext: opaque_private_message(&group_id, epoch, &data.encode_to_vec(), &vec![7; bytes]).into(),
            client_seq: self.client_seq,
            ..Default::default()
        }
    }

    pub(crate) async fn send(&mut self, send: wire::Send) -> wire::send_outcome::Outcome {
        match self.socket.request(Request::Send(send)).await {
            Response::Send(outcome) => outcome.outcome.expect("an outcome"),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) async fn sent(&mut self, send: wire::Send) -> wire::send_outcome::Sent {
        match self.send(send).await {
            wire::send_outcome::Outcome::Sent(sent) => sent,
            other => panic!("not sent: {other:?}"),
        }
    }

    pub(crate) async fn ack(&mut self, cursor: u64, delivered: &[(ConversationId, u64)]) {
        self.ack_with(cursor, delivered, Vec::new()).await;
    }

    pub(crate) async fn ack_with(
        &mut self,
        cursor: u64,
        delivered: &[(ConversationId, u64)],
        receipts: Vec<wire::DeliveryReceipt>,
    ) {
        let request = wire::Ack {
            cursor,
            delivered: delivered
                .iter()
                .map(|(id, seq)| wire::DeliveredUpTo {
                    conversation_id: id.to_bytes(),
                    seq: *seq,
                })
                .collect(),
            receipts,
            client_seq: self.client_seq,
        };
        match self.socket.request(Request::Ack(request)).await {
            Response::Acked(_) => {}
            other => panic!("not acknowledged: {other:?}"),
        }
    }
}

fn context(policy: &GroupPolicy) -> Extensions<GroupContext> {
    let ours = ExtensionType::Unknown(GROUP_POLICY_EXTENSION);
    let extensions = Extensions::from_vec(vec![
        Extension::Unknown(GROUP_POLICY_EXTENSION, UnknownExtension(policy.encode_to_vec())),
        Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(&[ours], &[], &[])),
    ]);
    extensions.expect("extensions")
}

/// Under what a group of these tests stands, with its founder.
pub(crate) const NONCE: [u8; 16] = [9; 16];

/// Everybody a plain member; in a group, the first is the founder and owner.
pub(crate) fn policy(
    kind: ConversationKind,
    id: ConversationId,
    generation: u32,
    accounts: &[AccountId],
) -> GroupPolicy {
    let founder = (kind == ConversationKind::Group).then(|| accounts[0]);
    let mut accounts = accounts.to_vec();
    accounts.sort();
    let member = |account: &AccountId| MemberRole {
        account_id: account.to_bytes(),
        role: if founder == Some(*account) {
            Role::Owner
        } else {
            Role::Member
        }
        .into(),
    };
    GroupPolicy {
        version: 1,
        kind: kind.into(),
        conversation_id: id.to_bytes(),
        generation,
        members: accounts.iter().map(member).collect(),
        settings: founder.map(|_| GroupSettings {
            post: Permission::All.into(),
            add: Permission::Admins.into(),
            edit: Permission::Admins.into(),
        }),
        founder: founder.map(|founder| founder.to_bytes()).unwrap_or_default(),
        nonce: founder.map(|_| NONCE.to_vec()).unwrap_or_default().into(),
    }
}

pub(crate) fn bundle(messages: CommitMessageBundle) -> CommitBundle {
    let (commit, welcome, info) = messages.into_messages();
    let encode = |message: MlsMessageOut| message.tls_serialize_detached().expect("encodes");
    CommitBundle {
        commit: encode(commit).into(),
        group_info: info.map(encode).expect("a GroupInfo").into(),
        welcome: welcome.map(encode).unwrap_or_default().into(),
        welcomed: Vec::new(),
    }
}
