-- The messenger: accounts and messaging.
--
-- One text for SQLite and PostgreSQL. Types are BIGINT, TEXT and {BLOB}; ids are 16 bytes; times are Unix milliseconds.
-- Above each table: the slice that alone reads and writes it, and the key by which a cluster may distribute it,
-- which is the first column of its primary key and of every unique index.

-- slice: server
-- key: name
-- What belongs to this life of the database: `timeline` changes when a backup is restored.
CREATE TABLE server_value (
    name TEXT NOT NULL,
    value {BLOB} NOT NULL,
    PRIMARY KEY (name)
) {WITHOUT_ROWID};

-- slice: accounts
-- key: account_id
CREATE TABLE account (
    account_id {BLOB} NOT NULL,
    created_ms BIGINT NOT NULL,
    list_version BIGINT NOT NULL,
    -- 0: a person's, 1: a business number's
    kind BIGINT NOT NULL,
    username TEXT,
    phone_hmac {BLOB},
    PRIMARY KEY (account_id)
) {WITHOUT_ROWID};

-- slice: accounts
-- key: account_id
-- The signed chain, as it came.
CREATE TABLE device_list_entry (
    account_id {BLOB} NOT NULL,
    version BIGINT NOT NULL,
    body {BLOB} NOT NULL,
    signature {BLOB} NOT NULL,
    signer {BLOB} NOT NULL,
    device_proof {BLOB} NOT NULL,
    PRIMARY KEY (account_id, version)
) {WITHOUT_ROWID};

-- slice: accounts
-- key: username_hmac
CREATE TABLE username (
    username_hmac {BLOB} NOT NULL,
    account_id {BLOB} NOT NULL,
    PRIMARY KEY (username_hmac)
) {WITHOUT_ROWID};

-- slice: accounts
-- key: phone_hmac
-- Who proved the number last. An account's own phone_hmac counts only while this row agrees.
CREATE TABLE phone (
    phone_hmac {BLOB} NOT NULL,
    account_id {BLOB} NOT NULL,
    verified_ms BIGINT NOT NULL,
    PRIMARY KEY (phone_hmac)
) {WITHOUT_ROWID};

-- slice: accounts
-- key: phone_hmac
-- One pending code per number; wrong guesses add up over all accounts that ask.
CREATE TABLE phone_code (
    phone_hmac {BLOB} NOT NULL,
    account_id {BLOB} NOT NULL,
    code TEXT NOT NULL,
    sent_ms BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    wrong_guesses BIGINT NOT NULL,
    locked_until_ms BIGINT NOT NULL,
    PRIMARY KEY (phone_hmac)
) {WITHOUT_ROWID};

-- slice: accounts
-- key: code_hash
CREATE TABLE invite (
    code_hash {BLOB} NOT NULL,
    uses_left BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (code_hash)
) {WITHOUT_ROWID};

-- slice: accounts
-- key: account_id
CREATE TABLE key_package (
    account_id {BLOB} NOT NULL,
    device_id {BLOB} NOT NULL,
    suite BIGINT NOT NULL,
    last_resort BIGINT NOT NULL,
    package_hash {BLOB} NOT NULL,
    not_after_ms BIGINT NOT NULL,
    body {BLOB} NOT NULL,
    PRIMARY KEY (account_id, device_id, suite, last_resort, package_hash)
) {WITHOUT_ROWID};

-- slice: messaging
-- key: conversation_id
-- Narrow, because every send updates it.
CREATE TABLE conversation (
    conversation_id {BLOB} NOT NULL,
    kind BIGINT NOT NULL,
    generation BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    last_seq BIGINT NOT NULL,
    PRIMARY KEY (conversation_id)
) {WITHOUT_ROWID};

-- slice: messaging
-- key: conversation_id
-- The public side of the MLS group at the conversation's generation and epoch.
CREATE TABLE conversation_group (
    conversation_id {BLOB} NOT NULL,
    created_ms BIGINT NOT NULL,
    reset_ms BIGINT NOT NULL,
    group_info {BLOB} NOT NULL,
    public_state {BLOB} NOT NULL,
    PRIMARY KEY (conversation_id)
) {WITHOUT_ROWID};

-- slice: messaging
-- key: conversation_id
-- Commits that were accepted, by the epoch that they ended: a repeated submission is recognised here.
CREATE TABLE conversation_commit (
    conversation_id {BLOB} NOT NULL,
    generation BIGINT NOT NULL,
    epoch BIGINT NOT NULL,
    commit_hash {BLOB} NOT NULL,
    seq BIGINT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, generation, epoch)
) {WITHOUT_ROWID};

-- slice: messaging
-- key: conversation_id
CREATE TABLE member (
    conversation_id {BLOB} NOT NULL,
    device_id {BLOB} NOT NULL,
    account_id {BLOB} NOT NULL,
    PRIMARY KEY (conversation_id, device_id)
) {WITHOUT_ROWID};

-- slice: messaging
-- key: conversation_id
-- Bodies that are not inline in a queue, and every commit. `envelope` is a Deliver without its cursor.
CREATE TABLE conversation_log (
    conversation_id {BLOB} NOT NULL,
    seq BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    envelope {BLOB} NOT NULL,
    PRIMARY KEY (conversation_id, seq, kind)
) {WITHOUT_ROWID};

-- slice: messaging
-- key: conversation_id
-- A send that was acknowledged. send_id = hash of device and client message id.
CREATE TABLE send (
    conversation_id {BLOB} NOT NULL,
    send_id {BLOB} NOT NULL,
    seq BIGINT NOT NULL,
    time_ms BIGINT NOT NULL,
    stamp {BLOB} NOT NULL,
    PRIMARY KEY (conversation_id, send_id)
) {WITHOUT_ROWID};

-- slice: messaging
-- key: conversation_id
-- How far an account's devices have the conversation's messages.
CREATE TABLE receipt (
    conversation_id {BLOB} NOT NULL,
    account_id {BLOB} NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, account_id)
) {WITHOUT_ROWID};

-- slice: messaging
-- key: conversation_id
-- When the person of a business conversation last wrote content.
CREATE TABLE last_content (
    conversation_id {BLOB} NOT NULL,
    time_ms BIGINT NOT NULL,
    PRIMARY KEY (conversation_id)
) {WITHOUT_ROWID};

-- slice: messaging
-- key: device_id
-- A device's counters. last_cursor is the newest queue item, acked_cursor the newest acknowledged one.
CREATE TABLE inbox (
    device_id {BLOB} NOT NULL,
    last_cursor BIGINT NOT NULL,
    acked_cursor BIGINT NOT NULL,
    client_seq BIGINT NOT NULL,
    PRIMARY KEY (device_id)
) {WITHOUT_ROWID};

-- slice: messaging
-- key: device_id
-- What a device has not acknowledged. Without an envelope, the body is in conversation_log.
CREATE TABLE queue (
    device_id {BLOB} NOT NULL,
    cursor BIGINT NOT NULL,
    conversation_id {BLOB} NOT NULL,
    seq BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    envelope {BLOB},
    PRIMARY KEY (device_id, cursor)
) {WITHOUT_ROWID};
