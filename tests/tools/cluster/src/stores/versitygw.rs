//! versitygw: a gateway that stores objects as files.

use std::{path::Path, time::Duration};

use anyhow::Result;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::{ListBuckets, until};
use crate::{
    component::Component,
    moto::KeyPair,
    ports::unused_address,
    tools::{self, Tool},
};

/// An account of the gateway, which its access key ID names.
#[derive(Clone, Debug)]
pub struct Account {
    /// The pair.
    pub pair: KeyPair,
    /// The rights.
    pub role: Role,
}

/// The rights of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// May use buckets that others have made and given to it.
    User,
    /// May make buckets too.
    UserPlus,
    /// May do everything.
    Admin,
}

/// The running gateway, which ends with this value.
pub struct Versitygw {
    gateway: Component,
    url: String,
    region: String,
    root: KeyPair,
    directory: TempDir,
}

impl Versitygw {
    /// Starts it on a free port of 127.0.0.1; requests must be signed for `region`, and `ListBuckets` may be
    /// signed for `us-east-1` too. The gateway keeps what it has read of an account for the time of `cache`, 120 s by
    /// default; with `None` it reads the accounts for each request. A missing versitygw is built first.
    ///
    /// # Errors
    /// If it cannot be built, or does not start.
    pub async fn start(
        region: &str,
        accounts: &[Account],
        cache: Option<Duration>,
    ) -> Result<Self> {
        let program = tokio::task::spawn_blocking(|| tools::find(Tool::Versitygw)).await??;
        let directory = tempfile::tempdir()?;
        let place = directory.path();
        for name in ["accounts", "data", "attributes"] {
            std::fs::create_dir(place.join(name))?;
        }
        write(place, accounts)?;
        let root = KeyPair {
            id: "root".to_owned(),
            secret: "secret-of-the-root".to_owned(),
        };
        let env = [
            ("ROOT_ACCESS_KEY_ID", &root.id),
            ("ROOT_SECRET_ACCESS_KEY", &root.secret),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.clone()));
        let address = unused_address()?;
        let args = arguments(place, &address, region, cache);
        let gateway = Component::with_env("versitygw", &program, args, env.to_vec(), place);
        let store = Self {
            gateway,
            url: format!("http://{address}"),
            region: region.to_owned(),
            root,
            directory,
        };
        store.gateway.start()?;
        store.ready().await?;
        Ok(store)
    }

    /// Waits until requests are answered.
    ///
    /// # Errors
    /// If it does not run, or does not answer in time.
    pub async fn ready(&self) -> Result<()> {
        let request = ListBuckets::new(&self.root).in_region(&self.region);
        until(&self.gateway, &request, &self.url, |answer| {
            answer.is_success()
        })
        .await
    }

    /// The endpoint.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The process.
    #[must_use]
    pub fn component(&self) -> &Component {
        &self.gateway
    }

    /// The administrator's pair, which is no account and never changes.
    #[must_use]
    pub fn root(&self) -> &KeyPair {
        &self.root
    }

    /// Replaces all accounts while it runs, as another gateway on the same files does: without a cache for the next
    /// request already.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn set_accounts(&self, accounts: &[Account]) -> Result<()> {
        write(self.directory.path(), accounts)
    }
}

fn arguments(place: &Path, address: &str, region: &str, cache: Option<Duration>) -> Vec<String> {
    let path = |name: &str| place.join(name).display().to_string();
    let cache = match cache {
        Some(time) => format!("--iam-cache-ttl={}", time.as_secs()),
        None => "--iam-cache-disable".to_owned(),
    };
    vec![
        format!("--port={address}"),
        format!("--region={region}"),
        format!("--iam-dir={}", path("accounts")),
        cache,
        "--quiet".to_owned(),
        "posix".to_owned(),
        // Not every file system has the extended attributes that it would use.
        format!("--sidecar={}", path("attributes")),
        path("data"),
    ]
}

fn write(place: &Path, accounts: &[Account]) -> Result<()> {
    let accounts: Map<String, Value> = accounts
        .iter()
        .map(|Account { pair, role }| {
            let role = match role {
                Role::User => "user",
                Role::UserPlus => "userplus",
                Role::Admin => "admin",
            };
            let account = json!({"access": pair.id, "secret": pair.secret, "role": role});
            (pair.id.clone(), account)
        })
        .collect();
    let new = place.join("accounts.new");
    std::fs::write(&new, json!({"accessAccounts": accounts}).to_string())?;
    Ok(std::fs::rename(new, place.join("accounts/users.json"))?)
}
