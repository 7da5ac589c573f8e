//! An HTTP connector between the SDK and the network: it bounds the size of a reply and rejects an
//! ambiguous body before the SDK parses it.

use std::fmt;

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::HttpRequest,
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// About 100 times the size of a reply of STS, in bytes.
pub(crate) const LIMIT: usize = 64 * 1024;

/// A connector whose replies are at most [`LIMIT`] bytes long.
#[derive(Debug)]
pub(super) struct SizeLimitedHttpClient(SharedHttpConnector);

/// The reply is too large or ambiguous.
#[derive(Debug)]
struct Unreadable;

impl SizeLimitedHttpClient {
    pub(super) fn new(connector: impl HttpConnector + 'static) -> Self {
        Self(SharedHttpConnector::new(connector))
    }
}

impl HttpConnector for SizeLimitedHttpClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let reply = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let mut reply = reply.await?;
            let body = std::mem::replace(reply.body_mut(), SdkBody::taken());
            let body = match Limited::new(body, LIMIT).collect().await {
                Ok(body) => body.to_bytes(),
                Err(error) if error.is::<LengthLimitError>() => return Err(unreadable()),
                Err(error) => return Err(ConnectorError::io(error)),
            };
            if reply.status().is_success() && is_ambiguous(&body) {
                return Err(unreadable());
            }
            *reply.body_mut() = SdkBody::from(body);
            Ok(reply)
        })
    }
}

/// Whether the body of a success has 2 readings: with a document type, comment or CDATA section, or with
/// a field twice, of which the SDK would take the last. Namespace prefixes are ignored, as by the SDK.
fn is_ambiguous(body: &[u8]) -> bool {
    let mut seen = [(b"Account".as_slice(), 0), (b"Arn".as_slice(), 0)];
    for tag in body.split(|byte| *byte == b'<').skip(1) {
        if tag.starts_with(b"!") {
            return true;
        }
        let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/');
        let name = tag.split(ends).next().unwrap_or_default();
        let local = name.rsplit(|byte| *byte == b':').next().unwrap_or_default();
        for (field, count) in &mut seen {
            *count += usize::from(local == *field);
        }
    }
    seen.iter().any(|(_, count)| *count > 1)
}

fn unreadable() -> ConnectorError {
    ConnectorError::other(Box::new(Unreadable), None)
}

impl fmt::Display for Unreadable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the reply is not to be read")
    }
}

impl std::error::Error for Unreadable {}
