//! A device with its account, its keys and its MLS groups, on a socket.

mod groups;
mod requests;

use std::collections::BTreeMap;

use ed25519_dalek::{Signer as _, SigningKey};
use kabar_protocol::{
    credential::Credential,
    device_list::{DeviceList, signed_entry},
    ids::{AccountId, ConversationId, DeviceId},
    policy::GROUP_POLICY_EXTENSION,
    signing, suite,
    wire::{
        self, DeviceListEntry, DeviceListEntryBody,
        client_frame::Body as Request,
        device_list_entry_body::{Change, DeviceKey, Genesis},
        server_frame::Body as Response,
    },
};
use kabar_server::{
    Server,
    admin::{self, Command},
};
use openmls::prelude::*;
use openmls_basic_credential::SignatureKeyPair;
use openmls_rust_crypto::OpenMlsRustCrypto;
use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};
use tls_codec::Serialize as _;

pub(crate) use self::groups::{NONCE, bundle, policy};
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
        let genesis = signed_entry(&body, &account_key, Some(&key));
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
}
