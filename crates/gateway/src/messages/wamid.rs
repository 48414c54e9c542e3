//! Message ids of the API: `wamid.` and the base64 of conversation id and message id, so that one needs no table.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use kabar_protocol::ids::{ConversationId, MessageId};

const PREFIX: &str = "wamid.";

pub fn encode(conversation_id: ConversationId, message_id: MessageId) -> String {
    let bytes = [conversation_id.as_slice(), message_id.as_slice()].concat();
    format!("{PREFIX}{}", STANDARD.encode(bytes))
}

/// `None` for what no gateway of ours has written.
pub fn decode(text: &str) -> Option<(ConversationId, MessageId)> {
    let bytes = STANDARD.decode(text.strip_prefix(PREFIX)?).ok()?;
    let (conversation_id, message_id) = bytes.split_at_checked(ConversationId::BYTES)?;
    Some((
        ConversationId::from_slice(conversation_id).ok()?,
        MessageId::from_slice(message_id).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_gives_back_conversation_and_message() {
        let (conversation_id, message_id) = (ConversationId([7; 16]), MessageId([9; 32]));
        let text = encode(conversation_id, message_id);
        assert_eq!(text.len(), PREFIX.len() + 64);
        assert_eq!(decode(&text), Some((conversation_id, message_id)));
    }

    #[test]
    fn garbage_is_none() {
        let good = encode(ConversationId([7; 16]), MessageId([9; 32]));
        let short = format!("{PREFIX}{}", STANDARD.encode([1; 47]));
        let long = format!("{PREFIX}{}", STANDARD.encode([1; 49]));
        for text in [
            "",
            "wamid.",
            "wamid.x",
            "wamid.HBgLMTY0NjcwNDM1OTUVAgA=",
            &good[6..],
            &good[..69],
            &short,
            &long,
        ] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
