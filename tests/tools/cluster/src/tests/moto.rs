//! moto is as strict as AWS, and AWS's own clients understand its answers.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::{
    certs::Authority,
    moto::{KeyPair, Moto},
    s3client::{self, Outcome, Reading},
};
use anyhow::{Context as _, Result};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::caller::Caller;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const LONG: Duration = Duration::from_mins(1);
const ARN: &str = "arn:aws:iam::123456789012:user/reader";

async fn with_user() -> Result<(Moto, KeyPair)> {
    let moto = Moto::start(LOOPBACK).await?;
    let user = moto.create_user("reader").await?;
    assert_eq!(user.arn, ARN);
    assert!(user.id.starts_with("AIDA"), "{user:?}");
    let pair = moto.create_access_key("reader").await?;
    Ok((moto, pair))
}

fn caller(pair: &KeyPair) -> Caller<'_> {
    Caller::new(&pair.id, &pair.secret)
}

fn refused(what: &str) -> Result<String, String> {
    Err(what.to_owned())
}

/// The pair with another secret of the same length.
fn wrong(pair: &KeyPair) -> KeyPair {
    KeyPair {
        id: pair.id.clone(),
        secret: pair.secret.chars().rev().collect(),
    }
}

#[tokio::test]
async fn sts_accepts_a_right_pair_and_says_what_is_wrong_with_others() -> Result<()> {
    let (moto, pair) = with_user().await?;
    let unknown = KeyPair {
        id: "AKIARZPUZDIKAAAAAAAA".to_owned(),
        secret: pair.secret.clone(),
    };
    for (pair, expected) in [
        (&pair, Ok(ARN.to_owned())),
        (&wrong(&pair), refused("403 SignatureDoesNotMatch")),
        (&unknown, refused("403 InvalidClientTokenId")),
    ] {
        assert_eq!(caller(pair).call(moto.url()).await, expected);
    }
    let log = moto.log().await?;
    let statuses: Vec<u16> = log.iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [200, 403, 403]);
    let first = &log[0];
    assert_eq!(
        (first.service.as_str(), first.action.as_str()),
        ("sts", "GetCallerIdentity")
    );
    assert_eq!(
        (&first.key_id, first.region.as_str()),
        (&pair.id, "eu-west-1")
    );
    assert!(first.user_agent.contains("aws-sdk-rust"), "{first:?}");
    assert_eq!(log[2].code.as_deref(), Some("InvalidClientTokenId"));
    Ok(())
}

#[tokio::test]
async fn a_deactivated_key_is_an_unknown_one_until_it_is_activated_again() -> Result<()> {
    let (moto, pair) = with_user().await?;
    for (active, expected) in [
        (false, refused("403 InvalidClientTokenId")),
        (true, Ok(ARN.to_owned())),
    ] {
        moto.set_key_active("reader", &pair.id, active).await?;
        assert_eq!(caller(&pair).call(moto.url()).await, expected, "{active}");
    }
    moto.delete_access_key("reader", &pair.id).await?;
    assert_eq!(
        caller(&pair).call(moto.url()).await,
        refused("403 InvalidClientTokenId")
    );
    Ok(())
}

#[tokio::test]
async fn clocks_may_differ_by_five_minutes() -> Result<()> {
    let (moto, pair) = with_user().await?;
    for (minutes, expected) in [
        (-6, refused("403 SignatureDoesNotMatch")),
        (4, Ok(ARN.to_owned())),
        (6, refused("403 SignatureDoesNotMatch")),
    ] {
        let caller = caller(&pair).off_by_minutes(minutes);
        assert_eq!(caller.call(moto.url()).await, expected, "{minutes} min");
    }
    Ok(())
}

#[tokio::test]
async fn a_key_is_unknown_in_another_partition() -> Result<()> {
    let (moto, pair) = with_user().await?;
    let elsewhere = Caller {
        region: "cn-north-1",
        ..caller(&pair)
    };
    assert_eq!(
        elsewhere.call(moto.url()).await,
        refused("403 InvalidClientTokenId")
    );
    Ok(())
}

#[tokio::test]
async fn calls_can_be_refused_on_request_and_over_tls() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let authority = Authority::new(directory.path())?;
    let moto = Moto::start_tls(LOOPBACK, &authority, &["localhost".to_owned()]).await?;
    moto.create_user("reader").await?;
    let pair = moto.create_access_key("reader").await?;
    let ca_pem = authority.pem();
    let trusting = Caller {
        ca_pem: &ca_pem,
        ..caller(&pair)
    };
    moto.refuse("sts", 503, "ServiceUnavailable", 1).await?;
    assert_eq!(
        trusting.call(moto.url()).await,
        refused("503 ServiceUnavailable")
    );
    assert_eq!(trusting.call(moto.url()).await, Ok(ARN.to_owned()));
    assert_eq!(
        caller(&pair).call(moto.url()).await,
        refused("no connection")
    );
    Ok(())
}

/// The workload with files like those that a pod mounts.
struct Workload {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Workload {
    async fn start(moto: &Moto, files: &Path) -> Result<Self> {
        let program = tokio::task::spawn_blocking(s3client::binary).await??;
        let mut child = Command::new(program)
            .env_clear()
            .env("BUCKET", "the-bucket")
            .env("INTERVAL", "50ms")
            .env("AWS_ENDPOINT_URL", moto.url())
            .env("AWS_SHARED_CREDENTIALS_FILE", files.join("credentials"))
            .env("AWS_CONFIG_FILE", files.join("config"))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().context("no pipe")?;
        let lines = BufReader::new(stdout).lines();
        Ok(Self { child, lines })
    }

    /// Waits for a reading with this outcome and key.
    async fn reads(&mut self, outcome: Outcome, pair: &KeyPair) -> Result<()> {
        let key = &pair.id[pair.id.len() - 4..];
        let mut last = None;
        let found = async {
            while let Some(line) = self.lines.next_line().await? {
                let reading =
                    Reading::parse(&line).with_context(|| format!("no reading: {line}"))?;
                if reading.outcome == outcome && reading.key == key {
                    return Ok(());
                }
                last = Some(reading);
            }
            anyhow::bail!("the workload ended")
        };
        let found = timeout(LONG, found).await;
        found.with_context(|| format!("no {outcome:?} with {key}, but {last:?}"))?
    }
}

fn mount(files: &Path, pair: &KeyPair) -> Result<()> {
    let KeyPair { id, secret } = pair;
    let text = format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    std::fs::write(files.join("new"), text)?;
    std::fs::rename(files.join("new"), files.join("credentials"))?;
    std::fs::write(files.join("config"), "[default]\nregion = us-east-1\n")?;
    Ok(())
}

fn code(code: &str) -> Outcome {
    Outcome::Refused {
        code: code.to_owned(),
    }
}

#[tokio::test]
async fn the_workload_lists_the_bucket_as_long_as_its_key_is_good() -> Result<()> {
    let (moto, pair) = with_user().await?;
    moto.create_bucket("the-bucket").await?;
    for n in 0..3 {
        let key = format!("object {n}");
        moto.put_object("the-bucket", &key, "text").await?;
    }
    let files = tempfile::tempdir()?;
    mount(files.path(), &pair)?;
    let mut workload = Workload::start(&moto, files.path()).await?;
    workload.reads(code("AccessDenied"), &pair).await?;
    moto.allow_listing("reader", "the-bucket").await?;
    let listed = Outcome::Listed { objects: 3 };
    workload.reads(listed.clone(), &pair).await?;

    mount(files.path(), &wrong(&pair))?;
    workload.reads(code("SignatureDoesNotMatch"), &pair).await?;

    let second = moto.create_access_key("reader").await?;
    mount(files.path(), &second)?;
    workload.reads(listed.clone(), &second).await?;
    moto.set_key_active("reader", &second.id, false).await?;
    workload.reads(code("InvalidAccessKeyId"), &second).await?;
    moto.set_key_active("reader", &second.id, true).await?;
    workload.reads(listed, &second).await?;

    let log = moto.log().await?;
    let refusals = log.iter().filter(|entry| entry.status != 200);
    let mut codes: Vec<_> = refusals
        .map(|entry| (entry.status, entry.code.as_deref()))
        .collect();
    codes.dedup();
    assert_eq!(
        codes,
        [
            (403, Some("AccessDenied")),
            (403, Some("SignatureDoesNotMatch")),
            (403, Some("InvalidAccessKeyId"))
        ]
    );
    assert!(log.iter().all(|entry| entry.action == "ListObjectsV2"));
    Ok(())
}

#[tokio::test]
async fn the_workload_ends_at_once_when_it_is_told_to() -> Result<()> {
    let (moto, pair) = with_user().await?;
    let files = tempfile::tempdir()?;
    mount(files.path(), &pair)?;
    let mut workload = Workload::start(&moto, files.path()).await?;
    workload.reads(code("AccessDenied"), &pair).await?;
    let pid = workload.child.id().context("it has ended")?.to_string();
    assert!(Command::new("kill").arg(pid).status().await?.success());
    let status = timeout(Duration::from_secs(5), workload.child.wait()).await;
    assert!(status.context("it runs on")??.success());
    Ok(())
}
