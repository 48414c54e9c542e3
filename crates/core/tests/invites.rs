//! Links into groups: what stands on the device when the server says no, or nothing.

#![allow(clippy::unwrap_used)]

mod support;

use kabar_core::api::{ApiError, ChatView, Command, GroupCommand, InvitePreview, InviteView, Reply, Standing};
use kabar_protocol::ids::ConversationId;
use support::World;

fn about(conversation_id: ConversationId, request: GroupCommand) -> Command {
    Command::Group {
        conversation_id,
        request,
    }
}

/// Alice's group with Bob, and Citra outside of it.
fn scene() -> (World, [usize; 3], ConversationId) {
    let mut world = World::new(7);
    let people = ["Alice", "Bob", "Citra"].map(|name| world.person(name));
    let command = Command::CreateGroup {
        name: "Keluarga".into(),
        description: String::new(),
        members: vec!["@bob".into()],
        large: false,
    };
    let Reply::Group(group) = world.ask(people[0], command).unwrap() else {
        panic!("no group");
    };
    world.run();
    (world, people, group.conversation_id)
}

fn link(world: &mut World, by: usize, group: ConversationId, approval: bool) -> Result<InviteView, ApiError> {
    let wish = GroupCommand::Invite {
        hours: None,
        uses: None,
        approval,
    };
    match world.ask(by, about(group, wish))? {
        Reply::Invite(link) => Ok(link),
        other => panic!("{other:?}"),
    }
}

fn tell_in(world: &mut World, who: usize, link: &InviteView) -> u64 {
    let command = Command::JoinGroup {
        link: link.path.clone().unwrap(),
    };
    world.tell(who, command)
}

fn ask_in(world: &mut World, who: usize, link: &InviteView) -> Result<InvitePreview, ApiError> {
    let command = Command::JoinGroup {
        link: link.path.clone().unwrap(),
    };
    match world.ask(who, command)? {
        Reply::JoinAsked(preview) => Ok(preview),
        other => panic!("{other:?}"),
    }
}

fn standing(chats: &[ChatView]) -> Option<Standing> {
    chats
        .first()
        .and_then(|chat| chat.group.as_ref())
        .map(|group| group.standing)
}

#[test]
fn only_what_the_server_has_noted_is_asked() {
    let (mut world, [alice, _, citra], id) = scene();
    let link = link(&mut world, alice, id, true).unwrap();

    world.server.refuse = Some("request_join");
    assert_eq!(ask_in(&mut world, citra, &link).unwrap_err().code, "policy");
    assert_eq!(world.chats(citra), Vec::new(), "a refusal leaves nothing behind");

    world.server.refuse = None;
    world.server.silent = Some("request_join");
    let asked = tell_in(&mut world, citra, &link);
    world.run_for(1_000);
    world.set_offline(citra, true);
    world.run_for(60_000);
    let reply = world.clients[citra].replies.get(&asked).unwrap();
    assert_eq!(reply.clone().unwrap_err().code, "offline");
    world.set_offline(citra, false);
    assert_eq!(world.chats(citra), Vec::new(), "nor does an answer that never came");

    world.server.silent = None;
    world.run_for(60_000);
    let preview = ask_in(&mut world, citra, &link).unwrap();
    assert_eq!((preview.name.as_str(), preview.inviter.as_str()), ("Keluarga", "Alice"));
    assert_eq!((preview.members, preview.expires_at), (2, link.expires_at));
    assert_eq!(standing(&world.chats(citra)), Some(Standing::Asked));
    world.restart(citra);
    assert_eq!(standing(&world.chats(citra)), Some(Standing::Asked));
}

#[test]
fn a_request_is_made_again_when_the_connection_breaks() {
    let (mut world, [alice, _, citra], id) = scene();
    let link = link(&mut world, alice, id, true).unwrap();
    world.server.silent = Some("request_join");
    let asked = tell_in(&mut world, citra, &link);
    world.run_for(1_000);
    assert!(!world.clients[citra].replies.contains_key(&asked), "it waits");
    world.server.silent = None;
    world.set_offline(citra, true);
    world.set_offline(citra, false);
    world.run();
    let reply = world.clients[citra].replies.get(&asked).unwrap();
    assert!(matches!(reply, Ok(Reply::JoinAsked(_))), "{reply:?}");
    assert_eq!(standing(&world.chats(citra)), Some(Standing::Asked));
}

#[test]
fn a_request_that_is_taken_back_leaves_nothing_behind() {
    let (mut world, [alice, bob, citra], id) = scene();
    let link = link(&mut world, alice, id, true).unwrap();
    let leave = || about(id, GroupCommand::Leave { successor: None });
    ask_in(&mut world, citra, &link).unwrap();
    assert_eq!(world.server.data.asking.len(), 1);

    world.server.refuse = Some("decline");
    assert_eq!(world.ask(citra, leave()).unwrap_err().code, "policy");
    assert_eq!(standing(&world.chats(citra)), Some(Standing::Asked), "it still stands");

    world.server.refuse = None;
    match world.ask(citra, leave()).unwrap() {
        Reply::Group(view) => assert_eq!(view.standing, Standing::Left),
        other => panic!("{other:?}"),
    }
    assert!(world.server.data.asking.is_empty());
    assert_eq!(world.chats(citra), Vec::new());
    world.restart(citra);
    assert_eq!(world.chats(citra), Vec::new());

    // Whoever has left the group before is again somebody who has left it: what was said stays.
    world.ask(bob, leave()).unwrap();
    world.run();
    ask_in(&mut world, bob, &link).unwrap();
    world.ask(bob, leave()).unwrap();
    assert_eq!(standing(&world.chats(bob)), Some(Standing::Left));
    assert!(!world.thread(bob).is_empty());
}

#[test]
fn a_link_that_the_server_does_not_take_leaves_the_groups_policy_again() {
    let (mut world, [alice, bob, _], id) = scene();
    let known = |world: &mut World| match world.ask(bob, about(id, GroupCommand::Show)).unwrap() {
        Reply::Group(view) => view.invites.len(),
        other => panic!("{other:?}"),
    };
    world.server.refuse = Some("publish_invite");
    let epoch = world.server.data.conversations[&id].epoch;
    assert_eq!(link(&mut world, alice, id, false).unwrap_err().code, "policy");
    world.run();
    assert_eq!(
        world.server.data.conversations[&id].epoch,
        epoch + 2,
        "agreed to, and taken back"
    );
    assert_eq!(known(&mut world), 0);

    // The next is in nobody's way.
    world.server.refuse = None;
    link(&mut world, alice, id, false).unwrap();
    world.run();
    assert_eq!(known(&mut world), 1);
}
