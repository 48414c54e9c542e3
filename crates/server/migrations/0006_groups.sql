-- Groups of people. Conventions as in 0001_messenger.sql.

-- slice: messaging
-- key: conversation_id
-- Roles and settings of a group's present epoch: the GroupPolicy of its GroupContext, as every send has to know it. The name, the
-- description and the picture of a group are messages: none of them is here.
CREATE TABLE group_policy (
    conversation_id {BLOB} NOT NULL,
    policy {BLOB} NOT NULL,
    PRIMARY KEY (conversation_id)
) {WITHOUT_ROWID};
