//! A network whose only way out is its proxy: tinyproxy or microsocks in front of a gate that accepts connections from
//! the proxy alone.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
    time::sleep,
};

use crate::{
    child_process::{ChildProcess, log_tail},
    ports::unused_address,
    tools::{microsocks, tinyproxy},
};

/// The source address of the proxy's connections: loopback has more than one address.
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));
const PATIENCE: Duration = Duration::from_secs(20);

/// The proxy and the gate; both end when this is dropped.
#[derive(Debug)]
pub struct Egress {
    proxy: ChildProcess,
    address: SocketAddr,
    gate: SocketAddr,
    refused: Arc<AtomicUsize>,
    task: JoinHandle<()>,
    _directory: TempDir,
}

impl Egress {
    /// Starts an HTTP proxy, which requires this user and password, and the gate in front of a server.
    ///
    /// # Errors
    /// When tinyproxy cannot be fetched or does not start.
    pub async fn before(server: SocketAddr, user: &str, password: &str) -> Result<Self> {
        let program = tokio::task::spawn_blocking(tinyproxy).await??;
        let directory = tempfile::tempdir()?;
        let address: SocketAddr = unused_address()?.parse()?;
        let port = address.port();
        let configuration = format!(
            "Port {port}\nListen 127.0.0.1\nBind {PROXY}\nTimeout 60\nMaxClients 50\nLogLevel Connect\n\
             BasicAuth {user} {password}\n"
        );
        let file = directory.path().join("tinyproxy.conf");
        std::fs::write(&file, configuration)?;
        let args = ["-d".to_owned(), "-c".to_owned(), file.display().to_string()];
        Self::start(server, address, &program, &args, directory).await
    }

    /// Starts a SOCKS5 proxy, which requires this user and password, and the gate in front of a server.
    ///
    /// # Errors
    /// When microsocks cannot be fetched or does not start.
    pub async fn socks(server: SocketAddr, user: &str, password: &str) -> Result<Self> {
        let program = tokio::task::spawn_blocking(microsocks).await??;
        let address: SocketAddr = unused_address()?.parse()?;
        let (port, from) = (address.port().to_string(), PROXY.to_string());
        let args = ["-i", "127.0.0.1", "-p", &port, "-b", &from];
        let login = ["-u", user, "-P", password];
        let args: Vec<String> = args.iter().chain(&login).map(ToString::to_string).collect();
        Self::start(server, address, &program, &args, tempfile::tempdir()?).await
    }

    async fn start(
        server: SocketAddr,
        address: SocketAddr,
        program: &Path,
        args: &[String],
        directory: TempDir,
    ) -> Result<Self> {
        let listener = TcpListener::bind((server.ip(), 0)).await?;
        let gate = listener.local_addr()?;
        let refused = Arc::<AtomicUsize>::default();
        let task = tokio::spawn(guard(listener, server, Arc::clone(&refused)));
        let log = directory.path().join("proxy.log");
        let proxy = ChildProcess::spawn("proxy", program, args, &[], &log)?;
        let end = Instant::now() + PATIENCE;
        while TcpStream::connect(address).await.is_err() {
            proxy.check()?;
            let late = || log_tail(&log).unwrap_or_default();
            ensure!(
                Instant::now() < end,
                "the proxy does not listen: {}",
                late()
            );
            sleep(Duration::from_millis(20)).await;
        }
        Ok(Self {
            proxy,
            address,
            gate,
            refused,
            task,
            _directory: directory,
        })
    }

    /// The URL of an HTTP proxy.
    #[must_use]
    pub fn proxy_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address of the proxy.
    #[must_use]
    pub fn proxy(&self) -> SocketAddr {
        self.address
    }

    /// The address at which the proxy alone reaches the server.
    #[must_use]
    pub fn gate(&self) -> SocketAddr {
        self.gate
    }

    /// The number of connections to the gate that bypassed the proxy.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    /// The proxy's log of the requests.
    ///
    /// # Errors
    /// When there is no log.
    pub fn log(&self) -> Result<String> {
        std::fs::read_to_string(self.proxy.log()).context("the log of the proxy")
    }
}

impl Drop for Egress {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn guard(listener: TcpListener, server: SocketAddr, refused: Arc<AtomicUsize>) {
    while let Ok((mut inside, from)) = listener.accept().await {
        if from.ip() != PROXY {
            refused.fetch_add(1, Ordering::SeqCst);
            continue;
        }
        tokio::spawn(async move {
            if let Ok(mut outside) = TcpStream::connect(server).await {
                // An error means only that one side has closed the connection.
                let _ = copy_bidirectional(&mut inside, &mut outside).await;
            }
        });
    }
}
