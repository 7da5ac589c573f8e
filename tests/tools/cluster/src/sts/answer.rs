//! The answers of the stand-in, in STS's words.

use std::time::Duration;

use futures::StreamExt as _;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::{Response, StatusCode};

use crate::http_server::{Body, Cut, full};

/// The owner of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Twelve digits.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
    /// `AIDA…` for a user, the account ID for its root user.
    pub user_id: String,
}

/// One answer of the stand-in.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The identity, for any signature.
    Accept(Identity),
    /// The identity if the request was signed with this secret, as STS checks it.
    Verify {
        /// The secret access key.
        secret: String,
        /// The identity.
        identity: Identity,
    },
    /// An error as STS words it.
    Error {
        /// The HTTP status.
        status: u16,
        /// The error's code.
        code: String,
        /// The message, inserted without escaping.
        message: String,
    },
    /// Throttled, with the 400 that STS uses for it.
    Throttle,
    /// This status with a page of HTML, as from a gateway.
    Html(u16),
    /// No answer, on an open connection.
    Hang,
    /// The connection is closed instead of an answer.
    Cut,
    /// The identity, one byte at a time with this pause.
    SlowDrip(Identity, Duration),
    /// Status 200 and endless white space in the place of XML.
    Huge,
    /// A redirect (307) to this URL.
    Redirect(String),
    /// Status 200 and bytes that are not text.
    Garbage,
    /// Any other answer.
    Custom {
        /// The HTTP status.
        status: u16,
        /// Headers by name.
        headers: Vec<(String, String)>,
        /// The body.
        body: Vec<u8>,
    },
}

impl Answer {
    /// An error as STS words it.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::Error {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    /// The key ID is unknown, deleted, inactive, or not usable yet.
    #[must_use]
    pub fn unknown_key() -> Self {
        let message = "The security token included in the request is invalid.";
        Self::error(403, "InvalidClientTokenId", message)
    }

    pub(super) fn wrong_signature() -> Self {
        let message = "The request signature we calculated does not match the signature you \
                       provided. Check your AWS Secret Access Key and signing method.";
        Self::error(403, "SignatureDoesNotMatch", message)
    }
}

/// The response for an answer, which does not depend on the request any more.
pub(super) async fn respond(answer: Answer, request_id: &str) -> Result<Response<Body>, Cut> {
    let xml = |status, text: String| Ok(response(status, "text/xml", full(text)));
    match answer {
        Answer::Accept(identity) | Answer::Verify { identity, .. } => {
            xml(200, success(&identity, request_id))
        }
        Answer::Error {
            status,
            code,
            message,
        } => xml(status, failure(status, &code, &message, request_id)),
        Answer::Throttle => xml(400, failure(400, "Throttling", "Rate exceeded", request_id)),
        Answer::Html(status) => {
            let page = "<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>\n";
            Ok(response(status, "text/html", full(page)))
        }
        Answer::Hang => std::future::pending().await,
        Answer::Cut => Err(Cut),
        Answer::SlowDrip(identity, pause) => {
            let text = success(&identity, request_id).into_bytes();
            Ok(response(200, "text/xml", drip(text, pause)))
        }
        Answer::Huge => Ok(response(200, "text/xml", endless())),
        Answer::Redirect(to) => {
            let mut response = response(307, "text/plain", full(""));
            header(&mut response, "location", &to);
            Ok(response)
        }
        Answer::Garbage => {
            let bytes: Vec<u8> = (0..=255u8).rev().cycle().take(1024).collect();
            Ok(response(200, "text/xml", full(bytes)))
        }
        Answer::Custom {
            status,
            headers,
            body,
        } => {
            let mut response = response(status, "text/xml", full(body));
            for (name, value) in &headers {
                header(&mut response, name, value);
            }
            Ok(response)
        }
    }
}

fn response(status: u16, content_type: &str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    header(&mut response, "content-type", content_type);
    response
}

fn header(response: &mut Response<Body>, name: &str, value: &str) {
    use hyper::header::{HeaderName, HeaderValue};
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        response.headers_mut().insert(name, value);
    }
}

fn success(identity: &Identity, request_id: &str) -> String {
    format!(
        r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>{}</Arn>
    <UserId>{}</UserId>
    <Account>{}</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata>
    <RequestId>{request_id}</RequestId>
  </ResponseMetadata>
</GetCallerIdentityResponse>
"#,
        identity.arn, identity.user_id, identity.account
    )
}

fn failure(status: u16, code: &str, message: &str, request_id: &str) -> String {
    let fault = if status < 500 { "Sender" } else { "Receiver" };
    format!(
        r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <Error>
    <Type>{fault}</Type>
    <Code>{code}</Code>
    <Message>{message}</Message>
  </Error>
  <RequestId>{request_id}</RequestId>
</ErrorResponse>
"#
    )
}

fn drip(text: Vec<u8>, pause: Duration) -> Body {
    let bytes = futures::stream::iter(text).then(move |byte| async move {
        tokio::time::sleep(pause).await;
        Ok::<_, Cut>(Frame::data(Bytes::copy_from_slice(&[byte])))
    });
    StreamBody::new(bytes).boxed_unsync()
}

fn endless() -> Body {
    let block = Bytes::from(vec![b' '; 64 * 1024]);
    let blocks = futures::stream::repeat_with(move || Ok::<_, Cut>(Frame::data(block.clone())));
    StreamBody::new(blocks).boxed_unsync()
}
