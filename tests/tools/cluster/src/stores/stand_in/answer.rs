//! The answers of the stand-in, in the words of real stores.

use hyper::{
    Response, StatusCode,
    header::{HeaderName, HeaderValue},
};

use crate::http_server::{Body, full};

/// One answer of the stand-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers by name.
    pub headers: Vec<(String, String)>,
    /// The body, where `{id}` stands for the access key ID of the request.
    pub body: String,
}

impl Answer {
    /// A body of XML.
    #[must_use]
    pub fn xml(status: u16, body: &str) -> Self {
        let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}");
        Self::empty(status)
            .with_header("content-type", "application/xml")
            .with_body(&body)
    }

    /// An error as AWS words it. The message is inserted without escaping.
    #[must_use]
    pub fn error(status: u16, code: &str, message: &str) -> Self {
        Self::detailed(status, code, message, "")
    }

    /// No body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// A page of HTML, as from a gateway before the store.
    #[must_use]
    pub fn html(status: u16) -> Self {
        Self::empty(status)
            .with_header("content-type", "text/html")
            .with_body("<!DOCTYPE html><html><body><h1>Please sign in</h1></body></html>\n")
    }

    /// A list without buckets: the answer to a pair with rights.
    #[must_use]
    pub fn buckets() -> Self {
        Self::xml(
            200,
            "<ListAllMyBucketsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
             <Owner><ID>owner</ID></Owner><Buckets/></ListAllMyBucketsResult>",
        )
    }

    /// AWS and MinIO: a right pair without rights.
    #[must_use]
    pub fn access_denied() -> Self {
        Self::error(403, "AccessDenied", "Access Denied.")
    }

    /// AWS and MinIO: an ID that is unknown.
    #[must_use]
    pub fn invalid_access_key_id() -> Self {
        let message = "The Access Key Id you provided does not exist in our records.";
        Self::detailed(
            403,
            "InvalidAccessKeyId",
            message,
            "<AWSAccessKeyId>{id}</AWSAccessKeyId>",
        )
    }

    /// AWS and MinIO: another secret.
    #[must_use]
    pub fn signature_does_not_match() -> Self {
        let message = "The request signature we calculated does not match the signature you \
                       provided. Check your key and signing method.";
        Self::error(403, "SignatureDoesNotMatch", message)
    }

    /// MinIO: a user who is disabled.
    #[must_use]
    pub fn minio_disabled() -> Self {
        let message = "Your account is disabled; please contact your administrator.";
        Self::error(403, "InvalidAccessKeyId", message)
    }

    /// Garage: an ID that is unknown. The code is that of a pair without rights.
    #[must_use]
    pub fn garage_unknown_id() -> Self {
        Self::garage("Forbidden: No such key: {id}")
    }

    /// Garage: another secret. The code is that of a pair without rights.
    #[must_use]
    pub fn garage_wrong_secret() -> Self {
        Self::garage("Forbidden: Invalid signature")
    }

    fn garage(message: &str) -> Self {
        Self::detailed(403, "AccessDenied", message, "<Region>garage</Region>")
    }

    /// R2: a pair that is revoked or unknown.
    #[must_use]
    pub fn r2_unauthorized() -> Self {
        Self::error(401, "Unauthorized", "Unauthorized")
    }

    /// Ceph: a user who is suspended. Ceph sends no message.
    #[must_use]
    pub fn ceph_user_suspended() -> Self {
        Self::xml(
            403,
            "<Error><Code>UserSuspended</Code><RequestId>tx0</RequestId></Error>",
        )
    }

    /// Too many requests.
    #[must_use]
    pub fn slow_down() -> Self {
        Self::error(503, "SlowDown", "Please reduce your request rate.")
    }

    /// A redirect to another region. AWS sends no `Location`.
    #[must_use]
    pub fn moved_to_region(region: &str) -> Self {
        let message = "The bucket you are attempting to access must be addressed using the \
                       specified endpoint.";
        let endpoint = format!("<Endpoint>s3.{region}.amazonaws.com</Endpoint>");
        Self::detailed(301, "PermanentRedirect", message, &endpoint)
            .with_header("x-amz-bucket-region", region)
    }

    /// The request was signed for the region `signed`, and the store is in `expected`.
    #[must_use]
    pub fn wrong_region(signed: &str, expected: &str) -> Self {
        let message = format!(
            "The authorization header is malformed; the region '{signed}' is wrong; expecting \
             '{expected}'"
        );
        let region = format!("<Region>{expected}</Region>");
        Self::detailed(400, "AuthorizationHeaderMalformed", &message, &region)
    }

    /// The same answer with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn with_body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    fn detailed(status: u16, code: &str, message: &str, details: &str) -> Self {
        let body = format!(
            "<Error><Code>{code}</Code><Message>{message}</Message>{details}\
             <Resource>/</Resource><RequestId>0000000000000000</RequestId></Error>"
        );
        Self::xml(status, &body)
    }

    pub(super) fn response(&self, key_id: &str) -> Response<Body> {
        let key_id = key_id.replace('&', "&amp;").replace('<', "&lt;");
        let mut response = Response::new(full(self.body.replace("{id}", &key_id)));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name);
            if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// The answers of a kind of store to pairs that are wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals {
    /// The answer to an ID that is not in the table.
    pub unknown_id: Answer,
    /// The answer to a signature with another secret.
    pub wrong_secret: Answer,
}

impl Refusals {
    /// AWS, MinIO, Ceph, SeaweedFS and versitygw: a code for each.
    #[must_use]
    pub fn minio() -> Self {
        Self {
            unknown_id: Answer::invalid_access_key_id(),
            wrong_secret: Answer::signature_does_not_match(),
        }
    }

    /// Garage: only the messages differ.
    #[must_use]
    pub fn garage() -> Self {
        Self {
            unknown_id: Answer::garage_unknown_id(),
            wrong_secret: Answer::garage_wrong_secret(),
        }
    }
}
