//! Commands about one's own account: register, phone, name, username, safety numbers.

use clap::Args;
use kabar_client::api::{Command, Me, PhoneCode, Reply};
use serde_json::{Value, json};

use super::{Session, unexpected};
use crate::output::Failure;

#[derive(Debug, Args)]
pub(crate) struct Register {
    /// How you want to be called; it stays on your devices and inside encrypted messages
    #[arg(long)]
    name: String,
    /// Ask for this phone number to be linked as well; the code comes by the operator's sender
    #[arg(long)]
    phone: Option<String>,
    #[arg(long)]
    username: Option<String>,
    /// Invitation code, where the server asks for one
    #[arg(long)]
    invite: Option<String>,
}

impl Register {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        if let Some(phone) = &self.phone {
            // Before anything is made: a malformed number must not leave a half-done account.
            kabar_protocol::names::phone(phone).map_err(|error| Failure {
                parameter: Some("phone".into()),
                ..Failure::new("invalid", error.to_string())
            })?;
        }
        let register = Command::Register {
            name: self.name,
            username: self.username,
            invite: self.invite,
            enrolment: None,
        };
        let me = match session.ask(register).await? {
            Reply::Registered(me) => me,
            other => return Err(unexpected(&other)),
        };
        match self.phone {
            Some(phone) => request_code(session, phone).await,
            None => session
                .output
                .answer(&ids(&me), || format!("registered as {} ({})", me.name, me.account_id)),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Phone {
    /// The number, such as +6281234567890
    phone: String,
}

impl Phone {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        request_code(session, self.phone).await
    }
}

async fn request_code(session: &Session, phone: String) -> Result<(), Failure> {
    let code = match session.ask(Command::RequestPhoneCode { phone }).await? {
        Reply::PhoneCode(code) => code,
        other => return Err(unexpected(&other)),
    };
    session.output.answer(&pending(&code), || {
        format!(
            "a code is on its way to {}; then: kabar chat ... verify --code CODE",
            code.phone
        )
    })
}

fn pending(code: &PhoneCode) -> Value {
    let mut value = json!({
        "verification": "pending",
        "resend_after_s": code.resend_after_s,
        "expires_after_s": code.expires_after_s,
    });
    if let Some(code) = &code.code {
        value["code"] = json!(code);
    }
    value
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The six digits
    #[arg(long)]
    code: String,
}

impl Verify {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        session.ask(Command::VerifyPhone { code: self.code }).await?;
        let me = me(session).await?;
        session.output.answer(&ids(&me), || "the number is yours".to_owned())
    }
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Profile {
    #[arg(long)]
    name: Option<String>,
    /// A new username; an empty one gives it up
    #[arg(long)]
    username: Option<String>,
}

impl Profile {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        if let Some(username) = self.username {
            let username = Some(username).filter(|name| !name.is_empty());
            session.ask(Command::SetUsername { username }).await?;
        }
        if let Some(name) = self.name {
            session.ask(Command::SetName { name }).await?;
        }
        whoami(session).await
    }
}

pub(super) async fn whoami(session: &Session) -> Result<(), Failure> {
    let me = me(session).await?;
    session.output.answer(&me, || {
        let username = me.username.as_ref().map(|name| format!(" @{name}")).unwrap_or_default();
        let phone = me.phone.as_ref().map(|phone| format!(" {phone}")).unwrap_or_default();
        format!(
            "{}{username}{phone}\naccount {}\ndevice  {}",
            me.name, me.account_id, me.device_id
        )
    })
}

async fn me(session: &Session) -> Result<Me, Failure> {
    match session.ask(Command::Whoami).await? {
        Reply::Me(me) => Ok(me),
        other => Err(unexpected(&other)),
    }
}

fn ids(me: &Me) -> Value {
    json!({"account_id": me.account_id, "device_id": me.device_id})
}

#[derive(Debug, Args)]
pub(crate) struct SafetyNumber {
    /// +phone, @username or account id
    #[arg(long)]
    with: String,
}

impl SafetyNumber {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        match session.ask(Command::SafetyNumber { with: self.with }).await? {
            Reply::SafetyNumber { safety_number, with } => {
                let value = json!({"safety_number": safety_number, "with": with});
                session.output.answer(&value, || in_groups(&safety_number))
            }
            other => Err(unexpected(&other)),
        }
    }
}

/// Twelve groups of five digits, four a line: easier to read aloud.
fn in_groups(digits: &str) -> String {
    let groups: Vec<String> = digits
        .as_bytes()
        .chunks(5)
        .map(|group| String::from_utf8_lossy(group).into_owned())
        .collect();
    groups
        .chunks(4)
        .map(|line| line.join(" "))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_safety_number_is_read_in_groups_of_five() {
        let shown = super::in_groups(&"12345".repeat(12));
        assert_eq!(shown.lines().count(), 3);
        assert_eq!(shown.lines().next(), Some("12345 12345 12345 12345"));
    }
}
