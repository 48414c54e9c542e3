//! A company as its programs see it: tokens, calls of the Cloud API, and a receiver of webhooks.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Serve, kabar};

/// How long a webhook may take.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone)]
pub(crate) struct Company {
    address: String,
    pub(crate) waba: String,
    pub(crate) app: String,
    pub(crate) secret: String,
    pub(crate) number: String,
    pub(crate) token: String,
}

fn text(value: &Value, name: &str) -> String {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{value} has no {name}"))
        .to_owned()
}

impl Company {
    /// What a gateway's enrolment printed, with the address where it runs.
    fn of(answer: &Value, address: &str) -> Self {
        let company = Self {
            address: address.to_owned(),
            waba: text(answer, "waba_id"),
            app: text(answer, "app_id"),
            secret: text(answer, "app_secret"),
            number: text(answer, "phone_number_id"),
            token: text(answer, "access_token"),
        };
        company.wait_until_connected();
        company
    }

    /// Everything that an operator does for a new company.
    pub(crate) fn create(server: &Serve, name: &str, phone: &str) -> Self {
        let business = server.admin(&["business", "create", "--name", name]);
        let (waba, app) = (text(&business, "waba_id"), text(&business, "app_id"));
        let number = server.admin(&["number", "add", "--waba", &waba, "--phone", phone, "--name", name]);
        let token = server.admin(&["token", "create", "--app", &app]);
        let company = Self {
            address: server.address().to_owned(),
            secret: text(&business, "app_secret"),
            number: text(&number, "phone_number_id"),
            token: text(&token, "access_token"),
            waba,
            app,
        };
        company.wait_until_connected();
        company
    }

    /// The number's client enrols in the background; a call says when it is there.
    pub(crate) fn wait_until_connected(&self) {
        let read = json!({ "status": "read", "message_id": "wamid.x" });
        let started = std::time::Instant::now();
        while self.send(&read).0 != 200 {
            assert!(started.elapsed() < PATIENCE, "the number does not connect");
            std::thread::yield_now();
        }
    }

    /// Where its API is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            token: token.to_owned(),
            ..self.clone()
        }
    }

    pub(crate) fn subscribe(&self, server: &Serve, receiver: &Receiver, verify_token: &str) {
        receiver.expect_secret(&self.secret);
        let set = [
            "webhook",
            "set",
            "--app",
            &self.app,
            "--url",
            &receiver.url,
            "--verify-token",
            verify_token,
        ];
        assert_eq!(server.admin(&set)["success"], true);
    }

    /// `POST /<number>/messages`; `messaging_product` is added.
    pub(crate) fn send(&self, message: &Value) -> (u16, Value) {
        self.call(
            "POST",
            &format!("{}/messages", self.number),
            &[],
            Some(&product(message)),
        )
    }

    pub(crate) fn send_once(&self, key: &str, message: &Value) -> (u16, Value) {
        let headers = [("Idempotency-Key", key)];
        self.call(
            "POST",
            &format!("{}/messages", self.number),
            &headers,
            Some(&product(message)),
        )
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.call("POST", path, &[], Some(body))
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        self.call("GET", path, &[], None)
    }

    fn call(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> (u16, Value) {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(&self.address).expect("the server");
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let request = format!(
            "{method} /v23.0/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        let json = answer.find("\r\n\r\n").map_or("", |at| &answer[at..]);
        (
            status.unwrap_or_else(|| panic!("{answer}")),
            serde_json::from_str(json.trim()).unwrap_or_else(|_| panic!("{answer}")),
        )
    }
}

fn product(message: &Value) -> Value {
    let mut message = message.clone();
    message["messaging_product"] = "whatsapp".into();
    message
}

/// `kabar gateway run` on a directory of its own.
pub(crate) struct OwnGateway {
    child: Child,
    pub(crate) data: PathBuf,
    pub(crate) company: Company,
}

impl OwnGateway {
    pub(crate) fn start(directory: &Path, enrolment: &str) -> Self {
        let data = directory.join("own-gateway");
        let enrolled = kabar()
            .args(["gateway", "--json", "--data"])
            .arg(&data)
            .args(["enrol", enrolment])
            .output();
        let enrolled = enrolled.expect("kabar gateway");
        assert!(
            enrolled.status.success(),
            "{}",
            String::from_utf8_lossy(&enrolled.stderr)
        );
        let answer = serde_json::from_slice(&enrolled.stdout).expect("JSON");
        let (child, address) = spawn_gateway(&data, "127.0.0.1:0");
        let company = Company::of(&answer, &address);
        Self { child, data, company }
    }

    /// kill -9, and again on the same data and address; returns when it answers.
    pub(crate) fn die_and_return(&mut self) {
        self.kill();
        self.come_back();
    }

    /// kill -9.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("kill -9");
        self.child.wait().expect("gone");
    }

    /// Again, after [`Self::kill`].
    pub(crate) fn come_back(&mut self) {
        self.child = spawn_gateway(&self.data, &self.company.address).0;
        self.company.wait_until_connected();
    }
}

fn spawn_gateway(data: &Path, listen: &str) -> (Child, String) {
    let mut child = kabar()
        .args(["gateway", "--data"])
        .arg(data)
        .args(["run", "--listen", listen])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("kabar gateway starts");
    let lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let address = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("listening on http://").map(str::to_owned));
    (child, address.expect("an address"))
}

impl Drop for OwnGateway {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A web server of the company that takes webhooks.
pub(crate) struct Receiver {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    taken: Mutex<Vec<Value>>,
    news: Condvar,
    secret: Mutex<String>,
    refuse: AtomicBool,
    refused: AtomicUsize,
    unsigned: AtomicUsize,
}

impl Receiver {
    pub(crate) fn start(verify_token: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                std::thread::spawn(move || serve(&shared, stream, verify_token));
            }
        });
        Self { url, shared }
    }

    fn expect_secret(&self, secret: &str) {
        secret.clone_into(&mut self.shared.secret.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// From now on every delivery is answered by 500.
    pub(crate) fn refuse(&self, refuse: bool) {
        self.shared.refuse.store(refuse, Ordering::SeqCst);
    }

    /// Waits until so many deliveries were refused.
    pub(crate) fn refused(&self, count: usize) {
        self.wait(|_| (self.shared.refused.load(Ordering::SeqCst) >= count).then_some(()));
    }

    pub(crate) fn unsigned(&self) -> usize {
        self.shared.unsigned.load(Ordering::SeqCst)
    }

    /// Messages that were taken, in the order of their coming.
    pub(crate) fn messages(&self) -> Vec<Value> {
        let taken = self.shared.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken
            .iter()
            .filter_map(|value| value["messages"].get(0).cloned())
            .collect()
    }

    /// The first message that fits, when it comes.
    pub(crate) fn message(&self, fits: impl Fn(&Value) -> bool) -> Value {
        self.wait(|taken| {
            taken
                .iter()
                .filter_map(|value| value["messages"].get(0))
                .find(|one| fits(one))
                .cloned()
        })
    }

    pub(crate) fn status(&self, fits: impl Fn(&Value) -> bool) -> Value {
        self.wait(|taken| {
            taken
                .iter()
                .filter_map(|value| value["statuses"].get(0))
                .find(|one| fits(one))
                .cloned()
        })
    }

    fn wait<T>(&self, found: impl Fn(&[Value]) -> Option<T>) -> T {
        let mut taken = self.shared.taken.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = found(&taken) {
                return found;
            }
            let waited = self.shared.news.wait_timeout(taken, PATIENCE);
            let (again, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            assert!(!timeout.timed_out(), "no such webhook among {again:?}");
            taken = again;
        }
    }
}

/// One request a connection is enough: every answer closes it.
fn serve(shared: &Shared, stream: TcpStream, verify_token: &str) {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    for line in (&mut reader).lines().map_while(Result::ok) {
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let header = |name: &str| {
        let lines = head.iter().filter_map(|line| line.split_once(": "));
        lines
            .clone()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.to_owned())
    };
    let length: usize = header("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let request = head.first().cloned().unwrap_or_default();
    let (status, answer) = if request.starts_with("GET ") {
        handshake(&request, verify_token)
    } else {
        (
            deliver(shared, &header("x-hub-signature-256").unwrap_or_default(), &body),
            String::new(),
        )
    };
    let answer = format!(
        "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    );
    // The other side may have died meanwhile: that is what some tests are about.
    let _ = reader.into_inner().write_all(answer.as_bytes());
}

fn handshake(request: &str, verify_token: &str) -> (u16, String) {
    let query = request.split(['?', ' ']).nth(2).unwrap_or_default();
    let parameter = |name: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
    };
    match (parameter("hub.verify_token"), parameter("hub.challenge")) {
        (Some((_, token)), Some((_, challenge))) if token == verify_token => (200, challenge.to_owned()),
        _ => (403, String::new()),
    }
}

fn deliver(shared: &Shared, signature: &str, body: &[u8]) -> u16 {
    if shared.refuse.load(Ordering::SeqCst) {
        shared.refused.fetch_add(1, Ordering::SeqCst);
        shared.news.notify_all();
        return 500;
    }
    let secret = shared.secret.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(body);
    if signature != format!("sha256={}", hex::encode(mac.finalize().into_bytes())) {
        shared.unsigned.fetch_add(1, Ordering::SeqCst);
    }
    let value: Value = serde_json::from_slice(body).unwrap_or_default();
    let mut taken = shared.taken.lock().unwrap_or_else(PoisonError::into_inner);
    taken.push(value["entry"][0]["changes"][0]["value"].clone());
    shared.news.notify_all();
    200
}
