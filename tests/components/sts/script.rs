//! A fake STS for tests with paused time, which a socket would not follow.

use std::{
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::BoxFuture;
use static_aws_credentials::{
    api::Identity,
    domain::{
        pair::{KeyPair, SecretText},
        verdict::Answer,
    },
    sts::{CachedSts, CallerIdentityReply, CallerIdentityRequest, Priority, Rate, Sts},
};
use tokio::{
    task::{JoinHandle, yield_now},
    time::{Instant, sleep},
};

/// The secret of every pair in the requests.
pub const SECRET: &str = "abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKL+";
/// Duration of a call.
pub const CALL: Duration = Duration::from_millis(300);

/// Answers each call with `answer` of its number, and records the calls.
#[derive(Clone)]
pub struct Script {
    answer: Arc<dyn Fn(usize) -> Answer + Send + Sync>,
    calls: Arc<Mutex<Vec<Call>>>,
}

#[derive(Clone, Debug)]
pub struct Call {
    pub id: String,
    pub namespace: String,
    pub at: Instant,
}

impl Script {
    pub fn new(answer: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            answer: Arc::new(answer),
            calls: Arc::default(),
        }
    }

    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().expect("calls").clone()
    }

    pub fn count(&self) -> usize {
        self.calls().len()
    }

    pub fn namespaces(&self) -> Vec<String> {
        self.calls()
            .into_iter()
            .map(|call| call.namespace)
            .collect()
    }
}

impl Sts for Script {
    fn get_caller_identity(
        &self,
        question: CallerIdentityRequest,
    ) -> BoxFuture<'_, CallerIdentityReply> {
        Box::pin(async move {
            let number = {
                let mut calls = self.calls.lock().expect("calls");
                calls.push(Call {
                    id: question.pair.access_key_id.expose_secret().to_owned(),
                    namespace: question.namespace,
                    at: Instant::now(),
                });
                calls.len()
            };
            sleep(CALL).await;
            CallerIdentityReply {
                answer: (self.answer)(number),
                at: Instant::now(),
            }
        })
    }
}

pub fn identity() -> Answer {
    Answer::Identity(Identity {
        account_id: "123456789012".to_owned(),
        arn: "arn:aws:iam::123456789012:user/orders".to_owned(),
    })
}

pub fn always(answer: Answer) -> Script {
    Script::new(move |_| answer.clone())
}

pub fn question(id: &str) -> CallerIdentityRequest {
    CallerIdentityRequest {
        namespace: "orders".to_owned(),
        pair: Arc::new(KeyPair {
            access_key_id: SecretText::new(id.to_owned()),
            secret_access_key: SecretText::new(SECRET.to_owned()),
        }),
        region: "eu-west-1".to_owned(),
        endpoint: "https://sts.eu-west-1.amazonaws.com".to_owned(),
        store: None,
        priority: Priority::NewPair,
        not_before: Instant::now(),
    }
}

pub fn prover(script: &Script) -> Arc<CachedSts<Script>> {
    Arc::new(CachedSts::new(script.clone(), Rate::default()).expect("randomness"))
}

/// One call per second and a burst of one, so that the second request has to wait.
pub fn slow(script: &Script) -> Arc<CachedSts<Script>> {
    let rate = Rate {
        per_second: NonZeroU32::MIN,
        burst: NonZeroU32::MIN,
    };
    Arc::new(CachedSts::new(script.clone(), rate).expect("randomness"))
}

pub fn spawn_request(
    prover: &Arc<CachedSts<Script>>,
    question: CallerIdentityRequest,
) -> JoinHandle<CallerIdentityReply> {
    let prover = Arc::clone(prover);
    tokio::spawn(async move { prover.get_caller_identity(question).await })
}

/// Lets every task run until it waits for time or for another task.
pub async fn settle() {
    for _ in 0..50 {
        yield_now().await;
    }
}
