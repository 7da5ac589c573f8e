//! The bytes of every layout, and the values that AWS's own parser and others read from them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod helper;
mod readers;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    api::{Layout, PairField, Reason},
    domain::{
        layout::{Request, render},
        pair::{KeyPair, SecretText},
        verdict::Finding,
    },
};

const ID: &str = "AKIAQRSTUVWX23456723";
const SECRET: &str = "abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKL+";
const REGION: &str = "eu-west-1";
const TTL: u32 = 1234;

const LAYOUTS: [Layout; 8] = [
    Layout::Env,
    Layout::SharedCredentialsFile,
    Layout::ProcessJson,
    Layout::CredentialProcess,
    Layout::ServiceBinding,
    Layout::Mendix,
    Layout::MendixStorage,
    Layout::CloudCredential,
];

/// Target data as written in a table.
type Entries<'a> = &'a [(&'a str, &'a str)];

/// Target data as text, for comparison.
type Data = BTreeMap<String, String>;

fn pair(id: &str, secret: &str) -> KeyPair {
    KeyPair {
        access_key_id: SecretText::new(id.to_owned()),
        secret_access_key: SecretText::new(secret.to_owned()),
    }
}

fn written(
    layouts: &[Layout],
    extra: &[(&str, PairField)],
    region: Option<&str>,
    pair: &KeyPair,
) -> Result<Data, Finding> {
    let keys = extra
        .iter()
        .map(|(key, field)| ((*key).to_owned(), *field))
        .collect();
    let request = Request {
        layouts,
        keys: &keys,
        region,
        ttl: TTL,
    };
    let data = render(&request, pair)?;
    Ok(data
        .into_iter()
        .map(|(key, bytes)| {
            (
                key,
                String::from_utf8(bytes.expose_secret().to_vec()).unwrap(),
            )
        })
        .collect())
}

fn of_one(layout: Layout, region: Option<&str>) -> Data {
    written(&[layout], &[], region, &pair(ID, SECRET)).unwrap()
}

fn data(entries: Entries) -> Data {
    entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

const CREDENTIALS: &str = "[default]\naws_access_key_id = AKIAQRSTUVWX23456723\n\
                       aws_secret_access_key = abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKL+\n";
const JSON: &str = "{\"Version\":1,\"AccessKeyId\":\"AKIAQRSTUVWX23456723\",\
                \"SecretAccessKey\":\"abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKL+\"}";

const WITHOUT_REGION: &str = "[default]\n\
                          credential_process = /var/run/awscredentials.dev/credential-process \
                          --file /var/run/secrets/awscredentials.dev/credentials.json --ttl 1234\n";
const WITH_REGION: &str = "[default]\nregion = eu-west-1\n\
                       credential_process = /var/run/awscredentials.dev/credential-process \
                       --file /var/run/secrets/awscredentials.dev/credentials.json --ttl 1234\n";

/// Entries of each layout, and entries that a region adds or replaces.
const WRITTEN: [(Layout, Entries, Entries); 8] = [
    (
        Layout::Env,
        &[("AWS_ACCESS_KEY_ID", ID), ("AWS_SECRET_ACCESS_KEY", SECRET)],
        &[("AWS_REGION", REGION), ("AWS_DEFAULT_REGION", REGION)],
    ),
    (
        Layout::SharedCredentialsFile,
        &[("credentials", CREDENTIALS)],
        &[("config", "[default]\nregion = eu-west-1\n")],
    ),
    (Layout::ProcessJson, &[("credentials.json", JSON)], &[]),
    (
        Layout::CredentialProcess,
        &[
            ("credentials.json", JSON),
            ("config-process", WITHOUT_REGION),
        ],
        &[("config-process", WITH_REGION)],
    ),
    (
        Layout::ServiceBinding,
        &[
            ("type", "aws"),
            ("provider", "aws"),
            ("access-key-id", ID),
            ("secret-access-key", SECRET),
        ],
        &[("region", REGION)],
    ),
    (
        Layout::Mendix,
        &[
            ("mx-const-AWSAuthentication.AccessKey", ID),
            ("mx-const-AWSAuthentication.SecretAccessKey", SECRET),
        ],
        &[],
    ),
    (
        Layout::MendixStorage,
        &[
            ("storage-access-key-id", ID),
            ("storage-secret-access-key", SECRET),
        ],
        &[],
    ),
    (
        Layout::CloudCredential,
        &[
            ("aws_access_key_id", ID),
            ("aws_secret_access_key", SECRET),
            ("credentials", CREDENTIALS),
        ],
        &[],
    ),
];

#[test]
fn every_layout_is_written_to_the_byte() {
    for (layout, always, with_region) in WRITTEN {
        assert_eq!(of_one(layout, None), data(always), "{layout:?}");
        let both = [always, with_region].concat();
        assert_eq!(
            of_one(layout, Some(REGION)),
            data(&both),
            "{layout:?} with a region"
        );
    }
}

#[test]
fn the_keys_of_a_layout_are_those_that_it_writes() {
    for layout in LAYOUTS {
        for region in [None, Some(REGION)] {
            let listed: BTreeSet<_> = layout.keys(region.is_some()).map(str::to_owned).collect();
            let written: BTreeSet<_> = of_one(layout, region).into_keys().collect();
            assert_eq!(listed, written, "{layout:?}, {region:?}");
        }
    }
}

#[test]
fn every_key_is_one_that_a_secret_can_have() {
    for key in LAYOUTS.into_iter().flat_map(|layout| layout.keys(true)) {
        assert!((1..=253).contains(&key.len()), "{key}");
        assert!(
            key.chars()
                .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)),
            "{key}"
        );
        assert!(!key.starts_with('.'), "{key}");
    }
}

#[test]
fn a_key_that_two_layouts_share_has_the_same_bytes_in_both() {
    let mut shared = BTreeSet::new();
    for first in LAYOUTS {
        for second in LAYOUTS {
            let (one, other) = (of_one(first, Some(REGION)), of_one(second, Some(REGION)));
            let together = written(&[first, second], &[], Some(REGION), &pair(ID, SECRET)).unwrap();
            for key in one
                .keys()
                .filter(|key| first != second && other.contains_key(*key))
            {
                assert_eq!(one[key], other[key], "{key} of {first:?} and {second:?}");
                shared.insert(key.clone());
            }
            let union: Data = one.into_iter().chain(other).collect();
            assert_eq!(together, union, "{first:?} and {second:?}");
        }
    }
    let expected = ["credentials", "credentials.json"].map(str::to_owned);
    assert_eq!(shared, BTreeSet::from(expected));
}

#[test]
fn all_layouts_at_once_are_the_union_of_each_in_any_order() {
    let union: Data = LAYOUTS
        .into_iter()
        .flat_map(|layout| of_one(layout, Some(REGION)))
        .collect();
    let mut order = LAYOUTS;
    for _ in LAYOUTS {
        order.rotate_left(1);
        let together = written(&order, &[], Some(REGION), &pair(ID, SECRET)).unwrap();
        assert_eq!(together, union, "{order:?}");
    }
    assert_eq!(union.len(), 19);
}

#[test]
fn further_keys_hold_the_half_that_they_name() {
    let extra = [
        ("accesskey", PairField::AccessKeyId),
        ("secretkey", PairField::SecretAccessKey),
        ("again", PairField::AccessKeyId),
    ];
    let alone = written(&[], &extra, Some(REGION), &pair(ID, SECRET)).unwrap();
    assert_eq!(
        alone,
        data(&[("accesskey", ID), ("secretkey", SECRET), ("again", ID)])
    );

    let beside = written(&[Layout::MendixStorage], &extra, None, &pair(ID, SECRET)).unwrap();
    assert_eq!(beside.len(), 5);
}

#[test]
fn a_further_key_does_not_replace_that_of_a_layout() {
    let swap = [("AWS_ACCESS_KEY_ID", PairField::SecretAccessKey)];
    let written = written(&[Layout::Env], &swap, None, &pair(ID, SECRET)).unwrap();
    assert_eq!(written, of_one(Layout::Env, None));
}

const REFUSED: &[&str] = &[
    "#leading",
    ";leading",
    "in #side",
    "in ;side",
    "tab\t#",
    "no-break\u{a0};",
    " x",
    "x ",
    "\"quoted\"",
    "\"",
    "two\nlines",
    "x\r",
    "nul\0",
    "x\n[other]",
    "",
];

#[test]
fn a_layout_with_a_file_that_cannot_carry_the_pair_is_named_and_nothing_is_written() {
    let all_but_files = [
        Layout::Env,
        Layout::ProcessJson,
        Layout::CredentialProcess,
        Layout::ServiceBinding,
        Layout::Mendix,
        Layout::MendixStorage,
    ];
    for &secret in REFUSED {
        let pair = pair(ID, secret);
        for (layouts, named) in [
            (
                [Layout::Env, Layout::SharedCredentialsFile],
                "SharedCredentialsFile",
            ),
            (
                [Layout::ProcessJson, Layout::CloudCredential],
                "CloudCredential",
            ),
        ] {
            let finding = written(&layouts, &[], Some(REGION), &pair).unwrap_err();
            assert_eq!(finding.reason, Reason::LayoutCannotCarry);
            let start = format!("layout {named} cannot carry the pair: ");
            assert!(finding.message.starts_with(&start), "{}", finding.message);
            assert!(
                finding.message.chars().count() <= 300,
                "{}",
                finding.message
            );
            assert!(secret.len() < 4 || !finding.message.contains(secret));
        }
        let others = written(&all_but_files, &[], None, &pair).unwrap();
        assert_eq!(others["AWS_SECRET_ACCESS_KEY"], secret);
    }
}

#[test]
fn a_layout_is_named_as_a_manifest_names_it() {
    for layout in LAYOUTS {
        let in_a_manifest = serde_json::to_value(layout).unwrap();
        assert_eq!(in_a_manifest, format!("{layout:?}"));
    }
}
