//! TLS by certificate files: the same messenger behind it, nothing beside it, and files that are refused.

use std::sync::Arc;

use kabar_server::{Config, Server};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_websockets::{ClientBuilder, Connector};

use crate::{TestServer, certificate::certificate, device::Device, socket::Socket, start_with};

const WAIT: std::time::Duration = std::time::Duration::from_secs(10);

struct Files {
    directory: tempfile::TempDir,
    certificate: std::path::PathBuf,
    key: std::path::PathBuf,
}

fn files() -> Files {
    let directory = tempfile::tempdir().expect("a directory");
    let (certificate, key) = certificate(directory.path());
    Files {
        directory,
        certificate,
        key,
    }
}

async fn server(files: &Files) -> TestServer {
    start_with(|config| {
        config.server.tls_cert = Some(files.certificate.clone());
        config.server.tls_key = Some(files.key.clone());
    })
    .await
}

fn trusting(roots: RootCertStore) -> Connector {
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Connector::Rustls(Arc::new(config).into())
}

fn trusting_the_server(files: &Files) -> Connector {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(&files.certificate).expect("a certificate");
    roots.add(certificate).expect("a root");
    trusting(roots)
}

fn origin(test: &TestServer) -> String {
    format!("wss://localhost:{}", test.server.local_addr().port())
}

#[tokio::test]
async fn two_devices_meet_behind_tls() {
    let files = files();
    let test = server(&files).await;
    assert!(test.server.public_url().starts_with("https://localhost:"));
    let connector = trusting_the_server(&files);
    let mut devices = Vec::new();
    for _ in 0..2 {
        let mut device = Device::fresh_on(Socket::open_by(&origin(&test), &connector).await);
        device.try_register(None, None).await.expect("an account");
        device.socket.queue_empty().await;
        devices.push(device);
    }
    let (mut budi, mut ani) = (devices.pop().expect("Budi"), devices.pop().expect("Ani"));
    budi.publish_key_packages(1).await;
    let id = ani.create_direct(budi.account).await;
    // More than one TLS record of 16 KiB.
    let message = ani.message(id, 1, 60_000);
    ani.sent(message.clone()).await;
    budi.socket.delivered().await;
    assert_eq!(budi.socket.delivered().await.payload, message.ciphertext);
    test.server.shutdown().await;
    assert_eq!(ani.socket.last_error().await, "shutting_down");
}

#[tokio::test]
async fn plain_http_on_the_tls_port_is_shown_out() {
    let files = files();
    let test = server(&files).await;
    let exchange = async {
        let mut stream = TcpStream::connect(test.server.local_addr())
            .await
            .expect("a connection");
        let request = b"GET /v1/socket HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request).await.expect("a write");
        let mut answer = Vec::new();
        // A reset is as good an end as any.
        let _ = stream.read_to_end(&mut answer).await;
        answer
    };
    let answer = tokio::time::timeout(WAIT, exchange).await.expect("the end, at once");
    // At most a TLS alert (RFC 8446 section 6): type 21, version, 2 bytes.
    assert!(
        answer.len() <= 7 && answer.first().is_none_or(|kind| *kind == 21),
        "{answer:?}"
    );

    let strangers = trusting(RootCertStore::empty());
    let uri = format!("{}/v1/socket", origin(&test)).parse().expect("a URI");
    let refused = ClientBuilder::from_uri(uri).connector(&strangers).connect().await;
    assert!(refused.is_err(), "nobody vouches for this certificate");
    Socket::open_by(&origin(&test), &trusting_the_server(&files)).await;
}

#[tokio::test]
async fn files_that_are_no_certificate_and_key_are_named() {
    let files = files();
    let refusal = async |certificate: Option<&std::path::Path>, key: Option<&std::path::Path>| {
        let mut config = Config::default();
        config.server.data = files.directory.path().join("data");
        config.server.listen = ([127, 0, 0, 1], 0).into();
        config.server.tls_cert = certificate.map(Into::into);
        config.server.tls_key = key.map(Into::into);
        let started = Server::start(config, kabar_server::not_found()).await;
        started.err().expect("refused").to_string()
    };
    let (certificate, key) = (files.certificate.as_path(), files.key.as_path());
    let error = refusal(Some(certificate), None).await;
    assert!(error.contains("tls_key"), "{error}");
    let missing = files.directory.path().join("missing.pem");
    let swapped = (key, certificate);
    for ((certificate, key), named) in [
        ((missing.as_path(), key), missing.as_path()),
        ((certificate, missing.as_path()), missing.as_path()),
        (swapped, swapped.1),
    ] {
        let error = refusal(Some(certificate), Some(key)).await;
        let named = format!("TLS file {} cannot be used", named.display());
        assert!(error.starts_with(&named), "{error}");
    }
    let elsewhere = tempfile::tempdir().expect("a directory");
    let (_, others_key) = crate::certificate::certificate(elsewhere.path());
    let error = refusal(Some(certificate), Some(&others_key)).await;
    assert!(
        error.starts_with("TLS file") && error.contains("KeyMismatch"),
        "{error}"
    );
}
