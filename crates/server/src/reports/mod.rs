//! What people report to the operator: messages that were shown to him by one of their readers, proven by the server's own stamps.
//!
//! Owns the table report. The only place where the server holds anybody's words, and only those that a reader has handed over.

mod store;
#[cfg(test)]
mod tests;

use kabar_protocol::{
    content::message_id,
    ids::{AccountId, ConversationId, DeviceId},
    limits::{REPORT_BYTES_MAX, REPORT_MESSAGES_MAX},
    wire::{self, ReportedMessage, content::Body, report::Reason},
};
use prost::Message as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) use self::store::sweep;
use crate::{
    app::App,
    error::{Failure, reason},
    limits::RateLimit,
    messaging,
    socket::Identity,
};

const DAY_MS: i64 = 86_400_000;
/// Decided or not, nobody's words stay longer.
const RETENTION_MS: i64 = 365 * DAY_MS;
/// Reports of one listing.
const LIST_MAX: u32 = 200;
const NOTE_CHARS_MAX: usize = 500;

/// Takes a report in. The same one again changes nothing.
pub(crate) async fn report(app: &App, reporter: Identity, request: wire::Report) -> Result<(), Failure> {
    app.limits
        .check(RateLimit::Reports, reporter.account.as_slice(), app.now_ms())?;
    let conversation = ConversationId::from_slice(&request.conversation_id)
        .map_err(|rule| Failure::invalid("report.conversation_id", rule))?;
    let accused =
        AccountId::from_slice(&request.account_id).map_err(|rule| Failure::invalid("report.account_id", rule))?;
    if request.reason() == Reason::Unspecified {
        return Err(Failure::invalid(
            "report.reason",
            "must be SPAM, FRAUD, ABUSE, ILLEGAL or OTHER",
        ));
    }
    let bytes: usize = request.messages.iter().map(|message| message.content.len()).sum();
    if !(1..=REPORT_MESSAGES_MAX).contains(&request.messages.len()) || bytes > REPORT_BYTES_MAX {
        let rule = format!("must be 1 to {REPORT_MESSAGES_MAX} messages of at most {REPORT_BYTES_MAX} bytes in all");
        return Err(Failure::invalid("report.messages", rule));
    }
    for message in &request.messages {
        check_stamp(app, conversation, accused, message)?;
    }
    let row = store::Report {
        account: accused,
        report_id: report_id(reporter.account, &request),
        reporter: reporter.account,
        reason: request.reason.into(),
        created_ms: app.now_ms(),
        closed_ms: None,
        note: None,
        evidence: request.encode_to_vec().into(),
    };
    let write = app.db.write(row, |tx, row| Box::pin(store::insert(tx, row)));
    Ok(write.await?)
}

/// The server has stamped this very content, from this account, in this conversation.
fn check_stamp(
    app: &App,
    conversation: ConversationId,
    accused: AccountId,
    message: &ReportedMessage,
) -> Result<(), Failure> {
    let device =
        DeviceId::from_slice(&message.device_id).map_err(|rule| Failure::invalid("report.messages.device_id", rule))?;
    let sender = Identity {
        account: accused,
        device,
    };
    let id = message_id(accused, conversation, &message.content);
    let place = (conversation, message.seq, message.time_ms);
    if messaging::stamps(app, sender, place, id, &message.stamp) {
        return Ok(());
    }
    let rule = "must be what the server has stamped: content, sender, conversation, seq and time";
    Err(Failure::invalid("report.messages.stamp", rule))
}

/// Of who reports what: the same again has the same one.
fn report_id(reporter: AccountId, request: &wire::Report) -> [u8; 16] {
    let mut hasher = Sha256::new();
    hasher.update(b"kabar/v1/report");
    hasher.update(reporter.as_slice());
    hasher.update(&request.conversation_id);
    hasher.update(&request.account_id);
    for message in &request.messages {
        hasher.update(&message.stamp);
    }
    let hash: [u8; 32] = hasher.finalize().into();
    let (id, _) = hash.split_at(16);
    id.try_into().unwrap_or_default()
}

/// For the operator: the newest first; those that nobody has decided, or all.
pub(crate) async fn list(app: &App, all: bool) -> Result<Value, Failure> {
    let reports = store::list(&mut app.db.reader().await?, all, LIST_MAX).await?;
    let lines: Vec<Value> = reports.iter().map(line).collect();
    Ok(json!({ "reports": lines }))
}

/// One report with the words that were handed over.
pub(crate) async fn show(app: &App, id: &str) -> Result<Value, Failure> {
    let report = find(app, id).await?;
    let evidence = wire::Report::decode(&report.evidence[..]).unwrap_or_default();
    let mut value = line(&report);
    value["conversation_id"] = json!(hex::encode(&evidence.conversation_id));
    value["messages"] = evidence.messages.iter().map(shown).collect();
    Ok(value)
}

/// What the operator has decided, in his own words.
pub(crate) async fn close(app: &App, id: &str, note: &str) -> Result<Value, Failure> {
    if note.chars().count() > NOTE_CHARS_MAX {
        let rule = format!("must have at most {NOTE_CHARS_MAX} characters");
        return Err(Failure::invalid("note", rule));
    }
    let report = find(app, id).await?;
    let change = (report.account, report.report_id, app.now_ms(), note.to_owned());
    app.db
        .write(change, |tx, (account, id, now_ms, note)| {
            Box::pin(store::close(tx, *account, *id, *now_ms, note))
        })
        .await?;
    show(app, id).await
}

async fn find(app: &App, id: &str) -> Result<store::Report, Failure> {
    let bytes = hex::decode(id).ok().and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    let Some(id) = bytes else {
        return Err(Failure::invalid("report", "must be an id of 32 hex digits"));
    };
    let found = store::find(&mut app.db.reader().await?, id).await?;
    found.ok_or_else(|| Failure::denied(reason::REPORT_UNKNOWN, "there is no such report"))
}

fn line(report: &store::Report) -> Value {
    let reason = i32::try_from(report.reason).map(Reason::try_from);
    let reason = reason.map_or(Reason::Other, |reason| reason.unwrap_or(Reason::Other));
    let name = reason.as_str_name().trim_start_matches("REASON_").to_lowercase();
    json!({
        "report_id": hex::encode(report.report_id),
        "account_id": report.account.to_string(),
        "reporter_id": report.reporter.to_string(),
        "reason": name,
        "time": report.created_ms,
        "open": report.closed_ms.is_none(),
        "closed_at": report.closed_ms,
        "note": report.note,
    })
}

fn shown(message: &ReportedMessage) -> Value {
    let content = wire::Content::decode(&message.content[..]).unwrap_or_default();
    let (kind, text) = match content.body {
        Some(Body::Text(text)) => ("text", text.body),
        Some(Body::File(file)) => ("file", format!("{} {}", file.name, file.caption)),
        Some(Body::Event(event)) => ("event", format!("{} {} {}", event.title, event.text, event.place)),
        Some(Body::Poll(poll)) => ("poll", format!("{} {}", poll.question, poll.options.join(" / "))),
        Some(Body::Interactive(message)) => ("interactive", message.body),
        Some(Body::Template(template)) => ("template", template.body),
        Some(Body::Location(location)) => ("location", format!("{} {}", location.name, location.address)),
        _ => ("other", String::new()),
    };
    json!({ "kind": kind, "text": text.trim(), "seq": message.seq, "time": message.time_ms })
}
