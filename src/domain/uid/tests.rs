//! UIDs: the compact form keeps every spelling.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::HashSet, mem::size_of};

use crate::domain::uid::Uid;
use proptest::prelude::*;

#[test]
fn a_uuid_takes_no_more_than_a_text_without_its_letters() {
    assert_eq!(size_of::<Uid>(), 24);
    assert_eq!(size_of::<Option<Uid>>(), 24);
}

#[test]
fn every_spelling_is_a_uid_of_its_own() {
    let spellings = [
        "5f8a7c1e-0b1d-4a52-9c3f-2f6f0a3b9d10",
        "5F8A7C1E-0B1D-4A52-9C3F-2F6F0A3B9D10",
        "5f8a7c1e0b1d4a529c3f2f6f0a3b9d10",
        "5f8a7c1e-0b1d-4a52-9c3f2-f6f0a3b9d10",
        "{5f8a7c1e-0b1d-4a52-9c3f-2f6f0a3b9d1",
        "{5f8a7c1e-0b1d-4a52-9c3f-2f6f0a3b9d10}",
        "urn:uuid:5f8a7c1e-0b1d-4a52-9c3f-2f6f0a3b9d10",
        "",
    ];
    let uids: HashSet<Uid> = spellings.map(Uid::from).into();
    assert_eq!(uids.len(), spellings.len());
    for one in spellings {
        let uid = Uid::from(one);
        for other in spellings {
            assert_eq!(uid == *other, one == other, "{one} {other}");
        }
    }
}

#[test]
fn uuids_are_ordered_as_their_texts() {
    let mut texts: Vec<String> = (0..200_u32)
        .map(|number| {
            let mixed = number.wrapping_mul(2_654_435_761);
            format!("{mixed:08x}-0b1d-4a52-9c3f-2f6f{mixed:08x}")
        })
        .collect();
    let mut uids: Vec<Uid> = texts.iter().map(|text| text.as_str().into()).collect();
    texts.sort();
    uids.sort();
    let sorted: Vec<String> = uids.iter().map(ToString::to_string).collect();
    assert_eq!(sorted, texts);
}

proptest! {
    #[test]
    fn a_uid_comes_back_as_it_was(text in "[0-9a-fA-F-]{0,40}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|.{0,36}") {
        let uid = Uid::from(text.as_str());
        prop_assert_eq!(uid.to_string(), text.clone());
        prop_assert_eq!(format!("{uid:?}"), text.clone());
        prop_assert!(uid == *text.as_str());
        prop_assert_eq!(Uid::from(text), uid);
    }
}
