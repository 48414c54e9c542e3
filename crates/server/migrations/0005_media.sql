-- Files that people send: ciphertext on disk, and here who has put it there. Conventions as in 0001_messenger.sql.

-- slice: media
-- key: account_id
-- Room is taken when an upload begins. whole: 1 once every byte is there. expires_ms: when row and bytes are deleted, which is the end
-- of the upload's time as long as it is not whole.
CREATE TABLE media_file (
    account_id {BLOB} NOT NULL,
    file_id {BLOB} NOT NULL,
    size_bytes BIGINT NOT NULL,
    whole BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (account_id, file_id)
) {WITHOUT_ROWID};
