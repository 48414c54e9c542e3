//! People who ask to be let into a group, and those who may let them in.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    limits::JOIN_NOTE_BYTES_MAX,
    policy,
    wire::{
        self, JoinRequested, JoinRequests,
        request_join_outcome::{Asked, Gone, Member, Outcome},
        server_frame::Body,
    },
};

use super::{
    super::conversation::{self, Conversation},
    as_host, check_rate,
    open::{is_bearer, open_invite},
    parse_code, store,
};
use crate::{
    accounts,
    app::App,
    error::{Failure, reason},
    socket::{Identity, frame},
};

pub(crate) async fn request_join(app: &App, asker: Identity, request: wire::RequestJoin) -> Result<Outcome, Failure> {
    check_rate(app, asker.account.as_slice())?;
    let code = parse_code("request_join.code", &request.code)?;
    if request.note.len() > JOIN_NOTE_BYTES_MAX {
        let rule = format!("must have at most {JOIN_NOTE_BYTES_MAX} bytes");
        return Err(Failure::invalid("request_join.note", rule));
    }
    if accounts::is_business(app, asker.account).await? {
        return Err(Failure::denied(
            reason::POLICY,
            "the account of a business number is in no group",
        ));
    }
    let stored = open_invite(app, code).await?;
    let conversation = conversation::conversation(app, code.conversation).await?;
    let bearer = stored.is_some_and(|stored| is_bearer(&stored, code, asker, &request.signature));
    let Some(conversation) = conversation.filter(|_| bearer) else {
        return Ok(Outcome::Gone(Gone {}));
    };
    if conversation.has_account(asker.account) {
        return Ok(Outcome::Member(Member {}));
    }
    let put = (code, asker.account, request.note, app.now_ms());
    let kept = app
        .db
        .write(put, |tx, (code, account, note, now_ms)| {
            Box::pin(store::put_request(tx, *code, *account, note, *now_ms))
        })
        .await?;
    if !kept {
        return Err(Failure::denied(
            reason::POLICY,
            "too many people are waiting to be let into this group",
        ));
    }
    tell_hosts(app, &conversation);
    Ok(Outcome::Asked(Asked {}))
}

/// Whoever is not online finds the request when he comes.
fn tell_hosts(app: &App, conversation: &Conversation) {
    let notice = frame::push(Body::JoinRequested(JoinRequested {
        conversation_id: conversation.id.to_bytes(),
    }));
    let Some(policy) = &conversation.policy else { return };
    let hosts = conversation.members.iter();
    for host in hosts.filter(|member| policy::may_add(policy, member.account)) {
        if let Some(session) = app.bus.session(host.device) {
            session.push(notice.clone());
        }
    }
}

fn not_a_host(rule: &policy::PolicyError) -> Failure {
    Failure::denied(reason::POLICY, rule.to_string())
}

pub(crate) async fn fetch_join_requests(
    app: &App,
    host: Identity,
    request: wire::FetchJoinRequests,
) -> Result<JoinRequests, Failure> {
    let parameter = "fetch_join_requests.conversation_id";
    let conversation = as_host(app, host, parameter, &request.conversation_id).await?;
    let conversation = conversation.map_err(|rule| not_a_host(&rule))?;
    let requests = store::requests(&mut app.db.reader().await?, conversation.id).await?;
    Ok(JoinRequests { requests })
}

/// By a host, or by the one who asks, of himself. Nobody learns by it whether there is such a request, or such a group.
pub(crate) async fn decline_join_request(
    app: &App,
    by: Identity,
    request: wire::DeclineJoinRequest,
) -> Result<(), Failure> {
    let account = AccountId::from_slice(&request.account_id)
        .map_err(|rule| Failure::invalid("decline_join_request.account_id", rule))?;
    let parameter = "decline_join_request.conversation_id";
    let id = if account == by.account {
        check_rate(app, by.account.as_slice())?;
        ConversationId::from_slice(&request.conversation_id).map_err(|rule| Failure::invalid(parameter, rule))?
    } else {
        let conversation = as_host(app, by, parameter, &request.conversation_id).await?;
        conversation.map_err(|rule| not_a_host(&rule))?.id
    };
    let write = app.db.write((id, account), |tx, (id, account)| {
        Box::pin(store::delete_requests(tx, *id, std::slice::from_ref(account)))
    });
    Ok(write.await?)
}
