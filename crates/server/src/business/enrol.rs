//! A gateway's device makes the account of a business number.

use kabar_protocol::{
    device_list::DeviceList,
    ids::AccountId,
    wire::{self, register_outcome::refused::Reason},
};

use super::store;
use crate::{
    accounts::{self, Registered},
    app::App,
    db::{DbError, Tx},
    error::Failure,
    limits::RateLimit,
    socket::Session,
};

/// As `accounts::register`, for whoever has a number's enrolment code.
///
/// The code is bound to the account first and the account made after it: a gateway that repeats a registration whose
/// answer was lost has the same genesis, so the same account.
pub(crate) async fn enrol(app: &App, session: &Session, request: wire::Register) -> Result<Registered, Failure> {
    app.limits
        .check_address(RateLimit::Registrations, session.address, app.now_ms())?;
    let code = request.enrolment_code.clone().unwrap_or_default();
    let genesis = request.genesis.as_ref();
    let genesis = genesis.ok_or_else(|| Failure::invalid("register.genesis", "is missing"))?;
    let list = DeviceList::from_genesis(genesis).map_err(|rule| Failure::invalid("register.genesis", rule))?;
    let input = (accounts::code_hash(&code), list.account);
    let number = app
        .db
        .write(input, |tx, (hash, account)| Box::pin(bind(tx, *hash, *account)))
        .await?;
    match number {
        Some(number) => accounts::register_business(app, session, request, &number.phone).await,
        None => Ok(Registered::Refused(Reason::EnrolmentInvalid)),
    }
}

async fn bind(tx: &mut Tx, hash: [u8; 32], account: AccountId) -> Result<Option<store::Number>, DbError> {
    let Some(number) = store::number_of_code(tx, hash).await? else {
        return Ok(None);
    };
    Ok(store::bind(tx, &number, account).await?.then_some(number))
}
