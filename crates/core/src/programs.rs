//! What only programs wish: the account of a business number, and the feed of a script.

use crate::{
    api::{BusinessCommand, Command},
    commands::{Outcomes, now, refusal},
    state::State,
};

/// Programs are native: the browser, where every byte is fetched, goes without.
pub(crate) const SERVES_PROGRAMS: bool = cfg!(not(target_arch = "wasm32"));

impl State {
    pub(crate) fn for_programs(&mut self, command_id: u64, command: &Command) -> Outcomes {
        match command {
            _ if !SERVES_PROGRAMS => Ok(Err(refusal("not_allowed", "programs do not run in a browser"))),
            Command::Business { request } => self.business(command_id, command, request),
            Command::Feed { after, limit } => now(self.feed(*after, *limit)?),
            Command::FeedTaken { up_to } => now(self.feed_taken(*up_to)?),
            _ => Ok(Ok(None)),
        }
    }

    fn business(&mut self, command_id: u64, command: &Command, request: &BusinessCommand) -> Outcomes {
        let person = match request {
            BusinessCommand::Window { with } | BusinessCommand::RegisterOrder { with, .. } => {
                match self.resolve_person(command_id, command, "with", with) {
                    Ok(Some((account, _))) => Some(account),
                    Ok(None) => return Ok(Ok(None)),
                    Err(error) => return Ok(Err(error)),
                }
            }
            BusinessCommand::Charges { messages } => return self.ask_charges(command_id, messages),
            BusinessCommand::FlowRespond { to_message, outcome } => {
                return self.flow_respond(command_id, *to_message, outcome);
            }
            _ => None,
        };
        self.ask_business(command_id, request, person);
        Ok(Ok(None))
    }
}
