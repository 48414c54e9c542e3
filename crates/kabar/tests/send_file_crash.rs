//! kill -9 of a gateway over a file that the server has and that its caller was not told of: asked again under the same key, it answers
//! for the file that went out.

mod support;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    thread,
};

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use support::{Person, Serve, company::OwnGateway, directory};

const SHOP: &str = "+622150009000";
const PHONE: &str = "+6281234567890";
const DIGITS: &str = "6281234567890";
/// What a link answers is sent as it came; nobody looks into it.
const RECIPE: &[u8] = b"%PDF-1.7 resep";

/// The shop's web server: one request, answered when the test says so.
struct Request(TcpStream);

impl Request {
    fn take(listener: &TcpListener) -> Self {
        let (stream, _) = listener.accept().expect("a request");
        let head = BufReader::new(&stream).lines().map_while(Result::ok);
        head.take_while(|line| !line.is_empty()).for_each(drop);
        Self(stream)
    }

    fn answer(mut self, mime: &str) {
        let length = RECIPE.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: {mime}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
        self.0.write_all(&[head.as_bytes(), RECIPE].concat()).expect("answered");
    }
}

/// As long as it lives, the gateway writes nothing down: what it sends now, it cannot record.
async fn writes_held(data: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(data.join("gateway.db"));
    let mut connection = SqliteConnection::connect_with(&options).await.expect("its database");
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut connection)
        .await
        .expect("the lock");
    connection
}

fn files(person: &Person) -> Vec<Value> {
    let items = person.lines(&["receive"]);
    items.into_iter().filter(|item| item["kind"] == "file").collect()
}

#[test]
fn a_file_whose_answer_was_lost_is_not_sent_again() {
    let directory = directory();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let server = Serve::start(directory.path());
    let name = "Apotek Sehat";
    let waba = server.admin(&["business", "create", "--name", name])["waba_id"].clone();
    let waba = waba.as_str().unwrap_or_default();
    let add = ["number", "add", "--waba", waba, "--phone", SHOP, "--name", name];
    let number = server.admin(&[&add[..], &["--own-gateway", "--server", &server.url]].concat());
    let mut gateway = OwnGateway::start(directory.path(), number["enrolment"].as_str().unwrap_or_default());
    let ani = Person::proved(directory.path(), "Anindita", &server, PHONE);
    ani.send(SHOP, "Boleh minta resepnya?");

    let web = TcpListener::bind("127.0.0.1:0").expect("a port");
    let link = format!("http://{}/resep.pdf", web.local_addr().expect("an address"));
    let send = json!({ "to": DIGITS, "type": "document", "document": { "link": link, "caption": "Ini" } });
    let company = gateway.company.clone();
    // Its connection breaks.
    let first = {
        let send = send.clone();
        thread::spawn(move || company.send_once("kunci", &send))
    };
    let asked = Request::take(&web);
    let held = runtime.block_on(writes_held(&gateway.data));
    asked.answer("application/pdf");
    let received = loop {
        match files(&ani).as_slice() {
            [] => thread::yield_now(),
            [one] => break one.clone(),
            more => panic!("{more:?}"),
        }
    };
    gateway.kill();
    runtime.block_on(held.close()).expect("the lock is let go");
    assert!(first.join().is_err(), "nobody was answered");
    gateway.come_back();

    let company = gateway.company.clone();
    let again = thread::spawn(move || company.send_once("kunci", &send));
    Request::take(&web).answer("application/pdf");
    let (status, answer) = again.join().expect("an answer");
    assert_eq!(status, 200, "{answer}");
    assert_eq!(files(&ani), [Value::Null; 0], "after {received}");
    let wamid = answer["messages"][0]["id"].as_str().unwrap_or_default();
    let id = BASE64.decode(wamid.trim_start_matches("wamid.")).unwrap_or_default();
    let message_id = received["message_id"].as_str().expect("an id");
    assert!(hex::encode(id).ends_with(message_id), "{answer} is about {received}");
}
