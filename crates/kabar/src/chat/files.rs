//! Files on the command line: sent from a path, saved into the home as they come in, or to a place of one's own.

use std::{
    io::{IsTerminal as _, Write as _},
    path::{Path, PathBuf},
    sync::Mutex,
};

use bytes::Bytes;
use clap::Args;
use kabar_client::{
    api::{ApiError, Change, Command, Reply, Shown},
    files::{self, FileFacts},
};
use kabar_protocol::{
    file::{ALBUM_BYTES, is_shown, safe_name},
    ids::MessageId,
    wire,
};
use serde_json::json;
use tokio::{fs, fs::File};

use super::{Session, messages::message_id, unexpected};
use crate::output::Failure;

/// Of a type that nobody knows.
const ANY_TYPE: &str = "application/octet-stream";
/// In a home: what came in, in a folder of each message, so that two of one name do not meet.
const FOLDER: &str = "files";

/// How a file is to be met with.
#[derive(Debug, Clone, Default)]
pub(super) struct Manner {
    pub(super) voice: bool,
    pub(super) view_once: bool,
    /// 16 bytes, the same for all that belong together; none for a file by itself.
    pub(super) album: Bytes,
}

/// Seals and uploads a file; what comes back goes into a message.
pub(super) async fn send(session: &Session, path: &Path, caption: String, manner: Manner) -> Result<Shown, Failure> {
    let refused = |why: String| Failure {
        parameter: Some("file".into()),
        ..Failure::new("invalid", format!("--file {}: {why}", path.display()))
    };
    let mut source = File::open(path).await.map_err(|error| refused(error.to_string()))?;
    let metadata = source.metadata().await.map_err(|error| refused(error.to_string()))?;
    if !metadata.is_file() {
        return Err(refused("is no file".into()));
    }
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mime_type = mime_type(path);
    // Before anything is uploaded.
    if manner.view_once && !is_shown(mime_type) {
        return Err(refused("--view-once is for a picture, film or sound".into()));
    }
    if manner.voice && !mime_type.starts_with("audio/") {
        return Err(refused("--voice is for a sound".into()));
    }
    let facts = FileFacts {
        name: safe_name(&name),
        mime_type: mime_type.to_owned(),
        size_bytes: metadata.len(),
        caption,
    };
    let progress = Meter::new(session, "sending");
    let file = files::upload(&session.client, facts, &mut source, &|done, all| {
        progress.show(done, all)
    })
    .await?;
    Ok(Shown::File(wire::File {
        voice: manner.voice,
        view_once: manner.view_once,
        album: manner.album,
        ..file
    }))
}

/// What the files of an album have in common.
pub(super) fn album(paths: &[PathBuf]) -> Result<Bytes, Failure> {
    let is_seen = |path: &PathBuf| {
        ["image/", "video/"]
            .iter()
            .any(|kind| mime_type(path).starts_with(kind))
    };
    if paths.len() < 2 || !paths.iter().all(is_seen) {
        let rule = "--album is for two or more pictures and films";
        return Err(Failure {
            parameter: Some("album".into()),
            ..Failure::new("invalid", rule)
        });
    }
    let mut album = [0; ALBUM_BYTES];
    rand::fill(&mut album);
    Ok(Bytes::copy_from_slice(&album))
}

fn mime_type(path: &Path) -> &'static str {
    mime_guess::from_path(path).first_raw().unwrap_or(ANY_TYPE)
}

/// Where a file of a message is, or would be.
pub(super) fn place(session: &Session, message: MessageId, file: &wire::File) -> PathBuf {
    let folder = message.to_string()[..16].to_owned();
    session.home.join(FOLDER).join(folder).join(safe_name(&file.name))
}

/// Fetches a file into the home, unless it is there.
pub(super) async fn keep(session: &Session, message: MessageId, file: &wire::File) -> Result<PathBuf, ApiError> {
    let path = place(session, message, file);
    if fs::try_exists(&path).await.unwrap_or(false) {
        return Ok(path);
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .await
            .map_err(|error| unwritable(folder, &error))?;
    }
    fetch(session, file, &path).await?;
    Ok(path)
}

/// Under another name until it is whole: half a file must not pass for one.
async fn fetch(session: &Session, file: &wire::File, path: &Path) -> Result<(), ApiError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let mut sink = File::create(&part).await.map_err(|error| unwritable(&part, &error))?;
    let progress = Meter::new(session, "fetching");
    let fetched = files::download(&session.client, file, &mut sink, &|done, all| progress.show(done, all)).await;
    let fetched = match fetched {
        Ok(()) => sink.sync_all().await.map_err(|error| unwritable(&part, &error)),
        Err(error) => Err(error),
    };
    if let Err(error) = fetched {
        // The reason is the transfer's; a part that stays behind is overwritten next time.
        let _ = fs::remove_file(&part).await;
        return Err(error);
    }
    fs::rename(&part, path).await.map_err(|error| unwritable(path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> ApiError {
    ApiError {
        code: "file_unwritable".into(),
        message: format!("{} cannot be written: {error}", path.display()),
        parameter: None,
        retry_after_ms: None,
    }
}

#[derive(Debug, Args)]
pub(crate) struct SaveFile {
    /// The message that the file came in
    #[arg(long, value_parser = message_id)]
    message: MessageId,
    /// Where to; without it, the home. A file that is there is not overwritten
    #[arg(long)]
    out: Option<PathBuf>,
}

impl SaveFile {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let message_id = self.message;
        let message = match session.ask(Command::GetMessage { message_id }).await? {
            Reply::Message(message) => message,
            other => return Err(unexpected(&other)),
        };
        let Some(Shown::File(file)) = &message.shown else {
            return Err(Failure::new("invalid", "this message holds no file"));
        };
        if file.view_once && file.location.is_empty() {
            let why = "what may be looked at once is gone: it was looked at, or sent from here";
            return Err(Failure::new("file_gone", why));
        }
        let path = match self.out {
            Some(path) if path.exists() => {
                return Err(Failure::new(
                    "file_exists",
                    format!("{} is there already", path.display()),
                ));
            }
            Some(path) => {
                fetch(session, file, &path).await?;
                path
            }
            None => keep(session, message_id, file).await?,
        };
        if file.view_once {
            // Its bytes are here: from now on nothing else is.
            let (change, wait) = (Change::Open, true);
            session
                .ask(Command::ChangeMessage {
                    message_id,
                    change,
                    wait,
                })
                .await?;
        }
        let value = json!({ "message_id": message_id, "path": path });
        session.output.answer(&value, || format!("saved {}", path.display()))
    }
}

/// One line for a person who waits; scripts see nothing of it.
struct Meter {
    label: Option<&'static str>,
    shown: Mutex<u64>,
}

impl Meter {
    fn new(session: &Session, label: &'static str) -> Self {
        let watched = !session.output.json && std::io::stderr().is_terminal();
        Self {
            label: watched.then_some(label),
            shown: Mutex::new(0),
        }
    }

    fn show(&self, done: u64, all: u64) {
        let percent = done * 100 / all.max(1);
        let (Some(label), Ok(mut shown)) = (self.label, self.shown.lock()) else {
            return;
        };
        if percent != *shown {
            *shown = percent;
            let end = if percent == 100 { "\n" } else { "" };
            // A terminal that went away is no reason to stop.
            let _ = write!(std::io::stderr(), "\r{label} {percent} %{end}");
        }
    }
}
