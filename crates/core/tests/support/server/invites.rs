//! Links of the stand-in. Whom a link lets in, the members check; it keeps what is published, and who asks.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    invite::InviteCode,
    wire::{
        self, invite_outcome, publish_invite_outcome, request_join_outcome, revoke_invite_outcome,
        server_frame::Body as Say,
    },
};

use super::Server;

impl Server {
    pub(super) fn publish_invite(&mut self, ask: wire::PublishInvite) -> Say {
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        let code = InviteCode::new(id, &ask.public_key).to_vec();
        self.data.links.insert(code.clone(), ask);
        Say::PublishInvite(wire::PublishInviteOutcome {
            outcome: Some(publish_invite_outcome::Outcome::Published(
                publish_invite_outcome::Published { code: code.into() },
            )),
        })
    }

    pub(super) fn revoke_invite(&mut self, ask: &wire::RevokeInvite) -> Say {
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        self.data.links.remove(&InviteCode::new(id, &ask.public_key).to_vec());
        Say::RevokeInvite(wire::RevokeInviteOutcome {
            outcome: Some(revoke_invite_outcome::Outcome::Revoked(
                revoke_invite_outcome::Revoked {},
            )),
        })
    }

    pub(super) fn invite(&self, code: &[u8]) -> Say {
        use invite_outcome::{Found, Gone, Outcome};
        let found = self.data.links.get(code).map(|link| {
            let id = ConversationId::from_slice(&link.conversation_id).unwrap();
            Outcome::Found(Found {
                preview: link.preview.clone(),
                expires_ms: link.expires_ms,
                approval: link.approval,
                members: u32::try_from(self.data.conversations[&id].roster.len()).unwrap(),
            })
        });
        Say::Invite(wire::InviteOutcome {
            outcome: Some(found.unwrap_or(Outcome::Gone(Gone {}))),
        })
    }

    pub(super) fn request_join(&mut self, account: AccountId, code: &[u8]) -> Say {
        use request_join_outcome::{Asked, Gone, Outcome};
        let outcome = match InviteCode::from_slice(code).filter(|_| self.data.links.contains_key(code)) {
            Some(code) => {
                self.data.asking.insert((code.conversation, account));
                Outcome::Asked(Asked {})
            }
            None => Outcome::Gone(Gone {}),
        };
        Say::RequestJoin(wire::RequestJoinOutcome { outcome: Some(outcome) })
    }

    pub(super) fn decline(&mut self, ask: &wire::DeclineJoinRequest) -> Say {
        let id = ConversationId::from_slice(&ask.conversation_id).unwrap();
        let account = AccountId::from_slice(&ask.account_id).unwrap();
        self.data.asking.remove(&(id, account));
        Say::JoinRequestDeclined(wire::JoinRequestDeclined {})
    }
}
