//! What a group is called: messages of class CONTROL, because the server is never told.
//!
//! Whoever may edit says it anew; whoever adds somebody says it again, for him, with the names of the members that he
//! knows. Must not: let a member who may not edit change what we have been told by one who may.

use kabar_protocol::{
    group_info,
    ids::{AccountId, ConversationId},
    limits::{KNOWN_NAMES_MAX, TIMER_SECONDS_MAX},
    policy,
    wire::{self, content::Body},
};

use serde::{Deserialize, Serialize};

use super::{roster::Notice, team::Info, wishes::not_allowed};
use crate::{
    api::{ApiError, MessageKind},
    commands::invalid,
    state::State,
    store::Blob,
};

/// Names in one message, in bytes: beside a picture and a description, all of it has to fit into a message.
const NAMES_BYTES_MAX: usize = 24 * 1024;

/// What a group is to be called from now on; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct InfoChange {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) photo: Option<Blob>,
}

impl InfoChange {
    /// Checks what a person has typed; `photo` is hex.
    pub(crate) fn of(name: Option<&str>, description: Option<&str>, photo: Option<&str>) -> Result<Self, ApiError> {
        let photo = photo.map(|photo| {
            let bytes = hex::decode(photo).map_err(|_| invalid("photo", "photo must be hex"))?;
            group_info::photo(&bytes).map_err(field)?;
            Ok(bytes.into())
        });
        Ok(Self {
            name: name.map(group_info::name).transpose().map_err(field)?,
            description: description.map(group_info::description).transpose().map_err(field)?,
            photo: photo.transpose()?,
        })
    }
}

pub(crate) fn field(error: kabar_protocol::interactive::FieldError) -> ApiError {
    invalid(error.field, &error)
}

impl State {
    /// What we know of the group, as a message for those who do not.
    pub(crate) fn known_info(&self, conversation: ConversationId) -> Option<wire::GroupInfo> {
        let team = self.teams.get(&conversation)?;
        let mut bytes = 0;
        let names = team.accounts().filter_map(|account| {
            let person = self.person(account);
            (!person.name.is_empty()).then(|| wire::KnownName {
                account_id: account.to_bytes(),
                name: person.name,
            })
        });
        let fitting = names.take_while(|known| {
            bytes += known.name.len() + AccountId::BYTES + 8;
            bytes <= NAMES_BYTES_MAX
        });
        Some(wire::GroupInfo {
            version: team.info.version,
            name: team.info.name.clone(),
            description: team.info.description.clone(),
            photo: team.info.photo.to_vec().into(),
            names: fitting.take(KNOWN_NAMES_MAX).collect(),
            timer_seconds: self.chats.get(&conversation).map_or(0, |chat| chat.timer_s),
        })
    }

    /// Says a changed name, description or picture to the group; the command is answered when the server has the message.
    pub(super) fn say_info(
        &mut self,
        conversation: ConversationId,
        change: &InfoChange,
        command: Option<u64>,
    ) -> Result<(), ApiError> {
        let (Some(me), Some(team)) = (self.my_account(), self.teams.get(&conversation)) else {
            return Ok(());
        };
        if !policy::may_edit(&team.policy, me) {
            return Err(not_allowed("change name, description and picture of this group"));
        }
        let known = &team.info;
        let info = wire::GroupInfo {
            version: known.version.saturating_add(1),
            name: change.name.clone().unwrap_or_else(|| known.name.clone()),
            description: change.description.clone().unwrap_or_else(|| known.description.clone()),
            photo: change.photo.as_ref().unwrap_or(&known.photo).to_vec().into(),
            ..wire::GroupInfo::default()
        };
        group_info::group_info(&info).map_err(field)?;
        self.queue_control(conversation, Body::GroupInfo(info), command)
    }

    /// Somebody, perhaps we, says what the group is called; `seq` is the place of the message.
    pub(super) fn take_group_info(
        &mut self,
        conversation: ConversationId,
        from: AccountId,
        said: &wire::GroupInfo,
        seq: u64,
    ) {
        if group_info::group_info(said).is_err() {
            return;
        }
        self.take_names(conversation, &said.names);
        let Some(team) = self.teams.get_mut(&conversation) else {
            return;
        };
        let may_edit = policy::may_edit(&team.policy, from);
        let known = &team.info;
        let newer = (said.version, seq) > (known.version, known.seq);
        let holds = if may_edit {
            newer || !known.confirmed
        } else {
            known.name.is_empty()
        };
        if !holds {
            return;
        }
        let fresh = Info {
            version: said.version,
            seq,
            confirmed: may_edit,
            name: said.name.clone(),
            description: said.description.clone(),
            photo: said.photo.to_vec().into(),
        };
        let old = std::mem::replace(&mut team.info, fresh);
        self.save_team(conversation);
        if old.name.is_empty() && Some(from) != self.my_account() {
            if let Some(chat) = self.chats.get_mut(&conversation) {
                chat.timer_s = said.timer_seconds.min(TIMER_SECONDS_MAX);
            }
            self.save_chat(conversation);
            // Whoever has just been added knows now where he is; the others do not all know him.
            self.say_name(conversation);
        }
        // Whoever hears it for the first time has not seen it change.
        if old.confirmed {
            self.say_info_changes(conversation, from, &old, said);
        }
        self.say_chat(conversation);
    }

    fn say_info_changes(&mut self, conversation: ConversationId, from: AccountId, old: &Info, new: &wire::GroupInfo) {
        let changes = [
            (MessageKind::NoticeGroupName, old.name != new.name, &new.name),
            (
                MessageKind::NoticeGroupDescription,
                old.description != new.description,
                &new.description,
            ),
            (
                MessageKind::NoticeGroupPhoto,
                old.photo[..] != new.photo[..],
                &String::new(),
            ),
        ];
        for (kind, changed, text) in changes {
            if changed {
                let text = (!text.is_empty()).then(|| text.clone());
                self.add_notice_about(
                    conversation,
                    Notice {
                        kind,
                        from,
                        about: Vec::new(),
                        text,
                        target: None,
                    },
                );
            }
        }
    }

    /// Names of members, from somebody who knows them. What they call themselves counts more.
    fn take_names(&mut self, conversation: ConversationId, names: &[wire::KnownName]) {
        for known in names {
            let Ok(account) = AccountId::from_slice(&known.account_id) else {
                continue;
            };
            let member = self.teams.get(&conversation).is_some_and(|team| team.has(account));
            if let Some(peer) = self.peers.get_mut(&account).filter(|_| member)
                && peer.name.is_empty()
                && peer.name_version == 0
            {
                peer.name.clone_from(&known.name);
                self.save_peer(account);
            }
        }
    }
}
