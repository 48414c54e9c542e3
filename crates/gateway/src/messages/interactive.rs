//! Interactive messages of a request: buttons, list, link. The rules are the protocol's, named here by their place in the JSON.

use std::collections::BTreeSet;

use kabar_protocol::{
    interactive as rules,
    limits::{
        BUTTON_ID_CHARS_MAX, BUTTON_TITLE_CHARS_MAX, INTERACTIVE_BODY_CHARS_MAX, INTERACTIVE_FOOTER_CHARS_MAX,
        INTERACTIVE_HEADER_CHARS_MAX, LIST_ROWS_MAX, REPLY_BUTTONS_MAX, ROW_DESCRIPTION_CHARS_MAX, ROW_ID_CHARS_MAX,
        ROW_TITLE_CHARS_MAX,
    },
    wire::{CtaUrl, Interactive, ListRow, ListSection, ReplyButton, ReplyButtons, ReplyList, interactive::Action},
};

use crate::graph::{GraphError, Object};

const TYPES_SENT: &str = "button, list, cta_url, flow, order_details or order_status";
const TYPES_NOT_SENT: [&str; 9] = [
    "address_message",
    "call_permission_request",
    "carousel",
    "catalog_message",
    "location_request_message",
    "product",
    "product_list",
    "request_contact_info",
    "voice_call",
];

pub(super) fn parse(message: &Object<'_>) -> Result<Interactive, GraphError> {
    let kind = message.required_text("type", 64)?;
    let read_action = match kind.as_str() {
        "button" => buttons,
        "list" => list,
        "cta_url" => cta_url,
        "order_details" => super::order::details,
        "order_status" => super::order::status,
        known if TYPES_NOT_SENT.contains(&known) => {
            return Err(GraphError::type_unsupported(format!(
                "interactive.type {known} is not sent by this version yet; it sends {TYPES_SENT}"
            )));
        }
        _ => return Err(message.refused("type", format!("must be {TYPES_SENT}"))),
    };
    let interactive = Interactive {
        action: Some(read_action(&message.required_object("action")?)?),
        ..around(message)?
    };
    // Whatever receivers will check, so that nothing is accepted here which is then dropped there.
    rules::interactive(&interactive).map_err(|error| GraphError::parameter_value("interactive", error))?;
    Ok(interactive)
}

/// Header, body and footer, without the action between them.
pub(super) fn around(message: &Object<'_>) -> Result<Interactive, GraphError> {
    let header = match message.object("header")? {
        Some(header) => Some(text_header(&header)?),
        None => None,
    };
    let body = message.required_object("body")?;
    let footer = match message.object("footer")? {
        Some(footer) => footer.text("text", INTERACTIVE_FOOTER_CHARS_MAX)?,
        None => None,
    };
    Ok(Interactive {
        header,
        body: body.required_text("text", INTERACTIVE_BODY_CHARS_MAX)?,
        footer,
        action: None,
    })
}

fn text_header(header: &Object<'_>) -> Result<String, GraphError> {
    if header.required("type")? != "text" {
        return Err(header.refused("type", "must be text: this version shows no other header"));
    }
    header.required_text("text", INTERACTIVE_HEADER_CHARS_MAX)
}

fn bounded(action: &Object<'_>, name: &str, got: usize, most: usize) -> Result<(), GraphError> {
    match got {
        0 => Err(action.missing(name)),
        got if got > most => Err(action.refused(name, format!("must have at most {most} entries, has {got}"))),
        _ => Ok(()),
    }
}

/// Remembers the ids of one message, in which each tap must mean one thing.
#[derive(Default)]
struct Ids(BTreeSet<String>);

impl Ids {
    fn read(&mut self, object: &Object<'_>, chars_max: usize) -> Result<String, GraphError> {
        let id = object.required_text("id", chars_max)?;
        if self.0.insert(id.clone()) {
            Ok(id)
        } else {
            Err(object.refused("id", "must be unique in its message"))
        }
    }
}

fn buttons(action: &Object<'_>) -> Result<Action, GraphError> {
    let buttons = action.objects("buttons")?;
    bounded(action, "buttons", buttons.len(), REPLY_BUTTONS_MAX)?;
    let mut ids = Ids::default();
    let read = buttons.iter().map(|button| {
        if button.string("type")?.is_some_and(|kind| kind != "reply") {
            return Err(button.refused("type", "must be reply"));
        }
        let reply = button.required_object("reply")?;
        Ok(ReplyButton {
            id: ids.read(&reply, BUTTON_ID_CHARS_MAX)?,
            title: reply.required_text("title", BUTTON_TITLE_CHARS_MAX)?,
        })
    });
    let buttons = read.collect::<Result<_, GraphError>>()?;
    Ok(Action::Buttons(ReplyButtons { buttons }))
}

fn list(action: &Object<'_>) -> Result<Action, GraphError> {
    let sections = action.objects("sections")?;
    bounded(action, "sections", sections.len(), LIST_ROWS_MAX)?;
    let mut ids = Ids::default();
    let mut rows_count = 0;
    let mut read = Vec::with_capacity(sections.len());
    for section in &sections {
        let title = section.text("title", ROW_TITLE_CHARS_MAX)?;
        if title.is_none() && sections.len() > 1 {
            return Err(section.missing("title"));
        }
        let rows = section.objects("rows")?;
        bounded(section, "rows", rows.len(), LIST_ROWS_MAX)?;
        rows_count += rows.len();
        if rows_count > LIST_ROWS_MAX {
            let rule = format!("must have at most {LIST_ROWS_MAX} rows in all");
            return Err(action.refused("sections", rule));
        }
        let rows = rows.iter().map(|row| {
            Ok(ListRow {
                id: ids.read(row, ROW_ID_CHARS_MAX)?,
                title: row.required_text("title", ROW_TITLE_CHARS_MAX)?,
                description: row.text("description", ROW_DESCRIPTION_CHARS_MAX)?,
            })
        });
        read.push(ListSection {
            title: title.unwrap_or_default(),
            rows: rows.collect::<Result<_, GraphError>>()?,
        });
    }
    Ok(Action::List(ReplyList {
        button: action.required_text("button", BUTTON_TITLE_CHARS_MAX)?,
        sections: read,
    }))
}

fn cta_url(action: &Object<'_>) -> Result<Action, GraphError> {
    if action.string("name")?.is_some_and(|name| name != "cta_url") {
        return Err(action.refused("name", "must be cta_url"));
    }
    let parameters = action.required_object("parameters")?;
    let url = parameters.required("url")?;
    rules::url("url", &url).map_err(|error| parameters.refused("url", error.rule))?;
    Ok(Action::CtaUrl(CtaUrl {
        display_text: parameters.required_text("display_text", BUTTON_TITLE_CHARS_MAX)?,
        url,
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parsed(message: &Value) -> Result<Interactive, GraphError> {
        let root = Object::root(
            json!({ "interactive": message })
                .as_object()
                .expect("an object")
                .clone(),
        );
        parse(&root.required_object("interactive")?)
    }

    fn button(id: &str, title: &str) -> Value {
        json!({ "type": "reply", "reply": { "id": id, "title": title } })
    }

    fn with_buttons(buttons: Vec<Value>) -> Value {
        json!({ "type": "button", "body": { "text": "Setuju?" }, "action": { "buttons": buttons } })
    }

    fn row(id: &str) -> Value {
        json!({ "id": id, "title": "Baris", "description": "" })
    }

    fn with_sections(sections: Value) -> Value {
        json!({ "type": "list", "body": { "text": "Pilih" }, "action": { "button": "Buka", "sections": sections } })
    }

    #[test]
    fn buttons_with_header_and_footer() {
        let mut message = with_buttons(vec![button("a", "Ya"), button("b", "Tidak")]);
        message["header"] = json!({ "type": "text", "text": "H" });
        message["footer"] = json!({ "text": "F" });
        let parsed = parsed(&message).expect("accepted");
        assert_eq!(
            (parsed.header.as_deref(), parsed.footer.as_deref()),
            (Some("H"), Some("F"))
        );
        let Some(Action::Buttons(buttons)) = parsed.action else {
            panic!("not buttons");
        };
        assert_eq!(buttons.buttons[1].title, "Tidak");
    }

    #[test]
    fn a_list_with_one_untitled_section() {
        let parsed = parsed(&with_sections(json!([{ "rows": [row("1"), row("2")] }]))).expect("accepted");
        let Some(Action::List(list)) = parsed.action else {
            panic!("not a list");
        };
        // heyoo sends "" for no description.
        assert_eq!(list.sections[0].rows[1].description, None);
        assert_eq!(list.button, "Buka");
    }

    #[test]
    fn a_link() {
        let message = json!({ "type": "cta_url", "body": { "text": "Lihat" }, "action": { "name": "cta_url",
            "parameters": { "display_text": "Buka", "url": "https://x.y" } } });
        let Some(Action::CtaUrl(link)) = parsed(&message).expect("accepted").action else {
            panic!("not a link");
        };
        assert_eq!(link.url, "https://x.y");
    }

    #[test]
    fn a_broken_button_is_named_by_its_place() {
        let twenty_one = "x".repeat(21);
        for (message, code, starts) in [
            (
                with_buttons(vec![]),
                131_008,
                "The parameter interactive.action.buttons ",
            ),
            (
                with_buttons(vec![button("a", "A"); 4]),
                131_009,
                "interactive.action.buttons must have at most 3 entries, has 4",
            ),
            (
                with_buttons(vec![button("a", "A"), button("a", "B")]),
                131_009,
                "interactive.action.buttons[1].reply.id must be unique",
            ),
            (
                with_buttons(vec![button("a", &twenty_one)]),
                131_009,
                "interactive.action.buttons[0].reply.title must have at most 20 characters, has 21",
            ),
            (
                with_buttons(vec![button(&"i".repeat(257), "A")]),
                131_009,
                "interactive.action.buttons[0].reply.id must have at most 256",
            ),
            (
                with_buttons(vec![json!({ "type": "url" })]),
                131_009,
                "interactive.action.buttons[0].type must be reply",
            ),
            (
                with_buttons(vec![json!({ "type": "reply" })]),
                131_008,
                "The parameter interactive.action.buttons[0].reply ",
            ),
            (
                with_buttons(vec![json!(1)]),
                131_009,
                "interactive.action.buttons[0] must be an object",
            ),
        ] {
            let error = parsed(&message).expect_err("refused");
            assert_eq!(error.code(), code, "{message}");
            assert!(error.details.starts_with(starts), "{}", error.details);
        }
    }

    #[test]
    fn a_broken_list_is_named_by_its_place() {
        let six = |from: u8| (from..from + 6).map(|id| row(&id.to_string())).collect::<Vec<_>>();
        let long_row = json!({ "id": "1", "title": "T", "description": "d".repeat(73) });
        for (sections, code, starts) in [
            (json!([]), 131_008, "The parameter interactive.action.sections "),
            (
                json!([{ "title": "S", "rows": [] }]),
                131_008,
                "The parameter interactive.action.sections[0].rows ",
            ),
            (
                json!([{ "title": "S", "rows": six(0) }, { "rows": [row("x")] }]),
                131_008,
                "The parameter interactive.action.sections[1].title ",
            ),
            (
                json!([{ "title": "S", "rows": six(0) }, { "title": "T", "rows": six(6) }]),
                131_009,
                "interactive.action.sections must have at most 10 rows in all",
            ),
            (
                json!([{ "rows": [row("1"), row("1")] }]),
                131_009,
                "interactive.action.sections[0].rows[1].id must be unique",
            ),
            (
                json!([{ "rows": [long_row] }]),
                131_009,
                "interactive.action.sections[0].rows[0].description must have at most 72",
            ),
        ] {
            let error = parsed(&with_sections(sections)).expect_err("refused");
            assert_eq!(error.code(), code, "{}", error.details);
            assert!(error.details.starts_with(starts), "{}", error.details);
        }
    }

    #[test]
    fn other_refusals() {
        let change = |path: &str, value: Value| {
            let mut message = with_buttons(vec![button("a", "A")]);
            message[path] = value;
            message
        };
        for (message, code, starts) in [
            (
                change("type", "carousel".into()),
                131_051,
                "interactive.type carousel is not sent by this version yet",
            ),
            (
                change("type", "poll".into()),
                131_009,
                "interactive.type must be button, list, cta_url",
            ),
            (
                change("header", json!({ "type": "image", "image": {} })),
                131_009,
                "interactive.header.type must be text",
            ),
            (
                change("header", json!({ "type": "text", "text": "h".repeat(61) })),
                131_009,
                "interactive.header.text must have at most 60",
            ),
            (change("body", Value::Null), 131_008, "The parameter interactive.body "),
            (
                change("body", json!({ "text": "b".repeat(1025) })),
                131_009,
                "interactive.body.text must have at most 1024",
            ),
            (
                change("footer", json!({ "text": "f".repeat(61) })),
                131_009,
                "interactive.footer.text must have at most 60",
            ),
            (
                change("action", Value::Null),
                131_008,
                "The parameter interactive.action ",
            ),
            (
                json!({ "type": "cta_url", "body": { "text": "b" }, "action": { "parameters": { "display_text": "x", "url": "javascript:1" } } }),
                131_009,
                "interactive.action.parameters.url must be an http or https address",
            ),
        ] {
            let error = parsed(&message).expect_err("refused");
            assert_eq!(error.code(), code, "{}", error.details);
            assert!(error.details.starts_with(starts), "{}", error.details);
        }
    }
}
