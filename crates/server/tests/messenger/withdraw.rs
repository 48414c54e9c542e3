//! Messages that are taken back before a device fetched them: who may, what is left, and what it costs.

use kabar_protocol::{
    ids::ConversationId,
    wire::{self, MessageClass, client_frame::Body as Request, deliver::Kind, server_frame::Body as Response},
};

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};

use crate::{TestServer, device::Device, on_each_engine, socket::Socket};

pub(crate) async fn withdraw(device: &mut Device, id: ConversationId, seq: u64) -> Result<(), String> {
    let request = wire::Withdraw {
        conversation_id: id.to_bytes(),
        seq,
    };
    match device.socket.request(Request::Withdraw(request)).await {
        Response::Withdrawn(_) => Ok(()),
        Response::Error(error) => Err(error.reason),
        other => panic!("{other:?}"),
    }
}

/// Rows of the queues and of the log that have these bytes in their body.
async fn rows_with(test: &TestServer, bytes: &[u8]) -> i64 {
    let mut rows = 0;
    for table in ["queue", "conversation_log"] {
        let url = &test.config.database.url;
        if url.is_empty() {
            let file = SqliteConnectOptions::new().filename(test.config.server.data.join("kabar.db"));
            let mut connection = SqliteConnection::connect_with(&file).await.expect("the database");
            let sql = AssertSqlSafe(format!("SELECT COUNT(*) FROM {table} WHERE instr(envelope, $1) > 0"));
            let count = sqlx::query_scalar::<_, i64>(sql)
                .bind(bytes)
                .fetch_one(&mut connection)
                .await;
            rows += count.expect("counted");
        } else {
            let mut connection = PgConnection::connect(url).await.expect("the database");
            let sql = AssertSqlSafe(format!(
                "SELECT COUNT(*) FROM {table} WHERE position($1 IN envelope) > 0"
            ));
            let count = sqlx::query_scalar::<_, i64>(sql)
                .bind(bytes)
                .fetch_one(&mut connection)
                .await;
            rows += count.expect("counted");
        }
    }
    rows
}

pub(crate) async fn goes_offline(test: &TestServer, device: &mut Device) {
    drop(std::mem::replace(&mut device.socket, Socket::open(&test.server).await));
}

#[tokio::test]
async fn what_is_withdrawn_is_not_delivered_and_leaves_no_gap() {
    for test in on_each_engine().await {
        let (mut ani, mut budi, id) = crate::messages::pair(&test.server).await;
        goes_offline(&test, &mut budi).await;
        // Inline, in the log, and one that stays.
        let mut withdrawn = Vec::new();
        for bytes in [50, 30_000] {
            let message = ani.message(id, 1, bytes);
            withdrawn.push(message.ciphertext.clone());
            ani.sent(message).await;
        }
        let staying = ani.message(id, 1, 50);
        ani.sent(staying.clone()).await;
        for seq in [2, 3, 2, 99] {
            withdraw(&mut ani, id, seq)
                .await
                .expect("however often, and whatever there is");
        }
        for ciphertext in &withdrawn {
            assert_eq!(
                rows_with(&test, ciphertext).await,
                0,
                "the server keeps what was withdrawn"
            );
        }
        assert_eq!(rows_with(&test, &staying.ciphertext).await, 1);
        budi.reconnect(&test.server, 0).await;
        for seq in [2, 3] {
            let item = budi.socket.delivered().await;
            assert_eq!((item.cursor, item.seq, item.kind()), (seq, seq, Kind::Withdrawn));
            assert_eq!(
                (item.payload.len(), item.stamp.len()),
                (32, 0),
                "its id, and nothing of it"
            );
            assert_eq!(item.sender.expect("a sender").account_id, ani.account.to_bytes());
        }
        let item = budi.socket.delivered().await;
        assert_eq!((item.kind(), item.payload), (Kind::Message, staying.ciphertext));
        budi.socket.queue_empty().await;
        budi.ack(item.cursor, &[(id, 4)]).await;
    }
}

#[tokio::test]
async fn only_who_wrote_it_takes_it_back_and_not_from_whom_it_reached() {
    for test in on_each_engine().await {
        let (mut ani, mut budi, id) = crate::messages::pair(&test.server).await;
        let message = ani.message(id, 1, 50);
        ani.sent(message).await;
        assert_eq!(withdraw(&mut budi, id, 2).await, Err("policy".into()));
        let mut citra = Device::register(&test.server, None).await;
        assert_eq!(withdraw(&mut citra, id, 2).await, Err("not_a_member".into()));
        assert_eq!(budi.socket.delivered().await.kind(), Kind::Message);
        budi.ack(2, &[]).await;
        withdraw(&mut ani, id, 2).await.expect("too late, and no error");
        budi.reconnect(&test.server, 0).await;
        budi.socket.queue_empty().await;
    }
}

#[tokio::test]
async fn an_admin_takes_back_what_others_wrote_and_nobody_else_does() {
    for test in on_each_engine().await {
        // The first has founded the group.
        let ([mut ani, mut budi, mut citra], id) = crate::resets::three(&test.server).await;
        goes_offline(&test, &mut citra).await;
        let epoch = budi.epoch(id);
        let message = budi.message(id, epoch, 50);
        let secret = message.ciphertext.clone();
        let sent = budi.sent(message).await;
        let settings = budi.message_of(id, (0, epoch), MessageClass::Control, 50);
        let control = budi.sent(settings).await;
        let more = ani.message(id, epoch, 50);
        let of_ani = ani.sent(more).await;
        assert_eq!(withdraw(&mut budi, id, of_ani.seq).await, Err("policy".into()));
        assert_eq!(
            withdraw(&mut ani, id, control.seq).await,
            Err("policy".into()),
            "not what groups are told by"
        );
        withdraw(&mut ani, id, sent.seq).await.expect("as an admin");
        assert_eq!(rows_with(&test, &secret).await, 0);
        citra.reconnect(&test.server, 0).await;
        let mut kinds = Vec::new();
        while let Response::Deliver(item) = citra.socket.pushed().await {
            if item.seq >= sent.seq {
                kinds.push(item.kind());
            }
        }
        assert_eq!(kinds, [Kind::Withdrawn, Kind::Message, Kind::Message]);
    }
}
