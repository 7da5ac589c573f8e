//! STS behind a proxy with authentication, where no direct connection gets out.

use std::{fs, net::Ipv4Addr};

use base64::{Engine, prelude::BASE64_STANDARD};
use cluster::{
    egress::Egress,
    sts::{Certificate, Sts as StandIn},
};
use static_aws_credentials::{
    api::Reason::*,
    domain::verdict::Answer,
    sts::{Client, LoginFiles, Proxy, Route, TrustedCa, parse_endpoint, parse_proxy},
};
use tempfile::TempDir;

use super::{
    asking::{ACCOUNT, ARN, ask, at, identity},
    raw::{Act, Raw},
    script::SECRET,
};

const ID: &str = "AKIAQRSTUVWX23456723";
const USER: &str = "operator";
const PASSWORD: &str = "correct-horse";

/// The files of a login, like those of a mounted Secret.
struct Files(TempDir);

impl Files {
    fn new(username: &str, password: &str) -> Self {
        let files = Self(TempDir::new().expect("a directory"));
        files.write("username", username);
        files.write("password", password);
        files
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.0.path().join(name), content).expect("a file");
    }

    fn proxy(&self, url: &str) -> Proxy {
        Proxy {
            url: parse_proxy(url).expect("a proxy"),
            login: Some(LoginFiles {
                username: self.0.path().join("username"),
                password: self.0.path().join("password"),
            }),
        }
    }
}

/// A stand-in for STS with TLS, and the egress to it. The address 0.0.0.0 leads to this host too, and is no loopback
/// address, for which no proxy would be used.
async fn outside() -> (StandIn, Egress, TrustedCa) {
    let address = Ipv4Addr::UNSPECIFIED.into();
    let sts = StandIn::start_tls_on(address, Certificate::Valid).await;
    let (sts, ca) = sts.expect("a stand-in");
    sts.accept_pair(ID, SECRET, ACCOUNT, ARN, "AIDACKCEVSQ6C2EXAMPLE");
    let address = sts.url();
    let address = address.trim_start_matches("https://").parse();
    let egress = Egress::before(address.expect("an address"), USER, PASSWORD);
    let ca = TrustedCa::from_pem(ca.into()).expect("a CA");
    (sts, egress.await.expect("a way out"), ca)
}

fn client(egress: &Egress, ca: &TrustedCa, proxy: Option<Proxy>) -> Client {
    let endpoint = format!("https://{}", egress.gate());
    let route = Route {
        endpoint: Some(parse_endpoint(&endpoint).expect("an endpoint")),
        ca: Some(ca.clone()),
        proxy,
        ..Route::default()
    };
    Client::new(route).expect("a client")
}

#[tokio::test]
async fn sts_is_asked_through_the_proxy_and_in_no_other_way() {
    let (sts, egress, ca) = outside().await;
    let directly = client(&egress, &ca, None);
    assert_eq!(ask(&directly, "").await, Answer::Outage(StsUnreachable));
    assert!(egress.refused() > 0 && sts.calls().is_empty());

    let refused = egress.refused();
    let files = Files::new(&format!("{USER}\n"), &format!("{PASSWORD}\n"));
    let proxied = client(&egress, &ca, Some(files.proxy(&egress.proxy_url())));
    assert_eq!(ask(&proxied, "").await, identity());
    assert_eq!(egress.refused(), refused);
    let log = egress.log().expect("a log");
    let tunnel = format!("CONNECT {}", egress.gate());
    assert!(log.contains(&tunnel), "{log}");
    assert!(!log.contains(ID), "the proxy sees no request: {log}");
}

/// A renewed password takes effect without a restart of the operator.
#[tokio::test]
async fn a_login_is_read_anew_and_the_one_before_goes_on_while_there_is_none() {
    let (sts, egress, ca) = outside().await;
    let files = Files::new(USER, "stale");
    let client = client(&egress, &ca, Some(files.proxy(&egress.proxy_url())));
    assert_eq!(ask(&client, "").await, Answer::Outage(StsUnreachable));
    assert!(sts.calls().is_empty());
    files.write("password", PASSWORD);
    assert_eq!(ask(&client, "").await, identity());
    files.write("password", "");
    assert_eq!(ask(&client, "").await, identity());
}

/// User and password may be any bytes: in a URL they would end at the first `/` or `@`.
#[tokio::test]
async fn user_and_password_come_to_the_proxy_as_they_are() {
    for (username, password) in [
        ("a", "p@ss:w/o#r%d?x"),
        ("domain\\user", "%41 +&=[]"),
        ("käse", "\u{1f511}"),
    ] {
        let raw = Raw::start([Act::Send(b"HTTP/1.1 407 No\r\n\r\n".to_vec())]).await;
        let files = Files::new(username, password);
        let route = Route {
            proxy: Some(files.proxy(&raw.url)),
            ..Route::default()
        };
        let client = Client::new(route).expect("a client");
        let answer = ask(&client, "https://sts.eu-west-1.invalid").await;
        assert_eq!(answer, Answer::Outage(StsUnreachable));
        let requests = raw.requests();
        assert_eq!(
            requests[0].line,
            "CONNECT sts.eu-west-1.invalid:443 HTTP/1.1"
        );
        let login = BASE64_STANDARD.encode(format!("{username}:{password}"));
        let header = requests[0].header("proxy-authorization");
        assert_eq!(header, Some(format!("Basic {login}").as_str()));
    }
}

/// Answers of a proxy to CONNECT that are not answers of AWS.
#[tokio::test]
async fn a_proxy_that_makes_no_tunnel_is_an_outage() {
    let page = "HTTP/1.1 403 No\r\ncontent-type: text/html\r\n\r\n<html>blocked";
    for said in [
        page.to_owned(),
        "HTTP/1.1 302 Found\r\nlocation: http://login.test/\r\n\r\n".to_owned(),
        "HTTP/1.1 502 Bad Gateway\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(9_000)),
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno".to_owned(),
        "SSH-2.0-OpenSSH_9.2p1\r\n".to_owned(),
        String::new(),
    ] {
        let raw = Raw::start([Act::Send(said.clone().into_bytes())]).await;
        let proxy = Proxy {
            url: parse_proxy(&raw.url).expect("a proxy"),
            login: None,
        };
        let route = Route {
            proxy: Some(proxy),
            ..Route::default()
        };
        let client = Client::new(route).expect("a client");
        let answer = ask(&client, "https://sts.eu-west-1.invalid").await;
        assert_eq!(answer, Answer::Outage(StsUnreachable), "{said:?}");
    }
}

/// Requests in plain text never leave this host.
#[tokio::test]
async fn what_is_asked_in_plain_text_goes_to_no_proxy() {
    let proxy = Raw::start([Act::Close]).await;
    let sts = StandIn::start().await.expect("a stand-in");
    sts.accept_pair(ID, SECRET, ACCOUNT, ARN, "AIDACKCEVSQ6C2EXAMPLE");
    let route = Route {
        proxy: Some(Proxy {
            url: parse_proxy(&proxy.url).expect("a proxy"),
            login: None,
        }),
        ..Route::default()
    };
    let client = Client::new(route).expect("a client");
    assert_eq!(ask(&client, &sts.url()).await, identity());
    assert!(proxy.requests().is_empty());
    assert_eq!(at(&sts.url()).pair.access_key_id.expose_secret(), ID);
}

#[tokio::test]
async fn a_loopback_endpoint_is_asked_through_no_proxy() {
    let (sts, ca) = StandIn::start_tls().await.expect("a stand-in");
    sts.accept_pair(ID, SECRET, ACCOUNT, ARN, "AIDACKCEVSQ6C2EXAMPLE");
    let proxy = Raw::start([Act::Close]).await;
    let route = Route {
        endpoint: Some(parse_endpoint(&sts.url()).expect("an endpoint")),
        ca: Some(TrustedCa::from_pem(ca.into()).expect("a CA")),
        proxy: Some(Proxy {
            url: parse_proxy(&proxy.url).expect("a proxy"),
            login: None,
        }),
        ..Route::default()
    };
    let client = Client::new(route).expect("a client");
    assert!(!client.is_proxied());
    assert_eq!(ask(&client, "").await, identity());
    assert!(proxy.requests().is_empty());
}

#[test]
fn a_login_that_cannot_be_sent_is_refused_without_its_words() {
    let url = "http://proxy.example.com:3128";
    let hidden = "HiddenWord";
    for (username, password, why) in [
        ("", "x", "username is empty"),
        ("a:b", "x", "username must hold a user name without a colon"),
        ("a", "\n", "password is empty"),
        ("a", "HiddenWord\nmore", "password must hold one line"),
        ("a", "HiddenWord\u{0}", "password must hold one line"),
    ] {
        let files = Files::new(username, password);
        let route = Route {
            proxy: Some(files.proxy(url)),
            ..Route::default()
        };
        let error = Client::new(route).expect_err("it is refused").to_string();
        assert!(error.ends_with(why), "{error}");
        assert!(!error.contains(hidden), "{error}");
    }
}

#[test]
fn addresses_of_proxies() {
    for good in [
        "http://proxy.example.com:3128",
        "http://proxy.example.com:3128/",
        "https://proxy.example.com:443",
        "http://[2001:db8::1]:3128",
        "http://10.0.0.1:8080",
    ] {
        assert!(parse_proxy(good).is_ok(), "{good}");
    }
    for (bad, why) in [
        ("", "a URL"),
        ("proxy.example.com:3128", "begin with http"),
        ("socks5://proxy.example.com:1080", "begin with http"),
        ("http://proxy.example.com", "the proxy's port"),
        ("http://proxy.example.com:", "the proxy's port"),
        ("http://proxy.example.com:99999", "the proxy's port"),
        (
            "http://user:HiddenWord@proxy.example.com:3128",
            "--sts-proxy-username-file",
        ),
        ("http://proxy.example.com:3128/path", "no path"),
        ("http://proxy.example.com:3128?x", "no path"),
        ("http://proxy.example.com:3128#x", "no path"),
    ] {
        let error = parse_proxy(bad).expect_err(bad);
        assert!(error.contains(why), "{bad}: {error}");
        assert!(!error.contains("HiddenWord"), "{error}");
    }
}

/// A proxy over TLS needs a certificate of the same CA file.
#[tokio::test]
async fn a_certificate_of_a_proxy_counts_as_that_of_sts() {
    let (untrusted, _) = StandIn::start_tls_on([127, 0, 0, 1].into(), Certificate::Valid)
        .await
        .expect("a stand-in");
    let (_sts, egress, ca) = outside().await;
    let url = untrusted.url();
    let proxy = Proxy {
        url: parse_proxy(&url).expect("a proxy"),
        login: None,
    };
    let client = client(&egress, &ca, Some(proxy));
    assert_eq!(ask(&client, "").await, Answer::Outage(StsUnreachable));
    assert!(untrusted.calls().is_empty() && egress.refused() == 0);
}
