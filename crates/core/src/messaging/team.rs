//! A group of people as this device knows it: who is in it, what it is called, and what we want changed.
//!
//! The members and their roles are the policy of the present epoch, as the MLS group has it; this is its copy for
//! screens and decisions between two epochs. Must not: change the group, which is `wishes`.

use std::collections::{BTreeMap, VecDeque};

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    policy, suite,
    wire::{self, GroupPolicy, Permission, Role},
};
use serde::{Deserialize, Serialize};

use super::{Chat, Entrance, InfoChange, Link, Marks, Party, history::Untold};
use crate::{
    api::{
        Allowed, ApiError, GroupMember, GroupRole, GroupSettings, GroupSummary, GroupView, MemberState, MessageInfo,
        Person, Reply, Standing, TimeMs,
    },
    commands::{Outcomes, invalid, now, refusal},
    messaging::{Place, Row},
    state::State,
    store::{Blob, keys},
};

const HOUR_MS: TimeMs = 3_600_000;

/// One row beside the chat's, because it is larger and changes less often. Resident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Team {
    pub(crate) conversation: ConversationId,
    pub(crate) standing: Standing,
    /// Of the MLS group; declared when it is made.
    pub(crate) suite: u16,
    /// Of the present epoch; of the first, while it is being made.
    #[serde(with = "encoded")]
    pub(crate) policy: GroupPolicy,
    pub(crate) info: Info,
    /// Of every other account in the roster.
    pub(crate) marks: BTreeMap<AccountId, Marks>,
    /// Our newest messages that were shown as delivered and as read.
    pub(crate) shown_delivered: u64,
    pub(crate) shown_read: u64,
    /// What we want changed, in order; the first is being worked on.
    pub(crate) wishes: VecDeque<Wish>,
    pub(crate) next_wish: u64,
    /// Links that we have made.
    #[serde(default)]
    pub(crate) links: Vec<Link>,
    /// The link by which we are coming in.
    #[serde(default)]
    pub(crate) entrance: Option<Entrance>,
    /// What we have missed before we came in, if somebody may tell us of it.
    #[serde(default)]
    pub(crate) untold: Option<Untold>,
}

/// What a group is called, as far as we were told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Info {
    pub(crate) version: u32,
    /// Where it was said: of two equal versions the later holds.
    pub(crate) seq: u64,
    /// Said by somebody who may change it. What the one who added us said holds until then.
    pub(crate) confirmed: bool,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) photo: Blob,
}

/// A change of the group that a person has asked for. Kept until it is in force or cannot be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Wish {
    pub(crate) id: u64,
    pub(crate) change: Wanted,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Wanted {
    Add(Vec<AccountId>),
    Remove(AccountId),
    Role(AccountId, GroupRole),
    Settings {
        post: Option<Allowed>,
        add: Option<Allowed>,
        edit: Option<Allowed>,
        #[serde(default)]
        history: Option<bool>,
    },
    Info(InfoChange),
    Invite(Link),
    /// By its public key.
    Uninvite([u8; 32]),
    /// And who owns it instead.
    Leave(Option<AccountId>),
}

/// The policy is stored as it stands in the GroupContext.
mod encoded {
    use kabar_protocol::wire::GroupPolicy;
    use prost::Message as _;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de::Error as _};

    use crate::store::Blob;

    pub(super) fn serialize<S: Serializer>(policy: &GroupPolicy, serializer: S) -> Result<S::Ok, S::Error> {
        Blob(policy.encode_to_vec()).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<GroupPolicy, D::Error> {
        let bytes = Blob::deserialize(deserializer)?;
        GroupPolicy::decode(&bytes[..]).map_err(D::Error::custom)
    }
}

impl Team {
    pub(crate) fn new(conversation: ConversationId, suite: u16, policy: GroupPolicy, standing: Standing) -> Self {
        Self {
            conversation,
            standing,
            suite,
            policy,
            info: Info::default(),
            marks: BTreeMap::new(),
            shown_delivered: 0,
            shown_read: 0,
            wishes: VecDeque::new(),
            next_wish: 0,
            links: Vec::new(),
            entrance: None,
            untold: None,
        }
    }

    /// Accounts that are in it, without those who are leaving.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = AccountId> {
        let staying = self
            .policy
            .members
            .iter()
            .filter(|member| member.role() != Role::Leaving);
        staying.filter_map(|member| AccountId::from_slice(&member.account_id).ok())
    }

    pub(crate) fn has(&self, account: AccountId) -> bool {
        self.accounts().any(|known| known == account)
    }

    pub(crate) fn role(&self, account: AccountId) -> Option<GroupRole> {
        self.has(account).then(|| match policy::role(&self.policy, account) {
            Role::Owner => GroupRole::Owner,
            Role::Admin => GroupRole::Admin,
            Role::Member | Role::Leaving | Role::Unspecified => GroupRole::Member,
        })
    }

    pub(crate) fn settings(&self) -> GroupSettings {
        let settings = self.policy.settings.unwrap_or_default();
        let allowed = |permission| match permission {
            Permission::All => Allowed::All,
            Permission::Admins | Permission::Unspecified => Allowed::Admins,
        };
        GroupSettings {
            post: allowed(settings.post()),
            add: allowed(settings.add()),
            edit: allowed(settings.edit()),
            history: settings.history,
        }
    }

    pub(crate) fn is_large(&self) -> bool {
        self.suite == suite::X25519
    }
}

impl GroupRole {
    pub(crate) fn wire(self) -> Role {
        match self {
            Self::Member => Role::Member,
            Self::Admin => Role::Admin,
            Self::Owner => Role::Owner,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

impl Allowed {
    pub(crate) fn wire(self) -> Permission {
        match self {
            Self::All => Permission::All,
            Self::Admins => Permission::Admins,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Admins => "admins",
        }
    }
}

pub(crate) fn not_in_group() -> ApiError {
    refusal("not_a_member", "you are not in this group any more")
}

impl State {
    pub(crate) fn save_team(&mut self, conversation: ConversationId) {
        if let Some(team) = self.teams.get(&conversation).cloned() {
            self.put(keys::team(conversation), &team);
        }
    }

    /// The other accounts of a conversation.
    pub(crate) fn accounts_of(&self, conversation: ConversationId) -> Vec<AccountId> {
        match self.chats.get(&conversation).map(|chat| chat.party) {
            Some(Party::Direct(peer)) => vec![peer],
            Some(Party::Group) => {
                let me = self.my_account();
                let team = self.teams.get(&conversation);
                let accounts = team.into_iter().flat_map(Team::accounts);
                accounts.filter(|account| Some(*account) != me).collect()
            }
            None => Vec::new(),
        }
    }

    pub(crate) fn is_with(&self, chat: &Chat, account: AccountId) -> bool {
        match chat.party {
            Party::Direct(peer) => peer == account,
            Party::Group => self.teams.get(&chat.conversation).is_some_and(|team| team.has(account)),
        }
    }

    /// False in a group that we have left or were removed from: there is nothing to send, to join or to keep up with.
    pub(crate) fn takes_part(&self, conversation: ConversationId) -> bool {
        let team = self.teams.get(&conversation);
        team.is_none_or(|team| matches!(team.standing, Standing::Making | Standing::Member | Standing::Joining))
    }

    /// Whom one talks to: a person, or a group under its name.
    pub(crate) fn other_side(&self, chat: &Chat) -> Person {
        match chat.party {
            Party::Direct(peer) => self.person(peer),
            Party::Group => Person {
                account_id: AccountId(chat.conversation.0),
                name: self
                    .teams
                    .get(&chat.conversation)
                    .map(|team| team.info.name.clone())
                    .unwrap_or_default(),
                username: None,
                phone: None,
                business: None,
            },
        }
    }

    pub(crate) fn group_summary(&self, chat: &Chat) -> Option<GroupSummary> {
        let team = self.teams.get(&chat.conversation)?;
        let me = self.my_account()?;
        let inside = self.takes_part(chat.conversation);
        let post = policy::check_post(&team.policy, me, wire::MessageClass::Content);
        Some(GroupSummary {
            members: u32::try_from(team.accounts().count()).unwrap_or(u32::MAX),
            standing: team.standing,
            role: if inside { team.role(me) } else { None },
            may_post: inside && post.is_ok(),
        })
    }

    pub(crate) fn group_view(&self, team: &Team) -> GroupView {
        let me = self.my_account();
        let mut members: Vec<GroupMember> = team
            .accounts()
            .map(|account| GroupMember {
                person: self.person(account),
                role: team.role(account).unwrap_or(GroupRole::Member),
                me: Some(account) == me,
            })
            .collect();
        members.sort_by(|a, b| (b.role, &a.person.name).cmp(&(a.role, &b.person.name)));
        GroupView {
            conversation_id: team.conversation,
            name: team.info.name.clone(),
            description: team.info.description.clone(),
            photo: hex::encode(&*team.info.photo),
            standing: team.standing,
            members,
            settings: team.settings(),
            invites: self.invite_views(team),
            large: team.is_large(),
        }
    }

    pub(crate) fn show_group(&self, conversation: ConversationId) -> Result<Reply, ApiError> {
        let team = self.teams.get(&conversation);
        team.map(|team| Reply::Group(self.group_view(team))).ok_or_else(|| {
            invalid(
                "conversation_id",
                "conversation_id must be the id of a group on this device",
            )
        })
    }

    /// With whom a message of ours has arrived.
    pub(crate) fn message_info(&mut self, message_id: kabar_protocol::ids::MessageId) -> Outcomes {
        let rule = "message_id must be the id of a message of yours on this device";
        let Some(place) = self.read::<Place>(keys::index(message_id))? else {
            return Ok(Err(invalid("message_id", rule)));
        };
        let row = self.read::<Row>(keys::message(place.conversation, place.seq, place.sub))?;
        let own = row.filter(|row| Some(row.from) == self.my_account() && row.sub == 0);
        let Some((chat, row)) = self.chats.get(&place.conversation).zip(own) else {
            return Ok(Err(invalid("message_id", rule)));
        };
        let members = self
            .states_of(chat, row.seq)
            .into_iter()
            .map(|(account, state)| MemberState {
                person: self.person(account),
                state,
            });
        now(Ok(Reply::MessageInfo(MessageInfo {
            message_id,
            state: self.state_of(chat, row.seq),
            members: members.collect(),
        })))
    }

    pub(crate) fn mute(&mut self, conversation: ConversationId, hours: Option<u32>) -> Result<Reply, ApiError> {
        let unknown = || refusal("conversation_unknown", "no such conversation on this device");
        let until = hours.map(|hours| self.now.saturating_add(TimeMs::from(hours) * HOUR_MS));
        self.chats.get_mut(&conversation).ok_or_else(unknown)?.muted_until = until;
        self.save_chat(conversation);
        self.say_chat(conversation);
        let chat = self.chats.get(&conversation).ok_or_else(unknown)?;
        Ok(Reply::Chat(self.chat_view(chat)))
    }
}
