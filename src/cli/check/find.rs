//! Finds what is to be judged, in manifests or in the cluster.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use super::{
    cluster,
    manifest::{self, Manifests},
    placeholder,
    rules::Rules,
    selection::{Chosen, chosen},
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

/// More than any stream of manifests that a person reads; a Secret holds 1 MiB at most.
const LARGEST: u64 = 8 * 1024 * 1024;

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
    let bytes = read(path).map_err(unusable)?;
    let manifests: Manifests = manifest::parse(&bytes).map_err(unusable)?;
    let Chosen {
        resource,
        secret,
        notes,
    } = chosen(args, manifests).map_err(unusable)?;
    let name = secret.metadata.name.clone().unwrap_or_default();
    let rules = Rules::new(args, resource, &name);
    let mut rules = rules.map_err(Obstacle::Unusable)?;
    rules.notes.extend(notes);
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
