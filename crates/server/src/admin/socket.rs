//! DATA/admin.sock: one line of JSON in, one line of JSON out. For the user who runs the server only.

use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{UnixListener, UnixStream},
};

use super::{AdminError, Extension, Request, run};
use crate::{app::App, error::StartError};

const NAME: &str = "admin.sock";
const REQUEST_BYTES_MAX: u64 = 64 * 1024;
const ANSWER_BYTES_MAX: u64 = 16 * 1024 * 1024;
const WAIT: Duration = Duration::from_secs(30);

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    Ok(Value),
    Error(AdminError),
}

/// Opens the socket and answers until the server stops. The caller holds DATA/lock, so an old socket is nobody's.
pub(crate) fn serve(app: &App, extension: Option<Extension>) -> Result<(), StartError> {
    let path = app.data().join(NAME);
    let refused = |cause| StartError::AdminSocket {
        path: path.clone(),
        cause,
    };
    let _ = fs::remove_file(&path);
    let listener = UnixListener::bind(&path).map_err(refused)?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).map_err(refused)?;
    // The file is ours, so its owner is the user that runs this server.
    let owner = fs::metadata(&path).map_err(refused)?.uid();
    app.tasks.spawn(accept(app.clone(), extension, listener, owner, path));
    Ok(())
}

async fn accept(app: App, extension: Option<Extension>, listener: UnixListener, owner: u32, path: PathBuf) {
    while let Some(accepted) = app.stop.run_until_cancelled(listener.accept()).await {
        let Ok((stream, _)) = accepted else { continue };
        let allowed = stream
            .peer_cred()
            .is_ok_and(|peer| peer.uid() == owner || peer.uid() == 0);
        if allowed {
            let (app, extension) = (app.clone(), extension.clone());
            app.tasks
                .clone()
                .spawn(async move { tokio::time::timeout(WAIT, answer(&app, extension.as_ref(), stream)).await });
        }
    }
    let _ = fs::remove_file(&path);
}

async fn answer(app: &App, extension: Option<&Extension>, mut stream: UnixStream) -> std::io::Result<()> {
    let mut line = String::new();
    BufReader::new((&mut stream).take(REQUEST_BYTES_MAX))
        .read_line(&mut line)
        .await?;
    let outcome = match serde_json::from_str::<Request>(&line) {
        Ok(Request::Server(command)) => run(app, command).await,
        Ok(Request::Extension(command)) => match extension {
            Some(extension) => extension(command).await,
            None => Err(AdminError::new(
                "parameter_invalid",
                "this server runs nothing that takes this command",
            )),
        },
        Err(error) => Err(AdminError::new("parameter_invalid", error.to_string())),
    };
    let answer = outcome.map_or_else(Answer::Error, Answer::Ok);
    let mut text = serde_json::to_string(&answer)?;
    text.push('\n');
    stream.write_all(text.as_bytes()).await
}

/// Asks the server that holds `data`.
pub(super) async fn ask(data: &Path, request: &Request) -> Result<Value, AdminError> {
    let unreachable = |error: std::io::Error| {
        let rule = format!("the server that holds {} does not answer: {error}", data.display());
        AdminError::new("unreachable", rule)
    };
    let exchange = async {
        let mut stream = UnixStream::connect(data.join(NAME)).await?;
        let mut text = serde_json::to_string(request)?;
        text.push('\n');
        stream.write_all(text.as_bytes()).await?;
        let mut line = String::new();
        BufReader::new(stream.take(ANSWER_BYTES_MAX))
            .read_line(&mut line)
            .await?;
        Ok(serde_json::from_str::<Answer>(&line)?)
    };
    let answer = tokio::time::timeout(WAIT, exchange)
        .await
        .map_err(|_| unreachable(std::io::ErrorKind::TimedOut.into()))?;
    match answer.map_err(unreachable)? {
        Answer::Ok(value) => Ok(value),
        Answer::Error(error) => Err(error),
    }
}
