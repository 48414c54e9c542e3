//! Every kind of message that a person sends, and how it is answered and kept, with the real binary.

mod support;

use serde_json::{Value, json};
use support::{Person, Serve, directory};

fn id(value: &Value) -> &str {
    value.as_str().expect("an id")
}

/// The newest message of the group, as this person has it.
fn newest(person: &Person, group: &str) -> Value {
    person.lines(&["messages", "--with", group, "--limit", "1"]).remove(0)
}

#[test]
fn polls_places_cards_and_mentions_go_through_a_group() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let [ani, budi] = ["ani", "budi"].map(|name| Person::register(directory.path(), name, &server.url));
    let group = ani.ok(&["group", "create", "--name", "Arisan", "--member", "@budi"]);
    let group = id(&group["conversation_id"]).to_owned();
    let send = |kind, value| ["send", "--to", group.as_str(), kind, value].map(ToOwned::to_owned);
    let sent = |person: &Person, kind, value| {
        let words = send(kind, value);
        person.ok(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };

    let poll = sent(&ani, "--poll", r#"{"question":"Makan?","options":["Padang","Sunda"]}"#);
    let poll = id(&poll["message_id"]);
    let seen = budi
        .lines(&["receive"])
        .into_iter()
        .find(|item| item["kind"] == "poll")
        .expect("the poll");
    assert_eq!(seen["poll"]["options"], json!(["Padang", "Sunda"]));
    budi.ok(&["vote", "--message", poll, "--option", "1"]);
    let votes = ani.lines(&["receive"]);
    let vote = votes.iter().find(|item| item["kind"] == "vote").expect("the vote");
    assert_eq!((&vote["vote"], id(&vote["in_reply_to"])), (&json!([1]), poll));
    assert_eq!(budi.refused(&["vote", "--message", poll, "--option", "2"]).0, "invalid");
    assert_eq!(budi.refused(&["close-poll", "--message", poll]).0, "not_yours");
    ani.ok(&["close-poll", "--message", poll]);
    budi.lines(&["receive"]);
    assert_eq!(newest(&budi, &group)["poll"]["closed"], true);

    sent(
        &ani,
        "--location",
        r#"{"latitude":-6.1753924,"longitude":106.8271528,"name":"Monas"}"#,
    );
    sent(
        &ani,
        "--contact",
        r#"{"name":"Dokter Sari","phones":["+62 21 555 0101"]}"#,
    );
    let came = budi.lines(&["receive"]);
    let place = came.iter().find(|item| item["kind"] == "location").expect("the place");
    assert_eq!(place["location"]["longitude"], 106.827_152_8);
    let card = came.iter().find(|item| item["kind"] == "contacts").expect("the card");
    assert_eq!(card["contacts"]["people"][0]["phones"], json!(["+62 21 555 0101"]));

    let account = id(&budi.ok(&["whoami"])["account_id"]).to_owned();
    let named = format!("Budi={account}");
    let text = ["send", "--to", &group, "--text", "Ayo @Budi", "--mention", &named];
    ani.ok(&text);
    let came = budi.lines(&["receive"]);
    assert_eq!(came.last().expect("an item")["mentions_me"], true);
    assert_eq!(budi.ok(&["chats"])["mentions"].as_array().map(Vec::len), Some(1));
    let nobody = ["send", "--to", &group, "--text", "Ayo", "--mention", &named];
    assert_eq!(ani.refused(&nobody).0, "invalid");
}

#[test]
fn messages_are_starred_pinned_and_vanish() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let [ani, budi] = ["ani", "budi"].map(|name| Person::register(directory.path(), name, &server.url));
    let first = ani.send("@budi", "alamat: Jalan Melati 3");
    let first = id(&first["message_id"]);
    let chat = first_chat(&budi);
    budi.ok(&["star", "--message", first]);
    let starred = budi.lines(&["starred"]);
    assert_eq!(
        (id(&starred[0]["message_id"]), &starred[0]["starred"]),
        (first, &json!(true))
    );
    budi.ok(&["unstar", "--message", first]);
    assert_eq!(budi.lines(&["starred"]), [Value::Null; 0]);

    budi.ok(&["pin-message", "--message", first, "--hours", "24"]);
    let told = ani.lines(&["receive"]);
    let notice = told
        .iter()
        .find(|item| item["kind"] == "notice_pinned")
        .expect("the notice");
    assert_eq!(id(&notice["in_reply_to"]), first);
    assert_eq!(id(&ani.ok(&["chats"])["pins"][0]["message_id"]), first);
    assert_eq!(
        ani.refused(&["pin-message", "--message", first, "--hours", "745"]).0,
        "invalid"
    );
    ani.ok(&["unpin-message", "--message", first]);
    assert!(ani.ok(&["chats"])["pins"].is_null());

    assert_eq!(
        budi.refused(&["timer", "--with", "@ani", "--seconds", "59"]).0,
        "invalid"
    );
    budi.ok(&["timer", "--with", "@ani", "--seconds", "3600"]);
    let secret = budi.send("@ani", "kode 4711");
    ani.lines(&["receive"]);
    let going = newest(&ani, &chat);
    assert_eq!(going["message_id"], secret["message_id"]);
    let (sent, expires) = (
        going["time"].as_i64().expect("a time"),
        going["expires_at"].as_i64().expect("an end"),
    );
    assert!((3_590_000..=3_610_000).contains(&(expires - sent)), "{going}");
}

/// Takes in what came, and says where.
fn first_chat(person: &Person) -> String {
    let came = person.lines(&["receive"]);
    id(&came[0]["conversation_id"]).to_owned()
}
