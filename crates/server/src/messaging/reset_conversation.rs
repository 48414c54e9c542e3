//! Generation n+1: a fresh group in place of one that its members cannot repair.

use std::sync::Arc;

use bytes::Bytes;
use kabar_protocol::{
    ids::{ConversationId, DeviceId},
    policy::{self, PolicyError},
    wire::{
        self, CommitBundle, ConversationKind, EpochConflict, PolicyDenied,
        deliver::Kind,
        reset_conversation_outcome::{Accepted, Outcome},
    },
};

use super::{
    batch,
    commit_store::{self, Parcel, StoredGroup},
    conversation::Conversation,
    envelope::Place,
    group_check::{self, Checked, GroupFailure, NewGroup, check_new_group, members},
    queue::Delivery,
};
use crate::{
    app::App,
    db::{DbError, Tx},
    error::Failure,
    limits::RateLimit,
    metrics::Metrics,
    mls::Group,
    socket::Identity,
};

/// At most one reset of a conversation in this time.
const RESET_INTERVAL_MS: i64 = 3_600_000;

pub(crate) async fn reset_conversation(
    app: &App,
    creator: Identity,
    request: wire::ResetConversation,
) -> Result<Outcome, Failure> {
    if app.db.reserve().disk_full() {
        return Err(Failure::disk_full());
    }
    app.limits.check(
        RateLimit::ConversationsCreated,
        creator.account.as_slice(),
        app.now_ms(),
    )?;
    let id = ConversationId::from_slice(&request.conversation_id)
        .map_err(|rule| Failure::invalid("reset_conversation.conversation_id", rule))?;
    let bundle = request
        .bundle
        .ok_or_else(|| Failure::invalid("reset_conversation.bundle", "is missing"))?;
    match accept(app, creator, id, request.generation, bundle).await {
        Ok(outcome) => Ok(outcome),
        Err(GroupFailure::Failure(failure)) => Err(failure),
        Err(GroupFailure::Policy(rule)) => Ok(Outcome::PolicyDenied(PolicyDenied {
            rule: rule.rule().into(),
            message: rule.to_string(),
        })),
    }
}

async fn accept(
    app: &App,
    creator: Identity,
    id: ConversationId,
    generation: u32,
    bundle: CommitBundle,
) -> Result<Outcome, GroupFailure> {
    let stored = group_check::group_for(app, id, creator.account).await?;
    let stored = stored.ok_or_else(group_check::unknown)?;
    if stored.generation != generation {
        return Ok(conflict(&stored));
    }
    let since_ms = app.now_ms() - stored.reset_ms;
    if since_ms < RESET_INTERVAL_MS {
        let retry_after_ms = u64::try_from(RESET_INTERVAL_MS - since_ms).unwrap_or(0);
        return Err(Failure::rate_limited(RateLimit::Resets, retry_after_ms).into());
    }
    let (kind, last_epoch) = (stored.kind, stored.epoch);
    let group_id = id.group_id(generation);
    let last = Group::load(&group_id, &stored.public_state).and_then(|group| group.facts())?;
    let next = match check_new_group(app, creator, id, generation + 1, &bundle).await? {
        Checked::Group(next) => next,
        // A reset takes those who can be added; the policy looks at the rest.
        Checked::Stale(_) => return Err(PolicyError::Credential.into()),
    };
    policy::check_reset(&last, &next.facts)?;
    let change = Change {
        id,
        generation,
        kind,
        creator,
        before: members(&last),
        next,
        bundle,
        now_ms: app.now_ms(),
    };
    let conversation = Conversation::new(id, kind, generation + 1, &change.next);
    match app.db.write(change, |tx, change| Box::pin(store(tx, change))).await? {
        None => Ok(Outcome::EpochConflict(EpochConflict {
            generation: generation + 1,
            epoch: last_epoch,
        })),
        Some((seq, deliveries)) => {
            Metrics::count(&app.metrics.messaging_commits);
            app.messaging.conversations.insert(id, Arc::new(conversation));
            batch::deliver(app, deliveries);
            Ok(Outcome::Accepted(Accepted { seq }))
        }
    }
}

fn conflict(stored: &StoredGroup) -> Outcome {
    Outcome::EpochConflict(EpochConflict {
        generation: stored.generation,
        epoch: stored.epoch,
    })
}

struct Change {
    id: ConversationId,
    generation: u32,
    kind: ConversationKind,
    creator: Identity,
    before: Vec<Identity>,
    next: Box<NewGroup>,
    bundle: CommitBundle,
    now_ms: i64,
}

async fn store(tx: &mut Tx, change: &Change) -> Result<Option<(u64, Vec<Delivery>)>, DbError> {
    let Change { id, generation, .. } = *change;
    let next = &change.next;
    let seq = commit_store::next_generation(tx, id, generation, next.epoch, change.now_ms).await?;
    let Some(seq) = seq else { return Ok(None) };
    let public_state = Bytes::copy_from_slice(&next.public_state);
    commit_store::update_group(tx, id, &change.bundle.group_info, &public_state).await?;
    commit_store::put_policy(tx, id, commit_store::kept_policy(&next.facts.policy).as_ref()).await?;
    commit_store::change_members(tx, id, &change.before, &next.members).await?;
    let place = Place {
        conversation: id,
        generation: generation + 1,
        seq,
        sender: change.creator,
        time_ms: change.now_ms,
    };
    let devices = next.members.iter().map(|member| member.device);
    let devices: Vec<DeviceId> = devices.filter(|device| *device != change.creator.device).collect();
    let welcome = Parcel {
        conversation: id,
        seq,
        kind: Kind::Reset,
        envelope: place.welcome(Kind::Reset, change.kind, change.bundle.welcome.clone()),
        devices: &devices,
        logged: false,
    };
    let deliveries = commit_store::send_parcels(tx, &[welcome], None, change.now_ms).await?;
    Ok(Some((seq, deliveries)))
}
