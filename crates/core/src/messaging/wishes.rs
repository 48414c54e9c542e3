//! Changes of a group that we want: from the wish to the commit that the server accepts.
//!
//! A wish is stored, and built into a commit on the epoch of the moment; if somebody else commits first, it is built
//! again on what he made of the group, and is done if that is what we wanted. One at a time, in order.
//! Must not: decide what is allowed, which `protocol::policy` does here as everywhere.

use kabar_protocol::{
    ids::{AccountId, ConversationId, DeviceId},
    policy::{self, GroupFacts, PolicyError},
    wire::{GroupPolicy, MemberRole, Role, content::Body},
};

use super::{
    Building, InfoChange, Link, Purposed, Team, Wanted, Wish,
    commits::Built,
    invites::{with_invite, without_invite},
};
use crate::{
    api::{Allowed, ApiError, GroupRole, Reply},
    commands::{invalid, refusal},
    mls::CheckedKeyPackage,
    state::State,
};

/// Times that somebody without keys is looked for again, with growing pauses, before it is said.
const REACHED_AGAIN_MAX: u32 = 2;
/// Changes of one group that may wait.
const WISHES_MAX: usize = 32;

/// What the next wish comes to on the present epoch.
enum Plan {
    /// It is as we want it.
    Nothing,
    /// A message says it.
    Say(InfoChange),
    /// These accounts come in.
    Add(Vec<AccountId>),
    Commit {
        policy: GroupPolicy,
        removed: Option<AccountId>,
    },
    /// The server is to know this link.
    Publish(Link),
    /// The server is to forget the link of this key.
    Unpublish([u8; 32]),
}

pub(super) fn not_allowed(what: &str) -> ApiError {
    refusal("not_allowed", &format!("only an admin may {what}"))
}

/// A rule of the group as the person is told who broke it.
pub(super) fn rule_broken(rule: &PolicyError) -> ApiError {
    match rule {
        PolicyError::Role => refusal("not_allowed", "your role in this group does not allow this"),
        rule => refusal(rule.rule(), &rule.to_string()),
    }
}

fn not_a_member_of_it() -> ApiError {
    invalid("who", "who must be a member of this group")
}

/// The policy with this account in this role, or without it.
pub(crate) fn with_role(policy: &GroupPolicy, account: AccountId, role: Option<Role>) -> GroupPolicy {
    let mut policy = policy.clone();
    policy.members.retain(|member| member.account_id != account.as_slice());
    policy.members.extend(role.map(|role| MemberRole {
        account_id: account.to_bytes(),
        role: role.into(),
    }));
    policy.members.sort_by(|a, b| a.account_id.cmp(&b.account_id));
    policy
}

impl Team {
    fn plan(&self, me: AccountId, wanted: &Wanted) -> Result<Plan, ApiError> {
        let commit = |policy: GroupPolicy| {
            if policy == self.policy {
                Plan::Nothing
            } else {
                Plan::Commit { policy, removed: None }
            }
        };
        match wanted {
            Wanted::Add(accounts) => {
                // Before anybody's keys are taken for it.
                let plain = self.role(me) == Some(GroupRole::Member);
                if plain && self.settings().add == Allowed::Admins {
                    return Err(not_allowed("add people to this group"));
                }
                let new: Vec<AccountId> = accounts.iter().copied().filter(|account| !self.has(*account)).collect();
                Ok(if new.is_empty() { Plan::Nothing } else { Plan::Add(new) })
            }
            Wanted::Remove(account) if self.has(*account) => Ok(Plan::Commit {
                policy: with_role(&self.policy, *account, None),
                removed: Some(*account),
            }),
            Wanted::Remove(_) => Ok(Plan::Nothing),
            Wanted::Role(account, role) if self.has(*account) => {
                Ok(commit(with_role(&self.policy, *account, Some(role.wire()))))
            }
            Wanted::Role(..) => Err(not_a_member_of_it()),
            Wanted::Settings {
                post,
                add,
                edit,
                history,
            } => {
                let mut policy = self.policy.clone();
                let settings = policy.settings.get_or_insert_default();
                let set = |field: &mut i32, allowed: &Option<Allowed>| {
                    if let Some(allowed) = allowed {
                        *field = allowed.wire().into();
                    }
                };
                set(&mut settings.post, post);
                set(&mut settings.add, add);
                set(&mut settings.edit, edit);
                settings.history = history.unwrap_or(settings.history);
                Ok(commit(policy))
            }
            Wanted::Info(change) => Ok(Plan::Say(change.clone())),
            Wanted::Invite(_) | Wanted::Uninvite(_) if !policy::may_add(&self.policy, me) => {
                Err(not_allowed("make and take back links into this group"))
            }
            Wanted::Invite(link) if link.approval => Ok(Plan::Publish(link.clone())),
            Wanted::Invite(link) => Ok(match with_invite(&self.policy, me, link) {
                policy if policy == self.policy => Plan::Publish(link.clone()),
                policy => Plan::Commit { policy, removed: None },
            }),
            Wanted::Uninvite(key) => Ok(match without_invite(&self.policy, key) {
                policy if policy == self.policy => Plan::Unpublish(*key),
                policy => Plan::Commit { policy, removed: None },
            }),
            Wanted::Leave(successor) => self.plan_leaving(me, *successor),
        }
    }

    fn plan_leaving(&self, me: AccountId, successor: Option<AccountId>) -> Result<Plan, ApiError> {
        let mut policy = with_role(&self.policy, me, Some(Role::Leaving));
        if let Some(successor) = successor {
            if !self.has(successor) || successor == me {
                return Err(invalid("successor", "successor must be another member of this group"));
            }
            policy = with_role(&policy, successor, Some(Role::Owner));
        }
        let others = self.accounts().any(|account| account != me);
        let owned = policy.members.iter().any(|member| member.role() == Role::Owner);
        match (owned, others) {
            (true, _) => Ok(Plan::Commit { policy, removed: None }),
            (false, true) => Err(refusal(
                "last_owner",
                "you are the last owner of this group: name a successor, and leave it to him",
            )),
            // Nobody is left who could own it: it is forgotten here, and its keys with it.
            (false, false) => Ok(Plan::Nothing),
        }
    }
}

impl State {
    /// Queues a change; the answer to a command comes when it is in force, or cannot be.
    pub(crate) fn wish(
        &mut self,
        command: Option<u64>,
        conversation: ConversationId,
        change: Wanted,
    ) -> Result<(), ApiError> {
        let Some(team) = self.teams.get_mut(&conversation) else {
            return Ok(());
        };
        if team.wishes.len() >= WISHES_MAX {
            return Err(refusal(
                "busy",
                "too many changes of this group wait; try again when they are done",
            ));
        }
        team.next_wish += 1;
        let id = team.next_wish;
        team.wishes.push_back(Wish { id, change });
        self.save_team(conversation);
        if let Some(command_id) = command {
            self.waiting.wishes.insert((conversation, id), command_id);
        }
        self.due.insert(conversation);
        Ok(())
    }

    pub(super) fn has_wishes(&self, conversation: ConversationId) -> bool {
        self.teams
            .get(&conversation)
            .is_some_and(|team| !team.wishes.is_empty())
    }

    /// Begins what the next wish needs. True if so: everything else waits for it. The group is loaded, and no commit of
    /// ours is pending.
    pub(super) fn change_group(&mut self, conversation: ConversationId) -> bool {
        loop {
            let Some((team, me)) = self.teams.get(&conversation).zip(self.my_account()) else {
                return false;
            };
            let Some(wish) = team.wishes.front().cloned() else {
                return false;
            };
            let ended = match team.plan(me, &wish.change) {
                Err(error) => Err(error),
                Ok(Plan::Nothing) if matches!(wish.change, Wanted::Leave(_)) => {
                    self.depart(conversation, crate::api::Standing::Left);
                    return true;
                }
                Ok(Plan::Nothing) => Ok(()),
                Ok(Plan::Say(change)) => {
                    let command = self.waiting.wishes.get(&(conversation, wish.id)).copied();
                    let said = self.say_info(conversation, &change, command);
                    if said.is_ok() {
                        // It is the message's from now on.
                        self.waiting.wishes.remove(&(conversation, wish.id));
                    }
                    said
                }
                Ok(Plan::Publish(link)) => return self.publish_link(conversation, &link),
                Ok(Plan::Unpublish(key)) => return self.unpublish_link(conversation, &key),
                Ok(Plan::Add(accounts)) => match self.add(conversation, &wish, &accounts) {
                    Ok(()) => return true,
                    Err(error) => Err(error),
                },
                Ok(Plan::Commit { policy, removed }) => {
                    let facts = self.groups_facts(conversation);
                    let gone: Vec<DeviceId> = facts
                        .iter()
                        .flat_map(|facts| &facts.leaves)
                        .filter(|leaf| Some(leaf.account) == removed)
                        .map(|leaf| leaf.device)
                        .collect();
                    match self.commit(conversation, Vec::new(), &gone, Some(&policy), Some(wish.id)) {
                        Built::Pending => return true,
                        Built::Refused(rule) => Err(rule_broken(&rule)),
                        Built::Broken => {
                            self.lose(conversation);
                            return true;
                        }
                    }
                }
            };
            self.wish_ended(conversation, wish.id, ended);
        }
    }

    pub(super) fn groups_facts(&self, conversation: ConversationId) -> Option<GroupFacts> {
        let slot = self.chats.get(&conversation)?.group?.slot;
        self.groups.get(conversation, slot)?.facts().ok()
    }

    /// Claims what is missing, or builds the commit out of what has come.
    fn add(&mut self, conversation: ConversationId, wish: &Wish, accounts: &[AccountId]) -> Result<(), ApiError> {
        let suite = self.teams.get(&conversation).map(|team| team.suite).unwrap_or_default();
        let live = self.live.entry(conversation).or_default();
        let building = live
            .building
            .take_if(|building| matches!(building.what, Purposed::Add(id) if id == wish.id));
        let claimed = building.filter(|building| building.to_claim.is_empty());
        let Some(building) = claimed else {
            self.live.entry(conversation).or_default().building = Some(Building {
                what: Purposed::Add(wish.id),
                suite,
                to_claim: accounts.to_vec(),
                claimed: Vec::new(),
            });
            self.claim_next(conversation);
            return Ok(());
        };
        self.commit_adding(conversation, wish.id, accounts, &building)
    }

    fn commit_adding(
        &mut self,
        conversation: ConversationId,
        wish: u64,
        accounts: &[AccountId],
        building: &Building,
    ) -> Result<(), ApiError> {
        let own = self.my_device().unwrap_or(DeviceId([0; 16]));
        let packages = self.judged_key_packages(own, &building.claimed);
        let packages =
            packages.map_err(|_| refusal("credential", "the server offers keys that are not this person's"))?;
        let packages: Vec<CheckedKeyPackage> = packages
            .into_iter()
            .filter(|package| accounts.contains(&package.credential.account))
            .collect();
        let present = |account: &AccountId| packages.iter().any(|package| package.credential.account == *account);
        if let Some(missing) = accounts.iter().find(|account| !present(account)) {
            return self.try_again_to_reach(conversation, *missing);
        }
        let mut policy = self
            .teams
            .get(&conversation)
            .map(|team| team.policy.clone())
            .unwrap_or_default();
        for account in accounts {
            policy = with_role(&policy, *account, Some(Role::Member));
        }
        match self.commit(conversation, packages, &[], Some(&policy), Some(wish)) {
            Built::Pending => Ok(()),
            Built::Refused(rule) => Err(rule_broken(&rule)),
            Built::Broken => {
                self.lose(conversation);
                Ok(())
            }
        }
    }

    /// Somebody who has just signed up may publish his keys in a moment; after a few looks it is an error.
    pub(super) fn try_again_to_reach(
        &mut self,
        conversation: ConversationId,
        account: AccountId,
    ) -> Result<(), ApiError> {
        let live = self.live.entry(conversation).or_default();
        live.building = None;
        if live.failures >= REACHED_AGAIN_MAX {
            return Err(self.unreachable(account));
        }
        self.pause(conversation, None);
        Ok(())
    }

    /// Nobody can be added without keys of his.
    pub(super) fn unreachable(&self, account: AccountId) -> ApiError {
        let person = self.person(account);
        let username = person.username.map(|username| format!("@{username}"));
        let name = username.or(Some(person.name)).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| account.to_string());
        let message = format!("{name} has no device that can be added now; it has to be online once with this version");
        refusal("member_unreachable", &message)
    }

    /// The wish's commit is the group's: what follows from it, and the answer.
    pub(super) fn wish_granted(&mut self, conversation: ConversationId, id: u64) {
        self.live.entry(conversation).or_default().building = None;
        let wish = self.teams.get(&conversation).and_then(|team| team.wishes.front());
        let link = wish.filter(|wish| wish.id == id).map(|wish| &wish.change);
        if let Some(Wanted::Invite(_) | Wanted::Uninvite(_)) = link {
            // The members know of it; now the server is told.
            self.due.insert(conversation);
            return;
        }
        self.wish_ended(conversation, id, Ok(()));
    }

    pub(super) fn wish_ended(&mut self, conversation: ConversationId, id: u64, result: Result<(), ApiError>) {
        let Some(team) = self.teams.get_mut(&conversation) else {
            return;
        };
        let Some(at) = team.wishes.iter().position(|wish| wish.id == id) else {
            return;
        };
        let wish = team.wishes.remove(at);
        self.save_team(conversation);
        self.live.entry(conversation).or_default().building = None;
        let command = self.waiting.wishes.remove(&(conversation, id));
        if let Err(error) = result {
            if let Some(command_id) = command {
                self.reply(command_id, Err(error));
            }
            return;
        }
        let change = wish.map(|wish| wish.change);
        if let Some(Wanted::Invite(link)) = &change {
            return self.answer_with_link(conversation, link, command);
        }
        if matches!(change, Some(Wanted::Add(_))) {
            self.tell_history(conversation);
        }
        if matches!(change, Some(Wanted::Add(_)))
            && let Some(info) = self.known_info(conversation).filter(|info| !info.name.is_empty())
            && self.queue_control(conversation, Body::GroupInfo(info), command).is_ok()
        {
            // The answer comes when the new ones can know where they are.
            return;
        }
        self.answer_with_group(conversation, command);
    }

    pub(super) fn answer_with_group(&mut self, conversation: ConversationId, command: Option<u64>) {
        if let Some(command_id) = command
            && let Some(team) = self.teams.get(&conversation)
        {
            let view = self.group_view(team);
            self.reply(command_id, Ok(Reply::Group(view)));
        }
    }

    /// We are out: our leaving is granted, everything else is void.
    pub(super) fn end_wishes(&mut self, conversation: ConversationId) {
        let Some(team) = self.teams.get_mut(&conversation) else {
            return;
        };
        let wishes = std::mem::take(&mut team.wishes);
        for wish in wishes {
            let command = self.waiting.wishes.remove(&(conversation, wish.id));
            match wish.change {
                Wanted::Leave(_) => self.answer_with_group(conversation, command),
                _ => {
                    if let Some(command_id) = command {
                        self.reply(command_id, Err(super::team::not_in_group()));
                    }
                }
            }
        }
    }

    /// The server or a claim says that it cannot be, for now or ever: the person decides whether to try again.
    pub(super) fn fail_first_wish(&mut self, conversation: ConversationId, error: ApiError) {
        let first = self
            .teams
            .get(&conversation)
            .and_then(|team| team.wishes.front())
            .map(|wish| wish.id);
        if let Some(id) = first {
            self.wish_ended(conversation, id, Err(error));
        }
    }

    /// Leaves of those who have left, and the policy without them.
    pub(super) fn leavers(&self, facts: &GroupFacts) -> (Vec<DeviceId>, Option<GroupPolicy>) {
        let leaving = |account: AccountId| facts.role(account) == Role::Leaving;
        let leaves = facts.leaves.iter().filter(|leaf| leaving(leaf.account));
        let devices = leaves.map(|leaf| leaf.device).collect();
        let mut policy = facts.policy.clone();
        policy.members.retain(|member| member.role() != Role::Leaving);
        (devices, (policy != facts.policy).then_some(policy))
    }
}
