//! Which Secret of a stream is judged, and by which resource: what `kubectl apply` would leave in a cluster.
//! An ambiguous choice is rejected, with the candidates.

use kube::api::ObjectMeta;

use super::{
    manifest::{Manifests, RawResource},
    secret::RawSecret,
};
use crate::{
    api::{self, StaticAwsCredentials},
    cli::args::check::CheckArgs,
};

/// A resource and its source, or a Secret alone.
pub struct Chosen {
    /// The resource, if there is one.
    pub resource: Option<StaticAwsCredentials>,
    /// The Secret.
    pub secret: RawSecret,
    /// What a person should know about the choice.
    pub notes: Vec<String>,
}

type Result<T> = std::result::Result<T, String>;

/// An object with a name and a namespace.
trait Named {
    fn metadata(&self) -> &ObjectMeta;

    fn name(&self) -> &str {
        self.metadata().name.as_deref().unwrap_or_default()
    }

    fn namespace(&self) -> Option<&str> {
        let namespace = self.metadata().namespace.as_deref();
        namespace.filter(|namespace| !namespace.is_empty())
    }

    fn shown(&self) -> String {
        match self.namespace() {
            Some(namespace) => format!("{namespace}/{}", self.name()),
            None => self.name().to_owned(),
        }
    }
}

impl Named for RawSecret {
    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }
}

impl Named for RawResource {
    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }
}

impl Named for StaticAwsCredentials {
    fn metadata(&self) -> &ObjectMeta {
        &self.metadata
    }
}

/// The resource and the Secret to judge.
///
/// # Errors
/// Nothing matches, or several objects do.
pub fn chosen(args: &CheckArgs, manifests: Manifests) -> Result<Chosen> {
    let others = manifests.others();
    let Manifests {
        secrets, resources, ..
    } = manifests;
    let mut notes = Vec::new();
    let namespace = args.namespace.as_deref();
    let found = match (&args.secret, &args.resource) {
        (Some(_), _) => None,
        (None, None) if resources.is_empty() => None,
        (None, name) => {
            let pick = Pick {
                kind: api::KIND,
                flag: "--resource",
                name: name.as_deref(),
                namespace,
            };
            Some(pick.of(resources, &mut notes)?.read()?)
        }
    };
    let secret = match &found {
        Some(resource) => source(resource, namespace, secrets, &mut notes),
        None if secrets.is_empty() && !others.is_empty() => Err(only_others(&others)),
        None => Pick {
            kind: "Secret",
            flag: "--secret",
            name: args.secret.as_deref(),
            namespace,
        }
        .of(secrets, &mut notes),
    };
    Ok(Chosen {
        resource: found,
        secret: secret?,
        notes,
    })
}

fn only_others(others: &str) -> String {
    let sealed = if others.split(", ").any(|kind| kind == "SealedSecret") {
        "; a SealedSecret makes its Secret in the cluster: check that one there, with --secret"
    } else {
        ""
    };
    format!("it holds no Secret, only {others}{sealed}")
}

/// The source of a resource.
fn source(
    resource: &StaticAwsCredentials,
    namespace: Option<&str>,
    secrets: Vec<RawSecret>,
    notes: &mut Vec<String>,
) -> Result<RawSecret> {
    let wanted = &resource.spec.secret_ref.name;
    let own = resource.namespace().or(namespace);
    let renamed = secrets
        .iter()
        .find(|secret| is_renamed(secret.name(), wanted));
    let renamed = renamed.map(|secret| secret.name().to_owned());
    let beside = |secret: &RawSecret| match (own, secret.namespace()) {
        (Some(own), Some(other)) => own == other,
        _ => true,
    };
    let mut found: Vec<RawSecret> = secrets
        .into_iter()
        .filter(|secret| secret.name() == *wanted && beside(secret))
        .collect();
    // An equal namespace wins over a match in which only one side has a namespace.
    if found.iter().any(|secret| secret.namespace() == own) {
        found.retain(|secret| secret.namespace() == own);
    }
    if found.is_empty() {
        let advice = match renamed {
            Some(name) => format!(
                "it holds \"{name}\", which kustomize renamed; let kustomize rename the reference too, with \
                 contrib/kustomize/name-reference.yaml"
            ),
            None => "add it, or leave --file out to read both from the cluster".to_owned(),
        };
        return Err(format!(
            "it holds {} \"{}\" and not its source, Secret \"{wanted}\"; {advice}",
            api::KIND,
            resource.name()
        ));
    }
    last("Secret", "-n", found, notes)
}

/// Whether a name is another with a prefix, a suffix, or the hash of kustomize's generators.
fn is_renamed(name: &str, wanted: &str) -> bool {
    name.len() > wanted.len() && !wanted.is_empty() && name.contains(wanted)
}

/// What to pick among all objects of a kind.
struct Pick<'a> {
    kind: &'static str,
    flag: &'static str,
    name: Option<&'a str>,
    namespace: Option<&'a str>,
}

impl Pick<'_> {
    fn of<T: Named>(&self, all: Vec<T>, notes: &mut Vec<String>) -> Result<T> {
        let Self { kind, flag, .. } = self;
        let names = shown(&all);
        let found: Vec<T> = all.into_iter().filter(|one| self.fits(one)).collect();
        if found.is_empty() && names.is_empty() {
            return Err(format!("it holds no {kind}"));
        }
        if found.is_empty() {
            return Err(format!("it holds no {kind} of that name, only {names}"));
        }
        last(kind, flag, found, notes)
    }

    fn fits(&self, one: &impl Named) -> bool {
        let named = self.name.is_none_or(|name| one.name() == name);
        let namespace = one.namespace().zip(self.namespace);
        named && namespace.is_none_or(|(own, wanted)| own == wanted)
    }
}

/// The last of several copies of one object, since each is applied over the one before.
fn last<T: Named>(kind: &str, flag: &str, mut found: Vec<T>, notes: &mut Vec<String>) -> Result<T> {
    let names = shown(&found);
    let several = found.len() > 1;
    let Some(one) = found.pop() else {
        return Err(format!("it holds no {kind}"));
    };
    let is_same = |other: &T| other.name() == one.name() && other.namespace() == one.namespace();
    if let Some(other) = found.iter().find(|other| !is_same(other)) {
        let flag = if other.name() == one.name() {
            "-n"
        } else {
            flag
        };
        return Err(format!(
            "it holds several of kind {kind}: {names}; name one with {flag}"
        ));
    }
    if several {
        notes.push(format!(
            "the input holds {kind} {} more than once; the last one would replace the others in a cluster, and was checked",
            one.shown()
        ));
    }
    Ok(one)
}

/// The names, with their namespaces if these differ.
fn shown<T: Named>(all: &[T]) -> String {
    let mut namespaces = all.iter().map(Named::namespace);
    let first = namespaces.next();
    let apart = namespaces.any(|namespace| Some(namespace) != first);
    let name = |one: &T| {
        if apart {
            one.shown()
        } else {
            one.name().to_owned()
        }
    };
    let names: Vec<String> = all.iter().map(name).collect();
    names.join(", ")
}
