//! Files in a message, by the id of an upload or by a link. Reads the reference only; nothing is fetched here.

use kabar_protocol::{interactive, limits::INTERACTIVE_BODY_CHARS_MAX};

use crate::graph::{GraphError, Object};

/// Captions have the length of an interactive message's body.
const CAPTION_CHARS_MAX: usize = INTERACTIVE_BODY_CHARS_MAX;
const FILE_NAME_CHARS_MAX: usize = 240;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaKind {
    Image,
    Document,
    Audio,
    Video,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaSource {
    Id(String),
    Link(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    pub kind: MediaKind,
    pub source: MediaSource,
    pub caption: Option<String>,
    /// Of documents only.
    pub filename: Option<String>,
}

impl Media {
    pub(super) fn parse(kind: MediaKind, media: &Object<'_>) -> Result<Self, GraphError> {
        let source = match (media.string("id")?, media.string("link")?) {
            (Some(_), Some(_)) => return Err(media.refused("link", "must not stand beside id: a file has one source")),
            (Some(id), None) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => MediaSource::Id(id),
            (Some(_), None) => return Err(media.refused("id", "must be the number that the upload answered")),
            (None, Some(link)) => match interactive::url("link", &link) {
                Ok(()) => MediaSource::Link(link),
                Err(error) => return Err(media.refused("link", error.rule)),
            },
            (None, None) => return Err(media.missing("id")),
        };
        let filename = match kind {
            MediaKind::Document => media.text("filename", FILE_NAME_CHARS_MAX)?,
            MediaKind::Image | MediaKind::Audio | MediaKind::Video => None,
        };
        let caption = media.text("caption", CAPTION_CHARS_MAX)?;
        Ok(Self {
            kind,
            source,
            caption,
            filename,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn parse(kind: MediaKind, value: Value) -> Result<Media, GraphError> {
        let root = Object::root(json!({ "document": value }).as_object().expect("an object").clone());
        Media::parse(kind, &root.required_object("document")?)
    }

    #[test]
    fn a_file_by_id_or_by_link() {
        let media = parse(
            MediaKind::Document,
            json!({ "id": "1234", "caption": null, "filename": "tiket.pdf" }),
        );
        let expected = Media {
            kind: MediaKind::Document,
            source: MediaSource::Id("1234".into()),
            caption: None,
            filename: Some("tiket.pdf".into()),
        };
        assert_eq!(media, Ok(expected));
        let media = parse(MediaKind::Image, json!({ "link": "https://x.y/z.png", "caption": "c" })).expect("accepted");
        assert_eq!(media.source, MediaSource::Link("https://x.y/z.png".into()));
        assert_eq!(media.caption.as_deref(), Some("c"));
    }

    #[test]
    fn a_refusal_names_the_field() {
        let long = "x".repeat(1025);
        for (value, code, starts) in [
            (json!({}), 131_008, "The parameter document.id "),
            (
                json!({ "id": "1", "link": "https://x.y" }),
                131_009,
                "document.link must not stand",
            ),
            (json!({ "id": "../x" }), 131_009, "document.id must be the number"),
            (
                json!({ "link": "file:///etc/passwd" }),
                131_009,
                "document.link must be an http or https address",
            ),
            (
                json!({ "id": "1", "caption": long }),
                131_009,
                "document.caption must have at most 1024",
            ),
            (
                json!({ "id": "1", "filename": long }),
                131_009,
                "document.filename must have at most 240",
            ),
        ] {
            let error = parse(MediaKind::Document, value).expect_err("refused");
            assert_eq!(error.code(), code);
            assert!(error.details.starts_with(starts), "{}", error.details);
        }
    }
}
