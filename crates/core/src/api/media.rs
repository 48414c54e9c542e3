//! Files on their way.

use serde::{Deserialize, Serialize};

use super::TimeMs;

/// Room for one file at the server. `PATCH /v1/media/upload/<upload>` takes its ciphertext; see `proto/kabar/v1/media.proto`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// Lets its holder write.
    pub upload: String,
    /// Lets its holder read: it goes into the message.
    pub location: String,
    /// What this file alone is to be sealed with: 32 bytes, hex.
    pub key: String,
    pub upload_until: TimeMs,
    pub expires_at: TimeMs,
}

/// Without what opens the file.
impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upload")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
