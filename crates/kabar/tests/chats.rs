//! What `kabar chat` does to chats and to messages that are there, with the real binary.

mod support;

use serde_json::json;
use support::{Person, Serve, directory};

fn id(value: &serde_json::Value) -> &str {
    value.as_str().expect("an id")
}

#[test]
fn passing_on_says_which_chat_did_not_take_it() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let [ani, budi, citra] = ["ani", "budi", "citra"].map(|name| Person::register(directory.path(), name, &server.url));
    let group = ani.ok(&["group", "create", "--name", "Arisan", "--member", "@budi"]);
    let group = id(&group["conversation_id"]).to_owned();
    budi.lines(&["receive"]);
    let said = ani.send("@budi", "catat ya");
    budi.lines(&["receive"]);
    let message = id(&said["message_id"]);
    let everywhere = ["forward", "--message", message, "--to", &group, "@citra"];
    let forwarded = budi.ok(&everywhere);
    let states = |value: &serde_json::Value| -> Vec<serde_json::Value> {
        let messages = value["messages"].as_array().expect("messages");
        messages.iter().map(|message| message["state"].clone()).collect()
    };
    assert_eq!(states(&forwarded), [json!("sent"), json!("sent")]);

    // Budi learns that he is out only when he connects.
    ani.ok(&["group", "remove", &group, "@budi"]);
    let output = budi.run(&everywhere);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("not_a_member"), "{errors}");
    let forwarded = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(states(&forwarded), [json!("failed"), json!("sent")]);
    let failed = id(&forwarded["messages"][0]["message_id"]);
    let (code, _) = budi.refused(&["resolve", "--message", failed, "--retry"]);
    assert_eq!(code, "not_a_member");
    assert_eq!(citra.texts(), ["catat ya", "catat ya"]);
}

#[test]
fn chats_are_kept_in_order_from_the_command_line() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let [ani, budi] = ["ani", "budi"].map(|name| Person::register(directory.path(), name, &server.url));
    ani.send("@budi", "besok ke pasar");
    budi.lines(&["receive"]);
    let with = |command| [command, "--with", "@ani"];
    for (command, key, holds) in [
        ("pin", "pinned", true),
        ("unpin", "pinned", false),
        ("archive", "archived", true),
        ("unarchive", "archived", false),
        ("mark-unread", "marked_unread", true),
    ] {
        assert_eq!(budi.ok(&with(command))[key], holds, "{command}");
        let chat = budi.ok(&["chats"]);
        assert_eq!(chat[key].as_bool().unwrap_or(false), holds, "{command}: {chat}");
    }
    budi.send("@ani", "jam berapa?");
    ani.lines(&["receive"]);
    assert_eq!(ani.ok(&["chats"])["unread"], 1);
    ani.ok(&["mark-read", "--with", "@budi"]);
    assert_eq!(ani.ok(&["chats"])["unread"], 0);
    let told = budi.lines(&["receive", "--timeout", "5"]);
    assert!(told.iter().any(|item| item["state"] == "read"), "{told:?}");

    let draft = |text| ["draft", "--with", "@ani", "--text", text];
    assert_eq!(budi.ok(&draft("habis sub"))["draft"], "habis sub");
    assert_eq!(budi.ok(&["chats"])["draft"], "habis sub", "the next command finds it");
    assert_eq!(budi.ok(&draft(""))["draft"], "");
    assert_eq!(budi.refused(&draft(&"x".repeat(5_000))).0, "invalid");
}

#[test]
fn messages_are_found_from_the_command_line() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let [ani, budi] = ["ani", "budi"].map(|name| Person::register(directory.path(), name, &server.url));
    let first = ani.send("@budi", "besok ke Pasar Minggu");
    let second = ani.send("@budi", "pasarnya buka jam lima");
    budi.lines(&["receive"]);
    let found = |arguments: &[&str]| -> Vec<String> {
        let found = budi.lines(arguments);
        found
            .iter()
            .map(|message| id(&message["message_id"]).to_owned())
            .collect()
    };
    let (first, second) = (id(&first["message_id"]), id(&second["message_id"]));
    assert_eq!(found(&["search", "PAS"]), [second, first]);
    assert_eq!(found(&["search", "ming pasar"]), [first]);
    assert_eq!(found(&["search", "pasar", "--limit", "1"]), [second]);
    assert_eq!(found(&["search", "pasar", "--before", second]), [first]);
    assert!(found(&["search", "bioskop"]).is_empty());
    assert_eq!(budi.refused(&["search", " ?! "]).0, "invalid");
    assert_eq!(
        budi.refused(&["search", "pasar", "--before", &"0".repeat(64)]).0,
        "invalid"
    );
}

#[test]
fn a_refusal_names_the_option_that_was_typed() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let ani = Person::register(directory.path(), "ani", &server.url);
    for command in ["pin", "archive", "mark-read", "messages", "mute"] {
        let output = ani.run(&[command, "--with", "nobody at all"]);
        let errors = String::from_utf8_lossy(&output.stderr);
        let error: serde_json::Value = serde_json::from_str(&errors).expect("JSON");
        assert_eq!(error["error"]["parameter"], "with", "{command}: {errors}");
        assert_eq!(ani.refused(&[command, "--with", "@nobody"]).0, "not_found");
    }
}
