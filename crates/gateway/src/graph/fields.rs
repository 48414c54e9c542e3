//! `fields=a,b{c},d.limit(2)`: which parts of a node an answer has.
//!
//! Fields that the node does not have are left out in silence: SDKs ask for all that they know of.

use serde_json::{Map, Value};

use super::GraphError;

const TEXT_BYTES_MAX: usize = 4096;
const DEPTH_MAX: usize = 8;

/// One level of a projection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<Field>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    /// `limit(2)` or `start(1).end(2)`, in order; what they mean is the edge's, but for `limit`.
    pub arguments: Vec<(String, String)>,
    /// What is inside braces; empty: everything.
    pub fields: Fields,
}

impl Field {
    pub fn argument(&self, name: &str) -> Option<&str> {
        let found = self.arguments.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

impl Fields {
    pub fn parse(text: &str) -> Result<Self, GraphError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(refused(format!("must have at most {TEXT_BYTES_MAX} bytes")));
        }
        let mut reader = Reader { rest: text };
        let fields = reader.fields(DEPTH_MAX)?;
        match reader.peek() {
            None => Ok(fields),
            Some(other) => Err(refused(format!("has an unexpected '{other}'"))),
        }
    }

    pub fn get(&self, name: &str) -> Option<&Field> {
        self.0.iter().find(|field| field.name == name)
    }

    /// Keeps what was asked for, and `id`. Without any field everything stays. In a list, and in the `data` of an edge, each
    /// item is projected.
    pub fn project(&self, value: &Value) -> Value {
        match value {
            _ if self.0.is_empty() => value.clone(),
            Value::Array(items) => items.iter().map(|item| self.project(item)).collect(),
            Value::Object(map) if map.get("data").is_some_and(Value::is_array) => {
                let mut map = map.clone();
                map["data"] = self.project(&map["data"]);
                Value::Object(map)
            }
            Value::Object(map) => Value::Object(self.project_object(map)),
            scalar => scalar.clone(),
        }
    }

    fn project_object(&self, map: &Map<String, Value>) -> Map<String, Value> {
        let mut kept = Map::new();
        for field in &self.0 {
            if let Some(value) = map.get(&field.name) {
                let mut value = field.fields.project(value);
                if let Some(limit) = field.argument("limit").and_then(|limit| limit.parse().ok()) {
                    truncate(&mut value, limit);
                }
                kept.insert(field.name.clone(), value);
            }
        }
        if let Some(id) = map.get("id") {
            kept.insert("id".into(), id.clone());
        }
        kept
    }
}

fn truncate(value: &mut Value, limit: usize) {
    match value {
        Value::Array(items) => items.truncate(limit),
        Value::Object(map) => {
            if let Some(Value::Array(items)) = map.get_mut("data") {
                items.truncate(limit);
            }
        }
        _ => {}
    }
}

fn refused(rule: impl std::fmt::Display) -> GraphError {
    GraphError::invalid_request(format!("fields {rule}"))
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn fields(&mut self, depth: usize) -> Result<Fields, GraphError> {
        let mut fields = Vec::new();
        loop {
            // An empty place between two commas is nobody's mistake worth refusing.
            if self.peek().is_some_and(|next| next != ',' && next != '}') {
                fields.push(self.field(depth)?);
            }
            if !self.take(',') {
                return Ok(Fields(fields));
            }
        }
    }

    fn field(&mut self, depth: usize) -> Result<Field, GraphError> {
        let name = self.word()?.to_owned();
        let mut arguments = Vec::new();
        let mut fields = Fields::default();
        loop {
            if self.take('.') {
                let argument = self.word()?.to_owned();
                self.expect('(')?;
                arguments.push((argument, self.until_closed()?));
            } else if self.take('{') {
                if depth == 0 {
                    return Err(refused(format!("must have at most {DEPTH_MAX} levels")));
                }
                fields = self.fields(depth - 1)?;
                self.expect('}')?;
            } else {
                return Ok(Field {
                    name,
                    arguments,
                    fields,
                });
            }
        }
    }

    fn word(&mut self) -> Result<&'a str, GraphError> {
        let rest = self.rest.trim_start();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        match self.peek() {
            _ if !word.is_empty() => Ok(word),
            Some(other) => Err(refused(format!("has an unexpected '{other}'"))),
            None => Err(refused("ends early")),
        }
    }

    /// An argument may itself have brackets or parentheses: `dimensions(["a","b"])`.
    fn until_closed(&mut self) -> Result<String, GraphError> {
        let mut open = 1;
        for (at, c) in self.rest.char_indices() {
            match c {
                '(' => open += 1,
                ')' => open -= 1,
                _ => {}
            }
            if open == 0 {
                let value = self.rest[..at].trim().to_owned();
                self.rest = &self.rest[at + 1..];
                return Ok(value);
            }
        }
        Err(refused("lacks a ')'"))
    }

    fn peek(&self) -> Option<char> {
        self.rest.trim_start().chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let rest = self.rest.trim_start().strip_prefix(wanted);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, wanted: char) -> Result<(), GraphError> {
        if self.take(wanted) {
            Ok(())
        } else {
            Err(refused(format!("lacks a '{wanted}'")))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn projected(fields: &str, value: &Value) -> Value {
        Fields::parse(fields).expect(fields).project(value)
    }

    #[test]
    fn the_id_is_always_kept() {
        let node = json!({ "id": "1", "name": "a", "status": "x" });
        assert_eq!(projected("name,absent", &node), json!({ "id": "1", "name": "a" }));
        assert_eq!(projected("absent", &node), json!({ "id": "1" }));
        assert_eq!(projected("", &node), node);
    }

    #[test]
    fn braces_and_limits_reach_into_edges() {
        let node = json!({
            "id": "1",
            "owner": { "id": "2", "name": "o", "secret": 1 },
            "numbers": { "data": [{ "id": "3", "a": 1, "b": 2 }, { "id": "4", "a": 3 }, { "id": "5" }], "paging": {} },
            "tags": ["x", "y"],
        });
        let fields = "owner{name}, numbers.limit(2){a} ,tags.limit(1)";
        let expected = json!({
            "id": "1",
            "owner": { "id": "2", "name": "o" },
            "numbers": { "data": [{ "id": "3", "a": 1 }, { "id": "4", "a": 3 }], "paging": {} },
            "tags": ["x"],
        });
        assert_eq!(projected(fields, &node), expected);
    }

    #[test]
    fn a_list_is_projected_item_by_item() {
        let list = json!({ "data": [{ "id": "1", "a": 1, "b": 2 }] });
        assert_eq!(projected("b", &list), json!({ "data": [{ "id": "1", "b": 2 }] }));
    }

    #[test]
    fn arguments_are_kept_for_the_edge() {
        let text =
            "analytics.start(1700000000).end(1700086400).phone_numbers([\"1\",\"2\"]).granularity(DAY){data_points}";
        let fields = Fields::parse(text).expect("parsed");
        let field = fields.get("analytics").expect("there");
        assert_eq!(field.argument("end"), Some("1700086400"));
        assert_eq!(field.argument("phone_numbers"), Some("[\"1\",\"2\"]"));
        assert_eq!(field.fields.0.len(), 1);
    }

    #[test]
    fn a_broken_projection_is_refused() {
        let deep = "a{".repeat(10) + &"}".repeat(10);
        for text in [
            "a{b",
            "a}",
            "a.limit(2",
            "a.limit",
            "a{}}",
            "a b",
            "ä",
            &deep,
            &"a".repeat(5000),
        ] {
            let error = Fields::parse(text).expect_err(text);
            assert_eq!(error.code(), 100, "{text}");
        }
    }

    #[test]
    fn empty_places_are_ignored() {
        assert_eq!(Fields::parse("a,,b, ").expect("parsed").0.len(), 2);
        assert_eq!(
            Fields::parse("a{}").expect("parsed").get("a").expect("a").fields,
            Fields::default()
        );
    }
}
