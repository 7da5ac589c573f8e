use crate::domain::consumers::{Pod, ReloadMode, reload_mode};
use serde_json::{Value, json};

use super::{AFTER, BEFORE, DELIVERED, hot, pod, time};

type Change = Box<dyn FnOnce(&mut Value)>;
type Plain = fn(&mut Value);

fn of(pod: &Pod) -> Option<ReloadMode> {
    reload_mode(pod, "orders-credentials", time(DELIVERED))
}

fn env(value: Value) -> impl FnOnce(&mut Value) {
    move |pod| {
        let env = pod["spec"]["containers"][0]["env"].as_array_mut().unwrap();
        env.push(value);
    }
}

#[test]
fn a_pod_without_the_helper_reads_at_its_start_alone() {
    assert_eq!(of(&pod(|_| {})), Some(ReloadMode::NeedsRestart));
    let projected = pod(|pod| {
        let sources = json!([{ "configMap": { "name": "a" } }, { "secret": { "name": "orders-credentials" } }]);
        pod["spec"]["volumes"] = json!([{ "name": "aws", "projected": { "sources": sources } }]);
    });
    assert_eq!(of(&projected), Some(ReloadMode::NeedsRestart));
}

#[test]
fn a_pod_with_the_helper_is_hot() {
    assert_eq!(of(&hot(|_| {})), Some(ReloadMode::Reloads));
    let elsewhere = hot(|pod| {
        pod["spec"]["containers"][0]["volumeMounts"][0]["mountPath"] = json!("/aws/");
        for at in [0, 1] {
            pod["spec"]["containers"][0]["env"][at]["value"] = json!("/aws/config-process");
        }
    });
    assert_eq!(of(&elsewhere), Some(ReloadMode::Reloads));
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
        assert_eq!(of(&hot(shadow)), Some(ReloadMode::NeedsRestart), "{what}");
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
    assert_eq!(of(&started(DELIVERED)), Some(ReloadMode::NeedsRestart));
    let unknown = pod(|pod| {
        pod["status"]["containerStatuses"][0]["state"] = json!({ "running": {} });
    });
    assert_eq!(of(&unknown), Some(ReloadMode::NeedsRestart));
}

#[test]
fn a_hot_pod_that_is_not_ready_is_unknown() {
    let unready = hot(|pod| pod["status"]["conditions"][0]["status"] = json!("False"));
    assert_eq!(of(&unready), Some(ReloadMode::Unknown));
    let silent = hot(|pod| pod["status"]["conditions"] = json!([]));
    assert_eq!(of(&silent), Some(ReloadMode::Unknown));
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
            { "name": "sidecar", "state": { "running": { "startedAt": super::BEFORE } } },
        ]);
    });
    assert_eq!(of(&both), Some(ReloadMode::NeedsRestart));
    let done = hot(|pod| {
        pod["spec"]["initContainers"] = json!([{
            "name": "setup",
            "envFrom": [{ "secretRef": { "name": "orders-credentials" } }],
        }]);
        pod["status"]["initContainerStatuses"] =
            json!([{ "name": "setup", "state": { "terminated": { "exitCode": 0 } } }]);
    });
    assert_eq!(
        of(&done),
        Some(ReloadMode::Reloads),
        "it could leave nothing behind"
    );
}

/// A pod whose init container has read the target and ended, and shares a volume with the application.
fn copied(volume: Value, change: impl FnOnce(&mut Value)) -> Pod {
    pod(move |pod| {
        let mut shared = json!({ "name": "shared" });
        for (key, value) in volume.as_object().unwrap() {
            shared[key] = value.clone();
        }
        pod["spec"]["volumes"].as_array_mut().unwrap().push(shared);
        let mount = json!({ "name": "shared", "mountPath": "/shared" });
        pod["spec"]["containers"][0]["volumeMounts"] = json!([mount]);
        pod["spec"]["initContainers"] = json!([{
            "name": "copy",
            "volumeMounts": [{ "name": "aws", "mountPath": "/aws" }, mount],
        }]);
        pod["status"]["initContainerStatuses"] = json!([{
            "name": "copy",
            "state": { "terminated": { "exitCode": 0, "startedAt": BEFORE } },
        }]);
        change(pod);
    })
}

#[test]
fn what_an_ended_container_copied_for_another_one_is_still_held() {
    for volume in [
        json!({ "emptyDir": {} }),
        json!({ "persistentVolumeClaim": { "claimName": "data" } }),
        json!({ "hostPath": { "path": "/data" } }),
    ] {
        let pod = copied(volume.clone(), |_| {});
        assert_eq!(of(&pod), Some(ReloadMode::NeedsRestart), "{volume}");
    }
    let crashes = copied(json!({ "emptyDir": {} }), |pod| {
        pod["status"]["containerStatuses"][0]["state"] =
            json!({ "waiting": { "reason": "CrashLoopBackOff" } });
    });
    let why = "the copy outlives the container that will read it again";
    assert_eq!(of(&crashes), Some(ReloadMode::NeedsRestart), "{why}");
    let by_file = copied(json!({ "emptyDir": {} }), |pod| {
        pod["spec"]["containers"][0]["volumeMounts"] = json!([]);
        let file = json!({ "volumeName": "shared", "path": "env", "key": "KEY" });
        pod["spec"]["containers"][0]["env"] =
            json!([{ "name": "KEY", "valueFrom": { "fileKeyRef": file } }]);
    });
    assert_eq!(of(&by_file), Some(ReloadMode::NeedsRestart), "a variable");
}

/// The kubelet may rerun an init container, or report a removed one as waiting, while the pod keeps running.
#[test]
fn a_reader_keeps_the_copy_that_it_began_with_whatever_is_reported_of_the_writer() {
    let states = [
        json!({ "terminated": { "exitCode": 0, "startedAt": AFTER } }),
        json!({ "waiting": { "reason": "PodInitializing" } }),
        json!({ "running": { "startedAt": AFTER } }),
        json!(null),
    ];
    for state in states {
        let pod = copied(json!({ "emptyDir": {} }), |pod| {
            pod["status"]["initContainerStatuses"] = match &state {
                Value::Null => json!([]),
                state => json!([{ "name": "copy", "state": state }]),
            };
            pod["status"]["startTime"] = json!(BEFORE);
        });
        assert_eq!(of(&pod), Some(ReloadMode::NeedsRestart), "{state}");
    }
    let later = copied(json!({ "emptyDir": {} }), |pod| {
        pod["status"]["initContainerStatuses"] = json!([]);
        pod["status"]["startTime"] = json!(AFTER);
        let state = json!({ "running": { "startedAt": AFTER } });
        pod["status"]["containerStatuses"][0]["state"] = state;
    });
    assert_eq!(of(&later), None, "the whole pod was started later");
}

/// A container with the helper keeps no copy of the pair: a volume that it shares may hold logs, not keys.
#[test]
fn a_container_that_asks_the_helper_copies_nothing() {
    let logs = json!({ "name": "logs", "mountPath": "/logs" });
    let pod = hot(|pod| {
        let volumes = pod["spec"]["volumes"].as_array_mut().unwrap();
        volumes.push(json!({ "name": "logs", "emptyDir": {} }));
        let mounts = pod["spec"]["containers"][0]["volumeMounts"].as_array_mut();
        mounts.unwrap().push(logs.clone());
        let containers = pod["spec"]["containers"].as_array_mut().unwrap();
        containers.push(json!({ "name": "ship", "volumeMounts": [logs] }));
        let statuses = pod["status"]["containerStatuses"].as_array_mut().unwrap();
        statuses.push(json!({ "name": "ship", "state": { "running": { "startedAt": BEFORE } } }));
    });
    assert_eq!(of(&pod), Some(ReloadMode::Reloads));
}

#[test]
fn a_failed_pod_whose_container_still_runs_holds_the_pair() {
    let dying = pod(|pod| pod["status"]["phase"] = json!("Failed"));
    assert_eq!(of(&dying), Some(ReloadMode::NeedsRestart));
}

#[test]
fn an_ended_container_that_could_leave_no_copy_holds_nothing() {
    let others: [(&str, Plain); 3] = [
        ("a mount that is read-only", |pod| {
            pod["spec"]["initContainers"][0]["volumeMounts"][1]["readOnly"] = json!(true);
        }),
        ("a volume that no other container has", |pod| {
            pod["spec"]["containers"][0]["volumeMounts"] = json!([]);
        }),
        (
            "a container that got the present pair before its reader started",
            |pod| {
                let state = json!({ "terminated": { "exitCode": 0, "startedAt": AFTER } });
                pod["status"]["initContainerStatuses"][0]["state"] = state;
                let state = json!({ "running": { "startedAt": AFTER } });
                pod["status"]["containerStatuses"][0]["state"] = state;
            },
        ),
    ];
    for (what, change) in others {
        assert_eq!(
            of(&copied(json!({ "emptyDir": {} }), change)),
            None,
            "{what}"
        );
    }
    let fixed = copied(json!({ "configMap": { "name": "settings" } }), |_| {});
    assert_eq!(of(&fixed), None, "nothing is written there");
}

#[test]
fn a_driver_of_a_volume_keeps_what_it_got_when_the_pod_started() {
    let given = |source: Value, started: &'static str| {
        pod(move |pod| {
            let mut volume = json!({ "name": "aws" });
            for (key, value) in source.as_object().unwrap() {
                volume[key] = value.clone();
            }
            pod["spec"]["volumes"] = json!([volume]);
            pod["status"]["startTime"] = json!(started);
            // A container that starts later gets no new volume.
            let state = json!({ "running": { "startedAt": AFTER } });
            pod["status"]["containerStatuses"][0]["state"] = state;
        })
    };
    let name = json!({ "name": "orders-credentials" });
    let mut sources = vec![
        json!({ "csi": { "driver": "s3", "nodePublishSecretRef": name } }),
        json!({ "azureFile": { "secretName": "orders-credentials", "shareName": "a" } }),
    ];
    for kind in [
        "cephfs",
        "cinder",
        "flexVolume",
        "iscsi",
        "rbd",
        "scaleIO",
        "storageos",
    ] {
        sources.push(json!({ kind: { "secretRef": name } }));
    }
    for source in sources {
        let old = given(source.clone(), BEFORE);
        assert_eq!(of(&old), Some(ReloadMode::NeedsRestart), "{source}");
        assert_eq!(of(&given(source.clone(), AFTER)), None, "{source}");
    }
    let other = json!({ "csi": { "driver": "s3", "nodePublishSecretRef": { "name": "other" } } });
    assert_eq!(of(&given(other, BEFORE)), None);
}

#[test]
fn a_container_for_debugging_counts_like_another() {
    let debugged = hot(|pod| {
        pod["spec"]["ephemeralContainers"] = json!([{
            "name": "debug", "envFrom": [{ "secretRef": { "name": "orders-credentials" } }],
        }]);
        pod["status"]["ephemeralContainerStatuses"] =
            json!([{ "name": "debug", "state": { "running": { "startedAt": BEFORE } } }]);
    });
    assert_eq!(of(&debugged), Some(ReloadMode::NeedsRestart));
}

#[test]
fn of_variables_of_one_name_the_last_counts() {
    let file = "/var/run/secrets/awscredentials.dev/config-process";
    let again = hot(|pod| {
        env(json!({ "name": "AWS_CONFIG_FILE", "value": "/etc/aws/config" }))(pod);
        env(json!({ "name": "AWS_CONFIG_FILE", "value": file }))(pod);
    });
    assert_eq!(of(&again), Some(ReloadMode::Reloads));
}

#[test]
fn nothing_else_of_a_pod_is_kept() {
    let pod = pod(|pod| pod["metadata"]["annotations"] = json!({ "note": "x".repeat(10_000) }));
    assert!(format!("{pod:?}").len() < 5_000);
}
