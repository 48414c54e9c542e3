//! Somebody with the real client who buys in the box office's chat: reads what comes, picks seats on the map, pays.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use kabar_client::{
    Client, Options,
    api::{ApiError, Command, MessageView, Notification, PaymentView, Reply, Shown, TicketView},
};
use kabar_protocol::{
    ids::MessageId,
    wire::{
        ButtonReply, FlowReply, InteractiveReply, OrderDetails, ReplyButton, interactive::Action, interactive_reply,
    },
};
use serde_json::{Value, json};
use tokio::{
    sync::broadcast::{Receiver, error::RecvError},
    time::{Instant, timeout_at},
};

/// One answer of a busy seller.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Buyer {
    pub(crate) name: String,
    client: Client,
    news: Receiver<Notification>,
    seen: HashSet<MessageId>,
    unread: VecDeque<MessageView>,
    to: String,
    _home: tempfile::TempDir,
}

/// A message of the seller.
#[derive(Debug)]
pub(crate) enum Heard {
    Text(String),
    Buttons(MessageView, Vec<ReplyButton>),
    SeatMap(MessageView),
    Order(MessageView, OrderDetails),
    OrderStatus(String),
    Ticket,
}

impl Heard {
    fn word(self) -> String {
        match self {
            Self::Text(text) => text.split([',', '.', ' ']).next().unwrap_or_default().to_owned(),
            Self::Buttons(_, buttons) => format!("buttons {}", buttons.len()),
            Self::SeatMap(_) => "map".into(),
            Self::Order(_, order) => format!("order of {}", order.items.len()),
            Self::OrderStatus(status) => status,
            Self::Ticket => "ticket".into(),
        }
    }
}

/// A seat of the map, as it was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) id: String,
    pub(crate) state: String,
}

/// What the seller's endpoint said to the seats that were picked.
#[derive(Debug)]
pub(crate) enum Picked {
    /// The answer that ends the flow.
    Done(Value),
    /// They are gone; the map as it is now.
    Gone(Vec<Seat>),
}

impl Buyer {
    /// Signs up; the seller has the number `to`.
    pub(crate) async fn register(server: &str, name: &str, to: &str) -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let options = Options {
            home: home.path().join("home"),
            server: Some(server.to_owned()),
            feed: false,
            dial: None,
            lock_timeout: PATIENCE,
        };
        let client = Client::open(options).await.expect("a client");
        let news = client.notifications();
        let register = Command::Register {
            name: name.to_owned(),
            username: None,
            invite: None,
            enrolment: None,
        };
        client.command(register, PATIENCE).await.expect("registered");
        Self {
            name: name.to_owned(),
            client,
            news,
            seen: HashSet::new(),
            unread: VecDeque::new(),
            to: to.to_owned(),
            _home: home,
        }
    }

    async fn ask(&self, command: Command) -> Result<Reply, ApiError> {
        self.client.command(command, PATIENCE).await
    }

    /// Returns when the server has it.
    pub(crate) async fn say(&self, text: &str) {
        let send = Command::SendText {
            to: self.to.clone(),
            text: text.to_owned(),
            reply_to: None,
            wait: true,
        };
        self.ask(send).await.expect("said");
    }

    async fn answer(&self, to: &MessageView, reply: interactive_reply::Reply) {
        let send = Command::Send {
            to: to.conversation_id.to_string(),
            content: Shown::InteractiveReply(InteractiveReply { reply: Some(reply) }),
            reply_to: Some(to.message_id),
            wait: true,
            business: None,
            mentions: Vec::new(),
        };
        self.ask(send).await.expect("answered");
    }

    pub(crate) async fn tap(&self, message: &MessageView, button: &ReplyButton) {
        let ReplyButton { id, title } = button.clone();
        let reply = ButtonReply { id, title };
        self.answer(message, interactive_reply::Reply::Button(reply)).await;
    }

    /// The first film; the seat map of its next showing comes by itself, beside buttons for other times.
    pub(crate) async fn choose_film(&self, message: &MessageView, buttons: &[ReplyButton]) {
        if buttons.iter().all(|button| !button.id.contains("show=")) {
            self.tap(message, &buttons[0]).await;
        }
    }

    /// The seller's next message.
    pub(crate) async fn hear(&mut self) -> Heard {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(message) = self.unread.pop_front() {
                match heard(message) {
                    Some(heard) => return heard,
                    None => continue,
                }
            }
            match timeout_at(deadline, self.news.recv()).await {
                Ok(Ok(Notification::Message { message })) if !message.mine => {
                    if self.seen.insert(message.message_id) {
                        self.unread.push_back(message);
                    }
                }
                Ok(Ok(_)) => {}
                Ok(Err(RecvError::Lagged(missed))) => panic!("{} missed {missed} notifications", self.name),
                Ok(Err(RecvError::Closed)) => panic!("{}'s client stopped", self.name),
                Err(_) => panic!("{} waits for the seller in vain", self.name),
            }
        }
    }

    /// Lets time pass, and takes in what comes meanwhile.
    pub(crate) async fn wait_until(&mut self, at_ms: i64) {
        let now_ms = i64::try_from(now_ms()).expect("a time");
        let deadline = Instant::now() + Duration::from_millis(u64::try_from(at_ms - now_ms).unwrap_or(0));
        while let Ok(news) = timeout_at(deadline, self.news.recv()).await {
            match news {
                Ok(Notification::Message { message }) if !message.mine && self.seen.insert(message.message_id) => {
                    self.unread.push_back(message);
                }
                Ok(_) => {}
                Err(error) => panic!("{}: {error}", self.name),
            }
        }
    }

    /// Opens the seat map of a message.
    pub(crate) async fn seats(&self, map: &MessageView) -> Result<Vec<Seat>, ApiError> {
        let (_, data) = self.exchange(map, "INIT", "", &json!({})).await?;
        Ok(seats_of(&data))
    }

    /// Picks a seat on the open map.
    pub(crate) async fn pick_seat(&self, map: &MessageView, seat: &str) -> Result<Picked, ApiError> {
        let form = json!({ "seats": [seat], "chosen": "" });
        let (screen, data) = self.exchange(map, "data_exchange", "SEATS", &form).await?;
        if screen == "SUCCESS" {
            return Ok(Picked::Done(data["extension_message_response"]["params"].clone()));
        }
        assert_ne!(data["error_message"], "", "the same screen again says why: {data}");
        Ok(Picked::Gone(seats_of(&data)))
    }

    /// Sends the answer that ends the flow.
    pub(crate) async fn finish(&self, map: &MessageView, params: &Value) {
        let reply = FlowReply {
            name: "flow".into(),
            body: "Sent".into(),
            response_json: params.to_string(),
        };
        self.answer(map, interactive_reply::Reply::Flow(reply)).await;
    }

    async fn exchange(
        &self,
        map: &MessageView,
        action: &str,
        screen: &str,
        data: &Value,
    ) -> Result<(String, Value), ApiError> {
        let exchange = Command::FlowExchange {
            message_id: map.message_id,
            action: action.to_owned(),
            screen: screen.to_owned(),
            data: data.to_string(),
        };
        match self.ask(exchange).await? {
            Reply::FlowScreen { screen, data } => Ok((screen, serde_json::from_str(&data).expect("an object"))),
            other => panic!("{}: {other:?}", self.name),
        }
    }

    /// Pays, and answers 3-D Secure with what the bank in the sandbox wants to hear.
    pub(crate) async fn pay(&self, order: MessageId, card: &str) -> Result<PaymentView, ApiError> {
        let pay = |challenge_answer: Option<String>| Command::Pay {
            message_id: order,
            method: format!("sandbox:{card}"),
            challenge_answer,
        };
        let paid = match self.ask(pay(None)).await? {
            Reply::PaymentChallenge { .. } => self.ask(pay(Some("1234".into()))).await?,
            reply => reply,
        };
        match paid {
            Reply::Payment(payment) => Ok(payment),
            other => panic!("{}: {other:?}", self.name),
        }
    }

    /// What became of an order, by the server's word; nothing if nobody has paid it.
    pub(crate) async fn payment(&self, order: MessageId) -> Option<PaymentView> {
        match self.ask(Command::Payment { message_id: order }).await {
            Ok(Reply::Payment(payment)) => Some(payment),
            Err(error) if error.code == "payment_unknown" => None,
            other => panic!("{}: {other:?}", self.name),
        }
    }

    /// Everything that the seller has said, oldest first, each under a word of its own kind.
    pub(crate) async fn thread(&self) -> Vec<String> {
        let open = Command::OpenChat { who: self.to.clone() };
        let Ok(Reply::Chat(chat)) = self.ask(open).await else {
            panic!("{} has no chat", self.name)
        };
        let list = Command::ListMessages {
            conversation_id: chat.conversation_id,
            before: None,
            limit: 200,
        };
        let Ok(Reply::Messages { messages, .. }) = self.ask(list).await else {
            panic!("{} has no messages", self.name)
        };
        let theirs = messages.into_iter().rev().filter(|message| !message.mine);
        theirs.filter_map(heard).map(|heard| heard.word()).collect()
    }

    pub(crate) async fn tickets(&self) -> Vec<TicketView> {
        match self.ask(Command::Tickets).await.expect("tickets") {
            Reply::Tickets { tickets } => tickets,
            other => panic!("{}: {other:?}", self.name),
        }
    }

    pub(crate) async fn close(self) {
        self.client.close().await;
    }
}

/// `None` for what is no word of the seller, such as a notice.
fn heard(message: MessageView) -> Option<Heard> {
    let shown = message.shown.clone();
    Some(match shown {
        Some(Shown::Ticket(_)) => Heard::Ticket,
        Some(Shown::Interactive(interactive)) => match interactive.action? {
            Action::Buttons(buttons) => Heard::Buttons(message, buttons.buttons),
            Action::Flow(_) => Heard::SeatMap(message),
            Action::OrderDetails(order) => Heard::Order(message, order),
            Action::OrderStatus(update) => Heard::OrderStatus(update.status),
            Action::List(_) | Action::CtaUrl(_) => return None,
        },
        _ => Heard::Text(message.text?),
    })
}

fn seats_of(data: &Value) -> Vec<Seat> {
    let rows = data["rows"].as_array().cloned().unwrap_or_default();
    let seats = rows
        .iter()
        .flat_map(|row| row["seats"].as_array().cloned().unwrap_or_default());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    seats
        .filter(|seat| seat["state"] != "gap")
        .map(|seat| Seat {
            id: text(&seat["id"]),
            state: text(&seat["state"]),
        })
        .collect()
}

#[allow(clippy::disallowed_methods)] // the test is real, and so is its clock
fn now_ms() -> u128 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("a clock").as_millis()
}
