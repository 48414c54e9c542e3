//! Files: room for one at the server, and how its bytes are sealed. The bytes themselves pass by core; a shell moves them.

mod file;

use kabar_protocol::{
    file::Layout,
    limits::FILE_BYTES_MAX,
    wire::{self, client_frame::Body, server_frame},
};

pub use self::file::{FileError, FileHashes, FileOpener, FileSealer};
use crate::{
    api::{ApiError, Reply, Upload},
    commands::{invalid, refusal},
    connection::{Answer, Purpose},
    state::State,
};

impl State {
    /// Asks for room for the ciphertext of a file of `size_bytes`.
    pub(crate) fn begin_upload(&mut self, command_id: u64, size_bytes: u64) -> Result<(), ApiError> {
        let Some(layout) = Layout::of(size_bytes) else {
            let rule = format!("a file must have 1 to {FILE_BYTES_MAX} bytes, this one has {size_bytes}");
            return Err(invalid("size_bytes", &rule));
        };
        let begin = wire::BeginUpload {
            size_bytes: layout.ciphertext_bytes(),
        };
        self.request(Purpose::Upload(command_id), Body::BeginUpload(begin));
        Ok(())
    }

    /// Room, and with it the key that this file and no other is sealed with.
    pub(crate) fn upload_begun(&mut self, command_id: u64, answer: &Answer) {
        let result = match answer {
            Ok(server_frame::Body::UploadBegun(begun)) => Ok(Reply::Upload(Upload {
                upload: begun.upload.clone(),
                location: begun.location.clone(),
                key: hex::encode(self.engine.random::<32>()),
                upload_until: begun.upload_until_ms,
                expires_at: begun.expires_ms,
            })),
            Ok(_) => Err(refusal("bad_answer", "the server's answer is to another question")),
            Err(failure) => Err(failure.error.clone()),
        };
        self.reply(command_id, result);
    }
}
