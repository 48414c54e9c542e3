//! The journal: transactions whose entries add up to zero, each under a key that counts once.
//!
//! Must not know why money moves. Nothing here updates or deletes.

use std::collections::HashMap;

use crate::db::{DbError, Row, Rows, Tx, params};

/// Accounts of a business in the operator's books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Account {
    /// What the business has paid in and not used yet.
    Wallet = 1,
    /// What is owed to the business of what people paid it.
    Payable = 2,
    /// What providers owe: money that is on its way in.
    Clearing = 3,
    /// What the operator has earned from the business; credited by the charging of messages.
    Revenue = 4,
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    TopUp = 1,
    Capture = 2,
    Refund = 3,
    /// Of a delivered message.
    Charge = 4,
}

impl Kind {
    fn from_column(value: i64) -> Option<Self> {
        [Self::TopUp, Self::Capture, Self::Refund, Self::Charge]
            .into_iter()
            .find(|kind| *kind as i64 == value)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) account: Account,
    pub(super) currency: String,
    /// Credits are positive.
    pub(super) amount: i64,
}

/// One movement of money of a business.
#[derive(Debug, Clone)]
pub(crate) struct Transaction {
    pub(super) waba_id: u64,
    /// The same key again is the same movement, not another one.
    pub(super) key: String,
    pub(super) kind: Kind,
    pub(super) entries: Vec<Entry>,
    pub(super) created_ms: i64,
}

impl Transaction {
    /// `amount` minor units from one account to another.
    pub(crate) fn transfer(
        (waba_id, kind, key): (u64, Kind, String),
        (from, to): (Account, Account),
        (amount, currency): (i64, &str),
        created_ms: i64,
    ) -> Self {
        let entry = |account, amount| Entry {
            account,
            currency: currency.to_owned(),
            amount,
        };
        Self {
            waba_id,
            key,
            kind,
            entries: vec![entry(from, -amount), entry(to, amount)],
            created_ms,
        }
    }

    /// True if it moves something and, in each currency, takes as much as it gives.
    fn balances(&self) -> bool {
        let mut sums: HashMap<&str, i128> = HashMap::new();
        for entry in &self.entries {
            *sums.entry(&entry.currency).or_default() += i128::from(entry.amount);
        }
        !self.entries.is_empty() && sums.values().all(|sum| *sum == 0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Posted {
    New,
    /// The same movement is in the journal already.
    Before,
    /// Another movement has this key. Nothing was written.
    Conflict,
}

/// Writes a transaction, in the database transaction of whoever moves the money.
pub(crate) async fn post(tx: &mut Tx, transaction: &Transaction) -> Result<Posted, DbError> {
    if !transaction.balances() {
        return Err(DbError::Invariant("a journal transaction does not add up to zero"));
    }
    let sql = "INSERT INTO journal_transaction (waba_id, transaction_key, kind, created_ms) \
               VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let values = params![
        transaction.waba_id,
        transaction.key.as_str(),
        transaction.kind as i64,
        transaction.created_ms
    ];
    if tx.execute(sql, values).await? == 0 {
        return Ok(match is_posted(tx, transaction).await? {
            true => Posted::Before,
            false => Posted::Conflict,
        });
    }
    let sql = "INSERT INTO journal_entry (waba_id, transaction_key, account, currency, amount) \
               VALUES ($1, $2, $3, $4, $5)";
    for entry in &transaction.entries {
        let values = params![
            transaction.waba_id,
            transaction.key.as_str(),
            entry.account as i64,
            entry.currency.as_str(),
            entry.amount
        ];
        tx.execute(sql, values).await?;
    }
    Ok(Posted::New)
}

/// Writes transactions whose movement has just happened for the first time: the caller knows that their keys are new.
pub(super) async fn post_all(tx: &mut Tx, transactions: &[Transaction]) -> Result<(), DbError> {
    let (mut heads, mut entries) = (Rows::new(4), Rows::new(5));
    for transaction in transactions {
        if !transaction.balances() {
            return Err(DbError::Invariant("a journal transaction does not add up to zero"));
        }
        heads.push([
            transaction.waba_id.into(),
            transaction.key.as_str().into(),
            (transaction.kind as i64).into(),
            transaction.created_ms.into(),
        ]);
        for entry in &transaction.entries {
            entries.push([
                transaction.waba_id.into(),
                transaction.key.as_str().into(),
                (entry.account as i64).into(),
                entry.currency.as_str().into(),
                entry.amount.into(),
            ]);
        }
    }
    let sql = "INSERT INTO journal_transaction (waba_id, transaction_key, kind, created_ms) VALUES {rows} \
               ON CONFLICT DO NOTHING";
    tx.execute_rows(sql, &heads).await?;
    let sql = "INSERT INTO journal_entry (waba_id, transaction_key, account, currency, amount) VALUES {rows} \
               ON CONFLICT DO NOTHING";
    tx.execute_rows(sql, &entries).await?;
    Ok(())
}

/// True if what is under the key is what `transaction` says.
async fn is_posted(tx: &mut Tx, transaction: &Transaction) -> Result<bool, DbError> {
    let sql = "SELECT kind FROM journal_transaction WHERE waba_id = $1 AND transaction_key = $2";
    let key = params![transaction.waba_id, transaction.key.as_str()];
    let row = tx.fetch_optional(sql, key).await?;
    if row.map(|row| row.get::<i64>(0)).transpose()? != Some(transaction.kind as i64) {
        return Ok(false);
    }
    let sql = "SELECT account, currency, amount FROM journal_entry WHERE waba_id = $1 AND transaction_key = $2";
    let rows = tx.fetch(sql, key).await?;
    let kept: Result<Vec<(i64, String, i64)>, DbError> = rows
        .iter()
        .map(|row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .collect();
    let mut kept = kept?;
    let said = transaction.entries.iter();
    let mut said: Vec<_> = said
        .map(|entry| (entry.account as i64, entry.currency.clone(), entry.amount))
        .collect();
    kept.sort_unstable();
    said.sort_unstable();
    Ok(kept == said)
}

/// The sum of an account's entries.
#[cfg(test)]
pub(super) async fn balance(tx: &mut Tx, waba_id: u64, account: Account, currency: &str) -> Result<i64, DbError> {
    let sql = "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM journal_entry \
               WHERE waba_id = $1 AND account = $2 AND currency = $3";
    let row = tx
        .fetch_optional(sql, params![waba_id, account as i64, currency])
        .await?;
    row.map_or(Ok(0), |row| row.get(0))
}

/// Of these keys, what each credits to `account`: (business, key) -> (currency, amount). What is missing was never posted.
pub(crate) async fn posted(
    tx: &mut Tx,
    account: Account,
    keys: &[(u64, String)],
) -> Result<HashMap<(u64, String), (String, i64)>, DbError> {
    let mut rows = Rows::new(3);
    for (waba_id, key) in keys {
        rows.push([(*waba_id).into(), key.as_str().into(), (account as i64).into()]);
    }
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = "SELECT waba_id, transaction_key, currency, amount FROM journal_entry \
               WHERE (waba_id, transaction_key, account) IN (VALUES {rows})";
    let found = tx.fetch_rows(sql, &rows).await?;
    let read = |row: &Row| Ok(((row.get(0)?, row.get(1)?), (row.get(2)?, row.get(3)?)));
    found.iter().map(read).collect()
}

/// A page of transactions in the order of their keys: (business, key, kind), behind `after`.
pub(crate) async fn kinds_after(
    tx: &mut Tx,
    after: &(u64, String),
) -> Result<Vec<(u64, String, Option<Kind>)>, DbError> {
    let sql = "SELECT waba_id, transaction_key, kind FROM journal_transaction \
               WHERE (waba_id, transaction_key) > ($1, $2) ORDER BY waba_id, transaction_key LIMIT 200";
    let rows = tx.fetch(sql, params![after.0, after.1.as_str()]).await?;
    let read = |row: &Row| Ok((row.get(0)?, row.get(1)?, Kind::from_column(row.get(2)?)));
    rows.iter().map(read).collect()
}
