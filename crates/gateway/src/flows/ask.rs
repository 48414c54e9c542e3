//! One question to a business's endpoint, and what its answer means for the person who waits.

use std::sync::Arc;

use http::{StatusCode, header};
use kabar_client::api::{FlowAsk, FlowOutcome};
use kabar_protocol::limits::FLOW_JSON_BYTES_MAX;
use serde_json::{Value, json};

use super::envelope::{self, Answering};
use crate::{
    Parts,
    store::Flow,
    webhooks::signature::{SIGNATURE_HEADER, signature},
};

/// An answer as it comes: base64 of the largest data that a message carries, and what lies around it.
const ANSWER_BYTES_MAX: usize = 2 * FLOW_JSON_BYTES_MAX;
/// Said where the flow names no version of its own.
const DATA_API_VERSION: &str = "3.0";
const MESSAGE_CHARS_MAX: usize = 300;

/// Statuses by which an endpoint says what is wrong.
const CANNOT_DECRYPT: u16 = 421;
const TOKEN_EXPIRED: u16 = 427;

fn unreachable() -> FlowOutcome {
    error(
        "endpoint_unreachable",
        "The business cannot be reached at the moment. Try again later.",
    )
}

fn failed() -> FlowOutcome {
    error(
        "endpoint_failed",
        "Something went wrong at the business. Try again later, or write to it.",
    )
}

fn error(code: &str, message: &str) -> FlowOutcome {
    FlowOutcome::Error {
        code: code.to_owned(),
        message: message.chars().take(MESSAGE_CHARS_MAX).collect(),
    }
}

/// What an endpoint answered.
struct Answered {
    status: StatusCode,
    body: Vec<u8>,
    answering: Answering,
}

/// Asks the endpoint of a flow in the name of a number. `flow_token` is the offer's own: a person may claim another.
pub(super) async fn ask(
    parts: &Arc<Parts>,
    phone_number_id: u64,
    flow: &Flow,
    flow_token: &str,
    ask: &FlowAsk,
) -> FlowOutcome {
    let data: Value = serde_json::from_str(&ask.data).unwrap_or_else(|_| json!({}));
    let question = json!({
        "version": data_api_version(&flow.json),
        "action": ask.action,
        "screen": ask.screen,
        "data": data,
        "flow_token": flow_token,
    });
    let mut answered = match post(parts, phone_number_id, flow, &question).await {
        Ok(answered) => answered,
        Err(outcome) => return outcome,
    };
    if answered.status.as_u16() == CANNOT_DECRYPT {
        // The business has changed its key; the one in the store may be the new one by now.
        answered = match post(parts, phone_number_id, flow, &question).await {
            Ok(answered) => answered,
            Err(outcome) => return outcome,
        };
    }
    meaning(flow.flow_id, &answered)
}

pub(crate) fn data_api_version(flow_json: &str) -> String {
    let json: Value = serde_json::from_str(flow_json).unwrap_or_default();
    let version = json.get("data_api_version").and_then(Value::as_str);
    version.unwrap_or(DATA_API_VERSION).to_owned()
}

async fn post(
    parts: &Arc<Parts>,
    phone_number_id: u64,
    flow: &Flow,
    question: &Value,
) -> Result<Answered, FlowOutcome> {
    let flow_id = flow.flow_id;
    let unset = |what: &str| {
        tracing::warn!(flow_id, "a flow's endpoint could not be asked: {what}");
        failed()
    };
    let uri = flow.endpoint_uri.as_deref();
    let uri = uri.ok_or_else(|| unset("the flow has no endpoint_uri"))?;
    let stored = |error| {
        tracing::error!(flow_id, %error, "the gateway's store failed");
        failed()
    };
    let pem = parts.store.flow_key(phone_number_id).await.map_err(stored)?;
    let key = pem.as_deref().and_then(envelope::public_key);
    let key = key.ok_or_else(|| unset("the number has no public key (whatsapp_business_encryption)"))?;
    let app = parts.store.app(flow.app_id).await.map_err(stored)?;
    let app = app.ok_or_else(|| unset("the app that made the flow is gone"))?;
    let (body, answering) = envelope::seal(&key, question).map_err(|error| unset(&error.to_string()))?;
    let outbound = parts.outbound.to(uri).map_err(|error| unset(&error.to_string()))?;
    let request = outbound
        .post(uri)
        .header(header::CONTENT_TYPE, "application/json")
        .header(SIGNATURE_HEADER, signature(&app.secret, &body))
        .body(body);
    let away = |error: reqwest::Error| {
        let error = error.without_url();
        tracing::warn!(flow_id, "a flow's endpoint did not answer: {error}");
        unreachable()
    };
    let mut response = request.send().await.map_err(away)?;
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(away)? {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_BYTES_MAX {
            return Err(unset(&format!("its answer has more than {ANSWER_BYTES_MAX} bytes")));
        }
    }
    Ok(Answered {
        status,
        body,
        answering,
    })
}

fn meaning(flow_id: u64, answered: &Answered) -> FlowOutcome {
    let opened = answered.answering.open(&answered.body);
    match (answered.status.as_u16(), opened) {
        (200, Ok(answer)) => screen(flow_id, &answer),
        (200, Err(error)) => {
            tracing::warn!(flow_id, "a flow's endpoint answered wrongly: {error}");
            failed()
        }
        (TOKEN_EXPIRED, opened) => {
            let said = opened
                .ok()
                .and_then(|body| Some(body.get("error_msg")?.as_str()?.to_owned()));
            let said = said.filter(|said| !said.trim().is_empty());
            error(
                "token_expired",
                said.as_deref()
                    .unwrap_or("This form can no longer be used. Ask the business for a new one."),
            )
        }
        (status, _) => {
            tracing::warn!(flow_id, status, "a flow's endpoint refused");
            failed()
        }
    }
}

fn screen(flow_id: u64, answer: &Value) -> FlowOutcome {
    let wrong = |what: &str| {
        tracing::warn!(flow_id, "a flow's endpoint answered wrongly: {what}");
        failed()
    };
    let data = answer.get("data").cloned().unwrap_or_else(|| json!({}));
    let (Some(screen), true) = (answer.get("screen").and_then(Value::as_str), data.is_object()) else {
        return wrong("it names no screen, or its data is no object");
    };
    let data = data.to_string();
    if data.len() > FLOW_JSON_BYTES_MAX {
        return wrong("its data is larger than a message");
    }
    FlowOutcome::Screen {
        screen: screen.to_owned(),
        data,
    }
}
