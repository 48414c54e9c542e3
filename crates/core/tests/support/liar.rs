//! A device with real keys and the bare engine behind it, without our rules: it commits what no client of ours would,
//! and the server stand-in, which checks nothing, hands it round.

use ed25519_dalek::SigningKey;
use kabar_protocol::{
    content::message_id,
    credential::Credential,
    device_list::{DeviceList, signed_entry},
    ids::{AccountId, ConversationId, DeviceId},
    policy::GROUP_POLICY_EXTENSION,
    wire::{
        self, DeviceListEntryBody, GroupPolicy,
        deliver::Kind,
        device_list_entry_body::{Change, DeviceKey, Genesis},
    },
};
use openmls::{credentials::NewSignerBundle, prelude::*};
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use prost::Message as _;
use tls_codec::{Deserialize as _, Serialize as _};

use super::{World, server::Server};

const XWING: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519;
const KEY_PACKAGES: usize = 5;

pub struct Liar {
    pub account: AccountId,
    pub device: DeviceId,
    pub list: DeviceList,
    seed: u8,
    signer: SignatureKeyPair,
    provider: OpenMlsRustCrypto,
    group: Option<MlsGroup>,
    /// How far it has read its queue, of which it acknowledges nothing.
    read: u64,
}

pub struct Lie {
    pub commit: Vec<u8>,
    pub group_info: Vec<u8>,
}

/// A leaf of `key` that says to be what the credential says.
pub fn claim(credential: &Credential, key: &SignatureKeyPair) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new(credential.encode().to_vec()).into(),
        signature_key: key.public().into(),
    }
}

pub fn key_pair(seed: u8) -> SignatureKeyPair {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let public = key.verifying_key().to_bytes().to_vec();
    SignatureKeyPair::from_raw(SignatureScheme::ED25519, key.to_bytes().to_vec(), public)
}

fn device_key(key: &SigningKey) -> DeviceKey {
    DeviceKey {
        public_key: key.verifying_key().to_bytes().to_vec().into(),
    }
}

fn capabilities() -> Capabilities {
    Capabilities::builder()
        .ciphersuites(vec![XWING, Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519])
        .extensions(vec![
            ExtensionType::Unknown(GROUP_POLICY_EXTENSION),
            ExtensionType::LastResort,
        ])
        .proposals(vec![ProposalType::SelfRemove])
        .build()
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .use_ratchet_tree_extension(true)
        .build()
}

fn context(policy: &GroupPolicy) -> Extensions<GroupContext> {
    let ours = ExtensionType::Unknown(GROUP_POLICY_EXTENSION);
    let extensions = Extensions::from_vec(vec![
        Extension::Unknown(GROUP_POLICY_EXTENSION, UnknownExtension(policy.encode_to_vec())),
        Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(&[ours], &[], &[])),
    ]);
    extensions.unwrap()
}

fn lie(messages: CommitMessageBundle) -> Lie {
    let (commit, _, group_info) = messages.into_messages();
    Lie {
        commit: commit.tls_serialize_detached().unwrap(),
        group_info: group_info.unwrap().tls_serialize_detached().unwrap(),
    }
}

/// The body of a stored message.
fn extract(bytes: &[u8]) -> MlsMessageBodyIn {
    MlsMessageIn::tls_deserialize_exact(bytes).unwrap().extract()
}

impl Liar {
    /// An account of its own, known to the server as any other.
    pub fn register(world: &mut World, username: &str, seed: u8) -> Self {
        let (account_key, key) = (
            SigningKey::from_bytes(&[!seed; 32]),
            SigningKey::from_bytes(&[seed; 32]),
        );
        let genesis = Genesis {
            account_key: account_key.verifying_key().to_bytes().to_vec().into(),
            first_device: Some(device_key(&key)),
            salt: vec![seed; 16].into(),
        };
        let body = DeviceListEntryBody {
            change: Some(Change::Genesis(genesis)),
            ..Default::default()
        };
        let genesis = signed_entry(&body, &account_key, Some(&key));
        let list = DeviceList::from_genesis(&genesis).unwrap();
        world.server.data.usernames.insert(username.into(), list.account);
        world.server.data.chains.insert(list.account, vec![genesis]);
        Self::listed(&mut world.server, list, seed)
    }

    /// A second device of a person's account, added by the first, which is restarted to hear of it.
    pub fn second_device(world: &mut World, person: usize, seed: u8) -> Self {
        let me = world.me(person);
        let first = stored_key(world, person);
        let second = SigningKey::from_bytes(&[seed; 32]);
        let chain = world.server.data.chains.get_mut(&me.account_id).unwrap();
        let mut list = DeviceList::from_entries(&*chain).unwrap();
        let body = DeviceListEntryBody {
            version: list.version + 1,
            previous_hash: list.head_hash().to_vec().into(),
            time_ms: 0,
            change: Some(Change::AddDevice(device_key(&second))),
        };
        let added = signed_entry(&body, &first, Some(&second));
        list.append(&added).unwrap();
        chain.push(added);
        world.restart(person);
        world.run();
        Self::listed(&mut world.server, list, seed)
    }

    fn listed(server: &mut Server, list: DeviceList, seed: u8) -> Self {
        let signer = key_pair(seed);
        let liar = Self {
            account: list.account,
            device: DeviceId::of_key(signer.public()),
            list,
            seed,
            signer,
            provider: OpenMlsRustCrypto::default(),
            group: None,
            read: 0,
        };
        let packages = (0..KEY_PACKAGES).map(|_| liar.key_package(liar.credential(), &liar.signer));
        let packages = packages.map(|package| package.tls_serialize_detached().unwrap().into());
        let published = server.data.key_packages.entry(liar.device).or_default();
        published.0.extend(packages);
        liar
    }

    /// What it truly is.
    pub fn truth(&self) -> Credential {
        Credential {
            account: self.account,
            device: self.device,
            list_version: self.list.version,
            list_hash: self.list.head_hash(),
        }
    }

    fn credential(&self) -> CredentialWithKey {
        claim(&self.truth(), &self.signer)
    }

    pub fn key_package(&self, leaf: CredentialWithKey, key: &SignatureKeyPair) -> KeyPackage {
        let bundle = KeyPackage::builder()
            .leaf_node_capabilities(capabilities())
            .build(XWING, &self.provider, key, leaf)
            .unwrap();
        bundle.key_package().clone()
    }

    /// Reads what the server has for it: joins, follows commits, and returns the texts that it can decrypt.
    pub fn read(&mut self, server: &Server) -> Vec<String> {
        let items = server.data.queues.get(&self.device).map(|queue| queue.items.clone());
        let items = items.into_iter().flatten().filter(|item| item.cursor > self.read);
        let mut texts = Vec::new();
        for item in items.collect::<Vec<_>>() {
            self.read = item.cursor;
            match item.kind() {
                Kind::Welcome | Kind::Reset => self.join(&item.payload),
                Kind::Commit | Kind::Message => texts.extend(self.process(&item.payload)),
                _ => {}
            }
        }
        texts
    }

    fn join(&mut self, welcome: &[u8]) {
        let MlsMessageBodyIn::Welcome(welcome) = extract(welcome) else {
            panic!("no Welcome");
        };
        let staged = StagedWelcome::new_from_welcome(&self.provider, &join_config(), welcome, None);
        self.group = Some(staged.unwrap().into_group(&self.provider).unwrap());
    }

    fn process(&mut self, bytes: &[u8]) -> Option<String> {
        let message = MlsMessageIn::tls_deserialize_exact(bytes).unwrap();
        let group = self.group.as_mut()?;
        let processed = group.process_message(&self.provider, message.try_into_protocol_message().unwrap());
        match processed.ok()?.into_content() {
            ProcessedMessageContent::StagedCommitMessage(commit) => {
                group.merge_staged_commit(&self.provider, *commit).unwrap();
                None
            }
            ProcessedMessageContent::ApplicationMessage(message) => {
                match wire::Content::decode(&message.into_bytes()[..]).ok()?.body? {
                    wire::content::Body::Text(text) => Some(text.body),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    pub fn epoch(&self) -> u64 {
        self.group.as_ref().unwrap().epoch().as_u64()
    }

    /// The other members' devices of this account.
    pub fn devices_of(&self, account: AccountId) -> Vec<DeviceId> {
        let members = self.group.as_ref().unwrap().members();
        let of_account = members.filter(|member| {
            Credential::decode(member.credential.serialized_content()).is_ok_and(|leaf| leaf.account == account)
        });
        of_account
            .map(|member| DeviceId::of_key(&member.signature_key))
            .collect()
    }

    /// Commits these Adds and Removes with a new leaf, signed by `key`, that says to be `leaf`. It stays pending.
    fn commit(
        &mut self,
        added: Vec<KeyPackage>,
        removed: Vec<LeafNodeIndex>,
        leaf: CredentialWithKey,
        key: &SignatureKeyPair,
    ) -> Lie {
        let group = self.group.as_mut().unwrap();
        group.clear_pending_commit(self.provider.storage()).unwrap();
        let new_leaf = NewSignerBundle {
            signer: key,
            credential_with_key: leaf,
        };
        let built = group
            .commit_builder()
            .propose_adds(added)
            .propose_removals(removed)
            .force_self_update(true)
            .load_psks(self.provider.storage())
            .unwrap()
            .use_ratchet_tree_extension(true)
            .build_with_new_signer(
                self.provider.rand(),
                self.provider.crypto(),
                &self.signer,
                new_leaf,
                |_| true,
            )
            .unwrap();
        lie(built.stage_commit(&self.provider).unwrap())
    }

    /// Commits another policy, and removes these devices with it.
    pub fn set_policy(&mut self, policy: &GroupPolicy, removed: &[DeviceId]) -> Lie {
        let own = key_pair(self.seed);
        let group = self.group.as_mut().unwrap();
        group.clear_pending_commit(self.provider.storage()).unwrap();
        let members = group.members();
        let leaves = members.filter(|member| removed.contains(&DeviceId::of_key(&member.signature_key)));
        let leaves: Vec<_> = leaves.map(|member| member.index).collect();
        let built = group
            .commit_builder()
            .propose_removals(leaves)
            .propose_group_context_extensions(context(policy))
            .unwrap()
            .force_self_update(true)
            .load_psks(self.provider.storage())
            .unwrap()
            .use_ratchet_tree_extension(true)
            .build(self.provider.rand(), self.provider.crypto(), &own, |_| true)
            .unwrap();
        lie(built.stage_commit(&self.provider).unwrap())
    }

    pub fn policy(&self) -> GroupPolicy {
        let extensions = self.group.as_ref().unwrap().extensions();
        GroupPolicy::decode(&extensions.unknown(GROUP_POLICY_EXTENSION).unwrap().0[..]).unwrap()
    }

    /// A true message of this content in the group's epoch.
    pub fn seal(
        &mut self,
        conversation: ConversationId,
        class: wire::MessageClass,
        content: &wire::Content,
    ) -> Vec<u8> {
        let bytes = content.encode_to_vec();
        let data = wire::AuthenticatedData {
            message_id: message_id(self.account, conversation, &bytes).to_bytes(),
            class: class.into(),
            timeline: vec![0; 16].into(),
            device_list_version: self.list.version,
            device_list_hash: self.list.head_hash().to_vec().into(),
        };
        let group = self.group.as_mut().unwrap();
        group.set_aad(data.encode_to_vec());
        let sealed = group.create_message(&self.provider, &self.signer, &bytes).unwrap();
        sealed.tls_serialize_detached().unwrap()
    }

    /// A path update as any client makes it.
    pub fn update(&mut self) -> Lie {
        let (leaf, key) = (self.credential(), key_pair(self.seed));
        self.commit(vec![], vec![], leaf, &key)
    }

    pub fn merge(&mut self) {
        let group = self.group.as_mut().unwrap();
        group.merge_pending_commit(&self.provider).unwrap();
    }

    /// A path update whose new leaf says to be somebody.
    pub fn update_as(&mut self, leaf: &Credential, key: &SignatureKeyPair) -> Lie {
        self.commit(vec![], vec![], claim(leaf, key), key)
    }

    /// Adds a leaf that says to be somebody.
    pub fn add(&mut self, leaf: &Credential, key: &SignatureKeyPair) -> Lie {
        let package = self.key_package(claim(leaf, key), key);
        let (own, key) = (self.credential(), key_pair(self.seed));
        self.commit(vec![package], vec![], own, &key)
    }

    pub fn remove(&mut self, devices: &[DeviceId]) -> Lie {
        let members = self.group.as_ref().unwrap().members();
        let leaves = members.filter(|member| devices.contains(&DeviceId::of_key(&member.signature_key)));
        let leaves: Vec<_> = leaves.map(|member| member.index).collect();
        assert_eq!(leaves.len(), devices.len());
        let (own, key) = (self.credential(), key_pair(self.seed));
        self.commit(vec![], leaves, own, &key)
    }

    /// Makes a group of this policy, with the owner of a KeyPackage if there is one: its GroupInfo and Welcome.
    pub fn create(&mut self, policy: &GroupPolicy, other: Option<&[u8]>) -> (Vec<u8>, Vec<u8>) {
        let id = ConversationId::from_slice(&policy.conversation_id).unwrap();
        let mut group = MlsGroup::builder()
            .with_group_id(GroupId::from_slice(&id.group_id(policy.generation)))
            .ciphersuite(XWING)
            .with_capabilities(capabilities())
            .with_group_context_extensions(context(policy))
            .with_wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .build(&self.provider, &self.signer, self.credential())
            .unwrap();
        let encoded = |message: MlsMessageOut| message.tls_serialize_detached().unwrap();
        let welcome = other.map(|package| {
            let package = KeyPackageIn::tls_deserialize_exact(package).unwrap();
            let package = package.validate(self.provider.crypto(), ProtocolVersion::Mls10);
            let (_, welcome, _) = group
                .add_members(&self.provider, &self.signer, &[package.unwrap()])
                .unwrap();
            group.merge_pending_commit(&self.provider).unwrap();
            encoded(welcome)
        });
        let group_info = group.export_group_info(self.provider.crypto(), &self.signer, true);
        self.group = Some(group);
        (encoded(group_info.unwrap()), welcome.unwrap_or_default())
    }

    /// Joins from outside as whom the credential says, over the server's GroupInfo.
    pub fn join_externally(&mut self, server: &Server, leaf: &Credential, authenticated_data: Vec<u8>) -> Lie {
        let conversation = &server.data.conversations[&only(server)];
        let MlsMessageBodyIn::GroupInfo(info) = extract(&conversation.group_info) else {
            panic!("no GroupInfo");
        };
        let (group, messages) = MlsGroup::external_commit_builder()
            .with_config(join_config())
            .with_aad(authenticated_data)
            .build_group(&self.provider, info, claim(leaf, &self.signer))
            .unwrap()
            .leaf_node_parameters(LeafNodeParameters::builder().with_capabilities(capabilities()).build())
            .load_psks(self.provider.storage())
            .unwrap()
            .use_ratchet_tree_extension(true)
            .build(self.provider.rand(), self.provider.crypto(), &self.signer, |_| true)
            .unwrap()
            .finalize(&self.provider)
            .unwrap();
        self.group = Some(group);
        lie(messages)
    }
}

/// The device key out of a client's store: CBOR behind a format byte.
fn stored_key(world: &World, person: usize) -> SigningKey {
    let row = &world.clients[person].store[&b"a/account"[..]];
    let account: ciborium::Value = ciborium::from_reader(&row[1..]).unwrap();
    let fields = account.as_map().unwrap();
    let secret = fields.iter().find(|(name, _)| name.as_text() == Some("secret"));
    let secret = secret.and_then(|(_, value)| value.as_bytes()).unwrap();
    SigningKey::from_bytes(secret[..].try_into().unwrap())
}

pub fn only(server: &Server) -> ConversationId {
    let ids: Vec<_> = server.data.conversations.keys().copied().collect();
    assert_eq!(ids.len(), 1);
    ids[0]
}

impl Server {
    /// Hands a commit to these devices as if it had been accepted. `believed`: the server goes on from it, too.
    pub fn plant(&mut self, from: &Liar, lie: &Lie, believed: bool, to: &[DeviceId], now: i64) {
        let id = only(self);
        let conversation = self.data.conversations.get_mut(&id).unwrap();
        conversation.seq += 1;
        if believed {
            conversation.epoch += 1;
            conversation.group_info = lie.group_info.clone().into();
            conversation.members.insert(from.device, from.account);
        }
        let item = self.item(
            id,
            Kind::Commit,
            (from.account, from.device),
            lie.commit.clone().into(),
            now,
        );
        if believed {
            self.data.conversations.get_mut(&id).unwrap().log.push(item.clone());
        }
        self.enqueue(to, &item);
        self.flow_all();
    }

    /// Hands a message to these devices, which the server takes in whatever its sender may do.
    pub fn say(&mut self, from: &Liar, class: wire::MessageClass, sealed: Vec<u8>, to: &[DeviceId], now: i64) {
        let id = only(self);
        self.data.conversations.get_mut(&id).unwrap().seq += 1;
        let mut item = self.item(id, Kind::Message, (from.account, from.device), sealed.into(), now);
        item.class = class.into();
        self.enqueue(to, &item);
        self.flow_all();
    }

    /// Hands somebody a Welcome into a conversation that nobody else knows of.
    pub fn welcome(&mut self, from: &Liar, id: ConversationId, welcome: Vec<u8>, to: DeviceId, now: i64) {
        let any = self.item(
            only(self),
            Kind::Welcome,
            (from.account, from.device),
            welcome.into(),
            now,
        );
        let item = wire::Deliver {
            conversation_id: id.to_bytes(),
            seq: 1,
            ..any
        };
        self.enqueue(&[to], &item);
        self.flow_all();
    }

    /// The device is sent a copy of everything from now on.
    pub fn let_overhear(&mut self, liar: &Liar) {
        let conversation = self.data.conversations.get_mut(&only(self)).unwrap();
        conversation.members.insert(liar.device, liar.account);
    }
}
