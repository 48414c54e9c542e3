//! Showing the operator what somebody wrote: the content as it came, with the stamp that the server put to it.

use kabar_protocol::{
    ids::{AccountId, ConversationId, MessageId},
    limits::{REPORT_BYTES_MAX, REPORT_MESSAGES_MAX},
    wire::{self, client_frame::Body, report::Reason, server_frame},
};

use super::{Envelope, Row, order::server_seq};
use crate::{
    api::{ApiError, Reply, ReportReason},
    commands::{Outcomes, invalid, refusal},
    connection::{Answer, Purpose},
    state::State,
    store::{self, keys},
    tx::{Range, Step, after},
};

/// Shown where nobody has picked any.
const NEWEST: usize = 5;
/// Envelopes looked at for them: no more are kept of a chat.
const ENVELOPES: u32 = 50;

impl ReportReason {
    fn wire(self) -> Reason {
        match self {
            Self::Spam => Reason::Spam,
            Self::Fraud => Reason::Fraud,
            Self::Abuse => Reason::Abuse,
            Self::Illegal => Reason::Illegal,
            Self::Other => Reason::Other,
        }
    }
}

impl State {
    pub(crate) fn report(
        &mut self,
        command_id: u64,
        conversation: ConversationId,
        messages: &[MessageId],
        reason: ReportReason,
    ) -> Outcomes {
        let Some(chat) = self.chats.get(&conversation) else {
            let message = "no such conversation on this device";
            return Ok(Err(refusal("conversation_unknown", message)));
        };
        if messages.len() > REPORT_MESSAGES_MAX {
            let rule = format!("messages must be at most {REPORT_MESSAGES_MAX}");
            return Ok(Err(invalid("messages", &rule)));
        }
        let proofs = match chat.peer() {
            Some(peer) if messages.is_empty() => self.newest_of(conversation, peer)?,
            None if messages.is_empty() => {
                let rule = "messages must name what a member of a group has written";
                return Ok(Err(invalid("messages", rule)));
            }
            _ => match self.proofs(conversation, messages)? {
                Ok(proofs) => proofs,
                Err(error) => return Ok(Err(error)),
            },
        };
        let Some((accused, _)) = proofs.first() else {
            let message = "nothing that they wrote is here any more with its proof: only the newest messages of a chat can be reported";
            return Ok(Err(refusal("nothing_to_report", message)));
        };
        if proofs.iter().any(|(from, _)| from != accused) {
            return Ok(Err(invalid("messages", "messages must be of one person")));
        }
        let mut report = wire::Report {
            conversation_id: conversation.to_bytes(),
            account_id: accused.to_bytes(),
            ..wire::Report::default()
        };
        report.set_reason(reason.wire());
        let mut bytes = 0;
        for (_, proof) in proofs {
            bytes += proof.content.len();
            if bytes <= REPORT_BYTES_MAX {
                report.messages.push(proof);
            }
        }
        self.request(Purpose::Report(command_id), Body::Report(report));
        Ok(Ok(None))
    }

    pub(crate) fn reported(&mut self, command_id: u64, answer: &Answer) {
        let result = match answer {
            Ok(server_frame::Body::ReportAccepted(_)) => Ok(Reply::Done),
            Ok(_) => Err(refusal("bad_answer", "the server's answer is to another question")),
            Err(failure) => Err(failure.error.clone()),
        };
        self.reply(command_id, result);
    }

    fn proofs(
        &mut self,
        conversation: ConversationId,
        messages: &[MessageId],
    ) -> Step<Result<Vec<(AccountId, wire::ReportedMessage)>, ApiError>> {
        let mut proofs = Vec::new();
        for message in messages {
            let found = self
                .row_of(*message)?
                .filter(|(place, _)| place.conversation == conversation);
            let proof = match found {
                Some((_, row)) => self.proof(conversation, &row)?,
                None => None,
            };
            match proof {
                Some(proof) => proofs.push(proof),
                None => {
                    let rule = "messages must be of this chat, by somebody else, and among its newest: only these have their proof";
                    return Ok(Err(invalid("messages", rule)));
                }
            }
        }
        Ok(Ok(proofs))
    }

    /// What the server has stamped; `None` of our own, and of what is too old.
    fn proof(&mut self, conversation: ConversationId, row: &Row) -> Step<Option<(AccountId, wire::ReportedMessage)>> {
        let envelope: Option<Envelope> = self.read(keys::envelope(conversation, row.seq))?;
        let envelope = envelope.filter(|envelope| row.sub == 0 && !envelope.content.is_empty());
        Ok(envelope.map(|envelope| {
            let message = wire::ReportedMessage {
                seq: server_seq(row.seq),
                device_id: envelope.device.to_bytes(),
                time_ms: row.time,
                content: envelope.content.to_vec().into(),
                stamp: envelope.stamp.to_vec().into(),
            };
            (row.from, message)
        }))
    }

    fn newest_of(
        &mut self,
        conversation: ConversationId,
        peer: AccountId,
    ) -> Step<Vec<(AccountId, wire::ReportedMessage)>> {
        let prefix = keys::envelopes(conversation);
        let envelopes = self.range(Range {
            from: after(&prefix),
            prefix,
            limit: ENVELOPES,
            reverse: true,
        })?;
        let seqs = envelopes.iter().filter_map(|(key, value)| {
            let envelope: Envelope = store::decode(value).ok()?;
            let seq = key.last_chunk::<8>().map(|bytes| u64::from_be_bytes(*bytes))?;
            (!envelope.content.is_empty()).then_some(seq)
        });
        let seqs: Vec<u64> = seqs.collect();
        let mut proofs = Vec::new();
        for seq in seqs {
            if let Some(row) = self.read::<Row>(keys::message(conversation, seq, 0))?
                && row.from == peer
                && let Some(proof) = self.proof(conversation, &row)?
            {
                proofs.push(proof);
            }
            if proofs.len() == NEWEST {
                break;
            }
        }
        Ok(proofs)
    }
}
