//! The schema reserves exactly the keys that layouts write.

use anyhow::Result;
use kube::core::cel::Validator;
use serde_json::json;
use static_aws_credentials::api::Layout;
use strum::VariantArray as _;

use crate::schema::{changed, definition};

/// Whether the definition takes a further key beside a layout.
fn is_taken(layout: Layout, key: &str) -> Result<bool> {
    let target = json!({"layouts": [layout], "keys": {key: "SecretAccessKey"}});
    let object = changed(&json!({"spec": {"target": target}}));
    let schema = definition::schema()?;
    Ok(Validator::new().validate(&schema, &object, None).is_ok())
}

#[test]
fn a_further_key_is_refused_exactly_beside_a_layout_that_writes_it() -> Result<()> {
    let all = || Layout::VARIANTS.iter().flat_map(|layout| layout.keys(true));
    for &layout in Layout::VARIANTS {
        for key in all().chain(["accesskey"]) {
            let written = layout.keys(true).any(|written| written == key);
            assert_eq!(is_taken(layout, key)?, !written, "{key} beside {layout:?}");
        }
    }
    Ok(())
}
