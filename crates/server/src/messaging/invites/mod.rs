//! Links into groups: what a link shows, how often it may be used, and who asks to be let in.
//!
//! Who may come in is decided by `protocol::policy`, here as in every member's client; this adds what only a server can: counting.
//! Must not: learn what a group is called, which the preview says under a key that stays in the link.

mod http;
mod open;
mod requests;
mod store;
#[cfg(test)]
mod tests;

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    invite::InviteCode,
    limits::{INVITE_LIFETIME_MS_MAX, INVITE_PREVIEW_BYTES_MAX},
    policy::{self, CommitFacts, GroupFacts, PolicyError},
    wire::{
        self, PolicyDenied,
        publish_invite_outcome::{Outcome as Publishing, Published},
        revoke_invite_outcome::{Outcome as Revoking, Revoked},
    },
};

pub(crate) use self::{
    http::router,
    open::{fetch_invite, fetch_invited_group},
    requests::{decline_join_request, fetch_join_requests, request_join},
};
use super::{
    commit_store::{self, StoredGroup},
    conversation::{self, Cached},
    group_check::GroupFailure,
};
use crate::{
    app::App,
    db::{DbError, Tx},
    error::{Failure, reason},
    limits::RateLimit,
    socket::Identity,
};

fn denied(rule: &PolicyError) -> PolicyDenied {
    PolicyDenied {
        rule: rule.rule().into(),
        message: rule.to_string(),
    }
}

fn check_rate(app: &App, key: &[u8]) -> Result<(), Failure> {
    app.limits.check(RateLimit::Invites, key, app.now_ms())
}

fn parse_code(parameter: &'static str, code: &[u8]) -> Result<InviteCode, Failure> {
    let rule = || format!("must be {} bytes", InviteCode::BYTES);
    InviteCode::from_slice(code).ok_or_else(|| Failure::invalid(parameter, rule()))
}

/// The group, as one of its members asks who may add people; the inner error is why he may not.
async fn as_host(
    app: &App,
    member: Identity,
    parameter: &'static str,
    id: &[u8],
) -> Result<Result<Cached, PolicyError>, Failure> {
    check_rate(app, member.account.as_slice())?;
    let id = ConversationId::from_slice(id).map_err(|rule| Failure::invalid(parameter, rule))?;
    let conversation = conversation::conversation(app, id).await?;
    let Some(conversation) = conversation.filter(|conversation| conversation.is_member(member)) else {
        let rule = "this device is no member of the conversation";
        return Err(Failure::denied(reason::NOT_A_MEMBER, rule));
    };
    Ok(match &conversation.policy {
        Some(policy) if policy::may_add(policy, member.account) => Ok(conversation),
        Some(_) => Err(PolicyError::Role),
        None => Err(PolicyError::Roster),
    })
}

pub(crate) async fn publish_invite(
    app: &App,
    host: Identity,
    request: wire::PublishInvite,
) -> Result<Publishing, Failure> {
    let now_ms = app.now_ms();
    if request.public_key.len() != 32 {
        return Err(Failure::invalid("publish_invite.public_key", "must be 32 bytes"));
    }
    if request.expires_ms <= now_ms || request.expires_ms > now_ms + INVITE_LIFETIME_MS_MAX {
        let rule = "must be later than now, by 366 days at most";
        return Err(Failure::invalid("publish_invite.expires_ms", rule));
    }
    if request.preview.len() > INVITE_PREVIEW_BYTES_MAX {
        let rule = format!("must have at most {INVITE_PREVIEW_BYTES_MAX} bytes");
        return Err(Failure::invalid("publish_invite.preview", rule));
    }
    let parameter = "publish_invite.conversation_id";
    let conversation = match as_host(app, host, parameter, &request.conversation_id).await? {
        Ok(conversation) => conversation,
        Err(rule) => return Ok(Publishing::PolicyDenied(denied(&rule))),
    };
    let code = InviteCode::new(conversation.id, &request.public_key);
    let put = (code, request, now_ms);
    let written = app
        .db
        .write(put, |tx, (code, request, now_ms)| {
            Box::pin(store::put_invite(tx, *code, request, *now_ms))
        })
        .await?;
    Ok(if written {
        Publishing::Published(Published {
            code: code.to_vec().into(),
        })
    } else {
        Publishing::PolicyDenied(denied(&PolicyError::TooManyInvites))
    })
}

pub(crate) async fn revoke_invite(app: &App, host: Identity, request: wire::RevokeInvite) -> Result<Revoking, Failure> {
    let conversation = match as_host(app, host, "revoke_invite.conversation_id", &request.conversation_id).await? {
        Ok(conversation) => conversation,
        Err(rule) => return Ok(Revoking::PolicyDenied(denied(&rule))),
    };
    let code = InviteCode::new(conversation.id, &request.public_key);
    app.db
        .write(code, |tx, code| Box::pin(store::delete_invite(tx, *code)))
        .await?;
    Ok(Revoking::Revoked(Revoked {}))
}

/// The group, for somebody who may be about to come in by a link.
pub(super) async fn open_group(app: &App, id: ConversationId) -> Result<Option<StoredGroup>, Failure> {
    let mut tx = app.db.reader().await?;
    if !store::has_open(&mut tx, id, app.now_ms()).await? {
        return Ok(None);
    }
    Ok(commit_store::stored_group(&mut tx, id).await?)
}

/// The link that a commit was made by, if by one; the policy has allowed it.
///
/// Counted in the commit's transaction: as commits of a group come one after the other, none is used too often.
pub(super) async fn used(
    app: &App,
    id: ConversationId,
    before: &GroupFacts,
    commit: &CommitFacts,
) -> Result<Option<InviteCode>, GroupFailure> {
    let policy::Committer::External(joiner) = commit.committer else {
        return Ok(None);
    };
    let Some(invited) = commit.invited.filter(|_| !before.roster().contains(&joiner.account)) else {
        return Ok(None);
    };
    let code = InviteCode::new(id, &invited.public_key);
    let stored = store::invite(&mut app.db.reader().await?, code).await?;
    let works = stored.is_some_and(|stored| {
        stored.public_key[..] == invited.public_key && stored.is_open(app.now_ms()) && !stored.approval
    });
    if works {
        Ok(Some(code))
    } else {
        Err(PolicyError::Invite.into())
    }
}

/// Somebody new is in the group: nobody has to let him in any more.
pub(super) async fn came_in(
    tx: &mut Tx,
    id: ConversationId,
    newcomers: &[AccountId],
    used: Option<InviteCode>,
) -> Result<(), DbError> {
    if let Some(code) = used {
        store::count_use(tx, code).await?;
    }
    if newcomers.is_empty() {
        return Ok(());
    }
    store::delete_requests(tx, id, newcomers).await
}
