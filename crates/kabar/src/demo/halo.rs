//! Demo data of `kabar serve --dev`: Halo, somebody to write to.
//!
//! Halo is no back door: an ordinary encrypted client with its own home beside the server's data, which signs up
//! like anybody and answers what people write to it.

use std::{path::PathBuf, time::Duration};

use kabar_client::{
    Client, Options,
    api::{Command, MessageKind, MessageView, Notification, Reply},
};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

use crate::output::Failure;

const USERNAME: &str = "halo";
const NAME: &str = "Halo (demo)";
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// How far back Halo looks for the newest message of a chat that it has not answered.
const LOOK_BACK_MESSAGES: u32 = 20;

/// Plays Halo until `stop`. What goes wrong is logged: the server serves on without a demo person.
pub(crate) async fn run(data: PathBuf, server: String, stop: CancellationToken) {
    if let Err(failure) = play(data, server, stop).await {
        tracing::error!(code = failure.code, "the demo person stopped: {}", failure.message);
    }
}

async fn play(data: PathBuf, server: String, stop: CancellationToken) -> Result<(), Failure> {
    let options = Options {
        home: data.join("demo/halo"),
        server: Some(server),
        feed: false,
        dial: None,
        lock_timeout: Duration::from_secs(1),
    };
    let client = Client::open(options).await?;
    let news = client.notifications();
    let result = tokio::select! {
        () = stop.cancelled() => Ok(()),
        result = converse(&client, news) => result,
    };
    client.close().await;
    result
}

async fn converse(client: &Client, mut news: broadcast::Receiver<Notification>) -> Result<(), Failure> {
    sign_up(client).await?;
    answer_unread(client).await?;
    loop {
        match news.recv().await {
            Ok(Notification::Message { message }) => answer(client, &message).await?,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => answer_unread(client).await?,
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}

async fn sign_up(client: &Client) -> Result<(), Failure> {
    if client.command(Command::Whoami, ANSWER_TIMEOUT).await.is_ok() {
        return Ok(());
    }
    let register = Command::Register {
        name: NAME.into(),
        username: Some(USERNAME.into()),
        invite: None,
        enrolment: None,
    };
    client.command(register, ANSWER_TIMEOUT).await?;
    Ok(())
}

/// Messages that came while Halo was away.
async fn answer_unread(client: &Client) -> Result<(), Failure> {
    client.command(Command::WaitIdle, ANSWER_TIMEOUT).await?;
    let Reply::Chats { chats } = client.command(Command::ListChats, ANSWER_TIMEOUT).await? else {
        return Ok(());
    };
    for chat in chats.iter().filter(|chat| chat.unread > 0) {
        let limit = chat.unread.min(LOOK_BACK_MESSAGES);
        let list = Command::ListMessages {
            conversation_id: chat.conversation_id,
            before: None,
            limit,
        };
        if let Reply::Messages { messages, .. } = client.command(list, ANSWER_TIMEOUT).await?
            && let Some(newest) = messages.iter().find(|message| !message.mine)
        {
            answer(client, newest).await?;
        }
    }
    Ok(())
}

async fn answer(client: &Client, message: &MessageView) -> Result<(), Failure> {
    if message.mine || message.kind != MessageKind::Text {
        return Ok(());
    }
    let read = Command::MarkRead {
        conversation_id: Some(message.conversation_id),
        up_to: message.message_id,
        accept: false,
    };
    client.command(read, ANSWER_TIMEOUT).await?;
    let text = reply_to(&message.from.name, message.text.as_deref().unwrap_or_default());
    let send = Command::SendText {
        to: message.conversation_id.to_string(),
        text,
        reply_to: Some(message.message_id),
        wait: false,
    };
    client.command(send, ANSWER_TIMEOUT).await?;
    Ok(())
}

/// Halo speaks Indonesian and English at once; it shows that the answer depends on the decrypted text.
fn reply_to(name: &str, text: &str) -> String {
    let words = text.split_whitespace().count();
    format!(
        "Halo {name}! Pesanmu {words} kata, dan server tidak bisa membacanya.\n\
         Hello {name}! Your message has {words} words, and the server cannot read it."
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_answer_counts_words() {
        assert!(super::reply_to("Sari", "apa kabar hari ini").contains("4 kata"));
    }
}
