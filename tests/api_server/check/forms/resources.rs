//! Forms of the resource.

use super::{RESOURCE, Texts, bytes, plain, resource};
use crate::check::test_cluster::PAIR;

pub fn resources() -> Texts {
    let with = |resource: String| format!("{}---\n{resource}", plain());
    let spec = |more: &str| with(resource(more));
    let long = "a".repeat(300);
    bytes(vec![
        ("pins", spec(", validation: {accountId: '123456789012'}")),
        (
            "an account that is a number",
            spec(", validation: {accountId: 123456789012}"),
        ),
        (
            "an account with dashes",
            spec(", validation: {accountId: 1234-5678-9012}"),
        ),
        (
            "an account too short",
            spec(", validation: {accountId: '12345678901'}"),
        ),
        (
            "another account",
            spec(", validation: {accountId: '999999999999'}"),
        ),
        ("an interval", spec(", validation: {interval: 6h}")),
        (
            "an interval in words",
            spec(", validation: {interval: daily}"),
        ),
        (
            "an interval too short",
            spec(", validation: {interval: 1s}"),
        ),
        ("a level", spec(", validation: {level: Format}")),
        (
            "a level in lower case",
            spec(", validation: {level: format}"),
        ),
        ("validation null", spec(", validation: null")),
        ("suspend null", spec(", suspend: null")),
        ("suspend in quotes", spec(", suspend: 'true'")),
        ("suspend", spec(", suspend: true")),
        ("an unknown field", spec(", regions: [eu-west-1]")),
        (
            "a misspelt pin",
            spec(", validation: {accountID: '123456789012'}"),
        ),
        (
            "a pin beside spec",
            with(format!(
                "{}validation: {{accountId: '123456789012'}}\n",
                resource("")
            )),
        ),
        (
            "another version",
            with(resource("").replace("v1alpha1", "v1")),
        ),
        (
            "another group",
            with(resource("").replace("awscredentials.dev", "awscredential.dev")),
        ),
        (
            "another kind",
            with(resource("").replace("StaticAwsCredentials", "StaticAWSCredentials")),
        ),
        (
            "a region that is none",
            with(resource("").replace("eu-west-1", "Ireland")),
        ),
        (
            "no region",
            with(resource("").replace(", region: eu-west-1", "")),
        ),
        (
            "no source",
            with(resource("").replace("secretRef: {name: pair}, ", "")),
        ),
        (
            "a source without a name",
            with(resource("").replace("name: pair", "name: ''")),
        ),
        (
            "a long source",
            with(resource("").replace("name: pair", &format!("name: {long}"))),
        ),
        ("layouts", spec(", target: {layouts: [Env, Mendix]}")),
        (
            "an unknown layout",
            spec(", target: {layouts: [Environment]}"),
        ),
        ("a layout twice", spec(", target: {layouts: [Env, Env]}")),
        ("no layout", spec(", target: {layouts: []}")),
        (
            "a target of a bad name",
            spec(", target: {name: My_Target}"),
        ),
        ("the source as target", spec(", target: {name: pair}")),
        (
            "a user",
            spec(", validation: {arn: 'arn:aws:iam::123456789012:user/*'}"),
        ),
        ("a user that is none", spec(", validation: {arn: orders}")),
        (
            "a key as name of a key",
            with(resource("").replace(
                "name: pair",
                &format!("name: pair, accessKeyIdKey: {}", PAIR.0),
            )),
        ),
        ("a list as spec", with(format!("{RESOURCE}spec: []\n"))),
        ("no spec", with(RESOURCE.to_owned())),
        (
            "a status",
            with(format!(
                "{}status: {{observedGeneration: 1}}\n",
                resource("")
            )),
        ),
        (
            "a status that is none",
            with(format!(
                "{}status: {{observedGeneration: one}}\n",
                resource("")
            )),
        ),
    ])
}
