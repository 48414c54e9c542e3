//! Many buyers for few seats, all at once and against the whole system: a real server, the real box office, and real encrypted
//! clients that open the chat, pick a seat on the map and pay, each as his card does. Afterwards no seat is sold twice, no money is
//! taken without a ticket, and whoever got none was told so in the thread.
//!
//! 60 buyers for 15 seats; `KABAR_CROWD=200` makes it 200 for 50 (four buyers for each seat).

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, future::join_all, stream};
use kabar_client::api::{ApiError, MessageView, PaymentStatus};
use kabar_protocol::{ids::MessageId, wire::OrderDetails};
use support::{
    Serve,
    box_office::{self, BoxOffice},
    buyer::{Buyer, Heard, Picked, Seat},
    company::Company,
    directory,
};

const CINEMA: &str = "+622150001000";
const BUS: &str = "+622150002000";
const BUYERS: usize = 60;
const BUYERS_PER_SEAT: usize = 4;
const SEATS_PER_ROW: usize = 5;
/// So many buyers share a second of the hold: long enough to pay on a busy machine, short enough to be waited for.
const BUYERS_PER_HOLD_S: usize = 4;
/// Clients that sign up at a time.
const SIGN_UPS: usize = 16;
const RETURNS: usize = 2;
/// So often a buyer opens the map or presses its button in vain.
const UNANSWERED_MAX: usize = 5;
/// How the buyers pay, in the order in which they are sent a bill; then from the start again.
const WAYS: [Way; 10] = [
    Way::Card("4242"),
    Way::Declined,
    Way::Card("3220"),
    Way::Card("0077"),
    Way::Late,
    Way::Card("0078"),
    Way::Card("0079"),
    Way::DeclinedOnce,
    Way::Card("4242"),
    Way::Card("4242"),
];
/// Said of a showing; whoever hears it wants no other one.
const FULL: &str = "WIB: 0 kursi bebas";
/// Beginnings of what the cinema says to whom it sells nothing.
const GONE: &str = "Maaf, kursi itu baru saja diambil orang lain.";
const SOLD_OUT: &str = "Maaf, kursi sebanyak itu sudah tidak ada.";
const LATE: &str = "Maaf, pembayaran tidak selesai pada waktunya";
const LOST: &str = "Maaf, kursi Anda sudah diambil orang lain";
const RETURNED: &str = "Tiket sudah dikembalikan";

#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Card(&'static str),
    /// Declined, and no other card at hand.
    Declined,
    DeclinedOnce,
    /// Remembers it when the order has expired.
    Late,
}

/// How a buyer's wish ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Ticket,
    /// Told in the thread: everything is sold or held.
    SoldOut,
    /// Told in the thread: the payment came too late, and no money was taken.
    TooLate,
    /// The bank, or the expired order, refused.
    Refused,
    Returned,
}

/// A buyer and what has happened to him.
struct Shopper {
    buyer: Buyer,
    random: u64,
    end: Option<End>,
    orders: Vec<(MessageId, OrderDetails)>,
    /// Told in the thread that somebody else was faster.
    outrun: usize,
    /// Told so on the seat map already.
    outrun_on_map: usize,
    /// Told that the seller does not answer now, and tried again.
    unanswered: usize,
    took: Duration,
}

impl Shopper {
    fn new(buyer: Buyer, seed: usize) -> Self {
        Self {
            buyer,
            random: seed as u64 + 1,
            end: None,
            orders: Vec::new(),
            outrun: 0,
            outrun_on_map: 0,
            unanswered: 0,
            took: Duration::ZERO,
        }
    }

    /// The same numbers in every run.
    fn below(&mut self, end: usize) -> usize {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as usize % end
    }

    /// From the first word to a ticket, or to the word that there is none.
    async fn shop(&mut self, way: impl Fn() -> Way) {
        let begun = Instant::now();
        self.end = Some(self.try_once(way).await);
        self.took = begun.elapsed();
    }

    /// As long as there is a seat to be had.
    async fn shop_on(&mut self) {
        while !matches!(self.end, Some(End::Ticket | End::SoldOut)) {
            self.end = Some(self.try_once(|| Way::Card("4242")).await);
        }
    }

    async fn try_once(&mut self, way: impl Fn() -> Way) -> End {
        let mut paid = false;
        self.buyer.say("tiket").await;
        loop {
            match self.buyer.hear().await {
                Heard::Buttons(message, _) if message.text.as_ref().is_some_and(|text| text.contains(FULL)) => {
                    return End::SoldOut;
                }
                Heard::Buttons(message, buttons) => self.buyer.choose_film(&message, &buttons).await,
                Heard::SeatMap(map) => self.choose(&map).await,
                Heard::Order(message, order) => {
                    self.orders.push((message.message_id, order.clone()));
                    if let Some(end) = self.pay(message.message_id, &order, way()).await {
                        return end;
                    }
                    paid = true;
                }
                Heard::OrderStatus(status) if status == "completed" => return End::Ticket,
                Heard::OrderStatus(_) | Heard::Ticket => {}
                Heard::Text(text) if text.starts_with(GONE) => self.outrun += 1,
                Heard::Text(text) if text.starts_with(SOLD_OUT) => return End::SoldOut,
                // Whose card was declined hears it of an earlier order, when its hold has ended.
                Heard::Text(text) if text.starts_with(LATE) && !paid => {}
                Heard::Text(text) if text.starts_with(LATE) || text.starts_with(LOST) => return End::TooLate,
                other => panic!("{} did not expect {other:?}", self.buyer.name),
            }
        }
    }

    /// Picks seats on the map until one is to be had, or none is left: then he asks again.
    async fn choose(&mut self, map: &MessageView) {
        let mut seats = loop {
            match self.buyer.seats(map).await {
                Ok(seats) => break seats,
                Err(error) => self.tries_again(&error),
            }
        };
        loop {
            let free: Vec<&Seat> = seats.iter().filter(|seat| seat.state == "free").collect();
            if free.is_empty() {
                return self.buyer.say("tiket").await;
            }
            // Everybody likes the first seats best.
            let liked = self.below(free.len()).min(self.below(free.len()));
            let seat = free[liked].id.clone();
            match self.buyer.pick_seat(map, &seat).await {
                Ok(Picked::Done(params)) => return self.buyer.finish(map, &params).await,
                Ok(Picked::Gone(now)) => (seats, self.outrun_on_map) = (now, self.outrun_on_map + 1),
                Err(error) => self.tries_again(&error),
            }
        }
    }

    /// A busy seller is asked again, as the screen proposes; but not for ever.
    fn tries_again(&mut self, error: &ApiError) {
        let busy = ["flow_timeout", "endpoint_unreachable"].contains(&error.code.as_str());
        self.unanswered += 1;
        assert!(
            busy && self.unanswered <= UNANSWERED_MAX,
            "{}: {error:?}",
            self.buyer.name
        );
    }

    /// `None` while the seller has the next word.
    async fn pay(&mut self, message: MessageId, order: &OrderDetails, way: Way) -> Option<End> {
        let refused = |code: &str| (code == "payment_declined" || code == "order_expired").then_some(End::Refused);
        if way == Way::Late {
            self.buyer.wait_until(order.expires_ms).await;
        }
        if matches!(way, Way::Declined | Way::DeclinedOnce) {
            let declined = self.buyer.pay(message, "0002").await.expect_err("declined");
            assert_eq!(declined.code, "payment_declined");
            if way == Way::Declined {
                return Some(End::Refused);
            }
        }
        let card = if let Way::Card(card) = way { card } else { "4242" };
        match self.buyer.pay(message, card).await {
            Ok(_) => {
                assert_ne!(way, Way::Late, "an expired order was paid");
                None
            }
            Err(error) => Some(refused(&error.code).unwrap_or_else(|| panic!("{error:?}"))),
        }
    }

    async fn give_back(&mut self) {
        self.buyer.say("kembalikan").await;
        self.end = Some(loop {
            match self.buyer.hear().await {
                Heard::Buttons(message, buttons) => self.buyer.tap(&message, &buttons[0]).await,
                Heard::Text(text) if text.starts_with(RETURNED) => break End::Returned,
                Heard::OrderStatus(_) | Heard::Ticket => {}
                other => panic!("{} did not expect {other:?}", self.buyer.name),
            }
        });
    }
}

/// Somebody who only looks at the seat map.
struct Witness {
    buyer: Buyer,
    map: MessageView,
}

impl Witness {
    async fn come(server: &Serve) -> Self {
        let mut buyer = Buyer::register(&server.url, "Saksi", CINEMA).await;
        buyer.say("tiket").await;
        let map = loop {
            match buyer.hear().await {
                Heard::Buttons(message, buttons) => buyer.choose_film(&message, &buttons).await,
                Heard::SeatMap(map) => break map,
                other => panic!("{other:?}"),
            }
        };
        Self { buyer, map }
    }

    async fn seats(&self) -> Vec<Seat> {
        self.buyer.seats(&self.map).await.expect("the seat map")
    }

    /// Until holds that nobody paid for have ended.
    async fn waits_for_holds(&mut self, box_office: &BoxOffice, hold_s: usize) {
        let untils = box_office
            .orders()
            .into_iter()
            .filter_map(|order| order["until"].as_i64());
        let last_ms = untils.max().unwrap_or_default();
        let grace_ms = i64::try_from(hold_s * 1_000 / 5).expect("a while");
        self.buyer.wait_until(last_ms + grace_ms).await;
        let seats = self.seats().await;
        assert!(seats.iter().all(|seat| seat.state != "held"), "{seats:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_want_few_seats_and_everybody_gets_a_ticket_or_an_honest_word() {
    if !box_office::is_there("crowd") {
        return;
    }
    let buyers = std::env::var("KABAR_CROWD").map_or(BUYERS, |crowd| crowd.parse().expect("a number"));
    let seats = buyers / BUYERS_PER_SEAT;
    let directory = directory();
    let server = open_server(directory.path());
    let (cinema, bus) = (
        Company::create(&server, "Bioskop Kota", CINEMA),
        Company::create(&server, "Bus Mudik", BUS),
    );
    let hold_s = buyers / BUYERS_PER_HOLD_S;
    let (hall, hold) = (format!("{}x{SEATS_PER_ROW}", seats / SEATS_PER_ROW), hold_s.to_string());
    let box_office = BoxOffice::open(directory.path(), [&cinema, &bus], &["--hall", &hall, "--hold", &hold]);

    let begun = Instant::now();
    let mut shoppers: Vec<Shopper> = stream::iter(0..buyers)
        .map(async |number| {
            let buyer = Buyer::register(&server.url, &format!("Pembeli {number}"), CINEMA).await;
            Shopper::new(buyer, number)
        })
        .buffered(SIGN_UPS)
        .collect()
        .await;
    let mut witness = Witness::come(&server).await;
    eprintln!(
        "{buyers} buyers for {seats} seats; signed up in {:.1} s",
        begun.elapsed().as_secs_f64()
    );

    let (begun, cpu) = (Instant::now(), [server.pid(), box_office.pid()].map(cpu_s));
    let bills = AtomicUsize::new(0);
    let way = || WAYS[bills.fetch_add(1, Ordering::Relaxed) % WAYS.len()];
    join_all(shoppers.iter_mut().map(|shopper| shopper.shop(way))).await;
    report("everybody at once", &shoppers, begun);

    let begun = Instant::now();
    let with_ticket = shoppers.iter_mut().filter(|shopper| shopper.end == Some(End::Ticket));
    join_all(with_ticket.take(RETURNS).map(Shopper::give_back)).await;
    witness.waits_for_holds(&box_office, hold_s).await;
    let others = shoppers
        .iter_mut()
        .filter(|shopper| !matches!(shopper.end, Some(End::Ticket | End::Returned)));
    join_all(others.map(|shopper| {
        shopper.end = None;
        shopper.shop_on()
    }))
    .await;
    report("once more, for what was not paid or came back", &shoppers, begun);
    let now = [server.pid(), box_office.pid()].map(cpu_s);
    eprintln!(
        "CPU: server {:.1} s, box office {:.1} s",
        now[0] - cpu[0],
        now[1] - cpu[1]
    );

    verify(&server, &witness, &shoppers, &box_office, seats).await;
    for shopper in shoppers {
        shopper.buyer.close().await;
    }
    witness.buyer.close().await;
}

/// All buyers come from one address: limits by address would be about the test alone.
fn open_server(directory: &std::path::Path) -> Serve {
    let config = directory.join("kabar.toml");
    std::fs::write(&config, "[limits]\nrate_limits = false\n").expect("a configuration");
    let config = config.to_string_lossy().into_owned();
    Serve::start_on(directory, "127.0.0.1:0", &["--config", &config])
}

/// Seats, tickets, money and words belong together.
async fn verify(server: &Serve, witness: &Witness, shoppers: &[Shopper], box_office: &BoxOffice, seats: usize) {
    let (mut places, mut captured, mut refunded) = (Vec::new(), 0, 0);
    for shopper in shoppers {
        let name = &shopper.buyer.name;
        let tickets = shopper.buyer.tickets().await;
        for (message, order) in &shopper.orders {
            let of_order = tickets
                .iter()
                .filter(|ticket| ticket.reference_id == order.reference_id);
            let valid = of_order.clone().filter(|ticket| !ticket.returned).count();
            let status = shopper.buyer.payment(*message).await.map(|payment| payment.status);
            let expected = match status {
                Some(PaymentStatus::Captured) => (1, 1),
                Some(PaymentStatus::Refunded) => (1, 0),
                None | Some(PaymentStatus::Failed | PaymentStatus::Voided) => (0, 0),
                open => panic!("{name}: a payment is still {open:?}"),
            };
            assert_eq!((of_order.count(), valid), expected, "{name}: {status:?}, {tickets:?}");
            captured += usize::from(status == Some(PaymentStatus::Captured));
            refunded += usize::from(status == Some(PaymentStatus::Refunded));
        }
        let valid = tickets.iter().filter(|ticket| !ticket.returned);
        let held: Vec<String> = valid.map(|ticket| ticket.place.clone()).collect();
        // Who has no ticket was told in the thread: nothing was left, or it was taken back.
        let told = if held.is_empty() {
            [End::SoldOut, End::Returned]
        } else {
            [End::Ticket; 2]
        };
        assert!(
            shopper.end.is_some_and(|end| told.contains(&end)),
            "{name}: {:?} with {held:?}",
            shopper.end
        );
        places.extend(held);
    }
    let unique: BTreeSet<&String> = places.iter().collect();
    assert_eq!(
        (places.len(), unique.len(), captured),
        (seats, seats, seats),
        "every seat once: {places:?}"
    );
    assert_eq!(refunded, RETURNS);
    let map = witness.seats().await;
    assert!(
        map.iter().all(|seat| seat.state == "sold" && unique.contains(&seat.id)),
        "{map:?}"
    );
    let sold = box_office
        .orders()
        .into_iter()
        .filter(|order| order["state"] == "sold")
        .count();
    assert_eq!(sold, seats, "the seller's own book");
    let verified = server.admin(&["ledger", "verify"]);
    assert_eq!(verified["ok"], true, "{verified}");
    assert_eq!(
        (&verified["captured"], &verified["refunded"]),
        (&serde_json::json!(seats + RETURNS), &serde_json::json!(RETURNS)),
        "{verified}"
    );
}

fn report(what: &str, shoppers: &[Shopper], begun: Instant) {
    let mut ends: BTreeMap<End, usize> = BTreeMap::new();
    for end in shoppers.iter().filter_map(|shopper| shopper.end) {
        *ends.entry(end).or_default() += 1;
    }
    let sum = |count: fn(&Shopper) -> usize| shoppers.iter().map(count).sum::<usize>();
    let (outrun, on_map) = (sum(|shopper| shopper.outrun), sum(|shopper| shopper.outrun_on_map));
    let mut took: Vec<Duration> = shoppers
        .iter()
        .filter(|shopper| shopper.end == Some(End::Ticket))
        .map(|shopper| shopper.took)
        .collect();
    took.sort_unstable();
    eprintln!("{what}: {:.1} s; {ends:?}", begun.elapsed().as_secs_f64());
    let unanswered = sum(|shopper| shopper.unanswered);
    eprintln!(
        "  outrun {outrun} times in the thread, {on_map} times on the map; not answered in time {unanswered} times"
    );
    if let (Some(middle), Some(last)) = (took.get(took.len() / 2), took.last()) {
        eprintln!(
            "  to a ticket: median {:.1} s, last {:.1} s",
            middle.as_secs_f64(),
            last.as_secs_f64()
        );
    }
}

/// User and system time of a process so far; 0 where there is no /proc.
fn cpu_s(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: u64 = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    ticks as f64 / 100.0
}
