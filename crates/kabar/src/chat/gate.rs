//! `ticket verify`: needs no network, and with an issuer's key no account either.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use kabar_protocol::{ticket, wire::TicketBody};
use serde_json::json;

use super::{ChatArgs, Session, commerce::own_tickets};
use crate::output::{Failure, Output};

#[derive(Debug, Args)]
pub(crate) struct TicketArgs {
    #[command(subcommand)]
    command: TicketCommand,
}

#[derive(Debug, Subcommand)]
enum TicketCommand {
    /// Say whether a ticket is genuine; exits 0 only if it is. Works offline
    Verify(Verify),
}

#[derive(Debug, Args)]
struct Verify {
    /// The ticket: what its QR code holds (KABAR1. and so on), or a file with that
    #[arg(value_name = "FILE|CODE")]
    ticket: String,
    /// Public key of who issues such tickets: 64 hex digits, or a file with them. Not needed for one's own tickets
    #[arg(long, value_name = "HEX|FILE")]
    issuer_key: Option<String>,
}

pub(super) async fn run(args: &ChatArgs, ticket: &TicketArgs, output: Output) -> Result<(), Failure> {
    let TicketCommand::Verify(verify) = &ticket.command;
    let token = token(&verify.ticket)?;
    let key = match &verify.issuer_key {
        Some(key) => issuer_key(key)?,
        None => own_key(args, &token, output).await?,
    };
    answer(&token, &key, output)
}

fn answer(token: &str, key: &[u8; 32], output: Output) -> Result<(), Failure> {
    if let Some(body) = ticket::verify(token, key) {
        let value = json!({ "valid": true, "ticket": ticket_body(&body) });
        return output.answer(&value, || {
            format!("genuine: {}, {}, {}", body.issuer, body.title, body.place)
        });
    }
    let (reason, sentence) = match ticket::read(token) {
        Some(_) => (
            "signature",
            "the ticket is not signed by this issuer, or it was changed",
        ),
        None => ("malformed", "this is no ticket"),
    };
    output.answer(&json!({ "valid": false, "reason": reason }), || {
        "not genuine".to_owned()
    })?;
    Err(Failure::new("ticket_invalid", sentence))
}

fn ticket_body(body: &TicketBody) -> serde_json::Value {
    json!({
        "ticket_id": body.ticket_id,
        "issuer": body.issuer,
        "title": body.title,
        "place": body.place,
        "starts_at": body.starts_ms,
        "issued_at": body.issued_ms,
        "reference_id": body.reference_id,
    })
}

fn token(given: &str) -> Result<String, Failure> {
    if given.starts_with("KABAR1.") || !Path::new(given).exists() {
        return Ok(given.trim().to_owned());
    }
    Ok(std::fs::read_to_string(given)?.trim().to_owned())
}

pub(super) fn issuer_key(given: &str) -> Result<[u8; 32], Failure> {
    let text = match key_file(given) {
        Some(path) => std::fs::read_to_string(path)?,
        None => given.to_owned(),
    };
    let key = hex::decode(text.trim()).ok();
    key.and_then(|key| key.try_into().ok()).ok_or_else(|| Failure {
        parameter: Some("issuer_key".to_owned()),
        ..Failure::new("invalid", "issuer_key must be 64 hex digits, or a file with them")
    })
}

fn key_file(given: &str) -> Option<PathBuf> {
    let path = Path::new(given);
    path.is_file().then(|| path.to_owned())
}

/// The key that came with a ticket of this home.
async fn own_key(args: &ChatArgs, token: &str, output: Output) -> Result<[u8; 32], Failure> {
    let missing = || {
        let sentence =
            "the issuer's key is missing: give it with --issuer-key HEX|FILE, or the --home that has the ticket";
        Failure::new("issuer_key_missing", sentence)
    };
    let id = ticket::read(token).map(|body| body.ticket_id);
    let home = args.home.as_ref().filter(|home| home.join("kabar.db").exists());
    if home.is_none() {
        return Err(missing());
    }
    let session = Session::open(args, output).await?;
    let tickets = own_tickets(&session).await;
    session.client.close().await;
    let own = tickets?.into_iter().find(|own| Some(&own.ticket_id) == id.as_ref());
    let key = own.and_then(|own| own.issuer_key).ok_or_else(missing)?;
    issuer_key(&key)
}
