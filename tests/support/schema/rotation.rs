//! The rows for restarts after a rotation, in the spec and in the status.

use serde_json::{Value, json};

use super::{
    bounds::{Bound, bound, one_of},
    cases::{Case, case},
};

const RESTART: &str = "spec.rotation.restart";

fn restart(restart: &Value) -> Value {
    json!({"spec": {"rotation": {"restart": restart}}})
}

fn named(workloads: &Value) -> Value {
    restart(&json!({"scope": "Workloads", "workloads": workloads}))
}

fn one(kind: &str, name: &str) -> Value {
    named(&json!([{"kind": kind, "name": name}]))
}

pub fn bounds() -> Vec<Bound> {
    let many = |count: usize| {
        let one = |n| json!({"kind": "Deployment", "name": format!("web-{n}")});
        named(&(0..count).map(one).collect())
    };
    let kinds = ["Deployment", "StatefulSet", "DaemonSet"];
    let workloads = format!("{RESTART}.workloads");
    let mut scope = one_of(&format!("{RESTART}.scope"), &["Workloads", "Consumers"]);
    scope.accepted = vec![
        one("Deployment", "web"),
        restart(&json!({"scope": "Consumers"})),
    ];
    let mut rows = vec![
        scope,
        bound(
            RESTART,
            "required",
            json!(["scope"]),
            [],
            [restart(&json!({"maxConcurrent": 2}))],
        ),
        bound(&workloads, "minItems", json!(1), [many(1)], [many(0)]),
        bound(&workloads, "maxItems", json!(64), [many(64)], [many(65)]),
        bound(
            &format!("{workloads}[]"),
            "required",
            json!(["kind", "name"]),
            [],
            [
                named(&json!([{"kind": "Deployment"}])),
                named(&json!([{"name": "web"}])),
            ],
        ),
        bound(
            &format!("{workloads}[].kind"),
            "enum",
            json!(kinds),
            kinds.map(|kind| one(kind, "web")),
            [one("Pod", "web"), one("deployment", "web")],
        ),
        bound(
            &format!("{workloads}[].name"),
            "maxLength",
            json!(253),
            [one("Deployment", &"a".repeat(253))],
            [one("Deployment", &"a".repeat(254))],
        ),
    ];
    rows.extend(of_status());
    rows
}

fn of_status() -> Vec<Bound> {
    let restarts =
        |key: &str, names: Value| json!({"status": {"restarts": {"revision": 2, key: names}}});
    let mut rows = vec![bound(
        "status.restarts",
        "required",
        json!(["revision"]),
        [],
        [json!({"status": {"restarts": {"restarted": 1}}})],
    )];
    for key in ["pending", "restarting"] {
        let path = format!("status.restarts.{key}");
        let many = |count: usize| restarts(key, (0..count).map(|n| format!("{n}")).collect());
        let long = |length: usize| restarts(key, json!(["a".repeat(length)]));
        rows.push(bound(
            &path,
            "maxItems",
            json!(1000),
            [many(1000)],
            [many(1001)],
        ));
        let path = format!("{path}[]");
        rows.push(bound(
            &path,
            "maxLength",
            json!(265),
            [long(265)],
            [long(266)],
        ));
    }
    rows
}

pub fn cases() -> Vec<Case> {
    let most = |number: i32| restart(&json!({"scope": "Consumers", "maxConcurrent": number}));
    vec![
        case(
            "spec.rotation.restart.maxConcurrent must be 1 to 50",
            [1, 50].map(most),
            [-1, 0, 51].map(most),
        ),
        case(
            "spec.rotation.restart.workloads must name workloads when",
            [
                one("StatefulSet", "web"),
                restart(&json!({"scope": "Consumers"})),
            ],
            [
                restart(&json!({"scope": "Workloads"})),
                restart(
                    &json!({"scope": "Consumers", "workloads": [{"kind": "DaemonSet", "name": "web"}]}),
                ),
            ],
        ),
        case(
            "spec.rotation.restart.workloads must have names",
            [one("Deployment", "web.eu-1")],
            ["", "Web", "web/api", "-web"].map(|name| one("Deployment", name)),
        ),
    ]
}
