//! The bytes of every layout.

use crate::api::Layout;
use strum::VariantArray;

use super::{
    REGION, data,
    expected::{LAYOUTS, Written},
    render_layout,
};

#[test]
fn the_table_has_every_layout() {
    let expected = LAYOUTS.iter().map(|written| written.layout);
    let layouts = Layout::VARIANTS.iter().map(|layout| layout.as_str());
    assert_eq!(
        expected.collect::<Vec<_>>(),
        layouts.collect::<Vec<_>>(),
        "tests/support/layouts.rs"
    );
}

#[test]
fn every_layout_is_written_to_the_byte() {
    for (layout, written) in Layout::VARIANTS.iter().zip(LAYOUTS) {
        let Written {
            always,
            with_region,
            ..
        } = written;
        assert_eq!(render_layout(*layout, None), data(always), "{layout:?}");
        let both = [*always, *with_region].concat();
        assert_eq!(
            render_layout(*layout, Some(REGION)),
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
