//! The real client against the STS stand-in that checks signatures, over TLS.

use cluster::sts::{Answer as Says, Certificate, Sts as StandIn};
use static_aws_credentials::{
    api::Reason::*,
    domain::verdict::Answer,
    sts::{Client, Endpoint, Route, TrustedCa, parse_endpoint},
};

use super::{
    asking::{ACCOUNT, ARN, ask, at, at_endpoint, identity},
    script::SECRET,
};

const ID: &str = "AKIAQRSTUVWX23456723";

fn client(url: &str, ca: &str) -> Client {
    let ca = TrustedCa::from_pem(ca.into()).expect("a CA");
    let route = Route {
        endpoint: Some(endpoint(url)),
        ca: Some(ca),
        ..Route::default()
    };
    Client::new(route).expect("nothing to read")
}

fn endpoint(url: &str) -> Endpoint {
    parse_endpoint(url).expect("an endpoint")
}

#[tokio::test]
async fn a_signature_that_sts_checks() {
    let (sts, ca) = StandIn::start_tls().await.expect("a stand-in");
    let client = client(&sts.url(), &ca);
    let url = at("").endpoint;
    sts.accept_pair(ID, SECRET, ACCOUNT, ARN, "AIDACKCEVSQ6C2EXAMPLE");
    assert_eq!(ask(&client, &url).await, identity());
    sts.accept_pair(ID, "another", ACCOUNT, ARN, "AIDACKCEVSQ6C2EXAMPLE");
    assert_eq!(ask(&client, &url).await, Answer::SignatureMismatch);
    sts.answers(ID, []);
    assert_eq!(ask(&client, &url).await, Answer::UnknownKey);
    sts.answer(ID, Says::Throttle);
    assert_eq!(ask(&client, &url).await, Answer::Undetermined(StsThrottled));

    let calls = sts.calls();
    assert_eq!(calls.len(), 4);
    assert!(
        calls
            .iter()
            .all(|call| call.key_id == ID && call.region == "eu-west-1")
    );
}

#[tokio::test]
async fn s3_a_certificate_that_proves_nothing() {
    let here = "127.0.0.1".parse().expect("an address");
    for kind in [Certificate::WrongHost, Certificate::Expired] {
        let (sts, ca) = StandIn::start_tls_on(here, kind).await.expect("a stand-in");
        sts.accept(ID, ACCOUNT, ARN, "AIDACKCEVSQ6C2EXAMPLE");
        let answer = ask(&client(&sts.url(), &ca), "").await;
        assert_eq!(answer, Answer::Outage(StsUnreachable), "{kind:?}");
        assert_eq!(sts.calls().len(), 0, "{kind:?}");
    }
}

#[tokio::test]
async fn a_ca_is_trusted_alone_and_by_nobody_else() {
    let (sts, ca) = StandIn::start_tls().await.expect("a stand-in");
    let (other, other_ca) = StandIn::start_tls().await.expect("another");
    for stand_in in [&sts, &other] {
        stand_in.accept(ID, ACCOUNT, ARN, "AIDACKCEVSQ6C2EXAMPLE");
    }
    let unreachable = Answer::Outage(StsUnreachable);
    assert_eq!(ask(&client(&sts.url(), &ca), "").await, identity());
    assert_eq!(ask(&client(&sts.url(), &other_ca), "").await, unreachable);
    let system_roots = at_endpoint(endpoint(&sts.url()));
    assert_eq!(ask(&system_roots, "").await, unreachable);
    let both = format!("{ca}{other_ca}");
    assert_eq!(ask(&client(&sts.url(), &both), "").await, identity());
    assert_eq!(ask(&client(&other.url(), &both), "").await, identity());
}

#[tokio::test]
async fn a_redirect_between_hosts_is_not_followed_over_tls() {
    let (sts, ca) = StandIn::start_tls().await.expect("a stand-in");
    let elsewhere = StandIn::start().await.expect("another");
    elsewhere.accept(ID, ACCOUNT, ARN, "AIDACKCEVSQ6C2EXAMPLE");
    sts.answer(ID, Says::Redirect(elsewhere.url()));
    let answer = ask(&client(&sts.url(), &ca), "").await;
    assert_eq!(answer, Answer::Outage(StsUnexpectedResponse));
    assert_eq!((sts.calls().len(), elsewhere.calls().len()), (1, 0));
}
