//! What is to be judged, and by which rules: from manifests or from the cluster.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use kube::ResourceExt;

use super::{
    cluster,
    manifest::{self, Manifests, RawSecret},
    rules::Rules,
};
use crate::{
    api::StaticAwsCredentials,
    args::check::CheckArgs,
    decide::{Source, examine},
    fingerprint::FingerprintKey,
    index::Seen,
};

/// More than any stream of manifests that a person reads; a Secret holds 1 MiB at most.
const LARGEST: u64 = 8 * 1024 * 1024;

/// What is judged.
pub struct Subject {
    /// The rules.
    pub rules: Rules,
    /// The Secret.
    pub source: Source,
}

/// Why there is nothing to judge.
#[derive(Debug)]
pub enum Obstacle {
    /// The command line or a manifest is wrong.
    Unusable(String),
    /// The cluster does not answer or does not let us read.
    Unreadable(String),
}

/// Finds what the command line names.
///
/// # Errors
/// There is no such thing, or it cannot be read.
pub async fn find(args: &CheckArgs, key: &FingerprintKey) -> Result<Subject, Obstacle> {
    match &args.file {
        Some(path) => in_manifests(args, path, key),
        None => cluster::find(args, key).await,
    }
}

fn in_manifests(args: &CheckArgs, path: &Path, key: &FingerprintKey) -> Result<Subject, Obstacle> {
    let shown = if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        path.display().to_string()
    };
    let unusable = |problem: String| Obstacle::Unusable(format!("{shown}: {problem}"));
    let bytes = read(path).map_err(unusable)?;
    let manifests = manifest::parse(&bytes).map_err(unusable)?;
    let (object, secret) = chosen(args, manifests).map_err(unusable)?;
    let rules = Rules::new(args, object, &secret.name()).map_err(Obstacle::Unusable)?;
    let source = secret.read(&rules.resource.source).map_err(unusable)?;
    // Nothing was stored yet, so there is no version.
    let seen = Seen {
        uid: String::new().into(),
        version: 0,
        marked_by: None,
        plain: true,
    };
    let source = Source::Found(examine(source, seen, &rules.resource, key));
    Ok(Subject { rules, source })
}

fn read(path: &Path) -> Result<zeroize::Zeroizing<Vec<u8>>, String> {
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    let read = if path == Path::new("-") {
        io::stdin().lock().take(LARGEST + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
    };
    let read = read.map_err(|error| format!("it cannot be read: {error}"))?;
    if u64::try_from(read).is_ok_and(|read| read > LARGEST) {
        return Err("it is larger than 8 MiB".to_owned());
    }
    Ok(bytes)
}

/// A resource and its source, or a Secret alone.
fn chosen(
    args: &CheckArgs,
    mut manifests: Manifests,
) -> Result<(Option<StaticAwsCredentials>, RawSecret), String> {
    let resource = match (&args.secret, &args.resource, manifests.resources.len()) {
        (Some(_), _, _) | (None, None, 0) => None,
        (None, name, _) => Some(only(
            "StaticAwsCredentials",
            "--resource",
            std::mem::take(&mut manifests.resources),
            |resource| name.is_none() || resource.metadata.name.as_ref() == name.as_ref(),
            ResourceExt::name_any,
        )?),
    };
    let others = manifests.others();
    let secrets = manifests.secrets;
    let Some(resource) = resource else {
        if secrets.is_empty() && !others.is_empty() {
            return Err(format!("it holds no Secret, only {others}"));
        }
        let name = args.secret.as_deref();
        let wanted = |secret: &RawSecret| name.is_none_or(|name| secret.is_named(name));
        let secret = only("Secret", "--secret", secrets, wanted, RawSecret::name)?;
        return Ok((None, secret));
    };
    let (name, namespace) = (&resource.spec.secret_ref.name, resource.namespace());
    let source = secrets.into_iter().find(|secret| {
        let apart = |other: &String| Some(other) != namespace.as_ref();
        let elsewhere = secret.metadata.namespace.as_ref().is_some_and(apart);
        secret.is_named(name) && (namespace.is_none() || !elsewhere)
    });
    let resource_name = resource.name_any();
    let source = source.ok_or_else(|| {
        format!(
            "it holds StaticAwsCredentials \"{resource_name}\" and not its source, Secret \"{name}\"; \
             add it, or leave --file out to read both from the cluster"
        )
    })?;
    Ok((Some(resource), source))
}

/// The one that is wanted.
fn only<T>(
    kind: &str,
    flag: &str,
    all: Vec<T>,
    wanted: impl Fn(&T) -> bool,
    name: impl Fn(&T) -> String,
) -> Result<T, String> {
    let names: Vec<String> = all.iter().map(name).collect();
    let names = names.join(", ");
    let mut found: Vec<T> = all.into_iter().filter(wanted).collect();
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (Some(_), false) => Err(format!(
            "it holds several of kind {kind}: {names}; name one with {flag}"
        )),
        (None, _) if names.is_empty() => Err(format!("it holds no {kind}")),
        (None, _) => Err(format!("it holds no {kind} of that name, only {names}")),
    }
}

impl RawSecret {
    fn is_named(&self, name: &str) -> bool {
        self.metadata.name.as_deref() == Some(name)
    }

    fn name(&self) -> String {
        self.metadata.name.clone().unwrap_or_default()
    }
}
