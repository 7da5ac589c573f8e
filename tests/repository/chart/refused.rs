//! Values that are rejected, and the messages.

use anyhow::{Result, ensure};

use super::render::{CHART, HELMS, NEWEST, run, set};

/// The values, and the texts that the message must contain: the key first.
const REFUSED: &[(&[&str], &[&str])] = &[
    (&["replica=2"], &["'replica' not allowed"]),
    (
        &["fullnameOverride=Pairs"],
        &["/fullnameOverride", "'Pairs' does not match"],
    ),
    (
        &["nameOverride=a.b"],
        &["/nameOverride", "'a.b' does not match"],
    ),
    (&["image.repo=x"], &["/image", "'repo' not allowed"]),
    (
        &["rbac.aggregate.owner=true"],
        &["/rbac/aggregate", "'owner' not allowed"],
    ),
    (
        &["policies.enable=true"],
        &["/policies", "'enable' not allowed"],
    ),
    (
        &["injection.enable=true"],
        &["/injection", "'enable' not allowed"],
    ),
    (&["rotation.ttl=1080"], &["/rotation", "'ttl' not allowed"]),
    (
        &["networkPolicy.egress=true"],
        &["/networkPolicy", "'egress' not allowed"],
    ),
    (
        &["networkPolicy.sts[0].cidr=10.0.0.0/8"],
        &["/networkPolicy/sts/0", "'cidr' not allowed"],
    ),
    (
        &["tolerations[0].keys=a"],
        &["/tolerations/0", "'keys' not allowed"],
    ),
    (
        &["replicas=two"],
        &["/replicas", "got string, want integer"],
    ),
    (&["replicas=-1"], &["/replicas", "minimum: got -1, want 0"]),
    (&["replicas=1.5"], &["/replicas"]),
    (
        &["leaderElection.enabled=false"],
        &["/leaderElection/enabled", "must be true"],
    ),
    (
        &["replicas=3", "leaderElection.enabled=false"],
        &["/leaderElection/enabled", "must be true"],
    ),
    (
        &["leaderElection.enabled=maybe"],
        &["/leaderElection/enabled", "got string, want boolean"],
    ),
    (
        &["scope.namespaces=orders"],
        &["/scope/namespaces", "got string, want array"],
    ),
    (
        &["scope.namespaces={Orders}"],
        &["/scope/namespaces/0", "does not match pattern"],
    ),
    (
        &["scope.namespaces={orders,orders}"],
        &["/scope/namespaces", "items at 0 and 1 are equal"],
    ),
    (
        &["crds.keep=yes"],
        &["/crds/keep", "got string, want boolean"],
    ),
    (
        &["crds.annotations.a=1"],
        &["/crds/annotations/a", "got number, want string"],
    ),
    (
        &["serviceAccount.create=false"],
        &["/serviceAccount/name", "minLength"],
    ),
    (
        &["sts.endpoint=http://sts.corp.test"],
        &["/sts/endpoint", "does not match pattern"],
    ),
    (
        &["sts.endpoint=https://user:pass@sts.corp.test"],
        &["/sts/endpoint"],
    ),
    (
        &["sts.endpoint=https://sts.corp.test/path"],
        &["/sts/endpoint"],
    ),
    (
        &["sts.ratePerSecond=0"],
        &["/sts/ratePerSecond", "got 0, want 1"],
    ),
    (&["concurrency=0"], &["/concurrency", "got 0, want 1"]),
    (
        &["rotation.credentialProcessTTLSeconds=959"],
        &["/rotation/credentialProcessTTLSeconds", "got 959, want 960"],
    ),
    (
        &["rotation.kubeletSyncPeriod=5s"],
        &["/rotation/kubeletSyncPeriod", "does not match pattern"],
    ),
    (
        &["rotation.credentialProcessTTLSeconds=43201"],
        &["/rotation/credentialProcessTTLSeconds", "43,201"],
    ),
    (&["concurrency=65536"], &["/concurrency", "65,535"]),
    (&["log.format=xml"], &["/log/format", "'json', 'text'"]),
    (
        &["image.pullPolicy=Sometimes"],
        &["/image/pullPolicy", "'Always', 'IfNotPresent', 'Never'"],
    ),
    (
        &["image.digest=sha256:abc"],
        &["/image/digest", "does not match pattern"],
    ),
    (
        &["policies.enabled=perhaps"],
        &["/policies/enabled", "'auto', true, false"],
    ),
    (
        &["metrics.serviceMonitor.interval=10x"],
        &["/metrics/serviceMonitor/interval", "'10x'"],
    ),
    (
        &["metrics.prometheusRule.notVerifiedHours=0"],
        &["/metrics/prometheusRule/notVerifiedHours", "minimum"],
    ),
    (
        &["metrics.prometheusRule.runbook=x"],
        &["/metrics/prometheusRule", "'runbook' not allowed"],
    ),
    (
        &["metrics.dashboard.enabled=maybe"],
        &["/metrics/dashboard/enabled", "got string, want boolean"],
    ),
    (
        &["metrics.podMonitor.interval=15"],
        &["/metrics/podMonitor/interval", "got number, want string"],
    ),
    (
        &["metrics.authentication=maybe"],
        &["/metrics/authentication", "got string, want boolean"],
    ),
    (
        &["metrics.tls.secretName=A_b"],
        &["/metrics/tls/secretName", "A_b"],
    ),
    (
        &["metrics.service.port=99999"],
        &["/metrics/service/port", "65,535"],
    ),
    (
        &["hostUsers=maybe"],
        &["/hostUsers", "got string, want boolean"],
    ),
    (
        &["podDisruptionBudget.minAvailable=50%"],
        &[
            "/podDisruptionBudget/minAvailable",
            "got string, want integer",
        ],
    ),
];

#[test]
fn bad_values_are_refused_by_their_name() -> Result<()> {
    for helm in HELMS {
        for (values, words) in REFUSED {
            let mut args = ["template", "aws", CHART].map(str::to_owned).to_vec();
            args.push(format!("--kube-version={NEWEST}.0"));
            args.extend(set(values));
            let (_, complaint, good) = run(helm, &args)?;
            ensure!(!good, "{helm:?} takes {values:?}");
            for word in *words {
                ensure!(
                    complaint.contains(word),
                    "{helm:?}, {values:?}: {complaint}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn good_values_that_look_odd_are_taken() -> Result<()> {
    for values in [
        &["replicas=1", "leaderElection.enabled=false"][..],
        &["replicas=0", "leaderElection.enabled=false"],
        &["global.registry=x"],
        &["resources.limits=null"],
        &["sts.endpoint=http://[::1]:4566"],
        &["policies.enabled=false"],
        &["image.tag=latest"],
    ] {
        for helm in HELMS {
            let mut args = ["template", "aws", CHART].map(str::to_owned).to_vec();
            args.push(format!("--kube-version={NEWEST}.0"));
            args.extend(set(values));
            let (_, complaint, good) = run(helm, &args)?;
            ensure!(good, "{helm:?}, {values:?}: {complaint}");
        }
    }
    Ok(())
}

#[test]
fn an_older_kubernetes_is_refused() -> Result<()> {
    for helm in HELMS {
        let args = ["template", "aws", CHART, "--kube-version=1.30.9"];
        let (_, complaint, good) = run(helm, &args)?;
        ensure!(
            !good && complaint.contains(">=1.31.0-0"),
            "{helm:?}: {complaint}"
        );
    }
    Ok(())
}
