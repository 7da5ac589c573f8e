//! Forms of the Secret and of its values.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{HEAD, Texts, bytes, plain};
use crate::check::test_cluster::PAIR;

pub fn values() -> Texts {
    let (id, secret) = PAIR;
    let (id64, secret64) = (STANDARD.encode(id), STANDARD.encode(secret));
    let data = |id: &str, secret: &str| {
        format!("{HEAD}data:\n  AWS_ACCESS_KEY_ID: {id}\n  AWS_SECRET_ACCESS_KEY: {secret}\n")
    };
    let string = |id: &str, secret: &str| data(id, secret).replace("data:", "stringData:");
    let (front, back) = secret64.split_at(20);
    let unpadded = secret64.trim_end_matches('=').to_owned();
    bytes(vec![
        ("encoded", data(&id64, &secret64)),
        (
            "encoded in two lines",
            data(&id64, &format!("|\n    {front}\n    {back}")),
        ),
        (
            "encoded and folded",
            data(&id64, &format!(">\n    {front}\n    {back}")),
        ),
        (
            "encoded with a blank",
            data(&id64, &format!("\"{front} {back}\"")),
        ),
        ("encoded without padding", data(&id64, &unpadded)),
        (
            "encoded for URLs",
            data(&id64, &secret64.replace('+', "-").replace('/', "_")),
        ),
        (
            "bits that are left in the last character",
            data(&id64, "QUJ="),
        ),
        (
            "encoded twice",
            data(&STANDARD.encode(&id64), &STANDARD.encode(&secret64)),
        ),
        ("as AWS shows it, under data", data(id, secret)),
        ("a text under data", data("'hello world'", &secret64)),
        ("null under data", data("null", &secret64)),
        ("a number", string("1234567890123456", secret)),
        ("a number in quotes", string("'1234567890123456'", secret)),
        ("yes", string("yes", secret)),
        ("true", string("true", secret)),
        ("no value", string("", secret)),
        ("a tag", string(&format!("!!str {id}"), secret)),
        ("a line break", string(&format!("|\n    {id}"), secret)),
        (
            "a block without one",
            string(&format!("|-\n    {id}"), secret),
        ),
        ("in quotes twice", string(&format!("'\"{id}\"'"), secret)),
        ("an anchor", string(&format!("&id {id}"), "*id")),
        (
            "both maps",
            format!(
                "{}stringData: {{AWS_SECRET_ACCESS_KEY: {secret}}}\n",
                data(&id64, "bm90aGluZw==")
            ),
        ),
        (
            "a key twice",
            string(id, &format!("first\n  AWS_SECRET_ACCESS_KEY: {secret}")),
        ),
        (
            "a map twice",
            format!("{}stringData: {{other: x}}\n", string(id, secret)),
        ),
        (
            "SOPS in one half",
            string(id, "'ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]'"),
        ),
        (
            "a template",
            string("'${AWS_ACCESS_KEY_ID}'", "'${AWS_SECRET_ACCESS_KEY}'"),
        ),
        ("another template", string("'{{ .id }}'", "'{{ .secret }}'")),
        ("a template in braces", string("{{ .id }}", "x")),
        ("no value of Helm", string("'<no value>'", "'<no value>'")),
        ("an example", string("AKIAXXXXXXXXXXXXXXXX", secret)),
        (
            "ansible-vault",
            string(id, "|\n    $ANSIBLE_VAULT;1.1;AES256\n    6162"),
        ),
        ("a list", string("[a]", secret)),
        ("a map", string("{a: b}", secret)),
        ("a date", string("2026-01-01", secret)),
        (
            "white space inside",
            string(&format!("'{} {}'", &id[..10], &id[10..]), secret),
        ),
    ])
}

pub fn secrets() -> Texts {
    let plain = plain();
    let with = |more: &str| format!("{plain}{more}\n");
    let named = |metadata: &str| plain.replace("metadata: {name: pair}", metadata);
    bytes(vec![
        ("Opaque", with("type: Opaque")),
        ("no type", with("type: ''")),
        ("a type of one's own", with("type: example.com/pair")),
        ("a type that is a number", with("type: 5")),
        ("TLS", with("type: kubernetes.io/tls")),
        ("basic auth", with("type: kubernetes.io/basic-auth")),
        ("docker", with("type: kubernetes.io/dockerconfigjson")),
        ("an ssh key", with("type: kubernetes.io/ssh-auth")),
        (
            "a service account",
            with("type: kubernetes.io/service-account-token"),
        ),
        ("immutable", with("immutable: true")),
        ("immutable in quotes", with("immutable: 'true'")),
        ("immutable null", with("immutable: null")),
        ("an unknown field", with("sops: {mac: x}")),
        ("a field in wrong case", with("StringData: {a: b}")),
        ("a spec", with("spec: {a: b}")),
        ("a null field", with("data: null")),
        ("a status", with("status: {}")),
        ("no metadata", plain.replace("metadata: {name: pair}\n", "")),
        ("metadata null", named("metadata: null")),
        ("a name generated", named("metadata: {generateName: pair-}")),
        ("a name in upper case", named("metadata: {name: Pair}")),
        (
            "a name with an underscore",
            named("metadata: {name: my_pair}"),
        ),
        ("a name with dots", named("metadata: {name: a.b.c}")),
        ("a name that is a number", named("metadata: {name: 5}")),
        (
            "labels",
            named("metadata: {name: pair, labels: {a: b}, annotations: {c: d}}"),
        ),
        (
            "labels null",
            named("metadata: {name: pair, labels: null, creationTimestamp: null}"),
        ),
        (
            "a label that is a number",
            named("metadata: {name: pair, labels: {a: 5}}"),
        ),
        (
            "an unknown field of metadata",
            named("metadata: {name: pair, label: {a: b}}"),
        ),
        (
            "an export",
            named("metadata: {name: pair, resourceVersion: '', uid: '', selfLink: /x}"),
        ),
        (
            "a data key with a slash",
            plain.replace("AWS_ACCESS_KEY_ID", "aws/id"),
        ),
        (
            "a data key with a blank",
            plain.replace("AWS_ACCESS_KEY_ID", "aws id"),
        ),
        (
            "a data key of dots",
            plain.replace("AWS_ACCESS_KEY_ID", ".."),
        ),
        (
            "a value as data key",
            plain.replace("AWS_ACCESS_KEY_ID: ", ""),
        ),
        ("other keys", plain.replace("AWS_ACCESS_KEY_ID", "id")),
        (
            "v1beta1",
            plain.replace("apiVersion: v1", "apiVersion: v1beta1"),
        ),
        (
            "kind in lower case",
            plain.replace("kind: Secret", "kind: secret"),
        ),
        ("no version", plain.replace("apiVersion: v1\n", "")),
        ("no data", HEAD.to_owned()),
        ("a text as data", format!("{HEAD}data: text\n")),
        ("a list as data", format!("{HEAD}stringData: [a]\n")),
    ])
}
