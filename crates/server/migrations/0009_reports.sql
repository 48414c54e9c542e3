-- What people report to the operator. Conventions as in 0001_messenger.sql.

-- slice: reports
-- key: account_id
-- account_id: who is reported. evidence: the Report as it came, its stamps checked. closed_ms: absent while nobody has decided.
CREATE TABLE report (
    account_id {BLOB} NOT NULL,
    report_id {BLOB} NOT NULL,
    reporter_id {BLOB} NOT NULL,
    reason BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    closed_ms BIGINT,
    note TEXT,
    evidence {BLOB} NOT NULL,
    PRIMARY KEY (account_id, report_id)
) {WITHOUT_ROWID};
