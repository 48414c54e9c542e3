//! Businesses and their numbers as the operator makes them, and as everybody may see them.

use std::sync::Arc;

use kabar_protocol::{
    ids::AccountId,
    names,
    wire::{
        self, KeysHeldBy,
        find_account_outcome::{Found, NotFound, Outcome},
    },
};
use serde_json::{Value, json};

use super::{
    Payer,
    store::{self, Number},
};
use crate::{accounts, app::App, error::Failure, socket::Identity};

/// Graph node ids are decimal; these have 15 digits.
const NODE_ID_MIN: u64 = 100_000_000_000_000;
const NODE_ID_RANGE: u64 = 9 * NODE_ID_MIN;
/// Characters of a business's or number's name.
const NAME_CHARS_MAX: usize = 100;

fn node_id(app: &App) -> u64 {
    NODE_ID_MIN + u64::from_be_bytes(app.random()) % NODE_ID_RANGE
}

fn checked_name(name: &str) -> Result<String, Failure> {
    let name = name.trim();
    let length = name.chars().count();
    if !(1..=NAME_CHARS_MAX).contains(&length) || name.chars().any(char::is_control) {
        let rule = format!("must have 1 to {NAME_CHARS_MAX} characters and no control characters");
        return Err(Failure::invalid("name", rule));
    }
    Ok(name.to_owned())
}

/// A new business; its id.
pub(crate) async fn create_business(app: &App, name: &str) -> Result<u64, Failure> {
    let waba_id = node_id(app);
    let input = (waba_id, checked_name(name)?, app.now_ms());
    app.db
        .write(input, |tx, (waba_id, name, now_ms)| {
            Box::pin(store::insert_business(tx, *waba_id, name, *now_ms))
        })
        .await?;
    Ok(waba_id)
}

/// A new number of a business, with the code by which its gateway enrols.
pub(crate) async fn add_number(
    app: &App,
    waba_id: u64,
    phone: &str,
    name: &str,
    keys_held_by: KeysHeldBy,
) -> Result<Value, Failure> {
    let phone = names::phone(phone).map_err(|rule| Failure::invalid("phone", rule))?;
    let name = checked_name(name)?;
    let mut tx = app.db.reader().await?;
    if store::business_name(&mut tx, waba_id).await?.is_none() {
        return Err(Failure::invalid("waba", format!("there is no business {waba_id}")));
    }
    drop(tx);
    if accounts::phone_account(app, &phone).await?.is_some() {
        return Err(Failure::invalid("phone", "this number is an account already"));
    }
    let number = Number {
        waba_id,
        phone_number_id: node_id(app),
        phone,
        name,
        keys_held_by: i64::from(keys_held_by as i32),
        account: None,
    };
    let code = accounts::readable_code(app);
    let answer = json!({
        "phone_number_id": number.phone_number_id.to_string(),
        "display_phone_number": number.phone,
        "enrolment_code": code,
    });
    let input = (number, accounts::code_hash(&code), app.now_ms());
    app.db
        .write(input, |tx, (number, hash, now_ms)| {
            Box::pin(store::insert_number(tx, number, *hash, *now_ms))
        })
        .await?;
    Ok(answer)
}

/// The business whose number an account is.
pub(crate) async fn waba_of(app: &App, account: AccountId) -> Result<Option<u64>, Failure> {
    let number = store::number_of_account(&mut app.db.reader().await?, account).await?;
    Ok(number.map(|number| number.waba_id))
}

/// Who pays for what an account sends; `None` if it is no business number's. Never changes once it is there.
pub(crate) async fn payer(app: &App, account: AccountId) -> Result<Option<Arc<Payer>>, Failure> {
    if let Some(payer) = app.business.payers.get(&account) {
        return Ok(Some(payer));
    }
    let number = store::number_of_account(&mut app.db.reader().await?, account).await?;
    let payer = number.map(|number| {
        Arc::new(Payer {
            waba_id: number.waba_id,
            phone_number_id: number.phone_number_id,
            phone: number.phone,
        })
    });
    if let Some(payer) = &payer {
        app.business.payers.insert(account, Arc::clone(payer));
    }
    Ok(payer)
}

/// For the operator.
pub(crate) async fn show_business(app: &App, waba_id: u64) -> Result<Option<Value>, Failure> {
    let mut tx = app.db.reader().await?;
    let Some(name) = store::business_name(&mut tx, waba_id).await? else {
        return Ok(None);
    };
    let numbers = store::numbers(&mut tx, waba_id).await?;
    let numbers = numbers.iter().map(|number| {
        json!({
            "phone_number_id": number.phone_number_id.to_string(),
            "display_phone_number": number.phone,
            "name": number.name,
            "enrolled": number.account.is_some(),
        })
    });
    Ok(Some(json!({
        "waba_id": waba_id.to_string(),
        "name": name,
        "numbers": numbers.collect::<Vec<_>>(),
    })))
}

/// Finds an account; of a company, what everybody may know of it.
pub(crate) async fn find_account(
    app: &App,
    identity: Identity,
    request: wire::FindAccount,
) -> Result<Outcome, Failure> {
    let Some(found) = accounts::find_account(app, identity, request).await? else {
        return Ok(Outcome::NotFound(NotFound {}));
    };
    Ok(Outcome::Found(Found {
        account_id: found.account.to_bytes(),
        username: found.username,
        business: match found.is_business {
            true => card(app, found.account).await?,
            false => None,
        },
    }))
}

async fn card(app: &App, account: AccountId) -> Result<Option<wire::BusinessCard>, Failure> {
    let number = store::number_of_account(&mut app.db.reader().await?, account).await?;
    Ok(number.as_ref().map(Number::card))
}
