//! What a group has said before somebody came in: shown to him, if the group's settings say so, by who let him in.
//!
//! Everybody is told that it was done. The authors of what is shown do not vouch for it; who shows it does, as he could by any other
//! message of his. So nothing that is here is ever replaced by it.

use kabar_protocol::{
    ids::{AccountId, ConversationId, MessageId},
    limits::HISTORY_MESSAGES_MAX,
    policy,
    wire::{self, content::Body},
};
use prost::Message as _;
use serde::{Deserialize, Serialize};

use super::{
    Changes, Place, Row, mentions,
    order::{place, server_seq},
    roster::Notice,
};
use crate::{
    api::{Mention, MessageKind, Shown, Standing},
    state::{State, Work},
    store::{self, keys},
    tx::{Range, Step, after},
};

/// Rows looked through for them: notices and what vanishes are among these.
const ROWS: u32 = 300;
/// Content of one piece, and of all.
const PIECE_BYTES_MAX: usize = 48 * 1024;
const BYTES_MAX: usize = 512 * 1024;

/// Places that nothing of ours can be at: after what we had, before we came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Untold {
    pub(crate) after: u64,
    pub(crate) before: u64,
}

impl State {
    /// Somebody has come in by us.
    pub(super) fn tell_history(&mut self, conversation: ConversationId) {
        let team = self.teams.get(&conversation);
        if team.is_some_and(|team| team.settings().history && team.standing == Standing::Member) {
            self.work.push_back(Work::Tell(conversation));
        }
    }

    pub(crate) fn tell(&mut self, conversation: ConversationId) -> Step {
        let prefix = keys::messages(conversation);
        let rows = self.range(Range {
            from: after(&prefix),
            prefix,
            limit: ROWS,
            reverse: true,
        })?;
        let mut bytes = 0;
        let rows = rows.iter().filter_map(|(_, value)| store::decode::<Row>(value).ok());
        // The numbers of an earlier life of the server mean others by now.
        let rows = rows.filter(|row| self.is_of_this_timeline(row.seq));
        let told = rows.filter_map(|row| told(&row)).take_while(|told| {
            bytes += told.content.len();
            bytes <= BYTES_MAX
        });
        let mut told: Vec<wire::Told> = told.take(HISTORY_MESSAGES_MAX).collect();
        told.reverse();
        let total = u32::try_from(told.len()).unwrap_or_default();
        let mut piece = wire::History::default();
        let mut size = 0;
        for message in told {
            size += message.content.len();
            if size > PIECE_BYTES_MAX && !piece.messages.is_empty() {
                size = message.content.len();
                self.queue_history(conversation, std::mem::take(&mut piece));
            }
            piece.messages.push(message);
        }
        if total > 0 {
            piece.total = total;
            self.queue_history(conversation, piece);
        }
        Ok(())
    }

    fn queue_history(&mut self, conversation: ConversationId, piece: wire::History) {
        // Fails only without an account, and who has none is in no group.
        let _ = self.queue_control(conversation, Body::History(piece), None);
    }

    /// Somebody, perhaps we, has shown it. What is new to us is taken in by [`Self::take_told`].
    pub(super) fn take_history(
        &mut self,
        conversation: ConversationId,
        from: AccountId,
        content: &wire::Content,
        history: &wire::History,
    ) {
        let Some(team) = self.teams.get(&conversation) else {
            return;
        };
        if !team.settings().history || !policy::may_add(&team.policy, from) {
            return;
        }
        if team.untold.is_some() {
            self.keep_change(conversation, from, content.encode_to_vec());
        }
        if history.total > 0 {
            let notice = Notice {
                kind: MessageKind::NoticeHistory,
                from,
                about: Vec::new(),
                text: Some(history.total.to_string()),
                target: None,
            };
            self.add_notice_about(conversation, notice);
        }
    }

    /// Puts what we have missed before our coming into the thread; nothing that is here already, wherever it is.
    pub(super) fn take_told(&mut self, conversation: ConversationId, history: &wire::History) -> Step {
        let untold = self.teams.get(&conversation).and_then(|team| team.untold);
        let mut rows = Vec::new();
        for told in history.messages.iter().take(HISTORY_MESSAGES_MAX) {
            if let (Some(untold), Some(row)) = (untold, row_told(told, self.cursor.timelines))
                && (untold.after + 1..untold.before).contains(&row.seq)
                && self.read::<Place>(keys::index(row.message_id))?.is_none()
            {
                rows.push(row);
            }
        }
        // Nothing changes before all places are known: until then this runs again.
        for row in rows {
            self.know(row.from);
            self.add_row(conversation, row, None);
        }
        if history.total > 0
            && let Some(team) = self.teams.get_mut(&conversation)
        {
            team.untold = None;
            self.save_team(conversation);
        }
        Ok(())
    }
}

fn row_told(told: &wire::Told, timeline: u32) -> Option<Row> {
    let content = wire::Content::decode(&told.content[..]).ok()?;
    let shown = content.body.as_ref().and_then(Shown::of)?;
    let reply = content.in_reply_to.as_ref();
    Some(Row {
        message_id: MessageId::from_slice(&told.message_id).ok()?,
        seq: place(timeline, told.seq),
        sub: 0,
        from: AccountId::from_slice(&told.account_id).ok()?,
        kind: shown.kind(),
        about: Vec::new(),
        text: Some(shown.text()),
        mentions: mentions::of(&content),
        shown: shown.beside_text(),
        automated: false,
        forwarded: content.forwarded,
        starred: false,
        expires_at: None,
        in_reply_to: reply.and_then(|id| MessageId::from_slice(id).ok()),
        changes: Changes::default(),
        time: told.time_ms,
    })
}

/// What may be shown of a message; nothing of notices, of what vanishes, and of what is of its moment only.
fn told(row: &Row) -> Option<wire::Told> {
    let shown = match (&row.shown, &row.text) {
        (Some(Shown::File(file)), _) if file.view_once => return None,
        (Some(shown @ (Shown::File(_) | Shown::Event(_) | Shown::Poll(_))), _) => shown.clone(),
        (Some(shown @ (Shown::Location(_) | Shown::Contacts(_))), _) => shown.clone(),
        (None, Some(text)) if row.kind == MessageKind::Text => Shown::Text(text.clone()),
        _ => return None,
    };
    if row.sub != 0 || row.expires_at.is_some() {
        return None;
    }
    let content = wire::Content {
        body: Some(shown.body()),
        forwarded: row.forwarded,
        in_reply_to: row.in_reply_to.map(|id| id.to_bytes()),
        mentions: row.mentions.iter().map(Mention::wire).collect(),
        ..wire::Content::default()
    };
    Some(wire::Told {
        message_id: row.message_id.to_bytes(),
        account_id: row.from.to_bytes(),
        seq: server_seq(row.seq),
        time_ms: row.time,
        content: content.encode_to_vec().into(),
    })
}
