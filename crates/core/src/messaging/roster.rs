//! Who is in a group: taken over from the MLS group at every epoch, and told in the thread.
//!
//! What changed is read off the policies before and after a commit, both of which passed `protocol::policy`; who did it
//! is the committer whom MLS authenticated. Must not: believe the server about either.

use std::collections::BTreeMap;

use kabar_protocol::{
    credential::Credential,
    ids::{AccountId, ConversationId, DeviceId, MessageId},
    policy::GroupFacts,
    wire::{GroupPolicy, Role},
};

use super::{Chat, Marks, Party, Team, history::Untold, team::not_in_group, with_role};
use crate::{
    api::{MessageKind, MessageState, Standing},
    state::{State, Work},
    store::keys,
};

/// A line about people in the thread.
pub(super) struct Notice {
    pub(super) kind: MessageKind,
    pub(super) from: AccountId,
    pub(super) about: Vec<AccountId>,
    pub(super) text: Option<String>,
    /// The message that it is about.
    pub(super) target: Option<MessageId>,
}

impl Notice {
    fn about(kind: MessageKind, by: Option<AccountId>, account: AccountId, text: Option<String>) -> Self {
        Self {
            kind,
            from: by.unwrap_or(account),
            about: vec![account],
            text,
            target: None,
        }
    }
}

/// The policy with those who came by a link, who have a leaf and are not listed yet.
fn listed(facts: &GroupFacts) -> GroupPolicy {
    let known = |account: &AccountId| facts.policy.members.iter().any(|m| m.account_id == account.as_slice());
    let unlisted: Vec<AccountId> = facts.accounts().into_iter().filter(|account| !known(account)).collect();
    let policy = facts.policy.clone();
    unlisted.into_iter().fold(policy, |policy, account| {
        with_role(&policy, account, Some(Role::Member))
    })
}

/// What one policy has other than the one before: leavers, the removed, the added, roles, settings.
fn changes(before: &Team, after: &Team, by: Option<AccountId>) -> Vec<Notice> {
    let raw = |policy: &GroupPolicy| -> BTreeMap<AccountId, Role> {
        let members = policy.members.iter();
        members
            .filter_map(|m| Some((AccountId::from_slice(&m.account_id).ok()?, m.role())))
            .collect()
    };
    let (old, new) = (raw(&before.policy), raw(&after.policy));
    let mut notices = Vec::new();
    for (account, role) in old.iter().filter(|(_, role)| **role != Role::Leaving) {
        match new.get(account) {
            None => notices.push(Notice::about(MessageKind::NoticeRemoved, by, *account, None)),
            Some(Role::Leaving) => notices.push(Notice::about(MessageKind::NoticeLeft, None, *account, None)),
            Some(now) if now != role => {
                let name = after.role(*account).map(|role| role.name().to_owned());
                notices.push(Notice::about(MessageKind::NoticeRole, by, *account, name));
            }
            Some(_) => {}
        }
    }
    let added: Vec<AccountId> = after.accounts().filter(|account| !before.has(*account)).collect();
    if !added.is_empty() {
        notices.push(Notice {
            kind: MessageKind::NoticeAdded,
            from: by.unwrap_or(added[0]),
            about: added,
            text: None,
            target: None,
        });
    }
    let (was, is) = (before.settings(), after.settings());
    let named = [
        ("post", was.post, is.post),
        ("add", was.add, is.add),
        ("edit", was.edit, is.edit),
    ];
    let changed = named.iter().filter(|(_, was, is)| was != is);
    let mut text: Vec<String> = changed.map(|(what, _, is)| format!("{what}: {}", is.name())).collect();
    if was.history != is.history {
        text.push(format!("history: {}", if is.history { "on" } else { "off" }));
    }
    if let Some(by) = by.filter(|_| !text.is_empty()) {
        notices.push(Notice {
            kind: MessageKind::NoticeGroupSettings,
            from: by,
            about: Vec::new(),
            text: Some(text.join(", ")),
            target: None,
        });
    }
    notices
}

impl State {
    /// The group is in a new epoch by a commit of `by`, or we are in it by ourselves (`None`). Takes its roster over, and
    /// says what changed. False if we are not in it any more. Nothing of it concerns a conversation of two.
    pub(super) fn roster_changed(&mut self, conversation: ConversationId, by: Option<AccountId>, seq: u64) -> bool {
        let Some(me) = self.my_account() else { return true };
        let group = self.chats.get(&conversation).and_then(|chat| chat.group);
        let facts = group.and_then(|group| self.groups.get(conversation, group.slot));
        let Some(facts) = facts.and_then(|group| group.facts().ok()) else {
            return true;
        };
        let Some(before) = self.teams.get(&conversation).cloned() else {
            return true;
        };
        let after = self.take_over(conversation, &facts, seq);
        let came_alone = by.is_some_and(|by| !before.has(by) && after.has(by) && Some(by) != self.my_account());
        if before.standing == Standing::Member && came_alone {
            self.receive_newcomers(conversation);
        }
        // Who comes in does not hear of what was before.
        if before.standing == Standing::Member && !before.policy.members.is_empty() {
            for notice in changes(&before, &after, by) {
                self.add_notice_about(conversation, notice);
            }
        }
        let standing = match (after.has(me), before.has(me)) {
            (true, _) => return true,
            (false, _) if facts.role(me) == Role::Leaving => Standing::Left,
            (false, _) => Standing::Removed,
        };
        self.depart(conversation, standing);
        false
    }

    fn take_over(&mut self, conversation: ConversationId, facts: &GroupFacts, seq: u64) -> Team {
        let (me, timelines) = (self.my_account(), self.cursor.timelines);
        let team = self
            .teams
            .entry(conversation)
            .or_insert_with(|| Team::new(conversation, facts.suite, facts.policy.clone(), Standing::Member));
        team.suite = facts.suite;
        team.policy = listed(facts);
        let others: Vec<AccountId> = team.accounts().filter(|account| Some(*account) != me).collect();
        let fewer = team.marks.keys().any(|account| !others.contains(account));
        team.marks.retain(|account, _| others.contains(account));
        for account in &others {
            team.marks
                .entry(*account)
                .or_insert_with(|| Marks::since(seq, timelines));
        }
        let team = team.clone();
        self.save_team(conversation);
        if fewer {
            // Whoever was slowest may be gone.
            for state in [MessageState::Delivered, MessageState::Read] {
                self.group_marks_moved(conversation, me, state);
            }
        }
        for account in others {
            self.know(account);
        }
        team
    }

    /// Our own messages may be further with everybody than they were; `by` is whose mark moved.
    pub(super) fn group_marks_moved(
        &mut self,
        conversation: ConversationId,
        by: Option<AccountId>,
        state: MessageState,
    ) {
        let Some((chat, by)) = self.chats.get(&conversation).zip(by) else {
            return;
        };
        let to = chat.own_seq;
        self.work.push_back(Work::Marks {
            conversation,
            by,
            from: 0,
            to,
            state,
        });
    }

    /// We are in: by making it, by a Welcome, or by ourselves. The group is loaded and adopted.
    pub(super) fn entered_group(&mut self, conversation: ConversationId, by: Option<AccountId>, seq: u64) {
        if self
            .chats
            .get(&conversation)
            .is_none_or(|chat| chat.party != Party::Group)
        {
            return;
        }
        let Some(me) = self.my_account() else { return };
        let was = self.teams.get(&conversation).map(|team| team.standing);
        let known = self
            .teams
            .get(&conversation)
            .is_some_and(|team| !team.policy.members.is_empty());
        if !self.roster_changed(conversation, by, seq) {
            return;
        }
        let kind = match was {
            Some(Standing::Member) if known => None,
            Some(Standing::Making) => Some(MessageKind::NoticeGroupCreated),
            _ => Some(MessageKind::NoticeAdded),
        };
        let last = self
            .chats
            .get(&conversation)
            .and_then(|chat| chat.last.as_ref())
            .map_or(0, |row| row.seq);
        if let Some(team) = self.teams.get_mut(&conversation) {
            team.standing = Standing::Member;
            if kind == Some(MessageKind::NoticeAdded) {
                team.untold = Some(Untold {
                    after: last,
                    before: seq,
                });
            }
        }
        self.save_team(conversation);
        if let Some(kind) = kind {
            let created = kind == MessageKind::NoticeGroupCreated;
            self.add_notice_about(
                conversation,
                Notice {
                    kind,
                    from: by.unwrap_or(me),
                    about: if created { Vec::new() } else { vec![me] },
                    text: None,
                    target: None,
                },
            );
        }
        if self.came_in(conversation) {
            self.say_name(conversation);
        }
    }

    /// We are out of the group, for good unless somebody adds us again: its keys go, its thread stays.
    pub(super) fn depart(&mut self, conversation: ConversationId, standing: Standing) {
        self.drop_candidate(conversation);
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.pending_commit = None;
            chat.lost = false;
            chat.on_server = false;
            if let Some(old) = chat.group.take() {
                self.drop_slot(conversation, old.slot);
            }
        }
        if let Some(team) = self.teams.get_mut(&conversation) {
            team.standing = standing;
            team.marks.clear();
        }
        // Our own leaving is such a wish: it has come true.
        self.end_wishes(conversation);
        self.fail_intents(conversation, &not_in_group());
        self.save_team(conversation);
        self.save_chat(conversation);
        self.say_chat(conversation);
    }

    /// A group that has not been begun and cannot be: nothing of it stays.
    pub(super) fn abandon(&mut self, conversation: ConversationId, error: &crate::api::ApiError) {
        self.drop_candidate(conversation);
        self.live.entry(conversation).or_default().building = None;
        let orders: Vec<u64> = self.queued(conversation).map(|intent| intent.order).collect();
        for order in orders {
            self.intents.remove(&(conversation, order));
            self.delete(keys::intent(conversation, order));
            if let Some(command_id) = self.waiting.sends.remove(&order) {
                self.reply(command_id, Err(error.clone()));
            }
        }
        self.chats.remove(&conversation);
        self.teams.remove(&conversation);
        self.delete(keys::chat(conversation));
        self.delete(keys::team(conversation));
    }

    pub(super) fn is_making(&self, conversation: ConversationId) -> bool {
        let team = self.teams.get(&conversation);
        team.is_some_and(|team| team.standing == Standing::Making)
    }

    /// Makes the chat of a group that somebody else has begun, if it is new here. `by` whom we were added.
    pub(super) fn open_group_chat(&mut self, conversation: ConversationId, by: Option<AccountId>) {
        if self.chats.contains_key(&conversation) {
            return;
        }
        let mut chat = Chat::new(conversation, Party::Group, self.now);
        // Whom we talk to already may add us without asking.
        let acquainted = |by: AccountId| {
            let mut chats = self.chats.values();
            chats.any(|chat| chat.party == Party::Direct(by) && !chat.request)
        };
        chat.request = !by.is_some_and(acquainted);
        self.chats.insert(conversation, chat);
        self.save_chat(conversation);
        let team = Team::new(conversation, 0, GroupPolicy::default(), Standing::Member);
        self.teams.insert(conversation, team);
        self.save_team(conversation);
    }

    /// The server does not have the group, or not us in it.
    pub(super) fn group_is_gone(&mut self, conversation: ConversationId) {
        let Some(team) = self.teams.get(&conversation) else {
            return;
        };
        if team.policy.members.is_empty() {
            // We were told of it, and never came in.
            let error = not_in_group();
            return self.abandon(conversation, &error);
        }
        if !self.is_unchecked(conversation) {
            if let Some(me) = self.my_account() {
                let notice = Notice::about(MessageKind::NoticeRemoved, None, me, None);
                self.add_notice_about(conversation, notice);
            }
            return self.depart(conversation, Standing::Removed);
        }
        // A restored server has forgotten it: whoever writes first makes it anew, with the same people and roles.
        self.drop_candidate(conversation);
        if let Some(chat) = self.chats.get_mut(&conversation) {
            chat.on_server = false;
            chat.lost = false;
            chat.pending_commit = None;
            if let Some(old) = chat.group.take() {
                self.drop_slot(conversation, old.slot);
            }
        }
        if let Some(team) = self.teams.get_mut(&conversation) {
            team.policy.generation = 0;
        }
        self.save_team(conversation);
        self.save_chat(conversation);
        self.pause(conversation, None);
    }

    /// Accounts that we know in the group and that its policy does not list, as leaves without a device.
    pub(super) fn unlisted(&self, conversation: ConversationId, facts: &GroupFacts) -> Vec<Credential> {
        let team = self.teams.get(&conversation);
        let accounts = team.into_iter().flat_map(Team::accounts);
        let listed = |account: &AccountId| facts.policy.members.iter().any(|m| m.account_id == account.as_slice());
        let unlisted = accounts.filter(|account| !listed(account));
        unlisted
            .map(|account| Credential {
                account,
                device: DeviceId([0; 16]),
                list_version: 0,
                list_hash: [0; 32],
            })
            .collect()
    }
}
