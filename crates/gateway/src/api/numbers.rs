//! `/<phone number>`, `/<business>/phone_numbers` and the business profile.

use serde_json::{Map, Value, json};

use super::{Answer, Call, store_failed, success};
use crate::{
    graph::{GraphError, fields::Fields, paging::Page},
    store::Number,
};

/// Texts of the profile and their greatest lengths in characters.
const PROFILE: [(&str, usize); 6] = [
    ("about", 139),
    ("address", 256),
    ("description", 512),
    ("email", 128),
    ("vertical", 64),
    ("profile_picture_handle", 2_000),
];
const VERTICAL_UNSET: &str = "UNDEFINED";
const WEBSITES_MAX: usize = 2;
const WEBSITE_CHARS_MAX: usize = 256;

fn number_value(call: &Call, number: &Number) -> Value {
    let connected = call.parts.lines.get(number.phone_number_id).is_some();
    json!({
        "id": number.phone_number_id.to_string(),
        "display_phone_number": number.phone,
        "verified_name": number.name,
        // Number and name are the operator's word: `number add` says both.
        "code_verification_status": "VERIFIED",
        "name_status": "APPROVED",
        // Nobody rates a business yet.
        "quality_rating": "UNKNOWN",
        "platform_type": "CLOUD_API",
        "throughput": { "level": "STANDARD" },
        "status": if connected { "CONNECTED" } else { "DISCONNECTED" },
    })
}

/// A number is registered by its enrolment: this says whether it is, and keeps no PIN.
pub(super) fn register(call: &Call, number: &Number) -> Result<Answer, GraphError> {
    let pin = call.params.required_text("pin", 6)?;
    if pin.len() != 6 || !pin.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(call.params.refused("pin", "must be six digits"));
    }
    super::messages::line(call, number)?;
    Ok(success())
}

/// Of what the Cloud API lets a number set, Kabar has nothing yet, so this is true of every number; setting it is refused.
pub(super) fn settings() -> Answer {
    json!({
        "calling": { "status": "DISABLED" },
        // No call says which identity it expects to reach.
        "user_identity_change": { "enable_identity_key_check": false },
        // Of webhooks, beyond TLS; the data of flows is sealed, see `whatsapp_business_encryption`.
        "payload_encryption": { "status": "DISABLED" },
        // No region is chosen: everything is where the server and this gateway are.
        "storage_configuration": { "status": "DEFAULT" },
    })
    .into()
}

/// What a call without `fields` answers.
fn projected(call: &Call, value: &Value) -> Result<Value, GraphError> {
    match call.params.string("fields")? {
        Some(fields) => Ok(Fields::parse(&fields)?.project(value)),
        None => Ok(value.clone()),
    }
}

pub(super) fn node(call: &Call, number: &Number) -> Result<Answer, GraphError> {
    Ok(projected(call, &number_value(call, number))?.into())
}

/// `/<business>`; its name is that of its first number.
pub(super) async fn business(call: &Call) -> Result<Answer, GraphError> {
    let numbers = call.parts.store.numbers().await.map_err(store_failed)?;
    let first = numbers.iter().find(|number| number.waba_id == call.app.waba_id);
    let value = json!({
        "id": call.app.waba_id.to_string(),
        "name": first.map_or("", |number| number.name.as_str()),
        "timezone_id": "1",
        "message_template_namespace": call.app.waba_id.to_string(),
    });
    Ok(projected(call, &value)?.into())
}

pub(super) async fn list(call: &Call) -> Result<Answer, GraphError> {
    let numbers = call.parts.store.numbers().await.map_err(store_failed)?;
    let mut items = Vec::new();
    for number in numbers.iter().filter(|number| number.waba_id == call.app.waba_id) {
        items.push((
            number.phone_number_id.to_string(),
            projected(call, &number_value(call, number))?,
        ));
    }
    let address = format!("{}/{}/phone_numbers", call.parts.public_url, call.app.waba_id);
    Ok(Page::read(&call.params)?.of(&items, &address).into())
}

fn stored_profile(number: &Number) -> Map<String, Value> {
    match serde_json::from_str(&number.profile) {
        Ok(Value::Object(profile)) => profile,
        _ => Map::new(),
    }
}

/// As it is shown: SDKs read `vertical` without asking, also before anybody has set it.
fn shown_profile(number: &Number) -> Value {
    let mut profile = stored_profile(number);
    profile.insert("messaging_product".into(), "whatsapp".into());
    profile.entry("vertical").or_insert_with(|| VERTICAL_UNSET.into());
    Value::Object(profile)
}

pub(super) fn profile(call: &Call, number: &Number) -> Result<Answer, GraphError> {
    let value = projected(call, &shown_profile(number))?;
    Ok(json!({ "data": [value] }).into())
}

pub(super) async fn set_profile(call: &Call, number: &Number) -> Result<Answer, GraphError> {
    let mut profile = stored_profile(number);
    for (name, chars_max) in PROFILE {
        if let Some(text) = call.params.text(name, chars_max)? {
            profile.insert(name.into(), text.into());
        }
    }
    if let Some(websites) = call.params.words("websites")? {
        let fits = websites.len() <= WEBSITES_MAX
            && websites
                .iter()
                .all(|site| site.chars().count() <= WEBSITE_CHARS_MAX && site.starts_with("http"));
        if !fits {
            let rule =
                format!("must be at most {WEBSITES_MAX} web addresses of at most {WEBSITE_CHARS_MAX} characters");
            return Err(call.params.refused("websites", rule));
        }
        profile.insert("websites".into(), websites.into());
    }
    let text = Value::Object(profile).to_string();
    let store = &call.parts.store;
    store
        .set_profile(number.phone_number_id, &text)
        .await
        .map_err(store_failed)?;
    Ok(success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_has_a_vertical_before_anybody_sets_one() {
        let number = |profile: &str| Number {
            phone_number_id: 1,
            waba_id: 2,
            phone: "+62215550".into(),
            name: "Bioskop".into(),
            enrolment_code: String::new(),
            profile: profile.into(),
        };
        assert_eq!(shown_profile(&number(""))["vertical"], "UNDEFINED");
        let set = shown_profile(&number(r#"{"vertical":"ENTERTAIN"}"#));
        assert_eq!(
            (&set["vertical"], &set["messaging_product"]),
            (&json!("ENTERTAIN"), &json!("whatsapp"))
        );
    }
}
