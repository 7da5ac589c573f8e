//! The real client on a real socket: its requests, and its interpretation of replies.

use std::sync::Arc;

use static_aws_credentials::{
    api::Reason::*,
    domain::{
        pair::{KeyPair, SecretText},
        verdict::Answer,
    },
    sts::{CallerIdentityRequest, Sts, parse_endpoint},
};

use super::{
    asking::{ACCOUNT, ARN, answer_to_body, ask, at, at_endpoint, direct, identity},
    raw::{Act, Raw, failure, reply, success},
    script::question,
};

const MISMATCH: &str =
    "The request signature we calculated does not match the signature you provided.";

#[tokio::test]
async fn a_request_carries_what_sts_needs_and_nothing_else() {
    let raw = Raw::start([Act::Send(reply(200, "", &success(ACCOUNT, ARN)))]).await;
    assert_eq!(ask(&direct(), &raw.url).await, identity());

    let request = &raw.requests()[0];
    assert_eq!(request.line, "POST / HTTP/1.1");
    assert_eq!(request.body, "Action=GetCallerIdentity&Version=2011-06-15");
    let authorization = request.header("authorization").expect("signed");
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=AKIAQRSTUVWX23456723/{}/eu-west-1/sts/aws4_request, ",
        &request.header("x-amz-date").expect("a date")[..8]
    );
    assert!(authorization.starts_with(&scope), "{authorization}");
    assert_eq!(
        request.header("user-agent"),
        Some(concat!(
            "static-aws-credentials/",
            env!("CARGO_PKG_VERSION")
        ))
    );
    let mut names: Vec<_> = request
        .headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "amz-sdk-invocation-id",
            "amz-sdk-request",
            "authorization",
            "content-length",
            "content-type",
            "host",
            "user-agent",
            "x-amz-date",
        ],
        "no token, no accept-encoding, nothing of the environment"
    );
}

#[tokio::test]
async fn the_endpoint_of_the_operator_replaces_that_of_the_region() {
    let (ours, theirs) = (
        Raw::start([Act::Send(reply(200, "", &success(ACCOUNT, ARN)))]).await,
        Raw::start([Act::Close]).await,
    );
    let endpoint = parse_endpoint(&ours.url).expect("loopback");
    let client = at_endpoint(endpoint);
    assert_eq!(ask(&client, &theirs.url).await, identity());
    assert_eq!((ours.requests().len(), theirs.requests().len()), (1, 0));
}

#[tokio::test]
async fn each_call_is_signed_with_its_own_pair() {
    let raw = Raw::start([Act::Send(reply(200, "", &success(ACCOUNT, ARN)))]).await;
    let client = direct();
    let ids = [
        "AKIA1111111111111111",
        "AKIA2222222222222222",
        "AKIA3333333333333333",
    ];
    let calls = ids.map(|id| {
        client.get_caller_identity(CallerIdentityRequest {
            endpoint: raw.url.clone(),
            ..question(id)
        })
    });
    futures::future::join_all(calls).await;
    let mut signed: Vec<_> = raw
        .requests()
        .iter()
        .filter_map(|request| {
            let (_, scope) = request.header("authorization")?.split_once("Credential=")?;
            Some(scope.split_once('/')?.0.to_owned())
        })
        .collect();
    signed.sort_unstable();
    assert_eq!(signed, ids);
}

#[tokio::test]
async fn s1_errors_as_sts_words_them() {
    let rows = [
        (
            403,
            "InvalidClientTokenId",
            "The security token included in the request is invalid.",
            Answer::UnknownKey,
        ),
        (
            403,
            "SignatureDoesNotMatch",
            MISMATCH,
            Answer::SignatureMismatch,
        ),
        (
            403,
            "ExpiredToken",
            "The security token included in the request is expired",
            Answer::Expired,
        ),
        (
            403,
            "RegionDisabledException",
            "off",
            Answer::Undetermined(RegionDisabled),
        ),
        (
            403,
            "OptInRequired",
            "subscribe",
            Answer::Undetermined(OptInRequired),
        ),
        (
            403,
            "AccessDenied",
            "denied",
            Answer::Undetermined(StsAccessDenied),
        ),
        (
            400,
            "RequestExpired",
            "late",
            Answer::Undetermined(ClockSkew),
        ),
        (
            403,
            "SignatureDoesNotMatch",
            "Signature expired: a is now earlier than b",
            Answer::Undetermined(ClockSkew),
        ),
        (
            403,
            "SignatureDoesNotMatch",
            "Credential should be scoped to a valid region.",
            Answer::Undetermined(StsRegionMismatch),
        ),
    ];
    for (status, code, message, answer) in rows {
        assert_eq!(
            answer_to_body(status, &failure(code, message)).await,
            answer,
            "{code}"
        );
    }
}

#[tokio::test]
async fn s2_throttling_is_not_answered_by_asking_again() {
    for (status, code) in [
        (400, "Throttling"),
        (400, "ThrottlingException"),
        (503, "SlowDown"),
        (429, "TooManyRequestsException"),
    ] {
        let answer = answer_to_body(status, &failure(code, "Rate exceeded")).await;
        assert_eq!(
            answer,
            Answer::Undetermined(StsThrottled),
            "{status} {code}"
        );
    }
}

/// The server's clock is ahead: the SDK signs again with the server's time, and only once.
#[tokio::test]
async fn s6_a_wrong_clock_is_corrected() {
    let http_date = "date: Mon, 05 Jan 2032 10:30:00 GMT\r\n";
    let expired = failure(
        "SignatureDoesNotMatch",
        "Signature expired: a is now earlier than b",
    );
    let refusal = Act::Send(reply(403, http_date, &expired));
    let accepted = Act::Send(reply(200, http_date, &success(ACCOUNT, ARN)));
    let raw = Raw::start([refusal.clone(), accepted]).await;
    let client = direct();
    assert_eq!(ask(&client, &raw.url).await, identity());
    assert_eq!(ask(&client, &raw.url).await, identity());
    let dates: Vec<_> = raw
        .requests()
        .iter()
        .map(|request| {
            request
                .header("x-amz-date")
                .map(|date| date[..11].to_owned())
        })
        .collect();
    assert_eq!(dates.len(), 3, "{dates:?}");
    assert_ne!(dates[0].as_deref(), Some("20320105T10"));
    assert_eq!(dates[1].as_deref(), Some("20320105T10"));
    assert_eq!(
        dates[2], dates[1],
        "later calls start from what was learned"
    );

    let raw = Raw::start([refusal]).await;
    let answer = ask(&direct(), &raw.url).await;
    assert_eq!(
        (answer, raw.requests().len()),
        (Answer::Undetermined(ClockSkew), 2)
    );
}

#[tokio::test]
async fn a12_control_characters_are_never_signed() {
    let raw = Raw::start([Act::Send(reply(200, "", &success(ACCOUNT, ARN)))]).await;
    let client = direct();
    for (id, secret) in [
        ("AKIAQRSTUVWX23456723\n", "secret"),
        ("AKIA\u{0}RSTUVWX23456723", "secret"),
        ("AKIAQRSTUVWX23456723", "sec\rret"),
    ] {
        let mut question = at(&raw.url);
        question.pair = Arc::new(KeyPair {
            access_key_id: SecretText::new(id.to_owned()),
            secret_access_key: SecretText::new(secret.to_owned()),
        });
        let answer = client.get_caller_identity(question).await.answer;
        assert_eq!(
            answer,
            Answer::Undetermined(StsUnexpectedResponse),
            "{id:?}"
        );
    }
    assert_eq!(raw.requests().len(), 0);
}
