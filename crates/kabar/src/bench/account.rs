//! Accounts without a client behind them: a device key, a genesis entry, a signature.

use ed25519_dalek::{Signer, SigningKey};
use kabar_protocol::{
    VERSIONS,
    ids::{AccountId, DeviceId},
    signing, suite,
    wire::{
        Authenticate, Challenge, DeviceListEntry, DeviceListEntryBody, Register, client_frame,
        device_list_entry_body::{Change, DeviceKey, Genesis},
        register_outcome::Outcome,
        server_frame,
    },
};
use prost::Message as _;

use super::{connection::Connection, failed, random};
use crate::output::Failure;

pub(crate) struct Account {
    key: SigningKey,
    account: AccountId,
    device: DeviceId,
}

impl Account {
    /// Registers over a fresh connection, which is then signed in.
    pub(crate) async fn register(connection: &mut Connection, challenge: &Challenge) -> Result<Self, Failure> {
        let (account_key, key) = (new_key(), new_key());
        let genesis = Genesis {
            account_key: public(&account_key).into(),
            first_device: Some(DeviceKey {
                public_key: public(&key).into(),
            }),
            salt: random::<16>().to_vec().into(),
        };
        let body = DeviceListEntryBody {
            change: Some(Change::Genesis(genesis)),
            ..Default::default()
        }
        .encode_to_vec();
        let entry = DeviceListEntry {
            signature: sign(&account_key, &signing::labelled(signing::DEVICE_LIST, &body)).into(),
            signer: public(&account_key).into(),
            device_proof: sign(&key, &signing::labelled(signing::DEVICE_PROOF, &body)).into(),
            body: body.clone().into(),
        };
        let account = AccountId::of_genesis(&body);
        let device = DeviceId::of_key(&public(&key));
        let this = Self { key, account, device };
        let register = Register {
            version: VERSIONS[0],
            genesis: Some(entry),
            signature: this.answer(challenge).into(),
            username: None,
            invite_code: None,
            suites: vec![suite::XWING.into()],
            enrolment_code: None,
        };
        match connection.request(client_frame::Body::Register(register)).await? {
            server_frame::Body::Register(outcome) if matches!(outcome.outcome, Some(Outcome::Session(_))) => Ok(this),
            other => Err(failed(format!("registration refused: {other:?}"))),
        }
    }

    /// Signs in and waits for the session.
    pub(crate) async fn authenticate(&self, connection: &mut Connection, challenge: &Challenge) -> Result<(), Failure> {
        let authenticate = Authenticate {
            version: VERSIONS[0],
            account_id: self.account.to_bytes(),
            device_id: self.device.to_bytes(),
            signature: self.answer(challenge).into(),
            resume_cursor: 0,
            suites: vec![suite::XWING.into()],
        };
        match connection
            .request(client_frame::Body::Authenticate(authenticate))
            .await?
        {
            server_frame::Body::Session(_) => Ok(()),
            other => Err(failed(format!("not a session: {other:?}"))),
        }
    }

    fn answer(&self, challenge: &Challenge) -> Vec<u8> {
        sign(
            &self.key,
            &signing::authenticate_bytes(&challenge.nonce, self.account, self.device),
        )
    }
}

fn new_key() -> SigningKey {
    SigningKey::from_bytes(&random())
}

fn public(key: &SigningKey) -> Vec<u8> {
    key.verifying_key().to_bytes().to_vec()
}

fn sign(key: &SigningKey, message: &[u8]) -> Vec<u8> {
    key.sign(message).to_vec()
}
