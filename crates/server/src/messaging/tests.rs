//! Scenarios over sockets are in `tests/messenger/messages.rs`; here is what they cannot see.

use std::collections::BTreeMap;

use kabar_protocol::{
    content::authenticated_data,
    ids::{AccountId, ConversationId, DeviceId},
    mls_header::opaque_private_message,
    wire::{
        AuthenticatedData, ConversationKind, Deliver, MessageClass, Send, ServerFrame, deliver::Kind,
        server_frame::Body,
    },
};
use prost::Message as _;

use super::{
    batch_store::{self, Input, PlannedAck, PlannedSend, Verdict},
    commit_store,
    conversation::Conversation,
    envelope::RETENTION_MS,
    inbox,
    queue::{self, Entry, read_queue},
    receipts::Receipts,
    retention,
    send::outgoing,
};
use crate::{App, Clock, Config, socket::Identity};

const SENDER: Identity = Identity {
    account: AccountId([1; 16]),
    device: DeviceId([2; 16]),
};

fn send() -> Send {
    let conversation = ConversationId([3; 16]);
    let data = AuthenticatedData {
        message_id: vec![1; 32].into(),
        class: MessageClass::Content.into(),
        ..Default::default()
    };
    assert!(authenticated_data(&data.encode_to_vec()).is_some());
    let ciphertext = opaque_private_message(&conversation.group_id(0), 4, &data.encode_to_vec(), b"secret");
    Send {
        conversation_id: conversation.to_bytes(),
        epoch: 4,
        client_message_id: vec![5; 16].into(),
        class: MessageClass::Content.into(),
        ciphertext: ciphertext.into(),
        ..Send::default()
    }
}

fn refused(change: impl FnOnce(&mut Send)) -> &'static str {
    let mut send = send();
    change(&mut send);
    outgoing(SENDER, false, send, None)
        .expect_err("refused")
        .parameter
        .expect("a parameter")
}

#[test]
fn a_send_must_say_what_its_message_says() {
    assert!(outgoing(SENDER, false, send(), None).is_ok());
    assert_eq!(refused(|send| send.epoch = 5), "send.ciphertext");
    assert_eq!(refused(|send| send.generation = 1), "send.ciphertext");
    assert_eq!(
        refused(|send| send.conversation_id = vec![9; 16].into()),
        "send.ciphertext"
    );
    assert_eq!(refused(|send| send.class = MessageClass::Receipt.into()), "send.class");
    assert_eq!(refused(|send| send.class = 77), "send.class");
    assert_eq!(
        refused(|send| send.client_message_id = vec![1; 15].into()),
        "send.client_message_id"
    );
    assert_eq!(
        refused(|send| send.ciphertext = vec![0; 70_000].into()),
        "send.ciphertext"
    );
    assert_eq!(refused(|send| send.client_seq = u64::MAX), "send.client_seq");
}

/// An application on an empty SQLite, without a listener.
async fn app(directory: &tempfile::TempDir, clock: &Clock) -> App {
    app_on("", directory, clock).await
}

async fn app_on(url: &str, directory: &tempfile::TempDir, clock: &Clock) -> App {
    let mut config = Config::default();
    config.server.data = directory.path().to_owned();
    config.database.url = url.into();
    App::open(config, "http://localhost:1".into(), clock.clone())
        .await
        .expect("an application")
}

/// Applications on SQLite and, where KABAR_TEST_POSTGRES_URL names one, on an empty PostgreSQL database.
pub(super) async fn on_each_engine(clock: &Clock) -> Vec<(App, tempfile::TempDir)> {
    let directory = || tempfile::tempdir().expect("a directory");
    let sqlite = directory();
    let mut apps = vec![(app(&sqlite, clock).await, sqlite)];
    if let Ok(url) = std::env::var("KABAR_TEST_POSTGRES_URL") {
        let name = format!("kabar_messaging_{}", hex::encode(apps[0].0.random::<8>()));
        let pool = sqlx::PgPool::connect(&url)
            .await
            .expect("the PostgreSQL of KABAR_TEST_POSTGRES_URL");
        let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::raw_sql(create).execute(&pool).await.expect("a database");
        let (server, query) = url.split_once('?').unwrap_or((&url, ""));
        let base = server.rsplit_once('/').map_or(server, |(base, _)| base);
        let postgres = directory();
        apps.push((
            app_on(&format!("{base}/{name}?{query}"), &postgres, clock).await,
            postgres,
        ));
    }
    apps
}

fn entry(seq: u64, expires_ms: i64) -> Entry {
    let deliver = Deliver {
        seq,
        kind: Kind::Message.into(),
        ..Deliver::default()
    };
    Entry {
        device: SENDER.device,
        conversation: ConversationId([3; 16]),
        seq,
        kind: Kind::Message,
        receipted: false,
        expires_ms,
        envelope: deliver.encode_to_vec().into(),
        inline: seq != 4,
    }
}

async fn queue(app: &App, behind: u64) -> Vec<(u64, Kind)> {
    let page = read_queue(app, SENDER.device, behind).await.expect("a page");
    let delivered = page.frames.into_iter().map(|frame| match ServerFrame::decode(frame) {
        Ok(ServerFrame {
            body: Some(Body::Deliver(deliver)),
            ..
        }) => (deliver.cursor, deliver.kind()),
        other => panic!("expected a delivery, got {other:?}"),
    });
    delivered.collect()
}

#[tokio::test]
async fn an_item_that_is_owed_a_receipt_is_not_deleted_without_one() {
    let clock = Clock::manual(0);
    for (app, _directory) in on_each_engine(&clock).await {
        inbox::open_inbox(&app, SENDER.device).await.expect("an inbox");
        let owed = |seq| Entry {
            receipted: true,
            ..entry(seq, RETENTION_MS)
        };
        let entries = vec![entry(1, RETENTION_MS), owed(2), owed(3)];
        let appended = app.db.write(entries, |tx, entries| {
            Box::pin(async move { queue::append(tx, entries, &BTreeMap::new()).await.map(|_| ()) })
        });
        appended.await.expect("appended");
        let delete = |acked: Vec<(DeviceId, u64, u64)>, receipted: Vec<(DeviceId, u64, ConversationId, u64)>| {
            let input = (acked, receipted);
            app.db.write(input, |tx, (acked, receipted)| {
                Box::pin(async move {
                    queue::delete_acked(tx, acked).await?;
                    queue::delete_receipted(tx, receipted).await
                })
            })
        };
        let conversation = ConversationId([3; 16]);
        delete(vec![(SENDER.device, 0, 3)], Vec::new()).await.expect("by key");
        let delivered = [(1, Kind::Gone), (2, Kind::Message), (3, Kind::Message)];
        assert_eq!(queue(&app, 0).await, delivered);
        delete(vec![(SENDER.device, 0, 300)], Vec::new())
            .await
            .expect("by range");
        let elsewhere = (SENDER.device, 2, ConversationId([9; 16]), 2);
        delete(Vec::new(), vec![elsewhere, (SENDER.device, 2, conversation, 3)])
            .await
            .expect("another item's");
        assert_eq!(queue(&app, 0).await, delivered);
        delete(Vec::new(), vec![(SENDER.device, 2, conversation, 2)])
            .await
            .expect("its own");
        assert_eq!(queue(&app, 0).await, [(2, Kind::Gone), (3, Kind::Message)]);
    }
}

#[tokio::test]
async fn what_expires_leaves_a_mark_in_the_queue() {
    let directory = tempfile::tempdir().expect("a directory");
    let clock = Clock::manual(0);
    let app = app(&directory, &clock).await;
    let append = |entries: Vec<Entry>| {
        app.db.write(entries, |tx, entries| {
            Box::pin(async move {
                inbox::make_all(tx, [SENDER.device]).await?;
                queue::append(tx, entries, &BTreeMap::new()).await
            })
        })
    };
    let short = 1_000;
    let entries = vec![
        entry(1, short),
        entry(2, RETENTION_MS),
        entry(3, short),
        entry(4, RETENTION_MS),
    ];
    append(entries).await.expect("queued");
    clock.advance(2_000);
    assert_eq!(retention::sweep(&app).await.expect("swept"), 2);
    let expected = [
        (1, Kind::Gone),
        (2, Kind::Message),
        (3, Kind::Gone),
        // Its body should be in the log, and is not.
        (4, Kind::Gone),
    ];
    assert_eq!(queue(&app, 0).await, expected);
    assert_eq!(queue(&app, 3).await, &expected[3..]);
    clock.advance(RETENTION_MS);
    retention::sweep(&app).await.expect("swept");
    assert_eq!(queue(&app, 0).await, [(4, Kind::Gone)], "one mark for all that is gone");
    assert_eq!(queue(&app, 4).await, []);
}

const FIRST: ConversationId = ConversationId([1; 16]);
const SECOND: ConversationId = ConversationId([2; 16]);
const THIRD: ConversationId = ConversationId([3; 16]);

/// Records commits of this moment, each with its epoch for its sequence.
async fn record(app: &App, commits: Vec<(ConversationId, u32, u64)>) {
    let recorded = app.db.write((commits, app.now_ms()), |tx, (commits, now_ms)| {
        Box::pin(async move {
            for (id, generation, epoch) in commits {
                let place = (*generation, *epoch, *epoch);
                commit_store::insert_commit(tx, *id, place, [7; 32], *now_ms).await?;
            }
            Ok(())
        })
    });
    recorded.await.expect("recorded");
}

async fn recognises(app: &App, (id, generation, epoch): (ConversationId, u32, u64)) -> bool {
    let mut tx = app.db.reader().await.expect("a reader");
    let commit = commit_store::commit_of_epoch(&mut tx, id, generation, epoch).await;
    commit.expect("an answer") == Some(([7; 32], epoch))
}

#[tokio::test]
async fn a_commit_is_recognised_while_the_log_has_it_and_the_newest_for_ever() {
    let clock = Clock::manual(0);
    for (app, _directory) in on_each_engine(&clock).await {
        let old = [(FIRST, 0, 1), (FIRST, 0, 2), (THIRD, 0, 9), (THIRD, 1, 1)];
        let newest = [(FIRST, 0, 10), (SECOND, 0, 1), (THIRD, 1, 2)];
        record(&app, [&old[..], &newest].concat()).await;
        clock.advance(RETENTION_MS - 1);
        assert_eq!(retention::sweep(&app).await.expect("swept"), 0);
        for commit in old {
            assert!(recognises(&app, commit).await, "{commit:?}");
        }
        clock.advance(1);
        assert_eq!(retention::sweep(&app).await.expect("swept"), 4);
        for commit in old {
            assert!(!recognises(&app, commit).await, "{commit:?}");
        }
        clock.advance(RETENTION_MS);
        assert_eq!(retention::sweep(&app).await.expect("swept"), 0);
        for commit in newest {
            assert!(recognises(&app, commit).await, "{commit:?}");
        }
    }
}

/// The rows of conversation 3 at epoch 4, with the sender and device 8.
async fn make_conversation(app: &App) {
    let made = app.db.write((), |tx, ()| {
        Box::pin(async move {
            commit_store::insert_conversation(tx, ConversationId([3; 16]), ConversationKind::Direct, 4).await?;
            commit_store::change_members(tx, ConversationId([3; 16]), &[], &[SENDER]).await?;
            inbox::make_all(tx, [SENDER.device, DeviceId([8; 16])]).await
        })
    });
    made.await.expect("a conversation");
}

#[tokio::test]
async fn a_batch_sends_delivers_and_acknowledges_without_scanning_a_table() {
    let directory = tempfile::tempdir().expect("a directory");
    let app = app(&directory, &Clock::manual(0)).await;
    let reader = Identity {
        account: AccountId([7; 16]),
        device: DeviceId([8; 16]),
    };
    let conversation = std::sync::Arc::new(Conversation {
        id: ConversationId([3; 16]),
        kind: ConversationKind::Direct,
        generation: 0,
        epoch: 4,
        members: vec![SENDER, reader],
        to_remove: Vec::new(),
        policy: None,
    });
    make_conversation(&app).await;
    let planned = |send| PlannedSend {
        outgoing: outgoing(SENDER, false, send, None).expect("a send"),
        conversation: Some(conversation.clone()),
    };
    let mut other = send();
    other.client_message_id = vec![6; 16].into();
    let sends = vec![planned(send()), planned(other), planned(send())];
    let ack = |acked_before, cursor| PlannedAck {
        device: reader,
        acked_before,
        cursor,
        delivered: vec![(conversation.id, cursor)],
        client_seq: 5,
    };
    let input = |sends, acks| Input {
        sends,
        acks,
        receipts: Receipts::default(),
        now_ms: 0,
        app: app.clone(),
    };
    let run = |input| {
        app.db
            .write(input, |tx, input| Box::pin(batch_store::commit(tx, input)))
    };
    let sent = run(input(sends, Vec::new())).await.expect("sent");
    let seqs = sent.verdicts.iter().map(|verdict| match verdict {
        Verdict::Sent(sent) => sent.seq,
        Verdict::Blocked | Verdict::Short(_) => 0,
    });
    assert_eq!(
        seqs.collect::<Vec<_>>(),
        [2, 3, 2],
        "the same send twice is one message"
    );
    assert_eq!(
        sent.deliveries.iter().map(|delivery| delivery.1).collect::<Vec<_>>(),
        [1, 2]
    );
    let acked = run(input(Vec::new(), vec![ack(0, 1), ack(0, 2)])).await.expect("acked");
    assert_eq!(acked.receipts, [(conversation.id, reader.account, 2)]);
    let late = run(input(Vec::new(), vec![ack(2, 1)])).await.expect("acked");
    assert_eq!(late.receipts, [], "a receipt never goes back");
    let page = read_queue(&app, reader.device, 0).await.expect("a page");
    assert_eq!(
        (page.frames.len(), page.up_to),
        (1, 2),
        "deleted; the mark stands for what was asked from before it"
    );
}
