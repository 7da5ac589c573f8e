//! `ListBuckets`, signed: the cheapest request that every store answers with a verdict on the pair.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, ensure};
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{PayloadChecksumKind, SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_xml::decode::{Document, try_data};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, body::Bytes};
use tokio::time::timeout;

use crate::{http_client::http_client, moto::KeyPair};

const DEADLINE: Duration = Duration::from_secs(30);
/// A store may ignore `max-buckets`.
const LONGEST: usize = 64 << 10;

/// The request, and who signs it.
#[derive(Clone, Copy, Debug)]
pub struct ListBuckets<'a> {
    pair: &'a KeyPair,
    region: &'a str,
    time: SystemTime,
}

/// What a store answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The name of the root element: `ListAllMyBucketsResult`, or `Error`.
    pub root: String,
    /// The code of an error.
    pub code: Option<String>,
    /// The message of an error.
    pub message: Option<String>,
}

impl<'a> ListBuckets<'a> {
    /// The request with this pair, now and in `us-east-1`.
    #[must_use]
    pub fn new(pair: &'a KeyPair) -> Self {
        Self {
            pair,
            region: "us-east-1",
            time: SystemTime::now(),
        }
    }

    /// The same, signed for another region.
    #[must_use]
    pub fn in_region(self, region: &'a str) -> Self {
        Self { region, ..self }
    }

    /// The same, signed at another time.
    #[must_use]
    pub fn signed_at(self, time: SystemTime) -> Self {
        Self { time, ..self }
    }

    /// Sends it to the store at this URL, which ends without a slash.
    ///
    /// # Errors
    /// If the store does not answer, or with something that is no XML.
    pub async fn send(&self, url: &str) -> Result<Answer> {
        let request = self.signed(url)?;
        let exchange = async {
            let response = http_client("")?.request(request).await?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), LONGEST).collect().await;
            let body = body.map_err(|error| anyhow::anyhow!(error))?.to_bytes();
            Answer::read(status, &body)
        };
        timeout(DEADLINE, exchange)
            .await
            .context("the store does not answer")?
    }

    fn signed(&self, url: &str) -> Result<Request<Full<Bytes>>> {
        let uri = format!("{url}/?max-buckets=1");
        let credentials = Credentials::new(&self.pair.id, &self.pair.secret, None, None, "test");
        let identity = credentials.into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name("s3")
            .time(self.time)
            .settings(settings)
            .build()?
            .into();
        let body = SignableBody::Bytes(&[]);
        let signable = SignableRequest::new("GET", &uri, std::iter::empty(), body)?;
        let (signature, _) = sign(signable, &params)?.into_parts();
        let mut request = Request::get(&uri).body(Full::default())?;
        signature.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

impl Answer {
    fn read(status: u16, body: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(body)?;
        let context = || format!("status {status} with no XML: {text:?}");
        let mut document = Document::new(text);
        let mut root = document.root_element().with_context(context)?;
        let mut answer = Self {
            status,
            root: root.start_el().local().to_owned(),
            code: None,
            message: None,
        };
        while let Some(mut element) = root.next_tag() {
            let kept = match element.start_el().local() {
                "Code" => &mut answer.code,
                "Message" => &mut answer.message,
                _ => continue,
            };
            let value = try_data(&mut element).with_context(context)?;
            ensure!(kept.is_none(), "an element is there twice: {text}");
            *kept = Some(value.into_owned());
        }
        Ok(answer)
    }

    /// Whether the store has listed buckets.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status == 200 && self.root == "ListAllMyBucketsResult"
    }
}

/// `403 InvalidAccessKeyId`, or the root element if there is no code.
impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.code.as_ref().unwrap_or(&self.root);
        write!(f, "{} {what}", self.status)
    }
}
