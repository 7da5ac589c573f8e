//! The client against a server on this machine.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::{process::Command, sync::Arc, time::Duration};

use cluster::sts::{Certificate, Sts as StandIn};
use tokio::{net::TcpListener, time::Instant};

use super::*;
use crate::{api::Reason::*, domain::pair::SecretText, sts::Priority};

mod server;
mod signature;

use server::{Act, Server, head, reply};

const ID: &str = "AKIAQRSTUVWX23456723";
const SECRET: &str = "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";
const BUCKETS: &str = "<ListAllMyBucketsResult><Buckets></Buckets>";
const UNKNOWN: &str = "<Error><Code>InvalidAccessKeyId</Code></Error>";

fn store(url: &str, ca_bundle: Option<String>) -> Arc<Store> {
    Arc::new(Store {
        class: "store".to_owned(),
        uid: "uid".to_owned(),
        generation: 1,
        url: url.to_owned(),
        region: "eu-test-1".to_owned(),
        ca_bundle,
        any_key_id: true,
        settling: Duration::ZERO,
    })
}

fn client(url: &str) -> Client {
    Client::new(store(url, None)).unwrap()
}

fn pair(id: &str) -> KeyPair {
    KeyPair {
        access_key_id: SecretText::new(id.to_owned()),
        secret_access_key: SecretText::new(SECRET.to_owned()),
    }
}

async fn answer_to(act: Act) -> Answer {
    let server = Server::start(act).await;
    client(&server.url).answer(&pair(ID)).await
}

#[tokio::test]
async fn both_requests_are_signed_and_have_no_other_headers() {
    let server = Server::start(reply(200, BUCKETS)).await;
    for url in [server.url.clone(), format!("{}/", server.url)] {
        let answer = client(&url).answer(&pair(ID)).await;
        assert_eq!(answer, Answer::Authenticated);
    }
    let heads = server.heads();
    assert_eq!(heads.len(), 4);
    for head in &heads {
        assert_eq!(head.line, "GET /?max-buckets=1 HTTP/1.1");
        let names: Vec<&str> = head.headers.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "authorization",
                "host",
                "user-agent",
                "x-amz-content-sha256",
                "x-amz-date"
            ]
        );
        let agent = &head.headers["user-agent"];
        assert!(agent.starts_with("static-aws-credentials/"), "{agent}");
        assert_eq!(head.headers["host"], server.url["http://".len()..]);
    }
    for number in [1, 3] {
        signature::check(&heads[number], ID, SECRET, "eu-test-1");
    }
    assert!(!heads[0].headers["authorization"].contains(ID));
}

/// The test above, in a process with variables that programs with an SDK of AWS heed.
#[test]
fn the_environment_changes_no_request() {
    let trap = "http://127.0.0.1:1";
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args([
        "--exact",
        "s3::tests::both_requests_are_signed_and_have_no_other_headers",
    ]);
    for name in [
        "http_proxy",
        "HTTP_PROXY",
        "ALL_PROXY",
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_S3",
    ] {
        child.env(name, trap);
    }
    child.env("AWS_EXECUTION_ENV", "AWS_Lambda");
    child.env("AWS_LAMBDA_FUNCTION_NAME", "function");
    child.env("_X_AMZN_TRACE_ID", "Root=1-5759e988");
    child.env("AWS_REGION", "eu-west-1");
    child.env("AWS_SESSION_TOKEN", "token");
    let output = child.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

#[tokio::test]
async fn each_kind_of_reply_has_its_answer() {
    for (act, answer) in [
        (reply(403, UNKNOWN), Answer::UnknownKey),
        (
            reply(200, "<html></html>"),
            Answer::Outage(EndpointUnexpectedResponse),
        ),
        (reply(503, ""), Answer::Outage(EndpointUnavailable)),
        (
            reply(404, "<Error><Code>NoSuchKey</Code></Error>"),
            Answer::Undetermined(EndpointUnexpectedResponse),
        ),
        (
            Act::Send(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
            Answer::Outage(EndpointUnexpectedResponse),
        ),
        (Act::Send(Vec::new()), Answer::Outage(EndpointUnreachable)),
        (
            Act::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n<Li".to_vec()),
            Answer::Outage(EndpointUnreachable),
        ),
    ] {
        assert_eq!(answer_to(act).await, answer);
    }
}

#[tokio::test]
async fn a_long_reply_is_judged_by_its_beginning() {
    let long = |body: &str| Act::Endless([&head(200, ""), body.as_bytes()].concat());
    assert_eq!(answer_to(long(BUCKETS)).await, Answer::Authenticated);
    let foreign = Answer::Outage(EndpointUnexpectedResponse);
    assert_eq!(answer_to(long("")).await, foreign);
    let error = Act::Endless(
        [
            &head(403, ""),
            UNKNOWN.trim_end_matches("</Error>").as_bytes(),
        ]
        .concat(),
    );
    let unexpected = Answer::Undetermined(EndpointUnexpectedResponse);
    assert_eq!(answer_to(error).await, unexpected);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let other = Server::start(reply(200, BUCKETS)).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("location: {}/?max-buckets=1\r\n", other.url);
        let foreign = Answer::Outage(EndpointUnexpectedResponse);
        assert_eq!(answer_to(Act::Send(head(status, &location))).await, foreign);
    }
    assert!(other.heads().is_empty());
}

#[tokio::test]
async fn a_store_that_stops_within_a_reply_is_given_up_after_10_s() {
    for bytes in [Vec::new(), [&head(200, ""), b"<List".as_slice()].concat()] {
        let server = Server::start(Act::Hang(bytes)).await;
        let client = client(&server.url);
        assert_eq!(client.authentication().await, Authentication::Authenticates);
        let began = Instant::now();
        let answer = client.answer(&pair(ID)).await;
        assert_eq!(answer, Answer::Outage(EndpointUnreachable));
        let seconds = began.elapsed().as_secs();
        assert!((10..12).contains(&seconds), "{seconds} s");
        tokio::time::resume();
    }
}

#[tokio::test]
async fn a_store_without_a_port_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = client(&url);
    let unknown = Authentication::Unknown(EndpointUnreachable);
    assert_eq!(client.authentication().await, unknown);
    let answer = client.answer(&pair(ID)).await;
    assert_eq!(answer, Answer::Outage(EndpointUnreachable));
}

#[tokio::test]
async fn a_pair_that_no_header_can_carry_is_not_sent() {
    let server = Server::start(reply(200, BUCKETS)).await;
    let client = client(&server.url);
    for id in ["AKIA\nHost: other", "AKIA\u{0}", "Schlüssel"] {
        let answer = client.answer(&pair(id)).await;
        assert_eq!(answer, Answer::Undetermined(EndpointUnexpectedResponse));
    }
    assert_eq!(server.heads().len(), 1);
}

/// The stand-in of STS names no code of S3, but every answer shows that TLS works.
#[tokio::test]
async fn only_the_ca_bundle_is_trusted() {
    let here = "127.0.0.1".parse().unwrap();
    let unreachable = Authentication::Unknown(EndpointUnreachable);
    for (kind, is_trusted) in [
        (Certificate::Valid, true),
        (Certificate::WrongHost, false),
        (Certificate::Expired, false),
    ] {
        let (server, ca) = StandIn::start_tls_on(here, kind).await.unwrap();
        let client = Client::new(store(&server.url(), Some(ca))).unwrap();
        assert_eq!(client.authentication().await != unreachable, is_trusted);
    }
    let (server, _) = StandIn::start_tls().await.unwrap();
    let (_, other_ca) = StandIn::start_tls().await.unwrap();
    for ca in [None, Some(other_ca)] {
        let client = Client::new(store(&server.url(), ca)).unwrap();
        assert_eq!(client.authentication().await, unreachable);
    }
    for ca in ["", "no PEM"] {
        let store = store("https://store.example.com", Some(ca.to_owned()));
        assert!(matches!(
            Client::new(store),
            Err(ClientError::Ca(CaError::Empty))
        ));
    }
}

#[tokio::test]
async fn the_request_of_the_trait_is_about_its_pair_at_the_store() {
    let server = Server::start(reply(200, BUCKETS)).await;
    let client = client(&server.url);
    let request = CallerIdentityRequest {
        namespace: "orders".to_owned(),
        pair: Arc::new(pair(ID)),
        region: "us-east-1".to_owned(),
        endpoint: "https://sts.us-east-1.amazonaws.com".to_owned(),
        store: None,
        priority: Priority::NewPair,
        not_before: Instant::now(),
    };
    assert_eq!(client.destination(&request), server.url);
    let reply = client.get_caller_identity(request).await;
    assert_eq!(reply.answer, Answer::Authenticated);
}
