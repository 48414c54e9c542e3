-- Orders that may be paid, payments, the embedded sandbox provider, and the journal of money. Conventions as in
-- 0001_messenger.sql; amounts are integer minor units of their currency.

-- slice: commerce
-- key: waba_id
-- What a business has registered. Its row is the lock of everything about its payment.
CREATE TABLE payment_order (
    waba_id BIGINT NOT NULL,
    reference_id TEXT NOT NULL,
    payee_id {BLOB} NOT NULL,
    person_id {BLOB} NOT NULL,
    order_hash {BLOB} NOT NULL,
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    expires_ms BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (waba_id, reference_id)
) {WITHOUT_ROWID};

-- slice: commerce
-- key: waba_id
-- The newest attempt to pay a reference; earlier ones have failed, and are in payment_change. due_ms: when a job ends it.
CREATE TABLE payment (
    waba_id BIGINT NOT NULL,
    reference_id TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    transaction_id TEXT NOT NULL,
    method TEXT NOT NULL,
    status BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    error TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    due_ms BIGINT,
    seq BIGINT NOT NULL,
    PRIMARY KEY (waba_id, reference_id)
) {WITHOUT_ROWID};

CREATE INDEX payment_due ON payment (due_ms) WHERE due_ms IS NOT NULL;

-- slice: commerce
-- key: waba_id
CREATE TABLE payment_counter (
    waba_id BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    PRIMARY KEY (waba_id)
) {WITHOUT_ROWID};

-- slice: commerce
-- key: waba_id
-- Every change of every payment of a business, dense in seq. Only appended to.
CREATE TABLE payment_change (
    waba_id BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    reference_id TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    transaction_id TEXT NOT NULL,
    method TEXT NOT NULL,
    status BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    error TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    updated_ms BIGINT NOT NULL,
    PRIMARY KEY (waba_id, seq)
) {WITHOUT_ROWID};

-- slice: commerce
-- key: waba_id
-- Events of providers that were taken in: each counts once.
CREATE TABLE payment_event (
    waba_id BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    received_ms BIGINT NOT NULL,
    PRIMARY KEY (waba_id, event_id)
) {WITHOUT_ROWID};

-- slice: commerce
-- key: waba_id
-- The sandbox provider's own books: what it holds for whom, and which callbacks it owes.
CREATE TABLE sandbox_transaction (
    waba_id BIGINT NOT NULL,
    transaction_id TEXT NOT NULL,
    reference_id TEXT NOT NULL,
    state BIGINT NOT NULL,
    callback_ms BIGINT,
    callbacks_left BIGINT NOT NULL,
    PRIMARY KEY (waba_id, transaction_id)
) {WITHOUT_ROWID};

CREATE INDEX sandbox_transaction_callback ON sandbox_transaction (callback_ms) WHERE callback_ms IS NOT NULL;

-- slice: billing
-- key: waba_id
-- Only appended to. transaction_key is the idempotency key.
CREATE TABLE journal_transaction (
    waba_id BIGINT NOT NULL,
    transaction_key TEXT NOT NULL,
    kind BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (waba_id, transaction_key)
) {WITHOUT_ROWID};

-- slice: billing
-- key: waba_id
-- Credits are positive, debits negative; those of a transaction add up to 0 in each currency. Only appended to.
CREATE TABLE journal_entry (
    waba_id BIGINT NOT NULL,
    transaction_key TEXT NOT NULL,
    account BIGINT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    PRIMARY KEY (waba_id, transaction_key, account, currency)
) {WITHOUT_ROWID};

-- Balances are sums: no row that every payment of a business would have to update.
CREATE INDEX journal_entry_account ON journal_entry (waba_id, account, currency, amount);

-- slice: billing
-- key: waba_id
-- A business pays the operator from one wallet, in one currency: that of its first top-up.
CREATE TABLE wallet (
    waba_id BIGINT NOT NULL,
    currency TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (waba_id)
) {WITHOUT_ROWID};
