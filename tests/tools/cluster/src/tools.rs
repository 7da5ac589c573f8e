//! Programs that tests run beside the cluster, each built by Go from a module of its own under `tools/`; and
//! programs from Debian packages: Prometheus, valgrind, proxies, and the library that fakes a program's
//! clock.

mod callgrind;
mod fake_clock;
mod prometheus;
mod proxies;
mod qemu;

use std::path::{Path, PathBuf};

use anyhow::Result;

pub use callgrind::instructions;
pub use fake_clock::skewed_by;
pub use prometheus::{prometheus, promtool};
pub use proxies::{microsocks, tinyproxy};
pub use qemu::qemu_aarch64;

use crate::binaries::go_binary;

/// A program for tests, named like its directory under `tools/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// The linter of GitHub's workflows.
    Actionlint,
    /// The program that signs images, and verifies signatures.
    Cosign,
    /// An independent reader of images, and a registry for them.
    Crane,
    /// The tool that restores a snapshot of etcd.
    Etcdutl,
    /// Helm 3.
    Helm3,
    /// Helm 4, whose `--wait` reads conditions as kstatus does.
    Helm4,
    /// Tests of a chart's templates, without a cluster.
    HelmUnittest,
    /// Checks manifests against the schemas of their kinds.
    Kubeconform,
    /// Checks manifests for known mistakes.
    KubeScore,
    /// A store with an interface like that of S3.
    Versitygw,
}

impl Tool {
    fn name(self) -> &'static str {
        match self {
            Self::Actionlint => "actionlint",
            Self::Cosign => "cosign",
            Self::Crane => "crane",
            Self::Etcdutl => "etcdutl",
            Self::Helm3 => "helm3",
            Self::Helm4 => "helm4",
            Self::HelmUnittest => "helm-unittest",
            Self::Kubeconform => "kubeconform",
            Self::KubeScore => "kube-score",
            Self::Versitygw => "versitygw",
        }
    }

    fn package(self) -> &'static str {
        match self {
            Self::Actionlint => "github.com/rhysd/actionlint/cmd/actionlint",
            Self::Cosign => "github.com/sigstore/cosign/v2/cmd/cosign",
            Self::Crane => "github.com/google/go-containerregistry/cmd/crane",
            Self::Etcdutl => "go.etcd.io/etcd/etcdutl/v3",
            Self::Helm3 => "helm.sh/helm/v3/cmd/helm",
            Self::Helm4 => "helm.sh/helm/v4/cmd/helm",
            Self::HelmUnittest => "github.com/helm-unittest/helm-unittest/cmd/helm-unittest",
            Self::Kubeconform => "github.com/yannh/kubeconform/cmd/kubeconform",
            Self::KubeScore => "github.com/zegl/kube-score/cmd/kube-score",
            Self::Versitygw => "github.com/versity/versitygw/cmd/versitygw",
        }
    }

    fn usual_seconds(self) -> u64 {
        match self {
            Self::Actionlint => 10,
            Self::Cosign => 240,
            Self::Crane => 20,
            Self::Etcdutl => 40,
            Self::Helm3 => 60,
            Self::Helm4 => 100,
            Self::HelmUnittest => 35,
            Self::Kubeconform => 5,
            Self::KubeScore => 15,
            Self::Versitygw => 90,
        }
    }
}

/// Finds a program, and builds it if it is missing. Blocks, for a minute or two the first time.
///
/// # Errors
/// When it is missing and cannot be built; the error names the missing prerequisite.
pub fn find(tool: Tool) -> Result<PathBuf> {
    let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("tools");
    let module = tools.join(tool.name());
    go_binary(&module, tool.package(), tool.name(), tool.usual_seconds())
}
