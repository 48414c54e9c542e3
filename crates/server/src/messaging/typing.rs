//! Typing notices: relayed to whoever is online, never stored.

use kabar_protocol::{
    ids::ConversationId,
    wire::{self, TypingNotice, server_frame::Body},
};

use super::conversation;
use crate::{
    app::App,
    error::{Failure, reason},
    limits::RateLimit,
    socket::{Identity, frame},
};

pub(crate) async fn typing(app: &App, sender: Identity, request: wire::Typing) -> Result<(), Failure> {
    app.limits
        .check(RateLimit::Typing, sender.device.as_slice(), app.now_ms())?;
    let id = ConversationId::from_slice(&request.conversation_id)
        .map_err(|rule| Failure::invalid("typing.conversation_id", rule))?;
    let conversation = conversation::conversation(app, id).await?;
    let Some(conversation) = conversation.filter(|conversation| conversation.is_member(sender)) else {
        let rule = "this device is no member of the conversation";
        return Err(Failure::denied(reason::NOT_A_MEMBER, rule));
    };
    let notice = frame::push(Body::Typing(TypingNotice {
        conversation_id: id.to_bytes(),
        account_id: sender.account.to_bytes(),
        active: request.active,
    }));
    for device in conversation.recipients(sender.device) {
        if let Some(session) = app.bus.session(device) {
            session.push(notice.clone());
        }
    }
    Ok(())
}
