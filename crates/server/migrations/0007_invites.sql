-- Links into groups of people, and who asks to be let in. Conventions as in 0001_messenger.sql.

-- slice: messaging
-- key: conversation_id
-- key_hash: the beginning of SHA-256(public_key), as in the link's code. uses_max 0: no limit. approval: 1 if the bearer may only ask.
-- preview: what the group is called, sealed under a key that is in the link's fragment.
CREATE TABLE group_invite (
    conversation_id {BLOB} NOT NULL,
    key_hash {BLOB} NOT NULL,
    public_key {BLOB} NOT NULL,
    expires_ms BIGINT NOT NULL,
    uses_max BIGINT NOT NULL,
    uses BIGINT NOT NULL,
    approval BIGINT NOT NULL,
    preview {BLOB} NOT NULL,
    PRIMARY KEY (conversation_id, key_hash)
) {WITHOUT_ROWID};

-- slice: messaging
-- key: conversation_id
-- note: what the asker calls himself, sealed as the preview is.
CREATE TABLE join_request (
    conversation_id {BLOB} NOT NULL,
    account_id {BLOB} NOT NULL,
    key_hash {BLOB} NOT NULL,
    note {BLOB} NOT NULL,
    asked_ms BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, account_id)
) {WITHOUT_ROWID};
