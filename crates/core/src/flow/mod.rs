//! Flow JSON as a person's device runs it: which screen comes first, what a screen asks for, and what its button does
//! with the answers. Pure: it asks nobody and keeps nothing. What of Flow JSON it knows is in docs/FLOWS.md.
//!
//! Must not: trust a business. Whatever the JSON says, nothing here panics or goes on for ever.

mod answers;
mod resolve;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::{Map, Value, json};

pub use self::resolve::{Scope, resolve};

/// A screen's name that ends a flow.
pub const SUCCESS: &str = "SUCCESS";
/// Forms inside forms are not followed further.
const DEPTH_MAX: usize = 4;

/// Why a flow cannot go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowProblem {
    #[error("the flow is not what this version understands: {0}")]
    Flow(String),
    #[error("the flow has no screen {0}")]
    Screen(String),
    /// An answer that breaks a rule, or that nobody asked for.
    #[error("{field} {rule}")]
    Answer { field: String, rule: String },
}

/// The screens that a business has sent.
#[derive(Debug, Clone)]
pub struct Flow {
    screens: Vec<Value>,
}

/// What a screen shows, with everything filled in that was a reference.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Screen {
    #[serde(rename = "screen")]
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    pub terminal: bool,
    pub data: Map<String, Value>,
    /// In their order; those of forms among the others, hidden ones left out.
    pub components: Vec<Value>,
    /// The components that take an answer.
    pub fields: Vec<Field>,
    /// The button at the end.
    #[serde(skip)]
    action: Value,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    pub name: String,
    /// Such as TextInput.
    #[serde(rename = "type")]
    pub kind: String,
    pub label: String,
    pub required: bool,
    /// What is there before anybody has answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<Value>,
    /// What can be chosen: ids and titles, or free seats.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<Choice>,
    /// The component itself, for its bounds.
    #[serde(skip)]
    component: Value,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Choice {
    pub id: String,
    pub title: String,
}

/// What the button of a screen does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Shows another screen, which gets the payload as its data.
    Navigate {
        screen: String,
        payload: Map<String, Value>,
    },
    /// Asks the business's endpoint.
    DataExchange { payload: Map<String, Value> },
    /// Ends the flow with this answer.
    Complete { payload: Map<String, Value> },
}

impl Flow {
    pub fn parse(json: &str) -> Result<Self, FlowProblem> {
        let flow: Value = serde_json::from_str(json).map_err(|_| FlowProblem::Flow("it is no JSON".into()))?;
        match flow.get("screens").and_then(Value::as_array) {
            Some(screens) if !screens.is_empty() => Ok(Self {
                screens: screens.clone(),
            }),
            _ => Err(FlowProblem::Flow("it has no screens".into())),
        }
    }

    /// Ids of all screens, in their order.
    pub fn screens(&self) -> impl Iterator<Item = &str> {
        self.screens.iter().filter_map(|screen| screen.get("id")?.as_str())
    }

    /// Where a flow begins that does not ask its endpoint.
    pub fn first(&self) -> &str {
        self.screens().next().unwrap_or_default()
    }

    fn raw(&self, id: &str) -> Result<&Value, FlowProblem> {
        let found = self
            .screens
            .iter()
            .find(|screen| screen.get("id").and_then(Value::as_str) == Some(id));
        found.ok_or_else(|| FlowProblem::Screen(id.to_owned()))
    }

    /// Names of everything that a screen may ever ask for.
    pub fn field_names(&self, id: &str) -> BTreeSet<String> {
        let components = self.raw(id).map(components).unwrap_or_default();
        let named = components.iter().filter(|component| is_field(component));
        named
            .filter_map(|component| Some(component.get("name")?.as_str()?.to_owned()))
            .collect()
    }

    /// A screen with its data. `earlier` holds what was answered and shown before: see [`remember`].
    pub fn screen(
        &self,
        id: &str,
        data: Map<String, Value>,
        earlier: &Map<String, Value>,
    ) -> Result<Screen, FlowProblem> {
        let raw = self.raw(id)?;
        let none = Map::new();
        let scope = Scope {
            form: &none,
            data: &data,
            screens: earlier,
        };
        let mut shown = Vec::new();
        let mut fields = Vec::new();
        let mut action = Value::Null;
        let inits = raw.pointer("/layout/children").and_then(Value::as_array);
        let inits = inits.and_then(|children| children.iter().find_map(|child| child.get("init-values")));
        let inits = inits.map(|inits| resolve(inits, &scope)).unwrap_or_default();
        for component in components(raw) {
            // What a button sends is filled in when it is pressed.
            let button = component.get("on-click-action").cloned();
            let mut filled = resolve(&component, &scope);
            if let (Some(button), Some(filled)) = (button, filled.as_object_mut()) {
                if kind(&component) == "Footer" {
                    action = button.clone();
                }
                filled.insert("on-click-action".into(), button);
            }
            if filled.get("visible") == Some(&Value::Bool(false)) {
                continue;
            }
            if is_field(&filled) && filled.get("enabled") != Some(&Value::Bool(false)) {
                fields.extend(answers::field(&filled, &inits));
            }
            shown.push(filled);
        }
        Ok(Screen {
            id: id.to_owned(),
            title: raw.get("title").and_then(Value::as_str).map(str::to_owned),
            terminal: raw.get("terminal") == Some(&Value::Bool(true)),
            data,
            components: shown,
            fields,
            action,
        })
    }
}

impl Screen {
    /// The whole form: the answers, checked, and what stands where nothing was answered. An error names the field.
    pub fn fill(&self, answers: &Map<String, Value>) -> Result<Map<String, Value>, FlowProblem> {
        if let Some(unknown) = answers
            .keys()
            .find(|name| self.fields.iter().all(|field| field.name != **name))
        {
            return Err(FlowProblem::Answer {
                field: unknown.clone(),
                rule: format!("is not asked for by screen {}", self.id),
            });
        }
        let filled = self.fields.iter().map(|field| {
            let value = answers::checked(field, answers.get(&field.name))?;
            Ok((field.name.clone(), value))
        });
        filled.collect()
    }

    /// What the screen's button does with a filled form.
    pub fn press(&self, form: &Map<String, Value>, earlier: &Map<String, Value>) -> Result<Action, FlowProblem> {
        let scope = Scope {
            form,
            data: &self.data,
            screens: earlier,
        };
        let payload = self.action.get("payload").map(|payload| resolve(payload, &scope));
        let payload = match payload {
            Some(Value::Object(payload)) => payload,
            _ => Map::new(),
        };
        match self.action.get("name").and_then(Value::as_str) {
            Some("navigate") => {
                let next = self.action.pointer("/next/name").and_then(Value::as_str);
                let screen = next.ok_or_else(|| self.dead_end())?.to_owned();
                Ok(Action::Navigate { screen, payload })
            }
            Some("data_exchange") => Ok(Action::DataExchange { payload }),
            Some("complete") => Ok(Action::Complete { payload }),
            _ => Err(self.dead_end()),
        }
    }

    fn dead_end(&self) -> FlowProblem {
        FlowProblem::Flow(format!("nothing leads on from screen {}", self.id))
    }
}

/// Keeps what a screen showed and what was answered, for `${screen.ID.form.x}` of later ones.
pub fn remember(earlier: &mut Map<String, Value>, screen: &Screen, form: &Map<String, Value>) {
    earlier.insert(screen.id.clone(), json!({ "form": form, "data": screen.data }));
}

fn kind(component: &Value) -> &str {
    component.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn is_field(component: &Value) -> bool {
    answers::KINDS.contains(&kind(component))
}

/// The components of a screen, those of its forms in their place.
fn components(screen: &Value) -> Vec<Value> {
    fn collect(children: Option<&Value>, depth: usize, into: &mut Vec<Value>) {
        for child in children.and_then(Value::as_array).into_iter().flatten() {
            if kind(child) == "Form" && depth < DEPTH_MAX {
                collect(child.get("children"), depth + 1, into);
            } else {
                into.push(child.clone());
            }
        }
    }
    let mut all = Vec::new();
    collect(screen.pointer("/layout/children"), 0, &mut all);
    all
}

#[cfg(test)]
mod tests;
