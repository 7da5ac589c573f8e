//! Which keys a layout writes, alone, beside other layouts and beside further keys.

use std::collections::BTreeSet;

use crate::{
    api::{Layout, TargetValue},
    domain::layout::{Request, carries, render},
};
use strum::VariantArray;

use super::{
    Data, ID, REGION, SECRET, TTL, data,
    expected::{LAYOUTS, Written},
    pair, render_layout, render_layouts,
};

#[test]
fn the_keys_of_a_layout_are_those_that_it_writes() {
    for &layout in Layout::VARIANTS {
        for region in [None, Some(REGION)] {
            let listed: BTreeSet<_> = layout.keys(region.is_some()).map(str::to_owned).collect();
            let written: BTreeSet<_> = render_layout(layout, region).into_keys().collect();
            assert_eq!(listed, written, "{layout:?}, {region:?}");
        }
    }
}

#[test]
fn every_key_is_valid_in_a_secret() {
    for key in Layout::VARIANTS.iter().flat_map(|layout| layout.keys(true)) {
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
    for &first in Layout::VARIANTS {
        for &second in Layout::VARIANTS {
            let (first_data, second_data) = (
                render_layout(first, Some(REGION)),
                render_layout(second, Some(REGION)),
            );
            let together =
                render_layouts(&[first, second], &[], Some(REGION), &pair(ID, SECRET)).unwrap();
            for key in first_data
                .keys()
                .filter(|key| first != second && second_data.contains_key(*key))
            {
                assert_eq!(
                    first_data[key], second_data[key],
                    "{key} of {first:?} and {second:?}"
                );
                shared.insert(key.clone());
            }
            let union: Data = first_data.into_iter().chain(second_data).collect();
            assert_eq!(together, union, "{first:?} and {second:?}");
        }
    }
    let expected = ["credentials", "credentials.json"].map(str::to_owned);
    assert_eq!(shared, BTreeSet::from(expected));
}

#[test]
fn all_layouts_at_once_are_the_union_of_each_in_any_order() {
    let union: Data = Layout::VARIANTS
        .iter()
        .flat_map(|&layout| render_layout(layout, Some(REGION)))
        .collect();
    let mut order = Layout::VARIANTS.to_vec();
    for _ in Layout::VARIANTS {
        order.rotate_left(1);
        let together = render_layouts(&order, &[], Some(REGION), &pair(ID, SECRET)).unwrap();
        assert_eq!(together, union, "{order:?}");
    }
    let expected = LAYOUTS.iter().flat_map(Written::keys);
    let expected: BTreeSet<_> = expected.map(str::to_owned).collect();
    assert_eq!(union.into_keys().collect::<BTreeSet<_>>(), expected);
}

#[test]
fn further_keys_hold_the_value_that_they_name() {
    let extra = [
        ("accesskey", TargetValue::AccessKeyId),
        ("secretkey", TargetValue::SecretAccessKey),
        ("again", TargetValue::AccessKeyId),
    ];
    let alone = render_layouts(&[], &extra, Some(REGION), &pair(ID, SECRET)).unwrap();
    assert_eq!(
        alone,
        data(&[("accesskey", ID), ("secretkey", SECRET), ("again", ID)])
    );

    let files = [
        ("place", TargetValue::Region),
        ("cloud", TargetValue::CredentialsFile),
        ("settings", TargetValue::ConfigFile),
        ("process", TargetValue::ProcessJson),
    ];
    let of_layouts = render_layouts(
        &[Layout::SharedCredentialsFile, Layout::ProcessJson],
        &[],
        Some(REGION),
        &pair(ID, SECRET),
    )
    .unwrap();
    assert_eq!(
        render_layouts(&[], &files, Some(REGION), &pair(ID, SECRET)).unwrap(),
        data(&[
            ("place", REGION),
            ("cloud", &of_layouts["credentials"]),
            ("settings", &of_layouts["config"]),
            ("process", &of_layouts["credentials.json"]),
        ])
    );

    let beside = render_layouts(&[Layout::MendixStorage], &extra, None, &pair(ID, SECRET)).unwrap();
    assert_eq!(beside.len(), 5);
}

#[test]
fn a_further_key_does_not_replace_that_of_a_layout() {
    let swap = [("AWS_ACCESS_KEY_ID", TargetValue::SecretAccessKey)];
    let data = render_layouts(&[Layout::Env], &swap, None, &pair(ID, SECRET)).unwrap();
    assert_eq!(data, render_layout(Layout::Env, None));
}

#[test]
fn a_file_under_any_key_carries_the_pair_that_it_holds_and_no_other() {
    for value in [TargetValue::CredentialsFile, TargetValue::ProcessJson] {
        let keys = [("cloud".to_owned(), value)].into();
        let request = Request {
            layouts: &[],
            keys: &keys,
            region: None,
            ttl: TTL,
        };
        let written = render(&request, &pair(ID, SECRET)).unwrap();
        assert!(carries(&written, &pair(ID, SECRET)), "{value:?}");
        assert!(
            !carries(&written, &pair(ID, "of another pair")),
            "{value:?}"
        );
    }
}
