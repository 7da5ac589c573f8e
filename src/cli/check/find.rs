//! Finds what is to be judged, in manifests or in the cluster.

use std::path::Path;

use super::{
    class, cluster,
    manifest::{self, Manifests},
    placeholder,
    rules::Rules,
    selection::{Chosen, chosen},
    stream,
    subject::{Obstacle, Subject},
};
use crate::{
    cli::args::check::CheckArgs,
    domain::{
        decide::{Source, examine},
        fingerprint::FingerprintKey,
        index::SecretVersion,
    },
};

/// Finds what the command line names.
///
/// # Errors
/// It does not exist, or cannot be read.
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
    let bytes = stream::read(path).map_err(unusable)?;
    let mut manifests: Manifests = manifest::parse(&bytes).map_err(unusable)?;
    let classes = std::mem::take(&mut manifests.classes);
    let Chosen {
        resource,
        secret,
        notes,
    } = chosen(args, manifests).map_err(unusable)?;
    let name = secret.metadata.name.clone().unwrap_or_default();
    let rules = Rules::new(args, resource, &name);
    let mut rules = rules.map_err(Obstacle::Unusable)?;
    rules.notes.extend(notes);
    if let Some(name) = rules.class.clone() {
        let class = class::in_manifests(args, &name, classes).map_err(Obstacle::Unusable)?;
        rules.resolve(&name, Some(&class));
    }
    let names = &rules.resource.source;
    let source = secret.read(names).map_err(unusable)?;
    for key in names.keys() {
        let value = source.data.as_ref().and_then(|data| data.get(key));
        if let Some(problem) = value.and_then(|value| placeholder::of(&value.0)) {
            let problem = format!("key \"{key}\" of Secret \"{name}\" {problem}");
            return Err(Obstacle::NoPair(problem));
        }
    }
    // The Secret is not stored yet, so there is no version.
    let seen = SecretVersion {
        uid: String::new().into(),
        version: 0,
        owner_uid: None,
        only_our_metadata: true,
    };
    let source = Source::Found(examine(source, seen, &rules.resource, key));
    Ok(Subject { rules, source })
}
