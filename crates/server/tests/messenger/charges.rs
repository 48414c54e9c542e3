//! What a business's messages cost: receipts over real sockets, from forged to genuine, and the wallet behind them.

use kabar_protocol::{
    ids::{ConversationId, MessageId, Timeline},
    receipt::Receipt,
    wire::{
        self, ConversationKind, MessageCategory, MessageClass,
        client_frame::Body as Request,
        deliver::Kind,
        send_outcome::{Outcome as Sent, business_refused::Rule},
        server_frame::Body as Response,
    },
};
use kabar_server::admin::{self, Command};
use serde_json::Value;

use crate::{
    TestServer,
    accounts::link,
    device::{Device, policy},
    on_each_engine, start,
};

const CARD: &str = "category,country,currency,price_minor,free_per_month\n\
                    service,*,USD,5,\nutility,+62,USD,7,\nmarketing,+62,USD,40,\nauthentication,*,USD,7,\n";
const GENEROUS_CARD: &str = "category,country,currency,price_minor,free_per_month\nservice,*,USD,5,2\n";
const HOUR_MS: i64 = 3_600_000;

/// A cinema with a wallet, and a person with two devices who has written to it.
struct Chat {
    test: TestServer,
    waba_id: u64,
    cinema: Device,
    phone: Device,
    laptop: Device,
    id: ConversationId,
    timeline: Timeline,
}

async fn ask(test: &TestServer, command: Command) -> Value {
    admin::run(test.server.app(), command).await.expect("an answer")
}

impl Chat {
    async fn open(test: TestServer, card: &str, dollars: Option<&str>) -> Self {
        let import = Command::RateCardImport {
            csv: card.into(),
            effective: "2026-09-01".into(),
        };
        ask(&test, import).await;
        let (mut cinema, waba_id) = Device::enrol(&test.server, "Bioskop", "+622150001000").await;
        if let Some(amount) = dollars {
            let top_up = Command::WalletTopUp {
                waba_id,
                amount: amount.into(),
                currency: "USD".into(),
                key: None,
            };
            ask(&test, top_up).await;
        }
        let mut phone = Device::register(&test.server, None).await;
        let mut laptop = link(&test.server, &mut phone).await;
        cinema.publish_key_packages(3).await;
        laptop.publish_key_packages(3).await;
        let id = ConversationId::business(phone.account, cinema.account);
        let policy = policy(ConversationKind::Business, id, 0, &[phone.account, cinema.account]);
        let mut packages = Vec::new();
        for account in [cinema.account, phone.account] {
            let claimed = phone.claim(account).await;
            let of_others = claimed.key_packages.into_iter();
            packages.extend(of_others.map(|package| (account, package.key_package.to_vec())));
        }
        let bundle = phone.group(crate::device::XWING, &policy, &packages);
        let first = phone.message(id, 1, 20);
        let create = wire::CreateConversation {
            conversation_id: id.to_bytes(),
            kind: ConversationKind::Business.into(),
            bundle: Some(bundle),
            first: Some(first),
        };
        match phone.socket.request(Request::CreateConversation(create)).await {
            Response::CreateConversation(wire::CreateConversationOutcome {
                outcome: Some(wire::create_conversation_outcome::Outcome::Created(_)),
            }) => {}
            other => panic!("not created: {other:?}"),
        }
        for device in [&mut cinema, &mut laptop] {
            assert_eq!(device.socket.delivered().await.kind(), Kind::Welcome);
            assert_eq!(device.socket.delivered().await.billable, None, "people pay nothing");
        }
        let session = cinema.reconnect(&test.server, 2).await;
        cinema.socket.queue_empty().await;
        Self {
            timeline: Timeline::from_slice(&session.timeline).expect("a timeline"),
            test,
            waba_id,
            cinema,
            phone,
            laptop,
            id,
        }
    }

    async fn send(&mut self) -> Sent {
        let message = self.cinema.message(self.id, 1, 30);
        self.cinema.send(message).await
    }

    /// A message that went out, as both devices were delivered it.
    async fn delivered(&mut self) -> [wire::Deliver; 2] {
        assert!(matches!(self.send().await, Sent::Sent(_)));
        [
            self.phone.socket.delivered().await,
            self.laptop.socket.delivered().await,
        ]
    }

    async fn wallet(&self) -> (String, String) {
        let show = Command::WalletShow { waba_id: self.waba_id };
        let shown = ask(&self.test, show).await;
        let text = |name: &str| shown[name].as_str().expect("an amount").to_owned();
        (text("balance"), text("reserved"))
    }

    async fn ledger_holds(&self) -> Value {
        let report = ask(&self.test, Command::LedgerVerify).await;
        assert_eq!(report["ok"], true, "{report}");
        report
    }

    /// What was charged, by the business's own account.
    async fn charges(&mut self, seqs: &[u64]) -> Vec<wire::MessageCharge> {
        let places = seqs.iter().map(|seq| wire::MessagePlace {
            conversation_id: self.id.to_bytes(),
            seq: *seq,
        });
        let fetch = wire::FetchCharges {
            places: places.collect(),
        };
        match self.cinema.socket.request(Request::FetchCharges(fetch)).await {
            Response::Charges(charges) => charges.charges,
            other => panic!("{other:?}"),
        }
    }

    /// What a device of the person would sign for an item.
    fn facts(&self, item: &wire::Deliver) -> Receipt {
        let billable = item.billable.expect("billable");
        Receipt {
            timeline: self.timeline,
            conversation: self.id,
            seq: item.seq,
            message: message_id(item),
            category: billable.category(),
            rate_card_id: billable.rate_card_id,
        }
    }
}

fn message_id(item: &wire::Deliver) -> MessageId {
    let header = kabar_protocol::mls_header::private_header(&item.payload).expect("a header");
    kabar_protocol::content::authenticated_data(header.authenticated_data)
        .expect("data")
        .0
}

fn signed(facts: &Receipt, by: &Device, cursor: u64) -> wire::DeliveryReceipt {
    wire::DeliveryReceipt {
        conversation_id: facts.conversation.to_bytes(),
        seq: facts.seq,
        message_id: facts.message.to_bytes(),
        signature: facts.sign(&by.key).to_vec().into(),
        cursor,
    }
}

/// What the server still has for a device.
async fn queued(test: &TestServer, device: &mut Device, behind: u64) -> Vec<u64> {
    device.reconnect(&test.server, behind).await;
    let mut seqs = Vec::new();
    loop {
        match device.socket.pushed().await {
            Response::Deliver(item) if item.kind() == Kind::Message => seqs.push(item.seq),
            Response::Deliver(_) => {}
            Response::QueueEmpty(_) => return seqs,
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_message_is_charged_once_by_the_first_devices_receipt() {
    for test in on_each_engine().await {
        let mut chat = Chat::open(test, CARD, Some("1.00")).await;
        let [on_phone, on_laptop] = chat.delivered().await;
        assert_eq!(
            on_phone.billable.expect("billable").category(),
            MessageCategory::Service
        );
        assert_eq!(
            chat.wallet().await,
            ("1.00".into(), "0.05".into()),
            "reserved, not charged"
        );
        let unpaid = chat.charges(&[on_phone.seq]).await;
        assert_eq!((unpaid[0].price, &unpaid[0].receipt), (5, &None));

        let facts = chat.facts(&on_phone);
        let receipt = signed(&facts, &chat.phone, on_phone.cursor);
        chat.phone
            .ack_with(on_phone.cursor, &[(chat.id, on_phone.seq)], vec![receipt.clone()])
            .await;
        assert_eq!(chat.wallet().await, ("0.95".into(), "0.00".into()));
        let paid = chat.charges(&[on_phone.seq]).await;
        let proof = paid[0].receipt.as_ref().expect("a receipt");
        assert!(facts.verify(&chat.phone.key.verifying_key().to_bytes(), &proof.signature));
        assert_eq!(
            proof.device.as_ref().expect("a device").device_id,
            chat.phone.id.to_bytes()
        );

        // The same again, then the other device of the same person: no second charge, and both queues are empty.
        chat.phone
            .ack_with(on_phone.cursor, &[], vec![receipt.clone(), receipt.clone()])
            .await;
        let second = signed(&facts, &chat.laptop, on_laptop.cursor);
        chat.laptop.ack_with(on_laptop.cursor, &[], vec![second]).await;
        assert_eq!(chat.wallet().await, ("0.95".into(), "0.00".into()));
        for device in [&mut chat.phone, &mut chat.laptop] {
            assert_eq!(queued(&chat.test, device, 0).await, [0_u64; 0]);
        }
        chat.test = chat.test.restart().await;
        chat.phone.reconnect(&chat.test.server, on_phone.cursor).await;
        chat.phone.socket.queue_empty().await;
        chat.phone.ack_with(on_phone.cursor, &[], vec![receipt]).await;
        assert_eq!(
            chat.wallet().await,
            ("0.95".into(), "0.00".into()),
            "nor after a restart"
        );
        let report = chat.ledger_holds().await;
        assert_eq!(
            (&report["messages_charged"], &report["messages_reserved"]),
            (&1.into(), &0.into())
        );
    }
}

#[tokio::test]
async fn nothing_but_the_very_receipt_charges() {
    for test in on_each_engine().await {
        let mut chat = Chat::open(test, CARD, Some("1.00")).await;
        let [item, on_laptop] = chat.delivered().await;
        let facts = chat.facts(&item);
        let phone = &chat.phone;
        let wrong = |change: fn(&mut Receipt)| {
            let mut facts = facts;
            change(&mut facts);
            signed(&facts, phone, item.cursor)
        };
        let mut forged = signed(&facts, &chat.laptop, item.cursor);
        let mut unsigned = forged.clone();
        unsigned.signature = vec![0; 64].into();
        // A device signs for itself only: this is the laptop's, in the phone's acknowledgement.
        forged.cursor = item.cursor;
        let mut others = wrong(|facts| facts.category = MessageCategory::Marketing);
        others.message_id = facts.message.to_bytes();
        let receipts = vec![
            forged,
            unsigned,
            others,
            wrong(|facts| facts.rate_card_id += 1),
            wrong(|facts| facts.timeline = Timeline([9; 16])),
            wrong(|facts| facts.message = MessageId([9; 32])),
            wrong(|facts| facts.seq += 1),
            signed(&facts, &chat.cinema, item.cursor),
        ];
        let own = signed(&facts, &chat.cinema, 3);
        chat.phone.ack_with(item.cursor, &[(chat.id, item.seq)], receipts).await;
        // A business does not sign for its own messages, nor a stranger for anybody's.
        chat.cinema.ack_with(0, &[], vec![own]).await;
        let mut stranger = Device::register(&chat.test.server, None).await;
        let strange = signed(&facts, &stranger, item.cursor);
        stranger.ack_with(0, &[], vec![strange]).await;
        // An old client: it acknowledges without a receipt.
        chat.laptop.ack(on_laptop.cursor, &[]).await;
        assert_eq!(chat.wallet().await, ("1.00".into(), "0.05".into()));
        chat.test = chat.test.restart().await;
        chat.ledger_holds().await;

        // What was acknowledged is not delivered again, and the genuine receipt is still good.
        assert_eq!(queued(&chat.test, &mut chat.phone, 0).await, [0_u64; 0]);
        let receipt = signed(&facts, &chat.phone, item.cursor);
        chat.phone.ack_with(item.cursor, &[], vec![receipt]).await;
        assert_eq!(chat.wallet().await, ("0.95".into(), "0.00".into()));
        assert_eq!(queued(&chat.test, &mut chat.phone, 0).await, [0_u64; 0]);
        chat.ledger_holds().await;
    }
}

#[tokio::test]
async fn a_short_wallet_sends_nothing() {
    for test in on_each_engine().await {
        let mut chat = Chat::open(test, CARD, Some("0.09")).await;
        let [item, _] = chat.delivered().await;
        let refused = chat.cinema.message(chat.id, 1, 30);
        match chat.cinema.send(refused.clone()).await {
            Sent::BusinessRefused(refused) => {
                assert_eq!(refused.rule(), Rule::Balance);
                assert!(refused.message.contains("0.04"), "{}", refused.message);
            }
            other => panic!("{other:?}"),
        }
        // Receipts and the like are free, and nothing of the refused one was queued.
        let mut plain = chat.cinema.message(chat.id, 1, 30);
        plain.class = MessageClass::Content.into();
        assert!(matches!(chat.cinema.send(plain).await, Sent::BusinessRefused(_)));
        let facts = chat.facts(&item);
        let receipt = signed(&facts, &chat.phone, item.cursor);
        chat.phone.ack_with(item.cursor, &[], vec![receipt]).await;
        assert_eq!(queued(&chat.test, &mut chat.phone, item.cursor).await, [0_u64; 0]);
        assert!(
            matches!(chat.cinema.send(refused.clone()).await, Sent::BusinessRefused(_)),
            "0.04 is left"
        );
        let top_up = Command::WalletTopUp {
            waba_id: chat.waba_id,
            amount: "0.01".into(),
            currency: "USD".into(),
            key: None,
        };
        ask(&chat.test, top_up).await;
        let sent = chat.cinema.send(refused.clone()).await;
        assert!(matches!(sent, Sent::Sent(_)));
        assert_eq!(
            chat.cinema.send(refused).await,
            sent,
            "the same send is answered the same, and costs nothing more"
        );
        assert_eq!(chat.wallet().await, ("0.05".into(), "0.05".into()));
        chat.ledger_holds().await;
    }
}

#[tokio::test]
async fn without_a_wallet_only_the_allowance_is_sent() {
    for test in on_each_engine().await {
        let mut chat = Chat::open(test, GENEROUS_CARD, None).await;
        for _ in 0..2 {
            let [item, _] = chat.delivered().await;
            let facts = chat.facts(&item);
            let receipt = signed(&facts, &chat.phone, item.cursor);
            chat.phone.ack_with(item.cursor, &[], vec![receipt]).await;
            let charges = chat.charges(&[item.seq]).await;
            assert_eq!((charges[0].price, charges[0].receipt.is_some()), (0, true));
        }
        match chat.send().await {
            Sent::BusinessRefused(refused) => assert_eq!(refused.rule(), Rule::Balance),
            other => panic!("{other:?}"),
        }
        assert_eq!(chat.wallet().await, ("0.00".into(), "0.00".into()));
        let prices = match chat
            .cinema
            .socket
            .request(Request::FetchPrices(wire::FetchPrices {}))
            .await
        {
            Response::Prices(prices) => prices,
            other => panic!("{other:?}"),
        };
        assert_eq!((prices.prices[0].price, prices.prices[0].free_left), (5, 0));
        chat.ledger_holds().await;
    }
}

#[tokio::test]
async fn what_expires_is_not_charged_and_free_cards_bill_nothing() {
    for test in on_each_engine().await {
        let mut chat = Chat::open(test, CARD, Some("1.00")).await;
        let mut brief = chat.cinema.message(chat.id, 1, 30);
        brief.ttl_s = 60;
        assert!(matches!(chat.cinema.send(brief).await, Sent::Sent(_)));
        let item = chat.phone.socket.delivered().await;
        chat.test.clock.advance(HOUR_MS);
        let facts = chat.facts(&item);
        let late = signed(&facts, &chat.phone, item.cursor);
        chat.phone
            .ack_with(item.cursor, &[(chat.id, item.seq)], vec![late])
            .await;
        assert_eq!(chat.wallet().await.0, "1.00");
        chat.ledger_holds().await;

        let import = Command::RateCardImport {
            csv: include_str!("../../../../docs/rate-cards/all-free.csv").into(),
            effective: "2026-09-02".into(),
        };
        ask(&chat.test, import).await;
        let sent = chat.send().await;
        let Sent::Sent(sent) = sent else { panic!("{sent:?}") };
        let item = chat.phone.socket.delivered().await;
        assert_eq!((item.seq, item.billable), (sent.seq, None));
        assert!(chat.charges(&[sent.seq]).await.is_empty());
        chat.ledger_holds().await;
    }
}

#[tokio::test]
async fn what_is_withdrawn_is_charged_only_where_it_had_been_delivered() {
    for test in on_each_engine().await {
        let mut chat = Chat::open(test, CARD, Some("1.00")).await;
        // The phone has it, and has not said so yet; the laptop is away.
        chat.laptop = link(&chat.test.server, &mut chat.phone).await;
        let Sent::Sent(reached) = chat.send().await else {
            panic!("not sent")
        };
        let item = chat.phone.socket.delivered().await;
        crate::withdraw::withdraw(&mut chat.cinema, chat.id, reached.seq)
            .await
            .expect("withdrawn");
        let facts = chat.facts(&item);
        let receipt = signed(&facts, &chat.phone, item.cursor);
        let delivered = [(chat.id, item.seq)];
        chat.phone.ack_with(item.cursor, &delivered, vec![receipt]).await;
        assert_eq!(
            chat.wallet().await,
            ("0.95".into(), "0.00".into()),
            "what was delivered is paid for"
        );

        crate::withdraw::goes_offline(&chat.test, &mut chat.phone).await;
        let mut brief = chat.cinema.message(chat.id, 1, 30);
        brief.ttl_s = 7_200;
        let Sent::Sent(sent) = chat.cinema.send(brief).await else {
            panic!("not sent")
        };
        crate::withdraw::withdraw(&mut chat.cinema, chat.id, sent.seq)
            .await
            .expect("withdrawn");
        chat.phone.reconnect(&chat.test.server, item.cursor).await;
        let left = chat.phone.socket.delivered().await;
        assert_eq!((left.kind(), left.billable), (Kind::Withdrawn, None));
        chat.phone.ack(left.cursor, &[]).await;
        assert_eq!(
            queued(&chat.test, &mut chat.phone, 0).await,
            [0_u64; 0],
            "no receipt is waited for"
        );
        assert_eq!(
            chat.wallet().await,
            ("0.95".into(), "0.05".into()),
            "reserved until it expires"
        );
        chat.ledger_holds().await;
    }
}

#[tokio::test]
async fn too_many_receipts_are_refused() {
    let test = start().await;
    let mut ani = Device::register(&test.server, None).await;
    let ack = wire::Ack {
        receipts: vec![wire::DeliveryReceipt::default(); 501],
        ..Default::default()
    };
    match ani.socket.request(Request::Ack(ack)).await {
        Response::Error(error) => assert_eq!(error.parameter.as_deref(), Some("ack.receipts")),
        other => panic!("{other:?}"),
    }
}
