//! Does the journal hold? Read from end to end, for the operator.

use crate::db::{DbError, Tx, params};

/// Faults that are named; there may be more.
const WRONG_MAX: usize = 20;

/// What a check found.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) transactions: u64,
    pub(crate) entries: u64,
    /// One sentence each.
    pub(crate) wrong: Vec<String>,
}

impl Report {
    pub(crate) fn fault(&mut self, what: String) {
        if self.wrong.len() < WRONG_MAX {
            self.wrong.push(what);
        }
    }
}

/// Faults, each with what is wrong with the transaction that the statement returns.
const FAULTS: [(&str, &str); 3] = [
    (
        "its entries do not add up to zero",
        "SELECT waba_id, transaction_key FROM journal_entry GROUP BY waba_id, transaction_key, currency \
         HAVING SUM(amount) <> 0 LIMIT 20",
    ),
    (
        "it has no entries",
        "SELECT t.waba_id, t.transaction_key FROM journal_transaction AS t LEFT JOIN journal_entry AS e \
         ON e.waba_id = t.waba_id AND e.transaction_key = t.transaction_key WHERE e.waba_id IS NULL LIMIT 20",
    ),
    (
        "it has entries without their transaction",
        "SELECT e.waba_id, e.transaction_key FROM journal_entry AS e LEFT JOIN journal_transaction AS t \
         ON t.waba_id = e.waba_id AND t.transaction_key = e.transaction_key WHERE t.waba_id IS NULL LIMIT 20",
    ),
];

/// The journal by itself; what it should say of payments, `commerce` adds.
pub(crate) async fn verify(tx: &mut Tx) -> Result<Report, DbError> {
    let mut report = Report {
        transactions: count(tx, "SELECT CAST(COUNT(*) AS BIGINT) FROM journal_transaction").await?,
        entries: count(tx, "SELECT CAST(COUNT(*) AS BIGINT) FROM journal_entry").await?,
        wrong: Vec::new(),
    };
    for (what, sql) in FAULTS {
        for row in tx.fetch(sql, params![]).await? {
            let (waba_id, key): (u64, String) = (row.get(0)?, row.get(1)?);
            report.fault(format!("transaction {key} of business {waba_id}: {what}"));
        }
    }
    Ok(report)
}

async fn count(tx: &mut Tx, sql: &'static str) -> Result<u64, DbError> {
    let row = tx.fetch_optional(sql, params![]).await?;
    row.map_or(Ok(0), |row| row.get(0))
}
