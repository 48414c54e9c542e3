//! Compiles `proto/kabar/v1/*.proto` with protox: no protoc is needed.

use std::{error::Error, path::Path};

/// Content that scripts and screens see as it is: one shape from the wire to the thread.
const SHOWN: &[&str] = &[
    "Interactive",
    "ReplyButtons",
    "ReplyButton",
    "ReplyList",
    "ListSection",
    "ListRow",
    "CtaUrl",
    "FlowOffer",
    "OrderDetails",
    "OrderItem",
    "OrderUpdate",
    "InteractiveReply",
    "ButtonReply",
    "ListReply",
    "FlowReply",
    "Ticket",
    "Template",
    "TemplateButton",
    "File",
    "Event",
    "Poll",
    "Location",
    "Contacts",
    "Contact",
];
/// Those of which JSON may leave out what is empty, and which therefore may grow.
const SPARSE: &[&str] = &["File", "Event", "Poll", "Location", "Contacts", "Contact"];
/// Bytes among them: hex in JSON.
const HEX: &[&str] = &[
    "File.key",
    "File.sha256",
    "File.ciphertext_sha256",
    "File.preview",
    "File.waveform",
    "File.album",
    "Contact.account_id",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new("../../proto");
    println!("cargo:rerun-if-changed=../../proto");
    let files = [
        "socket",
        "session",
        "accounts",
        "business",
        "commerce",
        "messaging",
        "content",
        "media",
        "mls",
        "reports",
    ]
    .map(|name| format!("kabar/v1/{name}.proto"));
    let descriptors = protox::compile(files, [root])?;
    let mut config = prost_build::Config::new();
    config.bytes(["."]);
    for message in SHOWN {
        config.type_attribute(
            format!(".kabar.v1.{message}"),
            "#[derive(serde::Serialize, serde::Deserialize)] #[serde(rename_all = \"snake_case\")]",
        );
    }
    for message in SPARSE {
        config.type_attribute(format!(".kabar.v1.{message}"), "#[serde(default)]");
    }
    for field in HEX {
        config.field_attribute(format!(".kabar.v1.{field}"), "#[serde(with = \"crate::file::as_hex\")]");
    }
    config.compile_fds(descriptors)?;
    Ok(())
}
