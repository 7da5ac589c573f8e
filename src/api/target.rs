//! The part of the spec that covers the target.

use std::collections::BTreeMap;

use kube::KubeSchema;
use serde::{Deserialize, Serialize};
use strum::{EnumMessage as _, VariantArray as _};

use super::{DeletionPolicy, Layout, TargetValue, messages, rules};

/// The target: a Secret that the operator writes.
#[derive(KubeSchema, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[x_kube(
    validation = rules::whole_pair(),
    validation = rules::keys_beside_layouts()
)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// Name of the Secret. Default: the name of this resource followed by `-credentials`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 253))]
    #[x_kube(validation = rules::subdomain("spec.target.name"))]
    pub name: Option<String>,

    /// Formats in which the pair is written.
    #[serde(default = "layouts")]
    #[schemars(
        description = description_of_layouts(),
        length(max = Layout::VARIANTS.len())
    )]
    #[x_kube(
        merge_strategy = ListMerge::Atomic,
        // Without a reason: that of duplicates would leave the message out.
        validation = Rule::new("self.all(l, self.exists_one(m, m == l))")
            .message(rules::message("spec.target.layouts", messages::DIFFERENT_LAYOUTS))
    )]
    pub layouts: Vec<Layout>,

    /// Additional keys of the target, each with its value: a half of the pair (`AccessKeyId`, `SecretAccessKey`), the
    /// `Region`, or a whole file (`CredentialsFile`, `ConfigFile`, `ProcessJson`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    #[x_kube(
        validation = rules::short_keys("spec.target.keys"),
        validation = rules::data_keys("spec.target.keys"),
        validation = rules::no_key_material_in_keys("spec.target.keys")
    )]
    pub keys: BTreeMap<String, TargetValue>,

    /// What happens to the Secret when this resource is deleted or `name` changes: `Delete` deletes it,
    /// `Retain` keeps it. `spec.validation.onRejected: Withdraw` deletes it in either case.
    #[serde(default)]
    pub deletion_policy: DeletionPolicy,
}

fn layouts() -> Vec<Layout> {
    vec![Layout::Env, Layout::SharedCredentialsFile]
}

/// A sentence for each layout. The text is of the definition alone, as the schema is: the program does not contain it.
fn description_of_layouts() -> String {
    let head = "Formats in which the pair is written, each a set of keys for one kind of consumer.";
    let rows = Layout::VARIANTS.iter().map(|layout| {
        let purpose = layout.get_documentation().unwrap_or_default();
        format!("`{}`: {purpose}", layout.as_str())
    });
    let lines: Vec<String> = [head.to_owned()].into_iter().chain(rows).collect();
    lines.join("\n")
}

impl Default for Target {
    fn default() -> Self {
        Self {
            name: None,
            layouts: layouts(),
            keys: BTreeMap::new(),
            deletion_policy: DeletionPolicy::default(),
        }
    }
}
