//! A connection's beginning: Challenge, Session, and what a new session means for everything that waits.

use kabar_protocol::{limits::KEY_PACKAGES_LOW, wire, wire::server_frame};

use crate::{api::Notification, connection::Answer, messaging::TIMELINES_MAX, state::State};

impl State {
    /// The server has sent its Challenge.
    pub(crate) fn challenged(&mut self) {
        let Some(challenge) = &self.connection.challenge else {
            return;
        };
        let mode = match challenge.registration() {
            wire::RegistrationMode::Open => "open",
            wire::RegistrationMode::Invite => "invite",
            wire::RegistrationMode::Closed | wire::RegistrationMode::Unspecified => "closed",
        };
        if self.me().is_none() {
            self.notify(Notification::Registration { mode: mode.into() });
        }
        self.authenticate();
    }

    pub(crate) fn authenticate_answered(&mut self, answer: &Answer) {
        match answer {
            Ok(server_frame::Body::Session(session)) => {
                let session = session.clone();
                self.session(&session);
                self.answer_registered();
            }
            Ok(_) => self.drop_connection(),
            Err(failure) if failure.kind == wire::error::Code::Unauthenticated => {
                if self.become_successor() {
                    return;
                }
                self.connection.refused = Some(failure.error.clone());
                self.notify(Notification::Trouble {
                    reason: failure.error.code.clone(),
                    message: format!(
                        "The server no longer knows this device ({}). Its messages stay readable here; to go on, \
                         register again or link this device anew.",
                        failure.error.message
                    ),
                });
                if let Some((command_id, _)) = self.waiting.registering.take() {
                    self.reply(command_id, Err(failure.error.clone()));
                }
                self.drop_connection();
            }
            Err(_) => self.drop_connection(),
        }
    }

    pub(crate) fn session(&mut self, session: &wire::Session) {
        if session.client_seq > self.cursor.client_seq {
            self.session_begun();
            self.roll_back();
            return;
        }
        if !self.cursor.timeline.is_empty() && *self.cursor.timeline != session.timeline[..] {
            self.new_timeline(session);
            return;
        }
        self.session_begun();
        if self.cursor.timeline.is_empty() {
            self.cursor.timeline = session.timeline.to_vec().into();
            self.save_cursor();
        }
        let phone = session.phone_verified;
        if let Some(account) = self.account.as_mut() {
            let changed = account.username != session.username || (!phone && account.phone.is_some());
            account.username = session.username.clone();
            if !phone {
                account.phone = None;
            }
            if changed {
                self.save_account();
                self.say_account();
            }
        }
        self.refresh_own_list(session.device_list_version);
        self.check_more();
        self.connection.ack_due = self.has_unacknowledged();
        if self.lacks_key_packages() || session.key_packages_left < KEY_PACKAGES_LOW {
            self.publish_key_packages(session.key_packages_left);
        }
    }

    /// The server was restored from a backup: its cursors begin anew, and it may have lost what we published.
    /// The queue is asked for from its start by a new connection, and groups are compared before they are used again.
    fn new_timeline(&mut self, session: &wire::Session) {
        self.cursor.timeline = session.timeline.to_vec().into();
        self.cursor.timelines = (self.cursor.timelines + 1).min(TIMELINES_MAX);
        self.live.values_mut().for_each(|live| live.checks = 0);
        self.cursor.inbox = 0;
        self.cursor.publish_key_packages = true;
        self.save_cursor();
        self.drop_connection();
    }
}
