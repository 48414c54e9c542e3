//! Bytes in DATA/media: `partial/<id>` while they come, `<first two digits>/<id>` once they are whole.

use std::{
    collections::HashSet,
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    fs::{self, File, OpenOptions},
    io::AsyncWriteExt as _,
};

use crate::error::StartError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FileId(pub(super) [u8; 16]);

pub(super) struct Disk {
    root: PathBuf,
    /// Uploads that somebody writes to: two writers would mix their bytes.
    busy: Arc<Mutex<HashSet<FileId>>>,
}

/// The right to write to one upload, until it is dropped.
pub(super) struct Writer {
    file: FileId,
    busy: Arc<Mutex<HashSet<FileId>>>,
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.busy
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.file);
    }
}

impl Disk {
    pub(super) fn open(data: &Path) -> Result<Self, StartError> {
        let root = data.join("media");
        let made = std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(root.join("partial"));
        made.map_err(|cause| StartError::DataDirectory {
            path: root.clone(),
            cause,
        })?;
        Ok(Self {
            root,
            busy: Arc::default(),
        })
    }

    /// `None` while somebody else writes.
    pub(super) fn writer(&self, file: FileId) -> Option<Writer> {
        let fresh = self.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(file);
        fresh.then(|| Writer {
            file,
            busy: Arc::clone(&self.busy),
        })
    }

    /// Where a whole file is.
    pub(super) fn path(&self, file: FileId) -> PathBuf {
        let name = hex::encode(file.0);
        self.root.join(&name[..2]).join(name)
    }

    fn partial(&self, file: FileId) -> PathBuf {
        self.root.join("partial").join(hex::encode(file.0))
    }

    /// How many bytes have come, and whether they are put away as whole.
    pub(super) async fn come(&self, file: FileId) -> io::Result<(u64, bool)> {
        if let Some(length) = length(&self.path(file)).await? {
            return Ok((length, true));
        }
        Ok((length(&self.partial(file)).await?.unwrap_or(0), false))
    }

    /// Opens an upload at its end.
    pub(super) async fn append(&self, writer: &Writer) -> io::Result<File> {
        let path = self.partial(writer.file);
        OpenOptions::new().create(true).append(true).open(path).await
    }

    /// Puts all bytes away under their name. Durable when it returns.
    pub(super) async fn finish(&self, writer: &Writer, mut file: File) -> io::Result<()> {
        file.flush().await?;
        file.sync_all().await?;
        let path = self.path(writer.file);
        let directory = path.parent().unwrap_or(&self.root).to_owned();
        fs::create_dir_all(&directory).await?;
        fs::rename(self.partial(writer.file), &path).await?;
        File::open(&directory).await?.sync_all().await?;
        File::open(&self.root).await?.sync_all().await
    }

    /// Deletes whatever there is of a file.
    pub(super) async fn delete(&self, file: FileId) -> io::Result<()> {
        for path in [self.partial(file), self.path(file)] {
            match fs::remove_file(path).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

async fn length(path: &Path) -> io::Result<Option<u64>> {
    match fs::metadata(path).await {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
