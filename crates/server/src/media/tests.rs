//! Uploads that break off, quota, retention and forged addresses, on SQLite and PostgreSQL.

use axum::{Router, body::Body};
use http::{Request, Response, StatusCode, header};
use kabar_protocol::{
    ids::{AccountId, DeviceId},
    wire,
};
use tower::ServiceExt as _;

use super::{begin_upload, delete_file, router, stored_bytes, sweep, verify};
use crate::{App, Clock, error::Failure, socket::Identity, testing::on_each_engine};

pub(super) const ANI: Identity = Identity {
    account: AccountId([1; 16]),
    device: DeviceId([2; 16]),
};
pub(super) const NOW_MS: i64 = 1_800_000_000_000;
pub(super) const DAY_MS: i64 = 86_400_000;

pub(super) async fn begin(app: &App, size_bytes: u64) -> Result<wire::UploadBegun, Failure> {
    begin_upload(app, ANI, wire::BeginUpload { size_bytes }).await
}

pub(super) async fn ask(app: &App, request: Request<Body>) -> Response<Body> {
    let router: Router = router(app.clone());
    router.oneshot(request).await.expect("an answer")
}

pub(super) async fn patch(app: &App, upload: &str, offset: u64, bytes: impl Into<Vec<u8>>) -> Response<Body> {
    let request = Request::patch(format!("/v1/media/upload/{upload}"))
        .header("content-type", "application/offset+octet-stream")
        .header("upload-offset", offset)
        .body(Body::from(bytes.into()))
        .expect("a request");
    ask(app, request).await
}

pub(super) async fn offset(app: &App, upload: &str) -> Option<u64> {
    let request = Request::head(format!("/v1/media/upload/{upload}")).body(Body::empty());
    let response = ask(app, request.expect("a request")).await;
    let value = response.headers().get("upload-offset")?;
    value.to_str().ok()?.parse().ok()
}

pub(super) async fn get(app: &App, location: &str, range: Option<&str>) -> (StatusCode, Vec<u8>) {
    let mut request = Request::get(format!("/v1/media/{location}"));
    if let Some(range) = range {
        request = request.header(header::RANGE, range);
    }
    let response = ask(app, request.body(Body::empty()).expect("a request")).await;
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .expect("bytes");
    (status, bytes.to_vec())
}

/// What /metrics says is stored.
pub(super) fn gauge(app: &App) -> u64 {
    let mut text = String::new();
    app.metrics.write(&mut text);
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix("kabar_media_stored_bytes "));
    value.expect("the gauge").parse().expect("a number")
}

/// Bytes of all files under DATA/media.
pub(super) fn on_disk(app: &App) -> u64 {
    fn of(path: &std::path::Path) -> u64 {
        let entries = std::fs::read_dir(path).expect("a directory");
        entries
            .map(|entry| {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    of(&path)
                } else {
                    path.metadata().expect("a file").len()
                }
            })
            .sum()
    }
    of(&app.data().join("media"))
}

#[tokio::test]
async fn an_upload_that_broke_off_goes_on_where_it_was() {
    for (app, _directory) in on_each_engine(&Clock::manual(NOW_MS)).await {
        let begun = begin(&app, 20).await.expect("begun");
        assert_eq!(offset(&app, &begun.upload).await, Some(0));
        assert_eq!(patch(&app, &begun.upload, 0, b"0123456789").await.status(), 204);
        let wrong = patch(&app, &begun.upload, 3, b"xx").await;
        assert_eq!(
            (wrong.status().as_u16(), &wrong.headers()["upload-offset"]),
            (409, &"10".parse().expect("a value"))
        );
        assert_eq!(get(&app, &begun.location, None).await.0, 404, "not before it is whole");
        assert_eq!(patch(&app, &begun.upload, 10, b"01234567890").await.status(), 413);
        assert_eq!(
            offset(&app, &begun.upload).await,
            Some(10),
            "nothing of what was too long"
        );
        let done = patch(&app, &begun.upload, 10, b"abcdefghij").await;
        assert_eq!(
            (done.status().as_u16(), &done.headers()["upload-offset"]),
            (204, &"20".parse().expect("a value"))
        );
        assert_eq!(
            get(&app, &begun.location, None).await,
            (StatusCode::OK, b"0123456789abcdefghij".to_vec())
        );
        let part = get(&app, &begun.location, Some("bytes=8-11")).await;
        assert_eq!(part, (StatusCode::PARTIAL_CONTENT, b"89ab".to_vec()));
        // A sender that missed the answer asks again.
        assert_eq!(offset(&app, &begun.upload).await, Some(20));
        assert_eq!(patch(&app, &begun.upload, 20, b"").await.status(), 204);
        assert_eq!(
            patch(&app, &begun.upload, 20, b"more").await.status(),
            204,
            "and nothing is added"
        );
        assert_eq!(get(&app, &begun.location, None).await.1.len(), 20);
        assert_eq!(gauge(&app), 20, "counted once");
        for _ in 0..2 {
            let request = Request::delete(format!("/v1/media/upload/{}", begun.upload)).body(Body::empty());
            assert_eq!(ask(&app, request.expect("a request")).await.status(), 204);
            assert_eq!(gauge(&app), 0, "taken back once");
        }
    }
}

#[tokio::test]
async fn an_old_connection_that_hangs_gives_way() {
    for (app, _directory) in on_each_engine(&Clock::manual(NOW_MS)).await {
        let begun = begin(&app, 20).await.expect("begun");
        let (bytes, body) = tokio::sync::mpsc::channel::<Result<&[u8], std::io::Error>>(1);
        let body = futures_util::stream::unfold(body, async |mut body| body.recv().await.map(|next| (next, body)));
        let request = Request::patch(format!("/v1/media/upload/{}", begun.upload))
            .header("content-type", "application/offset+octet-stream")
            .header("upload-offset", 0)
            .body(Body::from_stream(body));
        let hanging = tokio::spawn({
            let app = app.clone();
            async move { ask(&app, request.expect("a request")).await }
        });
        bytes.send(Ok(b"01234")).await.expect("taken");
        // Taken out of the channel, so it has been written or will be before anybody else may.
        bytes.reserve().await.expect("room").send(Ok(b"56789"));
        bytes.reserve().await.expect("room");
        assert_eq!(offset(&app, &begun.upload).await, Some(10));
        assert_eq!(hanging.await.expect("an answer").status(), 204);
        assert_eq!(patch(&app, &begun.upload, 10, b"abcdefghij").await.status(), 204);
        assert_eq!(get(&app, &begun.location, None).await.1, b"0123456789abcdefghij");
    }
}

#[tokio::test]
async fn an_address_is_the_authority_and_nobody_makes_one() {
    for (app, _directory) in on_each_engine(&Clock::manual(NOW_MS)).await {
        let begun = begin(&app, 20).await.expect("begun");
        let mut forged = begun.upload.clone();
        forged.replace_range(30..31, if &forged[30..31] == "A" { "B" } else { "A" });
        assert_eq!(patch(&app, &forged, 0, b"x").await.status(), 404);
        assert_eq!(
            patch(&app, &begun.location, 0, b"x").await.status(),
            404,
            "reading is not writing"
        );
        assert_eq!(get(&app, &begun.upload, None).await.0, 404, "nor the reverse");
        assert_eq!(get(&app, "..%2Fkabar.db", None).await.0, 404);
        let request = Request::patch(format!("/v1/media/upload/{}", begun.upload)).body(Body::from("x"));
        assert_eq!(ask(&app, request.expect("a request")).await.status(), 415);
    }
}

#[tokio::test]
async fn an_account_has_room_for_so_much() {
    for (app, _directory) in on_each_engine(&Clock::manual(NOW_MS)).await {
        let quota = app.media.quota_bytes;
        let most = kabar_protocol::limits::FILE_CIPHERTEXT_BYTES_MAX;
        for size in [0, 16, most + 1] {
            let refused = begin(&app, size).await.expect_err("out of bounds");
            assert_eq!(refused.parameter, Some("begin_upload.size_bytes"));
        }
        let begun: Vec<_> = futures_util::future::join_all((0..quota / most).map(|_| begin(&app, most))).await;
        assert!(begun.iter().all(Result::is_ok));
        let refused = begin(&app, most).await.expect_err("no room");
        assert_eq!(refused.reason, "media_quota");
        let first = &begun[0].as_ref().expect("begun").upload;
        let request = Request::delete(format!("/v1/media/upload/{first}")).body(Body::empty());
        assert_eq!(ask(&app, request.expect("a request")).await.status(), 204);
        assert_eq!(offset(&app, first).await, None);
        begin(&app, most).await.expect("room again");
    }
}

#[tokio::test]
async fn what_expires_leaves_the_disk() {
    let clock = Clock::manual(NOW_MS);
    for (app, _directory) in on_each_engine(&clock).await {
        let whole = begin(&app, 20).await.expect("begun");
        assert_eq!(
            patch(&app, &whole.upload, 0, b"0123456789abcdefghij").await.status(),
            204
        );
        let half = begin(&app, 20).await.expect("begun");
        assert_eq!(patch(&app, &half.upload, 0, b"0123456789").await.status(), 204);
        assert_eq!((sweep(&app).await.expect("swept"), on_disk(&app)), (0, 30));
        assert_eq!(gauge(&app), 20, "of the half one nothing");
        assert_eq!(
            stored_bytes(&app.db).await.expect("read"),
            20,
            "as the next start counts"
        );
        clock.advance(DAY_MS);
        assert_eq!(
            (sweep(&app).await.expect("swept"), on_disk(&app)),
            (1, 20),
            "the half one"
        );
        assert_eq!(patch(&app, &half.upload, 10, b"0123456789").await.status(), 404);
        clock.advance(29 * DAY_MS);
        assert_eq!(
            (sweep(&app).await.expect("swept"), on_disk(&app)),
            (1, 0),
            "the whole one"
        );
        assert_eq!((gauge(&app), stored_bytes(&app.db).await.expect("read")), (0, 0));
        assert_eq!(get(&app, &whole.location, None).await.0, 404);
    }
}

async fn delete(app: &App, identity: Identity, location: &str) {
    let request = wire::DeleteFile {
        location: location.into(),
    };
    let _: wire::FileDeleted = delete_file(app, identity, request).await.expect("one answer for all");
}

#[tokio::test]
async fn a_file_is_deleted_by_the_account_that_sent_it_and_by_no_other() {
    for (app, _directory) in on_each_engine(&Clock::manual(NOW_MS)).await {
        let whole = begin(&app, 20).await.expect("begun");
        assert_eq!(
            patch(&app, &whole.upload, 0, b"0123456789abcdefghij").await.status(),
            204
        );
        let half = begin(&app, 20).await.expect("begun");
        assert_eq!(patch(&app, &half.upload, 0, b"0123456789").await.status(), 204);
        let budi = Identity {
            account: AccountId([9; 16]),
            device: DeviceId([9; 16]),
        };
        delete(&app, budi, &whole.location).await;
        delete(&app, ANI, "no location").await;
        delete(&app, ANI, &whole.upload).await;
        assert_eq!((on_disk(&app), gauge(&app)), (30, 20), "nothing of it is");
        for _ in 0..2 {
            delete(&app, ANI, &whole.location).await;
            delete(&app, ANI, &half.location).await;
            assert_eq!((on_disk(&app), gauge(&app)), (0, 0));
        }
        assert_eq!(get(&app, &whole.location, None).await.0, 404);
        assert_eq!(offset(&app, &half.upload).await, None);
        let count = verify(&app).await.expect("counted");
        assert_eq!((&count["ok"], &count["files"]), (&true.into(), &0.into()));
        let used = super::store::used_bytes(&mut app.db.reader().await.expect("a reader"), ANI.account).await;
        assert_eq!(used.expect("read"), 0, "the room is given back");
    }
}
