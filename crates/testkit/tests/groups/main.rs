//! Groups of people: who reads what, who may do what, what survives, what the server never had.

mod members;
mod messages;
mod recovery;
#[allow(dead_code, reason = "pairs are for conversations of two")]
#[path = "../support/mod.rs"]
mod support;

use kabar_client::api::{GroupCommand, GroupRole, GroupView};
use kabar_protocol::ids::ConversationId;
use kabar_testkit::{TestServer, TestUser};

const SECRETS: &[&str] = &["Keluarga Besar", "Anindita", "Budiawan", "Citrawati", "Dewantara"];

/// Four people, of whom the first has made a group of all.
async fn family(server: &TestServer) -> ([TestUser; 4], ConversationId) {
    let mut people = Vec::new();
    for name in ["Anindita", "Budiawan", "Citrawati", "Dewantara"] {
        people.push(TestUser::register(server.url(), name).await);
    }
    for person in &people {
        // What others add them with is published.
        person.idle().await;
    }
    let group = people[0]
        .create_group("Keluarga Besar", &["@budiawan", "@citrawati", "@dewantara"])
        .await;
    for person in &people {
        person.sees_group(group, |view| view.name == "Keluarga Besar").await;
    }
    let Ok(people) = <[TestUser; 4]>::try_from(people) else {
        unreachable!("four were made")
    };
    (people, group)
}

fn role(view: &GroupView, user: &TestUser) -> Option<GroupRole> {
    let members = view.members.iter();
    let mut own = members.filter(|member| member.person.account_id == user.me.account_id);
    own.next().map(|member| member.role)
}

fn set_role(user: &TestUser, role: GroupRole) -> GroupCommand {
    GroupCommand::SetRole {
        who: user.account(),
        role,
    }
}

fn remove(user: &TestUser) -> GroupCommand {
    GroupCommand::Remove { who: user.account() }
}

fn add(user: &TestUser) -> GroupCommand {
    GroupCommand::Add {
        who: vec![user.account()],
    }
}
