//! AWS's own client, for calls to STS.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sdk_sts::Client;
use aws_sdk_sts::config::retry::RetryConfig;
use aws_sdk_sts::config::timeout::TimeoutConfig;
use aws_sdk_sts::config::{BehaviorVersion, Region};
use aws_sdk_sts::error::{ProvideErrorMetadata as _, SdkError};
use aws_smithy_async::time::StaticTimeSource;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};

/// The caller: its credentials, region, trust and clock.
pub struct Caller<'a> {
    pub id: &'a str,
    pub secret: &'a str,
    pub region: &'static str,
    pub ca_pem: &'a str,
    pub time: SystemTime,
    pub limit: Duration,
}

impl<'a> Caller<'a> {
    pub fn new(id: &'a str, secret: &'a str) -> Self {
        Self {
            id,
            secret,
            region: "eu-west-1",
            ca_pem: "",
            time: SystemTime::now(),
            limit: Duration::from_secs(20),
        }
    }

    /// The same, with a clock that is off.
    pub fn off_by_minutes(self, minutes: i64) -> Self {
        let shift = Duration::from_mins(minutes.unsigned_abs());
        let time = if minutes < 0 {
            self.time - shift
        } else {
            self.time + shift
        };
        Self { time, ..self }
    }

    /// The ARN, the error's status and code, or the kind of failure.
    pub async fn call(&self, url: &str) -> Result<String, String> {
        let mut trust = TrustStore::empty();
        if !self.ca_pem.is_empty() {
            trust = trust.with_pem_certificate(self.ca_pem);
        }
        let tls = TlsContext::builder().with_trust_store(trust).build();
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(tls.map_err(|error| error.to_string())?)
            .build_https();
        let limit = TimeoutConfig::builder().operation_timeout(self.limit);
        let config = aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .http_client(http)
            .endpoint_url(url)
            .region(Region::new(self.region))
            .time_source(StaticTimeSource::new(self.time))
            .retry_config(RetryConfig::disabled())
            .timeout_config(limit.build())
            .credentials_provider(Credentials::from_keys(self.id, self.secret, None))
            .build();
        let request = Client::from_conf(config).get_caller_identity();
        match request.send().await {
            Ok(identity) => Ok(identity.arn().unwrap_or_default().to_owned()),
            Err(SdkError::ServiceError(error)) => {
                let status = error.raw().status().as_u16();
                let code = error.err().code().unwrap_or("no code");
                Err(format!("{status} {code}"))
            }
            Err(SdkError::TimeoutError(_)) => Err("time-out".to_owned()),
            Err(SdkError::DispatchFailure(_)) => Err("no connection".to_owned()),
            Err(_) => Err("unusable answer".to_owned()),
        }
    }
}
