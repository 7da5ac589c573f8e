//! The rules of the source.

use super::{Rule, TOO_LONG, is_key_material, is_short, violated};
use crate::{
    api::{ACCESS_KEY_ID_KEY, SECRET_ACCESS_KEY_KEY, SecretRef, messages},
    cli::check::secret::{is_data_key, is_subdomain},
};

const LONGEST_PROFILE: usize = 128;

pub(super) fn of_source(source: &SecretRef) -> Option<Rule> {
    const ID: &str = "spec.secretRef.accessKeyIdKey";
    const SECRET: &str = "spec.secretRef.secretAccessKeyKey";
    let (id, secret) = (&source.access_key_id_key, &source.secret_access_key_key);
    violated(&[
        (is_short(&source.name), "spec.secretRef.name", TOO_LONG),
        (
            is_subdomain(&source.name),
            "spec.secretRef.name",
            messages::SECRET_NAME,
        ),
        (is_short(id), ID, TOO_LONG),
        (is_short(secret), SECRET, TOO_LONG),
        (is_data_key(id), ID, messages::DATA_KEY),
        (!is_key_material(id), ID, messages::NO_KEY_MATERIAL),
        (is_data_key(secret), SECRET, messages::DATA_KEY),
        (!is_key_material(secret), SECRET, messages::NO_KEY_MATERIAL),
        (id != secret, SECRET, messages::TWO_KEYS),
    ])
    .or_else(|| of_file(source))
}

fn of_file(source: &SecretRef) -> Option<Rule> {
    const FILE: &str = "spec.secretRef.credentialsFile";
    const KEY: &str = "spec.secretRef.credentialsFile.key";
    const PROFILE: &str = "spec.secretRef.credentialsFile.profile";
    let file = source.credentials_file.as_ref()?;
    let (key, profile) = (&file.key, &file.profile);
    let is_sign = |sign: char| sign.is_ascii_alphanumeric() || "._/%@:+-".contains(sign);
    let has_default_keys = source.access_key_id_key == ACCESS_KEY_ID_KEY
        && source.secret_access_key_key == SECRET_ACCESS_KEY_KEY;
    violated(&[
        (is_short(key), KEY, TOO_LONG),
        (is_data_key(key), KEY, messages::DATA_KEY),
        (!is_key_material(key), KEY, messages::NO_KEY_MATERIAL),
        (
            profile.chars().count() <= LONGEST_PROFILE,
            PROFILE,
            "must have at most 128 characters",
        ),
        (
            !profile.is_empty() && profile.chars().all(is_sign),
            PROFILE,
            messages::PROFILE,
        ),
        (
            !is_key_material(profile),
            PROFILE,
            messages::NO_KEY_MATERIAL,
        ),
        (has_default_keys, FILE, messages::FILE_OR_KEYS),
    ])
}
