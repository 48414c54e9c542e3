//! One HTTP connection to the client's own server: over the network, or a stream inside the process.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use hyper::{body::Incoming, client::conn::http1::SendRequest};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;

use crate::{
    Dial,
    socket::{Address, Stream, tls_config},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A request with its body, until the answer's header: 4 MiB at 0.5 Mbit/s.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);

pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    pub(super) async fn open(address: &Address, dial: Option<&Dial>) -> Result<Self, String> {
        let opening = async {
            match dial {
                Some(dial) => Self::on(address, (dial.0)()).await,
                None => {
                    let tcp = TcpStream::connect((address.host(), address.port())).await;
                    let tcp = tcp.map_err(|error| error.to_string())?;
                    if !address.is_tls() {
                        return Self::on(address, tcp).await;
                    }
                    let name = ServerName::try_from(address.host().to_owned()).map_err(|error| error.to_string())?;
                    let tls = TlsConnector::from(tls_config()?).connect(name, tcp).await;
                    Self::on(address, tls.map_err(|error| error.to_string())?).await
                }
            }
        };
        let silent = || format!("no answer within {} s", CONNECT_TIMEOUT.as_secs());
        timeout(CONNECT_TIMEOUT, opening).await.map_err(|_| silent())?
    }

    async fn on(address: &Address, stream: impl Stream) -> Result<Self, String> {
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) = handshake.map_err(|error| error.to_string())?;
        // It ends with its sender; what goes wrong shows in the answers.
        tokio::spawn(connection);
        Ok(Self {
            sender,
            host: address.authority(),
        })
    }

    pub(super) async fn ask(&mut self, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>, String> {
        let host = self
            .host
            .parse()
            .map_err(|_| "the server's name is no host".to_owned())?;
        request.headers_mut().insert(header::HOST, host);
        let asked = async {
            self.sender.ready().await?;
            self.sender.send_request(request).await
        };
        match timeout(ANSWER_TIMEOUT, asked).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err(format!("no answer within {} s", ANSWER_TIMEOUT.as_secs())),
        }
    }
}
