//! A new account: its keys, its genesis, and the server's word on it.

use ed25519_dalek::{Signer as _, SigningKey};
use kabar_protocol::{
    VERSIONS,
    device_list::{DeviceList, signed_entry},
    ids::{AccountId, DeviceId},
    names, signing, suite,
    wire::{
        self, DeviceListEntry, DeviceListEntryBody,
        client_frame::Body,
        device_list_entry_body::{Change, DeviceKey, Genesis},
        error::Code,
        register_outcome::{Outcome, refused::Reason},
        server_frame,
    },
};

use super::{Account, Chain, Secret};
use crate::{
    api::{ApiError, Privacy, Reply, TimeMs},
    commands::{invalid, refusal},
    connection::{Answer, Purpose, offline},
    state::State,
};

/// How long a registration waits for the server before it says that there is none.
const REGISTER_TIMEOUT_MS: TimeMs = 20_000;

pub(super) fn device_key(secret: &Secret) -> DeviceKey {
    DeviceKey {
        public_key: secret.public().to_vec().into(),
    }
}

impl State {
    /// `name` and `username` as typed.
    pub(crate) fn register(
        &mut self,
        command_id: u64,
        name: &str,
        username: Option<&str>,
        invite: Option<&String>,
        enrolment: Option<&String>,
    ) -> Result<(), ApiError> {
        let name = names::display_name(name).map_err(|error| invalid("name", &error))?;
        let username = username.map(names::username).transpose();
        let username = username.map_err(|error| invalid("username", &error))?;
        if self.account.as_ref().is_some_and(|account| account.registered) {
            return Err(refusal("account_exists", "this device has an account already"));
        }
        if self.waiting.registering.is_some() {
            return Err(refusal("busy", "a registration is under way on this device"));
        }
        self.waiting.registering = Some((command_id, self.now + REGISTER_TIMEOUT_MS));
        // The same keys serve a second try: the first may have reached the server.
        let mut account = match self.account.take() {
            Some(account) => account,
            None => self.new_account(),
        };
        account.name = name;
        account.name_version += 1;
        account.username = username;
        account.invite = invite.cloned();
        account.enrolment = enrolment.cloned();
        self.account = Some(account);
        self.save_account();
        self.authenticate();
        Ok(())
    }

    fn new_account(&self) -> Account {
        // The account key signs entry 0 and is forgotten when this function returns.
        let account_key = SigningKey::from_bytes(&self.engine.random());
        let secret = Secret::new(self.engine.random());
        let genesis = Genesis {
            account_key: account_key.verifying_key().to_bytes().to_vec().into(),
            first_device: Some(device_key(&secret)),
            salt: self.engine.random::<16>().to_vec().into(),
        };
        let body = DeviceListEntryBody {
            version: 0,
            previous_hash: Vec::new().into(),
            time_ms: self.now,
            change: Some(Change::Genesis(genesis)),
        };
        let entry = signed_entry(&body, &account_key, Some(&secret.key()));
        Account {
            account: AccountId::of_genesis(&entry.body),
            device: DeviceId::of_key(&secret.public()),
            secret,
            chain: Chain::new(&[entry]),
            registered: false,
            invite: None,
            enrolment: None,
            name: String::new(),
            name_version: 0,
            username: None,
            phone: None,
            phone_pending: None,
            privacy: Privacy::default(),
            successor: None,
        }
    }

    /// The socket is open and challenges us: register, or prove who we are.
    pub(crate) fn authenticate(&mut self) {
        let (Some(account), Some(challenge)) = (&self.account, &self.connection.challenge) else {
            return;
        };
        let signed = signing::authenticate_bytes(&challenge.nonce, account.account, account.device);
        let signature = account.secret.key().sign(&signed).to_vec().into();
        let version = VERSIONS.first().copied().unwrap_or_default();
        let suites = vec![u32::from(suite::XWING), u32::from(suite::X25519)];
        let (purpose, body) = if account.registered {
            let authenticate = wire::Authenticate {
                version,
                account_id: account.account.to_bytes(),
                device_id: account.device.to_bytes(),
                signature,
                resume_cursor: self.cursor.inbox,
                suites,
            };
            (Purpose::Authenticate, Body::Authenticate(authenticate))
        } else {
            let register = wire::Register {
                version,
                genesis: account.chain.entries().into_iter().next(),
                signature,
                username: account.username.clone(),
                invite_code: account.invite.clone(),
                suites,
                enrolment_code: account.enrolment.clone(),
            };
            (Purpose::Register, Body::Register(register))
        };
        self.request(purpose, body);
    }

    pub(crate) fn register_answered(&mut self, answer: &Answer) {
        let error = match answer {
            Ok(server_frame::Body::Register(wire::RegisterOutcome {
                outcome: Some(Outcome::Session(session)),
            })) => return self.registered(session),
            Ok(server_frame::Body::Register(wire::RegisterOutcome {
                outcome: Some(Outcome::Refused(refused)),
            })) => match refused.reason() {
                Reason::AccountExists => {
                    // An earlier answer was lost: the account is ours.
                    if let Some(account) = self.account.as_mut() {
                        account.registered = true;
                    }
                    self.save_account();
                    return self.authenticate();
                }
                reason => register_refusal(reason),
            },
            Ok(_) => refusal("bad_answer", "the server's answer is not an answer to Register"),
            Err(failure) => failure.error.clone(),
        };
        let refused = match answer {
            Err(failure) => matches!(failure.kind, Code::Invalid | Code::Denied),
            Ok(_) => true,
        };
        // Nothing of it is on the server: the next try may have another name or invitation. After an accident of
        // the server's the keys stay, because it may have them.
        if refused && self.me().is_none() {
            self.account = None;
            self.save_account();
        }
        if let Some((command_id, _)) = self.waiting.registering.take() {
            self.reply(command_id, Err(error));
        }
    }

    fn registered(&mut self, session: &wire::Session) {
        if let Some(account) = self.account.as_mut() {
            account.registered = true;
            account.invite = None;
        }
        self.cursor.publish_key_packages = true;
        self.save_account();
        self.say_account();
        self.session(session);
        self.answer_registered();
    }

    /// The keys stay: if the server has got them after all, the next connection finds out.
    pub(crate) fn registration_timer(&mut self) {
        if let Some((command_id, _)) = self.waiting.registering.take_if(|(_, until)| *until <= self.now) {
            self.reply(command_id, Err(offline()));
        }
    }

    /// Once there is a session, by either way.
    pub(crate) fn answer_registered(&mut self) {
        if let (Some((command_id, _)), Some(me)) = (self.waiting.registering, self.me()) {
            self.waiting.registering = None;
            self.reply(command_id, Ok(Reply::Registered(me)));
        }
    }
}

fn register_refusal(reason: Reason) -> ApiError {
    let mut error = match reason {
        Reason::UsernameTaken => refusal("username_taken", "this username is taken; choose another"),
        Reason::InviteRequired => refusal("invite_required", "this server lets people in by invitation only"),
        Reason::InviteInvalid => refusal("invite_invalid", "this invitation is unknown, used up or expired"),
        Reason::EnrolmentInvalid => refusal("enrolment_invalid", "this enrolment code is unknown or has been used"),
        Reason::Closed => refusal("registration_closed", "this server takes no new accounts"),
        Reason::AccountExists | Reason::Unspecified => {
            refusal("register_refused", "the server refused the registration")
        }
    };
    error.parameter = match reason {
        Reason::UsernameTaken => Some("username".into()),
        Reason::InviteRequired | Reason::InviteInvalid => Some("invite".into()),
        Reason::EnrolmentInvalid => Some("enrolment".into()),
        _ => None,
    };
    error
}

/// The next entry of our own list.
pub(super) fn next_entry(
    list: &DeviceList,
    change: Change,
    now: TimeMs,
    signer: &SigningKey,
    added: Option<&SigningKey>,
) -> DeviceListEntry {
    let body = DeviceListEntryBody {
        version: list.version + 1,
        previous_hash: list.head_hash().to_vec().into(),
        time_ms: now,
        change: Some(change),
    };
    signed_entry(&body, signer, added)
}
