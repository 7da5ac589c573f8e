//! Copies of an older pair that outlive the container which made them, and those of volume drivers.

use crate::domain::rotation::{
    Pod, ReloadMode,
    tests::{AFTER, BEFORE, hot, pod},
};
use serde_json::{Value, json};

use super::{Edit, mode};

/// A pod whose init container has read the target and ended, and shares a volume with the application.
fn pod_with_copy(volume: Value, change: impl FnOnce(&mut Value)) -> Pod {
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
fn a_copy_by_an_ended_container_is_still_held() {
    for volume in [
        json!({ "emptyDir": {} }),
        json!({ "persistentVolumeClaim": { "claimName": "data" } }),
        json!({ "hostPath": { "path": "/data" } }),
    ] {
        let pod = pod_with_copy(volume.clone(), |_| {});
        assert_eq!(mode(&pod), Some(ReloadMode::NeedsRestart), "{volume}");
    }
    let crashes = pod_with_copy(json!({ "emptyDir": {} }), |pod| {
        pod["status"]["containerStatuses"][0]["state"] =
            json!({ "waiting": { "reason": "CrashLoopBackOff" } });
    });
    let why = "the copy outlives the container that will read it again";
    assert_eq!(mode(&crashes), Some(ReloadMode::NeedsRestart), "{why}");
    let by_file = pod_with_copy(json!({ "emptyDir": {} }), |pod| {
        pod["spec"]["containers"][0]["volumeMounts"] = json!([]);
        let file = json!({ "volumeName": "shared", "path": "env", "key": "KEY" });
        pod["spec"]["containers"][0]["env"] =
            json!([{ "name": "KEY", "valueFrom": { "fileKeyRef": file } }]);
    });
    assert_eq!(mode(&by_file), Some(ReloadMode::NeedsRestart), "a variable");
}

/// The kubelet may rerun an init container, or report a removed one as waiting, while the pod keeps running.
#[test]
fn a_reader_keeps_its_first_copy_whatever_state_the_writer_reports() {
    let states = [
        json!({ "terminated": { "exitCode": 0, "startedAt": AFTER } }),
        json!({ "waiting": { "reason": "PodInitializing" } }),
        json!({ "running": { "startedAt": AFTER } }),
        json!(null),
    ];
    for state in states {
        let pod = pod_with_copy(json!({ "emptyDir": {} }), |pod| {
            pod["status"]["initContainerStatuses"] = match &state {
                Value::Null => json!([]),
                state => json!([{ "name": "copy", "state": state }]),
            };
            pod["status"]["startTime"] = json!(BEFORE);
        });
        assert_eq!(mode(&pod), Some(ReloadMode::NeedsRestart), "{state}");
    }
    let later = pod_with_copy(json!({ "emptyDir": {} }), |pod| {
        pod["status"]["initContainerStatuses"] = json!([]);
        pod["status"]["startTime"] = json!(AFTER);
        let state = json!({ "running": { "startedAt": AFTER } });
        pod["status"]["containerStatuses"][0]["state"] = state;
    });
    assert_eq!(mode(&later), None, "the whole pod was started later");
}

/// A container with the helper keeps no copy of the pair: a volume that it shares may hold logs, not keys.
#[test]
fn a_container_that_uses_the_helper_copies_nothing() {
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
    assert_eq!(mode(&pod), Some(ReloadMode::Reloads));
}

#[test]
fn an_ended_container_that_could_leave_no_copy_holds_nothing() {
    let others: [(&str, Edit); 3] = [
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
            mode(&pod_with_copy(json!({ "emptyDir": {} }), change)),
            None,
            "{what}"
        );
    }
    let read_only = pod_with_copy(json!({ "configMap": { "name": "settings" } }), |_| {});
    assert_eq!(mode(&read_only), None, "nothing is written there");
}

#[test]
fn a_driver_of_a_volume_keeps_what_it_got_when_the_pod_started() {
    let pod_with_volume = |source: Value, started: &'static str| {
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
        let old = pod_with_volume(source.clone(), BEFORE);
        assert_eq!(mode(&old), Some(ReloadMode::NeedsRestart), "{source}");
        assert_eq!(
            mode(&pod_with_volume(source.clone(), AFTER)),
            None,
            "{source}"
        );
    }
    let other = json!({ "csi": { "driver": "s3", "nodePublishSecretRef": { "name": "other" } } });
    assert_eq!(mode(&pod_with_volume(other, BEFORE)), None);
}

#[test]
fn a_copy_on_a_block_device_is_still_held() {
    let claim = json!({ "persistentVolumeClaim": { "claimName": "data" } });
    let pod = pod_with_copy(claim, |pod| {
        let devices = json!([{ "name": "shared", "devicePath": "/dev/xvda" }]);
        for kind in ["containers", "initContainers"] {
            let container = &mut pod["spec"][kind][0];
            let mounts = container["volumeMounts"].as_array_mut().unwrap();
            mounts.retain(|mount| mount["name"] != "shared");
            container["volumeDevices"] = devices.clone();
        }
    });
    assert_eq!(mode(&pod), Some(ReloadMode::NeedsRestart));
}
