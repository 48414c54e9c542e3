//! The rules of interactive messages, their answers and templates: run before sending and on what is received.

use std::collections::BTreeSet;

use crate::{
    limits::{
        BUTTON_ID_CHARS_MAX, BUTTON_PAYLOAD_BYTES_MAX, BUTTON_TITLE_CHARS_MAX, FLOW_DATA_BYTES_MAX,
        FLOW_JSON_BYTES_MAX, FLOW_TOKEN_BYTES_MAX, INTERACTIVE_BODY_CHARS_MAX, INTERACTIVE_FOOTER_CHARS_MAX,
        INTERACTIVE_HEADER_CHARS_MAX, LIST_ROWS_MAX, REPLY_BUTTONS_MAX, ROW_DESCRIPTION_CHARS_MAX, ROW_ID_CHARS_MAX,
        ROW_TITLE_CHARS_MAX, TEMPLATE_BODY_CHARS_MAX, TEMPLATE_BUTTON_CHARS_MAX, TEMPLATE_BUTTONS_MAX, URL_BYTES_MAX,
    },
    order,
    wire::{
        FlowOffer, Interactive, InteractiveReply, OrderUpdate, Template, interactive::Action, interactive_reply::Reply,
        template_button,
    },
};

/// A field that breaks a rule, by its path in the message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {rule}")]
pub struct FieldError {
    pub field: &'static str,
    pub rule: String,
}

type Checked = Result<(), FieldError>;

pub(crate) fn broken(field: &'static str, rule: impl Into<String>) -> FieldError {
    let rule = rule.into();
    FieldError { field, rule }
}

/// A text that says something, of at most so many characters.
pub(crate) fn chars(field: &'static str, text: &str, most: usize) -> Checked {
    if text.trim().is_empty() {
        return Err(broken(field, "must not be empty"));
    }
    at_most(field, text, most)
}

pub(crate) fn at_most(field: &'static str, text: &str, most: usize) -> Checked {
    let got = text.chars().count();
    if got > most {
        return Err(broken(field, format!("must have at most {most} characters, has {got}")));
    }
    Ok(())
}

fn optional(field: &'static str, text: Option<&String>, most: usize) -> Checked {
    text.map_or(Ok(()), |text| chars(field, text, most))
}

/// `http` and `https` only: a tap must not reach anything else.
pub fn url(field: &'static str, url: &str) -> Checked {
    let web = url.starts_with("https://") || url.starts_with("http://");
    let plain = !url.chars().any(|c| c.is_whitespace() || c.is_control());
    if web && plain && url.len() <= URL_BYTES_MAX {
        Ok(())
    } else {
        let rule = format!("must be an http or https address of at most {URL_BYTES_MAX} bytes");
        Err(broken(field, rule))
    }
}

fn count(field: &'static str, got: usize, most: usize) -> Checked {
    if (1..=most).contains(&got) {
        Ok(())
    } else {
        Err(broken(field, format!("must have 1 to {most} entries, has {got}")))
    }
}

/// States of an order, as an OrderUpdate tells them.
pub const ORDER_STATES: [&str; 7] = [
    "pending",
    "processing",
    "partially_shipped",
    "shipped",
    "completed",
    "canceled",
    "refunded",
];
const ORDER_DESCRIPTION_CHARS_MAX: usize = 120;

fn order_update(update: &OrderUpdate) -> Checked {
    order::reference(&update.reference_id)?;
    if !ORDER_STATES.contains(&update.status.as_str()) {
        return Err(broken(
            "order.status",
            format!("must be one of {}", ORDER_STATES.join(", ")),
        ));
    }
    match update.description.chars().count() {
        0..=ORDER_DESCRIPTION_CHARS_MAX => Ok(()),
        got => {
            let rule = format!("must have at most {ORDER_DESCRIPTION_CHARS_MAX} characters, has {got}");
            Err(broken("order.description", rule))
        }
    }
}

fn flow_offer(offer: &FlowOffer) -> Checked {
    chars("flow.cta", &offer.cta, BUTTON_TITLE_CHARS_MAX)?;
    if offer.flow_token.len() > FLOW_TOKEN_BYTES_MAX {
        return Err(broken(
            "flow.token",
            format!("must have at most {FLOW_TOKEN_BYTES_MAX} bytes"),
        ));
    }
    json_object("flow.json", &offer.flow_json, FLOW_JSON_BYTES_MAX)?;
    if offer.data.is_empty() {
        return Ok(());
    }
    json_object("flow.data", &offer.data, FLOW_DATA_BYTES_MAX)
}

/// Bounded, and an object by its first letter: what is inside is for whoever reads it.
pub fn json_object(field: &'static str, text: &str, bytes_max: usize) -> Checked {
    if text.len() > bytes_max {
        let rule = format!("must have at most {bytes_max} bytes, has {}", text.len());
        return Err(broken(field, rule));
    }
    match text.trim_start().starts_with('{') {
        true => Ok(()),
        false => Err(broken(field, "must be a JSON object")),
    }
}

/// Whether an interactive message may be sent, and be shown.
pub fn interactive(message: &Interactive) -> Checked {
    optional("header", message.header.as_ref(), INTERACTIVE_HEADER_CHARS_MAX)?;
    chars("body", &message.body, INTERACTIVE_BODY_CHARS_MAX)?;
    optional("footer", message.footer.as_ref(), INTERACTIVE_FOOTER_CHARS_MAX)?;
    match &message.action {
        Some(Action::Buttons(buttons)) => {
            count("buttons", buttons.buttons.len(), REPLY_BUTTONS_MAX)?;
            let mut ids = BTreeSet::new();
            for button in &buttons.buttons {
                chars("button.id", &button.id, BUTTON_ID_CHARS_MAX)?;
                chars("button.title", &button.title, BUTTON_TITLE_CHARS_MAX)?;
                if !ids.insert(&button.id) {
                    return Err(broken("button.id", "must be unique in its message"));
                }
            }
            Ok(())
        }
        Some(Action::List(list)) => {
            chars("list.button", &list.button, BUTTON_TITLE_CHARS_MAX)?;
            let rows = list.sections.iter().flat_map(|section| &section.rows);
            count("list.rows", rows.clone().count(), LIST_ROWS_MAX)?;
            for section in &list.sections {
                if list.sections.len() > 1 || !section.title.is_empty() {
                    chars("section.title", &section.title, ROW_TITLE_CHARS_MAX)?;
                }
            }
            let mut ids = BTreeSet::new();
            for row in rows {
                chars("row.id", &row.id, ROW_ID_CHARS_MAX)?;
                chars("row.title", &row.title, ROW_TITLE_CHARS_MAX)?;
                optional("row.description", row.description.as_ref(), ROW_DESCRIPTION_CHARS_MAX)?;
                if !ids.insert(&row.id) {
                    return Err(broken("row.id", "must be unique in its message"));
                }
            }
            Ok(())
        }
        Some(Action::CtaUrl(link)) => {
            chars("cta_url.display_text", &link.display_text, BUTTON_TITLE_CHARS_MAX)?;
            url("cta_url.url", &link.url)
        }
        Some(Action::Flow(offer)) => flow_offer(offer),
        Some(Action::OrderDetails(details)) => order::check(details),
        Some(Action::OrderStatus(update)) => order_update(update),
        None => Err(broken(
            "action",
            "is missing or of a kind that this version does not know",
        )),
    }
}

/// Whether an answer to an interactive message may be sent.
pub fn interactive_reply(message: &InteractiveReply) -> Checked {
    match &message.reply {
        Some(Reply::Button(button)) => {
            chars("button.id", &button.id, BUTTON_ID_CHARS_MAX)?;
            chars("button.title", &button.title, TEMPLATE_BUTTON_CHARS_MAX)
        }
        Some(Reply::List(row)) => {
            chars("row.id", &row.id, ROW_ID_CHARS_MAX)?;
            chars("row.title", &row.title, ROW_TITLE_CHARS_MAX)
        }
        Some(Reply::Flow(flow)) => {
            chars("flow.name", &flow.name, ROW_TITLE_CHARS_MAX)?;
            json_object("flow.response_json", &flow.response_json, FLOW_DATA_BYTES_MAX)
        }
        None => Err(broken(
            "reply",
            "is missing or of a kind that this version does not know",
        )),
    }
}

/// Whether a filled-in template may be sent, and be shown.
pub fn template(message: &Template) -> Checked {
    chars("name", &message.name, 512)?;
    optional("header", message.header.as_ref(), INTERACTIVE_HEADER_CHARS_MAX)?;
    // Parameters come on top of the approved text.
    chars("body", &message.body, 2 * TEMPLATE_BODY_CHARS_MAX)?;
    optional("footer", message.footer.as_ref(), INTERACTIVE_FOOTER_CHARS_MAX)?;
    if message.buttons.len() > TEMPLATE_BUTTONS_MAX {
        return Err(broken("buttons", format!("must be at most {TEMPLATE_BUTTONS_MAX}")));
    }
    for button in &message.buttons {
        chars("button.text", &button.text, TEMPLATE_BUTTON_CHARS_MAX)?;
        match &button.action {
            Some(template_button::Action::Url(address)) => url("button.url", address)?,
            Some(template_button::Action::Payload(payload)) if payload.len() <= BUTTON_PAYLOAD_BYTES_MAX => {}
            Some(template_button::Action::Payload(_)) => {
                return Err(broken(
                    "button.payload",
                    format!("must have at most {BUTTON_PAYLOAD_BYTES_MAX} bytes"),
                ));
            }
            None => return Err(broken("button", "is of a kind that this version does not know")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{CtaUrl, ReplyButton, ReplyButtons};

    fn with_buttons(ids: &[&str]) -> Interactive {
        let button = |id: &&str| ReplyButton {
            id: (*id).into(),
            title: "Ya".into(),
        };
        Interactive {
            body: "Setuju?".into(),
            action: Some(Action::Buttons(ReplyButtons {
                buttons: ids.iter().map(button).collect(),
            })),
            ..Interactive::default()
        }
    }

    #[test]
    fn buttons_are_one_to_three_with_different_ids() {
        assert_eq!(interactive(&with_buttons(&["a", "b", "c"])), Ok(()));
        for ids in [&[][..], &["a", "b", "c", "d"], &["a", "a"], &[""]] {
            assert!(interactive(&with_buttons(ids)).is_err(), "{ids:?}");
        }
    }

    #[test]
    fn a_link_leads_to_the_web_only() {
        for (address, fits) in [
            ("https://x.y/z?a=1", true),
            ("http://x.y", true),
            ("javascript:alert(1)", false),
            ("https://x y", false),
        ] {
            let message = Interactive {
                body: "b".into(),
                action: Some(Action::CtaUrl(CtaUrl {
                    display_text: "Buka".into(),
                    url: address.into(),
                })),
                ..Interactive::default()
            };
            assert_eq!(interactive(&message).is_ok(), fits, "{address}");
        }
    }

    #[test]
    fn the_refused_field_is_named() {
        let mut message = with_buttons(&["a"]);
        message.footer = Some("f".repeat(61));
        let error = interactive(&message).expect_err("too long");
        assert_eq!(error.to_string(), "footer must have at most 60 characters, has 61");
    }
}
