//! A company's program sends through the Cloud API to people who have written to it; webhooks come back all the while.
//!
//! Real clients with real cryptography on the people's side; the gateway is inside the measured server.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{Router, extract::Query, routing::get};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use kabar_client::{
    Client, Options,
    api::{Command, MessageKind, Notification},
};
use kabar_gateway::admin as gateway;
use kabar_server::{Config, admin};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{BenchArgs, Report, failed, measure};
use crate::{hosted, output::Failure};

/// Real clients in the generator's process: more would measure the generator.
const PEOPLE_MAX: u32 = 50;
const NUMBER: &str = "+622150001000";
const PATIENCE: Duration = Duration::from_secs(30);
const WEBHOOKS_MAX: usize = 100_000;

/// What the API is called with.
struct Company {
    http: reqwest::Client,
    messages_url: String,
    token: String,
}

struct Person {
    client: Client,
    _home: tempfile_home::Home,
    user_id: String,
}

pub(crate) async fn run(args: &BenchArgs) -> Result<Report, Failure> {
    let data = args.data.as_ref();
    let data = data.ok_or_else(|| failed("--data DIR of the server is needed: the bench makes a company there"))?;
    let (hook, mut webhooks) = receiver().await?;
    let company = company(args, data, &hook).await?;
    let people = args.users.clamp(1, PEOPLE_MAX);
    let mut everybody = Vec::new();
    for number in 0..people {
        everybody.push(person(args, number, &mut webhooks).await?);
    }
    let counting = tokio::spawn(async move {
        let mut count = 0_u64;
        while webhooks.recv().await.is_some() {
            count += 1;
        }
        count
    });
    let read: Vec<_> = everybody.iter().map(|person| watch(&person.client)).collect();

    let times = Mutex::new(measure::latencies());
    let begun = Instant::now();
    let until = begun + args.length();
    let cpu_before = measure::cpu_s(args.server_pid)?;
    let sent: Vec<u64> = stream::iter(&everybody)
        .map(|person| send_until(&company, person, until, &times))
        .buffer_unordered(everybody.len())
        .try_collect()
        .await?;
    let seconds = begun.elapsed().as_secs_f64();
    let total: u64 = sent.iter().sum();
    let seen = arrived(&read, total).await;
    let cpu = measure::cpu_s(args.server_pid)? - cpu_before;
    for person in everybody {
        person.client.close().await;
    }
    counting.abort();
    let times = times.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Report {
        scenario: "business",
        users: people,
        seconds,
        cpu_s_per_1000: Some(cpu * 1000.0 / total.max(1) as f64),
        deliveries_per_s: Some(total as f64 / seconds),
        latency_ms: Some(measure::quantiles(&times)),
        lost: total.saturating_sub(seen.messages),
        doubled: seen.doubled,
        out_of_order: seen.out_of_order,
        server_rss_kib: measure::rss_kib(args.server_pid)?,
        ..Report::default()
    })
}

/// A web server that takes webhooks; what it took comes out of the channel.
async fn receiver() -> Result<(String, mpsc::Receiver<Value>), Failure> {
    let (taken, webhooks) = mpsc::channel(WEBHOOKS_MAX);
    let challenge =
        async |Query(query): Query<HashMap<String, String>>| query.get("hub.challenge").cloned().unwrap_or_default();
    let deliver = move |body: String| {
        let taken = taken.clone();
        async move {
            let value: Value = serde_json::from_str(&body).unwrap_or_default();
            // A full channel only means that nobody counts any more.
            let _ = taken.try_send(value["entry"][0]["changes"][0]["value"].clone());
        }
    };
    let router = Router::new().route("/", get(challenge).post(deliver));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok((url, webhooks))
}

async fn company(args: &BenchArgs, data: &std::path::Path, hook: &str) -> Result<Company, Failure> {
    let mut config = Config::default();
    config.server.data = data.to_owned();
    let text = |answer: &Value, name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    let id = |text: &str| text.parse::<u64>().map_err(|_| failed("an id that is no number"));
    let create = admin::Command::BusinessCreate { name: "Bench".into() };
    let business = admin::call_with(config.clone(), create).await?;
    let waba_id = id(&text(&business, "waba_id"))?;
    let app = hosted::call(&config, gateway::Command::AppCreate { waba_id }).await?;
    let app_id = id(&text(&app, "app_id"))?;
    let add = admin::Command::NumberAdd {
        waba_id,
        phone: NUMBER.into(),
        name: "Bench".into(),
        keys_at_business: false,
    };
    let number = admin::call_with(config.clone(), add).await?;
    let phone_number_id = text(&number, "phone_number_id");
    let enrol = gateway::Command::NumberAdd {
        waba_id,
        phone_number_id: id(&phone_number_id)?,
        phone: NUMBER.into(),
        name: "Bench".into(),
        enrolment_code: text(&number, "enrolment_code"),
    };
    hosted::call(&config, enrol).await?;
    let token = hosted::call(&config, gateway::Command::TokenCreate { app_id }).await?;
    let subscribe = gateway::Command::WebhookSet {
        app_id,
        url: hook.to_owned(),
        verify_token: "bench".into(),
    };
    hosted::call(&config, subscribe).await?;
    Ok(Company {
        http: kabar_gateway::http_client().map_err(failed)?,
        messages_url: format!("{}/v23.0/{phone_number_id}/messages", args.url),
        token: text(&token, "access_token"),
    })
}

/// Signs up and writes to the company, which opens its window; the webhook says under which id.
async fn person(args: &BenchArgs, number: u32, webhooks: &mut mpsc::Receiver<Value>) -> Result<Person, Failure> {
    let home = tempfile_home::Home::new(number)?;
    let options = Options {
        home: home.path.clone(),
        server: Some(args.url.clone()),
        feed: false,
        dial: None,
        lock_timeout: PATIENCE,
    };
    let client = Client::open(options).await?;
    let register = Command::Register {
        name: format!("Bench {number}"),
        username: None,
        invite: None,
        enrolment: None,
    };
    client.command(register, PATIENCE).await?;
    let hello = Command::SendText {
        to: NUMBER.into(),
        text: format!("halo {number}"),
        reply_to: None,
        wait: true,
    };
    // The number's own client enrols in the background.
    let started = Instant::now();
    while let Err(error) = client.command(hello.clone(), PATIENCE).await {
        if started.elapsed() > PATIENCE {
            return Err(error.into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let found = async {
        loop {
            let value = webhooks.recv().await?;
            let message = &value["messages"][0];
            if message["text"]["body"] == format!("halo {number}") {
                return message["from_user_id"].as_str().map(str::to_owned);
            }
        }
    };
    let user_id = tokio::time::timeout(PATIENCE, found).await.ok().flatten();
    Ok(Person {
        client,
        _home: home,
        user_id: user_id.ok_or_else(|| failed("no webhook of the first message came"))?,
    })
}

/// One send after the other: the API's answer is the server's acknowledgement.
async fn send_until(
    company: &Company,
    person: &Person,
    until: Instant,
    times: &Mutex<hdrhistogram::Histogram<u64>>,
) -> Result<u64, Failure> {
    let mut count = 0;
    while Instant::now() < until {
        let message = json!({ "messaging_product": "whatsapp", "to": person.user_id, "type": "text",
            "text": { "body": count.to_string() } });
        let begun = Instant::now();
        let request = company.http.post(&company.messages_url).bearer_auth(&company.token);
        let answer = request
            .header("content-type", "application/json")
            .body(message.to_string())
            .send()
            .await
            .map_err(failed)?;
        if !answer.status().is_success() {
            return Err(failed(answer.text().await.unwrap_or_default()));
        }
        measure::record(
            &mut times.lock().unwrap_or_else(PoisonError::into_inner),
            begun.elapsed(),
        );
        count += 1;
    }
    Ok(count)
}

/// Numbers of the messages that a person has received, in the order of their coming.
type Read = Arc<Mutex<Vec<u64>>>;

fn watch(client: &Client) -> Read {
    let read = Read::default();
    let (mut news, noted) = (client.notifications(), Arc::clone(&read));
    tokio::spawn(async move {
        while let Ok(notification) = news.recv().await {
            if let Notification::Message { message } = notification
                && !message.mine
                && message.kind == MessageKind::Text
                && let Some(number) = message.text.and_then(|text| text.parse().ok())
            {
                noted.lock().unwrap_or_else(PoisonError::into_inner).push(number);
            }
        }
    });
    read
}

#[derive(Default)]
struct Seen {
    messages: u64,
    doubled: u64,
    out_of_order: u64,
}

/// Waits until everything has arrived, or nothing more does.
async fn arrived(read: &[Read], total: u64) -> Seen {
    let started = Instant::now();
    loop {
        let seen = read.iter().fold(Seen::default(), |mut seen, read| {
            let numbers = read.lock().unwrap_or_else(PoisonError::into_inner);
            let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
            numbers
                .iter()
                .for_each(|number| *counts.entry(*number).or_default() += 1);
            seen.messages += counts.len() as u64;
            seen.doubled += counts.values().map(|count| count - 1).sum::<u64>();
            seen.out_of_order += numbers.windows(2).filter(|pair| pair[1] < pair[0]).count() as u64;
            seen
        });
        if seen.messages >= total || started.elapsed() > PATIENCE {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Homes that are removed with their person.
mod tempfile_home {
    use std::path::PathBuf;

    use crate::output::Failure;

    pub(super) struct Home {
        pub(super) path: PathBuf,
    }

    impl Home {
        pub(super) fn new(number: u32) -> Result<Self, Failure> {
            let name = format!("kabar-bench-{}-{number}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&path)?;
            Ok(Self { path })
        }
    }

    impl Drop for Home {
        fn drop(&mut self) {
            // It is in the temporary directory: what stays is the system's to clean up.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
