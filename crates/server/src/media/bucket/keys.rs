//! The keys of the bucket: from a file or from the environment, never from the command line or the configuration, and never printed.

use std::{fs, path::Path};

use serde::Deserialize;

use crate::error::StartError;

const KEY_ID: &str = "AWS_ACCESS_KEY_ID";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";

/// No Debug: nothing that holds it can print it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    pub(super) access_key_id: String,
    pub(super) secret_access_key: String,
}

pub(super) fn read(file: Option<&Path>) -> Result<Keys, StartError> {
    let Some(path) = file else {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        return match (variable(KEY_ID), variable(SECRET)) {
            (Some(access_key_id), Some(secret_access_key)) => Ok(Keys {
                access_key_id,
                secret_access_key,
            }),
            _ => Err(StartError::Config(format!(
                "media.bucket: set {KEY_ID} and {SECRET} in the environment, or name a file in media.bucket_keys"
            ))),
        };
    };
    let text = fs::read_to_string(path).map_err(|error| {
        StartError::Config(format!("media.bucket_keys: {} cannot be read: {error}", path.display()))
    })?;
    // A parser's message would quote the line, and the key with it.
    toml::from_str(&text).map_err(|_| {
        let path = path.display();
        StartError::Config(format!(
            "media.bucket_keys: {path} must be TOML with access_key_id and secret_access_key"
        ))
    })
}
