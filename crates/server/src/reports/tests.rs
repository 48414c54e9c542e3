//! What the server takes as proof, and how long it keeps it.

use kabar_protocol::{
    content::message_id,
    ids::{AccountId, ConversationId, DeviceId},
    limits::REPORT_BYTES_MAX,
    wire::{Content, Report, ReportedMessage, Text, content::Body, report::Reason},
};
use prost::Message as _;

use super::{RETENTION_MS, close, list, report, show};
use crate::{App, Clock, error::reason, jobs, socket::Identity, testing::on_each_engine};

const CONVERSATION: ConversationId = ConversationId([3; 16]);
const SCAMMER: Identity = Identity {
    account: AccountId([1; 16]),
    device: DeviceId([2; 16]),
};
const READER: Identity = Identity {
    account: AccountId([4; 16]),
    device: DeviceId([5; 16]),
};

/// A message as the server stamped it.
fn stamped(app: &App, seq: u64, text: &str) -> ReportedMessage {
    let body = text.to_owned();
    let content = Content {
        body: Some(Body::Text(Text { body })),
        ..Content::default()
    }
    .encode_to_vec();
    let time_ms: i64 = 1_790_000_000_000;
    let id = message_id(SCAMMER.account, CONVERSATION, &content);
    let stamp = app.secrets.stamp(&[
        CONVERSATION.as_slice(),
        &seq.to_be_bytes(),
        SCAMMER.account.as_slice(),
        SCAMMER.device.as_slice(),
        &time_ms.to_be_bytes(),
        id.as_slice(),
    ]);
    ReportedMessage {
        seq,
        device_id: SCAMMER.device.to_bytes(),
        time_ms,
        content: content.into(),
        stamp: stamp.to_vec().into(),
    }
}

fn of(messages: Vec<ReportedMessage>) -> Report {
    Report {
        conversation_id: CONVERSATION.to_bytes(),
        account_id: SCAMMER.account.to_bytes(),
        reason: Reason::Fraud.into(),
        messages,
    }
}

#[tokio::test]
async fn what_the_server_stamped_is_kept_once_and_decided() {
    let clock = Clock::manual(0);
    for (app, _directory) in on_each_engine(&clock).await {
        let proof = of(vec![stamped(&app, 7, "Kirim kode OTP Anda")]);
        for _ in 0..2 {
            report(&app, READER, proof.clone()).await.expect("taken");
        }
        let open = list(&app, false).await.expect("a list");
        assert_eq!(open["reports"].as_array().map(Vec::len), Some(1));
        let id = open["reports"][0]["report_id"].as_str().expect("an id").to_owned();
        let shown = show(&app, &id).await.expect("a report");
        assert_eq!(
            (&shown["reason"], &shown["messages"][0]["text"]),
            (&"fraud".into(), &"Kirim kode OTP Anda".into())
        );
        assert_eq!(shown["account_id"], SCAMMER.account.to_string());
        let closed = close(&app, &id, "peringatan").await.expect("closed");
        assert_eq!(
            (&closed["open"], &closed["note"]),
            (&false.into(), &"peringatan".into())
        );
        assert_eq!(
            list(&app, false).await.expect("a list")["reports"],
            serde_json::json!([])
        );
        assert_eq!(
            list(&app, true).await.expect("a list")["reports"]
                .as_array()
                .map(Vec::len),
            Some(1)
        );
        let unknown = show(&app, &"0".repeat(32)).await.expect_err("unknown");
        assert_eq!(unknown.reason, reason::REPORT_UNKNOWN);

        let now = app.now_ms();
        clock.advance(RETENTION_MS + 1);
        jobs::sweep(&app).await.expect("swept");
        assert_eq!(
            list(&app, true).await.expect("a list")["reports"],
            serde_json::json!([])
        );
        clock.advance(now - app.now_ms());
    }
}

#[tokio::test]
async fn nothing_else_is_proof() {
    let clock = Clock::manual(0);
    for (app, _directory) in on_each_engine(&clock).await {
        type Forge = fn(&mut Report);
        let forgeries: [(Forge, &str); 9] = [
            (|report| report.messages[0].seq += 1, "report.messages.stamp"),
            (|report| report.messages[0].time_ms += 1, "report.messages.stamp"),
            (
                |report| report.messages[0].content = b"other words".to_vec().into(),
                "report.messages.stamp",
            ),
            (
                |report| report.account_id = READER.account.to_bytes(),
                "report.messages.stamp",
            ),
            (
                |report| report.conversation_id = vec![9; 16].into(),
                "report.messages.stamp",
            ),
            (
                |report| report.messages[0].stamp = vec![0; 31].into(),
                "report.messages.stamp",
            ),
            (|report| report.messages.clear(), "report.messages"),
            (|report| report.reason = 0, "report.reason"),
            (
                |report| report.messages[0].content = vec![0; REPORT_BYTES_MAX + 1].into(),
                "report.messages",
            ),
        ];
        for (forge, parameter) in forgeries {
            let mut forged = of(vec![stamped(&app, 7, "Halo")]);
            forge(&mut forged);
            let refused = report(&app, READER, forged).await.expect_err(parameter);
            assert_eq!(refused.parameter, Some(parameter));
        }
        assert_eq!(
            list(&app, true).await.expect("a list")["reports"],
            serde_json::json!([])
        );
    }
}
