//! One call of the real client, and the identity that it may return.

use std::time::Duration;

use static_aws_credentials::{
    api::Identity,
    domain::verdict::Answer,
    sts::{CallerIdentityRequest, Client, Endpoint, Route, Sts},
};

use super::{
    raw::{Act, Raw, reply},
    script::question,
};

pub const ACCOUNT: &str = "123456789012";
pub const ARN: &str = "arn:aws:iam::123456789012:user/connectors/orders";

pub fn identity() -> Answer {
    Answer::Identity(Identity {
        account_id: ACCOUNT.to_owned(),
        arn: ARN.to_owned(),
    })
}

pub fn at(url: &str) -> CallerIdentityRequest {
    CallerIdentityRequest {
        endpoint: url.to_owned(),
        ..question("AKIAQRSTUVWX23456723")
    }
}

/// A client that calls the endpoint of the request.
pub fn direct() -> Client {
    Client::new(Route::default()).expect("nothing to read")
}

/// A client that calls one fixed endpoint.
pub fn at_endpoint(endpoint: Endpoint) -> Client {
    let route = Route {
        endpoint: Some(endpoint),
        ..Route::default()
    };
    Client::new(route).expect("nothing to read")
}

/// Calls once, within a time limit that must not be reached.
pub async fn ask(client: &Client, url: &str) -> Answer {
    let reply = tokio::time::timeout(Duration::from_mins(1), client.get_caller_identity(at(url)));
    reply.await.expect("a deadline of its own").answer
}

/// The answer for one reply, which must take one request.
pub async fn answer_to(act: Act) -> Answer {
    let raw = Raw::start([act]).await;
    let answer = ask(&direct(), &raw.url).await;
    assert_eq!(raw.requests().len(), 1, "{answer:?}");
    answer
}

pub async fn answer_to_body(status: u16, body: &str) -> Answer {
    answer_to(Act::Send(reply(status, "content-type: text/xml\r\n", body))).await
}
