//! The request to a store: `ListBuckets`, signed with a pair, over the HTTP connector of the client of STS.

use std::{sync::Arc, time::SystemTime};

use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningParams,
        SigningSettings, UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        http::{HttpConnector, SharedHttpConnector},
        identity::Identity,
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
};
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;

use super::{
    classify::{Exchange, Outcome, classify},
    proof::Ask,
};
use crate::{
    domain::{pair::KeyPair, place::Store},
    sts::{DEADLINE, LIMIT, TrustedCa, USER_AGENT, credentials, direct_connector},
};

/// Sends requests to one store: no redirect, no proxy, no setting of the environment except `SSL_CERT_FILE`.
#[derive(Debug)]
pub(super) struct HttpStore {
    store: Arc<Store>,
    connector: SharedHttpConnector,
}

/// A reply, as far as its body is read.
struct Reply {
    status: u16,
    body: Vec<u8>,
}

impl HttpStore {
    pub(super) fn new(store: Arc<Store>, ca: Option<&TrustedCa>) -> Self {
        let connector = direct_connector(ca);
        Self { store, connector }
    }

    async fn exchange(&self, request: HttpRequest) -> Result<Reply, ConnectorError> {
        let mut reply = self.connector.call(request).await?;
        let status = reply.status().as_u16();
        let body = beginning(&mut reply).await?;
        Ok(Reply { status, body })
    }

    /// The request, with all of its headers.
    fn signed(&self, pair: &KeyPair, time: SystemTime) -> Result<HttpRequest, BoxError> {
        if !pair.access_key_id.expose_secret().is_ascii() {
            return Err("an access key ID that no header can carry".into());
        }
        let url = self.store.url.trim_end_matches('/');
        let mut request = HttpRequest::get(format!("{url}/?max-buckets=1"))?;
        let identity = Identity::from(credentials(pair));
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.store.region)
            .name("s3")
            .time(time)
            .settings(settings)
            .build()?;
        let params = SigningParams::from(params);
        // The signer adds the header `host` with the value that the connector sends.
        let body = SignableBody::Bytes(&[]);
        let signable = SignableRequest::new("GET", request.uri(), std::iter::empty(), body)?;
        let (instructions, _) = sign(signable, &params)?.into_parts();
        let (signed, _) = instructions.into_parts();
        let headers = request.headers_mut();
        for header in signed {
            headers.try_insert(header.name(), header.value().to_owned())?;
        }
        headers.try_insert("user-agent", USER_AGENT)?;
        Ok(request)
    }
}

impl Ask for HttpStore {
    async fn ask(&self, pair: &KeyPair) -> Outcome {
        let Ok(request) = self.signed(pair, SystemTime::now()) else {
            return classify(Exchange::Unsendable);
        };
        let reply = tokio::time::timeout(DEADLINE, self.exchange(request)).await;
        classify(match &reply {
            Ok(Ok(Reply { status, body })) => Exchange::Reply {
                status: *status,
                body,
            },
            // No connection error and no timeout: the reply is not HTTP.
            Ok(Err(error)) if error.is_other() && error.as_other().is_none() => {
                Exchange::Unreadable
            }
            Ok(Err(_)) | Err(_) => Exchange::Unreachable,
        })
    }
}

/// The first 64 KiB of a body. The connection is closed if more follows.
async fn beginning(reply: &mut HttpResponse) -> Result<Vec<u8>, ConnectorError> {
    let mut body = std::mem::replace(reply.body_mut(), SdkBody::taken());
    let mut read = Vec::new();
    while read.len() < LIMIT
        && let Some(frame) = body.frame().await
    {
        let frame = frame.map_err(ConnectorError::io)?;
        if let Some(data) = frame.data_ref() {
            read.extend(data.iter().take(LIMIT - read.len()));
        }
    }
    Ok(read)
}
