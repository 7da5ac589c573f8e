//! The target's data: the pair in the shapes that consumers read.
//!
//! A key has the same bytes in every layout that writes it, since the content depends on the key's name and not
//! on the layout.

mod file;

use std::{borrow::Cow, collections::BTreeMap};

use file::Obstacle;
pub(super) use file::has_comment;
use strum::VariantArray;

use crate::{
    api::{KeyContent, Layout, Reason, TargetValue},
    domain::{
        format::abbreviated,
        pair::{KeyPair, PairField, SecretBytes},
        verdict::Finding,
    },
};

/// What the target is to hold.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The layouts, in any order.
    pub layouts: &'a [Layout],
    /// Further keys. If a layout writes the same key, the layout's bytes win.
    pub keys: &'a BTreeMap<String, TargetValue>,
    /// The region, for layouts that carry one.
    pub region: Option<&'a str>,
    /// For how many seconds SDKs keep the output of a `credential_process`, for the layout that sets it.
    pub ttl: u32,
}

/// The default for how many seconds SDKs keep the output of a `credential_process`.
pub const DEFAULT_TTL: u32 = 1080;

/// With less, boto3, which refreshes 15 minutes before the end, starts a process for each request.
pub const LEAST_TTL: u32 = 960;

/// The longest session that STS grants. `credential-process` refuses a longer TTL.
pub const LONGEST_TTL: u32 = 43_200;

/// The data of a target.
pub type Rendered = BTreeMap<String, SecretBytes>;

/// Renders the pair under all keys at once.
///
/// # Errors
///
/// [`Reason::LayoutCannotCarry`] if a file cannot hold the pair. Then nothing is rendered, not even the other keys: a
/// target holds one pair everywhere.
pub fn render(request: &Request<'_>, pair: &KeyPair) -> Result<Rendered, Finding> {
    let mut data = BTreeMap::new();
    for (key, value) in request.keys {
        let rendered = content_of((*value).into(), request, pair).map_err(|obstacle| {
            let subject = format!("key \"{}\"", abbreviated(key));
            cannot_carry(&subject, "key", "spec.target.keys", obstacle)
        })?;
        if let Some(bytes) = rendered {
            data.insert(key.clone(), bytes);
        }
    }
    for &layout in request.layouts {
        for (key, content) in layout.entries() {
            let rendered = content_of(*content, request, pair).map_err(|obstacle| {
                let subject = format!("layout {layout:?}");
                cannot_carry(&subject, "layout", "spec.target.layouts", obstacle)
            })?;
            if let Some(bytes) = rendered {
                data.insert((*key).to_owned(), bytes);
            }
        }
    }
    Ok(data)
}

/// Whether data that was rendered earlier, with unknown layouts, carries a pair: no known key holds another pair,
/// and both values of the pair are there.
#[must_use]
pub fn carries(data: &Rendered, pair: &KeyPair) -> bool {
    let none = BTreeMap::new();
    let request = Request {
        layouts: &[],
        keys: &none,
        region: None,
        ttl: DEFAULT_TTL,
    };
    let known = Layout::VARIANTS.iter().flat_map(|layout| layout.entries());
    let mut holds_pair = false;
    for (key, content) in known.filter(|(_, content)| content.holds_key_material()) {
        let Some(bytes) = data.get(*key) else {
            continue;
        };
        match content_of(*content, &request, pair) {
            Ok(Some(rendered)) if rendered == *bytes => holds_pair |= content.holds_pair(),
            _ => return false,
        }
    }
    let holds = |text: &str| {
        data.values()
            .any(|bytes| bytes.expose_secret() == text.as_bytes())
    };
    let holds_file = |content| match content_of(content, &request, pair) {
        Ok(Some(file)) => data.values().any(|bytes| *bytes == file),
        _ => false,
    };
    holds_pair
        || [KeyContent::CredentialsFile, KeyContent::ProcessJson]
            .into_iter()
            .any(holds_file)
        || holds(pair.access_key_id.expose_secret())
            && holds(pair.secret_access_key.expose_secret())
}

/// Whether an access key ID ends with this suffix, in data that was rendered earlier for the same layouts and keys: of
/// a pair that is not available, only the suffix is known. An empty suffix is never found.
#[must_use]
pub fn holds_key_id(request: &Request<'_>, data: &Rendered, suffix: &str) -> bool {
    let ends = |(key, bytes): (&String, &SecretBytes)| {
        let text = std::str::from_utf8(bytes.expose_secret()).ok()?;
        let id = key_id(request.content(key)?, text)?;
        Some(id.ends_with(suffix))
    };
    !suffix.is_empty() && data.iter().filter_map(ends).any(|ends| ends)
}

impl Request<'_> {
    /// What a key of the target holds. A layout takes precedence over a further key of the same name.
    fn content(&self, key: &str) -> Option<KeyContent> {
        let mut entries = self.layouts.iter().flat_map(|layout| layout.entries());
        let entry = entries.find(|(name, _)| *name == key);
        let further = || self.keys.get(key).map(|value| (*value).into());
        entry.map(|(_, content)| *content).or_else(further)
    }
}

/// The access key ID in the content of a key, if the content has one.
fn key_id(content: KeyContent, text: &str) -> Option<Cow<'_, str>> {
    match content {
        KeyContent::AccessKeyId => Some(text.into()),
        KeyContent::CredentialsFile => file::key_id_of_credentials(text).map(Cow::Borrowed),
        KeyContent::ProcessJson => file::key_id_of_process_json(text),
        KeyContent::SecretAccessKey
        | KeyContent::Region
        | KeyContent::Aws
        | KeyContent::ConfigFile
        | KeyContent::ProcessConfig => None,
    }
}

/// Renders the content of a key; `None` if it needs a region and there is none.
fn content_of(
    content: KeyContent,
    request: &Request<'_>,
    pair: &KeyPair,
) -> Result<Option<SecretBytes>, Obstacle> {
    let region = request.region;
    Ok(match content {
        KeyContent::AccessKeyId => Some(secret_bytes(value(pair, PairField::AccessKeyId))),
        KeyContent::SecretAccessKey => Some(secret_bytes(value(pair, PairField::SecretAccessKey))),
        KeyContent::Region => region.map(secret_bytes),
        KeyContent::Aws => Some(secret_bytes("aws")),
        KeyContent::CredentialsFile => Some(file::credentials(pair)?),
        KeyContent::ConfigFile => region.map(file::config),
        KeyContent::ProcessJson => Some(file::process_json(pair)?),
        KeyContent::ProcessConfig => Some(file::process_config(region, request.ttl)),
    })
}

fn value(pair: &KeyPair, field: PairField) -> &str {
    match field {
        PairField::AccessKeyId => pair.access_key_id.expose_secret(),
        PairField::SecretAccessKey => pair.secret_access_key.expose_secret(),
    }
}

fn secret_bytes(text: &str) -> SecretBytes {
    SecretBytes::new(text.as_bytes().to_vec())
}

/// A finding about a layout or a key, and the kind and field of what to remove.
fn cannot_carry(subject: &str, kind: &str, field: &str, obstacle: Obstacle) -> Finding {
    Finding::new(
        Reason::LayoutCannotCarry,
        format!(
            "{subject} cannot carry the pair: {obstacle}; remove the {kind} from {field} or create another access key"
        ),
    )
}

#[cfg(test)]
mod tests;
