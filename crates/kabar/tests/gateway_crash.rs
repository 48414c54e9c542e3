//! kill -9 of a business's own gateway, or of its program, at each step of a purchase at the box office: nothing is lost, nothing is said
//! or paid twice.
//!
//! It dies twice a step: while it works on what the buyer has just sent, and when the buyer has just heard of it. And what a buyer is
//! told while the seller's own program is away, or has another key than the one that is registered.

mod support;

use kabar_client::api::{MessageView, PaymentStatus};
use kabar_protocol::wire::{OrderDetails, ReplyButton};
use serde_json::json;
use support::{
    Serve,
    box_office::{self, BoxOffice},
    buyer::{Buyer, Heard, Picked},
    company::{Company, OwnGateway},
    directory,
};

const CINEMA: &str = "+622150001000";
const SEAT: &str = "B3";

/// Who dies at each step.
#[derive(Clone, Copy)]
enum Mortal {
    Gateway,
    Seller,
}

struct Scene {
    mortal: Mortal,
    server: Serve,
    gateway: OwnGateway,
    box_office: BoxOffice,
    buyer: Buyer,
    _directory: tempfile::TempDir,
}

impl Scene {
    /// The cinema has a gateway of its own; the bus line is at the server's.
    async fn open(mortal: Mortal) -> Self {
        let directory = directory();
        let server = Serve::start(directory.path());
        let name = "Bioskop Kota";
        let waba = server.admin(&["business", "create", "--name", name])["waba_id"].clone();
        let waba = waba.as_str().unwrap_or_default();
        let add = ["number", "add", "--waba", waba, "--phone", CINEMA, "--name", name];
        let number = server.admin(&[&add[..], &["--own-gateway", "--server", &server.url]].concat());
        let gateway = OwnGateway::start(directory.path(), number["enrolment"].as_str().unwrap_or_default());
        let bus = Company::create(&server, "Bus Mudik", "+622150002000");
        let box_office = BoxOffice::open(directory.path(), [&gateway.company, &bus], &[]);
        let buyer = Buyer::register(&server.url, "Rani", CINEMA).await;
        Self {
            mortal,
            server,
            gateway,
            box_office,
            buyer,
            _directory: directory,
        }
    }

    fn die(&mut self) {
        tokio::task::block_in_place(|| match self.mortal {
            Mortal::Gateway => self.gateway.die_and_return(),
            Mortal::Seller => {
                self.box_office.kill();
                self.box_office.come_back();
            }
        });
    }

    /// Somebody dies while he works for the buyer, and again when the buyer has heard what he waited for.
    async fn hears<T>(&mut self, fits: impl Fn(Heard) -> Option<T>) -> T {
        self.die();
        loop {
            if let Some(heard) = fits(self.buyer.hear().await) {
                self.die();
                return heard;
            }
        }
    }

    async fn is_offered_a_map(&mut self) -> MessageView {
        self.buyer.say("tiket").await;
        let films = |heard| match heard {
            Heard::Buttons(message, buttons) => Some((message, buttons)),
            _ => None,
        };
        let (message, buttons) = self.hears(films).await;
        self.buyer.tap(&message, &buttons[0]).await;
        self.hears(|heard| match heard {
            Heard::SeatMap(map) => Some(map),
            _ => None,
        })
        .await
    }

    /// A question that its gateway does not survive ends with a word of its own; then it is asked again.
    async fn picks(&mut self, map: &MessageView) -> OrderDetailsAt {
        let params = {
            let Self { buyer, gateway, .. } = self;
            let asked = buyer.pick_seat(map, SEAT);
            let (answer, ()) = tokio::join!(asked, async {
                tokio::task::yield_now().await;
                tokio::task::block_in_place(|| gateway.die_and_return());
            });
            match answer {
                Ok(Picked::Done(params)) => params,
                Ok(other) => panic!("{other:?}"),
                Err(error) => {
                    assert!(
                        ["flow_timeout", "endpoint_unreachable"].contains(&error.code.as_str()),
                        "{error:?}"
                    );
                    match buyer.pick_seat(map, SEAT).await {
                        Ok(Picked::Done(params)) => params,
                        other => panic!("{other:?}"),
                    }
                }
            }
        };
        self.buyer.finish(map, &params).await;
        self.hears(|heard| match heard {
            Heard::Order(message, order) => Some(OrderDetailsAt { message, order }),
            _ => None,
        })
        .await
    }

    async fn returns(&mut self) {
        self.buyer.say("kembalikan").await;
        let sure = |heard| match heard {
            Heard::Buttons(message, buttons) => Some((message, buttons)),
            _ => None,
        };
        let (message, buttons): (MessageView, Vec<ReplyButton>) = self.hears(sure).await;
        self.buyer.tap(&message, &buttons[0]).await;
        self.hears(|heard| {
            matches!(heard, Heard::Text(text) if text.starts_with("Tiket sudah dikembalikan")).then_some(())
        })
        .await;
    }
}

const ANOTHER_KEY: &str = "-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA1nedEhvDNQ21pjuRtBcj
hb/TKXUpq+wxMyJtkw5GkyxU6Cb8u/pBbSDqyASJ1GEzVlqzzowhE4Qc97rQ0PTe
mhYRRJCCo40CGZkjLFmSut0Fv4IrwH3qxToK3liHReuW9iiFsQM8k1Wocmx1SCKj
aH9Re7kGX9ylJxiU9FRFBFE67YWpULqbemuNlCsm7z/NdpUYTjxghdKqCUsy4ZF4
tqUJbVk2sL5ffdTynbn736rs4+c1tbJIhWK9yampaiC1FGTmKZzcH5XiNn71En2n
vhNRmhOmoU1QvhgaAIg790H/esVONUulIwCkLcO1rMAadXRQO8/yEp91mkG44BB+
iwIDAQAB
-----END PUBLIC KEY-----";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_seller_who_is_away_or_has_another_key_is_said_and_nothing_is_lost() {
    if !box_office::is_there("gateway_crash") {
        return;
    }
    let mut scene = Scene::open(Mortal::Gateway).await;
    let map = scene.is_offered_a_map().await;
    let code = async |scene: &Scene| scene.buyer.seats(&map).await.expect_err("no seller").code;

    scene.box_office.kill();
    assert_eq!(code(&scene).await, "endpoint_unreachable");
    // Said into the silence; answered when somebody is there again.
    scene.buyer.say("petugas").await;
    tokio::task::block_in_place(|| scene.box_office.come_back());
    while !matches!(scene.buyer.hear().await, Heard::Text(text) if text.starts_with("Baik, petugas kami")) {}
    assert!(scene.buyer.seats(&map).await.is_ok(), "the same map again");

    let path = format!("{}/whatsapp_business_encryption", scene.gateway.company.number);
    let register = json!({ "business_public_key": ANOTHER_KEY });
    let (status, answer) = tokio::task::block_in_place(|| scene.gateway.company.post(&path, &register));
    assert_eq!(status, 200, "{answer}");
    assert_eq!(code(&scene).await, "endpoint_failed");
    scene.box_office.kill();
    tokio::task::block_in_place(|| scene.box_office.come_back());
    assert!(
        scene.buyer.seats(&map).await.is_ok(),
        "it registers its key at the start"
    );
    let thread = scene.buyer.thread().await;
    assert_eq!(thread.iter().filter(|word| *word == "Baik").count(), 1, "{thread:?}");
}

struct OrderDetailsAt {
    message: MessageView,
    order: OrderDetails,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purchase_survives_the_death_of_its_gateway_at_every_step() {
    Box::pin(purchase(Mortal::Gateway)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purchase_survives_the_death_of_its_seller_at_every_step() {
    Box::pin(purchase(Mortal::Seller)).await;
}

async fn purchase(mortal: Mortal) {
    if !box_office::is_there("gateway_crash") {
        return;
    }
    let mut scene = Scene::open(mortal).await;
    let map = scene.is_offered_a_map().await;
    let OrderDetailsAt { message, order } = scene.picks(&map).await;
    assert_eq!(order.items.len(), 1);

    let paid = scene.buyer.pay(message.message_id, "4242").await.expect("paid");
    assert_eq!(paid.status, PaymentStatus::Authorised);
    let completed = |heard| matches!(heard, Heard::OrderStatus(status) if status == "completed").then_some(());
    scene.hears(completed).await;
    let tickets = scene.buyer.tickets().await;
    assert_eq!(
        tickets.iter().map(|ticket| ticket.place.as_str()).collect::<Vec<_>>(),
        [SEAT]
    );
    assert_eq!(
        scene.buyer.payment(message.message_id).await.map(|paid| paid.status),
        Some(PaymentStatus::Captured)
    );

    scene.returns().await;
    assert_eq!(
        scene.buyer.payment(message.message_id).await.map(|paid| paid.status),
        Some(PaymentStatus::Refunded)
    );
    assert!(
        scene.buyer.tickets().await.iter().all(|ticket| ticket.returned),
        "the ticket is worth nothing now"
    );
    let seats = scene.buyer.seats(&map).await.expect("the map");
    assert!(seats.iter().all(|seat| seat.state == "free"), "{seats:?}");
    let states: Vec<_> = scene
        .box_office
        .orders()
        .iter()
        .map(|order| order["state"].clone())
        .collect();
    assert_eq!(states, [json!("refunded")]);

    let mut thread = scene.buyer.thread().await;
    thread.sort();
    let expected = [
        "Tiket",
        "buttons 1",
        "buttons 2",
        "buttons 3",
        "completed",
        "map",
        "order of 1",
        "processing",
        "refunded",
        "ticket",
    ];
    assert_eq!(thread, expected, "each word once");
    let verified = scene.server.admin(&["ledger", "verify"]);
    assert_eq!(
        (&verified["ok"], &verified["captured"], &verified["refunded"]),
        (&json!(true), &json!(1), &json!(1)),
        "{verified}"
    );
}
