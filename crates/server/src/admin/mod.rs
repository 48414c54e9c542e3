//! The operator's commands: one handler each, reached over DATA/admin.sock while the server runs.
//!
//! If nobody holds DATA/lock, [`call`] opens the data itself and runs the same handler. No command shows content, but what a reader has
//! handed over in a report.

mod socket;

use std::{path::Path, sync::Arc};

use futures_util::future::BoxFuture;

use kabar_protocol::wire::KeysHeldBy;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use self::socket::serve;
use crate::{
    Config, Lock, accounts,
    app::App,
    billing, business,
    clock::Clock,
    commerce,
    error::{Failure, StartError},
    media, reports,
};

/// What the operator asks for; JSON on the admin socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// The pending code of a phone number.
    RegistrationCode {
        phone: String,
    },
    InviteCreate {
        uses: u32,
        expires_days: u32,
    },
    BusinessCreate {
        name: String,
    },
    BusinessShow {
        waba_id: u64,
    },
    /// `keys_at_business`: its gateway runs on its own machine, not inside this server.
    NumberAdd {
        waba_id: u64,
        phone: String,
        name: String,
        keys_at_business: bool,
    },
    /// `who`: +phone, @username or account id.
    UserShow {
        who: String,
    },
    /// `amount`: decimal, such as 100.00. With a key it counts once.
    WalletTopUp {
        waba_id: u64,
        amount: String,
        currency: String,
        key: Option<String>,
    },
    WalletShow {
        waba_id: u64,
    },
    /// `csv`: see docs/rate-cards; `effective`: a day such as 2026-10-01.
    RateCardImport {
        csv: String,
        effective: String,
    },
    /// The card in force, now or on a day.
    RateCardShow {
        at: Option<String>,
    },
    /// What people have reported, newest first: those that nobody has decided, or all.
    ReportList {
        all: bool,
    },
    ReportShow {
        report: String,
    },
    /// Decided; `note` says how.
    ReportClose {
        report: String,
        note: String,
    },
    /// Do the journal, the payments and the charges of messages agree?
    LedgerVerify,
    /// Do the rows of files and what is stored agree?
    MediaVerify,
}

#[derive(Debug, Clone, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct AdminError {
    pub code: String,
    pub message: String,
}

impl AdminError {
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }
}

impl From<Failure> for AdminError {
    fn from(failure: Failure) -> Self {
        Self::new(failure.reason, failure.message)
    }
}

impl From<StartError> for AdminError {
    fn from(error: StartError) -> Self {
        Self::new("start", error.to_string())
    }
}

/// Commands of what runs beside the server in its process, such as the gateway: the admin socket hands them over.
pub type Extension = Arc<dyn Fn(Value) -> BoxFuture<'static, Result<Value, AdminError>> + Send + Sync>;

/// One line on the admin socket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    Server(Command),
    Extension(Value),
}

/// An invite may be used this often, and be valid for so long.
const INVITE_USES_MAX: u32 = 100_000;
const INVITE_DAYS_MAX: u32 = 3_650;

/// Runs a command.
pub async fn run(app: &App, command: Command) -> Result<Value, AdminError> {
    match command {
        Command::RegistrationCode { phone } => match accounts::pending_code(app, &phone).await? {
            Some(code) => Ok(json!({ "code": code })),
            None => Err(AdminError::new("not_found", "no code is pending for this number")),
        },
        Command::InviteCreate { uses, expires_days } => {
            if !(1..=INVITE_USES_MAX).contains(&uses) {
                let rule = format!("uses must be 1 to {INVITE_USES_MAX}");
                return Err(AdminError::new("parameter_invalid", rule));
            }
            if !(1..=INVITE_DAYS_MAX).contains(&expires_days) {
                let rule = format!("expires-days must be 1 to {INVITE_DAYS_MAX}");
                return Err(AdminError::new("parameter_invalid", rule));
            }
            let code = accounts::create_invite(app, uses, expires_days).await?;
            Ok(json!({ "code": code, "uses": uses, "expires_days": expires_days }))
        }
        Command::BusinessCreate { name } => {
            let waba_id = business::create_business(app, &name).await?;
            Ok(json!({ "waba_id": waba_id.to_string() }))
        }
        Command::BusinessShow { waba_id } => match business::show_business(app, waba_id).await? {
            Some(business) => Ok(business),
            None => Err(AdminError::new("not_found", format!("there is no business {waba_id}"))),
        },
        Command::NumberAdd {
            waba_id,
            phone,
            name,
            keys_at_business,
        } => {
            let keys_held_by = if keys_at_business {
                KeysHeldBy::Business
            } else {
                KeysHeldBy::Operator
            };
            Ok(business::add_number(app, waba_id, &phone, &name, keys_held_by).await?)
        }
        Command::UserShow { who } => match accounts::show(app, &who).await? {
            Some(user) => Ok(user),
            None => Err(AdminError::new("not_found", "there is no such account")),
        },
        Command::WalletTopUp {
            waba_id,
            amount,
            currency,
            key,
        } => Ok(billing::top_up(app, waba_id, &amount, &currency, key).await?),
        Command::WalletShow { waba_id } => Ok(billing::show(app, waba_id).await?),
        Command::RateCardImport { csv, effective } => Ok(billing::import(app, &csv, &effective).await?),
        Command::RateCardShow { at } => Ok(billing::show_card(app, at.as_deref()).await?),
        Command::ReportList { all } => Ok(reports::list(app, all).await?),
        Command::ReportShow { report } => Ok(reports::show(app, &report).await?),
        Command::ReportClose { report, note } => Ok(reports::close(app, &report, &note).await?),
        Command::LedgerVerify => Ok(commerce::verify_ledger(app).await?),
        Command::MediaVerify => Ok(media::verify(app).await?),
    }
}

/// Runs a command on the server that holds `data`; if none does, on the data itself.
pub async fn call(data: &Path, command: Command) -> Result<Value, AdminError> {
    let mut config = Config::default();
    config.server.data = data.to_owned();
    call_with(config, command).await
}

/// As [`call`], with the configuration that a server on this data would have (it may name another database).
pub async fn call_with(config: Config, command: Command) -> Result<Value, AdminError> {
    let data = config.server.data.clone();
    if !data.is_dir() {
        let rule = format!("{} is no data directory", data.display());
        return Err(AdminError::new("data_directory", rule));
    }
    match Lock::take(&data) {
        Ok(_lock) => {
            let public_url = config.public_url();
            let app = App::open(config, public_url, Clock::system()).await?;
            let outcome = run(&app, command).await;
            app.stop.cancel();
            app.tasks.close();
            app.tasks.wait().await;
            app.db.close().await;
            outcome
        }
        Err(StartError::Locked { .. }) => socket::ask(&data, &Request::Server(command)).await,
        Err(error) => Err(error.into()),
    }
}

/// Hands a command to the extension of the server that runs on `data`; `None` if none runs there.
pub async fn call_extension(data: &Path, command: Value) -> Option<Result<Value, AdminError>> {
    match Lock::take(data) {
        Err(StartError::Locked { .. }) => Some(socket::ask(data, &Request::Extension(command)).await),
        Err(error) => Some(Err(error.into())),
        Ok(_lock) => None,
    }
}
