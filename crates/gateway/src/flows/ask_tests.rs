//! What becomes of a question, with a real HTTP server as the business's endpoint.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, http::HeaderMap, routing::post};
use http::StatusCode;
use kabar_client::api::{FlowAsk, FlowOutcome};
use serde_json::{Value, json};

use super::{FIRST_JSON, ask::ask, envelope::tests::Peer};
use crate::{
    Gateway, Options,
    store::{Flow, FlowStatus},
    webhooks::signature::{SIGNATURE_HEADER, signature},
};

const NUMBER: u64 = 100_001;

/// How an endpoint behaves.
type Behaviour = fn(question: &Value, times_asked: usize) -> (u16, Value);

struct Business {
    gateway: Gateway,
    flow: Flow,
    questions: Arc<Mutex<Vec<Value>>>,
    _directory: tempfile::TempDir,
}

async fn business(behaviour: Behaviour, allow_private: bool) -> Business {
    let directory = tempfile::tempdir().expect("a directory");
    let options = Options {
        directory: directory.path().into(),
        public_url: "http://localhost".into(),
        server: "http://localhost".into(),
        dial: None,
        allow_private,
    };
    let gateway = Gateway::open(options).await.expect("a gateway");
    let store = &gateway.parts.store;
    let app = store.create_app(1, 0).await.expect("an app");
    let peer = Arc::new(Peer::new());
    store.set_flow_key(NUMBER, &peer.public_pem()).await.expect("a key");
    let questions: Arc<Mutex<Vec<Value>>> = Arc::default();
    let (asked, secret) = (Arc::clone(&questions), app.secret.clone());
    let endpoint = move |headers: HeaderMap, body: Bytes| async move {
        assert_eq!(
            headers[SIGNATURE_HEADER],
            signature(&secret, &body),
            "signed by the app"
        );
        let (question, seal) = peer.open(&body);
        let mut asked = asked.lock().expect("no panic");
        asked.push(question.clone());
        let (status, answer) = behaviour(&question, asked.len());
        (StatusCode::from_u16(status).expect("a status"), seal(&answer))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new().route("/", post(endpoint));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let flow = Flow {
        flow_id: 0,
        waba_id: 1,
        app_id: app.app_id,
        name: "pesan".into(),
        categories: vec!["OTHER".into()],
        status: FlowStatus::Published,
        json: FIRST_JSON.into(),
        endpoint_uri: Some(format!("http://{address}/")),
        updated_ms: 0,
    };
    let flow = store.put_flow(flow).await.expect("a flow");
    Business {
        gateway,
        flow,
        questions,
        _directory: directory,
    }
}

impl Business {
    async fn ask(&self) -> FlowOutcome {
        let question = FlowAsk {
            action: "data_exchange".into(),
            screen: "KURSI".into(),
            data: r#"{"kursi":["A1"]}"#.into(),
            flow_token: "somebody else's".into(),
        };
        ask(&self.gateway.parts, NUMBER, &self.flow, "t-7", &question).await
    }
}

fn code(outcome: FlowOutcome) -> String {
    match outcome {
        FlowOutcome::Error { code, .. } => code,
        FlowOutcome::Screen { .. } => panic!("a screen"),
    }
}

fn next(_: &Value, _: usize) -> (u16, Value) {
    (
        200,
        json!({ "version": "3.0", "screen": "BAYAR", "data": { "total": 25_000 } }),
    )
}

#[tokio::test]
async fn an_endpoint_answers_with_a_screen() {
    let business = business(next, true).await;
    let expected = FlowOutcome::Screen {
        screen: "BAYAR".into(),
        data: r#"{"total":25000}"#.into(),
    };
    assert_eq!(business.ask().await, expected);
    let questions = business.questions.lock().expect("no panic");
    let asked = json!({ "version": "3.0", "action": "data_exchange", "screen": "KURSI", "data": { "kursi": ["A1"] },
        "flow_token": "t-7" });
    assert_eq!(questions.as_slice(), [asked], "with the offer's own token");
}

#[tokio::test]
async fn what_an_endpoint_refuses_has_a_code() {
    let large: Behaviour = |_, _| (200, json!({ "screen": "A", "data": { "x": "x".repeat(45_000) } }));
    let endless: Behaviour = |_, _| (200, json!({ "screen": "A", "data": { "x": "x".repeat(200_000) } }));
    for (behaviour, expected, times) in [
        ((|_, _| (421, json!({}))) as Behaviour, "endpoint_failed", 2),
        (|_, _| (432, json!({})), "endpoint_failed", 1),
        (|_, _| (500, json!({})), "endpoint_failed", 1),
        (|_, _| (200, json!({ "data": {} })), "endpoint_failed", 1),
        (|_, _| (200, json!({ "screen": "A", "data": [] })), "endpoint_failed", 1),
        (|_, _| (427, json!({})), "token_expired", 1),
        (large, "endpoint_failed", 1),
        (endless, "endpoint_failed", 1),
    ] {
        let business = business(behaviour, true).await;
        assert_eq!(code(business.ask().await), expected);
        assert_eq!(business.questions.lock().expect("no panic").len(), times);
    }
}

#[tokio::test]
async fn a_changed_key_is_tried_again_and_a_used_token_says_why() {
    let again = business(
        |question, times| {
            if times == 1 {
                (421, json!({}))
            } else {
                next(question, times)
            }
        },
        true,
    )
    .await;
    assert!(matches!(again.ask().await, FlowOutcome::Screen { .. }));
    let used = business(|_, _| (427, json!({ "error_msg": "Sudah dipesan" })), true).await;
    let expected = FlowOutcome::Error {
        code: "token_expired".into(),
        message: "Sudah dipesan".into(),
    };
    assert_eq!(used.ask().await, expected);
}

#[tokio::test]
async fn what_is_not_set_up_or_not_there_is_not_asked() {
    let closed = business(next, false).await;
    assert_eq!(code(closed.ask().await), "endpoint_failed", "a private address");
    assert!(closed.questions.lock().expect("no panic").is_empty());
    let mut away = business(next, true).await;
    // Nobody listens on the discard port.
    away.flow.endpoint_uri = Some("http://127.0.0.1:9/".into());
    assert_eq!(code(away.ask().await), "endpoint_unreachable");
    away.flow.endpoint_uri = None;
    assert_eq!(code(away.ask().await), "endpoint_failed");
    let keyless = business(next, true).await;
    keyless
        .gateway
        .parts
        .store
        .set_flow_key(NUMBER, "")
        .await
        .expect("kept");
    assert_eq!(code(keyless.ask().await), "endpoint_failed");
}
