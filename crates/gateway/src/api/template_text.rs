//! From an approved template and the parameters of a send to what the person sees.

use kabar_client::api::{BusinessCommand, BusinessSend, MessageTemplate, Reply, Shown};
use kabar_protocol::wire::{self, template_button};
use serde_json::Value;

use super::client_refused;
use crate::{
    graph::GraphError,
    messages::{ButtonParameter, TemplateParameters, TemplateSend},
    numbers::Line,
};

/// Looks the template up and fills it in (132001 unknown or not approved, 132000 wrong number of parameters).
pub(super) async fn filled(line: &Line, send: &TemplateSend) -> Result<(Shown, BusinessSend), GraphError> {
    let list = BusinessCommand::ListTemplates {
        name: Some(send.name.clone()),
        language: Some(send.language.clone()),
    };
    let templates = match line.ask_business(list).await.map_err(|error| client_refused(&error))? {
        Reply::Templates { templates } => templates,
        _ => Vec::new(),
    };
    let unknown =
        |why: &str| GraphError::template_unknown(format!("template name ({}) {why} in {}", send.name, send.language));
    let template = templates.first().ok_or_else(|| unknown("does not exist"))?;
    if !template.approved {
        return Err(unknown("is not approved"));
    }
    let shown = fill(template, send)?;
    let business = BusinessSend {
        category: template.category,
        template_id: template.template_id,
    };
    Ok((Shown::Template(shown), business))
}

fn fill(template: &MessageTemplate, send: &TemplateSend) -> Result<wire::Template, GraphError> {
    let components: Vec<Value> = serde_json::from_str(&template.components).unwrap_or_default();
    let mut filled = wire::Template {
        name: template.name.clone(),
        language: template.language.clone(),
        ..wire::Template::default()
    };
    for component in &components {
        let text = component.get("text").and_then(Value::as_str).unwrap_or_default();
        let kind = component.get("type").and_then(Value::as_str).unwrap_or_default();
        match kind.to_ascii_uppercase().as_str() {
            "HEADER" => filled.header = Some(fill_text("header", text, &send.header)?),
            "BODY" => filled.body = fill_text("body", text, &send.body)?,
            "FOOTER" => filled.footer = Some(text.to_owned()),
            "BUTTONS" => filled.buttons = buttons(component, send)?,
            _ => {}
        }
    }
    Ok(filled)
}

/// The text with every `{{variable}}` replaced.
fn fill_text(part: &str, text: &str, parameters: &TemplateParameters) -> Result<String, GraphError> {
    let mut filled = String::with_capacity(text.len());
    let mut variables = std::collections::BTreeSet::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((variable, after)) = after.split_once("}}") else {
            break;
        };
        let variable = variable.trim();
        let value = parameters.get(variable).ok_or_else(|| {
            GraphError::template_parameter_count(format!("{part}: there is no parameter for {{{{{variable}}}}}"))
        })?;
        variables.insert(variable);
        filled.push_str(before);
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    if parameters.len() != variables.len() {
        return Err(GraphError::template_parameter_count(format!(
            "{part}: number of localizable_params ({}) does not match the expected number of params ({})",
            parameters.len(),
            variables.len()
        )));
    }
    Ok(filled)
}

fn buttons(component: &Value, send: &TemplateSend) -> Result<Vec<wire::TemplateButton>, GraphError> {
    let buttons = component.get("buttons").and_then(Value::as_array);
    let buttons = buttons.map(Vec::as_slice).unwrap_or_default();
    let button = |(index, button): (usize, &Value)| {
        let text = |name: &str| button.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let given = send.buttons.get(&index);
        let action = if text("type").eq_ignore_ascii_case("URL") {
            let mut url = text("url");
            if let Some((base, _)) = url.split_once("{{") {
                let suffix = match given {
                    Some(ButtonParameter::UrlSuffix(suffix)) => suffix,
                    _ => {
                        let details = format!("button {index}: its url has a variable and needs a text parameter");
                        return Err(GraphError::template_parameter_count(details));
                    }
                };
                url = format!("{base}{suffix}");
            }
            template_button::Action::Url(url)
        } else {
            template_button::Action::Payload(match given {
                Some(ButtonParameter::Payload(payload)) => payload.clone(),
                // Without a payload the button's own words come back.
                _ => text("text"),
            })
        };
        Ok(wire::TemplateButton {
            text: text("text"),
            action: Some(action),
        })
    };
    buttons.iter().enumerate().map(button).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn positional(values: &[&str]) -> TemplateParameters {
        TemplateParameters::Positional(values.iter().map(|value| (*value).to_owned()).collect())
    }

    #[test]
    fn variables_are_filled_in_by_place() {
        let text = "Kursi {{1}} pada {{2}}, {{1}} lagi.";
        let filled = fill_text("body", text, &positional(&["A1", "Jumat"])).expect("filled");
        assert_eq!(filled, "Kursi A1 pada Jumat, A1 lagi.");
        for values in [&[][..], &["A1"], &["A1", "Jumat", "x"]] {
            let error = fill_text("body", text, &positional(values)).expect_err("refused");
            assert_eq!(error.code(), 132_000, "{}", error.details);
        }
    }

    #[test]
    fn a_value_with_braces_is_not_filled_in_again() {
        let filled = fill_text("body", "Halo {{1}}.", &positional(&["{{1}}"])).expect("filled");
        assert_eq!(filled, "Halo {{1}}.");
    }
}
