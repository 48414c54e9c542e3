//! The review of a template: rules that are published, decided at once, the same for everybody.
//!
//! docs/BUSINESS-API.md lists them. A rejection names its rule.

use kabar_protocol::{
    limits::{
        INTERACTIVE_FOOTER_CHARS_MAX, INTERACTIVE_HEADER_CHARS_MAX, TEMPLATE_BODY_CHARS_MAX, TEMPLATE_BUTTONS_MAX,
    },
    wire::{MessageCategory, MessageTemplate},
};
use serde_json::Value;

use crate::error::Failure;

const NAME_CHARS_MAX: usize = 512;
const COMPONENTS_BYTES_MAX: usize = 16 * 1024;
/// Characters of text that each placeholder needs beside it: a template is no empty envelope.
const CHARS_PER_PLACEHOLDER_MIN: usize = 6;

/// What is no template at all: refused, not rejected.
pub(super) fn check_form(template: &MessageTemplate) -> Result<(), Failure> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if template.name.is_empty() || template.name.len() > NAME_CHARS_MAX || !template.name.chars().all(plain) {
        let rule = format!("must have 1 to {NAME_CHARS_MAX} of a-z, 0-9 and _");
        return Err(Failure::invalid("name", rule));
    }
    let language = template.language.as_str();
    let fits = (2..=15).contains(&language.len())
        && language.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && language.starts_with(|c: char| c.is_ascii_lowercase());
    if !fits {
        return Err(Failure::invalid("language", "must be a code such as id or en_US"));
    }
    if matches!(
        template.category(),
        MessageCategory::Unspecified | MessageCategory::Service
    ) {
        return Err(Failure::invalid(
            "category",
            "must be UTILITY, AUTHENTICATION or MARKETING",
        ));
    }
    if template.components.len() > COMPONENTS_BYTES_MAX {
        let rule = format!("must have at most {COMPONENTS_BYTES_MAX} bytes");
        return Err(Failure::invalid("components", rule));
    }
    match serde_json::from_str::<Value>(&template.components) {
        Ok(Value::Array(components)) if !components.is_empty() => Ok(()),
        _ => Err(Failure::invalid("components", "must be a JSON array of components")),
    }
}

/// The rule that a template breaks, by its published name.
pub(super) fn review(template: &MessageTemplate) -> Result<(), String> {
    let components: Vec<Value> = serde_json::from_str(&template.components).unwrap_or_default();
    let mut bodies = 0;
    for component in &components {
        let text = component.get("text").and_then(Value::as_str).unwrap_or_default();
        let kind = component.get("type").and_then(Value::as_str).unwrap_or_default();
        match kind.to_ascii_uppercase().as_str() {
            "BODY" => {
                bodies += 1;
                check_text("BODY", text, TEMPLATE_BODY_CHARS_MAX)?;
                check_placeholders("BODY", text, template.named_parameters)?;
            }
            "HEADER" => {
                let format = component.get("format").and_then(Value::as_str).unwrap_or("TEXT");
                if !format.eq_ignore_ascii_case("TEXT") {
                    return Err(format!(
                        "HEADER_FORMAT: a header must be TEXT in this version, not {format}"
                    ));
                }
                check_text("HEADER", text, INTERACTIVE_HEADER_CHARS_MAX)?;
                if placeholders(text).len() > 1 {
                    return Err("HEADER_PLACEHOLDERS: a header has at most one placeholder".into());
                }
            }
            "FOOTER" => {
                check_text("FOOTER", text, INTERACTIVE_FOOTER_CHARS_MAX)?;
                if !placeholders(text).is_empty() {
                    return Err("FOOTER_PLACEHOLDERS: a footer has no placeholders".into());
                }
            }
            "BUTTONS" => check_buttons(component)?,
            other => {
                return Err(format!(
                    "COMPONENT_TYPE: {other:?} is not one of HEADER, BODY, FOOTER, BUTTONS"
                ));
            }
        }
    }
    match bodies {
        1 => Ok(()),
        _ => Err("BODY_COUNT: a template has exactly one BODY".into()),
    }
}

fn check_text(part: &str, text: &str, most: usize) -> Result<(), String> {
    let got = text.chars().count();
    if text.trim().is_empty() || got > most {
        return Err(format!("{part}_LENGTH: must have 1 to {most} characters, has {got}"));
    }
    Ok(())
}

/// The names between `{{` and `}}`, in their order.
fn placeholders(text: &str) -> Vec<&str> {
    let pieces = text.split("{{").skip(1);
    pieces
        .filter_map(|piece| Some(piece.split_once("}}")?.0.trim()))
        .collect()
}

fn check_placeholders(part: &str, text: &str, named: bool) -> Result<(), String> {
    let names = placeholders(text);
    if names.is_empty() {
        return Ok(());
    }
    let fits = |name: &str| match named {
        true => {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        }
        false => name
            .parse::<usize>()
            .is_ok_and(|number| (1..=names.len()).contains(&number)),
    };
    if let Some(name) = names.iter().find(|name| !fits(name)) {
        let rule = if named {
            "must be a-z, 0-9 and _"
        } else {
            "must count up from 1"
        };
        return Err(format!("{part}_PLACEHOLDERS: {{{{{name}}}}} {rule}"));
    }
    let trimmed = text.trim();
    if trimmed.starts_with("{{") || trimmed.ends_with("}}") {
        return Err(format!("{part}_EDGE: text must not begin or end with a placeholder"));
    }
    let outside: usize = text.chars().count() - names.iter().map(|name| name.chars().count() + 4).sum::<usize>();
    if outside < CHARS_PER_PLACEHOLDER_MIN * names.len() {
        return Err(format!(
            "{part}_DENSITY: needs {CHARS_PER_PLACEHOLDER_MIN} characters of text for each placeholder"
        ));
    }
    Ok(())
}

fn check_buttons(component: &Value) -> Result<(), String> {
    let buttons = component.get("buttons").and_then(Value::as_array);
    let buttons = buttons.map(Vec::as_slice).unwrap_or_default();
    if buttons.is_empty() || buttons.len() > TEMPLATE_BUTTONS_MAX {
        return Err(format!("BUTTONS_COUNT: must be 1 to {TEMPLATE_BUTTONS_MAX}"));
    }
    for button in buttons {
        let kind = button.get("type").and_then(Value::as_str).unwrap_or_default();
        if !["QUICK_REPLY", "URL"].contains(&kind.to_ascii_uppercase().as_str()) {
            return Err(format!(
                "BUTTON_TYPE: {kind:?} is not one of QUICK_REPLY, URL in this version"
            ));
        }
        let text = button.get("text").and_then(Value::as_str).unwrap_or_default();
        check_text("BUTTON", text, 25)?;
    }
    Ok(())
}
