//! What others see of us: name, username, phone.

use kabar_protocol::{
    names,
    wire::{
        self, client_frame::Body, request_phone_code_outcome as requested, server_frame, set_username_outcome,
        verify_phone_outcome as verified,
    },
};

use crate::{
    api::{ApiError, Command, PhoneCode, Reply},
    commands::{invalid, refusal},
    connection::{Answer, Purpose},
    state::State,
};

impl State {
    pub(crate) fn set_name(&mut self, name: &str) -> Result<Reply, ApiError> {
        let name = names::display_name(name).map_err(|error| invalid("name", &error))?;
        if let Some(account) = self.account.as_mut()
            && account.name != name
        {
            account.name = name;
            // The next message into each conversation carries it.
            account.name_version += 1;
            self.save_account();
            self.say_account();
        }
        Ok(Reply::Done)
    }

    pub(crate) fn set_username(&mut self, command_id: u64, username: Option<&str>) -> Result<(), ApiError> {
        let username = username.map(names::username).transpose();
        let username = username.map_err(|error| invalid("username", &error))?;
        let again = Command::SetUsername {
            username: username.clone(),
        };
        let body = Body::SetUsername(wire::SetUsername { username });
        self.request(Purpose::Command(command_id, Box::new(again)), body);
        Ok(())
    }

    pub(crate) fn request_phone_code(&mut self, command_id: u64, phone: &str) -> Result<(), ApiError> {
        let phone = names::phone(phone).map_err(|error| invalid("phone", &error))?;
        let again = Command::RequestPhoneCode { phone: phone.clone() };
        let body = Body::RequestPhoneCode(wire::RequestPhoneCode { phone });
        self.request(Purpose::Command(command_id, Box::new(again)), body);
        Ok(())
    }

    pub(crate) fn verify_phone(&mut self, command_id: u64, code: &str) -> Result<(), ApiError> {
        let pending = self.account.as_ref().and_then(|account| account.phone_pending.clone());
        let phone = pending.ok_or_else(|| {
            refusal(
                "no_phone_pending",
                "ask for a code first: no phone number waits for one",
            )
        })?;
        let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        if code.len() != 6 || !code.bytes().all(|b| b.is_ascii_digit()) {
            return Err(invalid("code", "code must be six digits"));
        }
        let again = Command::VerifyPhone { code: code.clone() };
        let body = Body::VerifyPhone(wire::VerifyPhone { phone, code });
        self.request(Purpose::Command(command_id, Box::new(again)), body);
        Ok(())
    }

    /// The server's answer to one of the commands above.
    pub(crate) fn profile_answered(&mut self, command: &Command, answer: &Answer) -> Result<Reply, ApiError> {
        let body = answer.as_ref().map_err(|failure| failure.error.clone())?;
        match (command, body) {
            (Command::SetUsername { username }, server_frame::Body::SetUsername(outcome)) => match outcome.outcome {
                Some(set_username_outcome::Outcome::Done(_)) => {
                    let username = username.clone();
                    self.change_account(|account| account.username = username);
                    Ok(Reply::Done)
                }
                _ => Err(ApiError {
                    parameter: Some("username".into()),
                    ..refusal("username_taken", "this username is taken; choose another")
                }),
            },
            (Command::RequestPhoneCode { phone }, server_frame::Body::RequestPhoneCode(outcome)) => {
                self.code_requested(phone, outcome.outcome.clone())
            }
            (Command::VerifyPhone { .. }, server_frame::Body::VerifyPhone(outcome)) => {
                self.phone_verified(outcome.outcome)
            }
            _ => Err(refusal("bad_answer", "the server's answer does not fit the question")),
        }
    }

    fn code_requested(&mut self, phone: &str, outcome: Option<requested::Outcome>) -> Result<Reply, ApiError> {
        match outcome {
            Some(requested::Outcome::Sent(sent)) => {
                self.change_account(|account| account.phone_pending = Some(phone.to_owned()));
                Ok(Reply::PhoneCode(PhoneCode {
                    phone: phone.to_owned(),
                    resend_after_s: sent.resend_after_s,
                    expires_after_s: sent.expires_after_s,
                    code: sent.code,
                }))
            }
            Some(requested::Outcome::TooSoon(soon)) => Err(later(
                "code_too_soon",
                format!("a code was sent already; ask again in {} s", soon.resend_after_s),
                soon.resend_after_s,
            )),
            Some(requested::Outcome::Locked(locked)) => Err(locked_out(locked.retry_after_s)),
            None => Err(refusal("bad_answer", "the server's answer is empty")),
        }
    }

    fn phone_verified(&mut self, outcome: Option<verified::Outcome>) -> Result<Reply, ApiError> {
        match outcome {
            Some(verified::Outcome::Verified(_)) => {
                self.change_account(|account| account.phone = account.phone_pending.take());
                self.me()
                    .map(Reply::Me)
                    .ok_or_else(|| refusal("no_account", "register first"))
            }
            Some(verified::Outcome::WrongCode(wrong)) => Err(ApiError {
                parameter: Some("code".into()),
                ..refusal(
                    "wrong_code",
                    &format!("the code is wrong; {} tries are left", wrong.attempts_left),
                )
            }),
            Some(verified::Outcome::Expired(_)) => {
                Err(refusal("code_expired", "the code has expired; ask for a new one"))
            }
            Some(verified::Outcome::Locked(locked)) => Err(locked_out(locked.retry_after_s)),
            None => Err(refusal("bad_answer", "the server's answer is empty")),
        }
    }

    fn change_account(&mut self, change: impl FnOnce(&mut super::Account)) {
        if let Some(account) = self.account.as_mut() {
            change(account);
            self.save_account();
            self.say_account();
        }
    }
}

fn later(code: &str, message: String, seconds: u32) -> ApiError {
    ApiError {
        retry_after_ms: Some(u64::from(seconds) * 1000),
        ..refusal(code, &message)
    }
}

fn locked_out(seconds: u32) -> ApiError {
    let message = format!("too many wrong codes; this number is locked for {seconds} s");
    later("phone_locked", message, seconds)
}
