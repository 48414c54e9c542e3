//! What a person may answer to each kind of component, and what stands where nothing was answered.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Choice, Field, FlowProblem, kind};

pub(super) const KINDS: [&str; 8] = [
    "TextInput",
    "TextArea",
    "Dropdown",
    "RadioButtonsGroup",
    "CheckboxGroup",
    "DatePicker",
    "OptIn",
    "SeatMap",
];
/// Where a component names no bounds of its own.
const TEXT_INPUT_CHARS_MAX: u64 = 80;
const TEXT_AREA_CHARS_MAX: u64 = 600;
const SEATS_MAX: u64 = 20;

/// A component that takes an answer; its references are filled in. `inits` are its form's.
pub(super) fn field(component: &Value, inits: &Value) -> Option<Field> {
    let name = component.get("name")?.as_str()?;
    let kind = kind(component);
    let init = component.get("init-value").or_else(|| inits.get(name));
    let required = match component.get("required") {
        Some(Value::Bool(required)) => *required,
        _ => kind == "SeatMap" && bound(component, "min-seats").unwrap_or(1) > 0,
    };
    Some(Field {
        name: name.to_owned(),
        kind: kind.to_owned(),
        label: text(component, "label"),
        required,
        init: init.filter(|init| !init.is_null()).cloned(),
        options: options(component, kind),
        component: component.clone(),
    })
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A bound may come as a number or, from an endpoint's data, as its text.
fn bound(component: &Value, name: &str) -> Option<u64> {
    let bound = component.get(name)?;
    bound.as_u64().or_else(|| bound.as_str()?.parse().ok())
}

fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn options(component: &Value, kind: &str) -> Vec<Choice> {
    match kind {
        "Dropdown" | "RadioButtonsGroup" | "CheckboxGroup" => items(component, "data-source")
            .filter(|item| item.get("enabled") != Some(&Value::Bool(false)))
            .map(|item| Choice {
                id: text(item, "id"),
                title: text(item, "title"),
            })
            .collect(),
        "SeatMap" => items(component, "rows")
            .flat_map(|row| items(row, "seats"))
            .filter(|seat| seat.get("state").and_then(Value::as_str) == Some("free"))
            .map(|seat| Choice {
                id: text(seat, "id"),
                title: text(seat, "id"),
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The answer to a field, or what stands there without one.
pub(super) fn checked(field: &Field, answer: Option<&Value>) -> Result<Value, FlowProblem> {
    let answer = answer.filter(|answer| !answer.is_null()).or(field.init.as_ref());
    let refused = |rule: String| FlowProblem::Answer {
        field: field.name.clone(),
        rule,
    };
    let Some(answer) = answer.filter(|answer| !is_empty(answer)) else {
        return if field.required {
            Err(refused(format!("is required ({})", field.label)))
        } else {
            Ok(nothing(&field.kind))
        };
    };
    match field.kind.as_str() {
        "TextInput" | "TextArea" => written(field, answer).map_err(refused),
        "DatePicker" => day(field, answer).map_err(refused),
        "OptIn" => match answer {
            Value::Bool(false) if field.required => Err(refused("must be true: it is required".into())),
            Value::Bool(_) => Ok(answer.clone()),
            _ => Err(refused("must be true or false".into())),
        },
        "CheckboxGroup" => several(
            field,
            answer,
            ("min-selected-items", 0),
            ("max-selected-items", u64::MAX),
        )
        .map_err(refused),
        "SeatMap" => several(field, answer, ("min-seats", 1), ("max-seats", SEATS_MAX)).map_err(refused),
        _ => chosen(field, answer).map_err(refused),
    }
}

fn is_empty(answer: &Value) -> bool {
    match answer {
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

fn nothing(kind: &str) -> Value {
    match kind {
        "OptIn" => json!(false),
        "CheckboxGroup" | "SeatMap" => json!([]),
        _ => json!(""),
    }
}

/// Numbers pass for their text: a script writes them so.
fn plain(answer: &Value) -> Option<String> {
    match answer {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn written(field: &Field, answer: &Value) -> Result<Value, String> {
    let written = plain(answer).ok_or("must be a text")?;
    let chars = written.chars().count() as u64;
    let (most_named, usual) = match field.kind.as_str() {
        "TextArea" => ("max-length", TEXT_AREA_CHARS_MAX),
        _ => ("max-chars", TEXT_INPUT_CHARS_MAX),
    };
    let most = bound(&field.component, most_named).unwrap_or(usual);
    let least = bound(&field.component, "min-chars").unwrap_or(0);
    if chars > most || chars < least {
        return Err(format!("must have {least} to {most} characters, has {chars}"));
    }
    let fits = match field.component.get("input-type").and_then(Value::as_str) {
        Some("number") => written.trim().parse::<f64>().is_ok_and(f64::is_finite),
        Some("email") => written
            .trim()
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty()),
        Some("phone") => written.chars().filter(char::is_ascii_digit).count() >= 5,
        _ => true,
    };
    if fits {
        Ok(Value::String(written))
    } else {
        let kind = text(&field.component, "input-type");
        Err(format!("must be a value of type {kind}"))
    }
}

fn day(field: &Field, answer: &Value) -> Result<Value, String> {
    let day = plain(answer).ok_or("must be a day such as 2026-01-31")?;
    let component = &field.component;
    let (from, to) = (text(component, "min-date"), text(component, "max-date"));
    // Days of this form are ordered as texts are; older flows count milliseconds, and are left to their business.
    let is_day = |text: &str| text.len() == 10 && text.as_bytes().get(4) == Some(&b'-');
    if is_day(&day) && ((is_day(&from) && day < from) || (is_day(&to) && day > to)) {
        return Err(format!("must be a day from {from} to {to}"));
    }
    let unavailable = items(component, "unavailable-dates").any(|taken| taken.as_str() == Some(day.as_str()));
    if unavailable {
        return Err(format!("must be another day: {day} is not available"));
    }
    Ok(Value::String(day))
}

fn known(field: &Field, id: &str) -> Result<(), String> {
    if field.options.iter().any(|choice| choice.id == id) {
        return Ok(());
    }
    let ids: Vec<&str> = field.options.iter().map(|choice| choice.id.as_str()).collect();
    Err(format!("must be of: {}", ids.join(", ")))
}

fn chosen(field: &Field, answer: &Value) -> Result<Value, String> {
    let id = plain(answer).ok_or("must be the id of one option")?;
    known(field, &id)?;
    Ok(Value::String(id))
}

fn several(field: &Field, answer: &Value, least: (&str, u64), most: (&str, u64)) -> Result<Value, String> {
    let one = std::slice::from_ref(answer);
    let ids = answer.as_array().map_or(one, Vec::as_slice).iter().map(plain);
    let ids: Vec<String> = ids.collect::<Option<_>>().ok_or("must be a list of ids")?;
    for id in &ids {
        known(field, id)?;
    }
    if ids.iter().collect::<BTreeSet<_>>().len() < ids.len() {
        return Err("must name each id once".into());
    }
    let count = ids.len() as u64;
    let least = bound(&field.component, least.0).unwrap_or(least.1);
    let most = bound(&field.component, most.0).unwrap_or(most.1);
    if count < least || count > most {
        return Err(match most {
            u64::MAX => format!("must have at least {least} entries, has {count}"),
            _ => format!("must have {least} to {most} entries, has {count}"),
        });
    }
    Ok(ids.into())
}
