//! A business's wallet: what it has paid in for what it sends. The operator tops it up by hand.

use std::collections::BTreeSet;

use kabar_protocol::order;
use serde_json::{Value, json};

use super::{
    charge_store::{self, Totals},
    journal::{self, Account, Kind, Posted, Transaction},
    money,
};
use crate::{
    app::App,
    business,
    db::{DbError, Tx, params},
    error::Failure,
};

/// The currency that an empty wallet is shown in.
const CURRENCY_DEFAULT: &str = "USD";
const KEY_CHARS_MAX: usize = 64;

enum ToppedUp {
    Balance(i64),
    /// The wallet is in this currency.
    OtherCurrency(String),
    KeyUsed,
}

struct Input {
    amount: i64,
    transaction: Transaction,
    currency: String,
    now_ms: i64,
}

/// Adds to the wallet; once per `key`, if there is one.
pub(crate) async fn top_up(
    app: &App,
    waba_id: u64,
    amount: &str,
    currency: &str,
    key: Option<String>,
) -> Result<Value, Failure> {
    order::currency(currency).map_err(|error| Failure::invalid("currency", error.rule))?;
    let amount = money::minor_units(amount, currency).map_err(|rule| Failure::invalid("amount", rule))?;
    known(app, waba_id).await?;
    let key = match key {
        Some(key) if (1..=KEY_CHARS_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) => key,
        Some(_) => {
            let rule = format!("must have 1 to {KEY_CHARS_MAX} of letters, digits and signs, without spaces");
            return Err(Failure::invalid("key", rule));
        }
        None => hex::encode(app.random::<16>()),
    };
    let now_ms = app.now_ms();
    let transaction = Transaction::transfer(
        (waba_id, Kind::TopUp, format!("topup:{key}")),
        (Account::Clearing, Account::Wallet),
        (amount, currency),
        now_ms,
    );
    let input = Input {
        amount,
        transaction,
        currency: currency.to_owned(),
        now_ms,
    };
    let done = app.db.write(input, |tx, input| Box::pin(write(tx, input))).await?;
    match done {
        ToppedUp::Balance(balance) => Ok(shown(balance, currency)),
        ToppedUp::OtherCurrency(other) => {
            let rule = format!("must be {other}: a wallet keeps the currency of its first top-up");
            Err(Failure::invalid("currency", rule))
        }
        ToppedUp::KeyUsed => Err(Failure::invalid(
            "key",
            "was used for another top-up of this wallet: choose a new one",
        )),
    }
}

async fn write(tx: &mut Tx, input: &Input) -> Result<ToppedUp, DbError> {
    let waba_id = input.transaction.waba_id;
    let sql = "INSERT INTO wallet (waba_id, currency, created_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    tx.execute(sql, params![waba_id, input.currency.as_str(), input.now_ms])
        .await?;
    match currency_of(tx, waba_id).await? {
        Some(currency) if currency != input.currency => return Ok(ToppedUp::OtherCurrency(currency)),
        _ => {}
    }
    let wallets = charge_store::lock_wallets(tx, &BTreeSet::from([waba_id])).await?;
    let balance = wallets.get(&waba_id).map_or(0, |wallet| wallet.balance);
    match journal::post(tx, &input.transaction).await? {
        Posted::Conflict => Ok(ToppedUp::KeyUsed),
        Posted::Before => Ok(ToppedUp::Balance(balance)),
        Posted::New => {
            charge_store::move_wallets(tx, [(waba_id, input.amount, 0)].into_iter()).await?;
            Ok(ToppedUp::Balance(balance.saturating_add(input.amount)))
        }
    }
}

pub(crate) async fn show(app: &App, waba_id: u64) -> Result<Value, Failure> {
    known(app, waba_id).await?;
    let wallet = charge_store::wallet(&mut app.db.reader().await?, waba_id).await?;
    let wallet = wallet.unwrap_or_else(|| Totals {
        currency: CURRENCY_DEFAULT.into(),
        balance: 0,
        reserved: 0,
    });
    let mut shown = shown(wallet.balance, &wallet.currency);
    shown["reserved"] = money::decimal(wallet.reserved, &wallet.currency).into();
    Ok(shown)
}

async fn currency_of(tx: &mut Tx, waba_id: u64) -> Result<Option<String>, DbError> {
    let sql = "SELECT currency FROM wallet WHERE waba_id = $1";
    let row = tx.fetch_optional(sql, params![waba_id]).await?;
    row.map(|row| row.get(0)).transpose()
}

async fn known(app: &App, waba_id: u64) -> Result<(), Failure> {
    match business::show_business(app, waba_id).await? {
        Some(_) => Ok(()),
        None => Err(Failure::invalid("waba", format!("there is no business {waba_id}"))),
    }
}

fn shown(balance: i64, currency: &str) -> Value {
    json!({ "balance": money::decimal(balance, currency), "currency": currency })
}
