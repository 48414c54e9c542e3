//! What a link leads to: the sealed preview for everybody, the group's public side for whoever has the secret.

use std::collections::BTreeSet;

use kabar_protocol::{
    invite::{self, InviteCode},
    wire::{
        self,
        group_info_outcome::{NotFound, Outcome as Group},
        invite_outcome::{Found, Gone, Outcome},
    },
};

use super::{
    super::{conversation, read},
    StoredGroup, check_rate, commit_store, parse_code,
    store::{self, StoredInvite},
};
use crate::{app::App, error::Failure, socket::Identity};

pub(crate) async fn fetch_invite(app: &App, reader: Identity, request: wire::FetchInvite) -> Result<Outcome, Failure> {
    check_rate(app, reader.account.as_slice())?;
    shown(app, parse_code("fetch_invite.code", &request.code)?).await
}

/// Whoever calls it has checked a limit.
pub(super) async fn shown(app: &App, code: InviteCode) -> Result<Outcome, Failure> {
    let stored = open_invite(app, code).await?;
    let conversation = conversation::conversation(app, code.conversation).await?;
    let Some((stored, conversation)) = stored.zip(conversation) else {
        return Ok(Outcome::Gone(Gone {}));
    };
    let accounts: BTreeSet<_> = conversation.members.iter().map(|member| member.account).collect();
    Ok(Outcome::Found(Found {
        preview: stored.preview,
        expires_ms: stored.expires_ms,
        approval: stored.approval,
        members: u32::try_from(accounts.len()).unwrap_or(u32::MAX),
    }))
}

pub(super) async fn open_invite(app: &App, code: InviteCode) -> Result<Option<StoredInvite>, Failure> {
    let stored = store::invite(&mut app.db.reader().await?, code).await?;
    Ok(stored.filter(|stored| stored.is_open(app.now_ms())))
}

/// True if this device has shown that it has the link.
pub(super) fn is_bearer(stored: &StoredInvite, code: InviteCode, device: Identity, signature: &[u8]) -> bool {
    invite::verify_open(&stored.public_key, code, device.device, signature)
}

pub(crate) async fn fetch_invited_group(
    app: &App,
    reader: Identity,
    request: wire::FetchInvitedGroup,
) -> Result<Group, Failure> {
    check_rate(app, reader.account.as_slice())?;
    let code = parse_code("fetch_invited_group.code", &request.code)?;
    let stored = open_invite(app, code).await?;
    let allowed = stored.is_some_and(|stored| !stored.approval && is_bearer(&stored, code, reader, &request.signature));
    let group: Option<StoredGroup> = if allowed {
        commit_store::stored_group(&mut app.db.reader().await?, code.conversation).await?
    } else {
        None
    };
    Ok(group.map_or(Group::NotFound(NotFound {}), |group| {
        Group::Info(read::described(group))
    }))
}
