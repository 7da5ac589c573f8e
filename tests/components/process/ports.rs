//! The ports of the process: which requests are answered, and when.

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, routing::get};
use static_aws_credentials::{
    cli::server::{serve, serve_probes},
    ops::health::Health,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::Semaphore,
};

const LOCAL: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);
const REQUEST: &[u8] = b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";

/// The test blocks the thread of its runtime while it reads.
#[tokio::test]
async fn probes_are_answered_while_the_main_thread_is_stuck() {
    let health = Arc::<Health>::default();
    let address = serve_probes(SocketAddr::from(LOCAL), health).unwrap();
    for (path, status) in [("livez", "200"), ("readyz", "503"), ("metrics", "404")] {
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let start = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&start), "{path}: {answer}");
    }
}

/// A machine without IPv6 serves IPv4 alone.
#[tokio::test]
async fn probes_on_all_addresses_are_answered_by_ipv4_and_ipv6() {
    let every = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    let address = serve_probes(every, Arc::default()).unwrap();
    let mut hosts = vec![IpAddr::from(Ipv4Addr::LOCALHOST)];
    if std::net::TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        hosts.push(IpAddr::from(Ipv6Addr::LOCALHOST));
    }
    for host in hosts {
        let mut stream = TcpStream::connect((host, address.port())).unwrap();
        write!(stream, "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{host}: {answer}");
    }
}

/// A port whose answers wait for permits of the test, and the number of requests that were read.
async fn waiting() -> (SocketAddr, Arc<Semaphore>, Arc<AtomicUsize>) {
    let (answers, read) = (Arc::new(Semaphore::new(0)), Arc::<AtomicUsize>::default());
    let (places, count) = (Arc::clone(&answers), Arc::clone(&read));
    let wait = move || {
        let places = Arc::clone(&places);
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            places.acquire().await.unwrap().forget();
            "ok"
        }
    };
    let listener = TcpListener::bind(LOCAL).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/wait", get(wait));
    tokio::spawn(serve(listener, router, None));
    (address, answers, read)
}

async fn ask(address: SocketAddr) -> tokio::net::TcpStream {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    stream
}

async fn until_read(read: &AtomicUsize, number: usize) {
    while read.load(Ordering::SeqCst) < number {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_request_that_was_read_is_answered_however_many_come() {
    let (address, answers, read) = waiting().await;
    let mut clients = Vec::new();
    for number in 1..=64 {
        clients.push(ask(address).await);
        until_read(&read, number).await;
    }
    for _ in 0..10 {
        clients.push(ask(address).await);
    }
    answers.add_permits(clients.len());
    for (number, mut client) in clients.into_iter().enumerate() {
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{number}: {answer}");
    }
}

#[tokio::test]
async fn a_connection_without_a_request_makes_room_for_one_with() {
    let (address, answers, _) = waiting().await;
    answers.add_permits(1);
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(tokio::net::TcpStream::connect(address).await.unwrap());
    }
    let mut answer = String::new();
    let mut client = ask(address).await;
    client.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
