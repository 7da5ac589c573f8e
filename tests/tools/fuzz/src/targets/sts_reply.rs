//! A reply of STS, `STATUS BODY`, through a socket and the SDK to the verdict.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use roxmltree::{Document, Node};
use static_aws_credentials::{
    domain::{
        pair::{KeyPair, SecretText},
        verdict::Answer,
    },
    sts::{CallerIdentityRequest, Client, Priority, Route, Sts},
};
use tokio::{runtime::Runtime, time::Instant};

/// The server: answers every request with the present reply.
struct Wire {
    url: String,
    reply: Arc<Mutex<Vec<u8>>>,
    client: Client,
    runtime: Runtime,
}

static WIRE: LazyLock<Mutex<Wire>> = LazyLock::new(|| {
    let wire = Wire::new().unwrap_or_else(|error| panic!("{error}"));
    Mutex::new(wire)
});

pub fn sts_reply(input: &[u8]) {
    let (status, body) = parsed(input);
    let answer = WIRE
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .answer(status, body);
    let refused = (400..500).contains(&status);
    match answer {
        Answer::Identity(identity) => {
            assert!((200..300).contains(&status), "{status} is no success");
            assert!(identity.account_id.len() == 12 && identity.arn.len() <= 2048);
            assert!(
                identity
                    .arn
                    .contains(&format!("::{}:", identity.account_id))
            );
            assert!(identity.arn.bytes().all(|byte| byte.is_ascii_graphic()));
            for (name, value) in [("Account", identity.account_id), ("Arn", identity.arn)] {
                // The SDK stops reading after the result, so what follows need not be XML.
                let read = texts(body, name).unwrap_or_else(|| vec![value.clone()]);
                assert_eq!(read, [value], "{name}");
                assert_eq!(elements(body, name), 1, "{name}");
            }
        }
        Answer::Authenticated => panic!("STS names an identity"),
        Answer::UnknownKey => {
            let names = [
                "InvalidClientTokenId",
                "InvalidAccessKeyId",
                "UserSuspended",
            ];
            assert!(refused && has_code(body, &names));
        }
        Answer::SignatureMismatch => assert!(refused && has_code(body, &["SignatureDoesNotMatch"])),
        Answer::Expired => {
            assert!(refused && has_code(body, &["ExpiredToken", "ExpiredTokenException"]));
        }
        Answer::Undetermined(_) | Answer::Outage(_) => {}
    }
}

/// A status of three digits and a blank, or 200.
fn parsed(input: &[u8]) -> (u16, &[u8]) {
    let status = input
        .split_at_checked(4)
        .filter(|(head, _)| head.ends_with(b" "))
        .and_then(|(head, body)| Some((std::str::from_utf8(&head[..3]).ok()?.parse().ok()?, body)));
    // 1xx is not a final reply, and other numbers are not a status.
    status
        .filter(|(status, _)| (200..600).contains(status))
        .unwrap_or((200, input))
}

/// The texts of the elements of that name according to another parser; `None` if it cannot read the body.
fn texts(body: &[u8], name: &str) -> Option<Vec<String>> {
    let text = std::str::from_utf8(body).ok()?;
    let document = Document::parse(text).ok()?;
    let named = |node: &Node| node.is_element() && node.tag_name().name() == name;
    let inside = |node: Node| node.text().unwrap_or_default().trim().to_owned();
    Some(document.descendants().filter(named).map(inside).collect())
}

/// The number of start tags of that name, in any body and with any prefix.
fn elements(body: &[u8], name: &str) -> usize {
    let text = String::from_utf8_lossy(body);
    let tags = text.split('<').skip(1).map(|tag| {
        let end = tag.find(|letter: char| letter.is_whitespace() || "/>".contains(letter));
        let full = tag.split_at(end.unwrap_or(tag.len())).0;
        full.rsplit(':').next().unwrap_or_default().to_owned()
    });
    tags.filter(|tag| tag == name).count()
}

/// Whether the error code is one of these; for a body that is not XML, whether there is any code.
fn has_code(body: &[u8], codes: &[&str]) -> bool {
    match texts(body, "Code") {
        Some(found) => found.iter().any(|code| codes.contains(&code.as_str())),
        None => elements(body, "Code") > 0,
    }
}

impl Wire {
    fn new() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}", listener.local_addr()?);
        let reply = Arc::<Mutex<Vec<u8>>>::default();
        let shared = Arc::clone(&reply);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            url,
            reply,
            client: Client::new(Route::default()).map_err(std::io::Error::other)?,
            runtime,
        })
    }

    fn answer(&self, status: u16, body: &[u8]) -> Answer {
        let length = body.len();
        let mut reply =
            format!("HTTP/1.1 {status} R\r\ncontent-length: {length}\r\n\r\n").into_bytes();
        if !matches!(status, 204 | 304) {
            reply.extend_from_slice(body);
        }
        *self.reply.lock().unwrap_or_else(PoisonError::into_inner) = reply;
        let text = |text: &str| SecretText::new(text.to_owned());
        let question = CallerIdentityRequest {
            namespace: "orders".to_owned(),
            pair: Arc::new(KeyPair {
                access_key_id: text("AKIAQRSTUVWX23456723"),
                secret_access_key: text("abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKL+"),
            }),
            region: "eu-west-1".to_owned(),
            endpoint: self.url.clone(),
            store: None,
            priority: Priority::NewPair,
            not_before: Instant::now(),
        };
        self.runtime
            .block_on(self.client.get_caller_identity(question))
            .answer
    }
}

/// Serves one connection, as long as the client keeps it.
fn serve(mut stream: TcpStream, reply: &Mutex<Vec<u8>>) {
    let _ = stream.set_nodelay(true);
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(count) = stream.read(&mut chunk) {
        bytes.extend_from_slice(&chunk[..count]);
        if count == 0 {
            return;
        }
        if !is_whole(&bytes) {
            continue;
        }
        bytes.clear();
        let reply = reply.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if stream.write_all(&reply).is_err() {
            return;
        }
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.parse().ok());
    body.len() >= length.unwrap_or(0)
}
