//! A file of zeros that is given back when the disk is full, so that acknowledgements, which delete, go on.
//!
//! While the disk is full the server refuses what would add data; see `Failure::disk_full`.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

/// Deleting needs room in the write-ahead log: this is enough for some ten thousand acknowledgements.
const RESERVE_BYTES: usize = 8 * 1024 * 1024;

pub(crate) struct Reserve {
    path: PathBuf,
    disk_full: AtomicBool,
}

impl Reserve {
    /// Makes the file if there is none; a disk that is full already is noticed here.
    pub(super) fn new(data: &Path) -> Self {
        let reserve = Self {
            path: data.join("reserve"),
            disk_full: AtomicBool::new(false),
        };
        reserve.restore();
        reserve
    }

    pub(crate) fn disk_full(&self) -> bool {
        self.disk_full.load(Ordering::Relaxed)
    }

    /// Called where a commit failed for want of space.
    pub(super) fn release(&self) {
        if !self.disk_full.swap(true, Ordering::Relaxed) {
            tracing::error!("the disk is full: new messages are refused, reads and acknowledgements go on");
        }
        if let Err(error) = fs::remove_file(&self.path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the reserve file could not be removed");
        }
    }

    /// Takes the space again if there is enough; called at start and by a job.
    pub(crate) fn restore(&self) {
        let full = self.fill().is_err();
        if self.disk_full.swap(full, Ordering::Relaxed) && !full {
            tracing::info!("there is space on the disk again: messages are accepted");
        }
    }

    fn fill(&self) -> io::Result<()> {
        if fs::metadata(&self.path).is_ok_and(|file| file.len() == RESERVE_BYTES as u64) {
            return Ok(());
        }
        // Written, not set_len: a sparse file reserves nothing.
        fs::write(&self.path, vec![0; RESERVE_BYTES]).inspect_err(|_| {
            let _ = fs::remove_file(&self.path);
        })
    }
}
