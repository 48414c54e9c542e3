//! Who types and who is there: relayed to whoever is online, never stored.

use kabar_protocol::{
    ids::ConversationId,
    wire::{self, PresenceNotice, TypingNotice, presence::Kind, server_frame::Body},
};

use super::conversation;
use crate::{
    app::App,
    error::{Failure, reason},
    limits::RateLimit,
    socket::{Identity, frame},
};

pub(crate) async fn typing(app: &App, sender: Identity, request: wire::Typing) -> Result<(), Failure> {
    let id = ConversationId::from_slice(&request.conversation_id)
        .map_err(|rule| Failure::invalid("typing.conversation_id", rule))?;
    let notice = Body::Typing(TypingNotice {
        conversation_id: id.to_bytes(),
        account_id: sender.account.to_bytes(),
        active: request.active,
    });
    relay(app, sender, id, notice).await
}

pub(crate) async fn presence(app: &App, sender: Identity, request: wire::Presence) -> Result<(), Failure> {
    let id = ConversationId::from_slice(&request.conversation_id)
        .map_err(|rule| Failure::invalid("presence.conversation_id", rule))?;
    if request.kind() == Kind::Unspecified {
        return Err(Failure::invalid("presence.kind", "must be ASKED, HERE or AWAY"));
    }
    let notice = Body::Presence(PresenceNotice {
        conversation_id: id.to_bytes(),
        account_id: sender.account.to_bytes(),
        kind: request.kind,
    });
    relay(app, sender, id, notice).await
}

async fn relay(app: &App, sender: Identity, id: ConversationId, notice: Body) -> Result<(), Failure> {
    app.limits
        .check(RateLimit::Ephemeral, sender.device.as_slice(), app.now_ms())?;
    let conversation = conversation::conversation(app, id).await?;
    let Some(conversation) = conversation.filter(|conversation| conversation.is_member(sender)) else {
        let rule = "this device is no member of the conversation";
        return Err(Failure::denied(reason::NOT_A_MEMBER, rule));
    };
    let notice = frame::push(notice);
    for device in conversation.recipients(sender.device) {
        if let Some(session) = app.bus.session(device) {
            session.push(notice.clone());
        }
    }
    Ok(())
}
