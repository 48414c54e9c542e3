//! What a browser reads out of its store is what every other shell reads.

use std::{cell::Cell, fmt::Debug};

use kabar_protocol::{
    ids::{AccountId, ClientMessageId, ConversationId, DeviceId, MessageId},
    suite,
    wire::{self, GroupPolicy},
};
use serde::{Serialize, de::DeserializeOwned};

use super::{Blob, decode, encode};
use crate::{
    CoreConfig,
    accounts::{Account, Chain, Peer, Secret},
    api::{
        Audience, BusinessSend, Category, GroupRole, Mention, MessageKind, Privacy, RsvpAnswer, Shown, Standing,
        Version,
    },
    commands::refusal,
    messaging::{
        Candidate, CandidateKind, Changes, Chat, Envelope, GroupRef, Intent, Party, PendingCommit, Place, Quarantined,
        Row, Team, Wanted, Wish,
    },
    state::{Cursor, State},
};

thread_local! {
    static BY_VALUE: Cell<bool> = const { Cell::new(false) };
}

pub(super) fn is_read_by_value() -> bool {
    BY_VALUE.get()
}

/// Everything that `read` decodes is decoded as in the browser.
pub(crate) fn as_in_the_browser<T>(read: impl FnOnce() -> T) -> T {
    BY_VALUE.set(true);
    let read = read();
    BY_VALUE.set(false);
    read
}

const GROUP: ConversationId = ConversationId([0xC0; 16]);
const ANI: AccountId = AccountId([0xA0; 16]);
const LATE: i64 = i64::MAX;

#[track_caller]
fn reads_alike<T: Serialize + DeserializeOwned>(value: &T) {
    let stored = encode(value).expect("encoded");
    let native: T = decode(&stored).expect("read from the bytes");
    let browser: T = as_in_the_browser(|| decode(&stored)).expect("read by way of a value");
    assert_eq!(encode(&native).expect("encoded"), stored);
    assert_eq!(encode(&browser).expect("encoded"), stored);
}

#[track_caller]
fn is_same<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
    reads_alike(value);
    let stored = encode(value).expect("encoded");
    assert_eq!(as_in_the_browser(|| decode::<T>(&stored)).as_ref(), Ok(value));
}

/// [`Changes`] keeps its fields to itself.
#[derive(Serialize)]
struct ChangesAsStored {
    reactions: Vec<(AccountId, String)>,
    answers: Vec<(AccountId, RsvpAnswer, u32)>,
    opened: Vec<AccountId>,
    versions: Vec<Version>,
    edited_at: Option<i64>,
    deleted_by: Option<AccountId>,
}

fn changes() -> Changes {
    let stored = ChangesAsStored {
        reactions: vec![(ANI, "👍🏽".into())],
        answers: vec![(ANI, RsvpAnswer::Maybe, u32::MAX)],
        opened: vec![ANI],
        versions: vec![Version {
            text: "dulu".into(),
            time: -1,
        }],
        edited_at: Some(LATE),
        deleted_by: Some(ANI),
    };
    decode(&encode(&stored).expect("encoded")).expect("as it is stored")
}

fn row(shown: Option<Shown>) -> Row {
    Row {
        message_id: MessageId([0x11; 32]),
        seq: u64::MAX,
        sub: u32::MAX,
        from: ANI,
        kind: MessageKind::Text,
        about: vec![ANI],
        text: Some("Selamat pagi 👋".into()),
        shown,
        automated: true,
        forwarded: 5,
        mentions: vec![Mention {
            start: u32::MAX,
            length: 5,
            account_id: Some(ANI),
        }],
        starred: true,
        expires_at: Some(LATE),
        in_reply_to: Some(MessageId([0x12; 32])),
        changes: changes(),
        time: LATE,
    }
}

fn shown() -> Vec<Shown> {
    vec![
        Shown::Text("satu".into()),
        Shown::Interactive(wire::Interactive::default()),
        Shown::InteractiveReply(wire::InteractiveReply::default()),
        Shown::Template(wire::Template::default()),
        Shown::Ticket(wire::Ticket::default()),
        Shown::File(wire::File {
            key: vec![0xFF; 32].into(),
            size_bytes: u64::MAX,
            ..wire::File::default()
        }),
        Shown::Event(wire::Event::default()),
        Shown::Poll(wire::Poll {
            options: vec!["Padang".into(), "Sunda".into()],
            ..wire::Poll::default()
        }),
        Shown::Location(wire::Location {
            latitude_e7: i32::MIN,
            ..wire::Location::default()
        }),
        Shown::Contacts(wire::Contacts {
            people: vec![wire::Contact::default()],
        }),
    ]
}

#[test]
fn messages_and_where_they_are() {
    is_same(&row(None));
    shown().into_iter().for_each(|shown| is_same(&row(Some(shown))));
    is_same(&Place {
        conversation: GROUP,
        seq: u64::MAX,
        sub: 0,
    });
    let envelope = Envelope {
        device: DeviceId([0xD0; 16]),
        class: -1,
        payload: vec![0; 300].into(),
        stamp: Blob::default(),
        content: vec![4, 5].into(),
    };
    is_same(&Quarantined {
        conversation: GROUP,
        seq: 0,
        envelope,
    });
    is_same(&Intent {
        conversation: GROUP,
        order: 1,
        client_message_id: ClientMessageId([0xCC; 16]),
        message_id: MessageId([0x11; 32]),
        content: vec![0xFE; 70_000].into(),
        text: String::new(),
        shown: shown().pop(),
        class: 3,
        business: Some(BusinessSend {
            category: Category::Marketing,
            template_id: u64::MAX,
        }),
        forwarded: 0,
        mentions: Vec::new(),
        expires_at: Some(LATE),
        in_reply_to: None,
        created_at: 0,
        failed: Some(refusal("not_a_member", "not in it")),
    });
}

#[test]
fn chats_with_one_and_with_many() {
    let mut chat = Chat::new(GROUP, Party::Direct(ANI), LATE);
    is_same(&chat);
    chat.party = Party::Group;
    chat.last = Some(row(None));
    chat.welcome = Some(vec![1; 32].into());
    chat.group = Some(GroupRef {
        slot: u32::MAX,
        generation: 1,
        timeline: 2,
    });
    chat.candidate = Some(Candidate {
        kind: CandidateKind::Reset,
        slot: 2,
        generation: 2,
        epoch: u64::MAX,
        request: vec![9; 24].into(),
        first: Some(7),
    });
    chat.pending_commit = Some(PendingCommit {
        epoch: 24,
        request: vec![].into(),
        wish: Some(1),
    });
    is_same(&chat);
}

#[test]
fn groups_with_all_that_is_wished_of_them() {
    let state = State::new(CoreConfig {
        feed: false,
        rng_seed: None,
    });
    let policy = GroupPolicy {
        version: 1,
        conversation_id: GROUP.to_bytes(),
        ..GroupPolicy::default()
    };
    let wishes = [
        Wanted::Add(vec![ANI]),
        Wanted::Remove(ANI),
        Wanted::Role(ANI, GroupRole::Owner),
        Wanted::Settings {
            post: None,
            add: Some(crate::api::Allowed::Admins),
            edit: None,
            history: Some(true),
        },
        state.wanted_link(None, Some(3), true).expect("a link"),
        Wanted::Uninvite([0xEE; 32]),
        Wanted::Leave(None),
        Wanted::Leave(Some(ANI)),
    ];
    for standing in [Standing::Making, Standing::Member, Standing::Asked] {
        let mut team = Team::new(GROUP, suite::XWING, policy.clone(), standing);
        team.marks.insert(ANI, Default::default());
        team.info.photo = vec![0xFF; 1_000].into();
        for (id, change) in (0..).zip(wishes.clone()) {
            team.wishes.push_back(Wish { id, change });
        }
        is_same(&team);
    }
}

#[test]
fn the_account_and_everybody_else() {
    let chain = || Chain::new(&[wire::DeviceListEntry::default(), wire::DeviceListEntry::default()]);
    reads_alike(&Account {
        account: ANI,
        device: DeviceId([0xD0; 16]),
        secret: Secret::new([1; 32]),
        chain: chain(),
        registered: true,
        invite: None,
        enrolment: Some("code".into()),
        name: "Ani".into(),
        name_version: 2,
        username: Some("ani".into()),
        phone: None,
        phone_pending: None,
        privacy: Privacy {
            read_receipts: false,
            presence: Audience::Nobody,
            timer_s: 60,
            ..Privacy::default()
        },
        successor: Some(Secret::new([2; 32])),
    });
    reads_alike(&Peer {
        account: ANI,
        name: String::new(),
        name_version: 0,
        username: None,
        phone: Some("+6281200000000".into()),
        business: None,
        blocked: true,
        seen_at: Some(LATE),
        chain: chain(),
    });
    is_same(&Cursor {
        inbox: u64::MAX,
        timeline: vec![1; 16].into(),
        ..Cursor::default()
    });
}
