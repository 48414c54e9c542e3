//! Typed reading of JSON objects in which every refusal names its place, as in `interactive.action.buttons[0].reply.title`.
//!
//! Lenient where SDKs are loose: null and absent are the same, numbers pass for strings and strings for numbers, and a
//! nested value may come as JSON text (forms send it so).

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::GraphError;

/// One object of the request and its place.
pub struct Object<'a> {
    /// Empty for the parameters themselves.
    path: String,
    map: Cow<'a, Map<String, Value>>,
}

impl Object<'_> {
    pub fn root(map: Map<String, Value>) -> Object<'static> {
        Object {
            path: String::new(),
            map: Cow::Owned(map),
        }
    }

    /// Where the parameter stands, for an error of the caller's own.
    pub fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.into()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// 131008 for this parameter.
    pub fn missing(&self, name: &str) -> GraphError {
        GraphError::parameter_missing(&self.path_of(name))
    }

    /// 131009 for this parameter; `rule` as in "must be a string".
    pub fn refused(&self, name: &str, rule: impl std::fmt::Display) -> GraphError {
        GraphError::parameter_value(&self.path_of(name), rule)
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.map.get(name).filter(|value| !value.is_null())
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub fn string(&self, name: &str) -> Result<Option<String>, GraphError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(self.refused(name, "must be a string")),
        }
    }

    /// A string that is there and not empty.
    pub fn required(&self, name: &str) -> Result<String, GraphError> {
        self.string(name)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.missing(name))
    }

    /// A text of at most `chars_max` Unicode characters. An empty one counts as absent: SDKs send `""` for "none".
    pub fn text(&self, name: &str, chars_max: usize) -> Result<Option<String>, GraphError> {
        let Some(text) = self.string(name)?.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let chars = text.chars().count();
        if chars > chars_max {
            let rule = format!("must have at most {chars_max} characters, has {chars}");
            return Err(self.refused(name, rule));
        }
        if text.trim().is_empty() {
            return Err(self.refused(name, "must not be blank"));
        }
        Ok(Some(text))
    }

    pub fn required_text(&self, name: &str, chars_max: usize) -> Result<String, GraphError> {
        self.text(name, chars_max)?.ok_or_else(|| self.missing(name))
    }

    pub fn bool(&self, name: &str) -> Result<Option<bool>, GraphError> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Bool(value)) => Ok(Some(*value)),
            Some(Value::String(text)) if ["true", "1"].contains(&text.as_str()) => Ok(Some(true)),
            Some(Value::String(text)) if ["false", "0"].contains(&text.as_str()) => Ok(Some(false)),
            Some(Value::Number(number)) if number.as_u64() == Some(1) => Ok(Some(true)),
            Some(Value::Number(number)) if number.as_u64() == Some(0) => Ok(Some(false)),
            Some(_) => Err(self.refused(name, "must be true or false")),
        }
    }

    pub fn u64(&self, name: &str) -> Result<Option<u64>, GraphError> {
        let number = match self.get(name) {
            None => return Ok(None),
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::String(text)) => text.parse().ok(),
            Some(_) => None,
        };
        number
            .map(Some)
            .ok_or_else(|| self.refused(name, "must be a whole number, not negative"))
    }

    /// A list of words, as an array of strings or as one string with commas.
    pub fn words(&self, name: &str) -> Result<Option<Vec<String>>, GraphError> {
        let words = match self.nested(name) {
            None => return Ok(None),
            Some(value) => match &*value {
                Value::String(text) => text.split(',').map(|word| word.trim().into()).collect(),
                Value::Array(items) => items
                    .iter()
                    .map(|item| item.as_str().map(String::from))
                    .collect::<Option<Vec<String>>>()
                    .ok_or_else(|| self.refused(name, "must be a list of strings"))?,
                _ => return Err(self.refused(name, "must be a list of strings")),
            },
        };
        Ok(Some(words.into_iter().filter(|word| !word.is_empty()).collect()))
    }

    pub fn object(&self, name: &str) -> Result<Option<Object<'_>>, GraphError> {
        self.nested(name)
            .map(|value| Object::of(self.path_of(name), value))
            .transpose()
    }

    pub fn required_object(&self, name: &str) -> Result<Object<'_>, GraphError> {
        self.object(name)?.ok_or_else(|| self.missing(name))
    }

    /// The objects of an array; absent is empty.
    pub fn objects(&self, name: &str) -> Result<Vec<Object<'_>>, GraphError> {
        let items: Vec<Cow<'_, Value>> = match self.nested(name) {
            None => Vec::new(),
            Some(Cow::Borrowed(Value::Array(items))) => items.iter().map(Cow::Borrowed).collect(),
            Some(Cow::Owned(Value::Array(items))) => items.into_iter().map(Cow::Owned).collect(),
            Some(_) => return Err(self.refused(name, "must be a list of objects")),
        };
        let place = |at| self.path_of(&format!("{name}[{at}]"));
        let items = items.into_iter().enumerate();
        items.map(|(at, item)| Object::of(place(at), item)).collect()
    }

    fn of(path: String, value: Cow<'_, Value>) -> Result<Object<'_>, GraphError> {
        let map = match value {
            Cow::Borrowed(Value::Object(map)) => Cow::Borrowed(map),
            Cow::Owned(Value::Object(map)) => Cow::Owned(map),
            _ => return Err(GraphError::parameter_value(&path, "must be an object")),
        };
        Ok(Object { path, map })
    }

    /// The value, or the JSON that its text holds.
    fn nested(&self, name: &str) -> Option<Cow<'_, Value>> {
        let value = self.get(name)?;
        let json = value
            .as_str()
            .filter(|text| text.trim_start().starts_with(['{', '[']))
            .and_then(|text| serde_json::from_str(text).ok());
        Some(json.map_or(Cow::Borrowed(value), Cow::Owned))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn root(value: Value) -> Object<'static> {
        match value {
            Value::Object(map) => Object::root(map),
            other => panic!("not an object: {other}"),
        }
    }

    fn details<T>(result: Result<T, GraphError>) -> (u32, String) {
        let error = result.err().expect("a refusal");
        (error.code(), error.details)
    }

    #[test]
    fn a_refusal_names_the_whole_path() {
        let root = root(json!({ "interactive": { "action": { "buttons": [{ "reply": { "id": {} } }] } } }));
        let action = root.required_object("interactive").expect("there");
        let action = action.required_object("action").expect("there");
        let buttons = action.objects("buttons").expect("a list");
        let reply = buttons[0].required_object("reply").expect("there");
        let title = "The parameter interactive.action.buttons[0].reply.title is required.";
        assert_eq!(details(reply.required("title")), (131_008, title.into()));
        let id = "interactive.action.buttons[0].reply.id must be a string";
        assert_eq!(details(reply.required("id")), (131_009, id.into()));
    }

    #[test]
    fn null_and_empty_count_as_absent() {
        let root = root(json!({ "caption": null, "description": "", "blank": "  " }));
        assert_eq!(root.text("caption", 10), Ok(None));
        assert_eq!(root.text("description", 10), Ok(None));
        assert_eq!(details(root.text("blank", 10)).0, 131_009);
        assert_eq!(details(root.required("description")).0, 131_008);
    }

    #[test]
    fn a_limit_counts_characters_not_bytes() {
        let root = root(json!({ "body": "\u{1f3ab}\u{1f3ab}\u{1f3ab}" }));
        assert!(root.text("body", 3).is_ok());
        assert_eq!(
            details(root.text("body", 2)).1,
            "body must have at most 2 characters, has 3"
        );
    }

    #[test]
    fn values_may_be_json_text() {
        let root = root(
            json!({ "text": "{\"body\":\"hi\"}", "list": "[{\"a\":1}]", "fields": "messages, flows", "broken": "{" }),
        );
        let text = root.required_object("text").expect("parsed");
        assert_eq!(text.required("body"), Ok("hi".into()));
        assert_eq!(text.path_of("body"), "text.body");
        assert_eq!(root.objects("list").expect("parsed")[0].u64("a"), Ok(Some(1)));
        assert_eq!(root.words("fields"), Ok(Some(vec!["messages".into(), "flows".into()])));
        assert_eq!(details(root.object("broken")).1, "broken must be an object");
    }

    #[test]
    fn scalars_pass_in_the_forms_that_sdks_send() {
        let root = root(json!({ "a": "true", "b": 0, "c": "7", "to": 4915112345678_u64, "bad": "yes" }));
        assert_eq!((root.bool("a"), root.bool("b")), (Ok(Some(true)), Ok(Some(false))));
        assert_eq!(root.u64("c"), Ok(Some(7)));
        assert_eq!(root.required("to"), Ok("4915112345678".into()));
        assert_eq!(details(root.bool("bad")), (131_009, "bad must be true or false".into()));
        assert_eq!(details(root.u64("bad")).0, 131_009);
    }
}
