//! A scripted stand-in for AWS STS: it knows `GetCallerIdentity` alone, answers by the key ID that the request
//! claims, and records the calls.

mod answer;
mod check;
mod tls;

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};
use k8s_openapi::jiff::Timestamp;
use tokio::sync::watch;

pub use answer::{Answer, Identity};
pub use tls::Certificate;
pub(crate) use tls::acceptor;

use crate::{
    http_server::{Body, Cut, Server},
    signature::Claim,
};
use check::{Refusal, check};

/// The running stand-in; dropping it closes its port.
#[derive(Debug)]
pub struct Sts {
    server: Server,
    scheme: &'static str,
    shared: Arc<Shared>,
}

/// A request that claimed a key ID.
#[derive(Clone, Debug)]
pub struct Call {
    /// The access key ID.
    pub key_id: String,
    /// The region in the credential's scope.
    pub region: String,
    /// When the request had been read.
    pub at: Instant,
}

#[derive(Debug)]
struct Shared {
    script: Mutex<Script>,
    calls: watch::Sender<Vec<Call>>,
}

#[derive(Debug)]
struct Script {
    by_key: HashMap<String, VecDeque<Answer>>,
    default: Answer,
    delay: Duration,
}

impl Sts {
    /// Listens on a free loopback port, without TLS.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_on(IpAddr::V4(Ipv4Addr::LOCALHOST)).await
    }

    /// Listens on a free port of another address, without TLS.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start_on(ip: IpAddr) -> anyhow::Result<Self> {
        Self::listen(ip, "http", None).await
    }

    /// Listens with TLS; also returns the PEM of the CA that signed its certificate.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start_tls() -> anyhow::Result<(Self, String)> {
        Self::start_tls_on(IpAddr::V4(Ipv4Addr::LOCALHOST), Certificate::Valid).await
    }

    /// The same on another address, or with a certificate that a client must reject.
    ///
    /// # Errors
    /// If no port is free or no certificate can be made.
    pub async fn start_tls_on(ip: IpAddr, kind: Certificate) -> anyhow::Result<(Self, String)> {
        let (acceptor, ca_pem) = tls::acceptor(ip, kind)?;
        Ok((Self::listen(ip, "https", Some(acceptor)).await?, ca_pem))
    }

    async fn listen(
        ip: IpAddr,
        scheme: &'static str,
        tls: Option<tokio_rustls::TlsAcceptor>,
    ) -> anyhow::Result<Self> {
        let shared = Arc::new(Shared {
            script: Mutex::new(Script {
                by_key: HashMap::new(),
                default: Answer::unknown_key(),
                delay: Duration::ZERO,
            }),
            calls: watch::Sender::default(),
        });
        let connections = Arc::clone(&shared);
        let connect = move || {
            let shared = Arc::clone(&connections);
            move |request| serve(Arc::clone(&shared), request)
        };
        Ok(Self {
            server: Server::start(ip, tls, connect).await?,
            scheme,
            shared,
        })
    }

    /// The endpoint.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.server.address())
    }

    /// Accepts this key ID from now on, with any signature.
    pub fn accept(&self, key_id: &str, account: &str, arn: &str, user_id: &str) {
        self.answer(key_id, Answer::Accept(identity(account, arn, user_id)));
    }

    /// Accepts this key ID from now on if the request was signed with `secret`.
    pub fn accept_pair(&self, key_id: &str, secret: &str, account: &str, arn: &str, user_id: &str) {
        let answer = Answer::Verify {
            secret: secret.to_owned(),
            identity: identity(account, arn, user_id),
        };
        self.answer(key_id, answer);
    }

    /// Gives this answer to the key ID from now on.
    pub fn answer(&self, key_id: &str, answer: Answer) {
        self.answers(key_id, [answer]);
    }

    /// Gives these answers to the key ID, one after the other; the last one is repeated. Without any, the default
    /// applies again.
    pub fn answers(&self, key_id: &str, answers: impl IntoIterator<Item = Answer>) {
        let answers: VecDeque<Answer> = answers.into_iter().collect();
        self.script().by_key.insert(key_id.to_owned(), answers);
    }

    /// The answer for other key IDs, initially that for an unknown key.
    pub fn answer_by_default(&self, answer: Answer) {
        self.script().default = answer;
    }

    /// Delays every answer by this time from now on.
    pub fn delay(&self, delay: Duration) {
        self.script().delay = delay;
    }

    /// All calls so far, in the order of arrival.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.borrow().clone()
    }

    /// The calls with this key ID.
    #[must_use]
    pub fn calls_for(&self, key_id: &str) -> Vec<Call> {
        let calls = self.shared.calls.borrow();
        let of_key = calls.iter().filter(|call| call.key_id == key_id);
        of_key.cloned().collect()
    }

    /// Returns once the key ID has been used `count` times in all. Give it a deadline.
    pub async fn called(&self, key_id: &str, count: usize) {
        let enough = |calls: &Vec<Call>| {
            let of_key = calls.iter().filter(|call| call.key_id == key_id);
            of_key.count() >= count
        };
        let mut calls = self.shared.calls.subscribe();
        let _ = calls.wait_for(enough).await;
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.shared.script()
    }
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self, key_id: &str) -> Answer {
        let mut script = self.script();
        let answer = match script.by_key.get_mut(key_id) {
            Some(queue) if queue.len() > 1 => queue.pop_front(),
            Some(queue) => queue.front().cloned(),
            None => None,
        };
        answer.unwrap_or_else(|| script.default.clone())
    }
}

fn identity(account: &str, arn: &str, user_id: &str) -> Identity {
    Identity {
        account: account.to_owned(),
        arn: arn.to_owned(),
        user_id: user_id.to_owned(),
    }
}

async fn serve(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let request_id = format!(
        "00000000-0000-4000-8000-{:012}",
        shared.calls.borrow().len()
    );
    let answer = decide(&shared, &parts, &body);
    let delay = shared.script().delay;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    answer::respond(answer, &request_id).await
}

/// Checks in the order of STS itself: the header, the key ID, the clock and signature, the action.
fn decide(shared: &Shared, parts: &Parts, body: &[u8]) -> Answer {
    if !parts.headers.contains_key("authorization") {
        let message = "Request is missing Authentication Token";
        return Answer::error(403, "MissingAuthenticationToken", message);
    }
    let Some(claim) = Claim::of(parts) else {
        let message = "Authorization header requires Credential, SignedHeaders and Signature.";
        return Answer::error(400, "IncompleteSignature", message);
    };
    shared.calls.send_modify(|calls| {
        calls.push(Call {
            key_id: claim.key_id.clone(),
            region: claim.region.clone(),
            at: Instant::now(),
        });
    });
    let answer = shared.next(&claim.key_id);
    if let Answer::Verify { secret, .. } = &answer {
        match check(&claim, parts, body, secret, Timestamp::now()) {
            Ok(()) => {}
            Err(Refusal::Wrong) => return Answer::wrong_signature(),
            Err(Refusal::Skew(text)) => return Answer::error(403, "SignatureDoesNotMatch", &text),
        }
    }
    if parts.method != Method::POST || !asks_for_identity(body) {
        let message = "Could not find operation for version 2011-06-15";
        return Answer::error(400, "InvalidAction", message);
    }
    answer
}

fn asks_for_identity(form: &[u8]) -> bool {
    let mut pairs = form.split(|byte| *byte == b'&');
    pairs.any(|pair| pair == b"Action=GetCallerIdentity")
}
