//! What `send` takes beside text and files, as JSON that people can type; and the commands that answer it or keep it in sight.

use clap::Args;
use kabar_client::api::{Change, Command, Mention, Reply, Shown};
use kabar_protocol::{
    ids::{AccountId, MessageId},
    wire,
};
use serde::Deserialize;
use serde_json::json;

use super::{
    Session, change, messages,
    messages::{LIST_MAX, conversation, message_id},
    unexpected,
};
use crate::output::Failure;

/// Units of the wire in a degree.
const DEGREE: f64 = 1e7;
const LATITUDE_MAX: f64 = 90.0;
const LONGITUDE_MAX: f64 = 180.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PollJson {
    question: String,
    options: Vec<String>,
    #[serde(default)]
    several: bool,
}

/// The value of `--poll`.
pub(super) fn poll(text: &str) -> Result<wire::Poll, String> {
    let poll: PollJson = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(wire::Poll {
        question: poll.question,
        options: poll.options,
        several: poll.several,
        closed: false,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LocationJson {
    latitude: f64,
    longitude: f64,
    #[serde(default)]
    name: String,
    #[serde(default)]
    address: String,
}

/// The value of `--location`.
pub(super) fn location(text: &str) -> Result<wire::Location, String> {
    let location: LocationJson = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(wire::Location {
        latitude_e7: e7(location.latitude, LATITUDE_MAX).ok_or("latitude must be -90 to 90 degrees")?,
        longitude_e7: e7(location.longitude, LONGITUDE_MAX).ok_or("longitude must be -180 to 180 degrees")?,
        name: location.name,
        address: location.address,
    })
}

#[allow(clippy::cast_possible_truncation, reason = "180 degrees fit")]
fn e7(degrees: f64, most: f64) -> Option<i32> {
    (degrees.abs() <= most).then(|| (degrees * DEGREE).round() as i32)
}

/// A place for scripts and people, in degrees.
pub(super) fn degrees(location: &wire::Location) -> (f64, f64) {
    let degrees = |e7: i32| f64::from(e7) / DEGREE;
    (degrees(location.latitude_e7), degrees(location.longitude_e7))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContactJson {
    name: String,
    #[serde(default)]
    phones: Vec<String>,
    #[serde(default)]
    emails: Vec<String>,
    #[serde(default)]
    organization: String,
    /// 32 hex digits.
    account_id: Option<String>,
}

/// The value of `--contact`.
pub(super) fn contact(text: &str) -> Result<wire::Contact, String> {
    let contact: ContactJson = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let account = match contact.account_id {
        Some(id) => AccountId::from_hex(&id)
            .ok_or("account_id must be 32 hex digits")?
            .to_bytes(),
        None => Default::default(),
    };
    Ok(wire::Contact {
        name: contact.name,
        phones: contact.phones,
        emails: contact.emails,
        organization: contact.organization,
        account_id: account,
    })
}

/// A name after an @ in the text, and whom it means.
#[derive(Debug, Clone)]
pub(crate) struct Named {
    name: String,
    /// `None`: everybody.
    account: Option<AccountId>,
}

/// The value of `--mention`: NAME=ACCOUNT_ID, or all.
pub(super) fn named(text: &str) -> Result<Named, String> {
    if text == "all" {
        let name = text.to_owned();
        return Ok(Named { name, account: None });
    }
    let rule = "must be NAME=ACCOUNT_ID, or all";
    let (name, id) = text.split_once('=').ok_or(rule)?;
    let account = Some(AccountId::from_hex(id).ok_or(rule)?);
    let name = name.to_owned();
    Ok(Named { name, account })
}

/// Where the text names them: the first place each that is not taken.
pub(super) fn mentions(text: &str, named: &[Named]) -> Result<Vec<Mention>, Failure> {
    let mut taken: Vec<Mention> = Vec::new();
    for named in named {
        let wanted = format!("@{}", named.name);
        let mut places = text.match_indices(&wanted).map(|(at, _)| count(&text[..at]));
        let place = places.find(|place| taken.iter().all(|known| known.start != *place));
        let Some(start) = place else {
            let message = format!("the text must say {wanted} where --mention names {}", named.name);
            return Err(Failure::new("invalid", message));
        };
        taken.push(Mention {
            start,
            length: count(&wanted),
            account_id: named.account,
        });
    }
    taken.sort_by_key(|mention| mention.start);
    Ok(taken)
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

#[derive(Debug, Args)]
pub(crate) struct Vote {
    /// The poll
    #[arg(long, value_parser = message_id)]
    message: MessageId,
    /// Index of an option, from 0; several where the poll takes several, none takes the vote back
    #[arg(long)]
    option: Vec<u32>,
}

impl Vote {
    pub(super) async fn run(mut self, session: &Session) -> Result<(), Failure> {
        self.option.sort_unstable();
        self.option.dedup();
        change::change(session, self.message, Change::Vote { options: self.option }).await
    }
}

#[derive(Debug, Args)]
pub(crate) struct ClosePoll {
    /// A poll of one's own; nobody votes in it any more
    #[arg(long, value_parser = message_id)]
    message: MessageId,
}

impl ClosePoll {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let message_id = self.message;
        let message = match session.ask(Command::GetMessage { message_id }).await? {
            Reply::Message(message) => message,
            other => return Err(unexpected(&other)),
        };
        let Some(Shown::Poll(poll)) = message.shown else {
            return Err(Failure::new("invalid", "message must be the id of a poll"));
        };
        let content = Shown::Poll(wire::Poll { closed: true, ..poll });
        let mentions = Vec::new();
        change::change(session, message_id, Change::Edit { content, mentions }).await
    }
}

#[derive(Debug, Args)]
pub(crate) struct Star {
    #[arg(long, value_parser = message_id)]
    message: MessageId,
}

impl Star {
    pub(super) async fn run(self, session: &Session, starred: bool) -> Result<(), Failure> {
        let message_id = self.message;
        session.ask(Command::Star { message_id, starred }).await?;
        let value = json!({ "message_id": message_id, "starred": starred });
        session.output.answer(&value, || "done".to_owned())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Starred {
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=i64::from(LIST_MAX)))]
    limit: u32,
    /// Only messages older than this one
    #[arg(long, value_parser = message_id)]
    before: Option<MessageId>,
}

impl Starred {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let list = Command::ListStarred {
            limit: self.limit,
            before: self.before,
        };
        messages::print_found(session, list).await
    }
}

#[derive(Debug, Args)]
pub(crate) struct PinMessage {
    #[arg(long, value_parser = message_id)]
    message: MessageId,
    /// How long it stands at the top for everybody; 1 to 744
    #[arg(long, default_value_t = 7 * 24)]
    hours: u32,
}

impl PinMessage {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        pin(session, self.message, Some(self.hours)).await
    }
}

#[derive(Debug, Args)]
pub(crate) struct UnpinMessage {
    #[arg(long, value_parser = message_id)]
    message: MessageId,
}

impl UnpinMessage {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        pin(session, self.message, None).await
    }
}

async fn pin(session: &Session, message_id: MessageId, hours: Option<u32>) -> Result<(), Failure> {
    session.ask(Command::Pin { message_id, hours }).await?;
    let value = json!({ "message_id": message_id, "pinned_hours": hours });
    session.output.answer(&value, || "done".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct Timer {
    /// +phone, @username, account id or conversation id
    #[arg(long)]
    with: String,
    /// Messages sent from now on vanish everywhere after so many; 60 to 31622400, or 0: they stay
    #[arg(long)]
    seconds: u32,
}

impl Timer {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let (conversation_id, seconds) = (conversation(session, "with", self.with).await?, self.seconds);
        let timer = Command::SetTimer {
            conversation_id,
            seconds,
        };
        session.ask(timer).await?;
        let value = json!({ "conversation_id": conversation_id, "timer_s": seconds });
        session.output.answer(&value, || "done".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_where_the_text_says_it() {
        let budi = named(&format!("Budi={}", "ab".repeat(16))).expect("named");
        let found = mentions(
            "é @Budi, @all @Budi",
            &[named("all").expect("all"), budi.clone(), budi.clone()],
        );
        let places = found
            .expect("all there")
            .into_iter()
            .map(|mention| (mention.start, mention.length));
        assert_eq!(places.collect::<Vec<_>>(), [(2, 5), (9, 4), (14, 5)]);
        assert!(
            mentions("@Budi", &[budi.clone(), budi]).is_err(),
            "once in the text, twice asked for"
        );
        assert!(named("Budi").is_err() && named("Budi=12").is_err());
    }

    #[test]
    fn a_place_is_given_in_degrees() {
        let monas = location(r#"{"latitude":-6.1753924,"longitude":106.8271528,"name":"Monas"}"#).expect("a place");
        assert_eq!((monas.latitude_e7, monas.longitude_e7), (-61_753_924, 1_068_271_528));
        assert_eq!(degrees(&monas), (-6.175_392_4, 106.827_152_8));
        assert!(location(r#"{"latitude":91,"longitude":0}"#).is_err());
        assert!(location(r#"{"latitude":0,"longitude":0,"altitude":1}"#).is_err());
    }
}
