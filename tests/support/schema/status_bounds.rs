//! The rows for fields that only the operator writes.

use serde_json::{Value, json};

use super::bounds::{Bound, at, bound};

pub fn conditions() -> Vec<Bound> {
    let with = |key: &str, value: Value| {
        let mut condition = json!({
            "type": "Ready", "status": "True", "reason": "Published", "message": "",
            "lastTransitionTime": "2026-01-02T03:04:05Z",
        });
        condition[key] = value;
        json!({"status": {"conditions": [condition]}})
    };
    let text = |key: &'static str| move |length: usize| with(key, json!("a".repeat(length)));
    let (kind, reason, message) = (text("type"), text("reason"), text("message"));
    let many = |count: usize| {
        let conditions: Vec<Value> = (0..count)
            .map(|n| with("type", json!(format!("T{n}")))["status"]["conditions"][0].clone())
            .collect();
        json!({"status": {"conditions": conditions}})
    };
    let word = "^[A-Za-z][A-Za-z0-9]*$";
    vec![
        bound(
            "status.conditions",
            "maxItems",
            json!(16),
            [many(16)],
            [many(17)],
        ),
        bound(
            "status.conditions[].type",
            "maxLength",
            json!(316),
            [kind(316)],
            [kind(317)],
        ),
        bound(
            "status.conditions[].type",
            "pattern",
            json!(word),
            [kind(1)],
            [with("type", json!("not one word"))],
        ),
        bound(
            "status.conditions[].status",
            "enum",
            json!(["True", "False", "Unknown"]),
            ["True", "False", "Unknown"].map(|status| with("status", json!(status))),
            [with("status", json!("true"))],
        ),
        bound(
            "status.conditions[].reason",
            "minLength",
            json!(1),
            [reason(1)],
            [reason(0)],
        ),
        bound(
            "status.conditions[].reason",
            "maxLength",
            json!(1024),
            [reason(1024)],
            [reason(1025)],
        ),
        bound(
            "status.conditions[].reason",
            "pattern",
            json!(word),
            [reason(2)],
            [with("reason", json!("9a"))],
        ),
        bound(
            "status.conditions[].message",
            "maxLength",
            json!(32768),
            [message(32768)],
            [message(32769)],
        ),
        bound(
            "status.conditions[]",
            "required",
            json!(["lastTransitionTime", "message", "reason", "status", "type"]),
            [],
            ["lastTransitionTime", "message", "reason", "status"].map(|key| with(key, Value::Null)),
        ),
    ]
}

pub fn status() -> Vec<Bound> {
    let time = "2026-01-02T03:04:05Z";
    let source = json!({"uid": "u", "resourceVersion": "1"});
    let published = json!({
        "secretName": "a", "uid": "u", "resourceVersion": "1", "keyIdSuffix": "MPLE", "revision": 1, "time": time,
    });
    let settling = json!({"since": time, "keyIdSuffix": "MPLE"});
    let identity = json!({"accountId": "123456789012", "arn": "arn:aws:iam::123456789012:user/a"});
    let account = |id: &str| json!({"status": {"identity": {"accountId": id, "arn": "a"}}});
    let mut rows = vec![
        bound(
            "status.identity.accountId",
            "maxLength",
            json!(12),
            [account("123456789012")],
            [account("1234567890123")],
        ),
        bound(
            "status.identity.accountId",
            "pattern",
            json!("^[0-9]{12}$"),
            [account("123456789012")],
            [account("12345678901")],
        ),
    ];
    rows.extend(part(
        "status.source",
        &source,
        &[("uid", 128), ("resourceVersion", 128)],
    ));
    rows.extend(part(
        "status.class",
        &json!({"name": "minio", "uid": "u", "generation": 1}),
        &[("name", 253), ("uid", 128)],
    ));
    rows.extend(part(
        "status.published",
        &published,
        &[
            ("secretName", 253),
            ("uid", 128),
            ("resourceVersion", 128),
            ("keyIdSuffix", 4),
            ("keyDigest", 32),
        ],
    ));
    for name in ["contentDigest", "labelsDigest"] {
        rows.extend(digest(&published, name));
    }
    rows.extend(part("status.identity", &identity, &[("arn", 2048)]));
    rows.extend(part("status.settling", &settling, &[("keyIdSuffix", 4)]));
    let previous = json!({"keyIdSuffix": "MPLE", "supersededTime": time, "pickedUpTime": time});
    let key = [("keyIdSuffix", 4), ("keyDigest", 32)];
    rows.extend(part("status.previous", &previous, &key));
    rows.extend(older_keys(&previous));
    rows.extend(texts(
        "status.consumers",
        &json!({}),
        "otherResources",
        10,
        317,
    ));
    for (path, whole, list, most) in [
        ("status.published", &published, "formerSecretNames", 7),
        ("status.previous", &previous, "secretNames", 8),
    ] {
        rows.extend(texts(path, whole, list, most, 253));
    }
    for group in ["hot", "restartNeeded", "unknown"] {
        rows.extend(consumers(group));
    }
    rows.extend(part(
        "status.binding",
        &json!({"name": "a"}),
        &[("name", 253)],
    ));
    rows
}

/// A digest, which older releases did not publish.
fn digest(published: &Value, name: &str) -> [Bound; 2] {
    let with = |digest: String| {
        let mut published = published.clone();
        published[name] = json!(digest);
        [at("status.published", published)]
    };
    let path = &format!("status.published.{name}");
    let whole = || with("0a".repeat(16));
    [
        bound(path, "maxLength", json!(32), whole(), with("0a".repeat(17))),
        bound(
            path,
            "pattern",
            json!("^[0-9a-f]{32}$"),
            whole(),
            with("0A".repeat(16)),
        ),
    ]
}

fn older_keys(previous: &Value) -> Vec<Bound> {
    let path = "status.previous.olderKeys";
    let with = |keys: Vec<Value>| {
        let mut previous = previous.clone();
        previous["olderKeys"] = json!(keys);
        at("status.previous", previous)
    };
    let one = |key: &str, text: String| {
        let mut one = json!({"keyIdSuffix": "MPLE"});
        one[key] = json!(text);
        [with(vec![one])]
    };
    let many = |count| [with(vec![json!({"keyIdSuffix": "MPLE"}); count])];
    let mut rows = vec![
        bound(path, "maxItems", json!(4), many(4), many(5)),
        bound(
            &format!("{path}[]"),
            "required",
            json!(["keyIdSuffix"]),
            many(1),
            [with(vec![json!({})])],
        ),
    ];
    for (key, longest) in [("keyIdSuffix", 4), ("keyDigest", 32)] {
        let long = |length| one(key, "a".repeat(length));
        let path = format!("{path}[].{key}");
        rows.push(bound(
            &path,
            "maxLength",
            json!(longest),
            long(longest),
            long(longest + 1),
        ));
    }
    rows
}

fn consumers(group: &str) -> Vec<Bound> {
    let path = format!("status.consumers.{group}");
    let whole = json!({"count": 1});
    let mut rows = part(&path, &whole, &[]);
    rows.extend(texts(&path, &whole, "names", 10, 253));
    rows
}

/// A list of strings in an object of the status.
fn texts(path: &str, whole: &Value, list: &str, most: usize, longest: usize) -> Vec<Bound> {
    let with = |texts: Vec<String>| {
        let mut part = whole.clone();
        part[list] = json!(texts);
        at(path, part)
    };
    let many = |count| [with(vec!["web-0".to_owned(); count])];
    let long = |length| [with(vec!["a".repeat(length)])];
    let path = format!("{path}.{list}");
    let items = format!("{path}[]");
    vec![
        bound(&path, "maxItems", json!(most), many(most), many(most + 1)),
        bound(
            &items,
            "maxLength",
            json!(longest),
            long(longest),
            long(longest + 1),
        ),
    ]
}

/// An object of the status with required fields only, some of them bounded strings.
fn part(path: &str, whole: &Value, limits: &[(&str, usize)]) -> Vec<Bound> {
    let with = |key: &str, value: Value| {
        let mut part = whole.clone();
        part[key] = value;
        at(path, part)
    };
    let keys: Vec<&String> = whole
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
        .collect();
    let required = Bound {
        path: path.to_owned(),
        keyword: "required",
        limit: json!(keys),
        accepted: vec![at(path, whole.clone())],
        refused: keys.iter().map(|key| with(key, Value::Null)).collect(),
    };
    let longest = limits.iter().map(|(key, limit)| {
        let text = |length| [with(key, json!("a".repeat(length)))];
        bound(
            &format!("{path}.{key}"),
            "maxLength",
            json!(limit),
            text(*limit),
            text(limit + 1),
        )
    });
    longest.chain([required]).collect()
}
