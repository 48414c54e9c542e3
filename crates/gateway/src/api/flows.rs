//! `/<business>/flows`, `/<flow>` and its assets, and the key to which a number's flow data is sealed.

use kabar_protocol::{
    interactive as rules,
    limits::FLOW_JSON_BYTES_MAX,
    wire::{Interactive, interactive::Action},
};
use serde_json::{Value, json};

use super::{Answer, Call, store_failed, success};
use crate::{
    clock::now_ms,
    flows::{FIRST_JSON, check, public_key},
    graph::{GraphError, fields::Fields, paging::Page},
    messages::{FlowName, FlowSend},
    store::{Flow, FlowStatus, Number},
};

const NAME_CHARS_MAX: usize = 200;
const URI_CHARS_MAX: usize = 2_000;
/// Flows of a business, so that a list of them is one answer of bounded size.
const FLOWS_MAX: u32 = 1_000;
const CATEGORIES: [&str; 8] = [
    "SIGN_UP",
    "SIGN_IN",
    "APPOINTMENT_BOOKING",
    "LEAD_GENERATION",
    "CONTACT_US",
    "CUSTOMER_SUPPORT",
    "SURVEY",
    "OTHER",
];
/// What a call without `fields` gets of each flow in a list.
const LISTED: &str = "id,name,status,categories,validation_errors";
const ASSET: &str = "flow.json";

fn errors(json: &str) -> Vec<Value> {
    check::check(json).iter().map(check::Problem::value).collect()
}

fn node_value(flow: &Flow) -> Value {
    let json: Value = serde_json::from_str(&flow.json).unwrap_or_default();
    json!({
        "id": flow.flow_id.to_string(),
        "name": flow.name,
        "status": flow.status.name(),
        "categories": flow.categories,
        "validation_errors": errors(&flow.json),
        "json_version": json.get("version").cloned().unwrap_or_default(),
        "data_api_version": json.get("data_api_version").cloned().unwrap_or_default(),
        "endpoint_uri": flow.endpoint_uri,
        "updated_at": graph_time(flow.updated_ms),
        "whatsapp_business_account": {
            "id": flow.waba_id.to_string(),
            "name": flow.waba_id.to_string(),
            "currency": "IDR",
            "timezone_id": "1",
            "message_template_namespace": flow.waba_id.to_string(),
        },
        "application": { "id": flow.app_id.to_string(), "name": flow.app_id.to_string(), "link": "" },
    })
}

/// `2026-01-31T12:00:00+0000`
fn graph_time(time_ms: i64) -> String {
    let seconds = time_ms.div_euclid(1_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}+0000")
}

/// Year, month and day of a day since the epoch (Howard Hinnant's civil_from_days).
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

async fn found(call: &Call, flow_id: u64) -> Result<Option<Flow>, GraphError> {
    let flow = call.parts.store.flow(call.app.waba_id, flow_id).await;
    flow.map_err(store_failed)
}

async fn keep(call: &Call, flow: Flow) -> Result<Flow, GraphError> {
    let flow = Flow {
        updated_ms: now_ms(),
        ..flow
    };
    call.parts.store.put_flow(flow).await.map_err(store_failed)
}

pub(super) async fn list(call: &Call) -> Result<Answer, GraphError> {
    let flows = call.parts.store.flows(call.app.waba_id, FLOWS_MAX).await;
    let fields = call.params.string("fields")?.unwrap_or_else(|| LISTED.to_owned());
    let fields = Fields::parse(&fields)?;
    let items: Vec<(String, Value)> = flows
        .map_err(store_failed)?
        .iter()
        .map(|flow| (flow.flow_id.to_string(), fields.project(&node_value(flow))))
        .collect();
    let address = format!("{}/{}/flows", call.parts.public_url, call.app.waba_id);
    Ok(Page::read(&call.params)?.of(&items, &address).into())
}

fn categories(call: &Call) -> Result<Option<Vec<String>>, GraphError> {
    let Some(categories) = call.params.words("categories")? else {
        return Ok(None);
    };
    let known = |category: &String| CATEGORIES.contains(&category.as_str());
    if categories.is_empty() || !categories.iter().all(known) {
        let rule = format!("must be a list of {}", CATEGORIES.join(", "));
        return Err(call.params.refused("categories", rule));
    }
    Ok(Some(categories))
}

fn endpoint_uri(call: &Call) -> Result<Option<String>, GraphError> {
    let uri = call.params.text("endpoint_uri", URI_CHARS_MAX)?;
    if let Some(uri) = &uri
        && rules::url("endpoint_uri", uri).is_err()
    {
        return Err(call.params.refused("endpoint_uri", "must be an http or https address"));
    }
    Ok(uri)
}

/// JSON text, or the object itself.
fn flow_json(call: &Call) -> Result<Option<String>, GraphError> {
    let json = match call.params.get("flow_json") {
        None => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(value @ Value::Object(_)) => value.to_string(),
        Some(_) => return Err(call.params.refused("flow_json", "must be the flow's JSON as text")),
    };
    if json.len() > FLOW_JSON_BYTES_MAX {
        let rule = format!("must have at most {FLOW_JSON_BYTES_MAX} bytes: it travels inside one message");
        return Err(call.params.refused("flow_json", rule));
    }
    Ok(Some(json))
}

pub(super) async fn create(call: &Call) -> Result<Answer, GraphError> {
    let params = &call.params;
    let name = params.required_text("name", NAME_CHARS_MAX)?;
    let categories = categories(call)?.ok_or_else(|| params.missing("categories"))?;
    let (uri, publish) = (endpoint_uri(call)?, params.bool("publish")?.unwrap_or(false));
    let count = call.parts.store.count_flows(call.app.waba_id).await;
    if count.map_err(store_failed)? >= u64::from(FLOWS_MAX) {
        return Err(GraphError::invalid_request(format!(
            "a business has at most {FLOWS_MAX} flows; delete drafts"
        )));
    }
    let cloned = match params.u64("clone_flow_id")? {
        None => None,
        Some(id) => {
            let cloned = found(call, id).await?;
            Some(cloned.ok_or_else(|| params.refused("clone_flow_id", "is no flow of this business"))?)
        }
    };
    let json = flow_json(call)?
        .or_else(|| cloned.as_ref().map(|flow| flow.json.clone()))
        .unwrap_or_else(|| FIRST_JSON.to_owned());
    let flow = Flow {
        flow_id: 0,
        waba_id: call.app.waba_id,
        app_id: call.app.app_id,
        name,
        categories,
        status: FlowStatus::Draft,
        json,
        endpoint_uri: uri.or_else(|| cloned.and_then(|flow| flow.endpoint_uri)),
        updated_ms: 0,
    };
    let problems = errors(&flow.json);
    let status = match publish {
        // As the Cloud API does: what cannot be published yet is kept as a draft, and the answer says why.
        true if publishable(&flow).is_ok() => FlowStatus::Published,
        _ => FlowStatus::Draft,
    };
    let flow = keep(call, Flow { status, ..flow }).await?;
    Ok(json!({ "id": flow.flow_id.to_string(), "success": true, "validation_errors": problems }).into())
}

fn publishable(flow: &Flow) -> Result<(), GraphError> {
    if flow.status != FlowStatus::Draft {
        let status = flow.status.name();
        return Err(GraphError::flow_publish(format!(
            "the flow is {status}, and only a DRAFT can be published"
        )));
    }
    let problems = check::check(&flow.json);
    if let Some(first) = problems.first() {
        let (count, place) = (problems.len(), first.path());
        return Err(GraphError::flow_publish(format!(
            "the flow has {count} validation errors, the first at '{place}'; GET /<flow> tells them all"
        )));
    }
    if flow.endpoint_uri.is_none() && check::needs_endpoint(&flow.json) {
        let why = "the flow exchanges data, and has no endpoint_uri; set one with POST /<flow>";
        return Err(GraphError::flow_publish(why));
    }
    Ok(())
}

/// `/<flow>` and its edges; `None` if the node is no flow of this business.
pub(super) async fn node(call: &Call, method: &str, id: u64, edge: &[&str]) -> Result<Option<Answer>, GraphError> {
    let Some(flow) = found(call, id).await? else {
        return Ok(None);
    };
    let answer = match (method, edge) {
        ("GET", []) => {
            let value = node_value(&flow);
            match call.params.string("fields")? {
                Some(fields) => Fields::parse(&fields)?.project(&value).into(),
                None => value.into(),
            }
        }
        ("POST", []) => update(call, flow).await?,
        ("DELETE", []) => delete(call, &flow).await?,
        ("GET", ["assets"]) => assets(call, &flow)?,
        ("GET", ["assets", ASSET]) => Answer::File {
            size: flow.json.len() as u64,
            body: flow.json.into(),
            mime: "application/json".into(),
        },
        ("POST", ["assets"]) => upload(call, flow).await?,
        ("POST", ["publish"]) => {
            publishable(&flow)?;
            set_status(call, flow, FlowStatus::Published).await?
        }
        ("POST", ["deprecate"]) if flow.status == FlowStatus::Published => {
            set_status(call, flow, FlowStatus::Deprecated).await?
        }
        ("POST", ["deprecate"]) => {
            let status = flow.status.name();
            return Err(GraphError::flow_deprecate(format!(
                "the flow is {status}, and only a PUBLISHED one can be deprecated"
            )));
        }
        _ => return Err(GraphError::unknown_node(&format!("{id}/{}", edge.join("/")))),
    };
    Ok(Some(answer))
}

async fn set_status(call: &Call, flow: Flow, status: FlowStatus) -> Result<Answer, GraphError> {
    keep(call, Flow { status, ..flow }).await?;
    Ok(success())
}

/// 139001 where it is not a draft any more: what people hold must stay what it was.
fn changeable(flow: &Flow) -> Result<(), GraphError> {
    match flow.status {
        FlowStatus::Draft => Ok(()),
        status => Err(GraphError::flow_update(format!(
            "the flow is {}, and only a DRAFT can be changed; make another with clone_flow_id",
            status.name()
        ))),
    }
}

async fn update(call: &Call, flow: Flow) -> Result<Answer, GraphError> {
    let name = call.params.text("name", NAME_CHARS_MAX)?;
    let categories = categories(call)?;
    let uri = endpoint_uri(call)?;
    // Endpoints move; nothing that people hold changes by it.
    if name.is_some() || categories.is_some() || flow.status == FlowStatus::Deprecated {
        changeable(&flow)?;
    }
    let flow = Flow {
        name: name.unwrap_or(flow.name),
        categories: categories.unwrap_or(flow.categories),
        endpoint_uri: uri.or(flow.endpoint_uri),
        ..flow
    };
    keep(call, flow).await?;
    Ok(success())
}

async fn delete(call: &Call, flow: &Flow) -> Result<Answer, GraphError> {
    if flow.status != FlowStatus::Draft {
        let status = flow.status.name();
        return Err(GraphError::flow_delete(format!(
            "the flow is {status}, and only a DRAFT can be deleted; deprecate it"
        )));
    }
    call.parts.store.delete_flow(flow.flow_id).await.map_err(store_failed)?;
    Ok(success())
}

fn assets(call: &Call, flow: &Flow) -> Result<Answer, GraphError> {
    let address = format!("{}/{}/assets", call.parts.public_url, flow.flow_id);
    let asset = json!({ "name": ASSET, "asset_type": "FLOW_JSON", "download_url": format!("{address}/{ASSET}") });
    Ok(Page::read(&call.params)?.of(&[(ASSET.into(), asset)], &address).into())
}

/// Kept even where it breaks rules: a draft is what somebody is working on.
async fn upload(call: &Call, flow: Flow) -> Result<Answer, GraphError> {
    changeable(&flow)?;
    let params = &call.params;
    if params.string("asset_type")?.is_some_and(|kind| kind != "FLOW_JSON") {
        return Err(params.refused("asset_type", "must be FLOW_JSON"));
    }
    let file = params.file("file")?;
    if file.bytes.len() > FLOW_JSON_BYTES_MAX {
        let rule = format!("must have at most {FLOW_JSON_BYTES_MAX} bytes: it travels inside one message");
        return Err(params.refused("file", rule));
    }
    let json = String::from_utf8(file.bytes.to_vec()).map_err(|_| params.refused("file", "must be UTF-8"))?;
    let problems = errors(&json);
    keep(call, Flow { json, ..flow }).await?;
    Ok(json!({ "success": true, "validation_errors": problems }).into())
}

pub(super) async fn key(call: &Call, number: &Number) -> Result<Answer, GraphError> {
    let key = call
        .parts
        .store
        .flow_key(number.phone_number_id)
        .await
        .map_err(store_failed)?;
    let value = |pem: String| json!({ "business_public_key": pem, "business_public_key_signature_status": "VALID" });
    let data: Vec<Value> = key.map(value).into_iter().collect();
    Ok(json!({ "data": data }).into())
}

pub(super) async fn set_key(call: &Call, number: &Number) -> Result<Answer, GraphError> {
    let pem = call.params.required("business_public_key")?;
    if public_key(&pem).is_none() {
        let rule = "must be the PEM of an RSA public key of 2048 bits (-----BEGIN PUBLIC KEY-----)";
        return Err(call.params.refused("business_public_key", rule));
    }
    let store = &call.parts.store;
    store
        .set_flow_key(number.phone_number_id, &pem)
        .await
        .map_err(store_failed)?;
    Ok(success())
}

/// The message that opens a flow, with its screens in it.
pub(super) async fn offered(call: &Call, send: &FlowSend) -> Result<Interactive, GraphError> {
    let refused = |rule: &str| GraphError::parameter_value(send.flow.parameter(), rule);
    let (store, waba_id) = (&call.parts.store, call.app.waba_id);
    let flow = match &send.flow {
        FlowName::Id(id) => store.flow(waba_id, *id).await,
        FlowName::Name(name) => store.flow_by_name(waba_id, name).await,
    };
    let flow = flow.map_err(store_failed)?;
    let flow = flow.ok_or_else(|| refused("is no flow of this business"))?;
    match flow.status {
        FlowStatus::Draft if !send.draft => {
            return Err(refused("is a DRAFT: publish it, or send it with mode draft"));
        }
        FlowStatus::Deprecated => return Err(refused("is a DEPRECATED flow, which cannot be sent")),
        FlowStatus::Draft | FlowStatus::Published => {}
    }
    if !check::check(&flow.json).is_empty() {
        return Err(refused("is a flow with validation errors; read them with GET /<flow>"));
    }
    let json: Value = serde_json::from_str(&flow.json).map_err(|_| refused("is no JSON"))?;
    let mut offer = send.offer.clone();
    offer.flow_id = flow.flow_id.to_string();
    // Without the spaces that people write it with.
    offer.flow_json = json.to_string();
    if offer.data_exchange {
        if flow.endpoint_uri.is_none() {
            return Err(GraphError::parameter_value(
                "interactive.action.parameters.flow_action",
                "must be navigate: the flow has no endpoint_uri",
            ));
        }
    } else {
        let screens: Vec<&str> = ids(&json).collect();
        if offer.screen.is_empty() {
            offer.screen = screens.first().copied().unwrap_or_default().to_owned();
        } else if !screens.contains(&offer.screen.as_str()) {
            let place = "interactive.action.parameters.flow_action_payload.screen";
            return Err(GraphError::parameter_value(
                place,
                "must be the id of a screen of the flow",
            ));
        }
    }
    let message = Interactive {
        action: Some(Action::Flow(offer)),
        ..send.around.clone()
    };
    rules::interactive(&message).map_err(|error| GraphError::parameter_value("interactive", error))?;
    Ok(message)
}

fn ids(flow: &Value) -> impl Iterator<Item = &str> {
    let screens = flow.get("screens").and_then(Value::as_array).into_iter().flatten();
    screens.filter_map(|screen| screen.get("id")?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_sdks_read_it() {
        for (time_ms, expected) in [
            (0, "1970-01-01T00:00:00+0000"),
            (951_782_400_000, "2000-02-29T00:00:00+0000"),
            (1_767_225_599_999, "2025-12-31T23:59:59+0000"),
        ] {
            assert_eq!(graph_time(time_ms), expected);
        }
    }
}
