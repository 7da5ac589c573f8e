//! What real stores answer to a signed request with pairs of all kinds. Each row is what was found, for what reads the
//! answers of stores.

mod moto;
mod seaweedfs;
mod stand_in;
mod versitygw;

use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::{
    moto::KeyPair,
    stores::{Answer, ListBuckets},
};

const LISTED: &str = "200 ListAllMyBucketsResult";
const UNKNOWN: &str = "403 InvalidAccessKeyId";
const WRONG_SECRET: &str = "403 SignatureDoesNotMatch";
const SKEWED: &str = "403 RequestTimeTooSkewed";
/// More than the 15 minutes that S3 allows.
const TOO_LONG: Duration = Duration::from_mins(20);

fn pair(id: &str, secret: &str) -> KeyPair {
    KeyPair {
        id: id.to_owned(),
        secret: secret.to_owned(),
    }
}

fn administrator() -> KeyPair {
    pair(
        "AKIARZPUZDIKADMIN234",
        "wSecretOfTheAdministrator/IsWellFormed+0",
    )
}

fn powerless() -> KeyPair {
    pair(
        "AKIARZPUZDIKPLAIN234",
        "wSecretOfAUserWithoutRights/IsWellForme0",
    )
}

/// A pair in the form of no AWS key.
fn odd() -> KeyPair {
    pair("minio_user-1", "hunter22")
}

fn stranger() -> KeyPair {
    pair(
        "AKIARZPUZDIKALIEN234",
        "wSecretOfTheStranger/IsWellFormed+012345",
    )
}

fn with_secret_of(pair: &KeyPair, other: &KeyPair) -> KeyPair {
    KeyPair {
        id: pair.id.clone(),
        secret: other.secret.clone(),
    }
}

async fn answer(url: &str, pair: &KeyPair) -> Result<String> {
    Ok(ListBuckets::new(pair).send(url).await?.to_string())
}

/// Sends each request, and compares all answers at once.
async fn compare(url: &str, rows: &[(&str, ListBuckets<'_>, &str)]) -> Result<()> {
    let mut found = Vec::new();
    let mut expected = Vec::new();
    for (what, request, wanted) in rows {
        let answer: Answer = request.send(url).await?;
        found.push(format!("{what}: {answer}"));
        expected.push(format!("{what}: {wanted}"));
    }
    assert_eq!(found, expected);
    Ok(())
}

fn early(pair: &KeyPair) -> ListBuckets<'_> {
    ListBuckets::new(pair).signed_at(SystemTime::now() - TOO_LONG)
}

fn late(pair: &KeyPair) -> ListBuckets<'_> {
    ListBuckets::new(pair).signed_at(SystemTime::now() + TOO_LONG)
}
