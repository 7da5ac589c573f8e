//! The path of one request through the proxy and back.

use std::sync::Arc;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Request, Response, StatusCode, Uri};
use tokio::sync::watch;

use super::fault::{Answer, Callback, Fault, Moment};
use super::head::{RequestHead, Verb};
use super::record::Entry;
use super::relay::{Afterwards, Relay, Treatment};
use super::{Link, Shared};
use crate::{
    http_client::HttpClient,
    http_server::{Body, Cut, full},
};

pub(super) async fn pass(
    shared: Arc<Shared>,
    link: Link,
    request: Request<Incoming>,
) -> Result<Response<Body>, Cut> {
    link.alive().await;
    let (mut parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let head = RequestHead::of(&parts);
    let fault = shared.fault(&head);
    let verb = head.verb;
    let entry = shared.log.open(head, body.len());
    let with = |treatment| Ending::Back(treatment, Afterwards(None));
    let mut ending = with(Treatment::Plain);
    let mut gate = None;
    match fault {
        Fault::Pass => {}
        Fault::Answer(answer) => return Ok(made_up(&answer, &entry)),
        Fault::Delay(time) => tokio::time::sleep(time).await,
        Fault::CutBefore => return Err(Cut),
        Fault::CutAfterCommit => ending = Ending::Cut,
        Fault::AnswerAfterCommit(answer) => ending = Ending::Instead(answer),
        Fault::Hang => std::future::pending::<()>().await,
        Fault::EndAfter(time) => ending = with(Treatment::end_after(time)),
        Fault::Lines(rewrite) => ending = with(Treatment::lines(rewrite, Arc::default())),
        Fault::LinesUntil(rewrite, end) => ending = with(Treatment::lines(rewrite, end)),
        Fault::Hold(until) => gate = Some(until),
        Fault::StopAt(Moment::Arrived, callback) => stopped(callback).await,
        Fault::StopAt(Moment::Committed, callback) => ending = Ending::Stop(callback),
        Fault::StopAt(Moment::Answered, callback) => {
            ending = Ending::Back(Treatment::Plain, Afterwards(Some(callback)));
        }
        Fault::Query(query) => parts.uri = with_query(&parts.uri, &query)?,
        Fault::Between(to, from) => ending = with(Treatment::between(to, from)),
    }
    let request = onward(&shared.upstream, Request::from_parts(parts, body))?;
    let exchange = exchange(shared.client.clone(), request, gate, entry);
    let (response, entry) = if verb.writes() {
        tokio::spawn(exchange).await.map_err(|_| Cut)??
    } else {
        exchange.await?
    };
    link.alive().await;
    // The body of a watch has no end to wait for.
    let endless = verb == Verb::Watch;
    match ending {
        Ending::Back(treatment, afterwards) => {
            let afterwards = (!endless).then_some(afterwards);
            return Ok(back(response, treatment, link, afterwards, entry));
        }
        _ if endless => {}
        // A write counts as committed only when the whole answer has arrived.
        _ => drop(response.into_body().collect().await),
    }
    ending.without_answer(&entry).await
}

/// What the proxy does with the API server's answer.
enum Ending {
    Back(Treatment, Afterwards),
    Cut,
    Instead(Answer),
    Stop(Callback),
}

impl Ending {
    async fn without_answer(self, entry: &Entry) -> Result<Response<Body>, Cut> {
        match self {
            Self::Instead(answer) => Ok(made_up(&answer, entry)),
            Self::Stop(callback) => stopped(callback).await,
            Self::Back(..) | Self::Cut => Err(Cut),
        }
    }
}

async fn stopped<T>(callback: Callback) -> T {
    callback();
    std::future::pending().await
}

fn with_query(uri: &Uri, query: &str) -> Result<Uri, Cut> {
    format!("{}?{query}", uri.path()).parse().map_err(|_| Cut)
}

/// The head of the answer. An unreachable API server leads to a cut, not to an answer.
async fn exchange(
    client: HttpClient,
    request: Request<Full<Bytes>>,
    gate: Option<watch::Receiver<bool>>,
    entry: Entry,
) -> Result<(Response<Incoming>, Entry), Cut> {
    if let Some(mut until) = gate {
        until.wait_for(|free| *free).await.map_err(|_| Cut)?;
    }
    let response = client.request(request).await.map_err(|_| Cut)?;
    entry.answered(response.status().as_u16());
    Ok((response, entry))
}

fn onward(upstream: &Uri, request: Request<Bytes>) -> Result<Request<Full<Bytes>>, Cut> {
    let (mut parts, body) = request.into_parts();
    let mut target = parts.uri.into_parts();
    target.scheme = upstream.scheme().cloned();
    target.authority = upstream.authority().cloned();
    parts.uri = Uri::from_parts(target).map_err(|_| Cut)?;
    // The HTTP client sets these headers for its own connection.
    for name in [
        header::HOST,
        header::CONNECTION,
        header::TRANSFER_ENCODING,
        header::CONTENT_LENGTH,
    ] {
        parts.headers.remove(name);
    }
    Ok(Request::from_parts(parts, Full::new(body)))
}

fn back(
    response: Response<Incoming>,
    treatment: Treatment,
    link: Link,
    afterwards: Option<Afterwards>,
    entry: Entry,
) -> Response<Body> {
    let (mut parts, from) = response.into_parts();
    parts.headers.remove(header::CONNECTION);
    parts.headers.remove(header::TRANSFER_ENCODING);
    if !treatment.is_plain() {
        parts.headers.remove(header::CONTENT_LENGTH);
    }
    let relay = Relay {
        from,
        treatment,
        link,
        _afterwards: afterwards,
        _entry: entry,
    };
    Response::from_parts(parts, relay.boxed_unsync())
}

fn made_up(answer: &Answer, entry: &Entry) -> Response<Body> {
    entry.answered(answer.status);
    let mut response = Response::new(full(answer.body.clone()));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (
            header::HeaderName::try_from(name),
            HeaderValue::try_from(value),
        ) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
