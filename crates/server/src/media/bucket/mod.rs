//! A bucket of an S3-compatible store as the place of whole files: PREFIX/<first two digits>/<id>.
//!
//! Owns the names of objects, every wait on the bucket, and what its errors mean. Knows no rows, and never shows a key: not in an
//! error, not in a log.

mod http;
mod keys;

use std::{fmt, future::Future, ops::Range, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use object_store::{
    BackoffConfig, GetOptions, GetRange, ObjectStore as _, ObjectStoreExt as _, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    multipart::{MultipartStore as _, PartId},
    path::Path,
};

use super::disk::FileId;
use crate::{cache::Cache, config::MediaConfig, error::StartError};

/// A file larger than this goes up in parts of this size: so much of it is in memory.
pub(super) const PART_BYTES: usize = 8 * 1024 * 1024;
/// For a request without a body to speak of.
const REQUEST_WAIT: Duration = Duration::from_secs(15);
/// For one part to go up: an eighth of a megabyte a second.
const PART_WAIT: Duration = Duration::from_secs(60);
/// To put the parts together. The store may take its time over a large file.
const FINISH_WAIT: Duration = Duration::from_secs(120);
/// A request that fails is made again inside its wait; beyond, whoever asked decides.
const RETRIES_MAX: usize = 2;
/// Lengths of files that are remembered: they never change.
const SIZES_CACHED_MAX: usize = 65_536;

pub(crate) struct Bucket {
    store: AmazonS3,
    /// Empty, or with a slash at its end.
    prefix: String,
    /// As the operator wrote it.
    name: String,
    sizes: Cache<FileId, u64>,
}

/// Why the bucket did not do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BucketError {
    /// There is no such object.
    Missing,
    /// It will not, however often it is asked: keys, rights, or no such bucket.
    Refused(String),
    /// It cannot be reached, or has trouble of its own.
    Away(String),
}

impl fmt::Display for BucketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("the bucket has no such object"),
            Self::Refused(what) => write!(f, "the bucket refuses: {what}"),
            Self::Away(what) => write!(f, "the bucket cannot be reached: {what}"),
        }
    }
}

impl From<object_store::Error> for BucketError {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error;
        match &error {
            Error::NotFound { .. } if code(&error).as_deref() == Some("NoSuchBucket") => {
                Self::Refused("NoSuchBucket".into())
            }
            Error::NotFound { .. } => Self::Missing,
            Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => {
                Self::Refused(code(&error).unwrap_or_else(|| "it does not accept the keys".into()))
            }
            _ => Self::Away(code(&error).unwrap_or_else(|| "no answer, or none that makes sense".into())),
        }
    }
}

/// The store's own word for an error. The rest of its answer may name keys, and stays unread.
fn code(error: &object_store::Error) -> Option<String> {
    let text = error.to_string();
    let (_, rest) = text.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    code.bytes()
        .all(|byte| byte.is_ascii_alphanumeric())
        .then(|| code.to_owned())
}

/// No wait on the bucket is without an end.
async fn within<T>(wait: Duration, asked: impl Future<Output = object_store::Result<T>>) -> Result<T, BucketError> {
    match tokio::time::timeout(wait, asked).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(BucketError::Away(format!("no answer within {} s", wait.as_secs()))),
    }
}

impl Bucket {
    /// The bucket that `config` names; `None` where files stay on the disk. Asks nobody yet.
    pub(super) fn open(config: &MediaConfig) -> Result<Option<Self>, StartError> {
        if config.bucket.is_empty() {
            return Ok(None);
        }
        let refused = |rule: &str| StartError::Config(format!("media.bucket: {rule}"));
        let rest = config
            .bucket
            .strip_prefix("s3://")
            .ok_or_else(|| refused("must be s3://NAME or s3://NAME/PREFIX"))?;
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix =
            Path::parse(prefix.trim_matches('/')).map_err(|_| refused("its prefix must be words between slashes"))?;
        if name.is_empty() {
            return Err(refused("must be s3://NAME or s3://NAME/PREFIX"));
        }
        let keys = keys::read(config.bucket_keys.as_deref())?;
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_region(&config.bucket_region)
            .with_access_key_id(keys.access_key_id)
            .with_secret_access_key(keys.secret_access_key)
            // One object at a time: not every store that calls itself compatible knows how to delete several.
            .with_disable_bulk_delete(true)
            .with_retry(RetryConfig {
                backoff: BackoffConfig::default(),
                max_retries: RETRIES_MAX,
                retry_timeout: REQUEST_WAIT,
            })
            .with_http_connector(http::Connector);
        if !config.bucket_endpoint.is_empty() {
            let endpoint = config.bucket_endpoint.trim_end_matches('/');
            if !endpoint.starts_with("https://") && !endpoint.starts_with("http://") {
                let rule = "media.bucket_endpoint: must begin with https://, or http:// inside a network of your own";
                return Err(StartError::Config(rule.into()));
            }
            builder = builder
                .with_endpoint(endpoint)
                .with_allow_http(endpoint.starts_with("http://"));
        }
        let store = builder
            .build()
            .map_err(|_| refused("cannot be used as it is written"))?;
        Ok(Some(Self {
            store,
            prefix: if prefix.as_ref().is_empty() {
                String::new()
            } else {
                format!("{prefix}/")
            },
            name: config.bucket.clone(),
            sizes: Cache::new(SIZES_CACHED_MAX),
        }))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    fn path(&self, file: FileId) -> Path {
        let name = hex::encode(file.0);
        Path::from(format!("{}{}/{name}", self.prefix, &name[..2]))
    }

    /// Writes and deletes a small object: wrong keys are noticed at the start, not by the first person who sends a picture.
    pub(super) async fn try_out(&self) -> Result<(), BucketError> {
        let path = Path::from(format!("{}try-out", self.prefix));
        let body = Bytes::from_static(b"kabar");
        within(REQUEST_WAIT, self.store.put(&path, body.into())).await?;
        within(REQUEST_WAIT, self.store.delete(&path)).await
    }

    /// A file of one part.
    pub(super) async fn put(&self, file: FileId, bytes: Bytes) -> Result<(), BucketError> {
        within(PART_WAIT, self.store.put(&self.path(file), bytes.into())).await?;
        Ok(())
    }

    /// Begins an upload in parts; its name is what [`Self::abort`] takes.
    pub(super) async fn begin(&self, file: FileId) -> Result<String, BucketError> {
        within(REQUEST_WAIT, self.store.create_multipart(&self.path(file))).await
    }

    pub(super) async fn put_part(
        &self,
        file: FileId,
        upload: &String,
        number: usize,
        bytes: Bytes,
    ) -> Result<PartId, BucketError> {
        let path = self.path(file);
        within(PART_WAIT, self.store.put_part(&path, upload, number, bytes.into())).await
    }

    pub(super) async fn finish(&self, file: FileId, upload: &String, parts: Vec<PartId>) -> Result<(), BucketError> {
        let path = self.path(file);
        within(FINISH_WAIT, self.store.complete_multipart(&path, upload, parts)).await?;
        Ok(())
    }

    /// Drops the parts of an upload; one that is over already is no error.
    pub(super) async fn abort(&self, file: FileId, upload: &String) -> Result<(), BucketError> {
        let path = self.path(file);
        let aborted = within(REQUEST_WAIT, self.store.abort_multipart(&path, upload)).await;
        gone(aborted)
    }

    /// Deletes a file; one that is not there is no error.
    pub(super) async fn delete(&self, file: FileId) -> Result<(), BucketError> {
        self.sizes.remove(&file);
        let path = self.path(file);
        gone(within(REQUEST_WAIT, self.store.delete(&path)).await)
    }

    /// How long a file is. Remembered, so that a range costs one request.
    pub(super) async fn size(&self, file: FileId) -> Result<u64, BucketError> {
        if let Some(size) = self.sizes.get(&file) {
            return Ok(size);
        }
        let size = self.look(file).await?;
        self.sizes.insert(file, size);
        Ok(size)
    }

    /// The same, asked of the bucket.
    pub(super) async fn look(&self, file: FileId) -> Result<u64, BucketError> {
        let path = self.path(file);
        Ok(within(REQUEST_WAIT, self.store.head(&path)).await?.size)
    }

    /// Some bytes of a file, as they come.
    pub(super) async fn read(
        &self,
        file: FileId,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, std::io::Result<Bytes>>, BucketError> {
        let path = self.path(file);
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            ..GetOptions::default()
        };
        let found = within(REQUEST_WAIT, self.store.get_opts(&path, options)).await;
        if matches!(found, Err(BucketError::Missing)) {
            self.sizes.remove(&file);
        }
        let bytes = found?.into_stream();
        Ok(bytes
            .map_err(|error| std::io::Error::other(BucketError::from(error).to_string()))
            .boxed())
    }

    /// Names and lengths of all files whose id begins with this byte. What lies between them and is no file of ours has no name.
    pub(super) fn list(&self, first: u8) -> BoxStream<'static, Result<(Option<FileId>, u64), BucketError>> {
        let prefix = Path::from(format!("{}{first:02x}", self.prefix));
        let listed = self.store.list(Some(&prefix));
        let read = |meta: object_store::ObjectMeta| (meta.location.filename().and_then(FileId::parse), meta.size);
        listed.map(move |meta| Ok(read(meta?))).boxed()
    }
}

/// What is to go has gone.
fn gone(answer: Result<(), BucketError>) -> Result<(), BucketError> {
    match answer {
        Err(BucketError::Missing) => Ok(()),
        other => other,
    }
}
