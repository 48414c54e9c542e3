//! Halo, somebody to write to: answers what people write, and tells Rina whom it met.

use std::path::PathBuf;

use kabar_client::{
    Client,
    api::{Command, MessageKind, MessageView, Notification, Reply},
};
use tokio::sync::{
    broadcast::{self, error::RecvError},
    mpsc,
};
use tokio_util::sync::CancellationToken;

use super::{
    Met,
    person::{self, ANSWER_TIMEOUT},
};
use crate::output::Failure;

const USERNAME: &str = "halo";
const NAME: &str = "Halo (demo)";
/// How far back Halo looks for the newest message of a chat that it has not answered.
const LOOK_BACK_MESSAGES: u32 = 20;

pub(super) async fn play(home: PathBuf, server: String, met: mpsc::Sender<Met>, stop: CancellationToken) {
    person::missed("Halo", live(home, server, met, stop).await);
}

async fn live(home: PathBuf, server: String, met: mpsc::Sender<Met>, stop: CancellationToken) -> Result<(), Failure> {
    let client = person::open(home, server, NAME, USERNAME).await?;
    let news = client.notifications();
    let result = tokio::select! {
        () = stop.cancelled() => Ok(()),
        result = converse(&client, news, &met) => result,
    };
    client.close().await;
    result
}

async fn converse(
    client: &Client,
    mut news: broadcast::Receiver<Notification>,
    met: &mpsc::Sender<Met>,
) -> Result<(), Failure> {
    answer_unread(client, met).await?;
    loop {
        match news.recv().await {
            Ok(Notification::Message { message }) => answer(client, &message, met).await?,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => answer_unread(client, met).await?,
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}

/// Messages that came while Halo was away.
async fn answer_unread(client: &Client, met: &mpsc::Sender<Met>) -> Result<(), Failure> {
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
            answer(client, newest, met).await?;
        }
    }
    Ok(())
}

async fn answer(client: &Client, message: &MessageView, met: &mpsc::Sender<Met>) -> Result<(), Failure> {
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
    // She may be gone, or have enough to do.
    let _ = met.try_send(Met {
        account: message.from.account_id,
        time_ms: message.time,
    });
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
