//! What is inside the encryption: made for each message of ours, and opened from each of the others'.

use kabar_protocol::{
    content::message_id,
    ids::{AccountId, ConversationId, MessageId},
    names,
    wire::{self, MessageClass, content::Body},
};
use prost::Message as _;

use super::{Changes, Row, mentions, vanish};
use crate::{
    api::{Mention, MessageKind, Shown, TimeMs},
    state::State,
    store::Blob,
};

/// Content that has been checked against its envelope.
pub(super) struct Opened {
    pub(super) message_id: MessageId,
    pub(super) content: wire::Content,
    /// The same as it came: what the message id is a hash of.
    pub(super) bytes: Blob,
}

/// Why an envelope's content is not what the envelope says. None of these can be an accident of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forged {
    Class,
    MessageId,
    Sender,
    Fork,
    Content,
    /// Its sender may not write in this group.
    Post,
}

/// The class that a body must travel in.
fn class_of(content: &wire::Content) -> MessageClass {
    match &content.body {
        _ if content.replaces.is_some() => MessageClass::Edit,
        Some(Body::ReadUpTo(_)) => MessageClass::Receipt,
        Some(Body::Reaction(_) | Body::Rsvp(_) | Body::Vote(_) | Body::Opened(_)) => MessageClass::Reaction,
        Some(
            Body::Text(_)
            | Body::Deleted(_)
            | Body::Interactive(_)
            | Body::InteractiveReply(_)
            | Body::Template(_)
            | Body::Ticket(_)
            | Body::File(_)
            | Body::Event(_)
            | Body::Poll(_)
            | Body::Location(_)
            | Body::Contacts(_),
        ) => MessageClass::Content,
        Some(
            Body::FlowRequest(_)
            | Body::FlowResponse(_)
            | Body::GroupInfo(_)
            | Body::History(_)
            | Body::Pin(_)
            | Body::Timer(_),
        ) => MessageClass::Control,
        // A body that this version does not know: shown as unsupported, whatever its class.
        None => MessageClass::Unspecified,
    }
}

/// `sender` is the account that MLS authenticated; `bound` the envelope's authenticated data.
pub(super) fn open(
    sender: AccountId,
    conversation: ConversationId,
    class: MessageClass,
    bound: MessageId,
    bytes: &[u8],
) -> Result<Opened, Forged> {
    if message_id(sender, conversation, bytes) != bound {
        return Err(Forged::MessageId);
    }
    let content = wire::Content::decode(bytes).map_err(|_| Forged::Content)?;
    let expected = class_of(&content);
    if expected != MessageClass::Unspecified && expected != class {
        return Err(Forged::Class);
    }
    Ok(Opened {
        message_id: bound,
        content,
        bytes: bytes.to_vec().into(),
    })
}

/// The other message that a content is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    Nothing,
    /// It is another one, passed on for the so-manieth time.
    Forwards(u32),
    Answers(MessageId),
    Replaces(MessageId),
}

impl From<Option<MessageId>> for About {
    fn from(answered: Option<MessageId>) -> Self {
        answered.map_or(Self::Nothing, Self::Answers)
    }
}

impl Opened {
    pub(super) fn row(&self, seq: u64, from: AccountId, time: TimeMs) -> Row {
        let shown = self.content.body.as_ref().and_then(Shown::of);
        let reply = self.content.in_reply_to.as_ref();
        Row {
            message_id: self.message_id,
            seq,
            sub: 0,
            from,
            kind: shown.as_ref().map_or(MessageKind::Unsupported, Shown::kind),
            about: Vec::new(),
            text: shown.as_ref().map(Shown::text),
            shown: shown.and_then(Shown::beside_text),
            automated: self.content.automated,
            forwarded: self.content.forwarded,
            mentions: mentions::of(&self.content),
            starred: false,
            expires_at: vanish::expiry(&self.content, time),
            in_reply_to: reply.and_then(|id| MessageId::from_slice(id).ok()),
            changes: Changes::default(),
            time,
        }
    }
}

impl State {
    /// Encoded Content with its message id. Carries our name if this conversation has not got it yet.
    pub(super) fn make_content(
        &mut self,
        conversation: ConversationId,
        about: About,
        body: Body,
        mentions: &[Mention],
        expires_at_ms: Option<TimeMs>,
    ) -> Option<(MessageId, Vec<u8>)> {
        let business = self.is_business();
        let account = self.account.as_ref()?;
        let me = account.account;
        let chat = self.chats.get_mut(&conversation)?;
        // What may get lost on its way does not carry it.
        let is_passing = matches!(body, Body::ReadUpTo(_) | Body::FlowRequest(_) | Body::FlowResponse(_));
        let profile = (!is_passing && chat.name_sent < account.name_version).then(|| wire::Profile {
            name: account.name.clone(),
            version: account.name_version,
        });
        if profile.is_some() {
            chat.name_sent = account.name_version;
        }
        let content = wire::Content {
            salt: self.engine.random::<16>().to_vec().into(),
            sent_at_ms: self.now,
            replaces: match about {
                About::Replaces(id) => Some(id.to_bytes()),
                _ => None,
            },
            in_reply_to: match about {
                About::Answers(id) => Some(id.to_bytes()),
                _ => None,
            },
            expires_at_ms,
            profile,
            // Everything that a business sends goes through the API: a program wrote it.
            automated: business,
            forwarded: match about {
                About::Forwards(times) => times,
                _ => 0,
            },
            mentions: mentions.iter().map(Mention::wire).collect(),
            body: Some(body),
        };
        let bytes = content.encode_to_vec();
        Some((message_id(me, conversation, &bytes), bytes))
    }

    /// The data that rides in the clear beside the ciphertext, and is authenticated by it.
    pub(super) fn authenticated_data(&self, message: MessageId, class: MessageClass) -> Vec<u8> {
        let head = self.account.as_ref().map(crate::accounts::Account::credential);
        wire::AuthenticatedData {
            message_id: message.to_bytes(),
            class: class.into(),
            timeline: self.cursor.timeline.to_vec().into(),
            device_list_version: head.map(|head| head.list_version).unwrap_or_default(),
            device_list_hash: head.map(|head| head.list_hash.to_vec()).unwrap_or_default().into(),
        }
        .encode_to_vec()
    }

    /// How the sender wants to be called.
    pub(super) fn take_profile(&mut self, account: AccountId, profile: Option<&wire::Profile>) {
        let Some(profile) = profile else {
            return;
        };
        let Ok(name) = names::display_name(&profile.name) else {
            return;
        };
        if let Some(peer) = self.peers.get_mut(&account)
            && profile.version >= peer.name_version
            && peer.name != name
        {
            peer.name = name;
            peer.name_version = profile.version;
            self.save_peer(account);
        }
    }
}
