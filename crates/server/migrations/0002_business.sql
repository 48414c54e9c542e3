-- Companies: their numbers, the accounts of these, and their message templates. Conventions as in 0001_messenger.sql.

-- slice: business
-- key: waba_id
CREATE TABLE business (
    waba_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (waba_id)
) {WITHOUT_ROWID};

-- slice: business
-- key: waba_id
-- A number is an account once its gateway has enrolled. A business's number is public, unlike a person's.
CREATE TABLE business_number (
    waba_id BIGINT NOT NULL,
    phone_number_id BIGINT NOT NULL,
    phone TEXT NOT NULL,
    name TEXT NOT NULL,
    keys_held_by BIGINT NOT NULL,
    account_id {BLOB},
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (waba_id, phone_number_id)
) {WITHOUT_ROWID};

-- slice: business
-- key: code_hash
-- Codes that make an account that of a number; kept after use, so that a repeated enrolment is recognised.
CREATE TABLE business_enrolment (
    code_hash {BLOB} NOT NULL,
    waba_id BIGINT NOT NULL,
    phone_number_id BIGINT NOT NULL,
    PRIMARY KEY (code_hash)
) {WITHOUT_ROWID};

-- slice: business
-- key: account_id
CREATE TABLE business_account (
    account_id {BLOB} NOT NULL,
    waba_id BIGINT NOT NULL,
    phone_number_id BIGINT NOT NULL,
    PRIMARY KEY (account_id)
) {WITHOUT_ROWID};

-- slice: business
-- key: waba_id
CREATE TABLE message_template (
    waba_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    language TEXT NOT NULL,
    template_id BIGINT NOT NULL,
    category BIGINT NOT NULL,
    components TEXT NOT NULL,
    named_parameters BIGINT NOT NULL,
    status BIGINT NOT NULL,
    rejected_reason TEXT NOT NULL,
    created_ms BIGINT NOT NULL,
    PRIMARY KEY (waba_id, name, language)
) {WITHOUT_ROWID};
