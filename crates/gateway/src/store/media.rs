//! Files of a business, for thirty days: what it has uploaded, sealed on disk; and what people have sent to it, of which only the key and
//! the address at the server are here, sealed as well.

use kabar_protocol::{ids::MessageId, wire};
use sha2::{Digest as _, Sha256};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{Store, StoreError, apps, loaded, stored};

/// As long as the Cloud API keeps them.
const RETENTION_MS: i64 = 30 * 86_400_000;
/// Looked at in one round of retention.
const EXPIRED_PER_ROUND: u32 = 1000;

#[derive(Debug, Clone, PartialEq)]
pub struct Media {
    pub media_id: u64,
    pub mime_type: String,
    /// Hex.
    pub sha256: String,
    pub file_size: u64,
    pub source: MediaSource,
}

#[derive(Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "one at a time, for the length of a call")]
pub enum MediaSource {
    Uploaded,
    /// To be fetched by the client of this number.
    FromPerson {
        phone_number_id: u64,
        file: wire::File,
    },
}

impl Store {
    fn media_path(&self, media_id: u64) -> std::path::PathBuf {
        self.directory.join("media").join(media_id.to_string())
    }

    pub async fn put_media(
        &self,
        waba_id: u64,
        mime_type: &str,
        bytes: &[u8],
        now_ms: i64,
    ) -> Result<Media, StoreError> {
        let media_id = apps::node_id();
        let digest = Sha256::digest(bytes);
        tokio::fs::write(self.media_path(media_id), self.key.seal(bytes)?).await?;
        let sql =
            "INSERT INTO media (media_id, waba_id, mime_type, sha256, file_size, expires_ms) VALUES (?, ?, ?, ?, ?, ?)";
        sqlx::query(sql)
            .bind(stored(media_id))
            .bind(stored(waba_id))
            .bind(mime_type)
            .bind(digest.as_slice())
            .bind(stored(bytes.len() as u64))
            .bind(now_ms + RETENTION_MS)
            .execute(&self.pool)
            .await?;
        Ok(Media {
            media_id,
            mime_type: mime_type.to_owned(),
            sha256: hex::encode(digest),
            file_size: bytes.len() as u64,
            source: MediaSource::Uploaded,
        })
    }

    /// A file that a person sent, under an id that is the same however often its message is looked at.
    pub async fn keep_persons_file(
        &self,
        waba_id: u64,
        phone_number_id: u64,
        message: MessageId,
        file: &wire::File,
        now_ms: i64,
    ) -> Result<u64, StoreError> {
        let name = self.key.name(&[b"media", message.as_slice()]);
        let media_id = apps::node_id_of(name);
        let text = serde_json::to_vec(file).map_err(std::io::Error::other)?;
        let sql = "INSERT OR IGNORE INTO persons_file (media_id, waba_id, phone_number_id, file, expires_ms) \
                   VALUES (?, ?, ?, ?, ?)";
        sqlx::query(sql)
            .bind(stored(media_id))
            .bind(stored(waba_id))
            .bind(stored(phone_number_id))
            .bind(self.key.seal(&text)?)
            .bind(now_ms + RETENTION_MS)
            .execute(&self.pool)
            .await?;
        Ok(media_id)
    }

    /// A file of this business; another's is as unknown as none.
    pub async fn media(&self, waba_id: u64, media_id: u64, now_ms: i64) -> Result<Option<Media>, StoreError> {
        let sql =
            "SELECT mime_type, sha256, file_size FROM media WHERE media_id = ? AND waba_id = ? AND expires_ms > ?";
        let Some(row) = self.kept(sql, waba_id, media_id, now_ms).await? else {
            return self.persons_file(waba_id, media_id, now_ms).await;
        };
        Ok(Some(Media {
            media_id,
            mime_type: row.get(0),
            sha256: hex::encode(row.get::<&[u8], _>(1)),
            file_size: loaded(row.get(2)),
            source: MediaSource::Uploaded,
        }))
    }

    /// The row of a file that this business has, and that has not expired.
    async fn kept(
        &self,
        sql: &'static str,
        waba_id: u64,
        media_id: u64,
        now_ms: i64,
    ) -> Result<Option<SqliteRow>, StoreError> {
        let row = sqlx::query(sql)
            .bind(stored(media_id))
            .bind(stored(waba_id))
            .bind(now_ms)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row)
    }

    async fn persons_file(&self, waba_id: u64, media_id: u64, now_ms: i64) -> Result<Option<Media>, StoreError> {
        let sql =
            "SELECT phone_number_id, file FROM persons_file WHERE media_id = ? AND waba_id = ? AND expires_ms > ?";
        let Some(row) = self.kept(sql, waba_id, media_id, now_ms).await? else {
            return Ok(None);
        };
        let text = self.key.open_sealed(row.get(1))?;
        let file: wire::File = serde_json::from_slice(&text).map_err(|_| StoreError::Sealed)?;
        Ok(Some(Media {
            media_id,
            mime_type: file.mime_type.clone(),
            sha256: hex::encode(&file.sha256),
            file_size: file.size_bytes,
            source: MediaSource::FromPerson {
                phone_number_id: loaded(row.get(0)),
                file,
            },
        }))
    }

    pub async fn media_bytes(&self, media_id: u64) -> Result<Vec<u8>, StoreError> {
        let sealed = tokio::fs::read(self.media_path(media_id)).await?;
        self.key.open_sealed(&sealed)
    }

    /// Of an upload, the bytes too; a person's file is the person's, and only forgotten here.
    pub async fn delete_media(&self, media_id: u64) -> Result<(), StoreError> {
        for sql in [
            "DELETE FROM media WHERE media_id = ?",
            "DELETE FROM persons_file WHERE media_id = ?",
        ] {
            sqlx::query(sql).bind(stored(media_id)).execute(&self.pool).await?;
        }
        match tokio::fs::remove_file(self.media_path(media_id)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Deletes what has expired, bytes and all.
    pub async fn forget_old_media(&self, now_ms: i64) -> Result<u64, StoreError> {
        let sql = "SELECT media_id FROM media WHERE expires_ms <= ? \
                   UNION ALL SELECT media_id FROM persons_file WHERE expires_ms <= ? LIMIT ? + 0";
        let rows = sqlx::query(sql)
            .bind(now_ms)
            .bind(now_ms)
            .bind(EXPIRED_PER_ROUND)
            .fetch_all(&self.pool)
            .await?;
        for row in &rows {
            self.delete_media(loaded(row.get(0))).await?;
        }
        Ok(rows.len() as u64)
    }
}
