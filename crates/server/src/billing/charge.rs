//! What business messages cost: admitted against the wallet, reserved on their way, charged by a signed receipt.
//!
//! Runs in `messaging`'s transactions as its [`Meter`]. A wallet's row is the lock of everything about its money; it is
//! taken before any charge's row, by everybody.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use kabar_protocol::{
    ids::{AccountId, ConversationId},
    limits::CHARGES_PER_REQUEST_MAX,
    receipt::Receipt,
    wire::{self, MessageCategory, MessageClass},
};

use super::{
    card, charge_store as store,
    charge_store::{Open, Totals},
    date,
    journal::{self, Account, Kind, Transaction},
    money,
};
use crate::{
    app::App,
    business::{self, Payer},
    db::{DbError, Tx},
    error::{Failure, reason},
    messaging::{Bill, Due, Expected, Meter, Signed, Taken, Tariff},
};

/// How a charge is named in the journal; once per message.
pub(super) fn journal_key(conversation: ConversationId, seq: u64) -> String {
    format!("charge:{conversation}:{seq}")
}

/// What a business's message would be charged as; `None`: it is free, and no receipt is owed.
pub(crate) async fn quote(app: &App, sender: AccountId, send: &wire::Send) -> Result<Option<Bill>, Failure> {
    if send.class() != MessageClass::Content {
        return Ok(None);
    }
    let category = match send.business.unwrap_or_default().category() {
        MessageCategory::Unspecified => MessageCategory::Service,
        category => category,
    };
    bill(app, sender, category).await
}

pub(super) async fn bill(app: &App, sender: AccountId, category: MessageCategory) -> Result<Option<Bill>, Failure> {
    let Some(card) = card::in_force(app, app.now_ms()).await? else {
        return Ok(None);
    };
    let Some(payer) = business::payer(app, sender).await? else {
        return Ok(None);
    };
    let tariffs = card.tariffs(&payer.phone, category);
    let costs = tariffs.iter().any(|tariff| tariff.price > 0);
    Ok(costs.then(|| Bill {
        waba_id: payer.waba_id,
        phone_number_id: payer.phone_number_id,
        category,
        rate_card_id: card.rate_card_id,
        tariffs,
    }))
}

/// Of the first message of a conversation, before the conversation is made: why it may not go out.
pub(crate) async fn refused(app: &App, bill: &Bill) -> Result<Option<String>, Failure> {
    let input = (bill.clone(), app.now_ms());
    let admitted = app
        .db
        .write(input, |tx, (bill, now_ms)| {
            Box::pin(async move { admit(tx, &[bill], *now_ms).await })
        })
        .await?;
    Ok(admitted.into_iter().find_map(Result::err))
}

/// [`Meter`] of the server.
pub(crate) struct Charges;

impl Meter for Charges {
    fn admit<'a>(
        &'a self,
        tx: &'a mut Tx,
        bills: &'a [&'a Bill],
        now_ms: i64,
    ) -> BoxFuture<'a, Result<Vec<Result<Due, String>>, DbError>> {
        Box::pin(admit(tx, bills, now_ms))
    }

    fn reserve<'a>(&'a self, tx: &'a mut Tx, taken: &'a [Taken<'a>]) -> BoxFuture<'a, Result<(), DbError>> {
        Box::pin(reserve(tx, taken))
    }

    fn expected<'a>(
        &'a self,
        app: &'a App,
        places: &'a [(AccountId, ConversationId, u64)],
    ) -> BoxFuture<'a, Result<Vec<Expected>, Failure>> {
        Box::pin(expected(app, places))
    }

    fn charge<'a>(&'a self, tx: &'a mut Tx, receipts: &'a [Signed], now_ms: i64) -> BoxFuture<'a, Result<(), DbError>> {
        Box::pin(charge(tx, receipts, now_ms))
    }
}

/// The month's allowance of a number: (business, number, month, category).
pub(super) type AllowanceKey = (u64, u64, i64, i64);

pub(super) fn allowance_key(bill: &Bill, month: i64) -> AllowanceKey {
    let category = i64::from(bill.category as i32);
    (bill.waba_id, bill.phone_number_id, month, category)
}

fn free_per_month(bill: &Bill, currency: Option<&str>) -> i64 {
    let own = bill
        .tariffs
        .iter()
        .find(|tariff| Some(tariff.currency.as_str()) == currency);
    own.or(bill.tariffs.first()).map_or(0, |tariff| tariff.free_per_month)
}

async fn admit(tx: &mut Tx, bills: &[&Bill], now_ms: i64) -> Result<Vec<Result<Due, String>>, DbError> {
    let month = date::month(now_ms);
    let businesses: BTreeSet<u64> = bills.iter().map(|bill| bill.waba_id).collect();
    let mut wallets = store::lock_wallets(tx, &businesses).await?;
    let limited = bills
        .iter()
        .filter(|bill| bill.tariffs.iter().any(|tariff| tariff.free_per_month > 0));
    let keys: BTreeSet<AllowanceKey> = limited.map(|bill| allowance_key(bill, month)).collect();
    let mut used = store::lock_allowances(tx, &keys).await?;
    let mut answers = Vec::with_capacity(bills.len());
    for bill in bills {
        let wallet = wallets.get_mut(&bill.waba_id);
        let currency = wallet.as_ref().map(|wallet| wallet.currency.as_str());
        if let Some(used) = used.get_mut(&allowance_key(bill, month))
            && *used < free_per_month(bill, currency)
        {
            *used += 1;
            let currency = currency.or(bill.tariffs.first().map(|tariff| tariff.currency.as_str()));
            answers.push(Ok(Due {
                price: 0,
                currency: currency.unwrap_or_default().into(),
                allowance_month: month,
            }));
            continue;
        }
        answers.push(pay(wallet, &bill.tariffs));
    }
    Ok(answers)
}

/// Takes a message's price off what is left of the wallet in this transaction.
fn pay(wallet: Option<&mut Totals>, tariffs: &[Tariff]) -> Result<Due, String> {
    let Some(wallet) = wallet else {
        return Err("this message costs something, and the business has no wallet: top it up first".into());
    };
    let Some(tariff) = tariffs.iter().find(|tariff| tariff.currency == wallet.currency) else {
        let priced: Vec<&str> = tariffs.iter().map(|tariff| tariff.currency.as_str()).collect();
        return Err(format!(
            "the rate card prices this message in {}, and the wallet is in {}",
            priced.join(" and "),
            wallet.currency
        ));
    };
    let left = wallet.balance.saturating_sub(wallet.reserved);
    if tariff.price > left {
        return Err(format!(
            "this message costs {price} {currency}, and {left} is left in the wallet: top it up",
            price = money::decimal(tariff.price, &tariff.currency),
            left = money::decimal(left, &tariff.currency),
            currency = tariff.currency,
        ));
    }
    wallet.reserved = wallet.reserved.saturating_add(tariff.price);
    Ok(Due {
        price: tariff.price,
        currency: tariff.currency.clone(),
        allowance_month: 0,
    })
}

async fn reserve(tx: &mut Tx, taken: &[Taken<'_>]) -> Result<(), DbError> {
    let mut reserved: BTreeMap<u64, i64> = BTreeMap::new();
    let mut used: BTreeMap<AllowanceKey, i64> = BTreeMap::new();
    for taken in taken {
        match taken.due.allowance_month {
            0 => *reserved.entry(taken.bill.waba_id).or_default() += taken.due.price,
            month => *used.entry(allowance_key(taken.bill, month)).or_default() += 1,
        }
    }
    store::insert_open(tx, taken).await?;
    store::move_wallets(tx, reserved.into_iter().map(|(waba_id, amount)| (waba_id, 0, amount))).await?;
    store::use_allowances(tx, used).await
}

async fn expected(app: &App, places: &[(AccountId, ConversationId, u64)]) -> Result<Vec<Expected>, Failure> {
    let mut keys = Vec::with_capacity(places.len());
    for (account, conversation, seq) in places {
        if let Some(payer) = business::payer(app, *account).await? {
            keys.push((payer.waba_id, *conversation, *seq));
        }
    }
    let charges = store::charges(&mut app.db.reader().await?, &keys).await?;
    let expected = charges.into_iter().map(|charge| Expected {
        waba_id: charge.waba_id,
        receipt: Receipt {
            timeline: app.timeline,
            conversation: charge.conversation,
            seq: charge.seq,
            message: charge.message,
            category: charge.category,
            rate_card_id: charge.rate_card_id,
        },
    });
    Ok(expected.collect())
}

async fn charge(tx: &mut Tx, receipts: &[Signed], now_ms: i64) -> Result<(), DbError> {
    // Two devices of a person may sign in one batch: the first one's receipt is kept.
    let mut first: BTreeMap<(u64, ConversationId, u64), &Signed> = BTreeMap::new();
    for receipt in receipts {
        first
            .entry((receipt.waba_id, receipt.conversation, receipt.seq))
            .or_insert(receipt);
    }
    let businesses = first.keys().map(|(waba_id, ..)| *waba_id).collect();
    store::lock_wallets(tx, &businesses).await?;
    let charged = store::close(tx, first.into_values(), now_ms).await?;
    let mut moves: BTreeMap<u64, i64> = BTreeMap::new();
    let mut transactions = Vec::new();
    for open in charged.iter().filter(|open| open.price > 0) {
        *moves.entry(open.waba_id).or_default() += open.price;
        transactions.push(Transaction::transfer(
            (open.waba_id, Kind::Charge, journal_key(open.conversation, open.seq)),
            (Account::Wallet, Account::Revenue),
            (open.price, &open.currency),
            now_ms,
        ));
    }
    store::move_wallets(
        tx,
        moves.into_iter().map(|(waba_id, amount)| (waba_id, -amount, -amount)),
    )
    .await?;
    journal::post_all(tx, &transactions).await
}

/// Gives back what is reserved for messages that expired without a receipt; how many.
pub(crate) async fn release_expired(app: &App) -> Result<u64, DbError> {
    let mut released = 0;
    loop {
        let businesses = store::businesses_of_expired(&mut app.db.reader().await?, app.now_ms()).await?;
        if businesses.is_empty() || app.stop.is_cancelled() {
            return Ok(released);
        }
        for waba_id in businesses {
            let input = (waba_id, app.now_ms());
            released += app
                .db
                .write(input, |tx, (waba_id, now_ms)| Box::pin(release(tx, *waba_id, *now_ms)))
                .await?;
        }
    }
}

async fn release(tx: &mut Tx, waba_id: u64, now_ms: i64) -> Result<u64, DbError> {
    store::lock_wallets(tx, &BTreeSet::from([waba_id])).await?;
    let expired: Vec<Open> = store::release(tx, waba_id, now_ms).await?;
    let mut used: BTreeMap<AllowanceKey, i64> = BTreeMap::new();
    let mut amount = 0;
    for open in &expired {
        match open.allowance_month {
            0 => amount += open.price,
            month => {
                *used
                    .entry((waba_id, open.phone_number_id, month, open.category))
                    .or_default() -= 1
            }
        }
    }
    store::move_wallets(tx, [(waba_id, 0, -amount)].into_iter()).await?;
    store::use_allowances(tx, used).await?;
    Ok(expired.len() as u64)
}

async fn own_payer(app: &App, account: AccountId) -> Result<Arc<Payer>, Failure> {
    let payer = business::payer(app, account).await?;
    payer.ok_or_else(|| Failure::denied(reason::POLICY, "this account is no business number"))
}

/// What the session's own number pays now.
pub(crate) async fn fetch_prices(app: &App, account: AccountId) -> Result<wire::Prices, Failure> {
    let payer = own_payer(app, account).await?;
    let Some(card) = card::in_force(app, app.now_ms()).await? else {
        return Ok(wire::Prices::default());
    };
    let mut tx = app.db.reader().await?;
    let wallet = store::wallet(&mut tx, payer.waba_id).await?;
    let month = date::month(app.now_ms());
    let mut prices = wire::Prices {
        rate_card_id: card.rate_card_id,
        ..wire::Prices::default()
    };
    for category in [
        MessageCategory::Service,
        MessageCategory::Utility,
        MessageCategory::Authentication,
        MessageCategory::Marketing,
    ] {
        let tariffs = card.tariffs(&payer.phone, category);
        let own = wallet
            .as_ref()
            .and_then(|wallet| tariffs.iter().find(|tariff| tariff.currency == wallet.currency));
        let Some(tariff) = own.or(tariffs.first()) else {
            continue;
        };
        let key = (payer.waba_id, payer.phone_number_id, month, i64::from(category as i32));
        let used = match tariff.free_per_month {
            0 => 0,
            _ => store::allowance_used(&mut tx, key).await?,
        };
        let free_left = (tariff.free_per_month - used).max(0).unsigned_abs();
        prices.currency.clone_from(&tariff.currency);
        prices.prices.push(wire::prices::Price {
            category: category.into(),
            price: if free_left > 0 { 0 } else { tariff.price },
            free_left,
        });
    }
    Ok(prices)
}

/// What the session's own messages cost, and their receipts.
pub(crate) async fn fetch_charges(
    app: &App,
    account: AccountId,
    request: &wire::FetchCharges,
) -> Result<wire::Charges, Failure> {
    let payer = own_payer(app, account).await?;
    if request.places.len() > CHARGES_PER_REQUEST_MAX {
        return Err(Failure::invalid(
            "fetch_charges.places",
            format!("at most {CHARGES_PER_REQUEST_MAX}"),
        ));
    }
    let mut keys = Vec::with_capacity(request.places.len());
    for place in &request.places {
        let conversation = ConversationId::from_slice(&place.conversation_id)
            .map_err(|rule| Failure::invalid("fetch_charges.places", rule))?;
        keys.push((payer.waba_id, conversation, place.seq));
    }
    let charges = store::charges(&mut app.db.reader().await?, &keys).await?;
    let charges = charges.into_iter().map(store::Charge::into_wire);
    Ok(wire::Charges {
        charges: charges.collect(),
    })
}
