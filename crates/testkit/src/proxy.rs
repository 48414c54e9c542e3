//! A way to a server that breaks: a TCP proxy whose connections end after so many bytes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};

/// Stops with the test's runtime.
pub struct BreakingProxy {
    url: String,
    limit: Arc<AtomicU64>,
    broken: Arc<AtomicUsize>,
}

impl BreakingProxy {
    /// `to` is `http://host:port`. Every connection breaks off after `limit` bytes in one direction.
    pub async fn start(to: &str, limit: u64) -> Self {
        let target = to.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (limit, broken) = (Arc::new(AtomicU64::new(limit)), Arc::new(AtomicUsize::new(0)));
        let (limits, breaks) = (Arc::clone(&limit), Arc::clone(&broken));
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (limits, breaks, target) = (Arc::clone(&limits), Arc::clone(&breaks), target.clone());
                tokio::spawn(async move {
                    let Ok(far) = TcpStream::connect(target).await else {
                        return;
                    };
                    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
                    let limit = limits.load(Ordering::Relaxed);
                    // Whichever direction ends first takes the other with it.
                    let broken = tokio::select! {
                        broken = pass(near_in, far_out, limit) => broken,
                        broken = pass(far_in, near_out, limit) => broken,
                    };
                    breaks.fetch_add(usize::from(broken), Ordering::Relaxed);
                });
            }
        });
        Self { url, limit, broken }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Of connections made from now on.
    pub fn set_limit(&self, bytes: u64) {
        self.limit.store(bytes, Ordering::Relaxed);
    }

    /// Connections that the limit has ended.
    pub fn broken(&self) -> usize {
        self.broken.load(Ordering::Relaxed)
    }
}

/// True if the limit ended it.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, limit: u64) -> bool {
    let mut left = limit;
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let got = match from.read(&mut buffer).await {
            Ok(0) | Err(_) => return false,
            Ok(got) => got,
        };
        let passed = got.min(usize::try_from(left).unwrap_or(got));
        if to.write_all(&buffer[..passed]).await.is_err() {
            return false;
        }
        left -= passed as u64;
        if left == 0 {
            return true;
        }
    }
}
