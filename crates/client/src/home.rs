//! A client's home directory: its lock, its server, its store.

use std::{
    fs::{File, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{Dial, Options, disk::Disk, socket::Address, store::Store};

/// How often a waiting process looks at the lock again.
const LOCK_POLL: Duration = Duration::from_millis(50);

#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    #[error("home {path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("home {path} is in use by process {holder}; waited {waited_s} s")]
    Locked {
        path: PathBuf,
        holder: String,
        waited_s: u64,
    },
    #[error("home {0} does not know its server yet: give --server URL")]
    NoServer(PathBuf),
    #[error("server: {0}")]
    Server(String),
    #[error("home {path}: the store cannot be opened: {source}")]
    Store { path: PathBuf, source: sqlx::Error },
}

/// An opened home; the lock is held as long as it lives.
pub(crate) struct Home {
    pub(crate) address: Address,
    pub(crate) dial: Option<Dial>,
    pub(crate) disk: Disk,
    _lock: File,
}

impl Home {
    pub(crate) async fn open(options: &Options) -> Result<Self, HomeError> {
        let path = &options.home;
        let io = |source| HomeError::Io {
            path: path.clone(),
            source,
        };
        make_private_dir(path).map_err(io)?;
        let lock = lock(path, options.lock_timeout).await?;
        let address = server(path, options.server.as_deref())?;
        let store = Store::open(&path.join("kabar.db")).await;
        let store = store.map_err(|source| HomeError::Store {
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            address,
            dial: options.dial.clone(),
            disk: Disk::new(store),
            _lock: lock,
        })
    }
}

fn make_private_dir(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if path.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Two commands on one home would reuse ratchet keys: the second one waits, then says who holds it.
async fn lock(home: &Path, timeout: Duration) -> Result<File, HomeError> {
    let io = |source| HomeError::Io {
        path: home.to_owned(),
        source,
    };
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(home.join("lock"))
        .map_err(io)?;
    let mut waited = Duration::ZERO;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if waited < timeout => {
                tokio::time::sleep(LOCK_POLL).await;
                waited += LOCK_POLL;
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(io)?;
                return Err(HomeError::Locked {
                    path: home.to_owned(),
                    holder,
                    waited_s: waited.as_secs(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| write!(file, "{}", std::process::id()))
        .map_err(io)?;
    Ok(file)
}

/// The server given now, remembered for next time; else the remembered one.
fn server(home: &Path, given: Option<&str>) -> Result<Address, HomeError> {
    let file = home.join("server");
    let io = |source| HomeError::Io {
        path: home.to_owned(),
        source,
    };
    let Some(given) = given else {
        let known = std::fs::read_to_string(&file).map_err(|_| HomeError::NoServer(home.to_owned()))?;
        return Address::parse(known.trim()).map_err(HomeError::Server);
    };
    let address = Address::parse(given).map_err(HomeError::Server)?;
    std::fs::write(file, given).map_err(io)?;
    Ok(address)
}
