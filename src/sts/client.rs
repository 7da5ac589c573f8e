//! The call to STS: one shared client of the SDK, with credentials and endpoint per call.

use std::{borrow::Cow, time::Duration};

use aws_sdk_sts::{
    Client as Sdk,
    config::{
        BehaviorVersion, Builder, Config, Credentials, IdentityCache, Region, http::HttpResponse,
        retry::RetryConfig, timeout::TimeoutConfig,
    },
    error::{ProvideErrorMetadata, SdkError},
    operation::get_caller_identity::{GetCallerIdentityError, GetCallerIdentityOutput},
};
use aws_smithy_runtime_api::client::{
    http::HttpConnectorSettings, stalled_stream_protection::StalledStreamProtectionConfig,
};
use futures::future::BoxFuture;

use super::{
    CallerIdentityReply, CallerIdentityRequest, ProxyError, Route, Sts,
    classify::{Outcome, classify},
    connector::{CONNECT_TIMEOUT, Connections},
    plugins::{FixedEndpoint, RetryClockSkewOnly, StripAmbientHeaders},
};
use crate::{
    api::Reason,
    domain::{pair::KeyPair, verdict::Answer},
};

/// The time limit of a call, from the connection to the end of the reply.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// Calls STS for each request.
///
/// Requests ignore the environment: no profile, no proxy variable, no metadata service, no redirect. The only
/// exception is `SSL_CERT_FILE`, which replaces the system's root certificates, as for any program.
#[derive(Debug)]
pub struct Client {
    sdk: Sdk,
    route: Route,
}

impl Client {
    /// A client for the endpoints that the requests name, unless the route overrides these.
    ///
    /// # Errors
    /// The login of the proxy cannot be read, or the proxy cannot be used.
    pub fn new(route: Route) -> Result<Self, ProxyError> {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .build();
        let (ca, proxy) = (route.ca.clone(), route.used_proxy().cloned());
        let connections = Connections::new(settings, ca, proxy)?;
        let config = Config::builder()
            // Pinned: with `latest`, an update of the SDK would change the client's behavior.
            .behavior_version(BehaviorVersion::v2026_01_12())
            .http_client(connections)
            // An identity cache would keep the credentials in memory after the call.
            .identity_cache(IdentityCache::no_cache())
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(2)
                    .with_initial_backoff(Duration::from_millis(100)),
            )
            .retry_classifier(RetryClockSkewOnly)
            .interceptor(StripAmbientHeaders)
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_timeout(DEADLINE)
                    .build(),
            )
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Ok(Self {
            sdk: Sdk::from_conf(config),
            route,
        })
    }

    /// Whether requests go through a proxy.
    #[must_use]
    pub fn is_proxied(&self) -> bool {
        self.route.used_proxy().is_some()
    }

    async fn answer(&self, request: &CallerIdentityRequest) -> Answer {
        // The SDK panics on control characters. No pair that passed the format check holds any.
        if [&request.pair.access_key_id, &request.pair.secret_access_key]
            .iter()
            .any(|text| text.expose_secret().chars().any(char::is_control))
        {
            return Answer::Undetermined(Reason::StsUnexpectedResponse);
        }
        let endpoint = self.destination(request);
        let result = self
            .sdk
            .get_caller_identity()
            .customize()
            .config_override(
                Builder::new()
                    .identity_cache(IdentityCache::no_cache())
                    .credentials_provider(credentials(&request.pair))
                    .region(Region::new(request.region.clone()))
                    .endpoint_resolver(FixedEndpoint(endpoint.into_owned())),
            )
            .send()
            .await;
        classify(outcome(&result))
    }
}

impl Sts for Client {
    fn get_caller_identity(
        &self,
        request: CallerIdentityRequest,
    ) -> BoxFuture<'_, CallerIdentityReply> {
        Box::pin(async move { CallerIdentityReply::now(self.answer(&request).await) })
    }

    fn destination<'a>(&'a self, request: &'a CallerIdentityRequest) -> Cow<'a, str> {
        self.route.address(request)
    }
}

/// The pair, as a signer takes it. The SDK zeroizes [`Credentials`] on drop.
pub(crate) fn credentials(pair: &KeyPair) -> Credentials {
    Credentials::new(
        pair.access_key_id.expose_secret(),
        pair.secret_access_key.expose_secret(),
        None,
        None,
        "StaticAwsCredentials",
    )
}

type CallResult = Result<GetCallerIdentityOutput, SdkError<GetCallerIdentityError, HttpResponse>>;

fn outcome(result: &CallResult) -> Outcome<'_> {
    match result {
        Ok(output) => Outcome::Accepted {
            account: output.account(),
            arn: output.arn(),
        },
        Err(SdkError::ServiceError(error)) => Outcome::Refused {
            status: error.raw().status().as_u16(),
            code: error.err().code(),
            message: error.err().message(),
        },
        Err(SdkError::ResponseError(error)) => Outcome::Refused {
            status: error.raw().status().as_u16(),
            code: None,
            message: None,
        },
        // No connection error and no timeout: the reply is not HTTP, too large or ambiguous.
        Err(SdkError::DispatchFailure(failure))
            if failure.is_other() && failure.as_other().is_none() =>
        {
            Outcome::Unreadable
        }
        Err(_) => Outcome::Unreachable,
    }
}
