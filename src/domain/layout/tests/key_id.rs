//! The end of the access key ID in a target, by which a target without a digest is recognized.

use strum::VariantArray;

use super::{ID, REGION, SECRET, TTL, pair};
use crate::{
    api::{Layout, TargetValue},
    domain::layout::{Request, holds_key_id, render},
};

/// An access key ID of another store, which JSON escapes.
const ESCAPED: &str = "user\\\"23";

/// Whether a target with this access key ID, in these layouts and further keys, is recognized by the suffix.
fn holds(layouts: &[Layout], further: &[(&str, TargetValue)], id: &str, suffix: &str) -> bool {
    let further = further.iter();
    let keys = further
        .map(|(key, field)| ((*key).to_owned(), *field))
        .collect();
    let request = Request {
        layouts,
        keys: &keys,
        region: Some(REGION),
        ttl: TTL,
    };
    let data = render(&request, &pair(id, SECRET)).unwrap();
    holds_key_id(&request, &data, suffix)
}

#[test]
fn the_end_of_the_key_id_is_found_in_each_layout_and_in_a_further_key() {
    for id in [ID, ESCAPED] {
        let suffix = pair(id, SECRET).suffix();
        for &layout in Layout::VARIANTS {
            assert!(holds(&[layout], &[], id, &suffix), "{layout:?}");
        }
        for key in ["id", "credentials", "credentials.json"] {
            let further = [(key, TargetValue::AccessKeyId)];
            assert!(holds(&[], &further, id, &suffix), "{key}");
            for file in [TargetValue::CredentialsFile, TargetValue::ProcessJson] {
                assert!(holds(&[], &[(key, file)], id, &suffix), "{key}");
            }
            let layouts = [Layout::SharedCredentialsFile, Layout::ProcessJson];
            assert!(holds(&layouts, &further, id, &suffix), "{key}");
        }
    }
}

#[test]
fn no_other_part_of_a_target_counts() {
    let further = [
        ("password", TargetValue::SecretAccessKey),
        ("place", TargetValue::Region),
        ("settings", TargetValue::ConfigFile),
    ];
    let beginning = &ID[..4];
    let longer = format!("X{ID}");
    for suffix in [
        beginning,
        "QRST",
        "2345",
        &SECRET[36..],
        "st-1",
        longer.as_str(),
        "",
    ] {
        for &layout in Layout::VARIANTS {
            assert!(
                !holds(&[layout], &further, ID, suffix),
                "{layout:?}, {suffix}"
            );
        }
        assert!(!holds(&[], &further, ID, suffix), "{suffix}");
    }
}
