//! moto, the stand-in for AWS that keeps users, keys and buckets and checks signatures with its own code, behind
//! `moto/server.py`, which makes it as strict as AWS.

mod records;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};

use crate::{
    certs::Authority,
    child_process::ChildProcess,
    http_client::{HttpClient, http_client},
    python::Environment,
};

pub use records::{Entry, KeyPair, User};

/// The account of all users and buckets.
pub const ACCOUNT: &str = "123456789012";

const ENVIRONMENT: Environment = Environment {
    name: "moto",
    why: "moto, which stands in for AWS's S3, IAM and STS, runs in a Python environment of its own",
};
const DEADLINE: Duration = Duration::from_mins(2);

/// The Python that has moto and botocore, which are installed first if they are missing.
///
/// # Errors
/// If there is no Python to install them with, or the packages cannot be fetched.
pub fn python() -> Result<PathBuf> {
    Ok(ENVIRONMENT.directory()?.join("bin/python"))
}

/// The running stand-in, which ends with this value.
pub struct Moto {
    process: ChildProcess,
    url: String,
    client: HttpClient,
    _directory: tempfile::TempDir,
}

impl Moto {
    /// Starts it on a free port of `bind`, without TLS. A missing moto is installed first.
    ///
    /// # Errors
    /// If there is no Python to run it with, or it does not start.
    pub async fn start(bind: IpAddr) -> Result<Self> {
        Self::launch(bind, None).await
    }

    /// The same with a certificate from `authority` for `bind` and `names`.
    ///
    /// # Errors
    /// If there is no Python to run it with, or it does not start.
    pub async fn start_tls(bind: IpAddr, authority: &Authority, names: &[String]) -> Result<Self> {
        let mut all = vec![bind.to_string()];
        all.extend_from_slice(names);
        Self::launch(bind, Some((authority, &all))).await
    }

    async fn launch(bind: IpAddr, tls: Option<(&Authority, &[String])>) -> Result<Self> {
        let environment = tokio::task::spawn_blocking(|| ENVIRONMENT.directory()).await??;
        let python = environment.join("bin/python");
        let directory = tempfile::tempdir()?;
        let mailbox = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let mut args = vec![
            script("server.py"),
            format!("--bind={bind}"),
            format!("--announce={}", mailbox.local_addr()?),
        ];
        let (mut scheme, mut ca_pem) = ("http", String::new());
        if let Some((authority, names)) = tls {
            let identity = authority.server("moto", names)?;
            args.push(format!("--cert={}", identity.certificate.display()));
            args.push(format!("--key={}", identity.key.display()));
            args.push(format!("--ca={}", authority.certificate().display()));
            (scheme, ca_pem) = ("https", authority.pem());
        }
        let log = directory.path().join("moto.log");
        let process = ChildProcess::spawn("moto", &python, &args, &[], &log)?;
        let port = announced(&mailbox, &process).await?;
        Ok(Self {
            process,
            url: format!("{scheme}://{}", SocketAddr::new(bind, port)),
            client: http_client(&ca_pem)?,
            _directory: directory,
        })
    }

    /// The endpoint of all services.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> &ChildProcess {
        &self.process
    }

    /// Creates a user, who may call `GetCallerIdentity` only.
    ///
    /// # Errors
    /// If the name is taken.
    pub async fn create_user(&self, name: &str) -> Result<User> {
        let answer = self
            .call("iam", "create_user", json!({"UserName": name}))
            .await?;
        part(&answer, "User")
    }

    /// Makes a key for the user; AWS allows two.
    ///
    /// # Errors
    /// If there is no such user, or the user has two keys.
    pub async fn create_access_key(&self, user: &str) -> Result<KeyPair> {
        let params = json!({"UserName": user});
        let answer = self.call("iam", "create_access_key", params).await?;
        part(&answer, "AccessKey")
    }

    /// Activates or deactivates a key.
    ///
    /// # Errors
    /// If the user has no such key.
    pub async fn set_key_active(&self, user: &str, id: &str, active: bool) -> Result<()> {
        let status = if active { "Active" } else { "Inactive" };
        let params = json!({"UserName": user, "AccessKeyId": id, "Status": status});
        self.call("iam", "update_access_key", params)
            .await
            .map(drop)
    }

    /// Deletes a key.
    ///
    /// # Errors
    /// If the user has no such key.
    pub async fn delete_access_key(&self, user: &str, id: &str) -> Result<()> {
        let params = json!({"UserName": user, "AccessKeyId": id});
        self.call("iam", "delete_access_key", params)
            .await
            .map(drop)
    }

    /// Allows the user to list the bucket, and nothing else.
    ///
    /// # Errors
    /// If there is no such user.
    pub async fn allow_listing(&self, user: &str, bucket: &str) -> Result<()> {
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Action": "s3:ListBucket",
                "Resource": format!("arn:aws:s3:::{bucket}"),
            }],
        });
        let params = json!({
            "UserName": user,
            "PolicyName": format!("list-{bucket}"),
            "PolicyDocument": policy.to_string(),
        });
        self.call("iam", "put_user_policy", params).await.map(drop)
    }

    /// Makes a bucket.
    ///
    /// # Errors
    /// If moto refuses the name.
    pub async fn create_bucket(&self, name: &str) -> Result<()> {
        let params = json!({"Bucket": name});
        self.call("s3", "create_bucket", params).await.map(drop)
    }

    /// Puts an object.
    ///
    /// # Errors
    /// If there is no such bucket.
    pub async fn put_object(&self, bucket: &str, key: &str, body: &str) -> Result<()> {
        let params = json!({"Bucket": bucket, "Key": key, "Body": body});
        self.call("s3", "put_object", params).await.map(drop)
    }

    /// Refuses the next `times` calls of a service (`sts`, `s3`, `iam`) with this error.
    ///
    /// # Errors
    /// If moto cannot be reached.
    pub async fn refuse(&self, service: &str, status: u16, code: &str, times: usize) -> Result<()> {
        let fault = json!({
            "service": service, "status": status, "code": code,
            "message": "Refused on request.", "times": times,
        });
        self.control::<Value>("fault", Some(fault)).await.map(drop)
    }

    /// All requests so far except the administrator's, refused ones included.
    ///
    /// # Errors
    /// If moto cannot be reached.
    pub async fn log(&self) -> Result<Vec<Entry>> {
        self.control("log", None).await
    }

    /// Calls a method of boto3's client (`iam`, `s3`, `sts`) as the administrator.
    ///
    /// # Errors
    /// If moto refuses it.
    pub async fn call(&self, service: &str, method: &str, params: Value) -> Result<Value> {
        let call = json!({"service": service, "method": method, "params": params});
        self.control("call", Some(call)).await
    }

    async fn control<T: DeserializeOwned>(&self, what: &str, body: Option<Value>) -> Result<T> {
        let method = if body.is_some() { "POST" } else { "GET" };
        let text = body.map(|body| body.to_string()).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/-/{what}", self.url))
            .body(Full::from(text))?;
        let exchange = async {
            let response = self.client.request(request).await?;
            let status = response.status();
            let body = response.into_body().collect().await?.to_bytes();
            anyhow::Ok((status, body))
        };
        let (status, body) = timeout(DEADLINE, exchange)
            .await
            .context("moto does not answer")?
            .context("cannot ask moto")?;
        ensure!(
            status.is_success(),
            "moto refuses: {}",
            String::from_utf8_lossy(&body)
        );
        serde_json::from_slice(&body).context("cannot read moto's answer")
    }
}

/// Waits until moto sends its port, once it is ready, or ends.
async fn announced(mailbox: &TcpListener, process: &ChildProcess) -> Result<u16> {
    let end = Instant::now() + DEADLINE;
    while Instant::now() < end {
        process.check()?;
        let Ok(visitor) = timeout(Duration::from_millis(500), mailbox.accept()).await else {
            continue;
        };
        let mut text = String::new();
        visitor?.0.read_to_string(&mut text).await?;
        return text.trim().parse().context("moto did not send its port");
    }
    bail!("moto is not ready after {DEADLINE:?}")
}

fn script(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("moto")
        .join(name);
    path.display().to_string()
}

fn part<T: DeserializeOwned>(answer: &Value, name: &str) -> Result<T> {
    T::deserialize(&answer[name]).with_context(|| format!("moto's answer has no {name}"))
}
