//! A scripted stand-in for a store: each access key ID has an answer, and a secret if the signature counts; every
//! request is recorded.

mod answer;
mod call;

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::Result;
use http_body_util::BodyExt as _;
use hyper::{Request, Response, body::Incoming, http::request::Parts};
use k8s_openapi::jiff::Timestamp;
use tokio::sync::watch;

pub use answer::{Answer, Refusals};
pub use call::Call;

use crate::{
    http_server::{Body, Cut, Server},
    moto::KeyPair,
    signature::{Claim, header, sha256, signed_at},
    sts::{Certificate, acceptor},
};

/// The difference of clocks that S3 allows.
const SKEW_SECONDS: i64 = 15 * 60;

/// The running stand-in; dropping it closes its port.
#[derive(Debug)]
pub struct StandIn {
    server: Server,
    scheme: &'static str,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    script: Mutex<Script>,
    calls: watch::Sender<Vec<Call>>,
}

#[derive(Debug)]
struct Script {
    by_key: HashMap<String, Row>,
    refusals: Refusals,
    outage: Option<Answer>,
    delay: Duration,
}

#[derive(Clone, Debug)]
struct Row {
    /// The secret, and the answer to another one if the store's refusal does not apply. Without a secret every
    /// signature is right.
    secret: Option<(String, Option<Answer>)>,
    answer: Answer,
}

impl StandIn {
    /// Listens on a free port of 127.0.0.1, without TLS.
    ///
    /// # Errors
    /// If no port is free.
    pub async fn start(refusals: Refusals) -> Result<Self> {
        let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
        Self::listen(ip, "http", None, refusals).await
    }

    /// Listens with TLS on a free port of `ip`; also returns the PEM of the CA that signed the certificate.
    ///
    /// # Errors
    /// If no port is free or no certificate can be made.
    pub async fn start_tls_on(
        ip: IpAddr,
        kind: Certificate,
        refusals: Refusals,
    ) -> Result<(Self, String)> {
        let (acceptor, ca_pem) = acceptor(ip, kind)?;
        let stand_in = Self::listen(ip, "https", Some(acceptor), refusals).await?;
        Ok((stand_in, ca_pem))
    }

    async fn listen(
        ip: IpAddr,
        scheme: &'static str,
        tls: Option<tokio_rustls::TlsAcceptor>,
        refusals: Refusals,
    ) -> Result<Self> {
        let shared = Arc::new(Shared {
            script: Mutex::new(Script {
                by_key: HashMap::new(),
                refusals,
                outage: None,
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

    /// The endpoint, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.server.address())
    }

    /// Gives this answer to requests that are signed with this pair, from now on. Another secret under the same ID
    /// gets the refusal for a wrong secret.
    pub fn accept_pair(&self, pair: &KeyPair, answer: Answer) {
        self.insert(&pair.id, Some((&pair.secret, None)), answer);
    }

    /// The same, with `wrong` for another secret.
    pub fn accept_pair_or(&self, pair: &KeyPair, answer: Answer, wrong: Answer) {
        self.insert(&pair.id, Some((&pair.secret, Some(wrong))), answer);
    }

    /// Gives this answer to the ID with any signature, from now on.
    pub fn answer(&self, key_id: &str, answer: Answer) {
        self.insert(key_id, None, answer);
    }

    fn insert(&self, key_id: &str, secret: Option<(&str, Option<Answer>)>, answer: Answer) {
        let secret = secret.map(|(secret, wrong)| (secret.to_owned(), wrong));
        let row = Row { secret, answer };
        self.shared.script().by_key.insert(key_id.to_owned(), row);
    }

    /// Removes the ID from the table: the ID is unknown from now on.
    pub fn remove(&self, key_id: &str) {
        self.shared.script().by_key.remove(key_id);
    }

    /// Replaces the answers to pairs that are wrong.
    pub fn refuse_with(&self, refusals: Refusals) {
        self.shared.script().refusals = refusals;
    }

    /// Gives this answer to every request, before any check; with `None` the table applies again.
    pub fn answer_all(&self, answer: Option<Answer>) {
        self.shared.script().outage = answer;
    }

    /// Delays every answer by this time, from now on.
    pub fn delay(&self, delay: Duration) {
        self.shared.script().delay = delay;
    }

    /// All requests so far, in the order of arrival.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.borrow().clone()
    }

    /// The requests with this ID.
    #[must_use]
    pub fn calls_for(&self, key_id: &str) -> Vec<Call> {
        let calls = self.shared.calls.borrow();
        let of_key = calls.iter().filter(|call| call.is_of(key_id));
        of_key.cloned().collect()
    }

    /// How many requests came so far, unsigned ones included.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shared.calls.borrow().len()
    }

    /// Returns once the ID has been used `count` times in all. Give it a deadline.
    pub async fn called(&self, key_id: &str, count: usize) {
        let enough = |calls: &Vec<Call>| {
            let of_key = calls.iter().filter(|call| call.is_of(key_id));
            of_key.count() >= count
        };
        let mut calls = self.shared.calls.subscribe();
        let _ = calls.wait_for(enough).await;
    }
}

impl Shared {
    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn serve(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let claim = Claim::of(&parts);
    let (answer, delay) = {
        let script = shared.script();
        let answer = script.decide(&parts, claim.as_ref(), &body);
        (answer, script.delay)
    };
    let call = Call::new(&parts, claim.as_ref(), answer.status);
    shared.calls.send_modify(|calls| calls.push(call));
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let key_id = claim.map(|claim| claim.key_id).unwrap_or_default();
    Ok(answer.response(&key_id))
}

impl Script {
    fn decide(&self, parts: &Parts, claim: Option<&Claim>, body: &[u8]) -> Answer {
        if let Some(outage) = &self.outage {
            return outage.clone();
        }
        if !parts.headers.contains_key("authorization") {
            return Answer::access_denied();
        }
        let Some(claim) = claim else {
            let message = "The authorization header that you provided is not valid.";
            return Answer::error(400, "AuthorizationHeaderMalformed", message);
        };
        let Some(row) = self.by_key.get(&claim.key_id) else {
            return self.refusals.unknown_id.clone();
        };
        let Some((secret, wrong)) = &row.secret else {
            return row.answer.clone();
        };
        let Some(payload) = header(parts, "x-amz-content-sha256") else {
            let message = "Missing required header for this request: x-amz-content-sha256";
            return Answer::error(400, "InvalidRequest", message);
        };
        if is_skewed(parts) {
            let message = "The difference between the request time and the server's time is too \
                           large.";
            return Answer::error(403, "RequestTimeTooSkewed", message);
        }
        if !claim.is_signed_with(secret, "s3", parts, &payload) {
            return wrong
                .as_ref()
                .unwrap_or(&self.refusals.wrong_secret)
                .clone();
        }
        if payload != "UNSIGNED-PAYLOAD" && payload != sha256(body) {
            let message = "The provided 'x-amz-content-sha256' header does not match what was \
                           computed.";
            return Answer::error(400, "XAmzContentSHA256Mismatch", message);
        }
        row.answer.clone()
    }
}

fn is_skewed(parts: &Parts) -> bool {
    let now = Timestamp::now().as_second();
    signed_at(parts).is_some_and(|signed| (signed.as_second() - now).abs() > SKEW_SECONDS)
}
