//! The parameters of one call, merged from wherever a client put them.
//!
//! Order: the query first, then a form, then a JSON body; a later source wins over an earlier one, and so does the later
//! of two equal names. Read whole, so every part is bounded before it is kept.

use std::ops::Deref;

use axum::{body::Body, extract::Request};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header, request::Parts};
use serde_json::{Map, Value};

use super::{GraphError, Object};

/// Boundaries and heads of the parts of one multipart body.
const MULTIPART_OVERHEAD_BYTES_MAX: usize = 1024 * 1024;

/// What the caller is ready to hold in memory.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Everything that is not a file, in bytes.
    pub fields_bytes_max: usize,
    /// One file; 0 where the call takes none.
    pub file_bytes_max: usize,
    pub files_max: usize,
}

impl BodyLimits {
    /// For a call without files.
    pub const fn fields(bytes_max: usize) -> Self {
        Self {
            fields_bytes_max: bytes_max,
            file_bytes_max: 0,
            files_max: 0,
        }
    }
}

/// A part of a multipart body that is a file.
pub struct File {
    /// Name of the field, most often `file`.
    pub name: String,
    pub file_name: Option<String>,
    /// As the client says; what the bytes are is for the reader to find out.
    pub mime: Option<String>,
    pub bytes: Bytes,
}

/// Reads like the [`Object`] of all parameters. Without Debug: it holds tokens and people's messages.
pub struct Params {
    root: Object<'static>,
    pub files: Vec<File>,
}

impl Deref for Params {
    type Target = Object<'static>;

    fn deref(&self) -> &Self::Target {
        &self.root
    }
}

impl Params {
    pub async fn read(request: Request, limits: BodyLimits) -> Result<Self, GraphError> {
        let (parts, body) = request.into_parts();
        Self::read_parts(&parts, body, limits).await
    }

    /// For a caller that needs the headers too. Any method may have a body.
    pub async fn read_parts(parts: &Parts, body: Body, limits: BodyLimits) -> Result<Self, GraphError> {
        let mut map = Map::new();
        add_form(&mut map, parts.uri.query().unwrap_or_default().as_bytes());
        let content_type = content_type(&parts.headers);
        let mut files = Vec::new();
        if essence(content_type) == "multipart/form-data" {
            files = read_multipart(&mut map, content_type, body, limits).await?;
        } else {
            let bytes = read_whole(body, limits.fields_bytes_max).await?;
            add_body(&mut map, content_type, &bytes)?;
        }
        let root = Object::root(map);
        Ok(Self { root, files })
    }

    /// Of a call inside a batch, which has no files.
    pub fn of(query: &str, content_type: &str, body: &[u8]) -> Result<Self, GraphError> {
        let mut map = Map::new();
        add_form(&mut map, query.as_bytes());
        add_body(&mut map, content_type, body)?;
        let (root, files) = (Object::root(map), Vec::new());
        Ok(Self { root, files })
    }

    /// The file of that field; with one file only, its field's name does not matter.
    pub fn file(&self, name: &str) -> Result<&File, GraphError> {
        match self.files.as_slice() {
            [file] => Ok(file),
            files => files
                .iter()
                .find(|file| file.name == name)
                .ok_or_else(|| self.missing(name)),
        }
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// A content type without its parameters, in lower case.
fn essence(content_type: &str) -> String {
    let essence = content_type.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

fn too_large(bytes_max: usize) -> GraphError {
    GraphError::invalid_request(format!(
        "the body without its files must have at most {bytes_max} bytes"
    ))
}

async fn read_whole(body: Body, bytes_max: usize) -> Result<Bytes, GraphError> {
    use futures_util::StreamExt as _;
    let mut chunks = body.into_data_stream();
    let mut bytes = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| GraphError::invalid_request("the body ended early"))?;
        if bytes.len() + chunk.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

fn add_form(map: &mut Map<String, Value>, form: &[u8]) {
    // Values stay text: only the one who asks for a parameter knows whether its text is JSON.
    for (name, value) in form_urlencoded::parse(form) {
        map.insert(name.into_owned(), Value::String(value.into_owned()));
    }
}

fn add_body(map: &mut Map<String, Value>, content_type: &str, body: &[u8]) -> Result<(), GraphError> {
    let body = body.trim_ascii();
    let essence = essence(content_type);
    // Some SDKs say application/json and send nothing; `curl -d '{...}'` says form and sends JSON.
    if body.is_empty() {
        Ok(())
    } else if essence == "application/json" || body.starts_with(b"{") {
        add_json(map, body)
    } else if essence == "application/x-www-form-urlencoded" {
        add_form(map, body);
        Ok(())
    } else {
        Err(GraphError::invalid_request(
            "the body must be application/json, application/x-www-form-urlencoded or multipart/form-data",
        ))
    }
}

fn add_json(map: &mut Map<String, Value>, body: &[u8]) -> Result<(), GraphError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(object)) => {
            map.extend(object);
            Ok(())
        }
        Ok(_) => Err(GraphError::invalid_request("the JSON body must be an object")),
        // Line and column, but not serde's text: it may quote the body.
        Err(error) => Err(GraphError::invalid_request(format!(
            "the body is not valid JSON at line {}, column {}",
            error.line(),
            error.column()
        ))),
    }
}

async fn read_multipart(
    map: &mut Map<String, Value>,
    content_type: &str,
    body: Body,
    limits: BodyLimits,
) -> Result<Vec<File>, GraphError> {
    let malformed = |error: multer::Error| GraphError::invalid_request(format!("the multipart body: {error}"));
    let boundary = multer::parse_boundary(content_type).map_err(malformed)?;
    // Names and heads of parts are read before any limit below applies.
    let files_bytes_max = limits.file_bytes_max.saturating_mul(limits.files_max);
    let bytes_max = files_bytes_max + limits.fields_bytes_max + MULTIPART_OVERHEAD_BYTES_MAX;
    let size = multer::SizeLimit::new().whole_stream(bytes_max as u64);
    let constraints = multer::Constraints::new().size_limit(size);
    let mut parts = multer::Multipart::with_constraints(body.into_data_stream(), boundary, constraints);
    let mut files = Vec::new();
    let mut fields_left = limits.fields_bytes_max;
    while let Some(mut part) = parts.next_field().await.map_err(malformed)? {
        let name = part.name().unwrap_or_default().to_owned();
        let file_name = part.file_name().map(str::to_owned);
        let mime = part.content_type().map(ToString::to_string);
        let is_file = file_name.is_some() || mime.as_deref().is_some_and(is_media);
        if is_file && files.len() == limits.files_max {
            let rule = match limits.files_max {
                0 => "is a file, and this call takes none".to_owned(),
                most => format!("is one file too many: this call takes {most}"),
            };
            return Err(GraphError::parameter_value(&name, rule));
        }
        let bytes_max = if is_file { limits.file_bytes_max } else { fields_left };
        let mut bytes = BytesMut::new();
        while let Some(chunk) = part.chunk().await.map_err(malformed)? {
            if bytes.len() + chunk.len() > bytes_max {
                return Err(if is_file {
                    GraphError::media_upload(format!("{name} must have at most {bytes_max} bytes"))
                } else {
                    too_large(limits.fields_bytes_max)
                });
            }
            bytes.extend_from_slice(&chunk);
        }
        let bytes = bytes.freeze();
        if is_file {
            files.push(File {
                name,
                file_name,
                mime,
                bytes,
            });
        } else {
            // The name counts too, or a body of empty fields would be unbounded.
            fields_left = fields_left
                .checked_sub(bytes.len() + name.len() + 1)
                .ok_or_else(|| too_large(limits.fields_bytes_max))?;
            let value = String::from_utf8(bytes.into())
                .map_err(|_| GraphError::parameter_value(&name, "must be UTF-8 text"))?;
            map.insert(name, Value::String(value));
        }
    }
    Ok(files)
}

/// A part without a file name is a field, except where its type says that it cannot be text.
fn is_media(mime: &str) -> bool {
    let mime = essence(mime);
    !mime.starts_with("text/") && mime != "application/json" && mime != "application/x-www-form-urlencoded"
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    const LIMITS: BodyLimits = BodyLimits {
        fields_bytes_max: 200,
        file_bytes_max: 20,
        files_max: 1,
    };

    async fn read(method: Method, uri: &str, content_type: &str, body: &str) -> Result<Params, GraphError> {
        let request = Request::builder().method(method).uri(uri);
        let request = request.header(header::CONTENT_TYPE, content_type);
        let body = Body::from(body.to_owned());
        Params::read(request.body(body).expect("a request"), LIMITS).await
    }

    fn code<T>(result: Result<T, GraphError>) -> u32 {
        result.err().expect("a refusal").code()
    }

    #[tokio::test]
    async fn a_json_body_wins_over_the_query() {
        let json = r#"{"to":"body","text":{"body":"halo"}}"#;
        let params = read(
            Method::POST,
            "/1/messages?to=query&access_token=t",
            "application/json",
            json,
        );
        let params = params.await.expect("read");
        assert_eq!(params.required("to"), Ok("body".into()));
        assert_eq!(params.required("access_token"), Ok("t".into()));
        let text = params.required_object("text").expect("there");
        assert_eq!(text.required("body"), Ok("halo".into()));
    }

    #[tokio::test]
    async fn a_form_is_decoded_and_its_values_may_be_json() {
        let form = "to=%2B49+151&text=%7B%22body%22%3A%22a%26b%22%7D";
        let params = read(
            Method::POST,
            "/1/messages",
            "application/x-www-form-urlencoded; charset=utf-8",
            form,
        );
        let params = params.await.expect("read");
        assert_eq!(params.required("to"), Ok("+49 151".into()));
        let text = params.required_object("text").expect("JSON");
        assert_eq!(text.required("body"), Ok("a&b".into()));
    }

    #[tokio::test]
    async fn delete_may_have_a_body_and_json_may_be_empty() {
        let params = read(Method::DELETE, "/1/x?a=1", "application/json", r#"{"b":[1]}"#)
            .await
            .expect("read");
        assert!(params.has("a") && params.has("b"));
        let params = read(Method::DELETE, "/1/x?a=1", "application/json", "")
            .await
            .expect("read");
        assert!(params.has("a"));
        let params = read(Method::POST, "/1/x", "application/x-www-form-urlencoded", r#"{"a":1}"#);
        assert_eq!(params.await.expect("read").u64("a"), Ok(Some(1)));
    }

    #[tokio::test]
    async fn malformed_bodies_are_code_100() {
        for (content_type, body) in [
            ("application/json", "{"),
            ("application/json", "[1]"),
            ("image/png", "x"),
            ("multipart/form-data", "x"),
            ("multipart/form-data; boundary=b", "--b\r\nno"),
            ("application/json", &format!("{{\"a\":\"{}\"}}", "x".repeat(300))),
        ] {
            let result = read(Method::POST, "/1/messages", content_type, body).await;
            assert_eq!(code(result), 100, "{content_type} {body}");
        }
    }

    fn multipart(parts: &[(&str, &str)]) -> String {
        let part =
            |(head, body): &(&str, &str)| format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n");
        parts.iter().map(part).collect::<String>() + "--b--\r\n"
    }

    const FILE: (&str, &str) = ("name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png", "bytes");
    const FIELD: (&str, &str) = ("name=\"messaging_product\"", "whatsapp");

    #[tokio::test]
    async fn a_file_may_come_before_or_after_the_fields() {
        for parts in [[FILE, FIELD], [FIELD, FILE]] {
            let body = multipart(&parts);
            let params = read(Method::POST, "/1/media", "multipart/form-data; boundary=b", &body);
            let params = params.await.expect("read");
            assert_eq!(params.required("messaging_product"), Ok("whatsapp".into()));
            let file = params.file("file").expect("a file");
            assert_eq!(
                (file.file_name.as_deref(), file.mime.as_deref()),
                (Some("a.png"), Some("image/png"))
            );
            assert_eq!(file.bytes.as_ref(), b"bytes");
        }
    }

    #[tokio::test]
    async fn every_part_is_bounded() {
        let large = (FILE.0, "123456789012345678901");
        let fields = vec![("name=\"a\"", ""); 200];
        let long = "x".repeat(250);
        for (parts, expected) in [
            (vec![FILE, FILE], 131_009),
            (vec![large], 131_053),
            (fields, 100),
            (vec![("name=\"a\"", long.as_str())], 100),
        ] {
            let body = multipart(&parts);
            let result = read(Method::POST, "/1/media", "multipart/form-data; boundary=b", &body).await;
            assert_eq!(code(result), expected);
        }
    }

    #[tokio::test]
    async fn a_missing_file_is_named() {
        let body = multipart(&[FIELD]);
        let params = read(Method::POST, "/1/media", "multipart/form-data; boundary=b", &body)
            .await
            .expect("read");
        assert_eq!(code(params.file("file")), 131_008);
    }
}
