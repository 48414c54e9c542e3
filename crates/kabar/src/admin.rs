//! `kabar admin`: the operator's commands, answered by the running server or, without one, on its data directly.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kabar_gateway::admin as gateway;
use kabar_server::{Config, admin, config};
use serde_json::Value;

use crate::{
    gateway::Enrolment,
    hosted,
    output::{Failure, Output},
};

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
    /// Companies
    #[command(subcommand)]
    Business(BusinessCommand),
    /// Numbers of companies
    #[command(subcommand)]
    Number(NumberCommand),
    /// Access tokens of the Cloud API
    #[command(subcommand)]
    Token(TokenCommand),
    /// Where an app's webhooks go
    #[command(subcommand)]
    Webhook(WebhookCommand),
    /// What a business has paid in
    #[command(subcommand)]
    Wallet(WalletCommand),
    /// What business messages cost
    #[command(subcommand)]
    RateCard(RateCardCommand),
    /// The journal of all money
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// What people have reported
    #[command(subcommand)]
    Reports(ReportsCommand),
    /// Files that people send
    #[command(subcommand)]
    Media(MediaCommand),
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
enum BusinessCommand {
    /// Make a business with its first app: prints the secret that signs its webhooks, once
    Create {
        #[arg(long)]
        name: String,
    },
    /// Show a business and its numbers
    Show {
        #[arg(long)]
        waba: u64,
    },
}

#[derive(Debug, Subcommand)]
enum NumberCommand {
    /// Give a business a number; this server's gateway speaks for it
    Add {
        #[arg(long)]
        waba: u64,
        /// Such as +622150001000
        #[arg(long)]
        phone: String,
        /// What people see
        #[arg(long)]
        name: String,
        /// The business runs `kabar gateway` on its own machine: prints what it enrols with
        #[arg(long)]
        own_gateway: bool,
        /// How that gateway reaches this server [default: the configured public URL]
        #[arg(long, requires = "own_gateway")]
        server: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Make an access token; it is shown once
    Create {
        #[arg(long)]
        app: u64,
    },
}

#[derive(Debug, Subcommand)]
enum WebhookCommand {
    /// Send an app's webhooks to an address, once it has answered the challenge
    Set {
        #[arg(long)]
        app: u64,
        #[arg(long)]
        url: String,
        #[arg(long)]
        verify_token: String,
    },
}

#[derive(Debug, Subcommand)]
enum WalletCommand {
    /// Add to a wallet what the business has paid
    Topup {
        #[arg(long)]
        waba: u64,
        /// Such as 100.00
        #[arg(long)]
        amount: String,
        /// Such as USD; a wallet keeps its first
        #[arg(long)]
        currency: String,
        /// Counts once per key, such as the number of the bank transfer
        #[arg(long)]
        key: Option<String>,
    },
    /// Show the balance, and what is reserved for messages on their way
    Show {
        #[arg(long)]
        waba: u64,
    },
}

#[derive(Debug, Subcommand)]
enum RateCardCommand {
    /// Add a card that is in force from a day on; docs/rate-cards has examples
    Import {
        /// CSV: category,country,currency,price_minor,free_per_month
        file: PathBuf,
        /// Such as 2026-10-01 (UTC)
        #[arg(long)]
        effective: String,
    },
    /// Show the card in force; without any, everything is free
    Show {
        /// On this day rather than now
        #[arg(long)]
        at: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum LedgerCommand {
    /// Check that every transaction adds up to zero, and that payments, messages' receipts and journal agree
    Verify,
}

#[derive(Debug, Subcommand)]
enum ReportsCommand {
    /// List those that nobody has decided, newest first
    List {
        /// The others, too
        #[arg(long)]
        all: bool,
    },
    /// Show one with the words that were handed over
    Show { report: String },
    /// Say that it is decided, and how
    Close {
        report: String,
        #[arg(long, default_value = "")]
        note: String,
    },
}

#[derive(Debug, Subcommand)]
enum MediaCommand {
    /// Check that every file is stored, on the disk or in the bucket, and that nothing else is
    Verify,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print every key with its default and its meaning
    Example,
}

pub(crate) async fn run(args: AdminArgs, output: Output) -> Result<(), Failure> {
    if let AdminCommand::Config(ConfigCommand::Example) = args.command {
        let example = config::example();
        return output.answer(&serde_json::json!({"example": example}), || example.clone());
    }
    let mut overrides = toml::Table::new();
    if let Some(data) = &args.data {
        let data = toml::Table::from_iter([("data".to_owned(), data.to_string_lossy().into_owned().into())]);
        overrides.insert("server".to_owned(), data.into());
    }
    let config = Config::load(args.config.as_deref(), overrides)?;
    let answer = carry_out(&config, args.command).await?;
    output.answer(&answer, || for_people(&answer))?;
    // A check that failed is an answer, and a failure for scripts.
    match answer.get("ok") {
        Some(Value::Bool(false)) => Err(Failure::new(
            "not_ok",
            "the check failed: its answer says what is wrong",
        )),
        _ => Ok(()),
    }
}

/// Commands of the server, of the gateway, and those that are of both.
async fn carry_out(config: &Config, command: AdminCommand) -> Result<Value, Failure> {
    let server = |command| admin::call_with(config.clone(), command);
    Ok(match command {
        AdminCommand::Config(ConfigCommand::Example) => Value::Null,
        AdminCommand::RegistrationCode { phone } => server(admin::Command::RegistrationCode { phone }).await?,
        AdminCommand::Invite(InviteCommand::Create { uses, expires_days }) => {
            server(admin::Command::InviteCreate { uses, expires_days }).await?
        }
        AdminCommand::User(UserCommand::Show { who }) => server(admin::Command::UserShow { who }).await?,
        AdminCommand::Business(BusinessCommand::Show { waba }) => {
            server(admin::Command::BusinessShow { waba_id: waba }).await?
        }
        AdminCommand::Business(BusinessCommand::Create { name }) => {
            let business = server(admin::Command::BusinessCreate { name }).await?;
            let waba_id = decimal(&business, "waba_id")?;
            merged(
                business,
                hosted::call(config, gateway::Command::AppCreate { waba_id }).await?,
            )
        }
        AdminCommand::Number(add) => add_number(config, add).await?,
        AdminCommand::Wallet(command) => server(wallet(command)).await?,
        AdminCommand::RateCard(command) => server(rate_card(command)?).await?,
        AdminCommand::Reports(command) => {
            let command = match command {
                ReportsCommand::List { all } => admin::Command::ReportList { all },
                ReportsCommand::Show { report } => admin::Command::ReportShow { report },
                ReportsCommand::Close { report, note } => admin::Command::ReportClose { report, note },
            };
            server(command).await?
        }
        AdminCommand::Ledger(LedgerCommand::Verify) => server(admin::Command::LedgerVerify).await?,
        AdminCommand::Media(MediaCommand::Verify) => server(admin::Command::MediaVerify).await?,
        AdminCommand::Token(TokenCommand::Create { app }) => {
            hosted::call(config, gateway::Command::TokenCreate { app_id: app }).await?
        }
        AdminCommand::Webhook(WebhookCommand::Set { app, url, verify_token }) => {
            let set = gateway::Command::WebhookSet {
                app_id: app,
                url,
                verify_token,
            };
            hosted::call(config, set).await?
        }
    })
}

fn rate_card(command: RateCardCommand) -> Result<admin::Command, Failure> {
    Ok(match command {
        RateCardCommand::Import { file, effective } => {
            let csv = std::fs::read_to_string(&file)
                .map_err(|error| Failure::new("file", format!("{} cannot be read: {error}", file.display())))?;
            admin::Command::RateCardImport { csv, effective }
        }
        RateCardCommand::Show { at } => admin::Command::RateCardShow { at },
    })
}

fn wallet(command: WalletCommand) -> admin::Command {
    match command {
        WalletCommand::Topup {
            waba,
            amount,
            currency,
            key,
        } => admin::Command::WalletTopUp {
            waba_id: waba,
            amount,
            currency,
            key,
        },
        WalletCommand::Show { waba } => admin::Command::WalletShow { waba_id: waba },
    }
}

/// The server makes the number; its own gateway enrols at once, or the business's later.
async fn add_number(config: &Config, command: NumberCommand) -> Result<Value, Failure> {
    let NumberCommand::Add {
        waba,
        phone,
        name,
        own_gateway,
        server,
    } = command;
    let add = admin::Command::NumberAdd {
        waba_id: waba,
        phone,
        name: name.clone(),
        keys_at_business: own_gateway,
    };
    let mut number = admin::call_with(config.clone(), add).await?;
    let (phone_number_id, phone) = (
        decimal(&number, "phone_number_id")?,
        text(&number, "display_phone_number")?,
    );
    let code = text(&number, "enrolment_code")?;
    if own_gateway {
        let enrolment = Enrolment {
            server: server.unwrap_or_else(|| config.public_url()),
            waba_id: waba,
            phone_number_id,
            phone,
            name,
            code,
        };
        number["enrolment"] = enrolment.to_word()?.into();
    } else {
        let enrol = gateway::Command::NumberAdd {
            waba_id: waba,
            phone_number_id,
            phone,
            name,
            enrolment_code: code,
        };
        hosted::call(config, enrol).await?;
    }
    if let Some(fields) = number.as_object_mut() {
        // Part of the enrolment, or used by now.
        fields.remove("enrolment_code");
    }
    Ok(number)
}

fn text(answer: &Value, name: &str) -> Result<String, Failure> {
    let text = answer.get(name).and_then(Value::as_str);
    text.map(str::to_owned)
        .ok_or_else(|| Failure::new("internal", format!("the server's answer has no {name}")))
}

fn decimal(answer: &Value, name: &str) -> Result<u64, Failure> {
    let number = text(answer, name)?.parse();
    number.map_err(|_| Failure::new("internal", format!("{name} in the server's answer is no number")))
}

fn merged(mut answer: Value, more: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (answer.as_object_mut(), more) {
        fields.extend(more);
    }
    answer
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
