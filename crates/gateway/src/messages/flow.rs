//! A message that opens a flow, as a company asks for it. Which flow that is, is looked up by whoever sends.

use kabar_protocol::{
    limits::{BUTTON_TITLE_CHARS_MAX, FLOW_DATA_BYTES_MAX, FLOW_TOKEN_BYTES_MAX},
    wire::{FlowOffer, Interactive},
};
use serde_json::Value;

use super::interactive::around;
use crate::graph::{GraphError, Object};

const NAME_CHARS_MAX: usize = 200;
const SCREEN_CHARS_MAX: usize = 80;
/// The only version of the message; SDKs send it as text or as a number.
const MESSAGE_VERSION: &str = "3";
/// What the Cloud API sends where a company names no token.
const TOKEN_UNUSED: &str = "unused";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlowName {
    Id(u64),
    Name(String),
}

impl FlowName {
    /// The parameter that it came in.
    pub fn parameter(&self) -> &'static str {
        match self {
            Self::Id(_) => "interactive.action.parameters.flow_id",
            Self::Name(_) => "interactive.action.parameters.flow_name",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct FlowSend {
    pub flow: FlowName,
    /// May be one that is not published.
    pub draft: bool,
    /// All but its action.
    pub around: Interactive,
    /// All but the flow itself; `screen` empty: the flow's first.
    pub offer: FlowOffer,
}

impl FlowSend {
    pub(super) fn parse(message: &Object<'_>) -> Result<Self, GraphError> {
        let action = message.required_object("action")?;
        if action.string("name")?.is_some_and(|name| name != "flow") {
            return Err(action.refused("name", "must be flow"));
        }
        let parameters = action.required_object("parameters")?;
        let version = parameters.required("flow_message_version")?;
        if version != MESSAGE_VERSION {
            return Err(parameters.refused("flow_message_version", "must be 3"));
        }
        let draft = match parameters.string("mode")?.as_deref() {
            None | Some("published") => false,
            Some("draft") => true,
            Some(_) => return Err(parameters.refused("mode", "must be draft or published")),
        };
        let token = parameters.string("flow_token")?.filter(|token| !token.is_empty());
        let token = token.unwrap_or_else(|| TOKEN_UNUSED.to_owned());
        if token.len() > FLOW_TOKEN_BYTES_MAX {
            let rule = format!("must have at most {FLOW_TOKEN_BYTES_MAX} bytes");
            return Err(parameters.refused("flow_token", rule));
        }
        let mut offer = FlowOffer {
            flow_token: token,
            cta: parameters.required_text("flow_cta", BUTTON_TITLE_CHARS_MAX)?,
            ..FlowOffer::default()
        };
        match parameters.string("flow_action")?.as_deref() {
            None | Some("navigate") => first_screen(&parameters, &mut offer)?,
            Some("data_exchange") => offer.data_exchange = true,
            Some(_) => return Err(parameters.refused("flow_action", "must be navigate or data_exchange")),
        }
        Ok(Self {
            flow: flow_name(&parameters)?,
            draft,
            around: around(message)?,
            offer,
        })
    }
}

fn flow_name(parameters: &Object<'_>) -> Result<FlowName, GraphError> {
    match (parameters.has("flow_id"), parameters.has("flow_name")) {
        (true, false) => match parameters.u64("flow_id")? {
            Some(id) => Ok(FlowName::Id(id)),
            None => Err(parameters.missing("flow_id")),
        },
        (false, true) => Ok(FlowName::Name(parameters.required_text("flow_name", NAME_CHARS_MAX)?)),
        (true, true) => Err(parameters.refused("flow_name", "must not be there beside flow_id")),
        (false, false) => Err(parameters.missing("flow_id")),
    }
}

fn first_screen(parameters: &Object<'_>, offer: &mut FlowOffer) -> Result<(), GraphError> {
    let Some(payload) = parameters.object("flow_action_payload")? else {
        return Ok(());
    };
    offer.screen = payload.text("screen", SCREEN_CHARS_MAX)?.unwrap_or_default();
    offer.data = match payload.get("data") {
        None => String::new(),
        Some(data @ Value::Object(_)) => data.to_string(),
        Some(_) => return Err(payload.refused("data", "must be an object")),
    };
    if offer.data.len() > FLOW_DATA_BYTES_MAX {
        let rule = format!("must have at most {FLOW_DATA_BYTES_MAX} bytes");
        return Err(payload.refused("data", rule));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message(parameters: Value) -> Value {
        json!({ "interactive": { "type": "flow", "body": { "text": "Pesan" },
            "action": { "name": "flow", "parameters": parameters } } })
    }

    fn parsed(parameters: Value) -> Result<FlowSend, GraphError> {
        let root = Object::root(message(parameters).as_object().expect("an object").clone());
        FlowSend::parse(&root.required_object("interactive")?)
    }

    #[test]
    fn what_sdks_send() {
        // pywa
        let send = parsed(
            json!({ "mode": "published", "flow_message_version": "3", "flow_token": "t", "flow_id": "123456",
            "flow_cta": "Buka", "flow_action": "navigate",
            "flow_action_payload": { "screen": "A", "data": { "x": 1 } } }),
        )
        .expect("accepted");
        assert_eq!((send.flow, send.draft), (FlowName::Id(123_456), false));
        assert_eq!(
            (send.offer.screen.as_str(), send.offer.data.as_str()),
            ("A", r#"{"x":1}"#)
        );
        // kapso, with the least that it sends
        let send = parsed(json!({ "flow_cta": "Buka", "flow_name": "pesan", "flow_message_version": 3 }));
        let send = send.expect("accepted");
        assert_eq!(send.flow, FlowName::Name("pesan".into()));
        assert_eq!(send.offer.flow_token, "unused");
        let send = parsed(
            json!({ "flow_cta": "B", "flow_id": 123_456, "flow_message_version": "3", "mode": "draft",
            "flow_action": "data_exchange" }),
        );
        let send = send.expect("accepted");
        assert!(send.draft && send.offer.data_exchange);
    }

    #[test]
    fn a_broken_parameter_is_named() {
        let with = |name: &str, value: Value| {
            let mut parameters = json!({ "flow_cta": "Buka", "flow_id": "123456", "flow_message_version": "3" });
            parameters[name] = value;
            parameters
        };
        for (parameters, code, name) in [
            (
                with("flow_message_version", json!("2")),
                131_009,
                "flow_message_version",
            ),
            (with("flow_cta", json!("x".repeat(21))), 131_009, "flow_cta"),
            (with("flow_cta", Value::Null), 131_008, "flow_cta"),
            (with("flow_id", Value::Null), 131_008, "flow_id"),
            (with("flow_id", json!("abc")), 131_009, "flow_id"),
            (with("flow_name", json!("x")), 131_009, "flow_name"),
            (with("mode", json!("test")), 131_009, "mode"),
            (with("flow_action", json!("open")), 131_009, "flow_action"),
            (with("flow_token", json!("x".repeat(257))), 131_009, "flow_token"),
            (
                with("flow_action_payload", json!({ "data": [] })),
                131_009,
                "flow_action_payload.data",
            ),
        ] {
            let error = parsed(parameters).expect_err("refused");
            let place = format!("interactive.action.parameters.{name}");
            assert_eq!(error.code(), code, "{}", error.details);
            assert!(error.details.contains(&place), "{}", error.details);
        }
    }
}
