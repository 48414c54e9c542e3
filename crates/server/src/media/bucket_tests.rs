//! Files in a bucket: an S3 server that checks signatures, on a port of this machine, which goes away and comes back.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use axum::body::Body;
use http::{Request, header};
use hyper_util::rt::TokioIo;
use kabar_protocol::wire;
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

use super::{
    Bucket, check_bucket, delete_file,
    moving::{Round, round},
    store, sweep,
    tests::{ANI, DAY_MS, NOW_MS, ask, begin, gauge, get, offset, on_disk, patch},
    verify,
};
use crate::{
    App, Clock, Config,
    testing::{on_each_engine, on_each_engine_with},
};

const KEY_ID: &str = "kabar-test";
const SECRET: &str = "a secret that is never to be seen";
const TWENTY: &[u8] = b"0123456789abcdefghij";

/// The S3 server. What it has is in `files`, as files.
struct S3 {
    directory: TempDir,
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl S3 {
    async fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir(directory.path().join("files")).expect("a bucket");
        keys(directory.path(), SECRET);
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (serving, address) = serve(directory.path(), any).await;
        Self {
            directory,
            address,
            serving,
        }
    }

    async fn goes_away(&mut self) {
        self.serving.abort();
        let _ = (&mut self.serving).await;
    }

    async fn comes_back(&mut self) {
        (self.serving, _) = serve(self.directory.path(), self.address).await;
    }

    fn configure(&self, config: &mut Config) {
        config.media.bucket = "s3://files/of/kabar".into();
        config.media.bucket_endpoint = format!("http://{}", self.address);
        config.media.bucket_keys = Some(self.directory.path().join("keys.toml"));
    }

    fn objects(&self) -> PathBuf {
        self.directory.path().join("files")
    }

    /// Bytes of everything in the bucket, parts of unfinished uploads included.
    fn bytes(&self) -> u64 {
        bytes_under(&self.objects(), &|_| true) + bytes_under(self.directory.path(), &|name| name.contains(".part"))
    }
}

fn keys(directory: &Path, secret: &str) {
    let text = format!("access_key_id = \"{KEY_ID}\"\nsecret_access_key = \"{secret}\"\n");
    std::fs::write(directory.join("keys.toml"), text).expect("written");
}

async fn serve(root: &Path, address: SocketAddr) -> (JoinHandle<()>, SocketAddr) {
    let files = s3s_fs::FileSystem::new(root).expect("a file system");
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(KEY_ID, SECRET));
    let service = builder.build();
    let listener = TcpListener::bind(address).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let serving = tokio::spawn(async move {
        // Dropped with this task: its connections end with it.
        let mut connections = JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let service = service.clone();
            let serving = async move {
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            };
            connections.spawn(serving);
        }
    });
    (serving, address)
}

fn bytes_under(path: &Path, counts: &dyn Fn(&str) -> bool) -> u64 {
    let entries = std::fs::read_dir(path).expect("a directory");
    let of = |entry: std::fs::DirEntry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        match entry.path() {
            path if path.is_dir() => bytes_under(&path, counts),
            path if counts(&name) => path.metadata().expect("a file").len(),
            _ => 0,
        }
    };
    entries.map(|entry| of(entry.expect("an entry"))).sum()
}

fn bucket(app: &App) -> &Bucket {
    app.media.bucket.as_ref().expect("a bucket")
}

async fn move_all(app: &App) -> (usize, usize) {
    let Round { moved, failed } = round(app, bucket(app)).await.expect("read");
    (moved, failed)
}

/// A whole file of the account: the addresses to write and to read it.
async fn upload(app: &App, bytes: impl AsRef<[u8]>) -> (String, String) {
    let bytes = bytes.as_ref().to_vec();
    let begun = begin(app, bytes.len() as u64).await.expect("begun");
    assert_eq!(patch(app, &begun.upload, 0, bytes).await.status(), 204);
    (begun.upload, begun.location)
}

async fn delete(app: &App, upload: &str) -> u16 {
    let request = Request::delete(format!("/v1/media/upload/{upload}")).body(Body::empty());
    ask(app, request.expect("a request")).await.status().as_u16()
}

#[tokio::test]
async fn a_file_is_read_from_the_disk_and_then_from_the_bucket_and_nobody_notices() {
    let s3 = S3::start().await;
    for (app, _directory) in on_each_engine_with(&Clock::manual(NOW_MS), |config| s3.configure(config)).await {
        check_bucket(&app).await.expect("it takes our keys");
        let begun = begin(&app, 20).await.expect("begun");
        assert_eq!(patch(&app, &begun.upload, 0, &TWENTY[..10]).await.status(), 204);
        assert_eq!(offset(&app, &begun.upload).await, Some(10), "resumed from the disk");
        assert_eq!(patch(&app, &begun.upload, 10, &TWENTY[10..]).await.status(), 204);
        assert_eq!((on_disk(&app), s3.bytes()), (20, 0));
        for place in ["disk", "bucket"] {
            assert_eq!(
                get(&app, &begun.location, None).await,
                (200.try_into().expect("a status"), TWENTY.to_vec())
            );
            let (status, part) = get(&app, &begun.location, Some("bytes=8-11")).await;
            assert_eq!((status.as_u16(), part.as_slice()), (206, &b"89ab"[..]), "{place}");
            let (status, _) = get(&app, &begun.location, Some("bytes=20-")).await;
            assert_eq!(status.as_u16(), 416, "{place}");
            let request = Request::head(format!("/v1/media/{}", begun.location)).body(Body::empty());
            let head = ask(&app, request.expect("a request")).await;
            assert_eq!(head.headers()[header::CONTENT_LENGTH], "20", "{place}");
            let tag = head.headers()[header::ETAG].clone();
            for (known, status) in [(tag.to_str().expect("text"), 206), ("\"other\"", 200)] {
                let request = Request::get(format!("/v1/media/{}", begun.location))
                    .header(header::RANGE, "bytes=1-2")
                    .header(header::IF_RANGE, known)
                    .body(Body::empty());
                assert_eq!(ask(&app, request.expect("a request")).await.status().as_u16(), status);
            }
            if place == "disk" {
                assert_eq!(move_all(&app).await, (1, 0));
                assert_eq!((on_disk(&app), s3.bytes()), (0, 20));
                assert_eq!(move_all(&app).await, (0, 0), "once");
            }
        }
        // A sender that missed the answer asks again.
        assert_eq!(offset(&app, &begun.upload).await, Some(20));
        assert_eq!(patch(&app, &begun.upload, 20, "").await.status(), 204);
        let count = verify(&app).await.expect("counted");
        assert_eq!(
            (&count["ok"], &count["files"], &count["bytes"]),
            (&true.into(), &1.into(), &20.into())
        );
        assert_eq!(
            (delete(&app, &begun.upload).await, s3.bytes(), gauge(&app)),
            (204, 0, 0)
        );
        assert_eq!(get(&app, &begun.location, None).await.0.as_u16(), 404);
    }
}

#[tokio::test]
async fn a_large_file_goes_up_in_parts_and_what_broke_off_leaves_none() {
    let s3 = S3::start().await;
    let size = 2 * super::bucket::PART_BYTES + 1000;
    let bytes: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).expect("a byte")).collect();
    for (app, _directory) in on_each_engine_with(&Clock::manual(NOW_MS), |config| s3.configure(config)).await {
        let (address, location) = upload(&app, &bytes).await;
        let file = app.media.addresses.open_location(&location).expect("a file");
        // A server that ended in the middle: one part is there, and the row knows under which name.
        let begun = bucket(&app).begin(file).await.expect("begun");
        let part = vec![7; super::bucket::PART_BYTES].into();
        bucket(&app).put_part(file, &begun, 0, part).await.expect("put");
        let input = (file, begun);
        app.db
            .write(input, |tx, (file, begun)| {
                Box::pin(store::set_upload(tx, ANI.account, *file, begun))
            })
            .await
            .expect("written");
        assert!(s3.bytes() > 0);
        assert_eq!(move_all(&app).await, (1, 0));
        assert_eq!(
            (on_disk(&app), s3.bytes()),
            (0, size as u64),
            "the part of the first attempt has gone"
        );
        let border = super::bucket::PART_BYTES - 2;
        let (status, part) = get(&app, &location, Some(&format!("bytes={border}-{}", border + 3))).await;
        assert_eq!((status.as_u16(), part.as_slice()), (206, &bytes[border..border + 4]));
        assert_eq!((delete(&app, &address).await, s3.bytes()), (204, 0));
    }
}

#[tokio::test]
async fn what_expires_leaves_the_bucket() {
    let s3 = S3::start().await;
    let clock = Clock::manual(NOW_MS);
    for (app, _directory) in on_each_engine_with(&clock, |config| s3.configure(config)).await {
        upload(&app, TWENTY).await;
        assert_eq!(move_all(&app).await, (1, 0));
        let (_, newer) = upload(&app, TWENTY).await;
        clock.advance(30 * DAY_MS);
        assert_eq!((sweep(&app).await.expect("swept"), s3.bytes()), (2, 0));
        assert_eq!((on_disk(&app), gauge(&app)), (0, 0), "nor does it stay on its way");
        assert_eq!(get(&app, &newer, None).await.0.as_u16(), 404);
    }
}

#[tokio::test]
async fn a_bucket_that_is_away_keeps_nobody_from_sending_and_nothing_for_ever() {
    let mut s3 = S3::start().await;
    for (app, _directory) in on_each_engine_with(&Clock::manual(NOW_MS), |config| s3.configure(config)).await {
        let (first, moved) = upload(&app, TWENTY).await;
        assert_eq!(move_all(&app).await, (1, 0));
        s3.goes_away().await;
        check_bucket(&app).await.expect("a server starts without it");
        let (_, staying) = upload(&app, TWENTY).await;
        assert_eq!(move_all(&app).await, (0, 1));
        assert_eq!(get(&app, &staying, None).await.0.as_u16(), 200, "from the disk");
        let request = Request::get(format!("/v1/media/{moved}")).body(Body::empty());
        let refused = ask(&app, request.expect("a request")).await;
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()[header::RETRY_AFTER]),
            (503, &"10".parse().expect("a value"))
        );
        assert_eq!(delete(&app, &first).await, 503, "not said to be gone before it is");
        let request = wire::DeleteFile {
            location: moved.clone(),
        };
        let refused = delete_file(&app, ANI, request.clone()).await.expect_err("nor that way");
        assert_eq!(refused.reason, "bucket_away");
        assert_eq!(gauge(&app), 40);
        let unknown = verify(&app).await.expect_err("nobody knows");
        assert_eq!(unknown.reason, "bucket_away");
        s3.comes_back().await;
        assert_eq!(move_all(&app).await, (1, 0));
        assert_eq!((on_disk(&app), s3.bytes()), (0, 40));
        assert_eq!(get(&app, &moved, None).await.1, TWENTY);
        assert_eq!(sweep(&app).await.expect("swept"), 1, "what was to be deleted meanwhile");
        assert_eq!((delete(&app, &first).await, s3.bytes()), (204, 20));
        delete_file(&app, ANI, request).await.expect("it has gone");
        let count = verify(&app).await.expect("counted");
        assert_eq!(count["ok"], true, "{count}");
        std::fs::remove_dir_all(s3.objects().join("of")).expect("removed");
    }
}

#[tokio::test]
async fn wrong_keys_stop_the_start_and_are_not_shown() {
    let s3 = S3::start().await;
    keys(s3.directory.path(), "another secret");
    for (app, _directory) in on_each_engine_with(&Clock::manual(NOW_MS), |config| s3.configure(config)).await {
        let error = check_bucket(&app).await.expect_err("refused").to_string();
        assert_eq!(
            error,
            "config: media.bucket: s3://files/of/kabar: the bucket refuses: SignatureDoesNotMatch"
        );
    }
    std::fs::write(s3.directory.path().join("keys.toml"), "access_key_id = 'a\n").expect("written");
    let mut config = Config::default();
    s3.configure(&mut config);
    let error = Bucket::open(&config.media).err().expect("no TOML").to_string();
    assert!(
        error.contains("must be TOML with access_key_id and secret_access_key"),
        "{error}"
    );
    config.media.bucket = "files".into();
    let error = Bucket::open(&config.media).err().expect("no address").to_string();
    assert_eq!(error, "config: media.bucket: must be s3://NAME or s3://NAME/PREFIX");
}

#[tokio::test]
async fn the_count_finds_what_is_missing_and_what_nobody_knows() {
    let s3 = S3::start().await;
    for (app, directory) in on_each_engine_with(&Clock::manual(NOW_MS), |config| s3.configure(config)).await {
        let (_, lost) = upload(&app, TWENTY).await;
        upload(&app, TWENTY).await;
        assert_eq!(move_all(&app).await, (2, 0));
        upload(&app, TWENTY).await;
        let name = hex::encode(app.media.addresses.open_location(&lost).expect("a file").0);
        let object = s3.objects().join("of/kabar").join(&name[..2]).join(&name);
        std::fs::remove_file(object).expect("removed");
        let stray = s3.objects().join("of/kabar/ab");
        std::fs::create_dir_all(&stray).expect("made");
        std::fs::write(stray.join("ab".repeat(16)), "stray").expect("written");
        std::fs::write(directory.path().join("media/partial").join("cd".repeat(16)), "half").expect("written");
        let count = verify(&app).await.expect("counted");
        let numbers =
            ["files", "bytes", "moving", "missing", "orphans", "orphan_bytes"].map(|name| count[name].as_u64());
        assert_eq!(numbers, [2, 40, 1, 1, 2, 9].map(Some), "{count}");
        assert_eq!(count["ok"], false);
        std::fs::remove_dir_all(s3.objects().join("of")).expect("removed");
    }
}

#[tokio::test]
async fn a_server_with_files_on_its_disk_moves_them_and_then_needs_its_bucket() {
    let s3 = S3::start().await;
    let clock = Clock::manual(NOW_MS);
    for (app, directory) in on_each_engine(&clock).await.into_iter().take(1) {
        let (_, location) = upload(&app, TWENTY).await;
        assert_eq!(verify(&app).await.expect("counted")["place"], "disk");
        app.db.close().await;
        let mut config = Config::default();
        config.server.data = directory.path().to_owned();
        let plain = config.clone();
        s3.configure(&mut config);
        let app = App::open(config, String::new(), clock.clone()).await.expect("opened");
        check_bucket(&app).await.expect("accepted");
        assert_eq!(move_all(&app).await, (1, 0));
        assert_eq!(get(&app, &location, None).await.1, TWENTY);
        app.db.close().await;
        let app = App::open(plain, String::new(), clock.clone()).await.expect("opened");
        let error = check_bucket(&app).await.expect_err("it has nothing").to_string();
        assert_eq!(
            error,
            "config: media.bucket: 1 files of this server are in a bucket: name it"
        );
    }
}
