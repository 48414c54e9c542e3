//! A person with the real native client and a home of its own.

use std::{path::PathBuf, time::Duration};

use kabar_client::{
    Client, Options,
    api::{
        ApiError, ChatView, Command, GroupCommand, GroupView, Me, MessageKind, MessageState, MessageView, Notification,
        Reply,
    },
};
use kabar_protocol::ids::{AccountId, ConversationId, MessageId};
use tokio::{
    sync::broadcast::error::RecvError,
    time::{Instant, timeout_at},
};

/// Longer than anything a healthy run needs; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct TestUser {
    pub me: Me,
    client: Client,
    home: PathBuf,
    server: String,
    _directory: tempfile::TempDir,
}

impl TestUser {
    /// Signs up under `name`; the username is the name in lower case.
    pub async fn register(server: &str, name: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let home = directory.path().join("home");
        let client = open(&home, server).await;
        let register = Command::Register {
            name: name.into(),
            username: Some(name.to_lowercase()),
            invite: None,
            enrolment: None,
        };
        let Reply::Registered(me) = client.command(register, PATIENCE).await.expect("registered") else {
            panic!("not registered")
        };
        Self {
            me,
            client,
            home,
            server: server.to_owned(),
            _directory: directory,
        }
    }

    pub async fn ask(&self, command: Command) -> Result<Reply, ApiError> {
        self.client.command(command, PATIENCE).await
    }

    /// Sends and waits for the server's acknowledgement.
    pub async fn send(&self, to: &str, text: &str) -> MessageView {
        self.try_send(to, text).await.expect("sent")
    }

    pub async fn try_send(&self, to: &str, text: &str) -> Result<MessageView, ApiError> {
        match self
            .ask(Command::SendText {
                to: to.into(),
                text: text.into(),
                reply_to: None,
                wait: true,
            })
            .await?
        {
            Reply::Sent(message) => Ok(message),
            other => panic!("unexpected reply {other:?}"),
        }
    }

    /// Makes a group of these people; its id once the server has it.
    pub async fn create_group(&self, name: &str, members: &[&str]) -> ConversationId {
        self.try_create_group(name, members, false)
            .await
            .expect("a group")
            .conversation_id
    }

    pub async fn try_create_group(&self, name: &str, members: &[&str], large: bool) -> Result<GroupView, ApiError> {
        let create = Command::CreateGroup {
            name: name.into(),
            description: String::new(),
            members: members.iter().map(|member| (*member).to_owned()).collect(),
            large,
        };
        self.ask(create).await.map(group_of)
    }

    /// Asks something of a group, and waits until it is in force.
    pub async fn group(&self, conversation_id: ConversationId, request: GroupCommand) -> GroupView {
        self.try_group(conversation_id, request).await.expect("done")
    }

    pub async fn try_group(
        &self,
        conversation_id: ConversationId,
        request: GroupCommand,
    ) -> Result<GroupView, ApiError> {
        let group = Command::Group {
            conversation_id,
            request,
        };
        self.ask(group).await.map(group_of)
    }

    /// Waits until the group, as this device knows it, is as it should be.
    pub async fn sees_group(&self, conversation_id: ConversationId, condition: impl Fn(&GroupView) -> bool) {
        self.until(
            async || match self.try_group(conversation_id, GroupCommand::Show).await {
                Ok(group) if condition(&group) => Ok(()),
                other => Err(format!("sees another group: {other:?}")),
            },
        )
        .await;
    }

    /// Waits until a notice of this kind is in the thread; its first one.
    pub async fn sees_notice(&self, conversation_id: ConversationId, kind: MessageKind) -> MessageView {
        self.until(async || {
            let messages = self.messages(conversation_id).await;
            let kinds: Vec<_> = messages.iter().map(|message| message.kind).collect();
            if kinds.contains(&kind) {
                Ok(())
            } else {
                Err(format!("sees no {kind:?} among {kinds:?}"))
            }
        })
        .await;
        let messages = self.messages(conversation_id).await;
        messages
            .into_iter()
            .find(|message| message.kind == kind)
            .expect("a notice")
    }

    /// Waits until the conversation has this text among others.
    pub async fn until_sees(&self, conversation_id: ConversationId, text: &str) {
        self.until(async || {
            let texts = self.texts(conversation_id).await;
            if texts.iter().any(|seen| seen == text) {
                Ok(())
            } else {
                Err(format!("sees {texts:?}, not {text:?}"))
            }
        })
        .await;
    }

    /// Listens from now on, until somebody types in this conversation; who it is.
    pub fn typing_of(&self, conversation: ConversationId) -> impl Future<Output = AccountId> {
        let mut news = self.client.notifications();
        async move {
            let typing = async {
                loop {
                    if let Ok(Notification::Typing {
                        conversation_id,
                        account_id,
                        active: true,
                    }) = news.recv().await
                        && conversation_id == conversation
                    {
                        return account_id;
                    }
                }
            };
            tokio::time::timeout(PATIENCE, typing).await.expect("somebody types")
        }
    }

    pub async fn chat_with(&self, who: &str) -> ChatView {
        match self.ask(Command::OpenChat { who: who.into() }).await.expect("a chat") {
            Reply::Chat(chat) => chat,
            other => panic!("unexpected reply {other:?}"),
        }
    }

    pub async fn chats(&self) -> Vec<ChatView> {
        match self.ask(Command::ListChats).await.expect("chats") {
            Reply::Chats { chats } => chats,
            other => panic!("unexpected reply {other:?}"),
        }
    }

    /// All messages of a conversation, oldest first; none while this device does not know it.
    pub async fn messages(&self, conversation_id: ConversationId) -> Vec<MessageView> {
        let list = Command::ListMessages {
            conversation_id,
            before: None,
            limit: 200,
        };
        match self.ask(list).await {
            Ok(Reply::Messages { mut messages, .. }) => {
                messages.reverse();
                messages
            }
            Err(error) if error.code == "conversation_unknown" => Vec::new(),
            other => panic!("unexpected answer {other:?}"),
        }
    }

    /// The texts of a conversation, oldest first, without those that could not be sent.
    pub async fn texts(&self, conversation_id: ConversationId) -> Vec<String> {
        let messages = self.messages(conversation_id).await;
        messages
            .into_iter()
            .filter(|m| m.kind == MessageKind::Text && m.state != MessageState::Failed)
            .filter_map(|m| m.text)
            .collect()
    }

    /// Waits until the conversation has these texts and no others, in this order.
    pub async fn sees(&self, conversation_id: ConversationId, expected: &[&str]) {
        self.until(async || {
            let texts = self.texts(conversation_id).await;
            if texts == expected {
                Ok(())
            } else {
                Err(format!("sees {texts:?}, expected {expected:?}"))
            }
        })
        .await;
    }

    /// As [`Self::sees`], in whatever order they came.
    pub async fn sees_in_any_order(&self, conversation_id: ConversationId, expected: &[&str]) {
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        self.until(async || {
            let mut texts = self.texts(conversation_id).await;
            texts.sort_unstable();
            if texts == expected {
                Ok(())
            } else {
                Err(format!("sees {texts:?}, expected {expected:?}"))
            }
        })
        .await;
    }

    /// Waits until one of our messages has got at least this far.
    pub async fn reaches(&self, message: &MessageView, state: MessageState) {
        self.until(async || {
            let messages = self.messages(message.conversation_id).await;
            let reached = messages
                .iter()
                .find(|m| m.message_id == message.message_id)
                .map(|m| m.state);
            if reached >= Some(state) {
                Ok(())
            } else {
                Err(format!("has a message that is {reached:?}, not {state:?}"))
            }
        })
        .await;
    }

    /// Looks again after each notification until `condition` holds; panics with its last complaint.
    async fn until(&self, condition: impl AsyncFn() -> Result<(), String>) {
        let mut news = self.client.notifications();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let Err(complaint) = condition().await else { return };
            match timeout_at(deadline, news.recv()).await {
                Ok(Ok(_) | Err(RecvError::Lagged(_))) => {}
                Ok(Err(RecvError::Closed)) => panic!("{}'s client stopped; {complaint}", self.me.name),
                Err(_) => panic!("{} {complaint}", self.me.name),
            }
        }
    }

    pub async fn read(&self, up_to: MessageId) {
        self.ask(Command::MarkRead {
            conversation_id: None,
            up_to,
            accept: false,
        })
        .await
        .expect("read");
    }

    pub async fn safety_number(&self, with: &str) -> String {
        match self
            .ask(Command::SafetyNumber { with: with.into() })
            .await
            .expect("a safety number")
        {
            Reply::SafetyNumber { safety_number, .. } => safety_number,
            other => panic!("unexpected reply {other:?}"),
        }
    }

    /// Everything queued at the server has been taken in and acknowledged.
    pub async fn idle(&self) {
        self.ask(Command::WaitIdle).await.expect("idle");
    }

    pub fn account(&self) -> String {
        self.me.account_id.to_string()
    }

    pub fn home(&self) -> &std::path::Path {
        &self.home
    }

    /// For what goes beside commands, such as files.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Waits for a message of this kind in any conversation.
    pub async fn has_kind(&self, kind: MessageKind) {
        self.until(async || {
            let newest: Vec<_> = self.chats().await.into_iter().filter_map(|chat| chat.last).collect();
            if newest.iter().any(|message| message.kind == kind) {
                Ok(())
            } else {
                Err(format!("sees no message of kind {kind:?}"))
            }
        })
        .await;
    }

    /// As [`Self::restart`], by another way to the same server.
    pub async fn restart_at(mut self, server: &str) -> Self {
        server.clone_into(&mut self.server);
        self.restart().await
    }

    /// Stops the client and starts another on the same home, perhaps after something was done to it.
    pub async fn restart_with(mut self, meanwhile: impl AsyncFnOnce(&std::path::Path)) -> Self {
        let home = self.home.clone();
        self.client.close().await;
        meanwhile(&home).await;
        self.client = open(&home, &self.server).await;
        self
    }

    pub async fn restart(self) -> Self {
        self.restart_with(async |_| {}).await
    }
}

fn group_of(reply: Reply) -> GroupView {
    match reply {
        Reply::Group(group) => group,
        other => panic!("unexpected reply {other:?}"),
    }
}

async fn open(home: &std::path::Path, server: &str) -> Client {
    let options = Options {
        home: home.to_owned(),
        server: Some(server.to_owned()),
        feed: true,
        dial: None,
        lock_timeout: Duration::from_secs(5),
    };
    Client::open(options).await.expect("an open home")
}
