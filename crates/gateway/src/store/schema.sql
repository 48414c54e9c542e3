-- The gateway's own database (DATA/gateway/gateway.db, SQLite). Secrets and bodies are sealed under DATA/gateway/key.

CREATE TABLE IF NOT EXISTS app (
    app_id INTEGER NOT NULL PRIMARY KEY,
    waba_id INTEGER NOT NULL,
    secret BLOB NOT NULL,
    created_ms INTEGER NOT NULL
);

-- Tokens as SHA-256 only.
CREATE TABLE IF NOT EXISTS token (
    token_hash BLOB NOT NULL PRIMARY KEY,
    app_id INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
);

-- Where an app's webhooks go: one address per app and object.
CREATE TABLE IF NOT EXISTS subscription (
    app_id INTEGER NOT NULL PRIMARY KEY,
    callback_url TEXT NOT NULL,
    verify_token BLOB NOT NULL,
    fields TEXT NOT NULL,
    created_ms INTEGER NOT NULL
);

-- feed_position: the newest item of the client's feed whose webhooks are queued.
CREATE TABLE IF NOT EXISTS number (
    phone_number_id INTEGER NOT NULL PRIMARY KEY,
    waba_id INTEGER NOT NULL,
    phone TEXT NOT NULL,
    name TEXT NOT NULL,
    enrolment_code TEXT NOT NULL,
    profile TEXT NOT NULL DEFAULT '{}',
    feed_position INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS number_by_business ON number (waba_id);

-- The people that a business knows: user_id is the business's own name for an account, the same for all its numbers.
CREATE TABLE IF NOT EXISTS contact (
    waba_id INTEGER NOT NULL,
    user_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    wa_id TEXT,
    name TEXT NOT NULL,
    PRIMARY KEY (waba_id, user_id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS contact_by_account ON contact (waba_id, account_id);
CREATE INDEX IF NOT EXISTS contact_by_phone ON contact (waba_id, wa_id);

-- What the statuses of a message that was sent have to say.
CREATE TABLE IF NOT EXISTS sent (
    message_id BLOB NOT NULL PRIMARY KEY,
    phone_number_id INTEGER NOT NULL,
    category TEXT NOT NULL,
    callback_data TEXT,
    window_until_ms INTEGER,
    created_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sent_by_age ON sent (created_ms);

-- The business's copy of what proves its charges; signature in hex. Amounts are integer minor units.
CREATE TABLE IF NOT EXISTS receipt (
    message_id BLOB NOT NULL PRIMARY KEY,
    phone_number_id INTEGER NOT NULL,
    conversation_id BLOB NOT NULL,
    seq INTEGER NOT NULL,
    timeline BLOB NOT NULL,
    account_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    category TEXT NOT NULL,
    rate_card_id INTEGER NOT NULL,
    price INTEGER NOT NULL,
    currency TEXT NOT NULL,
    signature TEXT NOT NULL,
    verified INTEGER NOT NULL,
    created_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS receipt_by_age ON receipt (created_ms);

-- Webhooks that wait. A lane is a conversation: its deliveries go out one after the other, in the order of their ids.
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    app_id INTEGER NOT NULL,
    lane TEXT NOT NULL,
    body BLOB NOT NULL,
    created_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_ms INTEGER NOT NULL,
    dead INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS delivery_by_lane ON delivery (app_id, dead, lane, id);
CREATE INDEX IF NOT EXISTS delivery_by_time ON delivery (dead, next_ms);

-- Sends by Idempotency-Key; status 0 while the first is under way, -1 if it broke off.
CREATE TABLE IF NOT EXISTS idempotency (
    waba_id INTEGER NOT NULL,
    key_hash BLOB NOT NULL,
    request_hash BLOB NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (waba_id, key_hash)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS idempotency_by_age ON idempotency (created_ms);

-- Flows: the screens that a message carries, and where their questions go.
CREATE TABLE IF NOT EXISTS flow (
    flow_id INTEGER NOT NULL PRIMARY KEY,
    waba_id INTEGER NOT NULL,
    app_id INTEGER NOT NULL,
    name TEXT NOT NULL,
    categories TEXT NOT NULL,
    status TEXT NOT NULL,
    json TEXT NOT NULL,
    endpoint_uri TEXT,
    updated_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS flow_by_business ON flow (waba_id, updated_ms);
CREATE INDEX IF NOT EXISTS flow_by_name ON flow (waba_id, name);

-- Public keys (PEM) to which questions of a number's flows are sealed.
CREATE TABLE IF NOT EXISTS flow_key (
    phone_number_id INTEGER NOT NULL PRIMARY KEY,
    public_key TEXT NOT NULL
);

-- Uploaded files; the bytes are in DATA/gateway/media/<media_id>, sealed.
CREATE TABLE IF NOT EXISTS media (
    media_id INTEGER NOT NULL PRIMARY KEY,
    waba_id INTEGER NOT NULL,
    mime_type TEXT NOT NULL,
    sha256 BLOB NOT NULL,
    file_size INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS media_by_age ON media (expires_ms);

-- Files that people sent: file holds key and address, sealed; the bytes stay at the server.
CREATE TABLE IF NOT EXISTS persons_file (
    media_id INTEGER NOT NULL PRIMARY KEY,
    waba_id INTEGER NOT NULL,
    phone_number_id INTEGER NOT NULL,
    file BLOB NOT NULL,
    expires_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS persons_file_by_age ON persons_file (expires_ms);

-- Orders that were offered. seq_done: the newest change of its payment whose webhook and tickets are done.
CREATE TABLE IF NOT EXISTS offered (
    waba_id INTEGER NOT NULL,
    reference_id TEXT NOT NULL,
    phone_number_id INTEGER NOT NULL,
    conversation_id TEXT NOT NULL,
    message_id BLOB NOT NULL,
    account_id TEXT NOT NULL,
    items TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    PRIMARY KEY (waba_id, reference_id)
) WITHOUT ROWID;

-- How far a number has followed the changes of its business's payments.
CREATE TABLE IF NOT EXISTS payment_position (
    phone_number_id INTEGER NOT NULL PRIMARY KEY,
    seq INTEGER NOT NULL
);

-- The key that signs a business's tickets, sealed.
CREATE TABLE IF NOT EXISTS ticket_issuer (
    waba_id INTEGER NOT NULL PRIMARY KEY,
    secret BLOB NOT NULL
);
