//! Flows: what a person's device asks of a business's endpoint, and the answers. Neither is for the thread.
//!
//! A question is asked once and waited for. Unlike what the outbox holds, nothing of it outlives this process: if the
//! connection goes before the server has it, the command fails and the person tries again.

use kabar_protocol::{
    ids::{AccountId, ClientMessageId, ConversationId, MessageId},
    interactive::json_object,
    limits::{FLOW_DATA_BYTES_MAX, FLOW_JSON_BYTES_MAX, FLOW_TOKEN_BYTES_MAX},
    wire::{
        self, MessageClass, client_frame::Body, content, flow_response::Outcome, interactive::Action, send_outcome,
        server_frame,
    },
};

use super::{
    Chat, Place, Row,
    content::{About, Opened},
};
use crate::{
    api::{ApiError, Command, FeedItem, FlowAsk, FlowOutcome, Output, Reply, Shown, TimeMs},
    commands::{Outcomes, invalid, refusal},
    connection::{Answer, Purpose, offline},
    state::State,
    store::keys,
    tx::Step,
};

/// How long a person waits for the business's answer, which has to come from its endpoint.
const FLOW_TIMEOUT_MS: TimeMs = 30_000;
/// How long a business's answer may wait for the server.
const RESPOND_TIMEOUT_MS: TimeMs = 15_000;
/// Questions and answers under way at a time.
const FLOW_CALLS_MAX: usize = 64;
const ACTIONS: [&str; 3] = ["INIT", "data_exchange", "BACK"];
const SCREEN_CHARS_MAX: usize = 80;
const ERRORS: [&str; 3] = ["endpoint_unreachable", "endpoint_failed", "token_expired"];
const ERROR_CHARS_MAX: usize = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Queued,
    InFlight,
    /// The server has it; the business has not answered.
    Asked,
}

/// A question or an answer of ours on its way, and the command that waits for it.
pub(crate) struct FlowCall {
    command_id: u64,
    conversation: ConversationId,
    message_id: MessageId,
    client_message_id: ClientMessageId,
    content: Vec<u8>,
    stage: Stage,
    /// A question: done with its answer, not when it is sent.
    asks: bool,
    until: TimeMs,
}

impl FlowCall {
    pub(crate) fn command_id(&self) -> u64 {
        self.command_id
    }

    pub(crate) fn until(&self) -> TimeMs {
        self.until
    }
}

/// Whether a question may be sent, and be shown to a business's program.
fn check(action: &str, screen: &str, data: &str) -> Result<(), ApiError> {
    if !ACTIONS.contains(&action) {
        return Err(invalid("action", "action must be INIT, data_exchange or BACK"));
    }
    if screen.chars().count() > SCREEN_CHARS_MAX {
        let rule = format!("screen must have at most {SCREEN_CHARS_MAX} characters");
        return Err(invalid("screen", &rule));
    }
    json_object("data", data, FLOW_DATA_BYTES_MAX).map_err(|error| invalid("data", &error))
}

fn is_screen(screen: &wire::FlowScreen) -> bool {
    screen.screen.chars().count() <= SCREEN_CHARS_MAX && json_object("data", &screen.data, FLOW_JSON_BYTES_MAX).is_ok()
}

/// A business's word on why there is no screen. Codes of this client's own are not its to say.
fn said(error: &wire::FlowError) -> ApiError {
    let code = ERRORS.into_iter().find(|known| *known == error.code);
    let message: String = error.message.chars().take(ERROR_CHARS_MAX).collect();
    refusal(code.unwrap_or("endpoint_failed"), &message)
}

impl State {
    /// The person's side: asks, and answers the command with what comes back.
    pub(crate) fn flow_exchange(&mut self, command_id: u64, command: &Command) -> Outcomes {
        let Command::FlowExchange {
            message_id,
            action,
            screen,
            data,
        } = command
        else {
            return Ok(Ok(None));
        };
        let data = if data.is_empty() { "{}" } else { data };
        if let Err(error) = check(action, screen, data) {
            return Ok(Err(error));
        }
        let Some((conversation, offer)) = self.flow_offer(*message_id)? else {
            let rule = "message_id must be the id of a flow that a business has sent to this device";
            return Ok(Err(invalid("message_id", rule)));
        };
        let body = content::Body::FlowRequest(wire::FlowRequest {
            action: action.clone(),
            screen: screen.clone(),
            data: data.to_owned(),
            flow_token: offer.flow_token,
        });
        Ok(self.call_flow(command_id, conversation, *message_id, body, true))
    }

    /// The business's side: answers a question.
    pub(crate) fn flow_respond(&mut self, command_id: u64, to: MessageId, outcome: &FlowOutcome) -> Outcomes {
        let outcome = match outcome {
            FlowOutcome::Screen { screen, data } => {
                if let Err(error) = json_object("data", data, FLOW_JSON_BYTES_MAX) {
                    return Ok(Err(invalid("data", &error)));
                }
                Outcome::Screen(wire::FlowScreen {
                    screen: screen.clone(),
                    data: data.clone(),
                })
            }
            FlowOutcome::Error { code, message } => Outcome::Error(wire::FlowError {
                code: code.clone(),
                message: message.clone(),
            }),
        };
        let Some(place) = self.read::<Place>(keys::index(to))? else {
            let rule = "to_message must be the id of a flow request that this device has received";
            return Ok(Err(invalid("to_message", rule)));
        };
        let body = content::Body::FlowResponse(wire::FlowResponse { outcome: Some(outcome) });
        Ok(self.call_flow(command_id, place.conversation, to, body, false))
    }

    /// The flow that a business has sent in this message, and where.
    fn flow_offer(&mut self, message_id: MessageId) -> Step<Option<(ConversationId, wire::FlowOffer)>> {
        let Some(place) = self.read::<Place>(keys::index(message_id))? else {
            return Ok(None);
        };
        let row: Option<Row> = self.read(keys::message(place.conversation, place.seq, place.sub))?;
        let peer = self.chats.get(&place.conversation).and_then(Chat::peer);
        Ok(match row {
            Some(Row {
                from,
                shown:
                    Some(Shown::Interactive(wire::Interactive {
                        action: Some(Action::Flow(offer)),
                        ..
                    })),
                ..
            }) if Some(from) == peer && self.is_business_chat(place.conversation, from) => {
                Some((place.conversation, offer))
            }
            _ => None,
        })
    }

    pub(super) fn is_business_chat(&self, conversation: ConversationId, peer: AccountId) -> bool {
        self.conversation_kind(conversation, peer) == wire::ConversationKind::Business
    }

    fn call_flow(
        &mut self,
        command_id: u64,
        conversation: ConversationId,
        in_reply_to: MessageId,
        body: content::Body,
        asks: bool,
    ) -> Result<Option<Reply>, ApiError> {
        if self.waiting.flows.len() >= FLOW_CALLS_MAX {
            return Err(refusal(
                "flow_busy",
                "too many screens are being asked for; wait a moment",
            ));
        }
        let Some((message_id, content)) = self.make_content(conversation, About::Answers(in_reply_to), body, &[], None)
        else {
            return Err(refusal("conversation_unknown", "no such conversation on this device"));
        };
        let timeout = if asks { FLOW_TIMEOUT_MS } else { RESPOND_TIMEOUT_MS };
        self.waiting.flows.push(FlowCall {
            command_id,
            conversation,
            message_id,
            client_message_id: ClientMessageId(self.engine.random()),
            content,
            stage: Stage::Queued,
            asks,
            until: self.now + timeout,
        });
        self.due.insert(conversation);
        Ok(None)
    }

    pub(super) fn has_queued_flow(&self, conversation: ConversationId) -> bool {
        let mut calls = self.waiting.flows.iter();
        calls.any(|call| call.conversation == conversation && call.stage == Stage::Queued)
    }

    /// Encrypts and sends what waits for this conversation. The group is loaded.
    pub(super) fn send_flows(&mut self, conversation: ConversationId) {
        let Some(slot) = self
            .chats
            .get(&conversation)
            .and_then(|chat| chat.group)
            .map(|group| group.slot)
        else {
            return;
        };
        if self.live.entry(conversation).or_default().draining {
            return;
        }
        for at in 0..self.waiting.flows.len() {
            let call = &self.waiting.flows[at];
            if call.conversation != conversation || call.stage != Stage::Queued {
                continue;
            }
            let (message, client, content) = (call.message_id, call.client_message_id, call.content.clone());
            let Some(send) = self.seal(conversation, slot, message, client, MessageClass::Control, &content) else {
                self.lose(conversation);
                return;
            };
            self.waiting.flows[at].stage = Stage::InFlight;
            self.request(Purpose::Flow(message), Body::Send(send));
        }
    }

    /// The server's word on a question or an answer of ours.
    pub(crate) fn flow_sent(&mut self, message: MessageId, answer: &Answer) {
        let Some(at) = self.waiting.flows.iter().position(|call| call.message_id == message) else {
            return;
        };
        let conversation = self.waiting.flows[at].conversation;
        match answer {
            Ok(server_frame::Body::Send(wire::SendOutcome {
                outcome: Some(send_outcome::Outcome::Sent(_)),
            })) => {
                self.waiting.flows[at].stage = Stage::Asked;
                if !self.waiting.flows[at].asks {
                    let call = self.waiting.flows.remove(at);
                    self.reply(call.command_id, Ok(Reply::Done));
                }
            }
            Ok(server_frame::Body::Send(wire::SendOutcome { outcome: Some(outcome) })) => {
                self.waiting.flows[at].stage = Stage::Queued;
                self.not_sent(conversation, outcome);
            }
            Ok(_) => {
                self.waiting.flows[at].stage = Stage::Queued;
                self.pause(conversation, None);
            }
            Err(failure) => {
                let call = self.waiting.flows.remove(at);
                self.reply(call.command_id, Err(failure.error.clone()));
                if failure.kind == wire::error::Code::NotFound {
                    self.lose(conversation);
                }
            }
        }
        self.due.insert(conversation);
    }

    /// A person asks: told to the program, once, in order with everything else. No row, no window, nothing unread.
    pub(super) fn flow_asked(
        &mut self,
        conversation: ConversationId,
        from: AccountId,
        item: &wire::Deliver,
        opened: &Opened,
    ) {
        let Some(content::Body::FlowRequest(request)) = &opened.content.body else {
            return;
        };
        let offer = opened.content.in_reply_to.as_ref();
        let offer = offer.and_then(|id| MessageId::from_slice(id).ok());
        let fits = check(&request.action, &request.screen, &request.data).is_ok()
            && request.flow_token.len() <= FLOW_TOKEN_BYTES_MAX;
        if !self.is_business() || self.my_account() == Some(from) || offer.is_none() || !fits {
            return;
        }
        // The answer is sent to where the question came from.
        let place = Place {
            conversation,
            seq: item.seq,
            sub: 0,
        };
        self.put(keys::index(opened.message_id), &place);
        self.add_feed(FeedItem {
            position: 0,
            message_id: opened.message_id,
            conversation_id: conversation,
            from: self.person(from),
            kind: "flow_request".into(),
            about: Vec::new(),
            text: None,
            shown: None,
            automated: false,
            forwarded: 0,
            in_reply_to: offer,
            state: None,
            request: false,
            flow: Some(FlowAsk {
                action: request.action.clone(),
                screen: request.screen.clone(),
                data: request.data.clone(),
                flow_token: request.flow_token.clone(),
            }),
            rsvp: None,
            vote: None,
            mentions_me: false,
            time: item.time_ms,
        });
        // A shell that reads the feed looks when something is said.
        self.say_chat(conversation);
    }

    /// The business answers. Whoever answers what nobody asked him is not heard.
    pub(super) fn flow_answered(&mut self, conversation: ConversationId, from: AccountId, opened: &Opened) {
        let Some(content::Body::FlowResponse(response)) = &opened.content.body else {
            return;
        };
        let asked = opened.content.in_reply_to.as_ref();
        let asked = asked.and_then(|id| MessageId::from_slice(id).ok());
        let waits = |call: &FlowCall| {
            call.asks
                && call.stage != Stage::Queued
                && call.conversation == conversation
                && Some(call.message_id) == asked
        };
        if self.my_account() == Some(from) {
            return;
        }
        let Some(at) = self.waiting.flows.iter().position(waits) else {
            return;
        };
        let call = self.waiting.flows.remove(at);
        let result = match &response.outcome {
            Some(Outcome::Screen(screen)) if is_screen(screen) => Ok(Reply::FlowScreen {
                screen: screen.screen.clone(),
                data: screen.data.clone(),
            }),
            Some(Outcome::Error(error)) => Err(said(error)),
            _ => Err(refusal(
                "endpoint_failed",
                "the business answered something that this version does not understand",
            )),
        };
        self.reply(call.command_id, result);
    }

    /// The connection is gone: what the server may not have is given up, what it has is still waited for.
    pub(crate) fn flows_cut(&mut self) {
        self.end_flows(|call| (call.stage == Stage::InFlight).then(offline));
    }

    pub(crate) fn flow_timers(&mut self) {
        let now = self.now;
        self.end_flows(|call| match call.stage {
            _ if call.until > now => None,
            Stage::Asked => Some(refusal(
                "flow_timeout",
                "the business has not answered in time; try again",
            )),
            Stage::Queued | Stage::InFlight => Some(offline()),
        });
    }

    /// The server will not have this device.
    pub(crate) fn refuse_flows(&mut self, error: &ApiError) {
        self.end_flows(|_| Some(error.clone()));
    }

    fn end_flows(&mut self, why: impl Fn(&FlowCall) -> Option<ApiError>) {
        let (ended, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.waiting.flows)
            .into_iter()
            .partition(|call| why(call).is_some());
        self.waiting.flows = rest;
        for call in ended {
            self.out.push(Output::Reply {
                command_id: call.command_id,
                result: why(&call).map_or(Ok(Reply::Done), Err),
            });
        }
    }
}
