//! Groups of people: what a lying member and a lying server cannot do, and what no fault can lose.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{
    Allowed, ApiError, Change, Command, GroupCommand, GroupRole, GroupView, Key, MessageKind, MessageState, Reply,
    Value,
};
use kabar_protocol::{
    ids::ConversationId,
    invite::InviteSecret,
    wire::{self, GroupPolicy, GroupSettings, MessageClass, Permission, Role, content::Body},
};
use support::{
    Faults, World,
    liar::{Liar, Lie},
};

const BUDIS_KEY: u8 = 101;
const MALLORYS_KEY: u8 = 102;

fn rows(world: &World, client: usize, prefix: &[u8]) -> Vec<(Key, Value)> {
    let rows = world.clients[client].store.iter();
    rows.filter(|(key, _)| key.starts_with(prefix))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn create(world: &mut World, owner: usize, members: &[&str]) -> ConversationId {
    let command = Command::CreateGroup {
        name: "Keluarga".into(),
        description: String::new(),
        members: members.iter().map(|member| (*member).to_owned()).collect(),
        large: false,
    };
    match world.ask(owner, command).unwrap() {
        Reply::Group(group) => group.conversation_id,
        other => panic!("{other:?}"),
    }
}

/// What people have written, without the notices.
fn texts(world: &mut World, client: usize) -> Vec<String> {
    let thread = world.thread(client).into_iter();
    let written = thread.filter(|message| message.kind == MessageKind::Text);
    written.filter_map(|message| message.text).collect()
}

fn ask(world: &mut World, client: usize, id: ConversationId, request: GroupCommand) -> Result<GroupView, ApiError> {
    let command = Command::Group {
        conversation_id: id,
        request,
    };
    match world.ask(client, command)? {
        Reply::Group(group) => Ok(group),
        other => panic!("{other:?}"),
    }
}

/// Alice's group with Bob and a plain member who lies.
fn with_a_lying_member(seed: u64) -> (World, [usize; 2], Liar, ConversationId) {
    let mut world = World::new(seed);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let mut budi = Liar::register(&mut world, "budi", BUDIS_KEY);
    let id = create(&mut world, alice, &["@bob", "@budi"]);
    world.send(alice, &id.to_string(), "one");
    world.run();
    assert_eq!(budi.read(&world.server), ["one"]);
    (world, [alice, bob], budi, id)
}

fn devices(world: &mut World, clients: &[usize]) -> Vec<kabar_protocol::ids::DeviceId> {
    clients.iter().map(|client| world.me(*client).device_id).collect()
}

/// Every client's group and thread stay as they were, and the lie is set aside.
fn refused(world: &mut World, liar: &Liar, lie: &Lie, believed: bool, clients: &[usize]) {
    world.run();
    let look = |world: &World, client: usize| {
        let prefixes: [&[u8]; 3] = [b"g/", b"m/", b"a/team/"];
        prefixes.map(|prefix| rows(world, client, prefix))
    };
    let before: Vec<_> = clients.iter().map(|client| look(world, *client)).collect();
    let devices = devices(world, clients);
    world.server.plant(liar, lie, believed, &devices, world.now);
    for (client, before) in clients.iter().zip(before) {
        world.hand_over(*client);
        assert!(look(world, *client) == before, "group, thread and roster are untouched");
        assert_eq!(rows(world, *client, b"q/").len(), 1, "the commit is set aside");
    }
}

/// What a plain member may not make of the policy, and whom it would remove.
fn coups(world: &mut World, people: [usize; 2], budi: &Liar) -> Vec<(GroupPolicy, Vec<kabar_protocol::ids::DeviceId>)> {
    let [alice, bob] = people.map(|person| world.me(person));
    let policy = budi.policy();
    let with = |account: kabar_protocol::ids::AccountId, role: Option<Role>| {
        let mut policy = policy.clone();
        policy
            .members
            .retain(|member| role.is_some() || member.account_id != account.as_slice());
        for member in policy
            .members
            .iter_mut()
            .filter(|member| member.account_id == account.as_slice())
        {
            member.role = role.unwrap_or_default().into();
        }
        policy
    };
    let mut open = policy.clone();
    open.settings = Some(GroupSettings {
        history: false,
        post: Permission::All.into(),
        add: Permission::All.into(),
        edit: Permission::All.into(),
    });
    let mut renamed = policy.clone();
    renamed.generation = 7;
    vec![
        (with(budi.account, Some(Role::Admin)), vec![]),
        (with(budi.account, Some(Role::Owner)), vec![]),
        (with(alice.account_id, Some(Role::Member)), vec![]),
        (with(bob.account_id, Some(Role::Leaving)), vec![]),
        (with(bob.account_id, None), vec![bob.device_id]),
        (with(alice.account_id, None), vec![alice.device_id]),
        (open, vec![]),
        (renamed, vec![]),
    ]
}

#[test]
fn a_plain_member_and_a_lying_server_change_nothing() {
    for case in 0.. {
        let (mut world, people, mut budi, id) = with_a_lying_member(1);
        let Some((policy, removed)) = coups(&mut world, people, &budi).into_iter().nth(case) else {
            break;
        };
        let lie = budi.set_policy(&policy, &removed);
        refused(&mut world, &budi, &lie, false, &people);
        world.run_for(60_000);
        let [alice, bob] = people;
        world.send(bob, &id.to_string(), "two");
        world.run_for(60_000);
        for person in people {
            assert_eq!(world.texts(person), ["one", "two"], "case {case}");
            let view = ask(&mut world, person, id, GroupCommand::Show).unwrap();
            assert_eq!(view.members.len(), 3);
            assert_eq!(view.members[0].role, GroupRole::Owner);
            assert_eq!(view.members[0].me, person == alice);
        }
    }
}

#[test]
fn a_stranger_comes_in_by_no_plain_members_add() {
    let (mut world, people, mut budi, _) = with_a_lying_member(2);
    let mallory = Liar::register(&mut world, "mallory", MALLORYS_KEY);
    let lie = budi.add(&mallory.truth(), &support::liar::key_pair(MALLORYS_KEY));
    refused(&mut world, &budi, &lie, false, &people);
}

#[test]
fn an_admin_deletes_what_others_wrote_and_a_plain_member_who_lies_does_not() {
    let (mut world, people, mut budi, id) = with_a_lying_member(5);
    let [alice, bob] = people;
    world.send(bob, &id.to_string(), "two");
    world.run();
    budi.read(&world.server);
    let of = |world: &mut World, client: usize, text: &str| {
        let thread = world.thread(client).into_iter();
        let mut found = thread.filter(|message| message.text.as_deref() == Some(text));
        found.next().unwrap().message_id
    };
    let (first, second) = (of(&mut world, alice, "one"), of(&mut world, alice, "two"));
    let delete = |message_id| Command::ChangeMessage {
        message_id,
        change: Change::Delete,
        wait: true,
    };
    assert_eq!(world.ask(bob, delete(first)).unwrap_err().code, "not_yours");
    let to = devices(&mut world, &people);
    let lie = wire::Content {
        salt: vec![3; 16].into(),
        replaces: Some(first.to_bytes()),
        body: Some(Body::Deleted(wire::Empty {})),
        ..wire::Content::default()
    };
    let sealed = budi.seal(id, MessageClass::Edit, &lie);
    world.server.say(&budi, MessageClass::Edit, sealed, &to, world.now);
    world.run();
    world.ask(alice, delete(second)).unwrap();
    world.run();
    for person in people {
        assert_eq!(texts(&mut world, person), ["one"]);
        let thread = world.thread(person).into_iter();
        let deleted: Vec<_> = thread.filter(|message| message.kind == MessageKind::Deleted).collect();
        assert_eq!(deleted.len(), 1);
        assert_eq!(deleted[0].from.account_id, world.me(bob).account_id);
        let by = deleted[0].changes.deleted_by.as_ref().unwrap();
        assert_eq!(by.account_id, world.me(alice).account_id);
    }
}

#[test]
fn nobody_comes_in_by_a_link_that_is_none_or_not_any_more() {
    const HOUR_MS: i64 = 3_600_000;
    for (case, comes_in) in [
        ("true", true),
        ("made up", false),
        ("another epoch", false),
        ("expired", false),
    ] {
        let mut world = World::new(4);
        let (alice, bob) = (world.person("Alice"), world.person("Bob"));
        let id = create(&mut world, alice, &["@bob"]);
        let wish = GroupCommand::Invite {
            hours: Some(1),
            uses: None,
            approval: false,
        };
        let command = Command::Group {
            conversation_id: id,
            request: wish,
        };
        let Reply::Invite(link) = world.ask(alice, command).unwrap() else {
            panic!("no link");
        };
        world.run();
        let path = link.path.unwrap();
        let secret = InviteSecret::parse(path.split_once('#').unwrap().1).unwrap();
        let secret = if case == "made up" {
            InviteSecret::new([7; 24])
        } else {
            secret
        };
        let epoch = world.server.data.conversations[&id].epoch + u64::from(case == "another epoch");
        if case == "expired" {
            world.run_for(HOUR_MS);
        }
        let mut mallory = Liar::register(&mut world, "mallory", MALLORYS_KEY);
        let leaf = mallory.truth();
        let proof = secret.join_proof(&id.group_id(0), epoch, leaf.device);
        let lie = mallory.join_externally(&world.server, &leaf, proof);
        if !comes_in {
            refused(&mut world, &mallory, &lie, false, &[alice, bob]);
            continue;
        }
        let devices = devices(&mut world, &[alice, bob]);
        world.server.plant(&mallory, &lie, true, &devices, world.now);
        world.run();
        for person in [alice, bob] {
            let view = ask(&mut world, person, id, GroupCommand::Show).unwrap();
            let new = view
                .members
                .iter()
                .find(|member| member.person.account_id == leaf.account);
            assert_eq!(new.map(|member| member.role), Some(GroupRole::Member));
        }
    }
}

#[test]
fn where_only_admins_write_nobody_shows_what_a_lying_server_lets_pass() {
    let (mut world, people, mut budi, id) = with_a_lying_member(3);
    let [alice, bob] = people;
    let quiet = GroupCommand::Settings {
        post: Some(Allowed::Admins),
        add: None,
        edit: None,
        history: None,
    };
    ask(&mut world, alice, id, quiet).unwrap();
    world.run();
    assert!(budi.read(&world.server).is_empty());
    let to = devices(&mut world, &people);
    let text = |body: &str| wire::Content {
        salt: vec![1; 16].into(),
        body: Some(Body::Text(wire::Text { body: body.into() })),
        ..wire::Content::default()
    };
    let sealed = budi.seal(id, MessageClass::Content, &text("let me in"));
    world.server.say(&budi, MessageClass::Content, sealed, &to, world.now);
    // Nor does a plain member rename it, whatever number he says it under.
    let renamed = wire::Content {
        salt: vec![2; 16].into(),
        body: Some(Body::GroupInfo(wire::GroupInfo {
            version: 99,
            name: "Kudeta".into(),
            ..wire::GroupInfo::default()
        })),
        ..wire::Content::default()
    };
    let sealed = budi.seal(id, MessageClass::Control, &renamed);
    world.server.say(&budi, MessageClass::Control, sealed, &to, world.now);
    // And nobody calls content what is a control message.
    let sealed = budi.seal(id, MessageClass::Control, &text("under another class"));
    world.server.say(&budi, MessageClass::Control, sealed, &to, world.now);
    world.run();
    for person in people {
        assert_eq!(texts(&mut world, person), ["one"]);
        assert_eq!(rows(&world, person, b"q/").len(), 2, "both texts are set aside");
        let view = ask(&mut world, person, id, GroupCommand::Show).unwrap();
        assert_eq!(view.name, "Keluarga");
    }
    let command = Command::SendText {
        to: id.to_string(),
        text: "me too".into(),
        reply_to: None,
        wait: true,
    };
    assert_eq!(world.ask(bob, command).unwrap_err().code, "not_allowed");
}

#[test]
fn what_failed_with_our_leaving_is_not_tried_again() {
    let mut world = World::new(5);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    let id = create(&mut world, alice, &["@bob"]);
    world.run();
    world.set_offline(bob, true);
    let who = "@bob".into();
    ask(&mut world, alice, id, GroupCommand::Remove { who }).unwrap();
    let unsent = world.send(bob, &id.to_string(), "still here?");
    world.set_offline(bob, false);
    world.run_for(60_000);
    let resolve = |retry| Command::ResolveFailed {
        message_id: unsent.message_id,
        retry,
    };
    assert_eq!(world.ask(bob, resolve(true)).unwrap_err().code, "not_a_member");
    world.ask(bob, Command::WaitIdle).unwrap();
    world.ask(bob, resolve(false)).unwrap();
    assert_eq!(texts(&mut world, bob), Vec::<String>::new());
}

#[test]
fn a_group_beside_a_conversation_of_two_survives_a_restart() {
    let mut world = World::new(4);
    let (alice, bob) = (world.person("Alice"), world.person("Bob"));
    world.send(alice, "@bob", "one");
    world.run();
    world.send(bob, "@alice", "I know you");
    world.run();
    let id = create(&mut world, alice, &["@bob"]);
    world.run();
    world.restart(bob);
    world.restart(alice);
    world.send(bob, &id.to_string(), "two");
    world.run();
    let chats = world.chats(alice);
    let kinds: Vec<_> = chats.iter().map(|chat| chat.group.is_some()).collect();
    assert_eq!(kinds.iter().filter(|group| **group).count(), 1, "one of each");
    let asked = Command::ListMessages {
        conversation_id: id,
        before: None,
        limit: 10,
    };
    let Reply::Messages { messages, .. } = world.ask(alice, asked).unwrap() else {
        panic!("no messages");
    };
    let kinds: Vec<_> = messages.iter().rev().map(|message| message.kind).collect();
    assert_eq!(kinds, [MessageKind::NoticeGroupCreated, MessageKind::Text]);
    assert!(
        world.chats(bob).iter().all(|chat| !chat.request),
        "whom one talks to may add one"
    );
}

/// What the owner changes in this round.
fn change(round: u8) -> GroupCommand {
    match round {
        1 => GroupCommand::Add {
            who: vec!["@dodi".into()],
        },
        3 => GroupCommand::SetRole {
            who: "@bob".into(),
            role: GroupRole::Admin,
        },
        _ => GroupCommand::Settings {
            post: None,
            add: Some(if round.is_multiple_of(2) {
                Allowed::All
            } else {
                Allowed::Admins
            }),
            edit: None,
            history: None,
        },
    }
}

/// Four people who write and change their group while everything fails.
fn restless(seed: u64, faults: Faults) {
    let mut world = World::new(seed);
    let people: Vec<usize> = ["Alice", "Bob", "Cici", "Dodi"]
        .iter()
        .map(|name| world.person(name))
        .collect();
    let id = create(&mut world, people[0], &["@bob", "@cici"]);
    world.run();
    world.faults = faults;
    let mut expected = Vec::new();
    for round in 0..6_u8 {
        for person in &people[..3] {
            let text = format!("{person}/{round}");
            let send = Command::SendText {
                to: id.to_string(),
                text: text.clone(),
                reply_to: None,
                wait: false,
            };
            let told = world.tell(*person, send);
            expected.push((*person, told, text));
        }
        let group = Command::Group {
            conversation_id: id,
            request: change(round),
        };
        world.tell(people[0], group);
        let steps = world.dice.roll(80);
        world.run_steps(steps);
        let wait = i64::try_from(world.dice.roll(3_000)).unwrap();
        world.run_for(wait);
    }
    world.faults = Faults::default();
    world.run_for(900_000);
    // What a crash took with the command itself was never promised.
    let promised = |world: &World, (person, told, text): &(usize, u64, String)| {
        let replied = world.clients[*person].replies.get(told);
        matches!(replied, Some(Ok(_))).then(|| text.clone())
    };
    let mut promised_texts: Vec<String> = expected.iter().filter_map(|one| promised(&world, one)).collect();
    promised_texts.sort();
    for person in &people[..3] {
        let mut seen = texts(&mut world, *person);
        seen.sort();
        let mut once = seen.clone();
        once.dedup();
        assert_eq!(once, seen, "seed {seed}: nothing is shown twice");
        assert!(
            promised_texts.iter().all(|text| seen.contains(text)),
            "seed {seed}: {person} misses one"
        );
        let stuck = world.thread(*person).into_iter();
        let stuck = stuck.filter(|message| message.mine && message.state < MessageState::Sent);
        assert_eq!(stuck.count(), 0, "seed {seed}");
    }
    for person in &people[..3] {
        let view = ask(&mut world, *person, id, GroupCommand::Show).unwrap();
        let reference = ask(&mut world, people[0], id, GroupCommand::Show).unwrap();
        assert_eq!(
            (view.settings, view.members.len()),
            (reference.settings, reference.members.len())
        );
    }
}

#[test]
fn no_fault_loses_or_doubles_what_is_said_in_a_group() {
    for seed in 0..8 {
        restless(seed, Faults::default());
    }
    for seed in 100..112 {
        let faults = Faults {
            disconnect: 80,
            failed_batch: 60,
            crash_before: 70,
            crash_after: 70,
        };
        restless(seed, faults);
    }
}
