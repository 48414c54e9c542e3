//! Beginning a group: KeyPackages claimed, the group built, and the server's word on it.
//!
//! A new group is a candidate in a slot of its own until the server accepts it. The request is stored with it, so
//! that it can be repeated byte for byte after a lost answer.

use kabar_protocol::{
    ids::{AccountId, ClientMessageId, ConversationId, DeviceId},
    policy::{self, GroupFacts},
    suite,
    wire::{
        self, ConversationKind, GroupPolicy, MemberRole, Role, claim_key_packages_outcome, client_frame::Body,
        server_frame,
    },
};

use super::{
    Building, Candidate, CandidateKind, Control, Party, Purposed, candidate::encode_request, wishes::rule_broken,
};
use crate::{
    accounts::Verdict,
    api::{ApiError, BusinessSend},
    commands::refusal,
    connection::{Answer, Purpose},
    mls::{self, CheckedKeyPackage, Group, MlsError, Storage},
    state::State,
    store::keys,
};

/// Why there is no group.
enum NotBuilt {
    /// This account has no device that could be added.
    Unreachable(AccountId),
    Refused(ApiError),
}

impl State {
    /// Starts to build a group: the first generation, or the next one after a reset.
    pub(super) fn begin_group(
        &mut self,
        conversation: ConversationId,
        kind: CandidateKind,
        generation: u32,
        last: Option<GroupFacts>,
    ) {
        let Some(me) = self.my_account() else {
            return;
        };
        let mut to_claim = self.accounts_of(conversation);
        if let Some(last) = &last {
            // Of a group, the server's last roster may be a later one than ours.
            to_claim = last.roster().into_iter().filter(|account| *account != me).collect();
        }
        if self.current_devices(me).len() > 1 {
            to_claim.push(me);
        }
        let suite = match (&last, self.teams.get(&conversation)) {
            (Some(last), _) => last.suite,
            (None, Some(team)) => team.suite,
            (None, None) => suite::XWING,
        };
        self.live.entry(conversation).or_default().building = Some(Building {
            what: Purposed::Group {
                kind,
                generation,
                last: last.map(Box::new),
            },
            suite,
            to_claim,
            claimed: Vec::new(),
        });
        self.claim_next(conversation);
    }

    /// The next account's KeyPackages; once all are here, what they are for.
    pub(super) fn claim_next(&mut self, conversation: ConversationId) {
        let live = self.live.entry(conversation).or_default();
        live.busy = None;
        let Some(building) = live.building.as_mut() else {
            return;
        };
        let suite = building.suite;
        let Some(account) = building.to_claim.pop() else {
            if let Purposed::Group { .. } = building.what {
                self.build_group(conversation);
            } else {
                // The wish that they are for finds them at the next look.
                self.due.insert(conversation);
            }
            return;
        };
        live.busy = Some(Control::Claim(account));
        let claim = wire::ClaimKeyPackages {
            account_id: account.to_bytes(),
            suite: suite.into(),
            from_version: 0,
        };
        self.request(
            Purpose::Control(conversation, Control::Claim(account)),
            Body::ClaimKeyPackages(claim),
        );
    }

    pub(super) fn claim_answered(&mut self, conversation: ConversationId, account: AccountId, answer: &Answer) {
        use claim_key_packages_outcome::Outcome as Claim;
        match answer {
            Ok(server_frame::Body::ClaimKeyPackages(wire::ClaimKeyPackagesOutcome {
                outcome: Some(Claim::Claimed(claimed)),
            })) => {
                let known = claimed
                    .device_list
                    .as_ref()
                    .is_some_and(|list| self.learn_list(account, list));
                let building = self.live.entry(conversation).or_default().building.as_mut();
                match building {
                    Some(building) if known => {
                        building.claimed.extend(claimed.key_packages.iter().cloned());
                        self.claim_next(conversation);
                    }
                    _ => self.give_up_building(conversation),
                }
            }
            Ok(server_frame::Body::ClaimKeyPackages(_)) => {
                let error = refusal("account_unknown", "this account does not exist on the server any more");
                self.building_failed(conversation, &error);
            }
            Ok(_) => self.give_up_building(conversation),
            Err(failure) => {
                use wire::error::Code;
                let adds = self.is_adding(conversation);
                let refused = matches!(failure.kind, Code::Invalid | Code::Denied | Code::NotFound);
                if adds && (refused || failure.kind == Code::RateLimited) {
                    return self.building_failed(conversation, &failure.error);
                }
                self.live.entry(conversation).or_default().building = None;
                self.control_failed(conversation, failure);
            }
        }
    }

    fn is_adding(&self, conversation: ConversationId) -> bool {
        let building = self.live.get(&conversation).and_then(|live| live.building.as_ref());
        building.is_some_and(|building| matches!(building.what, Purposed::Add(_)))
    }

    /// It can never be built: whoever waits for it is told, and a group that was not begun is forgotten.
    fn building_failed(&mut self, conversation: ConversationId, error: &ApiError) {
        let adds = self.is_adding(conversation);
        self.give_up_building(conversation);
        if adds {
            self.fail_first_wish(conversation, error.clone());
        } else if self.is_making(conversation) {
            self.abandon(conversation, error);
        } else {
            self.fail_intents(conversation, error);
        }
    }

    fn give_up_building(&mut self, conversation: ConversationId) {
        self.live.entry(conversation).or_default().building = None;
        self.pause(conversation, None);
    }

    /// All KeyPackages are here: builds the group, and the request that gives it to the server.
    fn build_group(&mut self, conversation: ConversationId) {
        let Some(building) = self.live.entry(conversation).or_default().building.take() else {
            return;
        };
        let Some(slot) = self.next_slot(conversation) else {
            return;
        };
        let Purposed::Group { kind, generation, .. } = building.what else {
            return;
        };
        let (group, bundle) = match self.create_group(conversation, slot, &building) {
            Ok(created) => created,
            Err(NotBuilt::Unreachable(missing)) if self.is_making(conversation) => {
                if let Err(error) = self.try_again_to_reach(conversation, missing) {
                    self.abandon(conversation, &error);
                }
                return;
            }
            Err(NotBuilt::Refused(error)) if self.is_making(conversation) => {
                return self.abandon(conversation, &error);
            }
            Err(_) => return self.pause(conversation, None),
        };
        let epoch = group.epoch();
        let welcomed = self.others(&group);
        self.keep_group(conversation, slot, group);
        let bundle = wire::CommitBundle {
            commit: bundle.commit.into(),
            group_info: bundle.group_info.into(),
            welcome: bundle.welcome.into(),
            welcomed,
        };
        let mut first_order = None;
        let body = if kind == CandidateKind::Reset {
            Body::ResetConversation(wire::ResetConversation {
                conversation_id: conversation.to_bytes(),
                generation: generation.saturating_sub(1),
                bundle: Some(bundle),
            })
        } else {
            let first = self.first_send(conversation, slot);
            first_order = first.as_ref().map(|(order, _)| *order);
            Body::CreateConversation(wire::CreateConversation {
                conversation_id: conversation.to_bytes(),
                kind: self.kind_of_group(conversation).into(),
                bundle: Some(bundle),
                first: first.map(|(_, send)| send),
            })
        };
        self.propose_candidate(
            conversation,
            Candidate {
                kind,
                slot,
                generation,
                epoch,
                request: encode_request(body),
                first: first_order,
            },
        );
    }

    /// What waits longest, with its order: it travels in the request that makes the group.
    fn first_send(&mut self, conversation: ConversationId, slot: u32) -> Option<(u64, wire::Send)> {
        let intent = self
            .queued(conversation)
            .find(|intent| intent.failed.is_none())?
            .clone();
        let (message, client): (_, ClientMessageId) = (intent.message_id, intent.client_message_id);
        let mut send = self.seal(conversation, slot, message, client, intent.class(), &intent.content)?;
        send.business = intent.business.map(BusinessSend::wire);
        send.ttl_s = intent.ttl_s(self.now);
        Some((intent.order, send))
    }

    fn create_group(
        &self,
        conversation: ConversationId,
        slot: u32,
        building: &Building,
    ) -> Result<(Group, mls::Bundle), NotBuilt> {
        let failed = |error: MlsError| NotBuilt::Refused(refusal("group_not_built", &error.to_string()));
        let (Some(account), Purposed::Group { generation, last, .. }) = (&self.account, &building.what) else {
            return Err(failed(MlsError::Malformed("account")));
        };
        let packages = self
            .judged_key_packages(account.device, &building.claimed)
            .map_err(failed)?;
        self.check_reachable(conversation, last.is_some(), &packages)?;
        let policy = self.first_policy(conversation, *generation, last.as_deref());
        let key = account.secret.key();
        let storage = Storage::new(keys::group_slot(conversation, slot), []);
        let mut broken = None;
        let created = Group::create(
            &self.engine,
            &account.identity(&key),
            storage,
            building.suite,
            &policy,
            packages,
            |facts| {
                let checked = last
                    .as_ref()
                    .map_or(Ok(()), |last| policy::check_reset(last, facts))
                    .and_then(|()| {
                        policy::check_group(conversation, *generation, facts, |leaf| {
                            self.judge(leaf) == Verdict::Current
                        })
                    });
                broken = checked.as_ref().err().cloned();
                checked
            },
        );
        created.map_err(|error| match broken {
            Some(rule) => NotBuilt::Refused(rule_broken(&rule)),
            None => failed(error),
        })
    }

    /// A device that has published no package joins by itself later. But in a conversation of two somebody must be there
    /// to read, and everybody whom a new group names has to hear of it.
    fn check_reachable(
        &self,
        conversation: ConversationId,
        again: bool,
        packages: &[CheckedKeyPackage],
    ) -> Result<(), NotBuilt> {
        let present = |account: &AccountId| packages.iter().any(|package| package.credential.account == *account);
        let named = self.accounts_of(conversation);
        let excused = again && self.teams.contains_key(&conversation);
        match named.iter().find(|account| !present(account)) {
            Some(missing) if !excused => Err(NotBuilt::Unreachable(*missing)),
            _ => Ok(()),
        }
    }

    /// What a new generation begins with: the last one's policy, the one that was planned, or that of two.
    fn first_policy(&self, conversation: ConversationId, generation: u32, last: Option<&GroupFacts>) -> GroupPolicy {
        let team = self.teams.get(&conversation).map(|team| &team.policy);
        if let Some(known) = last.map(|last| &last.policy).or(team) {
            return GroupPolicy {
                generation,
                ..known.clone()
            };
        }
        let accounts = self.accounts_of(conversation).into_iter().chain(self.my_account());
        let mut members: Vec<MemberRole> = accounts
            .map(|account| MemberRole {
                account_id: account.to_bytes(),
                role: Role::Member.into(),
            })
            .collect();
        members.sort_by(|a, b| a.account_id.cmp(&b.account_id));
        GroupPolicy {
            version: 1,
            kind: self.kind_of_group(conversation).into(),
            conversation_id: conversation.to_bytes(),
            generation,
            members,
            ..GroupPolicy::default()
        }
    }

    fn kind_of_group(&self, conversation: ConversationId) -> ConversationKind {
        match self.chats.get(&conversation).map(|chat| chat.party) {
            Some(Party::Group) => ConversationKind::Group,
            Some(Party::Direct(peer)) => self.conversation_kind(conversation, peer),
            None => ConversationKind::Direct,
        }
    }

    /// One valid package of each current device but ours.
    pub(super) fn judged_key_packages(
        &self,
        own: DeviceId,
        claimed: &[wire::DeviceKeyPackage],
    ) -> Result<Vec<CheckedKeyPackage>, MlsError> {
        let mut packages: Vec<CheckedKeyPackage> = Vec::new();
        for claim in claimed {
            let package = mls::read_key_package(&self.engine, &claim.key_package)?;
            let device = package.credential.device;
            if device == own || packages.iter().any(|known| known.credential.device == device) {
                continue;
            }
            if self.judge(&package.credential) != Verdict::Current {
                return Err(MlsError::Refused("credential".into()));
            }
            packages.push(package);
        }
        Ok(packages)
    }

    pub(super) fn others(&self, group: &Group) -> Vec<wire::DeviceAddress> {
        let leaves = group.facts().map(|facts| facts.leaves).unwrap_or_default();
        let own = self.my_device();
        let others = leaves.into_iter().filter(|leaf| Some(leaf.device) != own);
        others
            .map(|leaf| wire::DeviceAddress {
                account_id: leaf.account.to_bytes(),
                device_id: leaf.device.to_bytes(),
            })
            .collect()
    }

    pub(super) fn next_slot(&mut self, conversation: ConversationId) -> Option<u32> {
        let chat = self.chats.get_mut(&conversation)?;
        chat.next_slot += 1;
        Some(chat.next_slot)
    }
}
