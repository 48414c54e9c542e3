//! `kabar admin`: the operator's commands, answered by the running server or, without one, on its data directly.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kabar_server::{Config, admin, config};
use serde_json::Value;

use crate::output::{Failure, Output};

#[derive(Debug, Args)]
pub(crate) struct AdminArgs {
    /// Data directory of the server [default: ./kabar-data]
    #[arg(long, global = true)]
    data: Option<PathBuf>,
    /// The server's TOML file, where it has one
    #[arg(long, global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: AdminCommand,
}

#[derive(Debug, Subcommand)]
enum AdminCommand {
    /// Show the pending code of a phone number
    RegistrationCode {
        /// Such as +6281234567890
        phone: String,
    },
    /// Invitation codes, for servers that ask for one
    #[command(subcommand)]
    Invite(InviteCommand),
    /// People, without content
    #[command(subcommand)]
    User(UserCommand),
    /// The configuration
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Debug, Subcommand)]
enum InviteCommand {
    /// Make a code
    Create {
        /// How many people may use it
        #[arg(long, default_value_t = 1)]
        uses: u32,
        #[arg(long, default_value_t = 30)]
        expires_days: u32,
    },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Show what the server knows of an account
    Show {
        /// +phone, @username or account id
        who: String,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print every key with its default and its meaning
    Example,
}

pub(crate) async fn run(args: AdminArgs, output: Output) -> Result<(), Failure> {
    let command = match args.command {
        AdminCommand::Config(ConfigCommand::Example) => {
            let example = config::example();
            return output.answer(&serde_json::json!({"example": example}), || example.clone());
        }
        AdminCommand::RegistrationCode { phone } => admin::Command::RegistrationCode { phone },
        AdminCommand::Invite(InviteCommand::Create { uses, expires_days }) => {
            admin::Command::InviteCreate { uses, expires_days }
        }
        AdminCommand::User(UserCommand::Show { who }) => admin::Command::UserShow { who },
    };
    let mut overrides = toml::Table::new();
    if let Some(data) = &args.data {
        let data = toml::Table::from_iter([("data".to_owned(), data.to_string_lossy().into_owned().into())]);
        overrides.insert("server".to_owned(), data.into());
    }
    let config = Config::load(args.config.as_deref(), overrides)?;
    let answer = admin::call_with(config, command).await?;
    output.answer(&answer, || for_people(&answer))
}

/// `key: value` lines.
fn for_people(answer: &Value) -> String {
    let Value::Object(fields) = answer else {
        return answer.to_string();
    };
    let line = |(key, value): (&String, &Value)| match value {
        Value::String(text) => format!("{key}: {text}"),
        other => format!("{key}: {other}"),
    };
    fields.iter().map(line).collect::<Vec<_>>().join("\n")
}
