//! Whether the containers of a pod hold an older pair, and whether they reload it.

mod copies;

use crate::domain::rotation::{Pod, ReloadMode, reload_mode};
use serde_json::{Value, json};

use super::{AFTER, BEFORE, DELIVERED, hot, pod, time};

type Change = Box<dyn FnOnce(&mut Value)>;
type Edit = fn(&mut Value);

fn mode(pod: &Pod) -> Option<ReloadMode> {
    reload_mode(pod, "orders-credentials", time(DELIVERED))
}

fn env(value: Value) -> impl FnOnce(&mut Value) {
    move |pod| {
        let env = pod["spec"]["containers"][0]["env"].as_array_mut().unwrap();
        env.push(value);
    }
}

#[test]
fn a_pod_without_the_helper_reads_only_at_its_start() {
    assert_eq!(mode(&pod(|_| {})), Some(ReloadMode::NeedsRestart));
    let projected = pod(|pod| {
        let sources = json!([{ "configMap": { "name": "a" } }, { "secret": { "name": "orders-credentials" } }]);
        pod["spec"]["volumes"] = json!([{ "name": "aws", "projected": { "sources": sources } }]);
    });
    assert_eq!(mode(&projected), Some(ReloadMode::NeedsRestart));
}

#[test]
fn a_pod_with_the_helper_is_hot() {
    assert_eq!(mode(&hot(|_| {})), Some(ReloadMode::Reloads));
    let elsewhere = hot(|pod| {
        pod["spec"]["containers"][0]["volumeMounts"][0]["mountPath"] = json!("/aws/");
        for at in [0, 1] {
            pod["spec"]["containers"][0]["env"][at]["value"] = json!("/aws/config-process");
        }
    });
    assert_eq!(mode(&elsewhere), Some(ReloadMode::Reloads));
}

#[test]
fn a_container_that_keeps_sdks_from_the_helper_needs_a_restart() {
    let shadows: [(&str, Change); 7] = [
        (
            "a key in the environment",
            Box::new(env(json!({ "name": "AWS_ACCESS_KEY_ID", "value": "x" }))),
        ),
        (
            "a profile",
            Box::new(env(json!({ "name": "AWS_PROFILE", "value": "x" }))),
        ),
        (
            "one key of the target",
            Box::new(env(json!({
                "name": "KEY",
                "valueFrom": { "secretKeyRef": { "name": "orders-credentials", "key": "AWS_ACCESS_KEY_ID" } },
            }))),
        ),
        (
            "all keys of the target",
            Box::new(|pod| {
                pod["spec"]["containers"][0]["envFrom"] =
                    json!([{ "secretRef": { "name": "orders-credentials" } }]);
            }),
        ),
        (
            "a subPath, which the kubelet never swaps",
            Box::new(|pod| {
                pod["spec"]["containers"][0]["volumeMounts"][0]["subPath"] =
                    json!("config-process");
            }),
        ),
        (
            "a file of its own",
            Box::new(env(
                json!({ "name": "AWS_CONFIG_FILE", "value": "/etc/aws/config" }),
            )),
        ),
        (
            "only one of the two files",
            Box::new(|pod| {
                pod["spec"]["containers"][0]["env"]
                    .as_array_mut()
                    .unwrap()
                    .remove(1);
            }),
        ),
    ];
    for (what, shadow) in shadows {
        assert_eq!(mode(&hot(shadow)), Some(ReloadMode::NeedsRestart), "{what}");
    }
}

#[test]
fn a_pod_that_does_not_use_the_target_holds_nothing() {
    let others: [(&str, Edit); 5] = [
        ("another Secret", |pod| {
            pod["spec"]["volumes"][0]["secret"]["secretName"] = json!("other");
        }),
        ("a volume that is not mounted", |pod| {
            pod["spec"]["containers"][0]["volumeMounts"] = json!([]);
        }),
        ("a pod that has ended", |pod| {
            pod["status"]["phase"] = json!("Succeeded");
            let state = json!({ "terminated": { "exitCode": 0, "startedAt": BEFORE } });
            pod["status"]["containerStatuses"][0]["state"] = state;
        }),
        ("a pod that waits for its node", |pod| {
            pod["status"] = json!({ "phase": "Pending" });
        }),
        ("a container that does not run", |pod| {
            pod["status"]["containerStatuses"][0]["state"] =
                json!({ "waiting": { "reason": "CrashLoopBackOff" } });
        }),
    ];
    for (what, change) in others {
        assert_eq!(mode(&pod(change)), None, "{what}");
    }
}

#[test]
fn a_container_that_started_after_the_delivery_holds_the_present_pair() {
    let started = |at: &'static str| {
        pod(move |pod| {
            pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] = json!(at);
        })
    };
    assert_eq!(mode(&started(AFTER)), None);
    assert_eq!(mode(&started(DELIVERED)), Some(ReloadMode::NeedsRestart));
    let unknown = pod(|pod| {
        pod["status"]["containerStatuses"][0]["state"] = json!({ "running": {} });
    });
    assert_eq!(mode(&unknown), Some(ReloadMode::NeedsRestart));
}

#[test]
fn a_hot_pod_that_is_not_ready_is_unknown() {
    let unready = hot(|pod| pod["status"]["conditions"][0]["status"] = json!("False"));
    assert_eq!(mode(&unready), Some(ReloadMode::Unknown));
    let without_conditions = hot(|pod| pod["status"]["conditions"] = json!([]));
    assert_eq!(mode(&without_conditions), Some(ReloadMode::Unknown));
}

#[test]
fn the_worst_container_decides_the_mode_of_the_pod() {
    let both = hot(|pod| {
        let sidecar = json!({
            "name": "sidecar",
            "envFrom": [{ "secretRef": { "name": "orders-credentials" } }],
        });
        pod["spec"]["initContainers"] = json!([sidecar]);
        pod["status"]["initContainerStatuses"] = json!([
            { "name": "sidecar", "state": { "running": { "startedAt": BEFORE } } },
        ]);
    });
    assert_eq!(mode(&both), Some(ReloadMode::NeedsRestart));
    let done = hot(|pod| {
        pod["spec"]["initContainers"] = json!([{
            "name": "setup",
            "envFrom": [{ "secretRef": { "name": "orders-credentials" } }],
        }]);
        pod["status"]["initContainerStatuses"] =
            json!([{ "name": "setup", "state": { "terminated": { "exitCode": 0 } } }]);
    });
    assert_eq!(
        mode(&done),
        Some(ReloadMode::Reloads),
        "it could leave nothing behind"
    );
}

#[test]
fn a_failed_pod_whose_container_still_runs_holds_the_pair() {
    let dying = pod(|pod| pod["status"]["phase"] = json!("Failed"));
    assert_eq!(mode(&dying), Some(ReloadMode::NeedsRestart));
}

#[test]
fn an_ephemeral_container_counts_like_any_other() {
    let debugged = hot(|pod| {
        pod["spec"]["ephemeralContainers"] = json!([{
            "name": "debug", "envFrom": [{ "secretRef": { "name": "orders-credentials" } }],
        }]);
        pod["status"]["ephemeralContainerStatuses"] =
            json!([{ "name": "debug", "state": { "running": { "startedAt": BEFORE } } }]);
    });
    assert_eq!(mode(&debugged), Some(ReloadMode::NeedsRestart));
}

#[test]
fn the_last_of_several_variables_with_one_name_counts() {
    let file = "/var/run/secrets/awscredentials.dev/config-process";
    let repeated = hot(|pod| {
        env(json!({ "name": "AWS_CONFIG_FILE", "value": "/etc/aws/config" }))(pod);
        env(json!({ "name": "AWS_CONFIG_FILE", "value": file }))(pod);
    });
    assert_eq!(mode(&repeated), Some(ReloadMode::Reloads));
}

#[test]
fn nothing_else_of_a_pod_is_kept() {
    let pod = pod(|pod| pod["metadata"]["annotations"] = json!({ "note": "x".repeat(10_000) }));
    assert!(format!("{pod:?}").len() < 5_000);
}
