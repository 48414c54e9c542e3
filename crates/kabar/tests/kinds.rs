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

#[test]
fn a_picture_is_looked_at_once_and_others_stand_on_their_shelf() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let [ani, budi] = ["ani", "budi"].map(|name| Person::register(directory.path(), name, &server.url));
    let written = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path.to_string_lossy().into_owned()
    };
    let [secret, one, two] = ["sekali.jpg", "satu.jpg", "dua.jpg"].map(|name| written(name, name.as_bytes()));
    let note = written("catatan.txt", b"halo");
    let once = ["send", "--to", "@budi", "--file", &secret, "--view-once"];
    let sent = ani.ok(&once);
    let message = id(&sent["message_id"]);
    let came = budi.lines(&["receive"]);
    let item = came.iter().find(|item| item["kind"] == "file").expect("the picture");
    assert_eq!(
        (&item["file"]["view_once"], &item["file"]["path"]),
        (&json!(true), &Value::Null)
    );
    let look = ["save-file", "--message", message];
    assert_eq!(ani.refused(&look).0, "file_gone", "its sender keeps nothing of it");
    let seen = budi.ok(&look);
    assert_eq!(std::fs::read(id(&seen["path"])).expect("saved"), b"sekali.jpg");
    assert_eq!(budi.refused(&look).0, "file_gone");
    let told = ani.lines(&["receive"]);
    let opened = told.iter().find(|item| item["kind"] == "opened").expect("the look");
    assert_eq!(id(&opened["in_reply_to"]), message);
    assert_eq!(
        ani.refused(&["send", "--to", "@budi", "--file", &note, "--view-once"])
            .0,
        "invalid"
    );

    ani.lines(&["send", "--to", "@budi", "--album", "--file", &one, "--file", &two]);
    ani.ok(&["send", "--to", "@budi", "--file", &note]);
    ani.send("@budi", "https://contoh.id");
    assert_eq!(
        ani.refused(&["send", "--to", "@budi", "--album", "--file", &one]).0,
        "invalid"
    );
    budi.lines(&["receive"]);
    let shelf = |kind| budi.lines(&["shelf", "--with", "@ani", "--kind", kind]);
    let media = shelf("media");
    let names: Vec<_> = media.iter().map(|message| id(&message["file"]["name"])).collect();
    assert_eq!(names, ["dua.jpg", "satu.jpg"]);
    assert_eq!(media[0]["file"]["album"], media[1]["file"]["album"]);
    assert_eq!(id(&media[0]["file"]["album"]).len(), 32);
    assert_eq!(shelf("documents")[0]["file"]["name"], "catatan.txt");
    assert_eq!(shelf("links")[0]["text"], "https://contoh.id");
}

#[test]
fn people_decide_what_others_see_and_whom_they_hear() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let [ani, budi] = ["ani", "budi"].map(|name| Person::register(directory.path(), name, &server.url));
    let set = budi.ok(&["privacy", "--read-receipts", "false", "--presence", "nobody"]);
    assert_eq!(
        budi.ok(&["privacy"]),
        json!({"read_receipts": false, "typing": true, "presence": "nobody", "timer_s": 0})
    );
    assert_eq!(set["presence"], "nobody");
    assert_eq!(budi.refused(&["privacy", "--timer", "5"]).0, "invalid");

    let first = ani.send("@budi", "Halo");
    budi.lines(&["receive"]);
    budi.ok(&["read", "--message", id(&first["message_id"])]);
    ani.lines(&["receive"]);
    let chat = id(&first["conversation_id"]).to_owned();
    assert_eq!(newest(&ani, &chat)["state"], "delivered");
    assert_eq!(ani.ok(&["presence", "--with", "@budi"]), json!({}));

    assert_eq!(budi.ok(&["block", "--with", "@ani"])["blocked"], true);
    ani.send("@budi", "Halo?");
    assert_eq!(budi.lines(&["receive"]), [Value::Null; 0]);
    assert_eq!(budi.refused(&["send", "--to", "@ani", "--text", "Apa"]).0, "blocked");
    assert_eq!(budi.ok(&["unblock", "--with", "@ani"])["blocked"], false);
    ani.send("@budi", "Halo lagi");
    assert_eq!(budi.lines(&["receive"]).last().expect("it")["text"], "Halo lagi");
    let sorted = budi.ok(&["lists", "--with", "@ani", "--list", "Keluarga"]);
    assert_eq!(sorted["lists"], json!(["Keluarga"]));
}

#[test]
fn what_a_stranger_wrote_is_shown_to_the_operator_with_proof() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let [ani, budi] = ["ani", "budi"].map(|name| Person::register(directory.path(), name, &server.url));
    ani.send("@budi", "Anda menang undian");
    let ask = ani.send("@budi", "Kirim kode OTP");
    let chat = id(&ask["conversation_id"]).to_owned();
    budi.lines(&["receive"]);
    let report = ["report", "--with", &chat, "--reason", "fraud"];
    assert_eq!(budi.ok(&report), json!({"reported": true}));
    budi.ok(&report);
    let mine = budi.send("@ani", "Tidak");
    let own = [&report[..], &["--message", id(&mine["message_id"])]].concat();
    assert_eq!(budi.refused(&own).0, "invalid");

    let open = server.admin(&["reports", "list"]);
    let reports = open["reports"].as_array().expect("a list");
    let account = id(&ani.ok(&["whoami"])["account_id"]).to_owned();
    assert_eq!(
        (reports.len(), id(&reports[0]["account_id"]), id(&reports[0]["reason"])),
        (1, account.as_str(), "fraud")
    );
    let report = id(&reports[0]["report_id"]).to_owned();
    let shown = server.admin(&["reports", "show", &report]);
    let words: Vec<&str> = shown["messages"]
        .as_array()
        .expect("messages")
        .iter()
        .map(|message| id(&message["text"]))
        .collect();
    assert_eq!(words, ["Kirim kode OTP", "Anda menang undian"]);
    let closed = server.admin(&["reports", "close", &report, "--note", "diperingatkan"]);
    assert_eq!(closed["open"], false);
    assert_eq!(server.admin(&["reports", "list"]), json!({"reports": []}));
}

/// Takes in what came, and says where.
fn first_chat(person: &Person) -> String {
    let came = person.lines(&["receive"]);
    id(&came[0]["conversation_id"]).to_owned()
}
