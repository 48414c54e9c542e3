//! How long links and requests stay; what they do is in `tests/messenger/invites.rs`.

use kabar_protocol::{
    ids::{AccountId, ConversationId},
    invite::InviteCode,
    wire::PublishInvite,
};

use super::{
    super::{envelope::DAY_MS, retention, tests::on_each_engine},
    store,
};
use crate::{App, Clock};

const GROUP: ConversationId = ConversationId([1; 16]);

/// Makes a link with approval, and has an account ask by it.
async fn ask_by_link(app: &App, key: u8, expires_ms: i64, asker: AccountId) {
    let link = PublishInvite {
        public_key: vec![key; 32].into(),
        expires_ms,
        approval: true,
        ..PublishInvite::default()
    };
    let input = (InviteCode::new(GROUP, &link.public_key), link, asker, app.now_ms());
    let asked = app.db.write(input, |tx, (code, link, asker, now_ms)| {
        Box::pin(async move {
            assert!(store::put_invite(tx, *code, link, *now_ms).await?);
            store::put_request(tx, *code, *asker, &link.public_key, *now_ms).await
        })
    });
    assert!(asked.await.expect("asked"));
}

async fn askers(app: &App) -> Vec<AccountId> {
    let mut tx = app.db.reader().await.expect("a reader");
    let requests = store::requests(&mut tx, GROUP).await.expect("requests");
    let accounts = requests.iter().map(|asker| AccountId::from_slice(&asker.account_id));
    accounts.map(|account| account.expect("an account")).collect()
}

#[tokio::test]
async fn links_go_when_they_expire_and_requests_with_them_or_after_thirty_days() {
    let clock = Clock::manual(0);
    let [by_short, by_long] = [AccountId([5; 16]), AccountId([6; 16])];
    for (app, _directory) in on_each_engine(&clock).await {
        let start = app.now_ms();
        ask_by_link(&app, 1, start + DAY_MS, by_short).await;
        ask_by_link(&app, 2, start + 60 * DAY_MS, by_long).await;
        clock.advance(DAY_MS - 1);
        assert_eq!(retention::sweep(&app).await.expect("swept"), 0);
        assert_eq!(askers(&app).await, [by_short, by_long]);
        clock.advance(1);
        assert_eq!(
            retention::sweep(&app).await.expect("swept"),
            2,
            "a link, and who asked by it"
        );
        assert_eq!(askers(&app).await, [by_long]);
        clock.advance(29 * DAY_MS);
        assert_eq!(retention::sweep(&app).await.expect("swept"), 1, "the link works on");
        assert_eq!(askers(&app).await, []);
        clock.advance(30 * DAY_MS);
        assert_eq!(retention::sweep(&app).await.expect("swept"), 1);
    }
}
