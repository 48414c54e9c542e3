//! The next epoch of a conversation: engine, policy, compare-and-set.
//!
//! Whoever commits first wins; the loser is told the epoch and finds the winner's commit in its queue or in the log.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use kabar_protocol::{
    ids::{AccountId, ConversationId, DeviceId},
    invite::InviteCode,
    policy::{self, CommitFacts, Committer, GroupFacts, PolicyError, ProposalFact},
    wire::{
        self, CommitBundle, ConversationKind, EpochConflict, GroupPolicy, PolicyDenied,
        deliver::Kind,
        submit_commit_outcome::{Accepted, Outcome},
    },
};
use sha2::{Digest as _, Sha256};

use super::{
    batch,
    commit_store::{self, Parcel, StoredGroup},
    conversation::{self, Conversation},
    envelope::Place,
    group_check::{self, GroupFailure, Lists, check_welcomed, members},
    invites,
    queue::Delivery,
    send::counter,
};
use crate::{
    accounts,
    app::App,
    db::{DbError, Tx},
    error::{Failure, reason},
    limits::RateLimit,
    metrics::Metrics,
    mls::{Group, MlsError, Staged},
    socket::Identity,
};

pub(crate) async fn submit_commit(
    app: &App,
    committer: Identity,
    request: wire::SubmitCommit,
) -> Result<Outcome, Failure> {
    if app.db.reserve().disk_full() {
        return Err(Failure::disk_full());
    }
    let id = ConversationId::from_slice(&request.conversation_id)
        .map_err(|rule| Failure::invalid("submit_commit.conversation_id", rule))?;
    app.limits.check(RateLimit::Commits, id.as_slice(), app.now_ms())?;
    counter("submit_commit.client_seq", request.client_seq)?;
    let bundle = request
        .bundle
        .ok_or_else(|| Failure::invalid("submit_commit.bundle", "is missing"))?;
    let commit = Commit {
        id,
        generation: request.generation,
        epoch: request.epoch,
        hash: Sha256::digest(&bundle.commit).into(),
        client_seq: request.client_seq,
        committer,
    };
    match accept(app, &commit, bundle).await {
        Ok(outcome) => Ok(outcome),
        Err(GroupFailure::Failure(failure)) => Err(failure),
        Err(GroupFailure::Policy(rule)) => Ok(Outcome::PolicyDenied(PolicyDenied {
            rule: rule.rule().into(),
            message: rule.to_string(),
        })),
    }
}

#[derive(Clone, Copy)]
struct Commit {
    id: ConversationId,
    generation: u32,
    epoch: u64,
    hash: [u8; 32],
    client_seq: u64,
    committer: Identity,
}

async fn accept(app: &App, commit: &Commit, bundle: CommitBundle) -> Result<Outcome, GroupFailure> {
    let stored = match group_check::group_for(app, commit.id, commit.committer.account).await? {
        Some(stored) => stored,
        // Somebody new, perhaps by a link: what he proves is checked with the rest.
        None => invites::open_group(app, commit.id)
            .await?
            .ok_or_else(group_check::unknown)?,
    };
    if (stored.generation, stored.epoch) != (commit.generation, commit.epoch) {
        return Ok(lost(app, commit, &stored).await?);
    }
    let kind = stored.kind;
    let (group, staged, before) = stage(commit, &bundle, stored.public_state, app.now_ms()).await?;
    check(app, commit, &bundle, &before, &staged.facts).await?;
    let used = invites::used(app, commit.id, &before, &staged.facts).await?;
    let facts = staged.facts.clone();
    let info = bundle.group_info.clone();
    let merged = tokio::task::spawn_blocking(move || merge(group, staged, &info));
    let (public_state, after) = merged.await.map_err(|error| Failure::internal(&error))??;
    let change = Change {
        commit: *commit,
        kind,
        before: members(&before),
        after: members(&after),
        policy: commit_store::kept_policy(&after.policy),
        welcomed: added(&facts).map(|leaf| leaf.device).collect(),
        newcomers: after.accounts().difference(&before.accounts()).copied().collect(),
        used,
        bundle,
        public_state: public_state.into(),
        now_ms: app.now_ms(),
    };
    let conversation = Conversation {
        id: commit.id,
        kind,
        generation: commit.generation,
        epoch: commit.epoch + 1,
        to_remove: conversation::to_remove(app, &change.after, change.policy.as_ref()).await?,
        members: change.after.clone(),
        policy: change.policy.clone(),
    };
    match app.db.write(change, |tx, change| Box::pin(store(tx, change))).await? {
        None => {
            let stored = commit_store::stored_group(&mut app.db.reader().await?, commit.id).await?;
            let stored = stored.ok_or_else(|| Failure::internal(&"a conversation vanished"))?;
            Ok(lost(app, commit, &stored).await?)
        }
        Some((seq, deliveries)) => {
            Metrics::count(&app.metrics.messaging_commits);
            // Memory first: whoever hears of the new epoch may send in it at once.
            app.messaging.conversations.insert(commit.id, Arc::new(conversation));
            batch::deliver(app, deliveries);
            Ok(Outcome::Accepted(Accepted { seq }))
        }
    }
}

/// Another epoch is current: because this very commit was accepted before, or another one.
async fn lost(app: &App, commit: &Commit, stored: &StoredGroup) -> Result<Outcome, Failure> {
    let mut tx = app.db.reader().await?;
    let winner = commit_store::commit_of_epoch(&mut tx, commit.id, commit.generation, commit.epoch).await?;
    Ok(match winner {
        Some((hash, seq)) if hash == commit.hash => Outcome::Accepted(Accepted { seq }),
        _ => Outcome::EpochConflict(EpochConflict {
            generation: stored.generation,
            epoch: stored.epoch,
        }),
    })
}

async fn stage(
    commit: &Commit,
    bundle: &CommitBundle,
    public_state: Bytes,
    now_ms: i64,
) -> Result<(Group, Staged, GroupFacts), GroupFailure> {
    let group_id = commit.id.group_id(commit.generation);
    let bytes = bundle.commit.clone();
    // Signatures and tree hashes: not on a thread that serves sockets.
    let staged = tokio::task::spawn_blocking(move || {
        let group = Group::load(&group_id, &public_state)?;
        let staged = group.stage(&bytes, now_ms)?;
        let facts = group.facts()?;
        Ok::<_, MlsError>((group, staged, facts))
    });
    Ok(staged.await.map_err(|error| Failure::internal(&error))??)
}

fn merge(mut group: Group, staged: Staged, info: &[u8]) -> Result<(Vec<u8>, GroupFacts), MlsError> {
    group.merge(staged, info)?;
    let facts = group.facts()?;
    Ok((group.save(), facts))
}

/// Whose commit it is, and whether the policy allows it.
async fn check(
    app: &App,
    commit: &Commit,
    bundle: &CommitBundle,
    before: &GroupFacts,
    facts: &CommitFacts,
) -> Result<(), GroupFailure> {
    let (Committer::Member(leaf) | Committer::External(leaf)) = facts.committer;
    if (leaf.account, leaf.device) != (commit.committer.account, commit.committer.device) {
        let rule = "the commit is not by this session's device";
        return Err(Failure::denied(reason::NOT_A_MEMBER, rule).into());
    }
    let newcomers = added(facts).map(|leaf| leaf.account).chain([leaf.account]);
    let accounts = before.roster().into_iter().chain(newcomers);
    let lists = Lists::of(app, &accounts.collect::<BTreeSet<_>>()).await?;
    policy::check_commit(before, facts, |leaf| lists.is_current(leaf))?;
    if before.policy.kind() == ConversationKind::Group {
        // Conversations with companies are of a kind of their own, and priced.
        for account in added(facts).map(|leaf| leaf.account).chain([leaf.account]) {
            if accounts::is_business(app, account).await? {
                return Err(PolicyError::Roster.into());
            }
        }
    }
    check_welcomed(bundle, added(facts))?;
    if bundle.commit.is_empty() {
        return Err(PolicyError::Proposal.into());
    }
    Ok(())
}

fn added(facts: &CommitFacts) -> impl Iterator<Item = &kabar_protocol::credential::Credential> {
    facts.proposals.iter().filter_map(|proposal| match proposal {
        ProposalFact::Add(leaf) => Some(leaf),
        _ => None,
    })
}

struct Change {
    commit: Commit,
    kind: ConversationKind,
    before: Vec<Identity>,
    after: Vec<Identity>,
    policy: Option<GroupPolicy>,
    welcomed: Vec<DeviceId>,
    newcomers: Vec<AccountId>,
    /// The link that one of them came by.
    used: Option<InviteCode>,
    bundle: CommitBundle,
    public_state: Bytes,
    now_ms: i64,
}

/// `None` if somebody was first.
async fn store(tx: &mut Tx, change: &Change) -> Result<Option<(u64, Vec<Delivery>)>, DbError> {
    let Commit {
        id,
        generation,
        epoch,
        hash,
        client_seq,
        committer,
    } = change.commit;
    let Some(seq) = commit_store::next_epoch(tx, id, generation, epoch).await? else {
        return Ok(None);
    };
    commit_store::insert_commit(tx, id, (generation, epoch, seq), hash, change.now_ms).await?;
    commit_store::update_group(tx, id, &change.bundle.group_info, &change.public_state).await?;
    commit_store::put_policy(tx, id, change.policy.as_ref()).await?;
    commit_store::change_members(tx, id, &change.before, &change.after).await?;
    invites::came_in(tx, id, &change.newcomers, change.used).await?;
    let place = Place {
        conversation: id,
        generation,
        seq,
        sender: committer,
        time_ms: change.now_ms,
    };
    // Members of the epoch that ends, those whom it removes included: they learn of it by this.
    let others = change.before.iter().map(|member| member.device);
    let others: Vec<DeviceId> = others.filter(|device| *device != committer.device).collect();
    let commit = Parcel {
        conversation: id,
        seq,
        kind: Kind::Commit,
        envelope: place.commit(change.bundle.commit.clone()),
        devices: &others,
        logged: true,
    };
    let welcome = Parcel {
        conversation: id,
        seq,
        kind: Kind::Welcome,
        envelope: place.welcome(Kind::Welcome, change.kind, change.bundle.welcome.clone()),
        devices: &change.welcomed,
        logged: false,
    };
    let counters = Some((committer.device, client_seq));
    let parcels: &[Parcel] = if change.welcomed.is_empty() {
        &[commit]
    } else {
        &[commit, welcome]
    };
    let deliveries = commit_store::send_parcels(tx, parcels, counters, change.now_ms).await?;
    Ok(Some((seq, deliveries)))
}
