//! The body of `POST /<phone number>/messages`, read and checked: every refusal names the parameter and the rule.

use kabar_client::api::Shown;
use kabar_protocol::limits::{PHONE_DIGITS_MAX, PHONE_DIGITS_MIN, TEXT_CHARS_MAX};

use super::{
    FlowSend, interactive,
    media::{Media, MediaKind},
    template::TemplateSend,
};
use crate::graph::{GraphError, Object};

/// `biz_opaque_callback_data`, which comes back in every status.
const CALLBACK_DATA_CHARS_MAX: usize = 512;
/// A country code, a dot and at most 128 letters and digits, as in `ID.1234567`; a parent's has `ENT.` before them.
const USER_ID_CHARS_MAX: usize = 3 + 4 + 128;
const MESSAGE_ID_CHARS_MAX: usize = 512;

/// Types of the Cloud API that this version does not send.
const TYPES_NOT_SENT: [&str; 7] = ["contacts", "gif", "location", "order", "pin", "reaction", "sticker"];
const TYPES_SENT: &str = "text, image, document, audio, video, interactive or template";

/// What a call of the messages edge asks for.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    Send(Box<Send>),
    /// `status: read`. Answered with success whatever the id is: SDKs mark messages read that they have long forgotten.
    MarkRead {
        message_id: String,
        /// Shows that an answer is being written.
        typing: bool,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Send {
    pub to: Recipient,
    /// As sent, for `contacts[0].input` of the answer.
    pub input: String,
    pub content: Content,
    /// The message id that this answers, as sent.
    pub context: Option<String>,
    pub biz_opaque_callback_data: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// Digits with the country code, without the plus.
    Phone(String),
    UserId(String),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Ready to be sent.
    Shown(Shown),
    /// To be looked up and filled in.
    Template(TemplateSend),
    /// To be looked up.
    Flow(Box<FlowSend>),
    /// To be fetched.
    Media(Media),
}

impl Request {
    pub fn parse(params: &Object<'_>) -> Result<Self, GraphError> {
        if params.required("messaging_product")? != "whatsapp" {
            return Err(params.refused("messaging_product", "must be whatsapp"));
        }
        if params.has("status") {
            return mark_read(params);
        }
        let (to, input) = recipient(params)?;
        let context = match params.object("context")? {
            Some(context) => Some(context.required_text("message_id", MESSAGE_ID_CHARS_MAX)?),
            None => None,
        };
        Ok(Self::Send(Box::new(Send {
            to,
            input,
            content: content(params)?,
            context,
            biz_opaque_callback_data: params.text("biz_opaque_callback_data", CALLBACK_DATA_CHARS_MAX)?,
        })))
    }
}

fn mark_read(params: &Object<'_>) -> Result<Request, GraphError> {
    if params.required("status")? != "read" {
        return Err(params.refused("status", "must be read"));
    }
    let typing = match params.object("typing_indicator")? {
        None => false,
        Some(indicator) if indicator.required("type")? == "text" => true,
        Some(indicator) => return Err(indicator.refused("type", "must be text")),
    };
    let message_id = params.required_text("message_id", MESSAGE_ID_CHARS_MAX)?;
    Ok(Request::MarkRead { message_id, typing })
}

/// `to` wins over `recipient` where both are there.
fn recipient(params: &Object<'_>) -> Result<(Recipient, String), GraphError> {
    let kind = params.string("recipient_type")?;
    if kind.is_some_and(|kind| kind != "individual") {
        return Err(params.refused(
            "recipient_type",
            "must be individual: this version does not write to groups",
        ));
    }
    for name in ["to", "recipient"] {
        if let Some(input) = params.text(name, USER_ID_CHARS_MAX)? {
            let to = Recipient::parse(&input).ok_or_else(|| {
                let rule = format!(
                    "must be a phone number of {PHONE_DIGITS_MIN} to {PHONE_DIGITS_MAX} digits with its country code, or a user id"
                );
                params.refused(name, rule)
            })?;
            return Ok((to, input));
        }
    }
    Err(params.missing("to"))
}

impl Recipient {
    /// A number may be written as people write it: `+62 (812) 345-678`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !"+-(). ".contains(*c)).collect();
        if digits.bytes().all(|byte| byte.is_ascii_digit()) {
            let fits = (PHONE_DIGITS_MIN..=PHONE_DIGITS_MAX).contains(&digits.len());
            return fits.then_some(Self::Phone(digits));
        }
        let (country, id) = text.trim().split_once('.')?;
        let id = id.strip_prefix("ENT.").unwrap_or(id);
        let is_country = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
        let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        (is_country && is_id).then(|| Self::UserId(text.trim().into()))
    }
}

fn content(params: &Object<'_>) -> Result<Content, GraphError> {
    // The API takes a message without a type for a text.
    let kind = params.text("type", 64)?.unwrap_or_else(|| "text".into());
    match kind.as_str() {
        "text" => text(&params.required_object("text")?),
        "interactive" => {
            let message = params.required_object("interactive")?;
            if message.string("type")?.as_deref() == Some("flow") {
                return Ok(Content::Flow(Box::new(FlowSend::parse(&message)?)));
            }
            let message = interactive::parse(&message)?;
            Ok(Content::Shown(Shown::Interactive(message)))
        }
        "template" => Ok(Content::Template(TemplateSend::parse(
            &params.required_object("template")?,
        )?)),
        "image" => file(params, "image", MediaKind::Image),
        "document" => file(params, "document", MediaKind::Document),
        "audio" => file(params, "audio", MediaKind::Audio),
        "video" => file(params, "video", MediaKind::Video),
        known if TYPES_NOT_SENT.contains(&known) => Err(GraphError::type_unsupported(format!(
            "type {known} is not sent by this version yet; it sends {TYPES_SENT}"
        ))),
        _ => Err(params.refused("type", format!("must be {TYPES_SENT}"))),
    }
}

fn file(params: &Object<'_>, name: &'static str, kind: MediaKind) -> Result<Content, GraphError> {
    let media = Media::parse(kind, &params.required_object(name)?)?;
    Ok(Content::Media(media))
}

fn text(text: &Object<'_>) -> Result<Content, GraphError> {
    // Only its form is checked: a text has no preview in this version.
    text.bool("preview_url")?;
    let body = text.required_text("body", TEXT_CHARS_MAX)?;
    Ok(Content::Shown(Shown::Text(body)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(value: Value) -> Result<Request, GraphError> {
        Request::parse(&Object::root(value.as_object().expect("an object").clone()))
    }

    fn send(value: Value) -> Send {
        match parse(value).expect("accepted") {
            Request::Send(send) => *send,
            other => panic!("not a send: {other:?}"),
        }
    }

    fn refusal(value: Value) -> (u32, String) {
        let error = parse(value).expect_err("refused");
        (error.code(), error.details)
    }

    fn message(change: impl FnOnce(&mut Value)) -> Value {
        let mut message = json!({ "messaging_product": "whatsapp", "to": "6281234567890", "type": "text",
            "text": { "body": "halo" } });
        change(&mut message);
        message
    }

    #[test]
    fn a_text_as_sdks_send_it() {
        let sent = send(json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": "+62 812-345-67890", "type": "text",
            "text": { "body": "halo", "preview_url": true }, "context": { "message_id": "wamid.x" },
            "biz_opaque_callback_data": "trk",
        }));
        assert_eq!(sent.to, Recipient::Phone("6281234567890".into()));
        assert_eq!(sent.input, "+62 812-345-67890");
        assert_eq!(sent.content, Content::Shown(Shown::Text("halo".into())));
        assert_eq!(sent.context.as_deref(), Some("wamid.x"));
        assert_eq!(sent.biz_opaque_callback_data.as_deref(), Some("trk"));
        let untyped = send(message(|m| {
            m.as_object_mut().expect("an object").remove("type");
        }));
        assert_eq!(untyped.content, sent.content);
    }

    #[test]
    fn a_recipient_is_a_number_or_a_user_id() {
        for (text, expected) in [
            ("15551230001", Some(Recipient::Phone("15551230001".into()))),
            ("+1 (555) 123.0001", Some(Recipient::Phone("15551230001".into()))),
            (
                "ID.13491208655302741918",
                Some(Recipient::UserId("ID.13491208655302741918".into())),
            ),
            (
                "US.ENT.506847293015824",
                Some(Recipient::UserId("US.ENT.506847293015824".into())),
            ),
            ("123456", None),
            ("1234567890123456", None),
            ("id.123", None),
            ("US.", None),
            ("US.1 2", None),
            ("budi", None),
        ] {
            assert_eq!(Recipient::parse(text), expected, "{text}");
        }
        let by_id = send(message(|m| {
            m["to"] = Value::Null;
            m["recipient"] = "ID.7".into();
        }));
        assert_eq!(by_id.to, Recipient::UserId("ID.7".into()));
        let both = send(message(|m| m["recipient"] = "ID.7".into()));
        assert_eq!(both.to, Recipient::Phone("6281234567890".into()));
        let number = send(message(|m| m["to"] = 6_281_234_567_890_u64.into()));
        assert_eq!(number.to, both.to);
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let long = "x".repeat(4097);
        for (change, code, starts) in [
            (
                json!({ "messaging_product": null }),
                131_008,
                "The parameter messaging_product ",
            ),
            (
                json!({ "messaging_product": "sms" }),
                131_009,
                "messaging_product must be whatsapp",
            ),
            (json!({ "to": null }), 131_008, "The parameter to "),
            (json!({ "to": "12" }), 131_009, "to must be a phone number"),
            (json!({ "recipient_type": "group" }), 131_009, "recipient_type "),
            (json!({ "text": null }), 131_008, "The parameter text "),
            (json!({ "text": {} }), 131_008, "The parameter text.body "),
            (
                json!({ "text": { "body": long } }),
                131_009,
                "text.body must have at most 4096 characters, has 4097",
            ),
            (
                json!({ "text": { "body": "a", "preview_url": "maybe" } }),
                131_009,
                "text.preview_url ",
            ),
            (json!({ "text": "halo" }), 131_009, "text must be an object"),
            (json!({ "context": {} }), 131_008, "The parameter context.message_id "),
            (
                json!({ "biz_opaque_callback_data": long }),
                131_009,
                "biz_opaque_callback_data must have at most 512",
            ),
            (
                json!({ "type": "sticker" }),
                131_051,
                "type sticker is not sent by this version yet",
            ),
            (
                json!({ "type": "telegram" }),
                131_009,
                "type must be text, image, document, audio, video, interactive",
            ),
            (json!({ "type": "image" }), 131_008, "The parameter image "),
        ] {
            let request = message(|m| {
                for (name, value) in change.as_object().expect("an object") {
                    m[name] = value.clone();
                }
            });
            let (got, details) = refusal(request);
            assert_eq!(got, code, "{change}");
            assert!(details.starts_with(starts), "{details}");
        }
    }

    #[test]
    fn read_and_typing() {
        let read = |extra: Value| {
            let mut request = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": "wamid.x" });
            for (name, value) in extra.as_object().expect("an object") {
                request[name] = value.clone();
            }
            parse(request)
        };
        let message_id = "wamid.x".to_owned();
        let expected = |typing| {
            Ok(Request::MarkRead {
                message_id: message_id.clone(),
                typing,
            })
        };
        assert_eq!(read(json!({})), expected(false));
        assert_eq!(read(json!({ "typing_indicator": { "type": "text" } })), expected(true));
        let code = |result: Result<Request, GraphError>| result.expect_err("refused").code();
        assert_eq!(code(read(json!({ "typing_indicator": { "type": "audio" } }))), 131_009);
        assert_eq!(code(read(json!({ "status": "delivered" }))), 131_009);
        assert_eq!(code(read(json!({ "message_id": null }))), 131_008);
    }
}
