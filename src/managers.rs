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
pub const MANAGERS: [Manager; 7] = [
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
