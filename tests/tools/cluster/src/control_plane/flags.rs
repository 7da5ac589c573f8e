//! The command lines of the control plane.

use std::{
    net::Ipv4Addr,
    path::{Path, PathBuf},
};

use anyhow::Result;

use super::Options;
use crate::{
    certs::{Authority, Identity, signing_pair},
    host_allocation::HostAllocation,
    kubeconfig::{self, Proof},
};

/// The API server's address for pods: the first address of the range of services.
pub(crate) const SERVICE_ADDRESS: Ipv4Addr = Ipv4Addr::new(198, 19, 0, 1);
const SERVICE_RANGE: &str = "198.19.0.0/16";

/// The controllers that the tests need; each of the others would cost watches and memory.
const CONTROLLERS: &[&str] = &[
    "clusterrole-aggregation-controller",
    "daemonset-controller",
    "deployment-controller",
    "disruption-controller",
    "endpointslice-controller",
    "garbage-collector-controller",
    "job-controller",
    "namespace-controller",
    "node-lifecycle-controller",
    "pod-garbage-collector-controller",
    "replicaset-controller",
    "root-ca-certificate-publisher-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "statefulset-controller",
    "taint-eviction-controller",
    "validatingadmissionpolicy-status-controller",
];

const AUDIT_POLICY: &str = "\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Metadata}]
";

/// Ports, files and keys, chosen once, so that a restarted part has the same ones.
pub(crate) struct Plan {
    pub(crate) url: String,
    pub(crate) port: u16,
    pub(crate) directory: PathBuf,
    pub(crate) audit: Option<Audit>,
    etcd_port: u16,
    etcd_peer_port: u16,
    bridge_address: Ipv4Addr,
    serving: Identity,
    kubelet_client: Identity,
    authority: PathBuf,
    signing: (PathBuf, PathBuf),
    more_flags: Vec<String>,
}

/// The files of the audit log.
pub(crate) struct Audit {
    pub(crate) log: PathBuf,
    policy: PathBuf,
}

impl Plan {
    pub(super) fn new(
        allocation: &HostAllocation,
        authority: &Authority,
        options: &Options,
    ) -> Result<Self> {
        let directory = allocation.directory();
        let port = allocation.port()?;
        let names = [
            "127.0.0.1",
            "localhost",
            "kubernetes.default.svc",
            &SERVICE_ADDRESS.to_string(),
            &allocation.bridge_address().to_string(),
        ];
        Ok(Self {
            url: format!("https://127.0.0.1:{port}"),
            port,
            directory: directory.to_owned(),
            audit: options.audit.then(|| Audit::new(directory)).transpose()?,
            etcd_port: allocation.port()?,
            etcd_peer_port: allocation.port()?,
            bridge_address: allocation.bridge_address(),
            serving: authority.server("kube-apiserver", &names.map(str::to_owned))?,
            kubelet_client: authority.client("to-kubelet", "kube-apiserver", "system:masters")?,
            authority: authority.certificate(),
            signing: signing_pair(&directory.join("certificates"), "service-accounts")?,
            more_flags: options.api_server_flags.clone(),
        })
    }

    /// A kubeconfig with a client certificate, for a part of the cluster.
    pub(super) fn identity_kubeconfig(
        &self,
        authority: &Authority,
        file: &str,
        user: &str,
        group: &str,
    ) -> Result<PathBuf> {
        let identity = authority.client(file, user, group)?;
        let path = self.directory.join(format!("{file}.kubeconfig"));
        let proof = Proof::Certificate(&identity);
        kubeconfig::write(&path, &self.url, Some(&authority.certificate()), proof)
    }

    /// Where etcd listens to its clients.
    pub(super) fn etcd_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.etcd_port)
    }

    /// Where etcd keeps its data.
    pub(super) fn etcd_data(&self) -> PathBuf {
        self.directory.join("etcd")
    }

    /// The member's name, data directory and peer URL: flags that etcd and etcdutl share.
    pub(super) fn etcd_member(&self) -> Vec<String> {
        let peer = self.etcd_peer_url();
        vec![
            "--name=default".to_owned(),
            flag("data-dir", self.etcd_data().display()),
            flag("initial-advertise-peer-urls", &peer),
            flag("initial-cluster", format_args!("default={peer}")),
        ]
    }

    fn etcd_peer_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.etcd_peer_port)
    }

    pub(super) fn etcd(&self) -> Vec<String> {
        let client = self.etcd_url();
        let mut flags = vec![
            "--log-level=warn".to_owned(),
            "--unsafe-no-fsync".to_owned(),
            flag("listen-client-urls", &client),
            flag("advertise-client-urls", &client),
            flag("listen-peer-urls", self.etcd_peer_url()),
        ];
        flags.extend(self.etcd_member());
        flags
    }

    pub(super) fn api_server(&self) -> Vec<String> {
        let (private, public) = &self.signing;
        let mut flags = vec![
            "--allow-privileged=true".to_owned(),
            "--authorization-mode=Node,RBAC".to_owned(),
            "--enable-admission-plugins=NodeRestriction".to_owned(),
            "--bind-address=127.0.0.1".to_owned(),
            // The endpoint of the service `kubernetes` must not be a loopback address; a node redirects it to us.
            flag("advertise-address", self.bridge_address),
            flag("secure-port", self.port),
            flag("etcd-servers", self.etcd_url()),
            flag("client-ca-file", self.authority.display()),
            flag("tls-cert-file", self.serving.certificate.display()),
            flag("tls-private-key-file", self.serving.key.display()),
            flag("kubelet-certificate-authority", self.authority.display()),
            flag(
                "kubelet-client-certificate",
                self.kubelet_client.certificate.display(),
            ),
            flag("kubelet-client-key", self.kubelet_client.key.display()),
            "--kubelet-preferred-address-types=InternalIP".to_owned(),
            "--service-account-issuer=https://kubernetes.default.svc".to_owned(),
            flag("service-account-key-file", public.display()),
            flag("service-account-signing-key-file", private.display()),
            flag("service-cluster-ip-range", SERVICE_RANGE),
        ];
        if let Some(audit) = &self.audit {
            flags.push(flag("audit-log-path", audit.log.display()));
            flags.push(flag("audit-policy-file", audit.policy.display()));
        }
        flags.extend(self.more_flags.iter().cloned());
        flags
    }

    pub(super) fn controller_manager(&self, authority: &Authority) -> Result<Vec<String>> {
        let name = "kube-controller-manager";
        let user = format!("system:{name}");
        let kubeconfig = self.identity_kubeconfig(authority, name, &user, &user)?;
        Ok(vec![
            flag("kubeconfig", kubeconfig.display()),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
            "--use-service-account-credentials=true".to_owned(),
            flag("root-ca-file", self.authority.display()),
            flag("service-account-private-key-file", self.signing.0.display()),
            flag("controllers", CONTROLLERS.join(",")),
            // The default limits would slow down tests with thousands of objects.
            "--kube-api-qps=400".to_owned(),
            "--kube-api-burst=800".to_owned(),
        ])
    }

    pub(super) fn scheduler(&self, authority: &Authority) -> Result<Vec<String>> {
        let name = "kube-scheduler";
        let user = format!("system:{name}");
        let kubeconfig = self.identity_kubeconfig(authority, name, &user, &user)?;
        Ok(vec![
            flag("kubeconfig", kubeconfig.display()),
            "--leader-elect=false".to_owned(),
            "--secure-port=0".to_owned(),
        ])
    }
}

impl Audit {
    fn new(directory: &Path) -> Result<Self> {
        let policy = directory.join("audit-policy.yaml");
        std::fs::write(&policy, AUDIT_POLICY)?;
        Ok(Self {
            log: directory.join("audit.log"),
            policy,
        })
    }
}

/// One flag with its value.
pub(crate) fn flag(name: &str, value: impl std::fmt::Display) -> String {
    format!("--{name}={value}")
}
