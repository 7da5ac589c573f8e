//! What each store answers, and what follows from the answers. The bodies have the form of the store's own.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use super::{Outcome::*, *};
use crate::{api::Reason::*, s3::xml};

const BUCKETS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<ListAllMyBucketsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>a</ID></Owner><Buckets></Buckets></ListAllMyBucketsResult>"#;
const HTML: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>";

fn error(code: &str, message: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
         <Resource>/</Resource><RequestId>17E4</RequestId></Error>"
    )
}

fn bare(code: &str, message: &str) -> String {
    format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>")
}

fn of(status: u16, body: &str) -> Outcome {
    let body = body.as_bytes();
    classify(Exchange::Reply { status, body })
}

/// Store, status, code and message of an error, and the outcome.
const ERRORS: &str = "
    AWS | 403 | AccessDenied | User: arn:aws:iam::1:user/a is not authorized | AccessDenied
    AWS | 403 | InvalidAccessKeyId | The Access Key Id you provided does not exist in our records. | UnknownKey
    AWS | 403 | SignatureDoesNotMatch | The request signature we calculated does not match the signature you provided. | WrongSignature
    AWS | 403 | RequestTimeTooSkewed | The difference is too large. | ClockSkew
    AWS | 400 | AuthorizationHeaderMalformed | The authorization header is malformed; the region 'us-east-1' is wrong | Region
    AWS | 301 | PermanentRedirect | The bucket must be addressed elsewhere | Region
    AWS | 307 | TemporaryRedirect | Please re-send | Region
    AWS | 400 | IllegalLocationConstraintException | The constraint is wrong | Region
    AWS | 503 | SlowDown | Please reduce your request rate. | Throttled
    AWS | 500 | InternalError | Please try again. | Unavailable
    MinIO | 403 | AccessDenied | Access Denied. | AccessDenied
    MinIO | 403 | InvalidAccessKeyId | Your account is disabled | UnknownKey
    MinIO | 403 | InvalidAccessKeyId | The Access Key Id you provided does not exist in our records. | UnknownKey
    MinIO | 403 | SignatureDoesNotMatch | The request signature we calculated does not match the signature you provided. | WrongSignature
    MinIO | 503 | XMinioServerNotInitialized | Server not initialized | Unavailable
    MinIO | 403 | XMinioIAMNotInitialized | IAM not initialized | Unavailable
    MinIO | 400 | InvalidParameterValue | Unsupported action | Unexpected
    MinIO | 503 | SlowDownRead | Resource requested is unreadable | Unavailable
    SeaweedFS | 403 | InvalidAccessKeyId | The Access Key Id you provided does not exist in our records. | UnknownKey
    SeaweedFS | 403 | SignatureDoesNotMatch | The request signature we calculated does not match the signature you provided. | WrongSignature
    SeaweedFS | 403 | AccessDenied | Access Denied. | AccessDenied
    SeaweedFS | 403 | RequestTimeTooSkewed | The difference is too large. | ClockSkew
    versitygw | 403 | InvalidAccessKeyId | The Access Key Id you provided does not exist in our records. | UnknownKey
    versitygw | 403 | SignatureDoesNotMatch | The request signature we calculated does not match the signature you provided. | WrongSignature
    versitygw | 400 | AuthorizationHeaderMalformed | The authorization header is malformed; the region 'us-east-1' is wrong | Region
    Ceph | 403 | InvalidAccessKeyId |  | UnknownKey
    Ceph | 403 | SignatureDoesNotMatch |  | WrongSignature
    Ceph | 403 | AccessDenied |  | AccessDenied
    Ceph | 403 | RequestTimeTooSkewed |  | ClockSkew
    Garage | 403 | AccessDenied | Forbidden: No such key: GK31c2f218a2e44f485b94239e | AccessDenied
    Garage | 403 | AccessDenied | Forbidden: Invalid signature | AccessDenied
    Garage | 400 | InvalidRequest | Bad request: Date is too old | ClockSkew
    Garage | 400 | InvalidRequest | Bad request: Invalid header | Unexpected
    Garage | 400 | AuthorizationHeaderMalformed | unexpected scope | Region
    NooBaa | 403 | InvalidAccessKeyId | The Access Key Id you provided does not exist in our records. | UnknownKey
    NooBaa | 403 | SignatureDoesNotMatch | The request signature we calculated does not match the signature you provided. | WrongSignature
    NooBaa | 403 | AccessDenied | Access Denied | AccessDenied
    R2 | 401 | Unauthorized | Unauthorized | UnknownKey
    R2 | 400 | InvalidArgument | Credential access key has length 20, should be 32 | KeyForm
    R2 | 403 | SignatureDoesNotMatch | The request signature we calculated does not match the signature you provided. | WrongSignature
    R2 | 403 | AccessDenied | Access Denied | AccessDenied
    R2 | 400 | InvalidRegionName | The region name 'us-west-2' is not valid. | Unexpected
    B2 | 403 | InvalidAccessKeyId | The key 'a' is not valid | UnknownKey
    B2 | 403 | SignatureDoesNotMatch | Signature validation failed | WrongSignature
    B2 | 403 | AccessDenied | not entitled | AccessDenied
    B2 | 503 | ServiceUnavailable | no tomes available | Unavailable
    Wasabi | 403 | InvalidAccessKeyId | The Access Key Id you provided does not exist in our records. | UnknownKey
    Wasabi | 403 | SignatureDoesNotMatch | The request signature we calculated does not match the signature you provided. | WrongSignature
    Wasabi | 403 | AccessDenied | Access Denied. | AccessDenied
    StorageGRID | 403 | InvalidAccessKeyId | The Access Key Id you provided does not exist in our records. | UnknownKey
    HCP | 403 | SignatureDoesNotMatch | The request signature we calculated does not match the signature you provided. | WrongSignature
    ECS | 403 | InvalidAccessKeyId | The Access Key Id you provided does not exist in our records. | UnknownKey
    ECS | 403 | SignatureDoesNotMatch | The request signature we calculated does not match the signature you provided. | WrongSignature
";

#[test]
fn every_error_of_a_store_is_understood() {
    let rows = ERRORS.lines().filter(|line| !line.is_empty());
    for row in rows {
        let fields: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, status, code, message, expected] = fields.as_slice() else {
            panic!("{row}");
        };
        let status = status.parse().unwrap();
        for body in [error(code, message), bare(code, message)] {
            let outcome = of(status, &body);
            assert_eq!(format!("{outcome:?}"), *expected, "{row}");
        }
    }
}

#[test]
fn every_other_answer_of_a_store_is_understood() {
    let empty = "<ListAllMyBucketsResult><Owner/><Buckets/></ListAllMyBucketsResult>";
    let suspended = "<Error><Code>UserSuspended</Code><Message/><HostId>a</HostId></Error>";
    let table = [
        ("AWS", 200, BUCKETS, Success),
        ("MinIO", 200, BUCKETS, Success),
        ("MinIO console", 200, HTML, Foreign),
        ("SeaweedFS", 200, empty, Success),
        ("versitygw", 200, BUCKETS, Success),
        ("Ceph", 200, empty, Success),
        ("Ceph", 403, suspended, UnknownKey),
        ("Garage", 200, BUCKETS, Success),
        ("R2", 200, BUCKETS, Success),
    ];
    for (store, status, body, expected) in table {
        assert_eq!(of(status, body), expected, "{store}: {status} {body}");
    }
}

/// Status, body, and the outcome.
const OTHERS: &str = r#"
    429 |  | Throttled
    429 | HTML | Throttled
    408 |  | Unavailable
    502 | HTML | Unavailable
    503 |  | Unavailable
    501 | HTML | Foreign
    501 | <Error><Code>NotImplemented</Code></Error> | Unexpected
    200 | HTML | Foreign
    200 | <html xmlns="http://www.w3.org/1999/xhtml"></html> | Foreign
    200 |  | Foreign
    200 | {} | Foreign
    200 | ok | Foreign
    204 |  | Foreign
    201 | BUCKETS | Unexpected
    403 | BUCKETS | Unexpected
    403 | HTML | Foreign
    403 |  | Foreign
    401 | HTML | Foreign
    404 | HTML | Foreign
    404 | <Error><Code>NoSuchBucket</Code></Error> | Unexpected
    403 | <Error><Code>Unauthorized</Code></Error> | Unexpected
    301 | HTML | Foreign
    302 |  | Foreign
    308 | <Error><Code>Redirect</Code></Error> | Region
    200 | <Error><Code>AccessDenied</Code></Error> | Unexpected
    200 | <Error><Code>InvalidAccessKeyId</Code></Error> | Unexpected
    500 | <Error><Code>InvalidAccessKeyId</Code></Error> | Unavailable
    404 | <Error><Code>InvalidAccessKeyId</Code></Error> | Unexpected
    404 | <Error><Code>AccessDenied</Code></Error> | Unexpected
    200 | <ListBucketResult></ListBucketResult> | Unexpected
    403 | <ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse> | Unexpected
    400 | <Error><Code>Throttling</Code></Error> | Throttled
"#;

#[test]
fn what_is_no_judgement_about_the_pair_is_none() {
    for row in OTHERS.lines().filter(|line| !line.is_empty()) {
        let fields: Vec<&str> = row.split('|').map(str::trim).collect();
        let [status, body, expected] = fields.as_slice() else {
            panic!("{row}");
        };
        let body = match *body {
            "HTML" => HTML,
            "BUCKETS" => BUCKETS,
            body => body,
        };
        let outcome = of(status.parse().unwrap(), body);
        assert_eq!(format!("{outcome:?}"), *expected, "{row}");
    }
    for (message, expected) in [
        (
            "Signature expired: 1 is now earlier than 2",
            Outcome::ClockSkew,
        ),
        (
            "Signature not yet current: 2 is still later than 1",
            Outcome::ClockSkew,
        ),
        ("Credential should be scoped to a valid region.", Region),
    ] {
        let body = error("SignatureDoesNotMatch", message);
        assert_eq!(of(403, &body), expected, "{message}");
    }
    assert_eq!(classify(Exchange::Unreachable), Unreachable);
    assert_eq!(classify(Exchange::Unreadable), Foreign);
    assert_eq!(classify(Exchange::Unsendable), Unexpected);
}

#[test]
fn an_error_with_two_readings_has_none() {
    for body in [
        "<!DOCTYPE Error><Error><Code>AccessDenied</Code></Error>",
        "<!--a--><Error><Code>AccessDenied</Code></Error>",
        "<Error><!--<Code>a</Code>--><Code>AccessDenied</Code></Error>",
        "<Error><Code><![CDATA[AccessDenied]]></Code></Error>",
        "<Error><Code>AccessDenied</Code><Code>InvalidAccessKeyId</Code></Error>",
        "<Error><Code>AccessDenied</Code><a:Code>AccessDenied</a:Code></Error>",
        "<Error><Code/><Code>AccessDenied</Code></Error>",
        "<Error><Code>Access<b/>AccessDenied</Code></Error>",
        "<Error><Code>AccessDenied</Code><Message>a</Message><Message>b</Message></Error>",
        "<Error><a><Code>AccessDenied</Code></a></Error>",
        "<Error><Code>AccessDenied</Code>",
        "<Error><Code>AccessDenied</Error></Code>",
        "<Error><Code>AccessDenied</Code></Error><Error/>",
        "<Error><Code>AccessDenied</Code></Error>text",
        "<Error><?a?><Code>AccessDenied</Code></Error>",
        "<Error/>",
        "<Error>",
        "< Error><Code>AccessDenied</Code></Error>",
        "</Error>",
        "<Error <Code>AccessDenied</Code></Error>",
        "<Error><Code>AccessDenied",
        "<Error><Code>Access\u{0}Denied</Code></Error>",
    ] {
        let outcome = of(403, body);
        assert!(
            matches!(outcome, Unexpected | Foreign),
            "{outcome:?} of {body}"
        );
    }
}

#[test]
fn an_error_has_its_one_reading() {
    for body in [
        "<Error><Code>AccessDenied</Code></Error>",
        "\u{feff}<?xml version=\"1.0\"?>\r\n<Error>\r\n  <Code>AccessDenied</Code>\r\n</Error>\r\n",
        "<Error xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Code>AccessDenied</Code></Error>",
        "<s3:Error xmlns:s3='a>b'><s3:Code a=\"/\">AccessDenied</s3:Code></s3:Error>",
        "<Error><Detail><Code>a</Code><Code>b</Code></Detail><Code>AccessDenied</Code><Message/></Error>",
    ] {
        assert_eq!(of(403, body), AccessDenied, "{body}");
    }
    let body = "<Error><Message>a &lt;Code&gt;</Message><Code> AccessDenied </Code></Error>";
    let (code, message) = ("AccessDenied", "a &lt;Code&gt;");
    assert_eq!(
        xml::read(body.as_bytes()),
        Document::Error { code, message }
    );
}

#[test]
fn a_list_is_known_by_its_beginning() {
    let list = format!(
        "{}<Bucket><Name>ä",
        BUCKETS
            .split_once("</Owner>")
            .map_or("", |(before, _)| before)
    );
    for end in 1..3 {
        let body = list.as_bytes().get(..list.len() - end).unwrap_or_default();
        assert_eq!(classify(Exchange::Reply { status: 200, body }), Success);
    }
    for body in [
        "<ListAllMyBucketsResult",
        "<ListAllMyBucketsResultOfAnother>",
        "</ListAllMyBucketsResult>",
        "ListAllMyBucketsResult",
        "<!--<ListAllMyBucketsResult>-->",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><ListAllMyBucketsResult>",
        "<html><ListAllMyBucketsResult></ListAllMyBucketsResult></html>",
        "<a><ListAllMyBucketsResult></ListAllMyBucketsResult></a>",
    ] {
        assert_ne!(of(200, body), Success, "{body}");
    }
}

#[test]
fn each_outcome_has_its_answer() {
    let table = [
        (Success, Answer::Authenticated),
        (AccessDenied, Answer::Undetermined(EndpointInconclusive)),
        (UnknownKey, Answer::UnknownKey),
        (WrongSignature, Answer::SignatureMismatch),
        (Outcome::ClockSkew, Answer::Undetermined(Reason::ClockSkew)),
        (Region, Answer::Undetermined(EndpointRegionMismatch)),
        (Throttled, Answer::Undetermined(EndpointThrottled)),
        (KeyForm, Answer::Undetermined(EndpointUnexpectedResponse)),
        (Unexpected, Answer::Undetermined(EndpointUnexpectedResponse)),
        (Foreign, Answer::Outage(EndpointUnexpectedResponse)),
        (Unavailable, Answer::Outage(EndpointUnavailable)),
        (Unreachable, Answer::Outage(EndpointUnreachable)),
    ];
    for (outcome, answer) in table {
        assert_eq!(outcome.answer(), answer);
        let after_denial = match outcome {
            UnknownKey | WrongSignature => Answer::Authenticated,
            Success => Answer::Undetermined(EndpointAcceptsAnything),
            _ => answer,
        };
        assert_eq!(weigh_denial(outcome), after_denial, "{outcome:?}");
    }
}
