//! The command line. Every flag of `run` has an equivalent environment variable.

pub mod check;

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};

use crate::{
    domain::{
        duration::duration,
        layout::{DEFAULT_TTL, LONGEST_TTL},
        region::Variant,
        words,
    },
    ops::telemetry::LogFormat,
    runtime::guards::Expected,
    sts::{Endpoint, ProxyUrl, parse_endpoint, parse_proxy},
};

/// Proves AWS key pairs in Secrets and publishes them to the Secrets that pods mount.
#[derive(Debug, Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// The command. Default: `run`.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Flags of `run`.
    #[command(flatten)]
    pub run: RunArgs,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the operator.
    Run(Box<RunArgs>),
    /// Print the CustomResourceDefinition.
    Crd,
    /// Check the key pair in a Secret as the operator would, and change nothing.
    Check(Box<check::CheckArgs>),
    /// Test by dry runs whether the API server accepts good resources and rejects bad ones, and whether the
    /// admission policies are enforced.
    ApiCheck(ApiCheckArgs),
}

/// Flags of `api-check`.
#[derive(Clone, Debug, Args)]
pub struct ApiCheckArgs {
    /// Namespace of the dry runs
    #[arg(short, long, env = "AWSCREDS_API_CHECK_NAMESPACE", value_name = "NS")]
    pub namespace: String,

    /// Test the admission policies with this name prefix too, such as PREFIX-requester
    #[arg(long, env = "AWSCREDS_POLICIES", value_name = "PREFIX")]
    pub policies: Option<String>,
}

/// Prints the error of a command line, or the output of `--help` or `--version`, and returns the exit code.
/// For `check`, 2 means an undetermined verdict, so a usage error has another code there.
#[must_use]
pub fn refuse(error: &clap::Error) -> u8 {
    if error.use_stderr() {
        // The text repeats the value that was given for a flag.
        let text = error.render().to_string();
        text.lines()
            .for_each(|line| eprintln!("{}", words::foreign(line)));
    } else {
        // There is no other place to report that the output failed.
        let _ = error.print();
    }
    let is_check = std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == "check");
    match error.exit_code() {
        0 => 0,
        _ if is_check => check::UNUSABLE,
        _ => 2,
    }
}

fn kubelet_sync_period(text: &str) -> Result<Duration, String> {
    let within = |period: &Duration| (10..=3600).contains(&period.as_secs());
    duration(text).filter(within).ok_or_else(|| {
        "must be 10s to 1h, in whole hours, minutes and seconds, such as 90s or 2m".to_owned()
    })
}

/// Flags of `run`.
#[derive(Clone, Debug, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct RunArgs {
    /// Use this endpoint instead of the region's STS: HTTPS, or HTTP on a loopback address; {region} in its host
    /// is replaced by the region
    #[arg(long, env = "AWSCREDS_STS_ENDPOINT", value_name = "URL", value_parser = parse_endpoint)]
    pub sts_endpoint: Option<Endpoint>,

    /// Use this variant of the region's STS endpoint
    #[arg(
        long,
        env = "AWSCREDS_STS_VARIANT",
        value_name = "VARIANT",
        conflicts_with = "sts_endpoint"
    )]
    pub sts_variant: Option<Variant>,

    /// Send STS requests through this proxy, with CONNECT. Default: none; the environment is ignored
    #[arg(long, env = "AWSCREDS_STS_PROXY", value_name = "URL", value_parser = parse_proxy)]
    pub sts_proxy: Option<ProxyUrl>,

    /// File with the user name for the proxy
    #[arg(long, env = "AWSCREDS_STS_PROXY_USERNAME_FILE", value_name = "PATH", requires_all = ["sts_proxy", "sts_proxy_password_file"])]
    pub sts_proxy_username_file: Option<PathBuf>,

    /// File with the password for the proxy
    #[arg(
        long,
        env = "AWSCREDS_STS_PROXY_PASSWORD_FILE",
        value_name = "PATH",
        requires = "sts_proxy_username_file"
    )]
    pub sts_proxy_password_file: Option<PathBuf>,

    /// Trust only the certificate authorities in this PEM file for STS
    #[arg(long, env = "AWSCREDS_STS_CA_FILE", value_name = "PATH")]
    pub sts_ca_file: Option<PathBuf>,

    /// Serve only this namespace; may be repeated. Default: all namespaces
    #[arg(
        long = "namespace",
        env = "AWSCREDS_NAMESPACE",
        value_name = "NS",
        value_delimiter = ','
    )]
    pub namespaces: Vec<String>,

    /// Address of /metrics, and also of /livez and /readyz
    #[arg(
        long,
        env = "AWSCREDS_BIND",
        value_name = "ADDR",
        default_value = "[::]:8080"
    )]
    pub bind: SocketAddr,

    /// Address of /livez and /readyz, served by a separate thread
    #[arg(
        long,
        env = "AWSCREDS_PROBE_BIND",
        value_name = "ADDR",
        default_value = "[::]:8081"
    )]
    pub probe_bind: SocketAddr,

    /// Serve /metrics over TLS with the certificates in this PEM file, which may be renewed at runtime
    #[arg(
        long,
        env = "AWSCREDS_METRICS_TLS_CERT_FILE",
        value_name = "PATH",
        requires = "metrics_tls_key_file"
    )]
    pub metrics_tls_cert_file: Option<PathBuf>,

    /// File with the private key of that certificate, in PEM
    #[arg(
        long,
        env = "AWSCREDS_METRICS_TLS_KEY_FILE",
        value_name = "PATH",
        requires = "metrics_tls_cert_file"
    )]
    pub metrics_tls_key_file: Option<PathBuf>,

    /// Serve /metrics only for bearer tokens that the API server accepts and that may get this non-resource URL
    #[arg(
        long,
        env = "AWSCREDS_METRICS_AUTHENTICATION",
        requires = "metrics_tls_cert_file"
    )]
    pub metrics_authentication: bool,

    /// Number of resources that are reconciled at once
    #[arg(long, env = "AWSCREDS_CONCURRENCY", value_name = "N", default_value = "16", value_parser = clap::value_parser!(u16).range(1..))]
    pub concurrency: u16,

    /// Maximum number of STS requests per second; twice as many in a burst
    #[arg(long, env = "AWSCREDS_STS_RATE", value_name = "N", default_value = "5")]
    pub sts_rate: NonZeroU32,

    /// Act only while holding a lease, so that several replicas can run
    #[arg(long, env = "AWSCREDS_LEADER_ELECTION")]
    pub leader_election: bool,

    /// Warn, at the start and in the metrics, that no admission policies are installed
    #[arg(long, env = "AWSCREDS_UNGUARDED")]
    pub unguarded: bool,

    /// Check that the admission policies with this name prefix are enforced, such as PREFIX-fence
    #[arg(long, env = "AWSCREDS_POLICIES", value_name = "PREFIX")]
    pub policies: Option<String>,

    /// Write nothing while any of these policies is not confirmed to be enforced
    #[arg(long, env = "AWSCREDS_REQUIRE_POLICIES", requires = "policies")]
    pub require_policies: bool,

    /// After a rotation, list the pods of the namespace and report which hold the superseded pair
    #[arg(long, env = "AWSCREDS_LIST_CONSUMERS")]
    pub list_consumers: bool,

    /// After a rotation, restart the workloads that the resource selects
    #[arg(long, env = "AWSCREDS_RESTART_CONSUMERS")]
    pub restart_consumers: bool,

    /// How long a kubelet takes to update a Secret in running pods: its `syncFrequency` plus the delay of its cache,
    /// 10s to 1h. Pods that start within this time after a rotation may read the previous pair
    #[arg(long, env = "AWSCREDS_KUBELET_SYNC_PERIOD", value_name = "DURATION", default_value = "90s", value_parser = kubelet_sync_period)]
    pub kubelet_sync_period: Duration,

    /// How many seconds consumers of the layout `CredentialProcess` cache a pair, and thus how late they follow a
    /// rotation. Below 960, boto3 starts a process for each request
    #[arg(long, env = "AWSCREDS_CREDENTIAL_PROCESS_TTL", value_name = "SECONDS", default_value_t = DEFAULT_TTL, value_parser = clap::value_parser!(u32).range(1..=i64::from(LONGEST_TTL)))]
    pub credential_process_ttl: u32,

    /// Copy this label from resources to their targets; may be repeated. Default: none
    #[arg(
        long = "copy-label",
        env = "AWSCREDS_COPY_LABEL",
        value_name = "KEY",
        value_delimiter = ','
    )]
    pub copy_labels: Vec<String>,

    /// Name of the lease
    #[arg(
        long,
        env = "AWSCREDS_LEASE_NAME",
        value_name = "NAME",
        default_value = "static-aws-credentials"
    )]
    pub lease_name: String,

    /// Namespace of the lease. Default: the operator's own
    #[arg(long, env = "AWSCREDS_LEASE_NAMESPACE", value_name = "NS")]
    pub lease_namespace: Option<String>,

    /// Format of log lines
    #[arg(
        long,
        env = "AWSCREDS_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,

    /// Filter for log lines: a level, or directives such as `info,static_aws_credentials=debug`
    #[arg(
        long,
        env = "AWSCREDS_LOG",
        value_name = "FILTER",
        default_value = "info"
    )]
    pub log: String,
}

impl RunArgs {
    /// The admission policies that the flags require. `home` is the operator's own namespace.
    #[must_use]
    pub fn expected_policies<'a>(&'a self, home: &'a str) -> Expected<'a> {
        Expected {
            prefix: self.policies.as_deref(),
            unguarded: self.unguarded,
            required: self.require_policies,
            restarts: self.restart_consumers,
            namespace: self.namespaces.first().map_or(home, String::as_str),
        }
    }
}
