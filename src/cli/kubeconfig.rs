//! The configuration for the API server: a kubeconfig, or the service account of a pod.
//!
//! kube reads a kubeconfig too, but by code for each type of it that takes half a megabyte of the image,
//! and with errors that show the lines around a fault, tokens included.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use kube::{
    Config,
    config::{InClusterError, KubeConfigOptions, Kubeconfig, KubeconfigError},
};

use crate::cli::{route::parse_proxy, yaml};

/// Set so that kube ignores the environment; no request goes there.
const NO_PROXY: &str = "http://proxy.invalid:1";

/// Why there is no configuration for the API server.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// There is neither a kubeconfig nor a service account.
    #[error("no configuration for the API server; run inside a cluster or set KUBECONFIG")]
    Nowhere(#[source] InClusterError),
    /// A file cannot be read.
    #[error("no configuration for the API server; KUBECONFIG: {} cannot be read", .0.display())]
    Read(PathBuf, #[source] io::Error),
    /// A file is not a kubeconfig.
    #[error("no configuration for the API server; KUBECONFIG: {file}: {fault}", file = .0.display(), fault = .1)]
    Malformed(PathBuf, String),
    /// The kubeconfig lacks something, such as the context.
    #[error("no configuration for the API server; KUBECONFIG cannot be used")]
    Incomplete(#[source] Box<KubeconfigError>),
    /// The proxy of the cluster.
    #[error("no configuration for the API server; KUBECONFIG: the proxy-url of the cluster: {0}")]
    Proxy(&'static str),
    /// A context was asked for, and there is no kubeconfig.
    #[error("there is no kubeconfig; set KUBECONFIG")]
    Absent,
    /// The context that was asked for cannot be used.
    #[error("--context: the kubeconfig cannot be used")]
    Context(#[source] Box<Self>),
}

/// The configuration of a context, or of the current one; without a kubeconfig that of the pod.
///
/// # Errors
/// There is no configuration for the API server.
pub async fn load(context: Option<&str>) -> Result<Config, Unusable> {
    let config = try_load(context).await;
    config.map_err(|error| match context {
        None => error,
        Some(_) => Unusable::Context(Box::new(error)),
    })
}

async fn try_load(context: Option<&str>) -> Result<Config, Unusable> {
    match (merged(&files())?, context) {
        (Some(kubeconfig), _) => of(kubeconfig, context).await,
        (None, None) => Config::incluster().map_err(Unusable::Nowhere),
        (None, Some(_)) => Err(Unusable::Absent),
    }
}

async fn of(mut kubeconfig: Kubeconfig, context: Option<&str>) -> Result<Config, Unusable> {
    let named = proxy(&kubeconfig, context).map(str::to_owned);
    let proxy = named.as_deref().map(parse_proxy).transpose();
    let proxy = proxy.map_err(Unusable::Proxy)?;
    // Where none is named, kube would look for one in the environment, and fail on what is no URL there.
    let clusters = kubeconfig.clusters.iter_mut();
    for cluster in clusters.filter_map(|named| named.cluster.as_mut()) {
        cluster.proxy_url = Some(NO_PROXY.to_owned());
    }
    let options = KubeConfigOptions {
        context: context.map(str::to_owned),
        ..KubeConfigOptions::default()
    };
    let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let mut config = config.map_err(|error| Unusable::Incomplete(Box::new(error)))?;
    config.proxy_url = proxy;
    // kube has given the placeholder to an exec plugin that wants to know the cluster.
    let exec = config.auth_info.exec.as_mut();
    if let Some(cluster) = exec.and_then(|exec| exec.cluster.as_mut()) {
        cluster.proxy_url = named;
    }
    Ok(config)
}

/// The proxy that the kubeconfig names for the cluster of a context.
fn proxy<'a>(kubeconfig: &'a Kubeconfig, context: Option<&str>) -> Option<&'a str> {
    let name = context.or(kubeconfig.current_context.as_deref());
    let mut contexts = kubeconfig.contexts.iter();
    let context = contexts.find(|named| Some(named.name.as_str()) == name);
    let cluster = context.and_then(|named| Some(named.context.as_ref()?.cluster.as_str()));
    let mut clusters = kubeconfig.clusters.iter();
    let cluster = clusters.find(|named| Some(named.name.as_str()) == cluster);
    let named = cluster.and_then(|named| named.cluster.as_ref()?.proxy_url.as_deref());
    named.filter(|url| !url.is_empty())
}

/// The files that `KUBECONFIG` names, else the one in the home directory if it exists.
fn files() -> Vec<PathBuf> {
    let named = env::var_os("KUBECONFIG").unwrap_or_default();
    let named = env::split_paths(&named).filter(|path| !path.as_os_str().is_empty());
    let named: Vec<PathBuf> = named.collect();
    if !named.is_empty() {
        return named;
    }
    let usual = env::home_dir().map(|home| home.join(".kube").join("config"));
    usual.into_iter().filter(|path| path.exists()).collect()
}

/// Of several files the first that has a name counts.
fn merged(files: &[PathBuf]) -> Result<Option<Kubeconfig>, Unusable> {
    let mut merged: Option<Kubeconfig> = None;
    for path in files {
        let text = fs::read_to_string(path);
        let text = text.map_err(|error| Unusable::Read(path.clone(), error))?;
        let text = zeroize::Zeroizing::new(text);
        let malformed = |error| Unusable::Malformed(path.clone(), error);
        for document in yaml::documents(&text).map_err(malformed)? {
            if document.is_null() {
                continue;
            }
            let mut next: Kubeconfig = serde_json::from_value(document)
                .map_err(|_| malformed("it is not a kubeconfig".to_owned()))?;
            let directory = path.parent().unwrap_or(Path::new(""));
            references(&mut next).for_each(|reference| make_absolute(reference, directory));
            let so_far = merged.take().unwrap_or_default();
            let both = so_far.merge(next);
            merged = Some(both.map_err(|error| Unusable::Incomplete(Box::new(error)))?);
        }
    }
    Ok(merged)
}

/// The files to which a kubeconfig refers, each by a path that may be relative to the kubeconfig's.
fn references(kubeconfig: &mut Kubeconfig) -> impl Iterator<Item = &mut String> {
    let clusters = kubeconfig.clusters.iter_mut();
    let authorities =
        clusters.filter_map(|named| named.cluster.as_mut()?.certificate_authority.as_mut());
    let users = kubeconfig.auth_infos.iter_mut();
    let users = users.filter_map(|named| named.auth_info.as_mut());
    let of_users = users.flat_map(|user| {
        let command = user.exec.as_mut().and_then(|exec| exec.command.as_mut());
        // A name without a separator is looked for in PATH.
        let command = command.filter(|command| command.contains('/'));
        [
            user.client_certificate.as_mut(),
            user.client_key.as_mut(),
            user.token_file.as_mut(),
            command,
        ]
    });
    authorities.chain(of_users.flatten())
}

fn make_absolute(reference: &mut String, directory: &Path) {
    if Path::new(reference).is_relative()
        && let Some(absolute) = directory.join(&*reference).to_str()
    {
        absolute.clone_into(reference);
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;

    const FIRST: &str = "\u{FEFF}
current-context: one
contexts: [{name: one, context: {cluster: here, user: me}}]
clusters: [{name: here, cluster: {server: https://here, certificate-authority: ca.crt}}]
users:
- name: me
  user: {client-certificate: /abs.crt, client-key: keys/me, exec: {command: bin/login, apiVersion: v1}}
";
    const SECOND: &str = "
current-context: two
contexts: [{name: one, context: {cluster: there, user: me}}]
---
users: [{name: other, user: {tokenFile: token, exec: {command: aws}}}]
";

    fn written(texts: &[&str]) -> (tempfile::TempDir, Vec<PathBuf>) {
        let directory = tempfile::tempdir().unwrap();
        let files = texts.iter().enumerate().map(|(number, text)| {
            let path = directory.path().join(number.to_string());
            fs::write(&path, text).unwrap();
            path
        });
        let files = files.collect();
        (directory, files)
    }

    #[test]
    fn the_first_file_that_has_a_name_counts_and_paths_are_relative_to_their_file() {
        let (directory, files) = written(&[FIRST, SECOND]);
        let mut read = merged(&files).unwrap().unwrap();
        assert_eq!(read.current_context.as_deref(), Some("one"));
        assert_eq!(read.contexts.len(), 1);
        assert_eq!(read.contexts[0].context.as_ref().unwrap().cluster, "here");
        assert_eq!(read.auth_infos.len(), 2);
        let in_it = |name: &str| directory.path().join(name).display().to_string();
        let expected = [
            in_it("ca.crt"),
            "/abs.crt".to_owned(),
            in_it("keys/me"),
            in_it("bin/login"),
            in_it("token"),
        ];
        let found: Vec<String> = references(&mut read).map(|path| path.clone()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_fault_is_named_and_nothing_of_the_file_is_shown() {
        for text in [
            "users: [{name: me, user: {token: hush",
            "users: hush",
            "hush",
        ] {
            let (_directory, files) = written(&[text]);
            let error = merged(&files).unwrap_err().to_string();
            assert!(error.contains("KUBECONFIG: "), "{error}");
            assert!(!error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn an_empty_file_is_no_kubeconfig() {
        let (_directory, files) = written(&["", "# nothing\n"]);
        assert!(merged(&files).unwrap().is_none());
    }

    #[test]
    fn a_file_that_is_named_and_absent_is_an_error() {
        let error = merged(&["/nowhere".into()]).unwrap_err().to_string();
        assert!(error.contains("/nowhere cannot be read"), "{error}");
    }

    /// kube hands the cluster to the plugin before the operator can take its placeholder away.
    #[tokio::test]
    async fn an_exec_plugin_is_told_the_proxy_of_the_kubeconfig_or_none() {
        for proxy in [Some("http://u:p@proxy:3128"), None] {
            let exec = "exec: {command: login, apiVersion: v1, provideClusterInfo: true}";
            let proxy_url = proxy.map_or(String::new(), |url| format!(", proxy-url: '{url}'"));
            let text = format!(
                "current-context: one
contexts: [{{name: one, context: {{cluster: here, user: me}}}}]
clusters: [{{name: here, cluster: {{server: https://here{proxy_url}}}}}]
users: [{{name: me, user: {{{exec}}}}}]
"
            );
            let (_directory, files) = written(&[&text]);
            let config = of(merged(&files).unwrap().unwrap(), None).await.unwrap();
            let told = config.auth_info.exec.unwrap().cluster.unwrap().proxy_url;
            assert_eq!(told.as_deref(), proxy);
            assert_eq!(config.proxy_url.is_some(), proxy.is_some());
        }
    }
}
