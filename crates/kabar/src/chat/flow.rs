//! Flows from the command line: opened and filled in as a person would, with answers that are known beforehand.

use std::{collections::BTreeMap, time::Duration};

use clap::Args;
use kabar_client::api::{Command, MessageView, Reply, Shown};
use kabar_core::flow::{self, Action, Flow, FlowProblem, SUCCESS, Screen};
use kabar_protocol::{
    ids::MessageId,
    wire::{FlowOffer, FlowReply, Interactive, interactive, interactive_reply},
};
use serde_json::{Map, Value, json};

use super::{
    Session,
    answer::{self, refused},
    messages::message_id,
    unexpected,
};
use crate::output::{Failure, to_json};

/// Longer than core waits for a business: its word on what happened is the better one.
const EXCHANGE_WAIT: Duration = Duration::from_secs(35);
/// A flow that leads round in circles is given up.
const STEPS_MAX: usize = 50;
/// What the thread shows of the answer.
const SENT: &str = "Sent";

#[derive(Debug, Args)]
pub(crate) struct FlowOpen {
    /// Id of the message that offers the flow
    #[arg(long, value_parser = message_id)]
    message: MessageId,
}

#[derive(Debug, Args)]
pub(crate) struct FlowSubmit {
    /// Id of the message that offers the flow
    #[arg(long, value_parser = message_id)]
    message: MessageId,
    /// {"FIELD": value} or {"SCREEN": {"FIELD": value}}
    #[arg(long)]
    answers: String,
}

impl FlowOpen {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let opened = Opened::of(session, self.message).await?;
        let (id, data) = opened.begin(session).await?;
        let screen = opened.flow.screen(&id, data, &Map::new()).map_err(problem)?;
        session.output.answer(&to_json(&screen)?, || for_people(&screen))
    }
}

impl FlowSubmit {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let opened = Opened::of(session, self.message).await?;
        let answers = Answers::read(&self.answers, &opened.flow)?;
        let response = opened.fill_in(session, &answers).await?;
        let reply = interactive_reply::Reply::Flow(FlowReply {
            name: "flow".into(),
            body: SENT.into(),
            response_json: Value::Object(response).to_string(),
        });
        answer::answer(session, &opened.message, reply).await
    }
}

fn problem(problem: FlowProblem) -> Failure {
    match &problem {
        FlowProblem::Answer { field, .. } => Failure {
            parameter: Some(field.clone()),
            ..Failure::new("invalid", problem.to_string())
        },
        _ => Failure::new("flow_broken", problem.to_string()),
    }
}

fn object(text: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Some(map),
        _ => None,
    }
}

/// Answers by screen, or for whichever screen asks.
#[derive(Debug, PartialEq)]
enum Answers {
    Flat(Map<String, Value>),
    ByScreen(Map<String, Value>),
}

impl Answers {
    /// Everything that no screen will ever ask for is refused before anything is sent.
    fn read(text: &str, flow: &Flow) -> Result<Self, Failure> {
        let rule = "answers must be a JSON object, such as {\"name\":\"Ani\"}";
        let answers = object(text).ok_or_else(|| refused("answers", rule))?;
        let names: BTreeMap<&str, _> = flow.screens().map(|id| (id, flow.field_names(id))).collect();
        let is_screen = |(name, value): (&String, &Value)| names.contains_key(name.as_str()) && value.is_object();
        let unknown = |name: &str, place: &str| {
            let known: Vec<&str> = names.values().flatten().map(String::as_str).collect();
            let message = format!("{name} is not asked for by {place}; it asks for: {}", known.join(", "));
            Err(refused(name, &message))
        };
        if answers.is_empty() || !answers.iter().all(is_screen) {
            let stray = answers
                .keys()
                .find(|name| names.values().all(|known| !known.contains(*name)));
            return match stray {
                Some(name) => unknown(name, "this flow"),
                None => Ok(Self::Flat(answers)),
            };
        }
        for (id, of_screen) in &answers {
            let known = &names[id.as_str()];
            let mut given = of_screen.as_object().into_iter().flat_map(Map::keys);
            if let Some(name) = given.find(|name| !known.contains(*name)) {
                return unknown(name, id);
            }
        }
        Ok(Self::ByScreen(answers))
    }

    fn of(&self, screen: &Screen) -> Map<String, Value> {
        match self {
            Self::ByScreen(answers) => match answers.get(&screen.id) {
                Some(Value::Object(answers)) => answers.clone(),
                _ => Map::new(),
            },
            Self::Flat(answers) => {
                let asked = screen.fields.iter().map(|field| &field.name);
                asked
                    .filter_map(|name| Some((name.clone(), answers.get(name)?.clone())))
                    .collect()
            }
        }
    }
}

/// A flow that was offered in a message.
struct Opened {
    message: MessageView,
    offer: FlowOffer,
    flow: Flow,
}

impl Opened {
    async fn of(session: &Session, message_id: MessageId) -> Result<Self, Failure> {
        let message = answer::message(session, message_id).await?;
        let Some(Shown::Interactive(Interactive {
            action: Some(interactive::Action::Flow(offer)),
            ..
        })) = &message.shown
        else {
            return Err(refused("message", "message offers no flow"));
        };
        if message.mine {
            return Err(refused("message", "message is your own; only others' can be answered"));
        }
        let offer = offer.clone();
        let flow = Flow::parse(&offer.flow_json).map_err(problem)?;
        Ok(Self { message, offer, flow })
    }

    /// The first screen and its data.
    async fn begin(&self, session: &Session) -> Result<(String, Map<String, Value>), Failure> {
        if self.offer.data_exchange {
            return self.exchange(session, "INIT", "", &Map::new()).await;
        }
        let screen = match self.offer.screen.as_str() {
            "" => self.flow.first(),
            screen => screen,
        };
        Ok((screen.to_owned(), object(&self.offer.data).unwrap_or_default()))
    }

    /// What the business's endpoint answers.
    async fn exchange(
        &self,
        session: &Session,
        action: &str,
        screen: &str,
        payload: &Map<String, Value>,
    ) -> Result<(String, Map<String, Value>), Failure> {
        let exchange = Command::FlowExchange {
            message_id: self.message.message_id,
            action: action.to_owned(),
            screen: screen.to_owned(),
            data: Value::Object(payload.clone()).to_string(),
        };
        let wait = session.wait.max(EXCHANGE_WAIT);
        let (next, data) = match session.client.command(exchange, wait).await? {
            Reply::FlowScreen { screen, data } => (screen, object(&data).unwrap_or_default()),
            other => return Err(unexpected(&other)),
        };
        match data.get("error_message").and_then(Value::as_str) {
            // The same answers would meet the same refusal.
            Some(message) if !message.is_empty() => Err(Failure::new("flow_refused", message)),
            _ => Ok((next, data)),
        }
    }

    /// Screen by screen to the end; what the business gets.
    async fn fill_in(&self, session: &Session, answers: &Answers) -> Result<Map<String, Value>, Failure> {
        let mut earlier = Map::new();
        let (mut id, mut data) = self.begin(session).await?;
        for _ in 0..STEPS_MAX {
            if id == SUCCESS {
                let params = data.remove("extension_message_response");
                let params = params.and_then(|response| response.get("params").cloned());
                return Ok(self.with_token(
                    params
                        .and_then(|params| params.as_object().cloned())
                        .unwrap_or_default(),
                ));
            }
            let screen = self.flow.screen(&id, data, &earlier).map_err(problem)?;
            let form = screen.fill(&answers.of(&screen)).map_err(problem)?;
            flow::remember(&mut earlier, &screen, &form);
            (id, data) = match screen.press(&form, &earlier).map_err(problem)? {
                Action::Navigate { screen, payload } => (screen, payload),
                Action::DataExchange { payload } => {
                    self.exchange(session, "data_exchange", &screen.id, &payload).await?
                }
                Action::Complete { payload } => return Ok(self.with_token(payload)),
            };
        }
        let message = format!("the flow has not ended after {STEPS_MAX} screens");
        Err(Failure::new("flow_broken", message))
    }

    fn with_token(&self, mut response: Map<String, Value>) -> Map<String, Value> {
        response
            .entry("flow_token")
            .or_insert_with(|| json!(self.offer.flow_token));
        response
    }
}

fn for_people(screen: &Screen) -> String {
    let mut lines = vec![screen.title.clone().unwrap_or_else(|| screen.id.clone())];
    for field in &screen.fields {
        let needed = if field.required { " (required)" } else { "" };
        lines.push(format!("  {} {}: {}{needed}", field.kind, field.name, field.label));
        let options = field.options.iter();
        lines.extend(options.map(|choice| format!("    {}: {}", choice.id, choice.title)));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow() -> Flow {
        let input = |name: &str| json!({ "type": "TextInput", "name": name, "label": name });
        let screen = |id: &str, name: &str| json!({ "id": id, "layout": { "children": [input(name)] } });
        Flow::parse(&json!({ "screens": [screen("A", "nama"), screen("B", "umur")] }).to_string()).expect("a flow")
    }

    #[test]
    fn answers_are_flat_or_by_screen_and_known_beforehand() {
        let read = |text: &str| Answers::read(text, &flow());
        assert!(matches!(read(r#"{"nama":"Ani","umur":7}"#), Ok(Answers::Flat(_))));
        assert!(matches!(read("{}"), Ok(Answers::Flat(_))));
        assert!(matches!(
            read(r#"{"A":{"nama":"Ani"},"B":{"umur":7}}"#),
            Ok(Answers::ByScreen(_))
        ));
        for (text, parameter) in [
            ("[]", "answers"),
            ("nama", "answers"),
            (r#"{"alamat":"x"}"#, "alamat"),
            (r#"{"A":{"umur":7}}"#, "umur"),
            (r#"{"A":{"nama":"x"},"C":{}}"#, "A"),
        ] {
            let failure = read(text).expect_err("refused");
            assert_eq!(failure.parameter.as_deref(), Some(parameter), "{text}: {failure}");
        }
    }
}
