//! Business numbers: which accounts are companies', and what conversation one has with them.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    order,
    wire::{self, client_frame::Body, find_account_outcome::Outcome, server_frame},
};

use super::{Peer, charges::prices_view};
use crate::{
    api::{Business, BusinessCommand, Category, KeysHeldBy, MessageTemplate, Reply},
    commands::refusal,
    connection::{Answer, Purpose},
    programs::SERVES_PROGRAMS,
    state::State,
};

impl From<&wire::BusinessCard> for Business {
    fn from(card: &wire::BusinessCard) -> Self {
        Self {
            phone_number_id: card.phone_number_id,
            phone: card.phone.clone(),
            name: card.name.clone(),
            keys_held_by: match card.keys_held_by() {
                wire::KeysHeldBy::Business => KeysHeldBy::Business,
                // What is not said is assumed at its worst.
                wire::KeysHeldBy::Operator | wire::KeysHeldBy::Unspecified => KeysHeldBy::Operator,
            },
        }
    }
}

pub(crate) fn category(category: Category) -> wire::MessageCategory {
    match category {
        Category::Service => wire::MessageCategory::Service,
        Category::Utility => wire::MessageCategory::Utility,
        Category::Authentication => wire::MessageCategory::Authentication,
        Category::Marketing => wire::MessageCategory::Marketing,
    }
}

pub(super) fn category_view(category: wire::MessageCategory) -> Category {
    match category {
        wire::MessageCategory::Authentication => Category::Authentication,
        wire::MessageCategory::Marketing => Category::Marketing,
        wire::MessageCategory::Utility => Category::Utility,
        wire::MessageCategory::Service | wire::MessageCategory::Unspecified => Category::Service,
    }
}

fn template_view(template: &wire::MessageTemplate) -> MessageTemplate {
    MessageTemplate {
        template_id: template.template_id,
        name: template.name.clone(),
        language: template.language.clone(),
        category: category_view(template.category()),
        components: template.components.clone(),
        named_parameters: template.named_parameters,
        approved: template.status() == wire::TemplateStatus::Approved,
        rejected_reason: template.rejected_reason.clone(),
        created_at: template.created_ms,
    }
}

impl State {
    /// True if this is the account of a business number.
    pub(crate) fn is_business(&self) -> bool {
        SERVES_PROGRAMS && self.account.as_ref().is_some_and(|account| account.enrolment.is_some())
    }

    /// The one conversation with an account: with a business on either side, a BUSINESS one.
    pub(crate) fn conversation_with(&self, account: AccountId) -> Option<ConversationId> {
        let me = self.my_account()?;
        let business = self.is_business() || self.peers.get(&account).is_some_and(|peer| peer.business.is_some());
        Some(if business {
            ConversationId::business(me, account)
        } else {
            ConversationId::direct(me, account)
        })
    }

    pub(crate) fn conversation_kind(&self, conversation: ConversationId, peer: AccountId) -> wire::ConversationKind {
        match self.my_account() {
            Some(me) if ConversationId::business(me, peer) == conversation => wire::ConversationKind::Business,
            _ => wire::ConversationKind::Direct,
        }
    }

    /// What the server says of an account that was found or asked for.
    pub(crate) fn learn_business(&mut self, account: AccountId, card: Option<&wire::BusinessCard>) {
        let business = card.map(Business::from);
        let peer = self.peers.entry(account).or_insert_with(|| Peer::new(account));
        if peer.business != business {
            peer.business = business;
            self.save_peer(account);
        }
    }

    /// A conversation was begun by a business that we know nothing of.
    pub(crate) fn ask_card(&mut self, account: AccountId) {
        let unknown = self.peers.get(&account).is_none_or(|peer| peer.business.is_none());
        if unknown && !self.is_business() && !self.connection.is_asking(&Purpose::Card(account)) {
            let who = wire::find_account::Who::AccountId(account.to_bytes());
            let find = wire::FindAccount { who: Some(who) };
            self.request(Purpose::Card(account), Body::FindAccount(find));
        }
    }

    /// A request of a business number; its answer is the command's. `person` is whom it is about.
    pub(crate) fn ask_business(&mut self, command_id: u64, request: &BusinessCommand, person: Option<AccountId>) {
        let body = match request.clone() {
            BusinessCommand::Window { .. } => Body::FetchWindow(wire::FetchWindow {
                account_id: person.map(|person| person.to_bytes()).unwrap_or_default(),
            }),
            BusinessCommand::CreateTemplate { template } => Body::CreateTemplate(wire::CreateTemplate {
                template: Some(wire::MessageTemplate {
                    category: category(template.category).into(),
                    name: template.name,
                    language: template.language,
                    components: template.components,
                    named_parameters: template.named_parameters,
                    ..wire::MessageTemplate::default()
                }),
            }),
            BusinessCommand::ListTemplates { name, language } => {
                Body::ListTemplates(wire::ListTemplates { name, language })
            }
            BusinessCommand::DeleteTemplates { name, template_id } => {
                Body::DeleteTemplates(wire::DeleteTemplates { name, template_id })
            }
            BusinessCommand::Prices => Body::FetchPrices(wire::FetchPrices {}),
            // Of messages that this device knows: see charges.rs. To a person: see messaging/flows.rs.
            BusinessCommand::Charges { .. } | BusinessCommand::FlowRespond { .. } => return,
            BusinessCommand::RegisterOrder { order, .. } => Body::RegisterOrder(wire::RegisterOrder {
                person_account_id: person.map(|person| person.to_bytes()).unwrap_or_default(),
                order_hash: order::order_hash(&order).to_vec().into(),
                reference_id: order.reference_id,
                amount: order.total,
                currency: order.currency,
                expires_ms: order.expires_ms,
            }),
            BusinessCommand::SettlePayment { reference_id, capture } => {
                Body::SettlePayment(wire::SettlePayment { reference_id, capture })
            }
            BusinessCommand::RefundPayment { reference_id } => {
                Body::RefundPayment(wire::RefundPayment { reference_id })
            }
            BusinessCommand::FetchPayment { reference_id } => Body::FetchPayment(wire::FetchPayment { reference_id }),
            BusinessCommand::PaymentChanges { after_seq, limit } => {
                Body::FetchPaymentChanges(wire::FetchPaymentChanges { after_seq, limit })
            }
        };
        let purpose = match &body {
            Body::FetchWindow(_)
            | Body::CreateTemplate(_)
            | Body::ListTemplates(_)
            | Body::DeleteTemplates(_)
            | Body::FetchPrices(_) => Purpose::Business(command_id),
            _ => Purpose::Payment(command_id),
        };
        self.request(purpose, body);
    }

    pub(crate) fn business_answered(&mut self, command_id: u64, answer: &Answer) {
        use wire::create_template_outcome::Outcome as Created;
        if !SERVES_PROGRAMS {
            return;
        }
        let result = match answer {
            Ok(server_frame::Body::Window(window)) => Ok(Reply::Window {
                open_until: (window.open_until_ms > 0).then_some(window.open_until_ms),
            }),
            Ok(server_frame::Body::CreateTemplate(outcome)) => match &outcome.outcome {
                Some(Created::Created(template)) => Ok(Reply::Templates {
                    templates: vec![template_view(template)],
                }),
                _ => Err(refusal(
                    "template_exists",
                    "there is a template of this name in this language already",
                )),
            },
            Ok(server_frame::Body::Templates(list)) => Ok(Reply::Templates {
                templates: list.templates.iter().map(template_view).collect(),
            }),
            Ok(server_frame::Body::Prices(prices)) => Ok(prices_view(prices)),
            Ok(server_frame::Body::Charges(charges)) => Ok(Reply::Charges {
                charges: charges
                    .charges
                    .iter()
                    .filter_map(|charge| self.charge_view(charge))
                    .collect(),
            }),
            Ok(server_frame::Body::TemplatesDeleted(deleted)) => Ok(Reply::Deleted { count: deleted.count }),
            Ok(_) => Err(refusal("bad_answer", "the server's answer is to another question")),
            Err(failure) => Err(failure.error.clone()),
        };
        self.reply(command_id, result);
    }

    pub(crate) fn card_answered(&mut self, account: AccountId, answer: &Answer) {
        if let Ok(server_frame::Body::FindAccount(wire::FindAccountOutcome {
            outcome: Some(Outcome::Found(found)),
        })) = answer
        {
            self.learn_business(account, found.business.as_ref());
            if let Some(conversation) = self.conversation_with(account) {
                self.say_chat(conversation);
            }
        }
    }
}
