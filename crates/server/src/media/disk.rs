//! Bytes in DATA/media: `partial/<id>` while they come, `<first two digits>/<id>` once they are whole. Where there is a bucket, they
//! stay there only until it has them.

use std::{
    collections::HashMap,
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    fs::{self, File, OpenOptions},
    io::AsyncWriteExt as _,
    sync::Notify,
};
use tokio_util::sync::CancellationToken;

use crate::error::StartError;

/// For a writer to put down what it has.
const TAKE_OVER_WAIT: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FileId(pub(super) [u8; 16]);

impl FileId {
    /// From the name of a file or an object.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let bytes = hex::decode(name).ok()?;
        // Written in one way only.
        let id: [u8; 16] = bytes.try_into().ok()?;
        (hex::encode(id) == name).then_some(Self(id))
    }
}

pub(super) struct Disk {
    root: PathBuf,
    writers: Arc<Writers>,
}

/// Uploads that somebody writes to, and how to tell him to stop: two writers would mix their bytes.
#[derive(Default)]
struct Writers {
    busy: Mutex<HashMap<FileId, CancellationToken>>,
    released: Notify,
}

/// The right to write to one upload, until it is dropped.
pub(super) struct Writer {
    file: FileId,
    writers: Arc<Writers>,
    /// Cancelled where somebody else wants to write: the same sender, most often, whose old connection has not ended yet.
    pub(super) stop: CancellationToken,
}

impl Drop for Writer {
    fn drop(&mut self) {
        let mut busy = self.writers.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.remove(&self.file);
        self.writers.released.notify_waiters();
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
            writers: Arc::default(),
        })
    }

    /// The newest writer takes over. `None` if the one before does not let go in time.
    pub(super) async fn writer(&self, file: FileId) -> Option<Writer> {
        let taking_over = async {
            loop {
                let released = self.writers.released.notified();
                tokio::pin!(released);
                // Before the look: a release in between is not missed.
                released.as_mut().enable();
                if let Some(writer) = self.try_writer(file) {
                    return writer;
                }
                released.await;
            }
        };
        tokio::time::timeout(TAKE_OVER_WAIT, taking_over).await.ok()
    }

    /// Where somebody writes, tells him to stop.
    fn try_writer(&self, file: FileId) -> Option<Writer> {
        let mut busy = self.writers.busy.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = busy.get(&file) {
            other.cancel();
            return None;
        }
        let stop = CancellationToken::new();
        busy.insert(file, stop.clone());
        Some(Writer {
            file,
            writers: Arc::clone(&self.writers),
            stop,
        })
    }

    /// Where a whole file is.
    fn path(&self, file: FileId) -> PathBuf {
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

    /// A whole file and its length, if it is here.
    pub(super) async fn open_whole(&self, file: FileId) -> io::Result<Option<(File, u64)>> {
        match File::open(self.path(file)).await {
            Ok(open) => {
                let length = open.metadata().await?.len();
                Ok(Some((open, length)))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Names and lengths of whole files whose id begins with this byte. What lies between them and is none has no name.
    pub(super) async fn list(&self, first: u8) -> io::Result<Vec<(Option<FileId>, u64)>> {
        list(&self.root.join(format!("{first:02x}"))).await
    }

    /// The same of uploads.
    pub(super) async fn list_partial(&self) -> io::Result<Vec<(Option<FileId>, u64)>> {
        list(&self.root.join("partial")).await
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

async fn list(directory: &Path) -> io::Result<Vec<(Option<FileId>, u64)>> {
    let mut entries = match fs::read_dir(directory).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry().await? {
        // It may go at any moment.
        if let Some(length) = length(&entry.path()).await? {
            found.push((entry.file_name().to_str().and_then(FileId::parse), length));
        }
    }
    Ok(found)
}

async fn length(path: &Path) -> io::Result<Option<u64>> {
    match fs::metadata(path).await {
        Ok(metadata) => Ok(Some(metadata.len())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
