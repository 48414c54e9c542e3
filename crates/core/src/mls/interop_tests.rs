//! RFC 9420 against an implementation that is not ours: ts-mls, in a Node.js process of its own.
//!
//! We talk to e2e/interop/peer.mjs, named by KABAR_TS_MLS_PEER (`make test` sets it); without it nothing is proven,
//! and each test says so. Suite 0x0001 is ts-mls as it is. For 0x004F, ours for direct chats, it is given X-Wing from
//! another library. What is sent, tampered with and checked is made by this module as the client makes it.

use std::{
    io::{BufRead, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use ed25519_dalek::SigningKey;
use openmls::prelude::Ciphersuite;
use openmls_traits::{crypto::OpenMlsCrypto as _, types::HpkeCiphertext};
use prost::Message as _;
use serde_json::{Value, json};

use kabar_protocol::{
    credential::Credential,
    ids::{AccountId, ConversationId, DeviceId},
    mls_header::private_header,
    policy::{check_commit, check_group},
    wire::{AuthenticatedData, ConversationKind, GroupPolicy, MemberRole, MessageClass, Role},
};

use super::{
    engine::{X25519, XWING},
    *,
};
use crate::{api::Write, store::keys};

const PEER: &str = "KABAR_TS_MLS_PEER";
const PUBLIC_MESSAGE: &[u8] = &[0, 1, 0, 1];

/// The other implementation.
struct Peer {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    fn start() -> Option<Self> {
        let Ok(script) = std::env::var(PEER) else {
            // Past the test harness, which shows nothing of a test that passes.
            let _ = writeln!(
                std::io::stderr(),
                "not run: {PEER} does not name ts-mls; make test does"
            );
            return None;
        };
        let mut process = Command::new("node")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node.js starts");
        Some(Self {
            requests: process.stdin.take().expect("piped"),
            answers: BufReader::new(process.stdout.take().expect("piped")),
            process,
        })
    }

    /// Its answer, or why it refused.
    fn try_call(&mut self, call: &str, mut request: Value) -> Result<Value, String> {
        request["call"] = call.into();
        writeln!(self.requests, "{request}").expect("the peer listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the peer answers");
        let answer: Value = serde_json::from_str(&line).expect("an answer; what the peer tripped over is above");
        answer["refused"]
            .as_str()
            .map_or(Ok(answer.clone()), |why| Err(why.to_owned()))
    }

    fn call(&mut self, call: &str, request: Value) -> Value {
        self.try_call(call, request).expect("ts-mls accepts")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn bytes(answer: &Value, field: &str) -> Vec<u8> {
    hex::decode(answer[field].as_str().expect(field)).expect("hex")
}

/// `message` with one bit changed, so many bytes before its end.
fn tampered(message: &[u8], before_end: usize) -> Vec<u8> {
    let mut message = message.to_vec();
    let at = message.len() - 1 - before_end;
    message[at] ^= 1;
    message
}

fn credential(key: &SigningKey, account: AccountId) -> Credential {
    Credential {
        account,
        device: DeviceId::of_key(key.verifying_key().as_bytes()),
        list_version: 7,
        list_hash: [9; 32],
    }
}

/// Rust at one end, ts-mls at the other, and the conversation between them.
struct Table {
    peer: Peer,
    engine: Engine,
    our_key: SigningKey,
    ours: Credential,
    theirs: Credential,
    suite: Ciphersuite,
    policy: GroupPolicy,
    conversation: ConversationId,
    /// Of ts-mls, which begins anew with it.
    key_package: Vec<u8>,
}

impl Table {
    fn set(suite: Ciphersuite) -> Option<Self> {
        let mut peer = Peer::start()?;
        let accounts = [AccountId([1; 16]), AccountId([2; 16])];
        let (our_key, their_key) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let theirs = credential(&their_key, accounts[1]);
        // A direct conversation is on X-Wing or not at all.
        let (kind, conversation) = match suite {
            XWING => (
                ConversationKind::Direct,
                ConversationId::direct(accounts[0], accounts[1]),
            ),
            _ => (ConversationKind::Group, ConversationId::group(accounts[0], &[3; 16])),
        };
        let begun = peer.call(
            "begin",
            json!({
                "suite": u16::from(suite),
                "signature_key": hex::encode(their_key.to_bytes()),
                "public_key": hex::encode(their_key.verifying_key().to_bytes()),
                "credential": hex::encode(theirs.encode()),
            }),
        );
        let member = |account: AccountId| MemberRole {
            account_id: account.to_bytes(),
            role: if kind == ConversationKind::Group {
                Role::Owner
            } else {
                Role::Member
            }
            .into(),
        };
        let in_a_group = match kind {
            ConversationKind::Group => GroupPolicy {
                founder: accounts[0].to_bytes(),
                nonce: vec![3; 16].into(),
                ..GroupPolicy::default()
            },
            _ => GroupPolicy::default(),
        };
        Some(Self {
            peer,
            engine: Engine::new(None),
            ours: credential(&our_key, accounts[0]),
            our_key,
            theirs,
            suite,
            policy: GroupPolicy {
                version: 1,
                kind: kind.into(),
                conversation_id: conversation.to_bytes(),
                generation: 0,
                members: accounts.map(member).to_vec(),
                ..in_a_group
            },
            conversation,
            key_package: bytes(&begun, "key_package"),
        })
    }

    fn identity(&self) -> Identity<'_> {
        Identity {
            key: &self.our_key,
            credential: self.ours,
        }
    }

    fn storage(&self, slot: u32, rows: Vec<Write>) -> Storage {
        let rows = rows.into_iter().filter_map(|write| match write {
            Write::Put(key, value) => Some((key, value)),
            Write::Delete(_) => None,
        });
        Storage::new(keys::group_slot(self.conversation, slot), rows)
    }

    /// We create the group with ts-mls in it, which joins by the Welcome.
    fn we_create(&mut self) -> Group {
        let theirs = read_key_package(&self.engine, &self.key_package).expect("their KeyPackage");
        assert_eq!(theirs.credential, self.theirs);
        let (me, storage) = (self.identity(), self.storage(0, vec![]));
        let suite = self.suite.into();
        let (group, bundle) = Group::create(&self.engine, &me, storage, suite, &self.policy, vec![theirs], |facts| {
            check_group(self.conversation, 0, facts, |_| true)
        })
        .expect("create");
        let joined = self
            .peer
            .call("join", json!({ "welcome": hex::encode(bundle.welcome) }));
        self.assert_same(&group, &joined);
        group
    }

    /// ts-mls creates the group with us in it, and we join by its Welcome.
    fn they_create(&mut self) -> Group {
        // The package that is never used up: it has an extension of its own.
        let made = make_key_packages(&self.engine, &self.identity(), self.suite.into(), 1, true);
        let (mut packages, rows) = made.expect("our KeyPackage");
        let key_package = packages.remove(0);
        let created = self.peer.call(
            "create",
            json!({
                "group_id": hex::encode(self.conversation.group_id(0)),
                "policy": hex::encode(self.policy.encode_to_vec()),
                "key_package": hex::encode(key_package),
            }),
        );
        let (welcome, storage) = (bytes(&created, "welcome"), self.storage(0, rows));
        let (group, _) = Group::join(&self.engine, storage, &welcome, |conversation, generation, facts| {
            assert_eq!((conversation, generation), (self.conversation, 0));
            check_group(conversation, generation, facts, |_| true)
        })
        .expect("join");
        self.assert_same(&group, &created);
        group
    }

    /// Both ends are in one epoch of one group: suite, policy, members.
    fn assert_same(&self, group: &Group, peer: &Value) {
        let facts = group.facts().expect("facts");
        let members: Vec<String> = facts.leaves.iter().map(|leaf| hex::encode(leaf.encode())).collect();
        assert_eq!((facts.suite, &facts.policy), (u16::from(self.suite), &self.policy));
        assert_eq!(
            json!({
                "epoch": group.epoch(),
                "suite": facts.suite,
                "policy": hex::encode(facts.policy.encode_to_vec()),
                "members": members,
            }),
            json!({
                "epoch": peer["epoch"],
                "suite": peer["suite"],
                "policy": peer["policy"],
                "members": peer["members"],
            })
        );
    }

    /// One message each way, as PrivateMessage with our authenticated data. Tampered with, it is refused; as it was
    /// sent, it is read all the same.
    fn talk(&mut self, group: &mut Group) {
        let authenticated = AuthenticatedData {
            message_id: vec![5; 32].into(),
            class: MessageClass::Content.into(),
            timeline: vec![6; 16].into(),
            device_list_version: 7,
            device_list_hash: vec![9; 32].into(),
        }
        .encode_to_vec();

        let message = group
            .encrypt(&self.engine, &self.our_key, authenticated.clone(), b"from us")
            .expect("encrypt");
        for altered in alterations(&message, &authenticated) {
            self.assert_refused(&altered);
        }
        let read = self.peer.call("receive", json!({ "message": hex::encode(&message) }));
        assert_eq!(bytes(&read, "content"), b"from us");
        assert_eq!(bytes(&read, "authenticated_data"), authenticated);

        let sent = self.peer.call(
            "send",
            json!({ "content": hex::encode("from them"), "authenticated_data": hex::encode(&authenticated) }),
        );
        let message = bytes(&sent, "message");
        let header = private_header(&message).expect("what the server reads");
        assert_eq!(
            (header.epoch, header.authenticated_data),
            (group.epoch(), &authenticated[..])
        );
        for altered in alterations(&message, &authenticated) {
            assert!(group.decrypt(&self.engine, &altered).is_err());
        }
        let read = group.decrypt(&self.engine, &message).expect("decrypt");
        assert_eq!((read.sender, &read.content[..]), (self.theirs, &b"from them"[..]));
        assert_eq!(read.authenticated_data, authenticated);
    }

    fn assert_refused(&mut self, message: &[u8]) {
        let answer = self
            .peer
            .try_call("receive", json!({ "message": hex::encode(message) }));
        let why = answer.expect_err("ts-mls refuses");
        assert!(why.starts_with("Crypto"), "not for its cryptography: {why}");
    }

    /// A path update by ts-mls.
    fn they_commit(&mut self, group: &mut Group) {
        let committed = self.peer.call("commit", json!({}));
        let commit = bytes(&committed, "message");
        assert!(commit.starts_with(PUBLIC_MESSAGE));
        let refused = group.process_commit(&self.engine, &tampered(&commit, 0), 0, |_, _| Ok(()));
        assert!(matches!(refused, Err(MlsError::Engine { .. })));
        group
            .process_commit(&self.engine, &commit, 0, |before, commit| {
                assert_eq!((commit.proposals.len(), commit.path_leaf), (0, Some(self.theirs)));
                check_commit(before, commit, |_| true)
            })
            .expect("their commit");
        self.assert_same(group, &committed);
    }

    /// A path update by us. Returns the GroupInfo of the epoch that it begins.
    fn we_commit(&mut self, group: &mut Group) -> Vec<u8> {
        let Bundle { commit, group_info, .. } = group
            .commit(&self.engine, &self.identity(), Change::default(), |before, commit| {
                check_commit(before, commit, |_| true)
            })
            .expect("our commit");
        self.they_receive(&commit);
        group.merge_pending(&self.engine).expect("merge");
        group_info
    }

    fn they_receive(&mut self, commit: &[u8]) -> Value {
        assert!(commit.starts_with(PUBLIC_MESSAGE));
        self.assert_refused(&tampered(commit, 0));
        self.peer.call("receive", json!({ "message": hex::encode(commit) }))
    }

    /// We lost our state: an external commit puts us in the place of our old leaf.
    fn we_resync(&mut self, group_info: &[u8]) -> Group {
        let storage = self.storage(1, vec![]);
        let (group, bundle) = Group::join_externally(
            &self.engine,
            &self.identity(),
            storage,
            group_info,
            None,
            |_, _, facts| check_group(self.conversation, 0, facts, |_| true),
        )
        .expect("resync");
        let received = self.they_receive(&bundle.commit);
        self.assert_same(&group, &received);
        group
    }
}

/// A message with a bit changed in its ciphertext, and one changed in what is authenticated beside it.
fn alterations(message: &[u8], authenticated: &[u8]) -> [Vec<u8>; 2] {
    let at = message
        .windows(authenticated.len())
        .position(|part| part == authenticated);
    let start = at.expect("authenticated data is in the clear");
    [tampered(message, 0), tampered(message, message.len() - 1 - start - 2)]
}

/// The whole life of a group, begun by either side.
fn play(suite: Ciphersuite) {
    for begin in [Table::we_create, Table::they_create] {
        let Some(mut table) = Table::set(suite) else { return };
        let mut group = begin(&mut table);
        table.talk(&mut group);
        table.they_commit(&mut group);
        table.talk(&mut group);
        let group_info = table.we_commit(&mut group);
        table.talk(&mut group);
        let mut group = table.we_resync(&group_info);
        table.talk(&mut group);
        table.they_commit(&mut group);
        table.talk(&mut group);
    }
}

#[test]
fn ts_mls_and_we_share_groups_on_x25519() {
    play(X25519);
}

#[test]
fn ts_mls_and_we_share_groups_on_xwing() {
    play(XWING);
}

#[test]
fn xwing_opens_what_another_library_seals_and_the_other_way_round() {
    let Some(Table { mut peer, engine, .. }) = Table::set(XWING) else {
        return;
    };
    let (crypto, config) = (&engine.crypto, || XWING.hpke_config());
    let (seed, info) = ([8; 32], b"info");
    let pair = crypto.derive_hpke_keypair(config(), &seed).expect("a key pair");
    let theirs = peer.call("hpke_derive", json!({ "seed": hex::encode(seed) }));
    assert_eq!(bytes(&theirs, "public_key"), pair.public);

    let sealed = peer.call(
        "hpke_seal",
        json!({ "public_key": hex::encode(&pair.public), "content": hex::encode("to us"), "info": hex::encode(info) }),
    );
    let open = |kem_output: Vec<u8>| {
        let input = HpkeCiphertext {
            kem_output: kem_output.into(),
            ciphertext: bytes(&sealed, "ciphertext").into(),
        };
        crypto.hpke_open(config(), &input, &pair.private, info, b"")
    };
    let kem_output = bytes(&sealed, "kem_output");
    assert_eq!(open(kem_output.clone()).expect("opened"), b"to us");

    let ours = crypto
        .hpke_seal(config(), &pair.public, info, b"", b"to them")
        .expect("sealed");
    let mut open_theirs = |kem_output: &[u8]| {
        let (ciphertext, info) = (hex::encode(ours.ciphertext.as_slice()), hex::encode(info));
        let kem_output = hex::encode(kem_output);
        let request =
            json!({ "seed": hex::encode(seed), "kem_output": kem_output, "ciphertext": ciphertext, "info": info });
        peer.try_call("hpke_open", request)
    };
    let opened = open_theirs(ours.kem_output.as_slice()).expect("opened");
    assert_eq!(bytes(&opened, "content"), b"to them");

    // The last bytes of a KEM output are X25519's, the first ML-KEM's: each half alone decides.
    for before_end in [0, kem_output.len() - 1] {
        assert!(open(tampered(&kem_output, before_end)).is_err());
        assert!(open_theirs(&tampered(ours.kem_output.as_slice(), before_end)).is_err());
    }
}
