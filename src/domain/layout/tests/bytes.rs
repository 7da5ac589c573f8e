//! The bytes of every layout.

use crate::api::Layout;
use strum::VariantArray;

use super::{Entries, ID, REGION, SECRET, data, render_layout};

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
const EXPECTED: [(Layout, Entries, Entries); 8] = [
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
fn the_table_has_every_layout() {
    assert_eq!(EXPECTED.map(|(layout, ..)| layout), Layout::VARIANTS);
}

#[test]
fn every_layout_is_written_to_the_byte() {
    for (layout, always, with_region) in EXPECTED {
        assert_eq!(render_layout(layout, None), data(always), "{layout:?}");
        let both = [always, with_region].concat();
        assert_eq!(
            render_layout(layout, Some(REGION)),
            data(&both),
            "{layout:?} with a region"
        );
    }
}

#[test]
fn a_layout_is_named_as_a_manifest_names_it() {
    for layout in Layout::VARIANTS {
        let in_a_manifest = serde_json::to_value(layout).unwrap();
        assert_eq!(in_a_manifest, format!("{layout:?}"));
    }
}
