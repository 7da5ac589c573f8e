//! The command line of `check`. Its flags have no environment variables: a verdict must not depend on what a
//! shell happens to export.

use std::{path::PathBuf, time::Duration};

use clap::{ArgGroup, Args, ValueEnum};
use kube::core::Duration as GoDuration;

use crate::{
    domain::{
        account::is_account_id,
        arn::ArnPattern,
        region::{Region, Variant},
    },
    sts::{Endpoint, ProxyUrl, parse_endpoint, parse_proxy},
};

/// The exit code if no pair was checked.
pub const UNUSABLE: u8 = 3;

const EXIT_CODES: &str = "\
Exit codes:
  0  accepted: proven by AWS STS, or well-formed with --offline or at level Format
  1  rejected: the pair must not be used; the message says why and what to do
  2  undetermined: AWS or the cluster gave no conclusive answer; try again
  3  the command line or the manifest is wrong; no pair was checked

No value of the Secret is ever printed, except the last four characters of the access key ID.";

const EXAMPLES: &str = "\
Examples:
  check -f secret.yaml --region eu-west-1 --account-id 123456789012
  kustomize build . | check -f -             # Secret and StaticAwsCredentials
  check --secret orders-key-pair -n orders --region eu-west-1
  check --resource orders -n orders          # with its spec as the rules
  check -f secret.yaml --offline -o json";

/// Flags of `check`.
#[derive(Clone, Debug, Args)]
#[command(
    group = ArgGroup::new("subject").args(["file", "secret", "resource"]).required(true).multiple(true),
    after_help = EXIT_CODES,
    after_long_help = format!("{EXAMPLES}\n\n{EXIT_CODES}"),
)]
pub struct CheckArgs {
    /// Read manifests from this file, or from standard input if it is `-`, instead of the cluster
    #[arg(short = 'f', long, value_name = "PATH")]
    pub file: Option<PathBuf>,

    /// Check the Secret of this name, with the flags below as its rules
    #[arg(long, value_name = "NAME", conflicts_with = "resource")]
    pub secret: Option<String>,

    /// Check the source of this `StaticAwsCredentials`, with its spec as the rules
    #[arg(long, value_name = "NAME")]
    pub resource: Option<String>,

    /// Namespace in the cluster, or of the object in the file. Default: that of the kubeconfig's context
    #[arg(short, long, value_name = "NS")]
    pub namespace: Option<String>,

    /// Context of the kubeconfig. Default: its current one, or the pod's service account
    #[arg(long, value_name = "NAME", conflicts_with = "file")]
    pub context: Option<String>,

    /// Check only the bytes and do not ask AWS, as `validation.level: Format` does
    #[arg(long)]
    pub offline: bool,

    /// AWS region whose STS is asked: any enabled region in the key's partition
    #[arg(long, value_name = "REGION", value_parser = region)]
    pub region: Option<String>,

    /// The pair must belong to this AWS account
    #[arg(long, value_name = "ID", value_parser = account_id)]
    pub account_id: Option<String>,

    /// The pair must belong to this IAM user or root user; `*` matches any characters except `:`
    #[arg(long, value_name = "ARN", value_parser = arn, conflicts_with = "offline")]
    pub arn: Option<String>,

    /// Whether the pair of a root user is accepted. Default: deny
    #[arg(long, value_name = "RULE", conflicts_with = "offline")]
    pub root_user: Option<RootUser>,

    /// Key of the Secret's data that holds the access key ID. Default: `AWS_ACCESS_KEY_ID`
    #[arg(long, value_name = "KEY")]
    pub access_key_id_key: Option<String>,

    /// Key of the Secret's data that holds the secret access key. Default: `AWS_SECRET_ACCESS_KEY`
    #[arg(long, value_name = "KEY")]
    pub secret_access_key_key: Option<String>,

    /// How long to keep asking, such as `60s`, while AWS does not know the key yet or does not answer
    #[arg(long, value_name = "DURATION", value_parser = wait, default_value = "0s", conflicts_with = "offline")]
    pub wait: Duration,

    /// Ask the store of this `AwsCredentialsClass` instead of AWS, as `classRef` does
    #[arg(long, value_name = "NAME", conflicts_with_all = ["region", "account_id", "arn", "sts_endpoint"])]
    pub class: Option<String>,

    /// Read the `AwsCredentialsClass` from this manifest instead of the cluster
    #[arg(long, value_name = "PATH")]
    pub class_file: Option<PathBuf>,

    /// Use this endpoint instead of the region's STS: HTTPS, or HTTP on a loopback address; {region} in its host
    /// is replaced by the region
    #[arg(long, value_name = "URL", value_parser = parse_endpoint, conflicts_with = "offline")]
    pub sts_endpoint: Option<Endpoint>,

    /// Use this variant of the region's STS endpoint
    #[arg(long, value_name = "VARIANT", conflicts_with_all = ["sts_endpoint", "offline"])]
    pub sts_variant: Option<Variant>,

    /// Send STS requests through this proxy, with CONNECT. Default: none; the environment is ignored
    #[arg(long, value_name = "URL", value_parser = parse_proxy, conflicts_with = "offline")]
    pub sts_proxy: Option<ProxyUrl>,

    /// File with the user name for the proxy
    #[arg(long, value_name = "PATH", requires_all = ["sts_proxy", "sts_proxy_password_file"])]
    pub sts_proxy_username_file: Option<PathBuf>,

    /// File with the password for the proxy
    #[arg(long, value_name = "PATH", requires = "sts_proxy_username_file")]
    pub sts_proxy_password_file: Option<PathBuf>,

    /// Trust only the certificate authorities in this PEM file for STS
    #[arg(long, value_name = "PATH", conflicts_with = "offline")]
    pub sts_ca_file: Option<PathBuf>,

    /// Format of the verdict
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Output,
}

/// Format of a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// Text for people.
    Text,
    /// One JSON object on one line.
    Json,
}

/// Whether the pair of a root user is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RootUser {
    /// The pair is rejected.
    Deny,
    /// The pair is accepted.
    Allow,
}

fn region(text: &str) -> Result<String, String> {
    Region::parse(text).map(|region| region.as_str().to_owned())
}

fn arn(text: &str) -> Result<String, String> {
    ArnPattern::parse(text).map(|_| text.to_owned())
}

fn account_id(text: &str) -> Result<String, String> {
    let account = is_account_id(text).then(|| text.to_owned());
    account.ok_or_else(|| "an AWS account ID has 12 digits".to_owned())
}

fn wait(text: &str) -> Result<Duration, String> {
    // The parser panics on a number that is too large for a duration.
    const LONGEST: usize = 12;
    let duration: Option<GoDuration> = (text.len() <= LONGEST).then(|| text.parse().ok()).flatten();
    let duration = duration.ok_or("a duration looks like 60s or 2m")?;
    if duration.is_negative() {
        return Err("it must not be negative".to_owned());
    }
    Ok(duration.into())
}
