//! Forms of resources at both sides of the rules of the definition.

use crate::check::forms::{Texts, plain};

/// An IAM identifier after its first letter A, one character too short to be one.
const SHORT_ID: &str = "ROAABCDEFGHIJK";

/// A resource, and its source under the name that it references.
fn named(name: &str, source: &str, spec: &str) -> String {
    let secret = plain().replace("name: pair", &format!("name: {source}"));
    format!(
        "{secret}---\napiVersion: awscredentials.dev/v1alpha1\nkind: StaticAwsCredentials\nmetadata: {{{name}}}\n\
         spec: {{region: eu-west-1, secretRef: {{name: {source}}}{spec}}}\n"
    )
}

fn spec(more: &str) -> String {
    named("name: orders", "pair", more)
}

fn source(keys: &str) -> String {
    spec("").replace(
        "secretRef: {name: pair}",
        &format!("secretRef: {{name: pair, {keys}}}"),
    )
}

/// The forms: for each rule what it rejects, and what it just accepts.
pub fn rules() -> Texts {
    let all = [names(), sources(), pins(), targets(), restarts()];
    let all = all.into_iter().flatten();
    all.map(|(name, text)| (name, text.into_bytes())).collect()
}

type Forms = Vec<(&'static str, String)>;

fn names() -> Forms {
    let long = |length: usize| format!("name: {}", "n".repeat(length));
    let other = ", target: {name: other}";
    vec![
        ("no name", named("labels: {a: b}", "pair", "")),
        ("a name in upper case", named("name: Orders", "pair", "")),
        ("a name with dots", named("name: a.b-c", "pair", "")),
        ("a long name", named(&long(242), "pair", "")),
        ("a name that is long enough", named(&long(241), "pair", "")),
        ("a long name and a target", named(&long(253), "pair", other)),
        (
            "the default target is the source",
            named("name: orders", "orders-credentials", ""),
        ),
        (
            "another target than the source",
            named("name: orders", "orders-credentials", other),
        ),
    ]
}

fn sources() -> Forms {
    let forty = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMN";
    let id = |key: &str| source(&format!("accessKeyIdKey: '{key}'"));
    let secret = |key: &str| source(&format!("secretAccessKeyKey: '{key}'"));
    vec![
        ("a blank in a key", id("a b")),
        ("an empty key", id("")),
        ("two dots before a key", secret("..a")),
        ("every sign of a key", id("a.b_c-D7")),
        ("a dot before a key", secret(".a..b")),
        ("a long key", id(&"k".repeat(254))),
        ("a key that is long enough", id(&"k".repeat(253))),
        ("the ID of a role as a key", id(&format!("xA{SHORT_ID}L.y"))),
        ("nearly the ID of a role", id(&format!("xA{SHORT_ID}.y"))),
        ("40 letters as a key", secret(forty)),
        ("39 letters as a key", secret(&forty.replace('N', ""))),
        ("one key for both halves", secret("AWS_ACCESS_KEY_ID")),
        (
            "keys that differ by case",
            source("accessKeyIdKey: key, secretAccessKeyKey: Key"),
        ),
    ]
}

fn pins() -> Forms {
    let pins = |pins: &str| spec(&format!(", validation: {{{pins}}}"));
    let user = |rest: &str| format!("arn: 'arn:aws:iam::123456789012:user/{rest}'");
    let account = |id: &str| format!("{}, accountId: '{id}'", user("a"));
    vec![
        (
            "an ARN at level Format",
            pins(&format!("level: Format, {}", user("a"))),
        ),
        (
            "an ARN at level Identity",
            pins(&format!("level: Identity, {}", user("a"))),
        ),
        ("an ARN of another account", pins(&account("210987654321"))),
        ("an ARN of the account", pins(&account("123456789012"))),
        (
            "an ARN of any account",
            pins("arn: 'arn:aws:iam::*:root', accountId: '123456789012'"),
        ),
        (
            "an account in the path of an ARN",
            pins(
                "arn: 'arn:aws:iam::210987654321:user/::123456789012:/a', accountId: '123456789012'",
            ),
        ),
        (
            "an ARN of China",
            pins("arn: 'arn:aws-cn:iam::123456789012:root'"),
        ),
        (
            "an ARN and a region of China",
            pins("arn: 'arn:aws-cn:iam::123456789012:root'").replace("eu-west-1", "cn-north-1"),
        ),
        ("a long ARN", pins(&user(&"a".repeat(610)))),
        ("an ARN that is long enough", pins(&user(&"a".repeat(609)))),
        ("any sign in a path", pins(&user("!#$%&()~[x]/a"))),
        ("an interval below 5m", pins("interval: 4m59s")),
        ("an interval of 5m", pins("interval: 300s")),
        ("an interval above 168h", pins("interval: 168h1s")),
        ("an interval of 168h", pins("interval: 168h")),
        ("minutes before hours", pins("interval: 30m1h")),
    ]
}

fn targets() -> Forms {
    let target = |target: &str| spec(&format!(", target: {{{target}}}"));
    let key = |key: &str| target(&format!("keys: {{'{key}': AccessKeyId}}"));
    let keys = |count: usize| {
        let keys: Vec<String> = (0..count).map(|n| format!("k{n}: AccessKeyId")).collect();
        target(&format!("keys: {{{}}}", keys.join(", ")))
    };
    vec![
        ("a blank in a key of the target", key("a b")),
        ("a dot as a key of the target", key(".")),
        ("every sign of a key of the target", key("a.b_c-D7")),
        ("a long key of the target", key(&"k".repeat(254))),
        (
            "a key of the target that is long enough",
            key(&"k".repeat(253)),
        ),
        (
            "the ID of a role as a key of the target",
            key(&format!("A{SHORT_ID}L")),
        ),
        (
            "nearly the ID of a role as a key of the target",
            key(&format!("A{SHORT_ID}")),
        ),
        ("17 keys", keys(17)),
        ("16 keys", keys(16)),
        ("a key of a layout", key("AWS_REGION")),
        ("a key of another layout", key("access-key-id")),
        (
            "half a pair",
            target("layouts: [], keys: {a: AccessKeyId, b: AccessKeyId}"),
        ),
        (
            "a whole pair",
            target("layouts: [], keys: {a: AccessKeyId, b: SecretAccessKey}"),
        ),
    ]
}

fn restarts() -> Forms {
    let restart = |restart: &str| spec(&format!(", rotation: {{restart: {{{restart}}}}}"));
    let workloads = |list: &str| restart(&format!("scope: Workloads, workloads: [{list}]"));
    let many = |count: usize| {
        let one = |n: usize| format!("{{kind: Deployment, name: web-{n}}}");
        workloads(&(0..count).map(one).collect::<Vec<_>>().join(", "))
    };
    let web = "{kind: Deployment, name: web}";
    vec![
        ("workloads without a list", restart("scope: Workloads")),
        (
            "consumers with a list",
            restart(&format!("scope: Consumers, workloads: [{web}]")),
        ),
        ("consumers", restart("scope: Consumers")),
        ("an empty list of workloads", workloads("")),
        ("65 workloads", many(65)),
        ("64 workloads", many(64)),
        (
            "a workload in upper case",
            workloads("{kind: Deployment, name: Web}"),
        ),
        (
            "a workload with a dot",
            workloads("{kind: Deployment, name: web.eu-1}"),
        ),
        ("a workload twice", workloads(&format!("{web}, {web}"))),
        (
            "one name for two workloads",
            workloads(&format!("{web}, {{kind: StatefulSet, name: web}}")),
        ),
        (
            "no workload at once",
            restart("scope: Consumers, maxConcurrent: 0"),
        ),
        (
            "1 workload at once",
            restart("scope: Consumers, maxConcurrent: 1"),
        ),
        (
            "50 workloads at once",
            restart("scope: Consumers, maxConcurrent: 50"),
        ),
        (
            "51 workloads at once",
            restart("scope: Consumers, maxConcurrent: 51"),
        ),
    ]
}
