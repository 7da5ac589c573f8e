//! The target's data: the pair in the shapes that consumers read.
//!
//! A key has the same bytes in every layout that writes it, since a content belongs to the key's
//! name and not to the layout.

mod file;

use std::collections::BTreeMap;

use file::Obstacle;
use strum::VariantArray;

use crate::{
    api::{Layout, PairField, Reason},
    pair::{KeyPair, SecretBytes},
    verdict::Finding,
};

/// What the target shall hold.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The layouts, in any order.
    pub layouts: &'a [Layout],
    /// Further keys. One that a layout writes as well has the layout's bytes.
    pub keys: &'a BTreeMap<String, PairField>,
    /// The region, for layouts that carry one.
    pub region: Option<&'a str>,
    /// For how many seconds SDKs keep what a `credential_process` told them, for the layout that says so.
    pub ttl: u32,
}

/// The key of the file by which SDKs find the program that tells them the pair.
pub const PROCESS_CONFIG: &str = "config-process";

/// How long SDKs keep what a `credential_process` told them, unless the operator is told otherwise.
pub const DEFAULT_TTL: u32 = 1080;

/// Below it boto3, which asks again 15 minutes before the end, starts a process for each request.
pub const LEAST_TTL: u32 = 960;

/// The keys that a layout writes, in the order of the documentation.
pub fn keys(layout: Layout, with_region: bool) -> impl Iterator<Item = &'static str> {
    entries(layout)
        .iter()
        .filter(move |(_, content)| with_region || !content.needs_region())
        .map(|(key, _)| *key)
}

/// Writes the pair down, all keys at once.
///
/// # Errors
///
/// [`Reason::LayoutCannotCarry`] if a layout has a file that the pair cannot stand in. Then nothing
/// is rendered, the other layouts included: a target holds one pair everywhere.
pub fn render(
    request: &Request<'_>,
    pair: &KeyPair,
) -> Result<BTreeMap<String, SecretBytes>, Finding> {
    let mut data = BTreeMap::new();
    for (key, field) in request.keys {
        data.insert(key.clone(), copy(value(pair, *field)));
    }
    for &layout in request.layouts {
        for (key, content) in entries(layout) {
            let rendered = content
                .render(request, pair)
                .map_err(|obstacle| cannot_carry(layout, obstacle))?;
            if let Some(bytes) = rendered {
                data.insert((*key).to_owned(), bytes);
            }
        }
    }
    Ok(data)
}

/// Whether data that was rendered at some time, from layouts unknown, carries a pair: nothing in it
/// speaks of another one, and all of the pair is there.
#[must_use]
pub fn carries(data: &BTreeMap<String, SecretBytes>, pair: &KeyPair) -> bool {
    let none = BTreeMap::new();
    let request = Request {
        layouts: &[],
        keys: &none,
        region: None,
        ttl: DEFAULT_TTL,
    };
    let known = Layout::VARIANTS.iter().flat_map(|layout| entries(*layout));
    let mut whole = false;
    for (key, content) in known.filter(|(_, content)| content.holds_key_material()) {
        let Some(bytes) = data.get(*key) else {
            continue;
        };
        match content.render(&request, pair) {
            Ok(Some(rendered)) if rendered == *bytes => whole |= content.holds_pair(),
            _ => return false,
        }
    }
    let holds = |text: &str| {
        data.values()
            .any(|bytes| bytes.expose_secret() == text.as_bytes())
    };
    whole
        || holds(pair.access_key_id.expose_secret())
            && holds(pair.secret_access_key.expose_secret())
}

/// What stands under a key.
#[derive(Clone, Copy)]
enum Content {
    Id,
    Secret,
    Region,
    /// The name of the provider, which is also the type of the binding.
    Aws,
    CredentialsFile,
    ConfigFile,
    ProcessJson,
    ProcessConfig,
}

impl Content {
    fn needs_region(self) -> bool {
        matches!(self, Self::Region | Self::ConfigFile)
    }

    fn holds_key_material(self) -> bool {
        matches!(self, Self::Id | Self::Secret) || self.holds_pair()
    }

    fn holds_pair(self) -> bool {
        matches!(self, Self::CredentialsFile | Self::ProcessJson)
    }

    /// Nothing, if the content is of a region and there is none.
    fn render(
        self,
        request: &Request<'_>,
        pair: &KeyPair,
    ) -> Result<Option<SecretBytes>, Obstacle> {
        let region = request.region;
        Ok(match self {
            Self::Id => Some(copy(value(pair, PairField::AccessKeyId))),
            Self::Secret => Some(copy(value(pair, PairField::SecretAccessKey))),
            Self::Region => region.map(copy),
            Self::Aws => Some(copy("aws")),
            Self::CredentialsFile => Some(file::credentials(pair)?),
            Self::ConfigFile => region.map(file::config),
            Self::ProcessJson => Some(file::process_json(pair)?),
            Self::ProcessConfig => Some(file::process_config(region, request.ttl)),
        })
    }
}

fn entries(layout: Layout) -> &'static [(&'static str, Content)] {
    use Content::{
        Aws, ConfigFile, CredentialsFile, Id, ProcessConfig, ProcessJson, Region, Secret,
    };
    match layout {
        Layout::Env => &[
            ("AWS_ACCESS_KEY_ID", Id),
            ("AWS_SECRET_ACCESS_KEY", Secret),
            ("AWS_REGION", Region),
            ("AWS_DEFAULT_REGION", Region),
        ],
        Layout::SharedCredentialsFile => {
            &[("credentials", CredentialsFile), ("config", ConfigFile)]
        }
        Layout::ProcessJson => &[("credentials.json", ProcessJson)],
        Layout::CredentialProcess => &[
            ("credentials.json", ProcessJson),
            (PROCESS_CONFIG, ProcessConfig),
        ],
        Layout::ServiceBinding => &[
            ("type", Aws),
            ("provider", Aws),
            ("access-key-id", Id),
            ("secret-access-key", Secret),
            ("region", Region),
        ],
        Layout::Mendix => &[
            ("mx-const-AWSAuthentication.AccessKey", Id),
            ("mx-const-AWSAuthentication.SecretAccessKey", Secret),
        ],
        Layout::MendixStorage => &[
            ("storage-access-key-id", Id),
            ("storage-secret-access-key", Secret),
        ],
        Layout::CloudCredential => &[
            ("aws_access_key_id", Id),
            ("aws_secret_access_key", Secret),
            ("credentials", CredentialsFile),
        ],
    }
}

fn value(pair: &KeyPair, field: PairField) -> &str {
    match field {
        PairField::AccessKeyId => pair.access_key_id.expose_secret(),
        PairField::SecretAccessKey => pair.secret_access_key.expose_secret(),
    }
}

fn copy(text: &str) -> SecretBytes {
    SecretBytes::new(text.as_bytes().to_vec())
}

fn cannot_carry(layout: Layout, obstacle: Obstacle) -> Finding {
    Finding::new(
        Reason::LayoutCannotCarry,
        format!(
            "layout {layout:?} cannot carry the pair: {obstacle}; remove the layout from \
             spec.target.layouts or create another access key"
        ),
    )
}
