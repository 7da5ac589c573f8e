//! Who may read /metrics: the API server authenticates the token, and authorizes its user for that path.

use std::{collections::HashMap, sync::Mutex, time::Duration};

use axum::http::{HeaderMap, StatusCode, header};
use kube::Client;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, timeout};

use crate::{domain::lock::lock, error::chain, runtime::act};

/// The path to authorize, as in `nonResourceURLs` of a `ClusterRole`.
pub const PATH: &str = "/metrics";
/// How long an answer is cached. Prometheus scrapes twice a minute.
const LASTS: Duration = Duration::from_mins(1);
/// The most answers in the cache: each token has one, and any client may send tokens.
const MOST: usize = 64;
const DEADLINE: Duration = Duration::from_secs(5);

/// Asks the API server about readers, and caches the answers.
pub struct Access {
    client: Client,
    known: Mutex<HashMap<[u8; 32], (Instant, Verdict)>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    May,
    Unknown,
    MayNot,
}

impl Access {
    /// Starts with an empty cache.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self {
            client,
            known: Mutex::default(),
        }
    }

    /// Whether the sender of these headers may read.
    ///
    /// # Errors
    /// Otherwise the status and the text of the answer.
    pub async fn check(&self, headers: &HeaderMap) -> Result<(), (StatusCode, &'static str)> {
        let Some(token) = bearer(headers) else {
            return Err((StatusCode::UNAUTHORIZED, "a bearer token is required\n"));
        };
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let verdict = if let Some(verdict) = self.remembered(&digest) {
            verdict
        } else {
            let verdict = self.ask(token).await?;
            self.remember(digest, verdict);
            verdict
        };
        match verdict {
            Verdict::May => Ok(()),
            Verdict::Unknown => Err((
                StatusCode::UNAUTHORIZED,
                "the API server does not accept the token\n",
            )),
            Verdict::MayNot => Err((
                StatusCode::FORBIDDEN,
                "get of the non-resource URL /metrics is not allowed; grant it with a ClusterRole\n",
            )),
        }
    }

    async fn ask(&self, token: &str) -> Result<Verdict, (StatusCode, &'static str)> {
        let unavailable = (
            StatusCode::SERVICE_UNAVAILABLE,
            "the API server did not review the token\n",
        );
        match timeout(DEADLINE, self.review(token)).await {
            Ok(Ok(verdict)) => Ok(verdict),
            Ok(Err(error)) => {
                let error = chain(&error);
                tracing::warn!(error, "a token for /metrics could not be reviewed");
                Err(unavailable)
            }
            Err(_) => Err(unavailable),
        }
    }

    async fn review(&self, token: &str) -> kube::Result<Verdict> {
        let Some(user) = act::authenticated(&self.client, token).await? else {
            return Ok(Verdict::Unknown);
        };
        Ok(if act::may_get(&self.client, &user, PATH).await? {
            Verdict::May
        } else {
            Verdict::MayNot
        })
    }

    fn remembered(&self, digest: &[u8; 32]) -> Option<Verdict> {
        let known = lock(&self.known);
        let (at, verdict) = known.get(digest)?;
        (at.elapsed() < LASTS).then_some(*verdict)
    }

    fn remember(&self, digest: [u8; 32], verdict: Verdict) {
        let mut known = lock(&self.known);
        if known.len() >= MOST {
            known.retain(|_, (at, _)| at.elapsed() < LASTS);
        }
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(digest, (Instant::now(), verdict));
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty()).then_some(token)
}
