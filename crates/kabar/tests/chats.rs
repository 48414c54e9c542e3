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
