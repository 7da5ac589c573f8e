use serde_json::{Value, json};
use static_aws_credentials::consumers::{Pickup, Pod, pickup};

use crate::{AFTER, DELIVERED, hot, pod, time};

type Change = Box<dyn FnOnce(&mut Value)>;
type Plain = fn(&mut Value);

fn of(pod: &Pod) -> Option<Pickup> {
    pickup(pod, "orders-credentials", time(DELIVERED))
}

fn env(value: Value) -> impl FnOnce(&mut Value) {
    move |pod| {
        let env = pod["spec"]["containers"][0]["env"].as_array_mut().unwrap();
        env.push(value);
    }
}

#[test]
fn a_pod_without_the_helper_reads_at_its_start_alone() {
    assert_eq!(of(&pod(|_| {})), Some(Pickup::RestartNeeded));
    let projected = pod(|pod| {
        let sources = json!([{ "configMap": { "name": "a" } }, { "secret": { "name": "orders-credentials" } }]);
        pod["spec"]["volumes"] = json!([{ "name": "aws", "projected": { "sources": sources } }]);
    });
    assert_eq!(of(&projected), Some(Pickup::RestartNeeded));
}

#[test]
fn a_pod_with_the_helper_is_hot() {
    assert_eq!(of(&hot(|_| {})), Some(Pickup::Hot));
    let elsewhere = hot(|pod| {
        pod["spec"]["containers"][0]["volumeMounts"][0]["mountPath"] = json!("/aws/");
        for at in [0, 1] {
            pod["spec"]["containers"][0]["env"][at]["value"] = json!("/aws/config-process");
        }
    });
    assert_eq!(of(&elsewhere), Some(Pickup::Hot));
}

#[test]
fn whatever_keeps_sdks_from_asking_the_helper_needs_a_restart() {
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
        assert_eq!(of(&hot(shadow)), Some(Pickup::RestartNeeded), "{what}");
    }
}

#[test]
fn whoever_does_not_use_the_target_holds_nothing() {
    let others: [(&str, Plain); 5] = [
        ("another Secret", |pod| {
            pod["spec"]["volumes"][0]["secret"]["secretName"] = json!("other");
        }),
        ("a volume that is not mounted", |pod| {
            pod["spec"]["containers"][0]["volumeMounts"] = json!([]);
        }),
        ("a pod that has ended", |pod| {
            pod["status"]["phase"] = json!("Succeeded");
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
        assert_eq!(of(&pod(change)), None, "{what}");
    }
}

#[test]
fn a_container_that_started_after_the_delivery_holds_the_present_pair() {
    let started = |at: &'static str| {
        pod(move |pod| {
            pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] = json!(at);
        })
    };
    assert_eq!(of(&started(AFTER)), None);
    assert_eq!(of(&started(DELIVERED)), Some(Pickup::RestartNeeded));
    let unknown = pod(|pod| {
        pod["status"]["containerStatuses"][0]["state"] = json!({ "running": {} });
    });
    assert_eq!(of(&unknown), Some(Pickup::RestartNeeded));
}

#[test]
fn a_hot_pod_that_is_not_ready_is_unknown() {
    let unready = hot(|pod| pod["status"]["conditions"][0]["status"] = json!("False"));
    assert_eq!(of(&unready), Some(Pickup::Unknown));
    let silent = hot(|pod| pod["status"]["conditions"] = json!([]));
    assert_eq!(of(&silent), Some(Pickup::Unknown));
}

#[test]
fn the_worst_container_speaks_for_the_pod() {
    let both = hot(|pod| {
        let sidecar = json!({
            "name": "sidecar",
            "envFrom": [{ "secretRef": { "name": "orders-credentials" } }],
        });
        pod["spec"]["initContainers"] = json!([sidecar]);
        pod["status"]["initContainerStatuses"] = json!([
            { "name": "sidecar", "state": { "running": { "startedAt": crate::BEFORE } } },
        ]);
    });
    assert_eq!(of(&both), Some(Pickup::RestartNeeded));
    let done = hot(|pod| {
        pod["spec"]["initContainers"] = json!([{
            "name": "setup",
            "envFrom": [{ "secretRef": { "name": "orders-credentials" } }],
        }]);
        pod["status"]["initContainerStatuses"] =
            json!([{ "name": "setup", "state": { "terminated": { "exitCode": 0 } } }]);
    });
    assert_eq!(of(&done), Some(Pickup::Hot), "what has ended holds nothing");
}

#[test]
fn of_variables_of_one_name_the_last_counts() {
    let file = "/var/run/secrets/awscredentials.dev/config-process";
    let again = hot(|pod| {
        env(json!({ "name": "AWS_CONFIG_FILE", "value": "/etc/aws/config" }))(pod);
        env(json!({ "name": "AWS_CONFIG_FILE", "value": file }))(pod);
    });
    assert_eq!(of(&again), Some(Pickup::Hot));
}

#[test]
fn nothing_else_of_a_pod_is_kept() {
    let pod = pod(|pod| pod["metadata"]["annotations"] = json!({ "note": "x".repeat(10_000) }));
    assert!(format!("{pod:?}").len() < 5_000);
}
