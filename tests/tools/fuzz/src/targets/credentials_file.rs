//! A credentials file of a source: a pair that is taken from it is what every other reader finds in it.

use aws_runtime::env_config::file::EnvConfigFileKind;
use static_aws_credentials::{
    api::CredentialsFile,
    domain::{
        credentials_file::{self, ACCESS_KEY_ID, SECRET_ACCESS_KEY},
        format::{Names, check},
        pair::SecretBytes,
    },
};

use super::{is_one_of_few, layouts::read_by_sdk};
use crate::ini;

/// A file, and the pair that the operator takes from its profile `default`.
pub struct Taken {
    /// The file.
    pub file: String,
    /// The access key ID.
    pub id: String,
    /// The secret access key.
    pub secret: String,
}

impl Taken {
    /// Whether the file has more than one profile: a reader that refuses another profile refuses the file.
    #[must_use]
    pub fn has_others(&self) -> bool {
        self.file.matches('[').count() > 1
    }
}

/// What the operator takes from a file; nothing if the file or the pair in it is refused.
#[must_use]
pub fn taken(input: &[u8]) -> Option<Taken> {
    let file = CredentialsFile {
        key: "cloud".to_owned(),
        profile: "default".to_owned(),
    };
    let read = credentials_file::read(Some(SecretBytes::new(input.to_vec())), &file, "orders");
    let values = match read {
        Ok(values) => values,
        Err(finding) => {
            let without_number = |word: &str| word.parse::<usize>().is_err();
            let words: Vec<_> = finding
                .message
                .split(' ')
                .filter(|word| without_number(word))
                .collect();
            is_one_of_few(finding.reason.as_str(), words.join(" "));
            return None;
        }
    };
    let names = Names {
        secret: "orders",
        file: Some(&file),
        access_key_id_key: ACCESS_KEY_ID,
        secret_access_key_key: SECRET_ACCESS_KEY,
        any_store: true,
    };
    let pair = check(&names, values.access_key_id, values.secret_access_key)
        .ok()?
        .pair;
    Some(Taken {
        file: String::from_utf8(input.to_vec()).ok()?,
        id: pair.access_key_id.expose_secret().to_owned(),
        secret: pair.secret_access_key.expose_secret().to_owned(),
    })
}

pub fn credentials_file(input: &[u8]) {
    let Some(taken) = taken(input) else {
        return;
    };
    let meant = [
        (ACCESS_KEY_ID, taken.id.as_str()),
        (SECRET_ACCESS_KEY, taken.secret.as_str()),
    ];
    for dialect in ini::DIALECTS {
        let sections = match ini::read(&taken.file, dialect) {
            Ok(sections) => sections,
            Err(_) if taken.has_others() => continue,
            Err(line) => panic!("{dialect:?} refuses {line}"),
        };
        let profile = &sections["default"];
        for (name, value) in meant {
            let read = profile.get(name).map(String::as_str);
            assert_eq!(read, Some(value), "{dialect:?}");
        }
        assert_eq!(profile.get("aws_session_token"), None);
    }
    if taken.has_others() {
        return;
    }
    let sdk = read_by_sdk(EnvConfigFileKind::Credentials, &taken.file);
    for (name, value) in meant {
        assert_eq!(sdk.get(name), Some(value), "by the SDK for Rust");
    }
}
