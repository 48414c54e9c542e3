//! Files that a business has uploaded, sealed on disk, for thirty days.

use sha2::{Digest as _, Sha256};
use sqlx::Row as _;

use super::{Store, StoreError, apps::node_id, loaded, stored};

/// As long as the Cloud API keeps them.
const RETENTION_MS: i64 = 30 * 86_400_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    pub media_id: u64,
    pub mime_type: String,
    /// Hex.
    pub sha256: String,
    pub file_size: u64,
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
        let media_id = node_id();
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
        })
    }

    /// A file of this business; another's is as unknown as none.
    pub async fn media(&self, waba_id: u64, media_id: u64, now_ms: i64) -> Result<Option<Media>, StoreError> {
        let sql =
            "SELECT mime_type, sha256, file_size FROM media WHERE media_id = ? AND waba_id = ? AND expires_ms > ?";
        let row = sqlx::query(sql)
            .bind(stored(media_id))
            .bind(stored(waba_id))
            .bind(now_ms)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.map(|row| Media {
            media_id,
            mime_type: row.get(0),
            sha256: hex::encode(row.get::<&[u8], _>(1)),
            file_size: loaded(row.get(2)),
        }))
    }

    pub async fn media_bytes(&self, media_id: u64) -> Result<Vec<u8>, StoreError> {
        let sealed = tokio::fs::read(self.media_path(media_id)).await?;
        self.key.open_sealed(&sealed)
    }

    pub async fn delete_media(&self, media_id: u64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM media WHERE media_id = ?")
            .bind(stored(media_id))
            .execute(&self.pool)
            .await?;
        match tokio::fs::remove_file(self.media_path(media_id)).await {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Deletes what has expired, bytes and all.
    pub async fn forget_old_media(&self, now_ms: i64) -> Result<u64, StoreError> {
        let rows = sqlx::query("SELECT media_id FROM media WHERE expires_ms <= ? LIMIT 1000")
            .bind(now_ms)
            .fetch_all(&self.pool)
            .await?;
        for row in &rows {
            self.delete_media(loaded(row.get(0))).await?;
        }
        Ok(rows.len() as u64)
    }
}
