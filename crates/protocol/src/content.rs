//! Message ids and the authenticated data that bind content to its envelope.

use prost::Message;
use sha2::{Digest, Sha256};

use crate::{
    ids::{AccountId, ConversationId, MessageId},
    limits::TEXT_CHARS_MAX,
    wire,
};

/// First byte of a message id: SHA-256, as in MIMI.
const HASH_SHA256: u8 = 1;

/// The id of a message: opens to the sender, the conversation and the exact content bytes (which hold a salt).
pub fn message_id(sender: AccountId, conversation: ConversationId, content: &[u8]) -> MessageId {
    let mut hasher = Sha256::new();
    hasher.update(b"kabar/v1/message-id");
    hasher.update(sender.as_slice());
    hasher.update(conversation.as_slice());
    hasher.update(content);
    let mut id = [0; 32];
    id[0] = HASH_SHA256;
    id[1..].copy_from_slice(&hasher.finalize()[..31]);
    MessageId(id)
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentError {
    #[error("text must not be empty")]
    Empty,
    #[error("text has {got} characters, at most {TEXT_CHARS_MAX} are allowed")]
    TooLong { got: usize },
}

/// Checks a text as the sender typed it.
pub fn text(body: &str) -> Result<(), ContentError> {
    let got = body.chars().count();
    match got {
        _ if body.trim().is_empty() => Err(ContentError::Empty),
        _ if got > TEXT_CHARS_MAX => Err(ContentError::TooLong { got }),
        _ => Ok(()),
    }
}

/// Decodes the authenticated data of a PrivateMessage; `None` unless it is complete.
pub fn authenticated_data(bytes: &[u8]) -> Option<(MessageId, wire::AuthenticatedData)> {
    let data = wire::AuthenticatedData::decode(bytes).ok()?;
    let id = MessageId::from_slice(&data.message_id).ok()?;
    Some((id, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_changes_with_sender_conversation_and_bytes() {
        let (account, conversation) = (AccountId([1; 16]), ConversationId([2; 16]));
        let id = message_id(account, conversation, b"x");
        assert_eq!(id.0[0], 1);
        assert_ne!(id, message_id(AccountId([9; 16]), conversation, b"x"));
        assert_ne!(id, message_id(account, ConversationId([9; 16]), b"x"));
        assert_ne!(id, message_id(account, conversation, b"y"));
    }

    #[test]
    fn the_id_is_the_same_in_every_version() {
        let id = message_id(AccountId([1; 16]), ConversationId([2; 16]), b"x");
        assert_eq!(
            id.to_string(),
            "01de1dd0b410942bb8be2208f932b9b336b0d717af2c2de381690fd5724273ce",
            "computed independently"
        );
    }

    #[test]
    fn text_is_bounded() {
        assert_eq!(text(" \n"), Err(ContentError::Empty));
        assert_eq!(text(&"é".repeat(TEXT_CHARS_MAX)), Ok(()));
        assert_eq!(
            text(&"é".repeat(TEXT_CHARS_MAX + 1)),
            Err(ContentError::TooLong { got: 4097 })
        );
    }
}
