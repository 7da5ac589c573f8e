//! Signature Version 4 as its specification describes it, without the library of the client.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::server::Head;

/// Fails unless the request is signed with the pair for `s3` in the region.
pub(super) fn check(head: &Head, id: &str, secret: &str, region: &str) {
    let header = |name: &str| head.headers[name].as_str();
    let empty = hex(&Sha256::digest([]));
    assert_eq!(header("x-amz-content-sha256"), empty);
    let time = header("x-amz-date");
    let date = &time[..8];
    let scope = format!("{date}/{region}/s3/aws4_request");
    let signed = "host;x-amz-content-sha256;x-amz-date";
    let host = header("host");
    let canonical = format!(
        "GET\n/\nmax-buckets=1\nhost:{host}\nx-amz-content-sha256:{empty}\nx-amz-date:{time}\n\n{signed}\n{empty}"
    );
    let digest = hex(&Sha256::digest(canonical));
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [date, region, "s3", "aws4_request"] {
        key = hmac(&key, part);
    }
    let signature = hex(&hmac(&key, &text));
    let expected = format!(
        "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}"
    );
    assert_eq!(header("authorization"), expected);
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let padded = |pad: u8| -> Vec<u8> {
        let zeros = std::iter::repeat(&0);
        let bytes = key.iter().chain(zeros).take(64);
        bytes.map(|byte| byte ^ pad).collect()
    };
    let inner = Sha256::digest([padded(0x36), text.into()].concat());
    Sha256::digest([padded(0x5c), inner.to_vec()].concat()).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}
