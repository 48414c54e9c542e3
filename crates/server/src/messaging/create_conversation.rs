//! A new conversation: group, Welcomes and the first message in one transaction.

use std::sync::Arc;

use bytes::Bytes;
use kabar_protocol::{
    ids::{ConversationId, DeviceId},
    wire::{
        self, CommitBundle, DeviceListStale,
        create_conversation_outcome::{AlreadyExists, Created, Outcome},
        deliver::Kind,
        send_outcome::Sent,
    },
};

use super::{
    batch,
    batch_store::{self, PlannedSend, Verdict},
    commit_store::{self, Parcel},
    conversation::{Cached, Conversation},
    envelope::Place,
    group_check::{Checked, GroupFailure, check_new_group},
    meter::Bill,
    queue::Delivery,
    receipts::Receipts,
    send::{self, Outgoing},
};
use crate::{
    app::App,
    db::{DbError, Tx},
    error::{Failure, reason},
    limits::RateLimit,
    metrics::Metrics,
    socket::Identity,
};

/// Sequence of the creation; the first message is 2.
const CREATION_SEQ: u64 = 1;

pub(crate) async fn create_conversation(
    app: &App,
    creator: Identity,
    by_business: bool,
    request: wire::CreateConversation,
    bill: Option<Bill>,
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
        .map_err(|rule| Failure::invalid("create_conversation.conversation_id", rule))?;
    let kind = request.kind();
    let bundle = request
        .bundle
        .ok_or_else(|| Failure::invalid("create_conversation.bundle", "is missing"))?;
    let group = match check_new_group(app, creator, id, 0, &bundle).await {
        Ok(Checked::Group(group)) => group,
        Ok(Checked::Stale(accounts)) => {
            let account_ids = accounts.iter().map(|account| account.to_bytes()).collect();
            return Ok(Outcome::DeviceListStale(DeviceListStale { account_ids }));
        }
        Err(GroupFailure::Failure(failure)) => return Err(failure),
        Err(GroupFailure::Policy(rule)) => {
            return Err(Failure::denied(reason::POLICY, format!("{}: {rule}", rule.rule())));
        }
    };
    if group.facts.policy.kind() != kind {
        return Err(Failure::invalid(
            "create_conversation.kind",
            "is not the kind in the group's policy",
        ));
    }
    let conversation = Arc::new(Conversation::new(id, kind, 0, &group));
    let input = Input {
        first: first_message(creator, by_business, &conversation, request.first, bill)?,
        conversation: Arc::clone(&conversation),
        creator,
        bundle,
        public_state: group.public_state.into(),
        now_ms: app.now_ms(),
        app: app.clone(),
    };
    match app.db.write(input, |tx, input| Box::pin(insert(tx, input))).await? {
        Stored::Exists => Ok(Outcome::AlreadyExists(AlreadyExists {
            conversation_id: id.to_bytes(),
        })),
        Stored::Created(first, deliveries) => {
            Metrics::count(&app.metrics.messaging_commits);
            app.messaging.conversations.insert(id, conversation);
            batch::deliver(app, deliveries);
            Ok(Outcome::Created(Created {
                seq: CREATION_SEQ,
                first,
            }))
        }
    }
}

fn first_message(
    creator: Identity,
    by_business: bool,
    conversation: &Cached,
    first: Option<wire::Send>,
    bill: Option<Bill>,
) -> Result<Option<Outgoing>, Failure> {
    let Some(first) = first else { return Ok(None) };
    let outgoing = send::outgoing(creator, by_business, first, bill)?;
    let same = outgoing.conversation == conversation.id
        && (outgoing.generation, outgoing.epoch) == (conversation.generation, conversation.epoch);
    if same {
        Ok(Some(outgoing))
    } else {
        let rule = "must be in the conversation and epoch that are created";
        Err(Failure::invalid("create_conversation.first", rule))
    }
}

struct Input {
    conversation: Cached,
    creator: Identity,
    bundle: CommitBundle,
    public_state: Bytes,
    first: Option<Outgoing>,
    now_ms: i64,
    app: App,
}

enum Stored {
    Exists,
    Created(Option<Sent>, Vec<Delivery>),
}

async fn insert(tx: &mut Tx, input: &Input) -> Result<Stored, DbError> {
    let Conversation { id, kind, epoch, .. } = *input.conversation;
    if !commit_store::insert_conversation(tx, id, kind, epoch).await? {
        return repeated(tx, input).await;
    }
    commit_store::insert_group(tx, id, input.now_ms, &input.bundle.group_info, &input.public_state).await?;
    commit_store::put_policy(tx, id, input.conversation.policy.as_ref()).await?;
    commit_store::change_members(tx, id, &[], &input.conversation.members).await?;
    let devices: Vec<DeviceId> = input.conversation.recipients(input.creator.device).collect();
    let place = Place {
        conversation: id,
        generation: 0,
        seq: CREATION_SEQ,
        sender: input.creator,
        time_ms: input.now_ms,
    };
    let welcome = Parcel {
        conversation: id,
        seq: CREATION_SEQ,
        kind: Kind::Welcome,
        envelope: place.welcome(Kind::Welcome, kind, input.bundle.welcome.clone()),
        devices: &devices,
        logged: false,
    };
    let mut deliveries = commit_store::send_parcels(tx, &[welcome], None, input.now_ms).await?;
    let first = send_first(tx, input, &mut deliveries).await?;
    Ok(Stored::Created(first, deliveries))
}

/// The first message goes the way of every message.
async fn send_first(tx: &mut Tx, input: &Input, deliveries: &mut Vec<Delivery>) -> Result<Option<Sent>, DbError> {
    let Some(first) = &input.first else {
        return Ok(None);
    };
    let batch = batch_store::Input {
        sends: vec![PlannedSend {
            outgoing: first.clone(),
            conversation: Some(Arc::clone(&input.conversation)),
        }],
        acks: Vec::new(),
        receipts: Receipts::default(),
        now_ms: input.now_ms,
        app: input.app.clone(),
    };
    let mut output = batch_store::commit(tx, &batch).await?;
    deliveries.append(&mut output.deliveries);
    Ok(match output.verdicts.pop() {
        Some(Verdict::Sent(sent)) => Some(sent),
        _ => None,
    })
}

/// The conversation exists: by this very request, whose answer was lost, or by another.
async fn repeated(tx: &mut Tx, input: &Input) -> Result<Stored, DbError> {
    let stored = commit_store::stored_group(tx, input.conversation.id).await?;
    let same = stored.is_some_and(|stored| stored.group_info == input.bundle.group_info);
    if !same {
        return Ok(Stored::Exists);
    }
    let mut deliveries = Vec::new();
    let first = send_first(tx, input, &mut deliveries).await?;
    Ok(Stored::Created(first, deliveries))
}
