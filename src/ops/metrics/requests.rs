//! Requests to the API server, under the name and labels that dashboards for client-go know.

use std::{
    fmt::{self, Write},
    sync::Arc,
    task::{Context, Poll},
};

use axum::http::{Method, Request, Response, Uri};
use futures::future::{BoxFuture, FutureExt};
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder},
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use tower::{Layer, Service};

/// Counts requests by status, method and host.
#[derive(Clone, Debug)]
pub struct Requests {
    total: Family<Asked, Counter>,
}

/// Counts the requests of a client to one API server.
#[derive(Clone, Debug)]
pub struct Counting {
    requests: Requests,
    host: Arc<str>,
}

/// A client whose requests are counted.
#[derive(Clone, Debug)]
pub struct Counted<S> {
    client: S,
    counting: Counting,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Asked {
    code: Code,
    method: &'static str,
    host: Arc<str>,
}

/// The status of the response, if there was one.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
struct Code(Option<u16>);

impl Requests {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let total = Family::default();
        let name = "rest_client_requests";
        let help = "Requests to the API server by status code, method and host";
        registry.register(name, help, total.clone());
        Self { total }
    }

    /// A layer that counts the requests to an API server.
    #[must_use]
    pub fn to(&self, server: &Uri) -> Counting {
        let host = server
            .authority()
            .map_or("", |authority| authority.as_str());
        Counting {
            requests: self.clone(),
            host: host.into(),
        }
    }
}

impl Counting {
    fn count(&self, method: &'static str, code: Option<u16>) {
        let asked = Asked {
            code: Code(code),
            method,
            host: Arc::clone(&self.host),
        };
        self.requests.total.get_or_create(&asked).inc();
    }
}

impl<S> Layer<S> for Counting {
    type Service = Counted<S>;

    fn layer(&self, client: S) -> Counted<S> {
        let counting = self.clone();
        Counted { client, counting }
    }
}

impl<S, A, B> Service<Request<A>> for Counted<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.client.poll_ready(context)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let (counting, method) = (self.counting.clone(), word(request.method()));
        let answer = self.client.call(request);
        let counted = answer.inspect(move |answer| {
            let code = answer.as_ref().ok().map(|answer| answer.status().as_u16());
            counting.count(method, code);
        });
        counted.boxed()
    }
}

impl EncodeLabelValue for Code {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        match self.0 {
            Some(code) => write!(encoder, "{code}"),
            None => encoder.write_str("<error>"),
        }
    }
}

/// The methods that the API server knows; any other is `OTHER`.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "OTHER",
    }
}
