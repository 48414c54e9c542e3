//! May this business send this message to this person now?

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    limits::CUSTOMER_SERVICE_WINDOW_MS,
    wire::{
        self, ConversationKind, MessageCategory, MessageClass,
        send_outcome::{BusinessRefused, business_refused::Rule},
    },
};

use super::{store, templates};
use crate::{
    accounts,
    app::App,
    error::{Failure, reason},
    messaging,
    socket::Identity,
};

/// `None`: the send may go on to the conversation. Only CONTENT is judged: receipts and edits follow it.
pub(crate) async fn admit(app: &App, sender: Identity, send: &wire::Send) -> Result<Option<BusinessRefused>, Failure> {
    if send.class() != MessageClass::Content {
        return Ok(None);
    }
    let conversation = ConversationId::from_slice(&send.conversation_id)
        .map_err(|rule| Failure::invalid("send.conversation_id", rule))?;
    let business = send.business.unwrap_or_default();
    match business.category() {
        MessageCategory::Unspecified | MessageCategory::Service => {
            let open = open_until(app, conversation).await?.is_some();
            Ok((!open).then(|| BusinessRefused {
                rule: Rule::WindowClosed.into(),
                message: "the person has not written within the last 24 hours: only an approved template may be sent"
                    .into(),
            }))
        }
        category => {
            let number = store::number_of_account(&mut app.db.reader().await?, sender.account).await?;
            let number = number.ok_or_else(|| Failure::denied(reason::POLICY, "this account is no business number"))?;
            let approved = templates::is_approved(app, number.waba_id, business.template_id, category).await?;
            Ok((!approved).then(|| BusinessRefused {
                rule: Rule::Template.into(),
                message: "send.business.template_id is no approved template of this business and category".into(),
            }))
        }
    }
}

/// Until when a business may write freely; `None`: not now.
async fn open_until(app: &App, conversation: ConversationId) -> Result<Option<i64>, Failure> {
    let last = messaging::last_content_ms(app, conversation).await?;
    let until = last.map(|last| last + CUSTOMER_SERVICE_WINDOW_MS);
    Ok(until.filter(|until| *until > app.now_ms()))
}

/// The customer service window with a person, as the session's own business sees it.
pub(crate) async fn fetch_window(
    app: &App,
    identity: Identity,
    request: &wire::FetchWindow,
) -> Result<wire::Window, Failure> {
    let person =
        AccountId::from_slice(&request.account_id).map_err(|rule| Failure::invalid("fetch_window.account_id", rule))?;
    let conversation = ConversationId::business(identity.account, person);
    Ok(wire::Window {
        open_until_ms: open_until(app, conversation).await?.unwrap_or(0),
    })
}

/// A conversation with a business account is a BUSINESS one, and no other is: else windows could be walked around.
pub(crate) async fn check_kind(
    app: &App,
    creator: Identity,
    request: &wire::CreateConversation,
) -> Result<(), Failure> {
    let welcomed = request.bundle.iter().flat_map(|bundle| &bundle.welcomed);
    let mut accounts: Vec<AccountId> = welcomed
        .filter_map(|address| AccountId::from_slice(&address.account_id).ok())
        .chain([creator.account])
        .collect();
    accounts.sort_unstable();
    accounts.dedup();
    let mut businesses = 0;
    for account in &accounts {
        businesses += usize::from(accounts::is_business(app, *account).await?);
    }
    let fits = match request.kind() {
        ConversationKind::Business => businesses == 1,
        _ => businesses == 0,
    };
    if fits {
        Ok(())
    } else {
        Err(Failure::invalid(
            "create_conversation.kind",
            "must be BUSINESS exactly where one of the two accounts is a business number's",
        ))
    }
}
