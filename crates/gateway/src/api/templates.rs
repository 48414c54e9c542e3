//! `/<business>/message_templates`: created, listed and deleted at the server, which reviews them.

use std::sync::Arc;

use kabar_client::api::{BusinessCommand, Category, MessageTemplate, Reply, TimeMs};
use serde_json::{Value, json};

use super::{Answer, Call, client_refused, success};
use crate::{
    graph::{GraphError, Object, fields::Fields, paging::Page},
    numbers::Line,
};

/// The server's own bounds say more; these keep a call small.
const NAME_CHARS_MAX: usize = 512;
const LANGUAGE_CHARS_MAX: usize = 15;
/// As the server's own bound, for the summary of a list.
const TEMPLATES_MAX: usize = 6_000;

fn line(call: &Call) -> Result<Arc<Line>, GraphError> {
    let line = call.parts.lines.of_business(call.app.waba_id);
    line.ok_or_else(|| GraphError::unavailable("no number of this business is connected to its server at the moment"))
}

fn category(params: &Object<'_>) -> Result<Category, GraphError> {
    match params.required("category")?.to_ascii_uppercase().as_str() {
        "UTILITY" => Ok(Category::Utility),
        "AUTHENTICATION" => Ok(Category::Authentication),
        "MARKETING" => Ok(Category::Marketing),
        _ => Err(params.refused("category", "must be UTILITY, AUTHENTICATION or MARKETING")),
    }
}

pub(super) async fn create(call: &Call) -> Result<Answer, GraphError> {
    let params = &call.params;
    let components = match params.get("components") {
        Some(Value::Array(components)) => components,
        Some(_) => return Err(params.refused("components", "must be an array of components")),
        None => return Err(params.missing("components")),
    };
    let named_parameters = match params.string("parameter_format")? {
        Some(format) => format.eq_ignore_ascii_case("named"),
        None => has_named_examples(components),
    };
    let template = MessageTemplate {
        template_id: 0,
        name: params.required_text("name", NAME_CHARS_MAX)?,
        language: params.required_text("language", LANGUAGE_CHARS_MAX)?,
        category: category(params)?,
        components: Value::from(components.clone()).to_string(),
        named_parameters,
        approved: false,
        rejected_reason: String::new(),
        created_at: 0,
    };
    let outcome = line(call)?
        .ask_business(BusinessCommand::CreateTemplate { template })
        .await;
    match outcome.map_err(|error| client_refused(&error))? {
        Reply::Templates { templates } => {
            let created = templates.first();
            let created = created.ok_or_else(|| GraphError::internal("the server answered without a template"))?;
            Ok(json!({
                "id": created.template_id.to_string(),
                "status": status(created),
                "category": category_name(created.category),
            })
            .into())
        }
        _ => Err(GraphError::internal("the number's client answered something else")),
    }
}

/// Where no format is said, the examples tell it: SDKs send them by name and leave the format out.
fn has_named_examples(components: &[Value]) -> bool {
    let examples = components
        .iter()
        .filter_map(|component| component.get("example")?.as_object());
    examples
        .flat_map(|example| example.keys())
        .any(|name| name.ends_with("_named_params"))
}

pub(super) async fn list(call: &Call) -> Result<Answer, GraphError> {
    let params = &call.params;
    let list = BusinessCommand::ListTemplates {
        name: params.string("name")?,
        language: params.string("language")?,
    };
    let templates = match line(call)?
        .ask_business(list)
        .await
        .map_err(|error| client_refused(&error))?
    {
        Reply::Templates { templates } => templates,
        _ => Vec::new(),
    };
    let wanted = params.string("status")?;
    let fields = params.string("fields")?.map(|text| Fields::parse(&text)).transpose()?;
    let items: Vec<(String, Value)> = templates
        .iter()
        .filter(|template| wanted.as_deref().is_none_or(|wanted| wanted == status(template)))
        .map(|template| {
            let value = node(template);
            let value = fields.as_ref().map_or(value.clone(), |fields| fields.project(&value));
            (template.template_id.to_string(), value)
        })
        .collect();
    let address = format!("{}/{}/message_templates", call.parts.public_url, call.app.waba_id);
    let mut page = Page::read(params)?.of(&items, &address);
    if params.has("summary") {
        page["summary"] = summary(items.len());
    }
    Ok(page.into())
}

/// Every field, whichever were asked for: SDKs read them all.
fn summary(count: usize) -> Value {
    json!({
        "total_count": count,
        "message_template_count": count,
        "message_template_limit": TEMPLATES_MAX,
        // Nothing here is translated by the server.
        "are_translations_complete": true,
    })
}

pub(super) async fn delete(call: &Call) -> Result<Answer, GraphError> {
    let params = &call.params;
    let name = params.required_text("name", NAME_CHARS_MAX)?;
    let template_id = params.u64("hsm_id")?.unwrap_or(0);
    let delete = BusinessCommand::DeleteTemplates {
        name: name.clone(),
        template_id,
    };
    match line(call)?
        .ask_business(delete)
        .await
        .map_err(|error| client_refused(&error))?
    {
        Reply::Deleted { count: 0 } => Err(GraphError::template_unknown(format!("there is no template {name}"))),
        _ => Ok(success()),
    }
}

fn status(template: &MessageTemplate) -> &'static str {
    if template.approved { "APPROVED" } else { "REJECTED" }
}

fn category_name(category: Category) -> &'static str {
    match category {
        Category::Authentication => "AUTHENTICATION",
        Category::Marketing => "MARKETING",
        Category::Utility | Category::Service => "UTILITY",
    }
}

/// Seconds since the epoch.
fn seconds(time: TimeMs) -> i64 {
    time / 1000
}

fn node(template: &MessageTemplate) -> Value {
    let components: Value = serde_json::from_str(&template.components).unwrap_or_default();
    json!({
        "id": template.template_id.to_string(),
        "name": template.name,
        "language": template.language,
        "status": status(template),
        "category": category_name(template.category),
        "parameter_format": if template.named_parameters { "NAMED" } else { "POSITIONAL" },
        "components": components,
        "rejected_reason": if template.approved { "NONE" } else { template.rejected_reason.as_str() },
        "last_updated_time": seconds(template.created_at).to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_by_name_make_parameters_named() {
        let body = |example: Value| json!({ "type": "BODY", "text": "Kursi {{seat}} untuk Anda.", "example": example });
        let named = json!({ "body_text_named_params": [{ "param_name": "seat", "example": "A1" }] });
        assert!(has_named_examples(&[
            json!({ "type": "HEADER", "text": "Tiket" }),
            body(named)
        ]));
        assert!(!has_named_examples(&[body(json!({ "body_text": [["A1"]] }))]));
        assert!(!has_named_examples(&[]));
    }

    #[test]
    fn a_summary_has_every_field_that_sdks_read() {
        let summary = summary(3);
        assert_eq!(
            (&summary["total_count"], &summary["message_template_count"]),
            (&json!(3), &json!(3))
        );
        assert!(summary["message_template_limit"].is_u64() && summary["are_translations_complete"].is_boolean());
    }
}
