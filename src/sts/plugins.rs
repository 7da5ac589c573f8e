//! Plugins that restrict the SDK: its retries, the headers that it adds, and its resolution of the
//! endpoint.

use aws_sdk_sts::config::{
    ConfigBag, Intercept, RuntimeComponents,
    endpoint::{Endpoint, EndpointFuture, Params, ResolveEndpoint},
    interceptors::BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{context::InterceptorContext, dyn_dispatch_hint},
        retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority, RetryReason},
    },
};
use aws_smithy_types::retry::ErrorKind;

/// The name and version of the operator.
pub(crate) const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// Forbids every retry except the one after a clock skew.
///
/// The SDK computes the skew from the `Date` of the error reply and signs again, which corrects a wrong
/// clock. All other errors are retried by the controller, with backoff and through the limiter: retries
/// of the SDK would double the load on an STS that throttles.
#[derive(Debug)]
pub(super) struct RetryClockSkewOnly;

/// Makes the headers independent of the environment: the SDK would add `AWS_EXECUTION_ENV` and the trace
/// ID of a Lambda function.
#[derive(Debug)]
pub(super) struct StripAmbientHeaders;

/// A given endpoint, in place of the SDK's endpoint rules.
#[derive(Debug)]
pub(super) struct FixedEndpoint(pub(super) String);

impl ClassifyRetry for RetryClockSkewOnly {
    fn classify_retry(&self, _: &InterceptorContext) -> RetryAction {
        RetryAction::RetryForbidden
    }

    fn classify_retry_v2(&self, _: &InterceptorContext, previous: &RetryAction) -> RetryAction {
        match previous {
            // Of all classifiers, only the one for clock skew returns this kind.
            RetryAction::RetryIndicated(RetryReason::RetryableError {
                kind: ErrorKind::ServerError,
                ..
            }) => RetryAction::NoActionIndicated,
            _ => RetryAction::RetryForbidden,
        }
    }

    fn name(&self) -> &'static str {
        "clock skew only"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

#[dyn_dispatch_hint]
impl Intercept for StripAmbientHeaders {
    fn name(&self) -> &'static str {
        "plain headers"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        headers.remove("x-amzn-trace-id");
        headers.remove("x-amz-user-agent");
        headers.insert("user-agent", USER_AGENT);
        Ok(())
    }
}

impl ResolveEndpoint for FixedEndpoint {
    fn resolve_endpoint<'a>(&'a self, _: &'a Params) -> EndpointFuture<'a> {
        EndpointFuture::ready(Ok(Endpoint::builder().url(self.0.clone()).build()))
    }
}
