//! Tools that write objects of their own and find them again by labels or annotations. Two writers of one
//! Secret fight, and most of these tools delete what carries their marks and is not in their manifests.

use std::collections::BTreeMap;

use kube::api::ObjectMeta;

/// A tool and its marks.
#[derive(Clone, Copy, Debug)]
pub struct Manager {
    /// Name of the tool, as messages have it.
    pub name: &'static str,
    /// Its marks, each a label or an annotation.
    pub marks: &'static [Mark],
}

/// What a tool marks an object with.
#[derive(Clone, Copy, Debug)]
pub enum Mark {
    /// A key, with any value.
    Key(&'static str),
    /// A key with one value: with another it says something else.
    Value(&'static str, &'static str),
    /// All keys that begin so.
    Prefix(&'static str),
}

use Mark::{Key, Prefix, Value};

/// Each with the marks that its documentation or source names.
pub const MANAGERS: [Manager; 13] = [
    Manager {
        name: "Helm",
        marks: &[
            Value("app.kubernetes.io/managed-by", "Helm"),
            Key("meta.helm.sh/release-name"),
        ],
    },
    Manager {
        name: "Argo CD",
        marks: &[
            Key("argocd.argoproj.io/instance"),
            Key("argocd.argoproj.io/tracking-id"),
        ],
    },
    Manager {
        name: "Flux",
        marks: &[
            Key("kustomize.toolkit.fluxcd.io/name"),
            Key("helm.toolkit.fluxcd.io/name"),
        ],
    },
    Manager {
        name: "kapp",
        marks: &[Key("kapp.k14s.io/app"), Key("kapp.k14s.io/association")],
    },
    Manager {
        name: "Rancher (Fleet, k3s)",
        marks: &[Prefix("objectset.rio.cattle.io/")],
    },
    Manager {
        name: "Config Sync",
        marks: &[
            Value("app.kubernetes.io/managed-by", "configmanagement.gke.io"),
            Value("configmanagement.gke.io/managed", "enabled"),
            Prefix("configsync.gke.io/"),
            Key("config.k8s.io/owning-inventory"),
        ],
    },
    Manager {
        name: "an ApplySet (kubectl apply --prune)",
        marks: &[Key("applyset.kubernetes.io/part-of")],
    },
    Manager {
        name: "OpenShift's Cloud Credential Operator",
        marks: &[Key("cloudcredential.openshift.io/credentials-request")],
    },
    Manager {
        name: "External Secrets Operator",
        marks: &[Prefix("reconcile.external-secrets.io/")],
    },
    Manager {
        name: "Vault Secrets Operator",
        marks: &[
            Value("app.kubernetes.io/managed-by", "hashicorp-vso"),
            Key("secrets.hashicorp.com/vso-ownerRefUID"),
        ],
    },
    Manager {
        name: "kubernetes-replicator",
        marks: &[
            Key("replicator.v1.mittwald.de/replicate-from"),
            Key("replicator.v1.mittwald.de/replicated-at"),
        ],
    },
    Manager {
        name: "Reflector",
        marks: &[Key("reflector.v1.k8s.emberstack.com/reflects")],
    },
    Manager {
        name: "Kyverno",
        marks: &[
            Value("app.kubernetes.io/managed-by", "kyverno"),
            Prefix("generate.kyverno.io/"),
        ],
    },
];

impl Mark {
    fn is(self, key: &str, value: &str) -> bool {
        match self {
            Key(mark) => key == mark,
            Value(mark, wanted) => key == mark && value == wanted,
            Prefix(prefix) => key.starts_with(prefix),
        }
    }
}

/// Labels that are never copied to a target: by these a tool takes the Secret for its own, prunes it, carries
/// it into other namespaces or reads it as its configuration, or they are the operator's.
const NEVER_COPIED: [&str; 20] = [
    "awscredentials.dev/",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/instance",
    "helm.sh/",
    "meta.helm.sh/",
    "argocd.argoproj.io/",
    "fluxcd.io/",
    "k14s.io/",
    "cattle.io/",
    "configmanagement.gke.io/",
    "configsync.gke.io/",
    "config.k8s.io/",
    "applyset.kubernetes.io/",
    "replicator.v1.mittwald.de/",
    "emberstack.com/",
    "secret-copier.deckhouse.io/",
    "generate.kyverno.io/",
    "cloudcredential.openshift.io/",
    "external-secrets.io/",
    "secrets.hashicorp.com/",
];

/// Whether an administrator may have a label copied from resources to their targets, or why not.
///
/// # Errors
/// It is no key of a label, or one that another tool or the operator acts upon.
pub fn may_be_copied(key: &str) -> Result<(), &'static str> {
    if !is_label_key(key) {
        return Err("is no key of a label");
    }
    let reserved = NEVER_COPIED
        .iter()
        .any(|mark| match mark.strip_suffix('/') {
            Some(domain) => key.split_once('/').is_some_and(|(prefix, _)| {
                prefix == domain || prefix.ends_with(&format!(".{domain}"))
            }),
            None => key == *mark,
        });
    if reserved {
        return Err(
            "is never copied, since a tool acts upon it; name a key that only people and policies read",
        );
    }
    Ok(())
}

/// The keys of labels that are copied, or the first one that must not be, and why.
///
/// # Errors
/// One must not be copied.
pub fn copied(keys: &[String]) -> Result<Vec<String>, (String, &'static str)> {
    let refused = |key: &String| may_be_copied(key).map_err(|why| (key.clone(), why));
    keys.iter().try_for_each(refused)?;
    Ok(keys.to_vec())
}

fn is_label_key(key: &str) -> bool {
    let (prefix, name) = key
        .split_once('/')
        .map_or((None, key), |(prefix, name)| (Some(prefix), name));
    let ends_well = |text: &str| {
        let alphanumeric = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        alphanumeric(text.bytes().next()) && alphanumeric(text.bytes().last())
    };
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let of_domain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    let domain = prefix.is_none_or(|prefix| {
        ends_well(prefix) && prefix.len() <= 253 && prefix.bytes().all(of_domain)
    });
    domain && ends_well(name) && name.len() <= 63 && name.bytes().all(of_name)
}

/// The tool that manages an object, if its marks are there.
#[must_use]
pub fn manager(metadata: &ObjectMeta) -> Option<&'static str> {
    let carries = |map: &Option<BTreeMap<String, String>>, mark: Mark| {
        let mut entries = map.iter().flatten();
        entries.any(|(key, value)| mark.is(key, value))
    };
    let manages = |manager: &&Manager| {
        manager
            .marks
            .iter()
            .any(|mark| carries(&metadata.labels, *mark) || carries(&metadata.annotations, *mark))
    };
    MANAGERS.iter().find(manages).map(|manager| manager.name)
}
