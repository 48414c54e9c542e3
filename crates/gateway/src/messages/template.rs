//! The template of a request: its name, its language and the parameters for its variables.
//!
//! Whether the parameters fit the approved text is decided where that text is known.

use std::collections::BTreeMap;

use kabar_protocol::limits::{BUTTON_PAYLOAD_BYTES_MAX, TEMPLATE_BODY_CHARS_MAX, TEMPLATE_BUTTONS_MAX, URL_BYTES_MAX};

use crate::graph::{GraphError, Object};

const NAME_CHARS_MAX: usize = 512;
const LANGUAGE_CHARS_MAX: usize = 16;
const PARAMETER_NAME_CHARS_MAX: usize = 64;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateSend {
    pub name: String,
    /// As in `language.code`: `id` or `en_US`.
    pub language: String,
    pub header: TemplateParameters,
    pub body: TemplateParameters,
    /// By the button's index in the template.
    pub buttons: BTreeMap<usize, ButtonParameter>,
}

/// Values for the variables of one text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum TemplateParameters {
    #[default]
    None,
    /// For `{{1}}`, `{{2}}`, in order.
    Positional(Vec<String>),
    /// For `{{seat}}`, by `parameter_name`.
    Named(BTreeMap<String, String>),
}

impl TemplateParameters {
    pub fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Positional(values) => values.len(),
            Self::Named(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of the variable between `{{` and `}}`: a number from 1, or a name.
    pub fn get(&self, variable: &str) -> Option<&str> {
        match self {
            Self::None => None,
            Self::Positional(values) => {
                let at = variable.parse::<usize>().ok()?.checked_sub(1)?;
                values.get(at).map(String::as_str)
            }
            Self::Named(values) => values.get(variable).map(String::as_str),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ButtonParameter {
    /// What a tap on a quick reply sends back.
    Payload(String),
    /// What takes the variable's place at the end of an address.
    UrlSuffix(String),
}

impl TemplateSend {
    pub(super) fn parse(template: &Object<'_>) -> Result<Self, GraphError> {
        let name = template.required_text("name", NAME_CHARS_MAX)?;
        if !name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        {
            return Err(template.refused("name", "must have lower-case letters, digits and underscores only"));
        }
        let language = template.required_object("language")?;
        let mut send = Self {
            name,
            language: language.required_text("code", LANGUAGE_CHARS_MAX)?,
            ..Self::default()
        };
        for component in template.objects("components")? {
            send.add(&component)?;
        }
        Ok(send)
    }

    /// SDKs write the types of components in either case.
    fn add(&mut self, component: &Object<'_>) -> Result<(), GraphError> {
        let kind = component.required_text("type", 64)?.to_ascii_lowercase();
        match kind.as_str() {
            "header" => self.header = texts(component, &self.header)?,
            "body" => self.body = texts(component, &self.body)?,
            "button" => {
                let (index, parameter) = button(component)?;
                if self.buttons.insert(index, parameter).is_some() {
                    return Err(component.refused("index", "must not appear twice"));
                }
            }
            _ => {
                return Err(component.refused("type", "must be header, body or button: this version fills in no other"));
            }
        }
        Ok(())
    }
}

/// The parameters of a header or a body, all of one way.
fn texts(component: &Object<'_>, before: &TemplateParameters) -> Result<TemplateParameters, GraphError> {
    if !before.is_empty() {
        return Err(component.refused("type", "must not appear twice"));
    }
    let parameters = component.objects("parameters")?;
    let named = parameters
        .iter()
        .filter(|parameter| parameter.has("parameter_name"))
        .count();
    if named == 0 {
        let values = parameters.iter().map(text).collect::<Result<Vec<_>, GraphError>>()?;
        return Ok(if values.is_empty() {
            TemplateParameters::None
        } else {
            TemplateParameters::Positional(values)
        });
    }
    let mut values = BTreeMap::new();
    for parameter in &parameters {
        let name = parameter.required_text("parameter_name", PARAMETER_NAME_CHARS_MAX)?;
        if values.insert(name, text(parameter)?).is_some() {
            return Err(parameter.refused("parameter_name", "must not appear twice"));
        }
    }
    Ok(TemplateParameters::Named(values))
}

/// Amounts and dates are shown as the company wrote them out: nothing here knows the reader's locale.
fn text(parameter: &Object<'_>) -> Result<String, GraphError> {
    let kind = parameter.required_text("type", 64)?.to_ascii_lowercase();
    match kind.as_str() {
        "text" => parameter.required_text("text", TEMPLATE_BODY_CHARS_MAX),
        "currency" | "date_time" => parameter
            .required_object(&kind)?
            .required_text("fallback_value", TEMPLATE_BODY_CHARS_MAX),
        _ => {
            let rule = "must be text, currency or date_time: this version fills in no other";
            Err(parameter.refused("type", rule))
        }
    }
}

fn button(component: &Object<'_>) -> Result<(usize, ButtonParameter), GraphError> {
    let index = component.u64("index")?.ok_or_else(|| component.missing("index"))?;
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    if index >= TEMPLATE_BUTTONS_MAX {
        let rule = format!("must be from 0 to {}", TEMPLATE_BUTTONS_MAX - 1);
        return Err(component.refused("index", rule));
    }
    let parameters = component.objects("parameters")?;
    let [parameter] = parameters.as_slice() else {
        let rule = format!("must have 1 entry, has {}", parameters.len());
        return Err(component.refused("parameters", rule));
    };
    let (name, bytes_max) = match component.required_text("sub_type", 64)?.to_ascii_lowercase().as_str() {
        "quick_reply" => ("payload", BUTTON_PAYLOAD_BYTES_MAX),
        "url" => ("text", URL_BYTES_MAX),
        _ => {
            let rule = "must be quick_reply or url: this version fills in no other";
            return Err(component.refused("sub_type", rule));
        }
    };
    // Older examples send a quick reply's payload as type text.
    let name = if parameter.has(name) { name } else { "text" };
    let value = parameter.required(name)?;
    if value.len() > bytes_max {
        let rule = format!("must have at most {bytes_max} bytes, has {}", value.len());
        return Err(parameter.refused(name, rule));
    }
    let read = if bytes_max == URL_BYTES_MAX {
        ButtonParameter::UrlSuffix(value)
    } else {
        ButtonParameter::Payload(value)
    };
    Ok((index, read))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(template: &Value) -> Result<TemplateSend, GraphError> {
        let root = Object::root(json!({ "template": template }).as_object().expect("an object").clone());
        TemplateSend::parse(&root.required_object("template")?)
    }

    fn with(components: Value) -> Value {
        json!({ "name": "ticket_ready", "language": { "code": "en_US", "policy": "deterministic" }, "components": components })
    }

    #[test]
    fn positional_parameters() {
        let template = with(json!([
            { "type": "header", "parameters": [{ "type": "text", "text": "Film" }] },
            { "type": "body", "parameters": [
                { "type": "text", "text": "A1" },
                { "type": "currency", "currency": { "fallback_value": "Rp50.000", "code": "IDR", "amount_1000": 50_000_000 } },
                { "type": "date_time", "date_time": { "fallback_value": "7 Oktober" } },
            ] },
        ]));
        let send = parse(&template).expect("accepted");
        assert_eq!((send.name.as_str(), send.language.as_str()), ("ticket_ready", "en_US"));
        assert_eq!(send.header.get("1"), Some("Film"));
        let body: Vec<_> = ["0", "1", "2", "3", "4"].map(|at| send.body.get(at)).into();
        assert_eq!(body, [None, Some("A1"), Some("Rp50.000"), Some("7 Oktober"), None]);
    }

    #[test]
    fn named_parameters_and_types_in_capitals() {
        let parameters = json!([{ "type": "text", "text": "A1", "parameter_name": "seat" }]);
        let send = parse(&with(json!([{ "type": "BODY", "parameters": parameters }]))).expect("accepted");
        assert_eq!((send.body.get("seat"), send.body.len()), (Some("A1"), 1));
        assert!(send.header.is_empty());
    }

    #[test]
    fn buttons_by_index() {
        let button = |sub_type: &str, index: Value, parameter: Value| json!({ "type": "button", "sub_type": sub_type, "index": index, "parameters": [parameter] });
        let send = parse(&with(json!([
            button(
                "quick_reply",
                json!("0"),
                json!({ "type": "payload", "payload": "yes" })
            ),
            button("URL", json!(1), json!({ "type": "text", "text": "abc" })),
        ])));
        let expected = [
            (0, ButtonParameter::Payload("yes".into())),
            (1, ButtonParameter::UrlSuffix("abc".into())),
        ];
        assert_eq!(send.expect("accepted").buttons, BTreeMap::from(expected));
    }

    #[test]
    fn no_components_are_no_parameters() {
        for components in [Value::Null, json!([]), json!([{ "type": "body" }])] {
            assert!(parse(&with(components)).expect("accepted").body.is_empty());
        }
    }

    #[test]
    fn a_refusal_names_the_component() {
        let text = json!({ "type": "text", "text": "x" });
        let named = json!({ "type": "text", "text": "x", "parameter_name": "n" });
        let image = json!({ "type": "image", "image": { "id": "1" } });
        let long = json!({ "type": "payload", "payload": "x".repeat(257) });
        let button = |sub_type: &str, index: u64, parameters: Value| json!([{ "type": "button", "sub_type": sub_type, "index": index, "parameters": parameters }]);
        for (components, code, starts) in [
            (
                json!([{ "type": "carousel" }]),
                131_009,
                "template.components[0].type must be header",
            ),
            (
                json!([{ "type": "header", "parameters": [image] }]),
                131_009,
                "template.components[0].parameters[0].type must be text",
            ),
            (
                json!([{ "type": "body", "parameters": [text, { "type": "text" }] }]),
                131_008,
                "The parameter template.components[0].parameters[1].text ",
            ),
            (
                json!([{ "type": "body", "parameters": [named, text] }]),
                131_008,
                "The parameter template.components[0].parameters[1].parameter_name ",
            ),
            (
                json!([{ "type": "body", "parameters": [named, named] }]),
                131_009,
                "template.components[0].parameters[1].parameter_name must not appear twice",
            ),
            (
                json!([{ "type": "body", "parameters": [text] }, { "type": "body", "parameters": [text] }]),
                131_009,
                "template.components[1].type must not appear twice",
            ),
            (
                button("flow", 0, json!([text])),
                131_009,
                "template.components[0].sub_type must be quick_reply",
            ),
            (
                button("url", 10, json!([text])),
                131_009,
                "template.components[0].index must be from 0 to 9",
            ),
            (
                button("url", 0, json!([])),
                131_009,
                "template.components[0].parameters must have 1 entry, has 0",
            ),
            (
                button("quick_reply", 0, json!([long])),
                131_009,
                "template.components[0].parameters[0].payload must have at most 256 bytes, has 257",
            ),
        ] {
            let error = parse(&with(components)).expect_err("refused");
            assert_eq!(error.code(), code, "{}", error.details);
            assert!(error.details.starts_with(starts), "{}", error.details);
        }
        let error = parse(&json!({ "name": "Nope", "language": { "code": "id" } })).expect_err("refused");
        assert!(error.details.starts_with("template.name "));
        let error = parse(&json!({ "name": "nope" })).expect_err("refused");
        assert_eq!(error.details, "The parameter template.language is required.");
    }
}
