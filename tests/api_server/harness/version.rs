//! What the selected version of Kubernetes lacks, from `KUBERNETES_RELEASE`. A test leaves out only the step that needs
//! the feature; `cargo kubernetes-versions` shows in docs/install.md which steps were left out.

use cluster::binaries::Release;

use crate::report;

/// The name under which a missing feature is reported.
const LEFT_OUT: &str = "left_out";

/// A feature of the API server that the oldest supported version lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// `MutatingAdmissionPolicy` in `v1`.
    Injection,
    /// Updates of a status skip the rules that the unchanged spec already violates.
    StatusRatcheting,
    /// The subresource `resize` of pods.
    PodResize,
    /// Updates of `revisionHistoryLimit` of a `StatefulSet`.
    HistoryLimit,
}

impl Feature {
    fn since(self) -> u32 {
        match self {
            Self::Injection => 36,
            Self::StatusRatcheting | Self::PodResize | Self::HistoryLimit => 33,
        }
    }

    /// What a user of the version misses.
    fn missed(self) -> &'static str {
        match self {
            Self::Injection => "injection: there is no MutatingAdmissionPolicy in `v1`",
            Self::StatusRatcheting => {
                "no status of a resource that breaks a rule which an upgrade of the definition added: the API server \
                 refuses the write"
            }
            Self::PodResize => "the refusal of `pods/resize`: there is no such subresource",
            Self::HistoryLimit => {
                "the refusal of a change of a StatefulSet's `revisionHistoryLimit`: no account may change it"
            }
        }
    }

    /// Whether the API server has the feature. A missing one is reported.
    pub fn is_served(self) -> bool {
        let minor = Release::selected().and_then(Release::minor);
        let is_served = minor.is_ok_and(|minor| minor >= self.since());
        if !is_served {
            report::tried(LEFT_OUT, 1, 0, self.missed());
        }
        is_served
    }
}

/// The value of the chart that enables the injection where the API server has it.
pub fn injection() -> &'static str {
    if Feature::Injection.is_served() {
        "injection.enabled=true"
    } else {
        "injection.enabled=false"
    }
}

/// The validating policies of a release for the whole cluster with this value, in the order of their names.
pub fn validating_policies() -> Vec<String> {
    let has_injection = Feature::Injection.is_served();
    let all = ["fence", "injected", "only", "requester", "status"].into_iter();
    all.filter(|policy| *policy != "injected" || has_injection)
        .map(|policy| format!("static-aws-credentials-{policy}"))
        .collect()
}
