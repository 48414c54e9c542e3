-- Rate cards, and what business messages cost. Conventions as in 0001_messenger.sql; amounts are integer minor units.

-- slice: billing
-- key: rate_card_id
-- Only appended to: a message is charged by the card that was in force when it was taken in.
CREATE TABLE rate_card (
    rate_card_id BIGINT NOT NULL,
    effective_ms BIGINT NOT NULL,
    imported_ms BIGINT NOT NULL,
    PRIMARY KEY (rate_card_id)
) {WITHOUT_ROWID};

-- slice: billing
-- key: rate_card_id
-- country: a calling code such as +62, or * for all others.
CREATE TABLE rate (
    rate_card_id BIGINT NOT NULL,
    country TEXT NOT NULL,
    category BIGINT NOT NULL,
    currency TEXT NOT NULL,
    price BIGINT NOT NULL,
    free_per_month BIGINT NOT NULL,
    PRIMARY KEY (rate_card_id, country, category, currency)
) {WITHOUT_ROWID};

-- Running totals: a message must not wait for the sum of all messages before it. `ledger verify` holds them to the
-- journal and to the open charges.
ALTER TABLE wallet ADD COLUMN balance BIGINT NOT NULL DEFAULT 0;
ALTER TABLE wallet ADD COLUMN reserved BIGINT NOT NULL DEFAULT 0;
UPDATE wallet SET balance = (SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM journal_entry
    WHERE journal_entry.waba_id = wallet.waba_id AND account = 1 AND journal_entry.currency = wallet.currency);

-- slice: billing
-- key: waba_id
-- Messages of a number in a month that its rate card gives away. month: months since the year 0.
CREATE TABLE allowance (
    waba_id BIGINT NOT NULL,
    phone_number_id BIGINT NOT NULL,
    month BIGINT NOT NULL,
    category BIGINT NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (waba_id, phone_number_id, month, category)
) {WITHOUT_ROWID};

-- slice: billing
-- key: waba_id
-- One billable message: reserved (1) when it is taken in, then charged (2) with the receipt of the first device that
-- signed for it, or released (3) when it expires. The primary key is why nothing is charged twice.
CREATE TABLE message_charge (
    waba_id BIGINT NOT NULL,
    conversation_id {BLOB} NOT NULL,
    seq BIGINT NOT NULL,
    phone_number_id BIGINT NOT NULL,
    message_id {BLOB} NOT NULL,
    category BIGINT NOT NULL,
    rate_card_id BIGINT NOT NULL,
    price BIGINT NOT NULL,
    currency TEXT NOT NULL,
    allowance_month BIGINT NOT NULL,
    state BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    timeline {BLOB},
    account_id {BLOB},
    device_key {BLOB},
    signature {BLOB},
    charged_ms BIGINT,
    PRIMARY KEY (waba_id, conversation_id, seq)
) {WITHOUT_ROWID};

CREATE INDEX message_charge_open ON message_charge (expires_ms) WHERE state = 1;
