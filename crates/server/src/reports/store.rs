//! SQL over reports.

use bytes::Bytes;
use kabar_protocol::ids::AccountId;

use super::RETENTION_MS;
use crate::db::{DbError, Row, Tx, columns, params};

#[derive(Debug, Clone)]
pub(super) struct Report {
    pub(super) account: AccountId,
    pub(super) report_id: [u8; 16],
    pub(super) reporter: AccountId,
    pub(super) reason: i64,
    pub(super) created_ms: i64,
    pub(super) closed_ms: Option<i64>,
    pub(super) note: Option<String>,
    pub(super) evidence: Bytes,
}

const REPORT: &str = "account_id, report_id, reporter_id, reason, created_ms, closed_ms, note, evidence";

fn report(row: &Row) -> Result<Report, DbError> {
    Ok(columns!(row => Report { account, report_id, reporter, reason, created_ms, closed_ms, note, evidence }))
}

pub(super) async fn insert(tx: &mut Tx, report: &Report) -> Result<(), DbError> {
    let sql = "INSERT INTO report (account_id, report_id, reporter_id, reason, created_ms, evidence) \
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
    let values = params![
        report.account,
        report.report_id,
        report.reporter,
        report.reason,
        report.created_ms,
        &report.evidence
    ];
    tx.execute(sql, values).await?;
    Ok(())
}

/// Newest first. Few, and asked for by an operator: no index on time is kept.
pub(super) async fn list(tx: &mut Tx, all: bool, limit: u32) -> Result<Vec<Report>, DbError> {
    let sql = format!(
        "SELECT {REPORT} FROM report WHERE closed_ms IS NULL OR $1 = 1 ORDER BY created_ms DESC, report_id LIMIT $2 + 0"
    );
    let rows = tx.fetch(sqlx::AssertSqlSafe(sql), params![all, limit]).await?;
    rows.iter().map(report).collect()
}

pub(super) async fn find(tx: &mut Tx, report_id: [u8; 16]) -> Result<Option<Report>, DbError> {
    let sql = format!("SELECT {REPORT} FROM report WHERE report_id = $1");
    let row = tx.fetch_optional(sqlx::AssertSqlSafe(sql), params![report_id]).await?;
    row.as_ref().map(report).transpose()
}

pub(super) async fn close(
    tx: &mut Tx,
    account: AccountId,
    report_id: [u8; 16],
    now_ms: i64,
    note: &str,
) -> Result<(), DbError> {
    let sql = "UPDATE report SET closed_ms = $3, note = $4 WHERE account_id = $1 AND report_id = $2";
    tx.execute(sql, params![account, report_id, now_ms, note]).await?;
    Ok(())
}

/// Deletes what has been kept long enough.
pub(crate) async fn sweep(tx: &mut Tx, now_ms: i64) -> Result<u64, DbError> {
    let sql = "DELETE FROM report WHERE created_ms <= $1";
    tx.execute(sql, params![now_ms - RETENTION_MS]).await
}
