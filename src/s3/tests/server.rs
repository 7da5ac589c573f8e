//! A server that knows one access key ID.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::{ID, UNKNOWN};
use crate::domain::lock::lock;

/// The head of a request.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) line: String,
    pub(super) headers: BTreeMap<String, String>,
}

/// What the server sends to the pair of the test. Every other pair is unknown.
#[derive(Clone)]
pub(super) enum Act {
    /// These bytes, and then the end of the connection.
    Send(Vec<u8>),
    /// These bytes, and then blanks until the client closes the connection.
    Endless(Vec<u8>),
    /// These bytes and nothing more, while the clock stands still but for the timers of the client.
    Hang(Vec<u8>),
}

pub(super) struct Server {
    pub(super) url: String,
    heads: Arc<Mutex<Vec<Head>>>,
}

impl Server {
    pub(super) async fn start(act: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::<Mutex<Vec<Head>>>::default();
        let seen = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, act.clone(), Arc::clone(&seen)));
            }
        });
        Self { url, heads }
    }

    pub(super) fn heads(&self) -> Vec<Head> {
        lock(&self.heads).clone()
    }
}

async fn serve(mut stream: TcpStream, act: Act, heads: Arc<Mutex<Vec<Head>>>) {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") {
        text.push(char::from(stream.read_u8().await.unwrap()));
    }
    let mut lines = text.trim_end().lines().map(str::to_owned);
    let line = lines.next().unwrap();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.to_ascii_lowercase(), value.to_owned())
    });
    let headers: BTreeMap<_, _> = headers.collect();
    let is_pair = headers["authorization"].contains(&format!("={ID}/"));
    lock(&heads).push(Head { line, headers });
    let act = if is_pair { act } else { reply(403, UNKNOWN) };
    match act {
        Act::Send(bytes) => stream.write_all(&bytes).await.unwrap(),
        Act::Endless(bytes) => {
            stream.write_all(&bytes).await.unwrap();
            while stream.write_all(&[b' '; 1024]).await.is_ok() {}
        }
        Act::Hang(bytes) => {
            stream.write_all(&bytes).await.unwrap();
            tokio::time::pause();
            let _ = stream.read_u8().await;
        }
    }
}

pub(super) fn head(status: u16, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status} Status\r\n{headers}connection: close\r\n\r\n").into_bytes()
}

pub(super) fn reply(status: u16, body: &str) -> Act {
    Act::Send([&head(status, ""), body.as_bytes()].concat())
}
