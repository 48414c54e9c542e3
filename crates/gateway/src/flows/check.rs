//! What Flow JSON must be, so that people can fill it in: each violation with its place in the text.
//!
//! The rules are those of the Cloud API for what this version shows (docs/FLOWS.md), and Kabar's own SeatMap.

use std::collections::BTreeSet;

use kabar_protocol::limits::FLOW_JSON_BYTES_MAX;
use serde_json::{Map, Value, json};

use super::place::{Path, Place};

const SCREENS_MAX: usize = 20;
const CHILDREN_MAX: usize = 50;
const OPTIONS_MAX: usize = 200;
const ID_CHARS_MAX: usize = 80;
/// Violations that are told at a time.
const PROBLEMS_MAX: usize = 50;
/// A screen's name that ends a flow.
const SUCCESS: &str = "SUCCESS";
const VERSIONS: std::ops::RangeInclusive<u32> = 3..=7;
const ACTIONS: &str = "navigate, data_exchange or complete";

/// Kinds of components, and what each must have.
const COMPONENTS: [(&str, &[&str]); 15] = [
    ("TextHeading", &["text"]),
    ("TextSubheading", &["text"]),
    ("TextBody", &["text"]),
    ("TextCaption", &["text"]),
    ("TextInput", &["name", "label"]),
    ("TextArea", &["name", "label"]),
    ("Dropdown", &["name", "label", "data-source"]),
    ("RadioButtonsGroup", &["name", "data-source"]),
    ("CheckboxGroup", &["name", "data-source"]),
    ("DatePicker", &["name", "label"]),
    ("OptIn", &["name", "label"]),
    ("Footer", &["label", "on-click-action"]),
    ("Image", &["src"]),
    ("SeatMap", &["name", "label", "rows"]),
    ("Form", &["name", "children"]),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(super) error: &'static str,
    message: String,
    pub(super) path: String,
    place: Place,
}

impl Problem {
    /// Where; what it says may quote the flow, which is nobody's business but its author's.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// As `validation_errors` has it.
    pub(crate) fn value(&self) -> Value {
        let place = self.place;
        let mut value = json!({
            "error": self.error,
            "error_type": "FLOW_JSON_ERROR",
            "message": self.message,
            "line_start": place.line_start,
            "line_end": place.line_end,
            "column_start": place.column_start,
            "column_end": place.column_end,
        });
        let mut pointer = value.clone();
        pointer["path"] = self.path.as_str().into();
        value["pointers"] = json!([pointer]);
        value
    }
}

/// What is wrong with a flow's JSON; empty: it can be published.
pub(crate) fn check(text: &str) -> Vec<Problem> {
    let mut checker = Checker {
        text,
        problems: Vec::new(),
        screens: BTreeSet::new(),
    };
    if text.len() > FLOW_JSON_BYTES_MAX {
        let rule = format!("The flow must have at most {FLOW_JSON_BYTES_MAX} bytes: it travels inside one message.");
        checker.problem("FLOW_JSON_TOO_LARGE", &Path::default(), rule);
        return checker.problems;
    }
    match serde_json::from_str(text) {
        Ok(Value::Object(flow)) => checker.flow(&flow),
        Ok(_) => checker.problem("INVALID_FLOW_JSON", &Path::default(), "The flow must be an object."),
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            checker.problems.push(Problem {
                error: "INVALID_FLOW_JSON",
                message: "The flow is not JSON.".into(),
                path: String::new(),
                place: Place {
                    line_start: line,
                    line_end: line,
                    column_start: column,
                    column_end: column,
                },
            });
        }
    }
    checker.problems
}

/// Whether any of its screens asks the endpoint.
pub(crate) fn needs_endpoint(text: &str) -> bool {
    fn exchanges(value: &Value) -> bool {
        match value {
            Value::Object(map) => {
                map.get("name").and_then(Value::as_str) == Some("data_exchange") || map.values().any(exchanges)
            }
            Value::Array(items) => items.iter().any(exchanges),
            _ => false,
        }
    }
    let value: Value = serde_json::from_str(text).unwrap_or_default();
    value.get("data_api_version").is_some() || exchanges(&value)
}

struct Checker<'a> {
    text: &'a str,
    problems: Vec<Problem>,
    screens: BTreeSet<String>,
}

/// What is `${...}` in a screen, filled in when it is shown.
fn is_reference(text: &str) -> bool {
    text.starts_with("${") && text.ends_with('}')
}

fn is_name(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !text.is_empty() && text.len() <= ID_CHARS_MAX && text.chars().all(word)
}

impl Checker<'_> {
    fn problem(&mut self, error: &'static str, path: &Path, message: impl Into<String>) {
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(Problem {
                error,
                message: message.into(),
                path: path.to_string(),
                place: path.find(self.text),
            });
        }
    }

    fn invalid(&mut self, path: &Path, rule: &str) {
        self.problem("INVALID_PROPERTY_VALUE", path, format!("{path} {rule}"));
    }

    fn missing(&mut self, path: &Path) {
        let message = format!("Required property '{path}' is missing.");
        self.problem("MISSING_REQUIRED_PROPERTY", path, message);
    }

    fn flow(&mut self, flow: &Map<String, Value>) {
        let root = Path::default();
        match flow.get("version").map(Value::as_str) {
            None => self.missing(&root.key("version")),
            Some(version) => {
                let major = version.and_then(|version| version.split('.').next()?.parse().ok());
                if !major.is_some_and(|major| VERSIONS.contains(&major)) {
                    self.invalid(
                        &root.key("version"),
                        "must be a version from 3.0 to 7.x, such as \"7.0\".",
                    );
                }
            }
        }
        if flow.get("data_api_version").is_some_and(|version| !version.is_string()) {
            self.invalid(&root.key("data_api_version"), "must be a string such as \"3.0\".");
        }
        let path = root.key("screens");
        let screens = match flow.get("screens") {
            None => return self.missing(&path),
            Some(Value::Array(screens)) if (1..=SCREENS_MAX).contains(&screens.len()) => screens,
            Some(_) => return self.invalid(&path, &format!("must be a list of 1 to {SCREENS_MAX} screens.")),
        };
        for (at, screen) in screens.iter().enumerate() {
            self.screen_id(screen, &path.at(at));
        }
        for (at, screen) in screens.iter().enumerate() {
            if let Value::Object(screen) = screen {
                self.screen(screen, &path.at(at));
            }
        }
        if let Some(Value::Object(routes)) = flow.get("routing_model") {
            self.routes(routes, &root.key("routing_model"));
        }
    }

    fn routes(&mut self, routes: &Map<String, Value>, path: &Path) {
        for (from, to) in routes {
            let listed = to.as_array().into_iter().flatten().filter_map(Value::as_str);
            let unknown = listed.chain([from.as_str()]).find(|id| !self.screens.contains(*id));
            if let Some(unknown) = unknown {
                self.invalid(
                    &path.key(from),
                    &format!("names '{unknown}', which is no screen of this flow."),
                );
            }
        }
    }

    fn screen_id(&mut self, screen: &Value, path: &Path) {
        let Some(screen) = screen.as_object() else {
            return self.invalid(path, "must be an object.");
        };
        let path = path.key("id");
        match screen.get("id").map(|id| id.as_str().unwrap_or_default()) {
            None => self.missing(&path),
            Some(SUCCESS) => self.invalid(&path, "must not be SUCCESS: it ends a flow."),
            Some(id) if !is_name(id) => {
                let rule = format!("must be 1 to {ID_CHARS_MAX} letters, digits and underscores.");
                self.invalid(&path, &rule);
            }
            Some(id) => {
                if !self.screens.insert(id.to_owned()) {
                    self.problem(
                        "DUPLICATE_SCREEN_ID",
                        &path,
                        format!("{path} '{id}' is the id of two screens."),
                    );
                }
            }
        }
    }

    fn screen(&mut self, screen: &Map<String, Value>, path: &Path) {
        for (name, fits) in [
            ("title", Value::is_string as fn(&Value) -> bool),
            ("terminal", Value::is_boolean),
            ("data", Value::is_object),
        ] {
            if screen.get(name).is_some_and(|value| !fits(value)) {
                self.invalid(&path.key(name), "is of another type than it must be.");
            }
        }
        let path = path.key("layout");
        let Some(layout) = screen.get("layout") else {
            return self.missing(&path);
        };
        if layout.get("type").and_then(Value::as_str) != Some("SingleColumnLayout") {
            self.invalid(&path.key("type"), "must be SingleColumnLayout.");
        }
        let mut names = BTreeSet::new();
        self.children(layout, &path, &mut names, 0);
    }

    fn children(&mut self, parent: &Value, path: &Path, names: &mut BTreeSet<String>, depth: usize) {
        let path = path.key("children");
        let children = match parent.get("children") {
            None => return self.missing(&path),
            Some(Value::Array(children)) if (1..=CHILDREN_MAX).contains(&children.len()) => children,
            Some(_) => {
                let rule = format!("must be a list of 1 to {CHILDREN_MAX} components.");
                return self.invalid(&path, &rule);
            }
        };
        for (at, component) in children.iter().enumerate() {
            self.component(component, &path.at(at), names, depth);
        }
    }

    fn component(&mut self, component: &Value, path: &Path, names: &mut BTreeSet<String>, depth: usize) {
        let Some(kind) = component.get("type").and_then(Value::as_str) else {
            return self.missing(&path.key("type"));
        };
        let Some((_, needed)) = COMPONENTS.iter().find(|(known, _)| *known == kind) else {
            let known: Vec<&str> = COMPONENTS.iter().map(|(known, _)| *known).collect();
            let rule = format!("'{kind}' is not shown by this version; it shows {}.", known.join(", "));
            return self.problem(
                "INVALID_COMPONENT",
                &path.key("type"),
                format!("{} {rule}", path.key("type")),
            );
        };
        for name in *needed {
            if component.get(*name).is_none_or(Value::is_null) {
                self.missing(&path.key(name));
            }
        }
        if let Some(name) = component.get("name") {
            self.name(name, &path.key("name"), names);
        }
        match kind {
            // A form only groups; it cannot be in another.
            "Form" if depth > 0 => self.invalid(path, "must not be inside another Form."),
            "Form" => self.children(component, path, names, depth + 1),
            "Dropdown" | "RadioButtonsGroup" | "CheckboxGroup" => self.options(component, path),
            "SeatMap" => self.seat_map(component, path),
            _ => {}
        }
        for name in ["on-click-action", "on-select-action"] {
            if let Some(action) = component.get(name) {
                self.action(action, &path.key(name));
            }
        }
    }

    fn name(&mut self, name: &Value, path: &Path, names: &mut BTreeSet<String>) {
        match name.as_str() {
            Some(name) if is_name(name) => {
                if !names.insert(name.to_owned()) {
                    let message = format!("{path} '{name}' is the name of two components of this screen.");
                    self.problem("DUPLICATE_COMPONENT_NAME", path, message);
                }
            }
            _ => {
                let rule = format!("must be 1 to {ID_CHARS_MAX} letters, digits and underscores.");
                self.invalid(path, &rule);
            }
        }
    }

    fn options(&mut self, component: &Value, path: &Path) {
        let path = path.key("data-source");
        match component.get("data-source") {
            Some(Value::String(text)) if is_reference(text) => {}
            Some(Value::Array(items)) if (1..=OPTIONS_MAX).contains(&items.len()) => {
                let mut ids = BTreeSet::new();
                for (at, item) in items.iter().enumerate() {
                    for name in ["id", "title"] {
                        if !item.get(name).is_some_and(Value::is_string) {
                            self.missing(&path.at(at).key(name));
                        }
                    }
                    if let Some(id) = item.get("id").and_then(Value::as_str)
                        && !ids.insert(id)
                    {
                        self.invalid(&path.at(at).key("id"), "must be unique in its list.");
                    }
                }
            }
            None => {}
            Some(_) => {
                let rule = format!("must be a reference such as ${{data.x}}, or a list of 1 to {OPTIONS_MAX} options.");
                self.invalid(&path, &rule);
            }
        }
    }

    fn seat_map(&mut self, component: &Value, path: &Path) {
        for name in ["min-seats", "max-seats", "hold-seconds"] {
            let fits = |value: &Value| value.is_u64() || value.as_str().is_some_and(is_reference);
            if component.get(name).is_some_and(|value| !fits(value)) {
                self.invalid(
                    &path.key(name),
                    "must be a whole number, or a reference such as ${data.x}.",
                );
            }
        }
        let path = path.key("rows");
        match component.get("rows") {
            Some(Value::String(text)) if is_reference(text) => {}
            Some(Value::Array(rows)) => {
                for (at, row) in rows.iter().enumerate() {
                    self.seat_row(row, &path.at(at));
                }
            }
            None => {}
            Some(_) => self.invalid(&path, "must be a reference such as ${data.rows}, or a list of rows."),
        }
    }

    fn seat_row(&mut self, row: &Value, path: &Path) {
        if !row.get("label").is_some_and(Value::is_string) {
            self.missing(&path.key("label"));
        }
        let Some(seats) = row.get("seats").and_then(Value::as_array) else {
            return self.missing(&path.key("seats"));
        };
        for (at, seat) in seats.iter().enumerate() {
            let path = path.key("seats").at(at);
            match seat.get("state").and_then(Value::as_str) {
                Some("gap") => {}
                Some("free" | "held" | "sold") if seat.get("id").is_some_and(Value::is_string) => {}
                Some("free" | "held" | "sold") => self.missing(&path.key("id")),
                _ => self.invalid(&path.key("state"), "must be free, held, sold or gap."),
            }
        }
    }

    fn action(&mut self, action: &Value, path: &Path) {
        match action.get("name").and_then(Value::as_str) {
            Some("complete" | "data_exchange") => {}
            Some("navigate") => {
                let next = path.key("next").key("name");
                match action.pointer("/next/name").and_then(Value::as_str) {
                    None => self.missing(&next),
                    Some(name) if self.screens.contains(name) => {}
                    Some(name) => self.invalid(&next, &format!("'{name}' is no screen of this flow.")),
                }
            }
            _ => self.invalid(&path.key("name"), &format!("must be {ACTIONS}.")),
        }
        if action.get("payload").is_some_and(|payload| !payload.is_object()) {
            self.invalid(&path.key("payload"), "must be an object.");
        }
    }
}
