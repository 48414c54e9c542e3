//! What is deleted leaves the server: looked at in its database and its files, while the one who was to get it is away.

mod support;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
};

use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use support::{Person, Serve, directory};

const SECRET: &str = "notulen rapat yang salah kirim";

/// Bodies of messages that wait for somebody, in the queues and in the log.
fn waiting(server: &Serve) -> i64 {
    let count = async {
        let options = SqliteConnectOptions::new().filename(server.data.join("kabar.db"));
        let mut database = SqliteConnection::connect_with(&options).await.expect("the database");
        let sql = "SELECT (SELECT COUNT(*) FROM queue WHERE kind IN (3, 19)) + \
                   (SELECT COUNT(*) FROM conversation_log WHERE kind = 3)";
        sqlx::query_scalar(sql).fetch_one(&mut database).await.expect("counted")
    };
    tokio::runtime::Runtime::new().expect("a runtime").block_on(count)
}

fn metric(server: &Serve, name: &str) -> String {
    let mut stream = TcpStream::connect(server.address()).expect("connected");
    let request = format!(
        "GET /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        server.address()
    );
    stream.write_all(request.as_bytes()).expect("asked");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("answered");
    let line = answer
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name}: {answer}")).trim().to_owned()
}

fn id(message: &Value) -> String {
    message["message_id"].as_str().expect("an id").to_owned()
}

fn people(directory: &Path, server: &Serve) -> [Person; 3] {
    ["Ani", "Budi", "Citra"].map(|name| Person::register(directory, name, &server.url))
}

/// The kinds of what stands in a thread, newest first.
fn kinds(person: &Person, with: &str) -> Vec<Value> {
    let messages = person.lines(&["messages", "--with", with]);
    messages.into_iter().map(|message| message["kind"].clone()).collect()
}

#[test]
fn a_file_that_is_deleted_leaves_queue_and_disk_before_anybody_fetched_it() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let [ani, budi, citra] = people(directory.path(), &server);
    ani.send("@budi", "halo");
    ani.send("@citra", "halo");
    assert_eq!((budi.texts().len(), citra.texts().len()), (1, 1));
    assert_eq!(waiting(&server), 0);

    let file = directory.path().join("notulen.txt");
    std::fs::write(&file, SECRET.repeat(500)).expect("written");
    let sent = ani.ok(&["send", "--to", "@budi", "--file", file.to_str().expect("a path")]);
    let passed_on = ani.ok(&["forward", "--message", &id(&sent), "--to", "@citra"]);
    let passed_on = id(&passed_on["messages"][0]);
    ani.send("@budi", "yang tadi salah");
    assert_eq!(waiting(&server), 3);
    assert_eq!(server.admin(&["media", "verify"])["files"], 1);

    ani.ok(&["delete", "--message", &id(&sent)]);
    // The text after it, the file that was passed on, and the deletion itself.
    assert_eq!(waiting(&server), 3);
    assert_eq!(
        server.admin(&["media", "verify"])["files"],
        1,
        "the message to Citra still needs it"
    );
    ani.ok(&["delete", "--message", &passed_on]);
    let counted = server.admin(&["media", "verify"]);
    assert_eq!(
        (&counted["ok"], &counted["files"], &counted["orphans"]),
        (&json!(true), &json!(0), &json!(0))
    );
    assert_eq!(metric(&server, "kabar_media_deleted_files_total"), "1");
    assert_eq!(metric(&server, "kabar_media_stored_bytes"), "0");
    assert_eq!(metric(&server, "kabar_messaging_withdrawn_items_total"), "2");

    assert_eq!(budi.texts(), ["yang tadi salah"]);
    assert_eq!(
        kinds(&budi, "@ani"),
        ["text", "deleted", "text"],
        "no gap, and the deletion in its place"
    );
    citra.lines(&["receive"]);
    assert_eq!(kinds(&citra, "@ani"), ["deleted", "text"]);
    budi.send("@ani", "baik");
    assert_eq!(ani.texts(), ["baik"]);
}

#[test]
fn what_an_admin_deletes_leaves_for_those_who_were_away() {
    let directory = directory();
    let server = Serve::start(directory.path());
    let [ani, budi, citra] = people(directory.path(), &server);
    let group = ani.ok(&["group", "create", "--name", "Arisan", "--member", "@budi", "@citra"]);
    let group = group["conversation_id"].as_str().expect("an id").to_owned();
    ani.send(&group, "selamat datang");
    assert_eq!((budi.texts().len(), citra.texts().len()), (1, 1));
    let file = directory.path().join("promo.txt");
    std::fs::write(&file, SECRET).expect("written");
    let sent = budi.ok(&["send", "--to", &group, "--file", file.to_str().expect("a path")]);
    ani.lines(&["receive"]);
    ani.ok(&["delete", "--message", &id(&sent)]);
    // Of three bodies only the deletion is left, for two devices.
    assert_eq!(waiting(&server), 2);
    assert_eq!(
        server.admin(&["media", "verify"])["files"],
        1,
        "his file is his to delete"
    );
    budi.lines(&["receive"]);
    assert_eq!(
        server.admin(&["media", "verify"])["files"],
        0,
        "which his client does when it learns of it"
    );
    citra.lines(&["receive"]);
    assert_eq!(kinds(&citra, &group)[0], "deleted");
    assert!(!kinds(&citra, &group).contains(&json!("notice_gap")));
}
