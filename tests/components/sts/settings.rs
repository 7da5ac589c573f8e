//! Settings: the endpoint, its CA, the rate; and the key under which a pair is cached.

use std::num::NonZeroU32;

use static_aws_credentials::{
    domain::{
        fingerprint::FingerprintKey,
        pair::{KeyPair, SecretText},
    },
    sts::{CaError, Rate, TrustedCa, parse_endpoint},
};

#[test]
fn endpoints_that_a_signed_request_may_go_to() {
    for (text, endpoint) in [
        ("https://sts.example.com", "https://sts.example.com"),
        ("https://sts.example.com/", "https://sts.example.com"),
        (
            "https://sts.example.com:8443",
            "https://sts.example.com:8443",
        ),
        ("HTTPS://sts.example.com", "https://sts.example.com"),
        ("https://10.0.0.1:443", "https://10.0.0.1:443"),
        ("https://[2001:db8::1]:443/", "https://[2001:db8::1]:443"),
        ("http://127.0.0.1:5555", "http://127.0.0.1:5555"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:80", "http://[::1]:80"),
        ("http://localhost:5555/", "http://localhost:5555"),
        (
            "https://sts.{region}.vpce.example.com:8443/",
            "https://sts.{region}.vpce.example.com:8443",
        ),
    ] {
        let parsed = parse_endpoint(text).map(|parsed| parsed.to_string());
        assert_eq!(parsed, Ok(endpoint.to_owned()), "{text}");
    }
}

#[test]
fn a_pattern_is_an_endpoint_for_each_region() {
    let pattern =
        parse_endpoint("https://vpce-1.sts.{region}.vpce.amazonaws.com").expect("a pattern");
    assert_eq!(
        pattern.of("eu-west-1"),
        "https://vpce-1.sts.eu-west-1.vpce.amazonaws.com"
    );
    let one = parse_endpoint("https://sts.example.com").expect("an endpoint");
    assert_eq!(one.of("eu-west-1"), "https://sts.example.com");
}

#[test]
fn endpoints_that_a_signed_request_may_not_go_to() {
    for (text, complaint) in [
        ("", "URL"),
        ("sts.example.com", "begin with https://"),
        ("/", "begin with https://"),
        ("https://", "URL"),
        ("https:///path", "URL"),
        ("https://a b", "URL"),
        ("https://sts.example.com\n", "URL"),
        ("ftp://sts.example.com", "begin with https://"),
        ("unix:///run/sts.sock", "URL"),
        ("http://sts.example.com", "loopback"),
        ("http://10.0.0.1", "loopback"),
        ("http://0.0.0.0:80", "loopback"),
        ("http://127.1", "loopback"),
        ("http://2130706433", "loopback"),
        ("http://localhost.example.com", "loopback"),
        ("http://127.0.0.1.example.com", "loopback"),
        ("http://[::ffff:10.0.0.1]", "loopback"),
        ("http://127.0.0.1@example.com", "user name"),
        ("https://user:hunter2@sts.example.com", "user name"),
        ("https://sts.example.com:https", "port"),
        ("https://sts.example.com:65536", "port"),
        ("https://sts.example.com:", "port"),
        ("http://[::1]:x", "port"),
        ("http://[::1]:+5", "port"),
        ("https://sts.example.com/path", "path"),
        ("https://sts.example.com?Action=x", "query"),
        ("https://sts.example.com/#f", "fragment"),
        ("https://sts.{zone}.example.com", "URL"),
        ("https://sts.example.com:{region}", "port"),
        ("https://sts.example.com/{region}", "path"),
        ("{region}://sts.example.com", "begin with https://"),
        ("http://{region}", "loopback"),
    ] {
        let error = parse_endpoint(text).expect_err(text);
        assert!(error.contains(complaint), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_file_that_is_no_ca_is_refused_and_never_a_panic() {
    let pem =
        |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    assert!(matches!(
        TrustedCa::from_pem(Vec::new()),
        Err(CaError::Empty)
    ));
    assert!(matches!(
        TrustedCa::from_pem(b"hello".to_vec()),
        Err(CaError::Empty)
    ));
    let no_certificate = "-----BEGIN PUBLIC KEY-----\naGVsbG8=\n-----END PUBLIC KEY-----\n";
    assert!(matches!(
        TrustedCa::from_pem(no_certificate.into()),
        Err(CaError::Empty)
    ));
    assert!(matches!(
        TrustedCa::from_pem(pem("!!!").into()),
        Err(CaError::NotPem(_))
    ));
    let cut_off = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n";
    assert!(matches!(
        TrustedCa::from_pem(cut_off.into()),
        Err(CaError::NotPem(_))
    ));
    assert!(matches!(
        TrustedCa::from_pem(pem("aGVsbG8=").into()),
        Err(CaError::Unusable(_))
    ));
}

#[test]
fn the_rate_allows_twice_as_many_at_once() {
    let rate = |n| Rate::per_second(NonZeroU32::new(n).expect("not zero"));
    assert_eq!(Rate::default(), rate(5));
    assert_eq!(rate(5).burst.get(), 10);
    assert_eq!(rate(u32::MAX).burst.get(), u32::MAX);
}

fn pair(id: &str, secret: &str) -> KeyPair {
    KeyPair {
        access_key_id: SecretText::new(id.to_owned()),
        secret_access_key: SecretText::new(secret.to_owned()),
    }
}

#[test]
fn a_pair_is_remembered_by_all_that_makes_the_answer() {
    let key = FingerprintKey::random().expect("randomness");
    let hash = key.of(&pair("AKIA1", "secret"), &["eu-west-1", "https://a"]);
    assert_eq!(
        hash,
        key.of(&pair("AKIA1", "secret"), &["eu-west-1", "https://a"])
    );
    let others = [
        key.of(&pair("AKIA2", "secret"), &["eu-west-1", "https://a"]),
        key.of(&pair("AKIA1", "Secret"), &["eu-west-1", "https://a"]),
        key.of(&pair("AKIA1", "secret"), &["eu-west-2", "https://a"]),
        key.of(&pair("AKIA1", "secret"), &["eu-west-1", "https://b"]),
        // The same concatenated bytes, split differently.
        key.of(&pair("AKIA1s", "ecret"), &["eu-west-1", "https://a"]),
        key.of(&pair("AKIA1", "secrete"), &["u-west-1", "https://a"]),
        key.of(&pair("AKIA1", "secret"), &["eu-west-1https://", "a"]),
    ];
    for (at, other) in others.iter().enumerate() {
        assert_ne!(hash, *other, "{at}");
    }
}

#[test]
fn a_hash_says_nothing_outside_its_process() {
    let of = |key: &FingerprintKey| key.of(&pair("AKIA1", "secret"), &["eu-west-1", "https://a"]);
    let (one, other) = (
        FingerprintKey::random().expect("randomness"),
        FingerprintKey::random().expect("randomness"),
    );
    assert_ne!(of(&one), of(&other));
    assert_eq!(
        format!("{:?} {one:?}", of(&one)),
        "<fingerprint> <redacted>"
    );
}
