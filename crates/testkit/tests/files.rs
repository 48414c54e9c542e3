//! Files between two people: over connections that break, past a server that damages or forgets, and never readable there.

use std::path::{Path, PathBuf};

use kabar_client::{
    api::{ApiError, Command, MessageKind, Reply, Shown},
    files::{self, FileFacts},
};
use kabar_protocol::wire;
use kabar_testkit::{BreakingProxy, TestServer, TestUser};

const SECRET: &str = "undangan pernikahan Sari dan Dimas";
const MIB: usize = 1024 * 1024;

/// Not all zeros, and with words that the server must not have.
fn contents(bytes: usize) -> Vec<u8> {
    let mut contents: Vec<u8> = (0..bytes).map(|at| u8::try_from(at % 251).expect("a byte")).collect();
    contents[..SECRET.len()].copy_from_slice(SECRET.as_bytes());
    contents
}

async fn upload(user: &TestUser, contents: &[u8], size_bytes: usize) -> Result<wire::File, ApiError> {
    let facts = FileFacts {
        name: "undangan-rahasia.pdf".into(),
        mime_type: "application/pdf".into(),
        size_bytes: size_bytes as u64,
        caption: "datang ya, Budi".into(),
    };
    let mut source = contents;
    files::upload(user.client(), facts, &mut source, &|done, all| assert!(done <= all)).await
}

async fn fetch(user: &TestUser, file: &wire::File) -> Result<Vec<u8>, ApiError> {
    let mut sink = Vec::new();
    files::download(user.client(), file, &mut sink, &|done, all| assert!(done <= all)).await?;
    Ok(sink)
}

async fn send(from: &TestUser, to: &str, file: wire::File) {
    let send = Command::Send {
        to: to.into(),
        content: Shown::File(file),
        reply_to: None,
        wait: true,
        business: None,
        mentions: Vec::new(),
    };
    let sent = from.ask(send).await.expect("sent");
    assert!(matches!(sent, Reply::Sent(_)), "{sent:?}");
}

/// The file of the newest message.
async fn received(user: &TestUser, from: &str) -> wire::File {
    user.has_kind(MessageKind::File).await;
    let thread = user.chat_with(from).await.conversation_id;
    let messages = user.messages(thread).await;
    match messages.last().and_then(|message| message.shown.clone()) {
        Some(Shown::File(file)) => file,
        other => panic!("no file but {other:?}"),
    }
}

/// The one whole file that the server keeps.
fn kept(data: &Path) -> PathBuf {
    let folders = std::fs::read_dir(data.join("media")).expect("the folder of files");
    let mut found = folders
        .map(|folder| folder.expect("a folder").path())
        .filter(|folder| !folder.ends_with("partial"))
        .flat_map(|folder| std::fs::read_dir(folder).expect("a folder"))
        .map(|file| file.expect("a file").path());
    let file = found.next().expect("a file");
    assert!(found.next().is_none(), "more than one file");
    file
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_arrives_over_connections_that_break() {
    let server = TestServer::start().await;
    let ani = TestUser::register(server.url(), "Ani").await;
    let budi = TestUser::register(server.url(), "Budi").await;
    // Each connection carries less than half of it, so that both ways take several.
    let proxy = BreakingProxy::start(server.url(), 2 * MIB as u64).await;
    let ani = ani.restart_at(proxy.url()).await;
    let budi = budi.restart_at(proxy.url()).await;
    let sent = contents(5 * MIB);
    let file = upload(&ani, &sent, sent.len()).await.expect("uploaded");
    let while_sending = proxy.broken();
    assert!(while_sending >= 2, "{while_sending} connections broke");
    send(&ani, "@budi", file).await;
    let file = received(&budi, "@ani").await;
    assert_eq!(
        (file.name.as_str(), file.caption.as_str()),
        ("undangan-rahasia.pdf", "datang ya, Budi")
    );
    assert!(fetch(&budi, &file).await.expect("fetched") == sent, "the same bytes");
    assert!(
        proxy.broken() >= while_sending + 2,
        "{} connections broke",
        proxy.broken()
    );
    server
        .stop_and_scan(&[SECRET, "undangan-rahasia", "datang ya, Budi", "application/pdf"])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_damages_or_loses_a_file_is_noticed() {
    let server = TestServer::start().await;
    let ani = TestUser::register(server.url(), "Ani").await;
    let budi = TestUser::register(server.url(), "Budi").await;
    let sent = contents(300_000);
    let file = upload(&ani, &sent, sent.len()).await.expect("uploaded");
    send(&ani, "@budi", file).await;
    let file = received(&budi, "@ani").await;
    let path = kept(server.data());
    let whole = std::fs::read(&path).expect("ciphertext");

    let mut changed = whole.clone();
    changed[200_000] ^= 1;
    std::fs::write(&path, &changed).expect("written");
    assert_eq!(fetch(&budi, &file).await.expect_err("changed").code, "file_damaged");
    std::fs::write(&path, &whole[..whole.len() - 1]).expect("written");
    assert_eq!(fetch(&budi, &file).await.expect_err("cut").code, "file_damaged");
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(fetch(&budi, &file).await.expect_err("gone").code, "file_gone");
    std::fs::write(&path, &whole).expect("written");
    assert!(fetch(&budi, &file).await.expect("fetched") == sent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_while_it_is_read_is_not_sent() {
    let server = TestServer::start().await;
    let ani = TestUser::register(server.url(), "Ani").await;
    let longer = upload(&ani, &contents(1000), 999).await.expect_err("it has grown");
    let shorter = upload(&ani, &contents(1000), 1001).await.expect_err("it has shrunk");
    assert_eq!(
        (longer.code.as_str(), shorter.code.as_str()),
        ("file_changed", "file_changed")
    );
    let empty = upload(&ani, &contents(100), 0).await.expect_err("empty");
    assert_eq!(empty.parameter.as_deref(), Some("size_bytes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_that_is_used_up_is_said() {
    let server = TestServer::start_with(|config| config.media.quota_mib_per_account = 1).await;
    let ani = TestUser::register(server.url(), "Ani").await;
    upload(&ani, &contents(700_000), 700_000).await.expect("uploaded");
    let refused = upload(&ani, &contents(700_000), 700_000).await.expect_err("no room");
    assert_eq!(refused.code, "media_quota");
    assert!(refused.message.contains("1048576"), "{}", refused.message);
}
