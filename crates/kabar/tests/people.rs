//! `kabar chat` against `kabar serve`, both as real processes.

mod support;

use kabar_testkit::assert_nowhere;
use serde_json::json;
use support::{Person, Serve, directory, kabar};

#[test]
fn two_people_chat_from_the_command_line() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let ani = Person::new(directory.path(), "ani", &server.url);
    let registered = ani.ok(&["register", "--name", "Anindita", "--username", "ani"]);
    assert_eq!(registered["account_id"].as_str().map(str::len), Some(32));
    assert_eq!(registered["device_id"].as_str().map(str::len), Some(32));
    let budi = Person::new(directory.path(), "budi", &server.url);
    budi.ok(&["register", "--name", "Budiawan", "--username", "budi"]);

    let sent = ani.send("@budi", "apa kabar?");
    assert_eq!(sent["state"], "sent");
    let received = budi.lines(&["receive"]);
    assert_eq!(received.len(), 1, "{received:?}");
    let item = &received[0];
    assert_eq!(
        (&item["kind"], &item["text"], &item["request"]),
        (&json!("text"), &json!("apa kabar?"), &json!(true))
    );
    assert_eq!(item["message_id"], sent["message_id"]);
    assert_eq!(item["conversation_id"], sent["conversation_id"]);
    assert_eq!(item["from"]["account_id"], registered["account_id"]);
    assert_eq!(item["from"]["name"], "Anindita");
    assert!(budi.lines(&["receive"]).is_empty(), "each item once per home");

    budi.ok(&["read", "--message", sent["message_id"].as_str().unwrap_or_default()]);
    // The first receipt to come may be that of the delivery.
    let mut states = Vec::new();
    while !states.contains(&json!("read")) {
        let receipts = ani.lines(&["receive", "--timeout", "5"]);
        assert!(!receipts.is_empty(), "no read receipt came: {states:?}");
        states.extend(
            receipts
                .iter()
                .filter(|item| item["kind"] == "receipt")
                .map(|item| item["state"].clone()),
        );
    }

    budi.send(sent["conversation_id"].as_str().unwrap_or_default(), "baik-baik saja");
    assert_eq!(ani.texts(), ["baik-baik saja"]);
    let number = ani.ok(&["safety-number", "--with", "@budi"])["safety_number"].clone();
    assert_eq!(number, budi.ok(&["safety-number", "--with", "@ani"])["safety_number"]);
    assert_eq!(ani.ok(&["whoami"])["username"], "ani");
    let (data, log) = (server.data.clone(), server.log());
    assert_eq!(server.terminate(), Some(0));
    let written = ["apa kabar?", "baik-baik saja", "Anindita", "Budiawan"];
    assert_nowhere(&data, &written);
    assert!(!written.iter().any(|text| log.contains(text)), "{log}");
}

/// Four people, of whom three are in a group that the first has made: they write, and know with whom it arrived.
fn three_in_a_group(directory: &std::path::Path, server: &Serve) -> ([Person; 4], String) {
    let people = ["ani", "budi", "citra", "dewi"].map(|name| {
        let person = Person::new(directory, name, &server.url);
        person.ok(&["register", "--name", &format!("{name} wijaya"), "--username", name]);
        person
    });
    let [ani, budi, citra, _] = &people;
    let made = ani.ok(&[
        "group",
        "create",
        "--name",
        "Arisan RT Lima",
        "--member",
        "@budi",
        "@citra",
    ]);
    let id = made["conversation_id"].as_str().expect("an id");
    assert_eq!(made["members"], 3);
    ani.send(id, "iuran bulan ini");
    assert_eq!(budi.texts(), ["iuran bulan ini"]);
    let sent = budi.send(id, "sudah lunas");
    for person in [ani, citra] {
        assert!(person.texts().contains(&"sudah lunas".to_owned()));
    }
    let chats = citra.lines(&["chats"]);
    assert_eq!(
        (&chats[0]["kind"], &chats[0]["peer"]["name"]),
        (&json!("group"), &json!("Arisan RT Lima"))
    );
    assert_eq!(chats[0]["group"]["members"], 3);
    let info = budi.ok(&["info", "--message", sent["message_id"].as_str().unwrap_or_default()]);
    assert_eq!(
        (&info["state"], info["members"].as_array().map(Vec::len)),
        (&json!("delivered"), Some(2))
    );
    let id = id.to_owned();
    (people, id)
}

/// An admin adds and removes; settings and name change; who is out or may not write is refused.
fn the_group_changes([ani, budi, citra, dewi]: &[Person; 4], id: &str) {
    let (code, message) = budi.refused(&["group", "add", id, "@dewi"]);
    assert_eq!(code, "not_allowed", "{message}");
    ani.ok(&["group", "promote", id, "@budi"]);
    let added = budi.ok(&["group", "add", id, "@dewi"]);
    assert_eq!(added["members"].as_array().map(Vec::len), Some(4));
    let kinds: Vec<_> = dewi
        .lines(&["receive"])
        .iter()
        .map(|item| item["kind"].clone())
        .collect();
    assert_eq!(kinds, ["notice_added"], "nothing from before");
    assert_eq!(dewi.ok(&["group", "show", id])["name"], "Arisan RT Lima");

    budi.ok(&["group", "remove", id, "@citra"]);
    ani.ok(&[
        "group",
        "set",
        id,
        "--post",
        "admins",
        "--description",
        "setiap tanggal lima",
    ]);
    ani.ok(&["group", "rename", id, "--name", "Arisan RT Enam"]);
    let (code, _) = dewi.refused(&["send", "--to", id, "--text", "boleh tanya?"]);
    assert_eq!(code, "not_allowed");
    ani.send(id, "hanya pengurus");
    citra.lines(&["receive"]);
    let (code, _) = citra.refused(&["send", "--to", id, "--text", "saya di mana?"]);
    assert_eq!(code, "not_a_member");
    assert_eq!(citra.ok(&["group", "show", id])["standing"], "removed");
    let notices: Vec<_> = dewi
        .lines(&["receive"])
        .iter()
        .map(|item| item["kind"].clone())
        .collect();
    for kind in [
        "notice_removed",
        "notice_group_name",
        "notice_group_description",
        "notice_group_settings",
    ] {
        assert!(notices.contains(&json!(kind)), "{kind} is told: {notices:?}");
    }
}

#[test]
fn a_group_lives_on_the_command_line() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let (people, id) = three_in_a_group(directory.path(), &server);
    let id = id.as_str();
    the_group_changes(&people, id);
    let [ani, budi, _, dewi] = &people;
    let (code, _) = ani.refused(&["group", "leave", id]);
    assert_eq!(code, "last_owner");
    ani.ok(&["group", "leave", id, "--successor", "@budi"]);
    budi.send(id, "terima kasih, bu ani");
    assert!(dewi.texts().contains(&"terima kasih, bu ani".to_owned()));
    assert!(ani.texts().is_empty());
    assert_eq!(
        budi.ok(&["mute", "--with", id, "--hours", "8"])["muted_until"]
            .as_i64()
            .map(|at| at > 0),
        Some(true)
    );

    let (data, log) = (server.data.clone(), server.log());
    assert_eq!(server.terminate(), Some(0));
    let written = [
        "Arisan RT",
        "iuran bulan ini",
        "setiap tanggal lima",
        "ani wijaya",
        "hanya pengurus",
    ];
    assert_nowhere(&data, &written);
    assert!(!written.iter().any(|text| log.contains(text)), "{log}");
}

#[test]
fn a_phone_number_is_proved_by_the_code_that_the_operator_holds() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let ani = Person::new(directory.path(), "ani", &server.url);
    let pending = ani.ok(&["register", "--name", "Ani", "--phone", "+6281234567890"]);
    assert_eq!(pending["verification"], "pending");
    assert!(pending["resend_after_s"].as_u64().is_some_and(|s| s > 0));
    assert!(pending.get("code").is_none(), "only --dev shows it");

    let (code, message) = ani.refused(&["phone", "+6281234567890"]);
    assert_eq!(code, "code_too_soon", "{message}");
    let held = server.admin(&["registration-code", "+6281234567890"]);
    let held = held["code"].as_str().expect("code");
    let wrong = if held == "000000" { "000001" } else { "000000" };
    let (code, message) = ani.refused(&["verify", "--code", wrong]);
    assert_eq!(code, "wrong_code", "{message}");
    let verified = ani.ok(&["verify", "--code", held]);
    assert_eq!(verified["account_id"].as_str().map(str::len), Some(32));

    let budi = Person::register(directory.path(), "Budi", &server.url);
    budi.send("+62 812-3456-7890", "lewat nomor");
    assert_eq!(ani.texts(), ["lewat nomor"]);
    let log = server.log();
    assert!(
        !log.contains("81234567890") && !log.contains(held),
        "neither number nor code reaches a log"
    );
}

#[test]
fn bad_input_is_named_with_its_rule() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let ani = Person::register(directory.path(), "Ani", &server.url);
    let other = Person::new(directory.path(), "other", &server.url);

    let (code, message) = other.refused(&["register", "--name", "X", "--username", "ani"]);
    assert_eq!(code, "username_taken", "{message}");
    let (code, _) = other.refused(&["whoami"]);
    assert_eq!(code, "no_account", "nothing is half-done");
    let (code, message) = other.refused(&["register", "--name", "X", "--phone", "0812"]);
    assert!(
        code == "invalid" && message.contains("country code"),
        "{code}: {message}"
    );
    let (code, message) = other.refused(&["register", "--name", " "]);
    assert!(code == "invalid" && message.contains("1 to 50"), "{code}: {message}");
    let (code, message) = ani.refused(&["send", "--to", "@niemand", "--text", "x"]);
    assert!(code == "not_found" && message.contains("@niemand"), "{code}: {message}");
    let (code, message) = ani.refused(&["send", "--to", "@ani", "--text", &"x".repeat(4097)]);
    assert!(code == "invalid" && message.contains("4096"), "{code}: {message}");
    let (code, message) = ani.refused(&["verify", "--code", "123456"]);
    assert_eq!(code, "no_phone_pending", "{message}");
    let usage = ani.run(&["send", "--nonsense"]);
    assert_eq!(usage.status.code(), Some(2));
}

#[test]
fn two_commands_on_one_home_wait_for_each_other() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let ani = Person::register(directory.path(), "Ani", &server.url);
    let budi = Person::register(directory.path(), "Budi", &server.url);
    let sends: Vec<_> = (0..4)
        .map(|n| {
            ani.command(&["send", "--to", "@budi", "--text", &n.to_string()])
                .spawn()
                .expect("spawn")
        })
        .collect();
    for mut send in sends {
        assert!(send.wait().expect("wait").success());
    }
    let mut texts = budi.texts();
    texts.sort();
    assert_eq!(texts, ["0", "1", "2", "3"]);
}

#[test]
fn a_server_that_cannot_start_says_why() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let serve = |arguments: &[&str]| {
        let output = kabar().arg("serve").args(arguments).output().expect("kabar serve");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let other = directory.path().join("other");
    let other = other.to_str().expect("UTF-8");
    let taken = serve(&["--listen", server.address(), "--data", other]);
    assert!(taken.contains("in use") && taken.contains(server.address()), "{taken}");
    let data = server.data.to_str().expect("UTF-8");
    let locked = serve(&["--listen", "127.0.0.1:0", "--data", data]);
    assert!(locked.contains(data), "{locked}");
    let file = directory.path().join("file");
    std::fs::write(&file, "").expect("write");
    let unwritable = serve(&[
        "--listen",
        "127.0.0.1:0",
        "--data",
        file.join("data").to_str().expect("UTF-8"),
    ]);
    assert!(unwritable.contains("file"), "{unwritable}");
    let config = directory.path().join("kabar.toml");
    std::fs::write(&config, "[server]\nlisten_adress = \"127.0.0.1:1\"\n").expect("write");
    let unknown = serve(&["--config", config.to_str().expect("UTF-8")]);
    assert!(unknown.contains("listen_adress"), "{unknown}");
}

#[test]
fn an_unreachable_server_is_named_and_nothing_is_lost() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let ani = Person::register(directory.path(), "Ani", &server.url);
    let budi = Person::register(directory.path(), "Budi", &server.url);
    ani.send("@budi", "satu");
    let (address, url) = (server.address().to_owned(), server.url.clone());
    server.terminate();
    let (code, message) = ani.refused(&["--wait", "2", "send", "--to", "@budi", "--text", "dua"]);
    assert!(code == "unreachable" && message.contains(&url), "{code}: {message}");
    let _server = Serve::start_on(directory.path(), &address, &[]);
    ani.send("@budi", "tiga");
    assert_eq!(budi.texts(), ["satu", "dua", "tiga"], "what was queued goes first");
}
