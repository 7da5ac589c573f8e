//! A stand-in for STS, and the pair that it accepts.

use anyhow::Result;
use cluster::sts::Sts;

/// A pair in the format of AWS.
pub const PAIR: (&str, &str) = (
    "AKIARZPUZDIKAUAIL2A3",
    "wSecretOfTheFirstPair+wSecretOf/TheFirst",
);
/// The account that the pair's ID encodes.
pub const ACCOUNT: &str = "123456789012";
/// The user of the pair.
pub const ARN: &str = "arn:aws:iam::123456789012:user/connectors/orders";

/// A stand-in for STS that accepts the pair.
pub async fn sts() -> Result<Sts> {
    let sts = Sts::start().await?;
    sts.accept_pair(PAIR.0, PAIR.1, ACCOUNT, ARN, "AIDAQUAIL");
    Ok(sts)
}
