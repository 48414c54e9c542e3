//! What a person lets others see of him, and how long what he writes is to stay. Held by the clients alone.

use kabar_protocol::limits::{TIMER_SECONDS_MAX, TIMER_SECONDS_MIN};

use crate::{
    api::{ApiError, Audience, Privacy, Reply},
    commands::invalid,
    state::State,
};

/// Of a device without an account.
const DEFAULT: Privacy = Privacy {
    read_receipts: true,
    typing: true,
    presence: Audience::Contacts,
    timer_s: 0,
};

impl Default for Privacy {
    fn default() -> Self {
        DEFAULT
    }
}

impl State {
    pub(crate) fn privacy(&self) -> &Privacy {
        self.account.as_ref().map_or(&DEFAULT, |account| &account.privacy)
    }

    /// What is absent stays.
    pub(crate) fn set_privacy(
        &mut self,
        read_receipts: Option<bool>,
        typing: Option<bool>,
        presence: Option<Audience>,
        timer_s: Option<u32>,
    ) -> Result<Reply, ApiError> {
        if timer_s.is_some_and(|seconds| seconds != 0 && !(TIMER_SECONDS_MIN..=TIMER_SECONDS_MAX).contains(&seconds)) {
            let rule = format!("timer_s must be 0, or {TIMER_SECONDS_MIN} to {TIMER_SECONDS_MAX}");
            return Err(invalid("timer_s", &rule));
        }
        let before = self.privacy().clone();
        let privacy = Privacy {
            read_receipts: read_receipts.unwrap_or(before.read_receipts),
            typing: typing.unwrap_or(before.typing),
            presence: presence.unwrap_or(before.presence),
            timer_s: timer_s.unwrap_or(before.timer_s),
        };
        if privacy.presence != before.presence {
            self.presence_ends();
        }
        if privacy != before
            && let Some(account) = self.account.as_mut()
        {
            account.privacy = privacy.clone();
            self.save_account();
        }
        Ok(Reply::Privacy(privacy))
    }
}
