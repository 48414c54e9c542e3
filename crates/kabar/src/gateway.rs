//! `kabar gateway`: the Cloud API on the business's own machine. The keys are here and nowhere else.
//!
//! `enrol` takes what the operator's `number add --own-gateway` printed; `run` serves the API beside the business's programs.

use std::{
    fs::{File, TryLockError},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use axum::Router;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::{Args, Subcommand};
use kabar_gateway::{Gateway, Options, admin::Command};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    output::{Failure, Output},
    serve::stop_on_signal,
};

/// Enrolments begin so: whoever finds one knows what it is for.
const PREFIX: &str = "kabar-number:";

#[derive(Debug, Args)]
pub(crate) struct GatewayArgs {
    /// Directory of the gateway's keys, tokens and webhooks
    #[arg(long, global = true, default_value = "kabar-gateway")]
    data: PathBuf,
    #[command(subcommand)]
    command: GatewayCommand,
}

#[derive(Debug, Subcommand)]
enum GatewayCommand {
    /// Take a number over: makes an app with a token, shown once
    Enrol {
        /// What `kabar admin number add --own-gateway` printed
        enrolment: String,
    },
    /// Serve the Cloud API for the numbers that were enrolled
    Run {
        #[arg(long, default_value = "127.0.0.1:8090")]
        listen: SocketAddr,
        /// How the business's programs reach this gateway [default: http://LISTEN]
        #[arg(long)]
        public_url: Option<String>,
    },
}

/// A number on its way from the operator to the business's own gateway. Whoever has it first has the number.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Enrolment {
    /// Of the messenger server.
    pub(crate) server: String,
    pub(crate) waba_id: u64,
    pub(crate) phone_number_id: u64,
    pub(crate) phone: String,
    pub(crate) name: String,
    pub(crate) code: String,
}

impl Enrolment {
    /// One word, to be copied.
    pub(crate) fn to_word(&self) -> Result<String, Failure> {
        let json = serde_json::to_vec(self).map_err(|error| Failure::new("internal", error.to_string()))?;
        Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(json)))
    }

    fn of_word(word: &str) -> Result<Self, Failure> {
        let bad = || {
            Failure::new(
                "invalid",
                format!("the enrolment must begin with {PREFIX} and be complete"),
            )
        };
        let bytes = URL_SAFE_NO_PAD
            .decode(word.trim().strip_prefix(PREFIX).ok_or_else(bad)?)
            .map_err(|_| bad())?;
        serde_json::from_slice(&bytes).map_err(|_| bad())
    }
}

pub(crate) async fn run(args: GatewayArgs, output: Output) -> Result<(), Failure> {
    let _lock = lock(&args.data)?;
    match args.command {
        GatewayCommand::Enrol { enrolment } => {
            let enrolment = Enrolment::of_word(&enrolment)?;
            let answer = enrol(&args.data, enrolment).await?;
            output.answer(&answer, || {
                let lines = answer.as_object().into_iter().flatten();
                let lines = lines.map(|(key, value)| format!("{key}: {}", value.as_str().unwrap_or_default()));
                lines.collect::<Vec<_>>().join("\n")
            })
        }
        GatewayCommand::Run { listen, public_url } => serve(&args.data, listen, public_url).await,
    }
}

/// One process at a time: two would use the same ratchets.
fn lock(data: &Path) -> Result<File, Failure> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(data.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let rule = format!("{} is in use by another gateway; stop it first", data.display());
            Err(Failure::new("locked", rule))
        }
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn server_file(data: &Path) -> PathBuf {
    data.join("server")
}

async fn open(data: &Path, public_url: String) -> Result<Gateway, Failure> {
    let server = std::fs::read_to_string(server_file(data)).map_err(|_| {
        Failure::new(
            "no_number",
            "this gateway has no number yet: run `kabar gateway enrol` first",
        )
    })?;
    let options = Options {
        directory: data.to_owned(),
        public_url,
        server: server.trim().to_owned(),
        dial: None,
        // It runs where the business's programs run: its own machine's addresses are the ones that it is for.
        allow_private: true,
    };
    Ok(Gateway::open(options).await?)
}

async fn enrol(data: &Path, enrolment: Enrolment) -> Result<Value, Failure> {
    if let Ok(known) = std::fs::read_to_string(server_file(data))
        && known.trim() != enrolment.server
    {
        let rule = format!(
            "this gateway belongs to {}; use another --data for another server",
            known.trim()
        );
        return Err(Failure::new("other_server", rule));
    }
    std::fs::write(server_file(data), &enrolment.server)?;
    let gateway = open(data, String::new()).await?;
    let waba_id = enrolment.waba_id;
    let add = Command::NumberAdd {
        waba_id,
        phone_number_id: enrolment.phone_number_id,
        phone: enrolment.phone,
        name: enrolment.name,
        enrolment_code: enrolment.code,
    };
    gateway.admin(add).await?;
    let mut answer = gateway.admin(Command::AppCreate { waba_id }).await?;
    let app_id = answer["app_id"].as_str().and_then(|id| id.parse().ok());
    let app_id = app_id.ok_or_else(|| Failure::new("internal", "the app has no id"))?;
    let token = gateway.admin(Command::TokenCreate { app_id }).await?;
    answer["access_token"] = token["access_token"].clone();
    answer["waba_id"] = json!(waba_id.to_string());
    answer["phone_number_id"] = json!(enrolment.phone_number_id.to_string());
    gateway.shutdown().await;
    Ok(answer)
}

async fn serve(data: &Path, listen: SocketAddr, public_url: Option<String>) -> Result<(), Failure> {
    let stop = stop_on_signal()?;
    let listener = tokio::net::TcpListener::bind(listen).await;
    let listener = listener.map_err(|error| Failure::new("start", format!("cannot listen on {listen}: {error}")))?;
    let address = listener.local_addr()?;
    let gateway = open(data, public_url.unwrap_or_else(|| format!("http://{address}"))).await?;
    gateway.start().await?;
    crate::serve::say(&format!("listening on http://{address}\n"));
    let router: Router = gateway.router();
    let served = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    served.await?;
    gateway.shutdown().await;
    Ok(())
}
