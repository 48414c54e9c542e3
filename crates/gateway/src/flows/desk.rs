//! Where persons' questions wait for the endpoints: one at a time and in order per conversation, many conversations at a
//! time. A question that nobody waits for any more is not put, so nothing of this is kept over a restart.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kabar_client::api::{BusinessCommand, Command, FeedItem, FlowOutcome, Reply, Shown};
use kabar_protocol::{
    ids::ConversationId,
    wire::{FlowOffer, Interactive, interactive::Action},
};
use tokio::sync::Semaphore;

use super::ask;
use crate::{Parts, clock::now_ms, numbers::Line};

/// Endpoints asked at a time.
const AT_A_TIME: usize = 32;
/// Conversations with questions that wait.
const LANES_MAX: usize = 1_024;
/// Questions of one conversation that wait.
const LANE_MAX: usize = 8;
/// Later than that the person has long been told that nobody answered; clocks may differ by the rest.
const STALE_MS: i64 = 60_000;
/// The answer is sent again after a lost connection, this often.
const RESPOND_TRIES: u32 = 3;
const RESPOND_PAUSE: Duration = Duration::from_millis(500);

pub(crate) struct Desk {
    lanes: Mutex<HashMap<ConversationId, VecDeque<FeedItem>>>,
    permits: Semaphore,
}

impl Default for Desk {
    fn default() -> Self {
        Self {
            lanes: Mutex::default(),
            permits: Semaphore::new(AT_A_TIME),
        }
    }
}

impl Desk {
    /// Takes a `flow_request` of the feed. Never waits.
    pub(crate) fn take(parts: &Arc<Parts>, line: &Arc<Line>, item: &FeedItem) {
        let lane = item.conversation_id;
        {
            let mut lanes = parts.desk.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            let busy = lanes.len();
            match lanes.get_mut(&lane) {
                // The person is told by the time-out; asking faster than the endpoint answers is nobody's interest.
                Some(waiting) if waiting.len() >= LANE_MAX => return,
                Some(waiting) => return waiting.push_back(item.clone()),
                None if busy >= LANES_MAX => return tracing::warn!("too many flow requests; one is not answered"),
                None => lanes.insert(lane, VecDeque::from([item.clone()])),
            };
        }
        let (parts, line) = (Arc::clone(parts), Arc::clone(line));
        let tasks = parts.tasks.clone();
        tasks.spawn(async move {
            let stop = parts.stop.clone();
            stop.run_until_cancelled(work(&parts, &line, lane)).await;
        });
    }

    fn next(&self, lane: ConversationId) -> Option<FeedItem> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        let item = lanes.get_mut(&lane).and_then(VecDeque::pop_front);
        if item.is_none() {
            lanes.remove(&lane);
        }
        item
    }
}

/// Until the lane is empty, which then goes.
async fn work(parts: &Arc<Parts>, line: &Arc<Line>, lane: ConversationId) {
    while let Some(item) = parts.desk.next(lane) {
        let Ok(_permit) = parts.desk.permits.acquire().await else {
            return;
        };
        if item.time + STALE_MS < now_ms() {
            continue;
        }
        let Some(outcome) = outcome(parts, line, &item).await else {
            continue;
        };
        respond(line, &item, outcome).await;
    }
}

/// `None`: it asks about nothing that we have offered in this conversation.
async fn outcome(parts: &Arc<Parts>, line: &Line, item: &FeedItem) -> Option<FlowOutcome> {
    let asked = item.flow.as_ref()?;
    let message_id = item.in_reply_to?;
    let Ok(Reply::Message(message)) = line.ask(Command::GetMessage { message_id }).await else {
        return None;
    };
    // Somebody else's offer would bring somebody else's token.
    if !message.mine || message.conversation_id != item.conversation_id {
        return None;
    }
    let Some(Shown::Interactive(Interactive {
        action: Some(Action::Flow(FlowOffer {
            flow_id, flow_token, ..
        })),
        ..
    })) = message.shown
    else {
        return None;
    };
    let number = &line.number;
    let flow = match flow_id.parse() {
        Ok(flow_id) => parts.store.flow(number.waba_id, flow_id).await,
        Err(_) => Ok(None),
    };
    match flow {
        Ok(Some(flow)) if flow.is_open() => {
            Some(ask::ask(parts, number.phone_number_id, &flow, &flow_token, asked).await)
        }
        Ok(_) => Some(FlowOutcome::Error {
            code: "token_expired".into(),
            message: "The business does not use this form any more. Ask it for a new one.".into(),
        }),
        Err(error) => {
            tracing::error!(%error, "the gateway's store failed");
            Some(FlowOutcome::Error {
                code: "endpoint_failed".into(),
                message: "Something went wrong at the business. Try again later.".into(),
            })
        }
    }
}

async fn respond(line: &Line, item: &FeedItem, outcome: FlowOutcome) {
    for _ in 0..RESPOND_TRIES {
        let respond = BusinessCommand::FlowRespond {
            to_message: item.message_id,
            outcome: outcome.clone(),
        };
        match line.ask_business(respond).await {
            Ok(_) => return,
            Err(error) if error.code == "offline" => tokio::time::sleep(RESPOND_PAUSE).await,
            Err(error) => {
                tracing::warn!(code = error.code, "the answer to a flow request was not sent");
                return;
            }
        }
    }
    tracing::warn!("the answer to a flow request was not sent: the number is not connected");
}
