//! Real stores with an interface like that of S3, which the tests administrate: SeaweedFS and versitygw; and the
//! signed request that shows what a store answers to a pair.

mod list_buckets;
mod seaweedfs;
pub mod stand_in;
mod versitygw;

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::Instant;

pub use list_buckets::{Answer, ListBuckets};
pub use seaweedfs::{Identity, SeaweedFs};
pub use versitygw::{Account, Role, Versitygw};

use crate::component::Component;

const DEADLINE: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(20);

/// Repeats the request until the answer is a wanted one.
async fn until(
    store: &Component,
    request: &ListBuckets<'_>,
    url: &str,
    wanted: impl Fn(&Answer) -> bool,
) -> Result<()> {
    let end = Instant::now() + DEADLINE;
    loop {
        store.check()?;
        let last = match request.send(url).await {
            Ok(answer) if wanted(&answer) => return Ok(()),
            Ok(answer) => answer.to_string(),
            Err(error) => format!("{error:#}"),
        };
        ensure!(
            Instant::now() < end,
            "{url} does not answer as wanted after {DEADLINE:?}, but: {last}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}
