//! The account of this device, and the people it knows: identities, device lists, names.
//!
//! Must not: touch a conversation's group. What follows from a changed device list is said by the caller.

mod business;
mod challenge;
mod charges;
mod key_packages;
mod peers;
mod privacy;
mod profile;
mod register;
mod rollback;
mod safety_number;

use std::cell::OnceCell;

pub(crate) use self::{business::category, peers::Verdict, safety_number::safety_number};

use ed25519_dalek::SigningKey;
use kabar_protocol::{
    credential::Credential,
    device_list::DeviceList,
    ids::{AccountId, DeviceId},
    wire::DeviceListEntry,
};
use prost::Message as _;
use serde::{Deserialize, Serialize};

use crate::{
    api::{Business, Me, Notification, Person, Privacy, TimeMs},
    mls::Identity,
    state::State,
    store::{Blob, keys},
};

/// A device's Ed25519 secret. Never shown by Debug.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Blob", into = "Blob")]
pub(crate) struct Secret([u8; 32]);

impl TryFrom<Blob> for Secret {
    type Error = &'static str;

    fn try_from(blob: Blob) -> Result<Self, Self::Error> {
        blob[..].try_into().map(Self).map_err(|_| "a secret has 32 bytes")
    }
}

impl From<Secret> for Blob {
    fn from(secret: Secret) -> Self {
        secret.0.to_vec().into()
    }
}

impl Secret {
    pub(crate) fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn key(&self) -> SigningKey {
        SigningKey::from_bytes(&self.0)
    }

    pub(crate) fn public(&self) -> [u8; 32] {
        self.key().verifying_key().to_bytes()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A verified chain: the entries as they came, folded when first needed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Chain {
    entries: Vec<Blob>,
    #[serde(skip)]
    folded: OnceCell<Option<DeviceList>>,
}

impl Chain {
    pub(crate) fn new(entries: &[DeviceListEntry]) -> Self {
        Self {
            entries: entries.iter().map(|entry| entry.encode_to_vec().into()).collect(),
            folded: OnceCell::new(),
        }
    }

    pub(crate) fn entries(&self) -> Vec<DeviceListEntry> {
        let decoded = self.entries.iter().map(|bytes| DeviceListEntry::decode(&bytes[..]));
        decoded.filter_map(Result::ok).collect()
    }

    pub(crate) fn list(&self) -> Option<&DeviceList> {
        let fold = || DeviceList::from_entries(&self.entries()).ok();
        self.folded.get_or_init(fold).as_ref()
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Account {
    pub(crate) account: AccountId,
    pub(crate) device: DeviceId,
    pub(crate) secret: Secret,
    pub(crate) chain: Chain,
    /// False until the server has answered Register: the genesis is made before it is sent, so that a lost answer
    /// costs nothing.
    pub(crate) registered: bool,
    pub(crate) invite: Option<String>,
    /// Of the account of a business number: what made it one.
    #[serde(default)]
    pub(crate) enrolment: Option<String>,
    pub(crate) name: String,
    /// Counts changes of the name; conversations are told of each.
    pub(crate) name_version: u32,
    pub(crate) username: Option<String>,
    pub(crate) phone: Option<String>,
    /// A code was asked for this number.
    pub(crate) phone_pending: Option<String>,
    #[serde(default)]
    pub(crate) privacy: Privacy,
    /// After a rollback: the device that this home is becoming.
    pub(crate) successor: Option<Secret>,
}

/// Somebody else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Peer {
    pub(crate) account: AccountId,
    pub(crate) name: String,
    pub(crate) name_version: u32,
    pub(crate) username: Option<String>,
    pub(crate) phone: Option<String>,
    /// A company's number; asked of the server, who vouches for it.
    #[serde(default)]
    pub(crate) business: Option<Business>,
    /// We do not want to hear from him.
    #[serde(default)]
    pub(crate) blocked: bool,
    /// When he last let us see that he was there.
    #[serde(default)]
    pub(crate) seen_at: Option<TimeMs>,
    pub(crate) chain: Chain,
}

impl Peer {
    pub(crate) fn new(account: AccountId) -> Self {
        Self {
            account,
            name: String::new(),
            name_version: 0,
            username: None,
            phone: None,
            business: None,
            blocked: false,
            seen_at: None,
            chain: Chain::default(),
        }
    }

    pub(crate) fn person(&self) -> Person {
        Person {
            account_id: self.account,
            name: match &self.business {
                Some(business) => business.name.clone(),
                None => self.name.clone(),
            },
            username: self.username.clone(),
            phone: self.phone.clone(),
            business: self.business.clone(),
        }
    }
}

impl Account {
    /// This device as a member of groups: its leaf names the list's head as far as this device knows it.
    pub(crate) fn credential(&self) -> Credential {
        let head = self.chain.list().map(|list| (list.version, list.head_hash()));
        let (list_version, list_hash) = head.unwrap_or_default();
        Credential {
            account: self.account,
            device: self.device,
            list_version,
            list_hash,
        }
    }

    pub(crate) fn identity<'a>(&self, key: &'a SigningKey) -> Identity<'a> {
        Identity {
            key,
            credential: self.credential(),
        }
    }
}

impl State {
    /// The account, once the server has it.
    pub(crate) fn me(&self) -> Option<Me> {
        let account = self.account.as_ref().filter(|account| account.registered)?;
        Some(Me {
            account_id: account.account,
            device_id: account.device,
            name: account.name.clone(),
            username: account.username.clone(),
            phone: account.phone.clone(),
        })
    }

    pub(crate) fn my_account(&self) -> Option<AccountId> {
        self.account.as_ref().map(|account| account.account)
    }

    pub(crate) fn my_device(&self) -> Option<DeviceId> {
        self.account.as_ref().map(|account| account.device)
    }

    pub(crate) fn save_account(&mut self) {
        match self.account.clone() {
            Some(account) => self.put(keys::ACCOUNT.to_vec(), &account),
            None => self.delete(keys::ACCOUNT.to_vec()),
        }
    }

    pub(crate) fn say_account(&mut self) {
        let me = self.me();
        self.notify(Notification::Account { me });
    }

    pub(crate) fn save_peer(&mut self, account: AccountId) {
        if let Some(peer) = self.peers.get(&account).cloned() {
            self.put(keys::peer(account), &peer);
        }
    }

    /// How a person is shown; oneself, too.
    pub(crate) fn person(&self, account: AccountId) -> Person {
        if let Some(me) = self.account.as_ref().filter(|me| me.account == account) {
            return Person {
                account_id: account,
                name: me.name.clone(),
                username: me.username.clone(),
                phone: me.phone.clone(),
                business: None,
            };
        }
        self.peers
            .get(&account)
            .map_or_else(|| Peer::new(account).person(), Peer::person)
    }
}
