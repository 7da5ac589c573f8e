//! A pair and a region, `ID|SECRET|REGION`, written in every layout and read back by other parsers.

use std::collections::BTreeMap;

use aws_runtime::env_config::{
    file::{EnvConfigFileKind, EnvConfigFiles},
    section::EnvConfigSections,
    source,
};
use aws_types::os_shim_internal::{Env, Fs};
use configparser::ini::Ini;
use serde_json::{Value, json};
use static_aws_credentials::{
    api::{Layout, Reason, TargetValue},
    domain::{
        layout::{Request, carries, render},
        pair::{KeyPair, SecretBytes, SecretText},
        region::Region,
    },
};
use strum::VariantArray;

use super::halves;
use crate::ini;

/// The intended values, and the data that hold them.
pub struct Written {
    /// The access key ID.
    pub id: String,
    /// The secret access key.
    pub secret: String,
    /// The region, if there is one.
    pub region: Option<String>,
    /// Every key of every layout.
    pub data: BTreeMap<String, String>,
}

/// Every layout of the pair in an input; `None` without a pair, or if a file cannot hold the pair.
#[must_use]
pub fn written(input: &[u8]) -> Option<Written> {
    let (pair, region) = parsed(input)?;
    let data = rendered(&pair, region.as_deref(), Layout::VARIANTS)?;
    let text = |bytes: &SecretBytes| String::from_utf8(bytes.expose_secret().to_vec()).ok();
    let data = data
        .iter()
        .map(|(key, bytes)| Some((key.clone(), text(bytes)?)));
    Some(Written {
        id: pair.access_key_id.expose_secret().to_owned(),
        secret: pair.secret_access_key.expose_secret().to_owned(),
        region,
        data: data.collect::<Option<_>>()?,
    })
}

const TTL: u32 = 1080;
const COMMAND: &str = "/var/run/awscredentials.dev/credential-process \
                   --file /var/run/secrets/awscredentials.dev/credentials.json --ttl 1080";

pub fn layouts(input: &[u8]) {
    let Some((pair, region)) = parsed(input) else {
        return;
    };
    let region = region.as_deref();
    // Only layouts with a file refuse a pair.
    let Some(others) = rendered(&pair, region, &without_files()) else {
        panic!("a layout without a file refuses a pair");
    };
    json_is_read_back(&others["credentials.json"], &pair);
    assert!(carries(&others, &pair));
    let Some(written) = written(input) else {
        return;
    };
    file_is_read_back(&written);
    let data = rendered(&pair, region, Layout::VARIANTS).unwrap_or_default();
    assert!(carries(&data, &pair));
    for (key, bytes) in others {
        assert_eq!(data.get(&key), Some(&bytes), "{key}");
    }
    keys_equal_those_of_layouts(&data, &pair, region);
    let mut other = pair.secret_access_key.expose_secret().to_owned();
    other.push('x');
    let other = KeyPair {
        access_key_id: SecretText::new(pair.access_key_id.expose_secret().to_owned()),
        secret_access_key: SecretText::new(other),
    };
    assert!(!carries(&data, &other), "another pair is not carried");
}

/// A value under any key has the bytes that a layout writes.
fn keys_equal_those_of_layouts(
    data: &BTreeMap<String, SecretBytes>,
    pair: &KeyPair,
    region: Option<&str>,
) {
    let values = [
        ("AWS_ACCESS_KEY_ID", TargetValue::AccessKeyId),
        ("AWS_SECRET_ACCESS_KEY", TargetValue::SecretAccessKey),
        ("AWS_REGION", TargetValue::Region),
        ("credentials", TargetValue::CredentialsFile),
        ("config", TargetValue::ConfigFile),
        ("credentials.json", TargetValue::ProcessJson),
    ];
    let keys = values.map(|(key, value)| (key.to_owned(), value)).into();
    let request = Request {
        layouts: &[],
        keys: &keys,
        region,
        ttl: TTL,
    };
    let Ok(further) = render(&request, pair) else {
        panic!("a layout can carry the pair, and a key cannot");
    };
    for (key, _) in values {
        assert_eq!(further.get(key), data.get(key), "{key}");
    }
}

/// Layouts without a file in the format of AWS SDKs, which is under the same key in every layout.
fn without_files() -> Vec<Layout> {
    let mut layouts = Layout::VARIANTS.to_vec();
    layouts.retain(|layout| layout.keys(false).all(|key| key != "credentials"));
    layouts
}

/// Accepts any text, as if no other check came before the layout.
fn parsed(input: &[u8]) -> Option<(KeyPair, Option<String>)> {
    let (id, rest) = halves(input);
    let rest = rest?;
    let at = rest.iter().rposition(|byte| *byte == b'|');
    let (secret, region) = at.map_or((rest, None), |at| (&rest[..at], Some(&rest[at + 1..])));
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
    let region = region.and_then(text);
    let pair = KeyPair {
        access_key_id: SecretText::new(text(id)?),
        secret_access_key: SecretText::new(text(secret)?),
    };
    Some((pair, region.filter(|region| Region::parse(region).is_ok())))
}

fn rendered(
    pair: &KeyPair,
    region: Option<&str>,
    layouts: &[Layout],
) -> Option<BTreeMap<String, SecretBytes>> {
    let keys = BTreeMap::new();
    let request = Request {
        layouts,
        keys: &keys,
        region,
        ttl: TTL,
    };
    match render(&request, pair) {
        Ok(data) => Some(data),
        Err(finding) => {
            assert_eq!(finding.reason, Reason::LayoutCannotCarry);
            None
        }
    }
}

/// JSON is also read as YAML, by a parser that shares nothing with the writer.
fn json_is_read_back(bytes: &SecretBytes, pair: &KeyPair) {
    let (id, secret) = (
        pair.access_key_id.expose_secret(),
        pair.secret_access_key.expose_secret(),
    );
    let meant = json!({"Version": 1, "AccessKeyId": id, "SecretAccessKey": secret});
    let read: Option<Value> = serde_json::from_slice(bytes.expose_secret()).ok();
    assert_eq!(read.as_ref(), Some(&meant));
    let text = String::from_utf8_lossy(bytes.expose_secret());
    let mut plain = text.chars().all(|letter| !letter.is_control());
    // Characters that JSON allows and YAML does not.
    plain &= !text.contains([
        '\u{2028}', '\u{2029}', '\u{feff}', '\u{fffe}', '\u{ffff}', '\u{7f}',
    ]);
    if plain {
        let read: Value = serde_saphyr::from_str(&text).unwrap_or_else(|error| {
            panic!("{text:?}: {error}");
        });
        assert_eq!(read, meant);
    }
}

fn file_is_read_back(written: &Written) {
    let file = &written.data["credentials"];
    let meant = [
        ("aws_access_key_id", written.id.as_str()),
        ("aws_secret_access_key", written.secret.as_str()),
    ];
    for dialect in ini::DIALECTS {
        assert_eq!(
            ini::read(file, dialect),
            Ok(ini::profile(&meant)),
            "{dialect:?}"
        );
    }
    let sdk = read_by_sdk(EnvConfigFileKind::Credentials, file);
    let general = read_as_ini(file);
    for (key, value) in meant {
        assert_eq!(sdk.get(key), Some(value), "by the SDK for Rust");
        assert_eq!(general.get("default", key).as_deref(), Some(value));
    }
    assert_eq!(general.sections(), ["default"]);
    assert_eq!(sdk.get("aws_session_token"), None);
    process_is_read_back(&written.data["config-process"], written.region.as_deref());
    if let Some(region) = &written.region {
        let config = &written.data["config"];
        for dialect in ini::DIALECTS {
            let meant = ini::profile(&[("region", region)]);
            assert_eq!(ini::read(config, dialect), Ok(meant), "{dialect:?}");
        }
        let sdk = read_by_sdk(EnvConfigFileKind::Config, config);
        assert_eq!(sdk.get("region"), Some(region.as_str()));
    }
}

/// SDKs are configured to read this file as both of theirs.
fn process_is_read_back(file: &str, region: Option<&str>) {
    let region = region.map(|region| ("region", region));
    let meant: Vec<_> = region
        .into_iter()
        .chain([("credential_process", COMMAND)])
        .collect();
    for dialect in ini::DIALECTS {
        let read = ini::read(file, dialect);
        assert_eq!(read, Ok(ini::profile(&meant)), "{dialect:?}");
    }
    let general = read_as_ini(file);
    for kind in [EnvConfigFileKind::Config, EnvConfigFileKind::Credentials] {
        let sdk = read_by_sdk(kind, file);
        for (key, value) in &meant {
            assert_eq!(sdk.get(key), Some(*value), "by the SDK for Rust");
            assert_eq!(general.get("default", key).as_deref(), Some(*value));
        }
    }
}

/// The file as the AWS SDK for Rust reads it.
pub(super) fn read_by_sdk(kind: EnvConfigFileKind, file: &str) -> EnvConfigSections {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap_or_else(|error| panic!("{error}"));
    }
    let files = EnvConfigFiles::builder().with_contents(kind, file).build();
    let (env, fs) = (Env::from_slice(&[]), Fs::from_slice(&[]));
    let loaded = RUNTIME.with(|runtime| runtime.block_on(source::load(&env, &fs, &files)));
    let parsed = loaded.map(EnvConfigSections::parse);
    match parsed {
        Ok(Ok(sections)) => sections,
        _ => panic!("the SDK for Rust cannot read the file"),
    }
}

/// The file as a general INI reader parses it: comments only on lines of their own, keys case-sensitive.
fn read_as_ini(file: &str) -> Ini {
    let mut ini = Ini::new_cs();
    ini.set_inline_comment_symbols(Some(&[]));
    assert!(ini.read(file.to_owned()).is_ok(), "it is INI");
    ini
}
