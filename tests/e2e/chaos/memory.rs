//! Remains of a pair in the memory of the living process, one second after the pair was last used.

use std::{collections::BTreeSet, fs::File, os::unix::fs::FileExt, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use base64::{Engine, engine::general_purpose::STANDARD};
use cluster::sts::Answer;
use serde_json::json;

use crate::{
    chaos::counts::survived,
    harness::{
        actions::TARGET,
        test_env::{ACCOUNT, ARN, TestCluster, TestEnv},
    },
    suite::tests,
};

tests![
    a21_the_memory_holds_nothing_of_a_pair_that_is_published,
    a21_the_memory_holds_nothing_of_a_pair_that_is_refused,
    a21_the_memory_holds_nothing_of_a_pair_that_came_by_tls,
    a21_a_copy_in_an_annotation_goes_with_the_buffers_of_the_watch,
];

const AFTER: Duration = Duration::from_secs(1);
const BLOCK: usize = 1 << 20;

/// A pair that occurs nowhere else.
struct Canary {
    id: String,
    secret: String,
}

impl Canary {
    fn new() -> Result<Self> {
        let characters = |alphabet: &[u8], count| -> Result<String> {
            let mut random = vec![0_u8; count];
            getrandom::fill(&mut random)?;
            let pick = |byte: &u8| char::from(alphabet[usize::from(*byte) % alphabet.len()]);
            Ok(random.iter().map(pick).collect())
        };
        let base32 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let any = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/+";
        Ok(Self {
            id: format!("AKIARZPUZDIK{}", characters(base32, 8)?),
            secret: characters(any, 40)?,
        })
    }

    fn pair(&self) -> (&str, &str) {
        (&self.id, &self.secret)
    }

    /// The secret in several encodings, and in halves, since a partly overwritten copy still counts.
    fn needles(&self) -> Vec<(String, Vec<u8>)> {
        let halves = [
            ("first half", &self.secret[..20]),
            ("second half", &self.secret[20..]),
        ];
        let mut needles = Vec::new();
        for (part, text) in halves {
            let bytes = text.as_bytes();
            needles.push((format!("{part}, raw"), bytes.to_vec()));
            for width in [2, 4] {
                let wide = bytes.iter().flat_map(|byte| {
                    let mut wide = vec![0; width];
                    wide[0] = *byte;
                    wide
                });
                let mut wide: Vec<u8> = wide.collect();
                wide.truncate(20 * width - width + 1);
                needles.push((format!("{part}, {} bits", width * 8), wide));
            }
            let hex = bytes
                .iter()
                .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
            needles.push((format!("{part}, hexadecimal"), hex.into_bytes()));
            let reversed = bytes.iter().rev().copied().collect();
            needles.push((format!("{part}, backwards"), reversed));
            for shift in 0..3 {
                let shifted = [&vec![0; shift], bytes].concat();
                let coded = STANDARD.encode(&shifted);
                let (begin, end) = ((shift * 8).div_ceil(6), shifted.len() * 8 / 6);
                let coded = coded.as_bytes()[begin..end].to_vec();
                needles.push((format!("{part}, base64 {shift}"), coded));
            }
        }
        needles
    }
}

/// The places in the writable memory of a process that contain a part of a canary.
fn scan(process: u32, canary: &Canary) -> Result<BTreeSet<String>> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps"))?;
    let memory = File::open(format!("/proc/{process}/mem")).context("only root may read it")?;
    let needles = canary.needles();
    let longest = needles.iter().map(|(_, needle)| needle.len()).max();
    let overlap = longest.unwrap_or_default();
    let mut found = BTreeSet::new();
    let mut read = 0;
    for line in maps.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let name = fields.get(5).copied().unwrap_or("anonymous");
        if !fields[1].starts_with("rw") || name == "[vvar]" {
            continue;
        }
        let (begin, end) = fields[0].split_once('-').context("no range")?;
        let (begin, end) = (
            u64::from_str_radix(begin, 16)?,
            u64::from_str_radix(end, 16)?,
        );
        let mut at = begin;
        while at < end {
            let length = usize::try_from(end - at)?.min(BLOCK + overlap);
            let mut block = vec![0; length];
            // A mapping may vanish while it is read.
            if memory.read_exact_at(&mut block, at).is_ok() {
                read += length;
                for (what, needle) in &needles {
                    for place in places(&block, needle) {
                        let address = at + place as u64;
                        found.insert(format!("{address:x} in {name}: {what}"));
                    }
                }
            }
            at += BLOCK as u64;
        }
    }
    ensure!(read > BLOCK, "only {read} bytes were read");
    Ok(found)
}

fn places(block: &[u8], needle: &[u8]) -> Vec<usize> {
    let starts = block
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == needle[0]);
    let holds = starts.filter(|(at, _)| block[*at..].starts_with(needle));
    holds.map(|(at, _)| at).collect()
}

/// Waits until the operator is idle and one second more, then fails if memory contains any part of the canary.
async fn assert_gone(env: &TestEnv, canary: &Canary, when: &str) -> Result<()> {
    env.until_idle().await?;
    tokio::time::sleep(AFTER).await;
    let found = scan(env.operator()?.pid(), canary)?;
    ensure!(found.is_empty(), "{when}: {found:#?}");
    Ok(())
}

async fn a21_the_memory_holds_nothing_of_a_pair_that_is_published(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    let tried = published(&env).await?;
    let test = "a21_the_memory_holds_nothing_of_a_pair_that_is_published";
    survived(test, tried, "scans of the whole memory");
    Ok(())
}

/// Publishes, touches, restores and rotates, and scans after each step.
async fn published(env: &TestEnv) -> Result<usize> {
    let (first, second) = (Canary::new()?, Canary::new()?);
    env.sts.answer(&first.id, Answer::Hang);
    env.source("pair", first.pair()).await?;
    env.resource("orders", "pair", json!({})).await?;
    env.sts.called(&first.id, 1).await;
    let found = scan(env.operator()?.pid(), &first)?;
    ensure!(
        !found.is_empty(),
        "a pair that is being proven was not found"
    );
    env.sts
        .accept_pair(&first.id, &first.secret, ACCOUNT, ARN, "AIDAQUAIL");
    env.until_converged("orders").await?;
    assert_gone(env, &first, "published").await?;
    env.touch("pair").await?;
    env.until_converged("orders").await?;
    assert_gone(env, &first, "touched").await?;
    env.delete_secret(TARGET).await?;
    env.until_converged("orders").await?;
    assert_gone(env, &first, "restored").await?;
    env.sts
        .accept_pair(&second.id, &second.secret, ACCOUNT, ARN, "AIDAQUAIL");
    env.source("pair", second.pair()).await?;
    env.until_converged("orders").await?;
    assert_gone(env, &first, "the old one, rotated").await?;
    assert_gone(env, &second, "the new one, rotated").await?;
    Ok(5)
}

async fn a21_the_memory_holds_nothing_of_a_pair_that_is_refused(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::settled_with(test_cluster, json!({})).await?;
    let echo = Canary::new()?;
    let message = format!("The canonical string was {}", echo.secret);
    env.sts.answer(
        &echo.id,
        Answer::error(403, "SignatureDoesNotMatch", &message),
    );
    env.source("pair", echo.pair()).await?;
    env.until_condition("orders", "Ready", "False", "SignatureMismatch")
        .await?;
    assert_gone(&env, &echo, "refused by AWS, which echoes it").await?;

    let malformed = Canary::new()?;
    let secret = format!("{}\n", malformed.secret);
    env.source("pair", (&malformed.id, &secret)).await?;
    env.until_condition("orders", "Ready", "False", "TrailingNewline")
        .await?;
    assert_gone(&env, &malformed, "malformed").await?;

    let beside = Canary::new()?;
    let other = Canary::new()?;
    let keys = [
        ("AWS_ACCESS_KEY_ID", other.id.as_bytes()),
        ("other", beside.secret.as_bytes()),
    ];
    env.secret("pair", &keys).await?;
    env.until_condition("orders", "Ready", "False", "SourceKeyMissing")
        .await?;
    assert_gone(&env, &beside, "another key of the Secret").await?;
    let test = "a21_the_memory_holds_nothing_of_a_pair_that_is_refused";
    survived(test, 3, "scans of the whole memory");
    Ok(())
}

async fn a21_the_memory_holds_nothing_of_a_pair_that_came_by_tls(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let mut env = TestEnv::before_start(test_cluster).await?;
    env.without_proxy().await?;
    env.start_operator().await?;
    let tried = published(&env).await?;
    let test = "a21_the_memory_holds_nothing_of_a_pair_that_came_by_tls";
    survived(test, tried, "scans of the whole memory");
    Ok(())
}

/// `kubectl apply` keeps a copy of the manifest in an annotation. The watch delivers it into buffers of libraries,
/// which live as long as the connection and are overwritten by later events.
async fn a21_a_copy_in_an_annotation_goes_with_the_buffers_of_the_watch(
    test_cluster: Arc<TestCluster>,
) -> Result<()> {
    let env = TestEnv::open(test_cluster).await?;
    let canary = Canary::new()?;
    env.sts
        .accept_pair(&canary.id, &canary.secret, ACCOUNT, ARN, "AIDAQUAIL");
    env.source("pair", canary.pair()).await?;
    env.resource("orders", "pair", json!({})).await?;
    let copy = STANDARD.encode(&canary.secret);
    let patch = json!({ "metadata": { "annotations": { "copy": copy } } });
    env.edit_secret("pair", patch).await?;
    env.until_converged("orders").await?;
    let process = env.operator()?.pid();
    env.until("the copy is gone", async || {
        Ok(scan(process, &canary)?.is_empty().then_some(()))
    })
    .await
}
