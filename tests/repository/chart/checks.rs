//! Findings of other tools about the chart: Helm, kubeconform, kube-score.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Result, ensure};
use cluster::{
    schemas::{Schemas, location},
    tools::Tool,
};
use serde_json::Value;

use super::render::{CHART, HELMS, NEWEST, OLDEST, name, objects, run, set, template, ways};

/// Accepted findings of kube-score: the check, what it asks for, and why the chart does not do that.
pub const EXCEPTIONS: [(&str, &str, &str); 6] = [
    (
        "container-resources",
        "a CPU limit",
        "A CPU limit would throttle the proof of a rotated pair and the renewal of the lease. CPU is requested; \
         memory is requested and limited",
    ),
    (
        "container-cpu-requests-equal-limits",
        "a CPU limit that equals the request",
        "There is no CPU limit: see `container-resources`",
    ),
    (
        "container-resource-requests-equal-limits",
        "limits that equal the requests, of CPU too",
        "There is no CPU limit: see `container-resources`. Request and limit of memory are equal",
    ),
    (
        "container-image-pull-policy",
        "the policy Always",
        "Each start would depend on the registry. The tag belongs to one version, and `image.pullPolicy` is a value",
    ),
    (
        "container-ephemeral-storage-request-and-limit",
        "a request and a limit of ephemeral storage",
        "The root is read-only and no volume is writable. What remains is the log of the container, which the kubelet \
         rotates, and a limit would evict the pod for its log",
    ),
    (
        "deployment-has-host-podantiaffinity",
        "a podAntiAffinity over hosts",
        "A topology spread constraint spreads the pods over hosts. Unlike anti-affinity by labels alone, the \
         constraint compares only pods of the same rollout",
    ),
];

/// The grade of a check without findings.
const FULL_MARKS: u64 = 10;

/// Cluster-scoped kinds.
const CLUSTER_SCOPED: [&str; 8] = [
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "Namespace",
];

#[test]
fn helm_lint_finds_nothing() -> Result<()> {
    for helm in HELMS {
        for (way, values) in ways()? {
            let mut args = ["lint", "--strict", CHART].map(str::to_owned).to_vec();
            args.extend(values);
            args.push(format!("--kube-version={NEWEST}.0"));
            let (said, complaints, good) = run(helm, &args)?;
            ensure!(good, "{helm:?}, {way}: {said}{complaints}");
            ensure!(
                said.contains("1 chart(s) linted, 0 chart(s) failed"),
                "{said}"
            );
            ensure!(!said.contains("[WARNING]"), "{helm:?}, {way}: {said}");
        }
    }
    Ok(())
}

#[test]
fn both_helms_render_the_same() -> Result<()> {
    for (way, values) in ways()? {
        let [three, four] = HELMS.map(|helm| objects(helm, NEWEST, &values));
        let (mut three, mut four) = (three?, four?);
        three.sort_by_key(name);
        four.sort_by_key(name);
        ensure!(three == four, "{way}");
    }
    Ok(())
}

#[test]
fn every_object_is_in_its_namespace_and_of_the_release() -> Result<()> {
    for (way, values) in ways()? {
        for object in objects(Tool::Helm4, NEWEST, &values)? {
            let kind = object["kind"].as_str().unwrap_or_default();
            let placed = object["metadata"]["namespace"].is_string();
            let free = CLUSTER_SCOPED.contains(&kind);
            ensure!(placed != free, "{way}: {}", name(&object));
            let labels = &object["metadata"]["labels"];
            ensure!(
                labels["app.kubernetes.io/instance"] == "aws"
                    && labels["app.kubernetes.io/managed-by"] == "Helm",
                "{way}: {} has labels {labels}",
                name(&object)
            );
        }
    }
    Ok(())
}

#[test]
fn somebody_without_rights_on_the_cluster_can_install_it() -> Result<()> {
    let values = ["--values", &format!("{CHART}/ci/namespaced-values.yaml")].map(str::to_owned);
    let all = objects(Tool::Helm4, NEWEST, &values)?;
    for object in &all {
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        ensure!(
            ["operators", "orders", "billing"].contains(&namespace),
            "{} is in {namespace:?}",
            name(object)
        );
    }
    ensure!(all.len() > 8, "{} objects", all.len());
    Ok(())
}

#[test]
fn no_two_objects_have_one_name() -> Result<()> {
    for (way, values) in ways()? {
        let mut seen = BTreeSet::new();
        for object in objects(Tool::Helm4, NEWEST, &values)? {
            let what = (name(&object), object["metadata"]["namespace"].to_string());
            ensure!(seen.insert(what.clone()), "{way}: {what:?} twice");
        }
    }
    Ok(())
}

#[test]
fn no_image_moves_under_its_tag() -> Result<()> {
    for (way, values) in ways()? {
        let text = template(Tool::Helm4, NEWEST, &values)?;
        ensure!(!text.contains(":latest"), "{way}");
        let images = text.lines().filter(|line| line.contains(" image: "));
        let images: Vec<&str> = images.collect();
        ensure!(images.len() >= 2, "{way}: {images:?}");
        for image in images {
            ensure!(image.contains(':'), "{way}: {image}");
        }
    }
    Ok(())
}

#[test]
fn names_stay_within_their_limits() -> Result<()> {
    let long = "n".repeat(53);
    let args = ["template", &long, CHART, "--namespace", &"s".repeat(63)].map(str::to_owned);
    let mut args = args.to_vec();
    args.push(format!("--kube-version={NEWEST}.0"));
    args.extend(set(&["scope.namespaces={a}"]));
    let (said, complaints, good) = run(Tool::Helm4, &args)?;
    ensure!(good, "{complaints}");
    for object in serde_saphyr::from_multiple::<Value>(&said)? {
        let length = object["metadata"]["name"]
            .as_str()
            .unwrap_or_default()
            .len();
        // A Service's name is a DNS label, and a pod's host name is truncated to the length of one.
        let limit = match object["kind"].as_str() {
            Some("Service" | "Pod" | "Deployment") => 63,
            _ => 253,
        };
        ensure!(length <= limit, "{}", name(&object));
    }
    Ok(())
}

#[test]
fn kubeconform_knows_every_field() -> Result<()> {
    let monitors = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/repository/chart/schemas");
    for version in [NEWEST, OLDEST] {
        let schemas = Schemas::of(version)?;
        let conform = |manifest: &str| -> Result<(String, bool)> {
            // kubeconform ignores files with another extension.
            let file = tempfile::Builder::new().suffix(".yaml").tempfile()?;
            fs::write(file.path(), manifest)?;
            let args = [
                "-strict".to_owned(),
                "-summary".to_owned(),
                format!("-kubernetes-version={version}.0"),
                format!("-schema-location={}", schemas.location()),
                format!("-schema-location={}", location(&monitors)),
                file.path().display().to_string(),
            ];
            let (said, complaints, good) = run(Tool::Kubeconform, &args)?;
            Ok((said + &complaints, good))
        };
        for (way, mut values) in ways()? {
            if version == OLDEST {
                // The oldest version has neither MutatingAdmissionPolicy nor user namespaces.
                values.extend(set(&["injection.enabled=false", "hostUsers=true"]));
            }
            let manifest = template(Tool::Helm4, version, &values)?;
            let (said, good) = conform(&manifest)?;
            ensure!(good, "{version}, {way}: {said}");
            ensure!(
                said.contains("Errors: 0, Skipped: 0") && !said.contains("Valid: 0"),
                "{version}, {way}: {said}"
            );
            let (said, good) = conform(&manifest.replace("periodSeconds:", "periodSecond:"))?;
            ensure!(
                !good && said.contains("'periodSecond' not allowed"),
                "{said}"
            );
        }
    }
    Ok(())
}

#[test]
fn kube_score_finds_the_exceptions_and_nothing_else() -> Result<()> {
    let mut found = BTreeSet::new();
    for (way, values) in ways()? {
        let file = tempfile::NamedTempFile::new()?;
        fs::write(file.path(), template(Tool::Helm4, NEWEST, &values)?)?;
        let mut args = [
            "score",
            "--output-format=json",
            "--all-default-optional",
            "--kubernetes-version=v1.31",
        ]
        .map(str::to_owned)
        .to_vec();
        args.push(file.path().display().to_string());
        let (said, complaints, _) = run(Tool::KubeScore, &args)?;
        let objects: Vec<Value> = serde_json::from_str(&said)?;
        ensure!(objects.len() > 2, "{way}: {said}{complaints}");
        for object in objects {
            for check in object["checks"].as_array().into_iter().flatten() {
                let id = check["check"]["id"].as_str().unwrap_or_default();
                let excepted = EXCEPTIONS.iter().any(|(known, ..)| *known == id);
                let good = check["grade"] == FULL_MARKS || check["skipped"] == true;
                ensure!(
                    good || excepted,
                    "{way}, {}: {check}",
                    object["object_name"]
                );
                if !good {
                    found.insert(id.to_owned());
                }
            }
        }
    }
    for (id, _, reason) in EXCEPTIONS {
        ensure!(found.contains(id), "{id} is found nowhere: {reason}");
    }
    Ok(())
}
