//! References in Flow JSON: `${form.x}`, `${data.x.y}`, `${screen.ID.form.x}`.

use serde_json::{Map, Value};

/// Values inside values are not followed further.
const DEPTH_MAX: usize = 32;

/// What references may name.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Answers on the present screen.
    pub form: &'a Map<String, Value>,
    /// What the present screen was given.
    pub data: &'a Map<String, Value>,
    /// By screen: `form` and `data` of the ones before.
    pub screens: &'a Map<String, Value>,
}

impl Scope<'_> {
    fn look_up(&self, path: &str) -> Option<&Value> {
        let mut steps = path.split('.');
        let root = match steps.next()? {
            "form" => self.form,
            "data" => self.data,
            "screen" => self.screens,
            _ => return None,
        };
        let first = root.get(steps.next()?)?;
        steps.try_fold(first, |value, step| match value {
            Value::Object(map) => map.get(step),
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        })
    }
}

/// The value with its references filled in. A text that is one reference becomes the value itself, with its type;
/// what is not there is null, and empty inside a longer text.
pub fn resolve(value: &Value, scope: &Scope<'_>) -> Value {
    within(value, scope, DEPTH_MAX)
}

fn within(value: &Value, scope: &Scope<'_>, depth: usize) -> Value {
    let Some(depth) = depth.checked_sub(1) else {
        return Value::Null;
    };
    match value {
        Value::String(text) => in_text(text, scope),
        Value::Array(items) => items.iter().map(|item| within(item, scope, depth)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(name, value)| (name.clone(), within(value, scope, depth)))
            .collect(),
        other => other.clone(),
    }
}

fn in_text(text: &str, scope: &Scope<'_>) -> Value {
    if let Some(path) = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'))
        && !path.contains("${")
    {
        // Not resolved again: what a person enters is never read as a reference.
        return scope.look_up(path).cloned().unwrap_or_default();
    }
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((path, after)) = after.split_once('}') else {
            break;
        };
        filled.push_str(before);
        match scope.look_up(path) {
            Some(Value::String(text)) => filled.push_str(text),
            Some(Value::Null) | None => {}
            Some(other) => filled.push_str(&other.to_string()),
        }
        rest = after;
    }
    filled.push_str(rest);
    Value::String(filled)
}
