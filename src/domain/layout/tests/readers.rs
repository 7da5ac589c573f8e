//! Values that consumers read back.

use crate::api::Layout;
use aws_runtime::env_config::{
    file::{EnvConfigFileKind, EnvConfigFiles},
    section::EnvConfigSections,
    source,
};
use aws_types::os_shim_internal::{Env, Fs};
use configparser::ini::Ini;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ID, REGION, pair, render_layout, render_layouts};

const COMMAND: &str = "/var/run/awscredentials.dev/credential-process \
                   --file /var/run/secrets/awscredentials.dev/credentials.json --ttl 1234";

/// The file as parsed by the AWS SDK for Rust.
fn read_by_sdk(kind: EnvConfigFileKind, file: &str) -> EnvConfigSections {
    let files = EnvConfigFiles::builder().with_contents(kind, file).build();
    let (env, fs) = (Env::from_slice(&[]), Fs::from_slice(&[]));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let source = runtime.block_on(source::load(&env, &fs, &files)).unwrap();
    EnvConfigSections::parse(source).unwrap()
}

/// The file as parsed by a generic INI reader: comments only on whole lines, case-sensitive keys.
fn read_as_ini(file: &str) -> Ini {
    let mut ini = Ini::new_cs();
    ini.set_inline_comment_symbols(Some(&[]));
    ini.read(file.to_owned()).unwrap();
    ini
}

/// Secrets with all characters that are known to break some reader.
fn secrets() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9/+]{40}",
        "[!-~]{1,60}",
        "[#;=\"'\\\\\\[\\] :%$a-c]{1,12}",
        "[ -~\u{a1}-\u{17f}\u{4e00}-\u{4e10}]{1,40}",
        ".{1,40}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_credentials_file_is_read_back_unchanged_or_refused(secret in secrets()) {
        let layouts = [Layout::SharedCredentialsFile, Layout::Env];
        let Ok(data) = render_layouts(&layouts, &[], None, &pair(ID, &secret)) else {
            return Ok(());
        };
        let file = &data["credentials"];
        let profile = read_by_sdk(EnvConfigFileKind::Credentials, file);
        prop_assert_eq!(profile.get("aws_access_key_id"), Some(ID));
        prop_assert_eq!(profile.get("aws_secret_access_key"), Some(secret.as_str()));
        prop_assert_eq!(profile.get("aws_session_token"), None);

        let ini = read_as_ini(file);
        prop_assert_eq!(ini.sections(), ["default"]);
        prop_assert_eq!(ini.get("default", "aws_access_key_id"), Some(ID.to_owned()));
        let read = ini.get("default", "aws_secret_access_key");
        prop_assert_eq!(read.as_ref(), Some(&secret));

        prop_assert_eq!(file.lines().count(), 3);
        prop_assert!(file.ends_with('\n') && !file.contains('\r'));
        prop_assert_eq!(&data["AWS_SECRET_ACCESS_KEY"], &secret);
    }

    #[test]
    fn no_secret_of_aws_is_refused(secret in "[A-Za-z0-9/+]{40}") {
        prop_assert!(render_layouts(&[Layout::SharedCredentialsFile], &[], None, &pair(ID, &secret)).is_ok());
    }

    #[test]
    fn the_json_is_read_back_whatever_the_secret_holds(secret in any::<String>()) {
        let data = render_layouts(&[Layout::ProcessJson], &[], None, &pair(ID, &secret)).unwrap();
        let read: Value = serde_json::from_str(&data["credentials.json"]).unwrap();
        let expected = json!({"Version": 1, "AccessKeyId": ID, "SecretAccessKey": secret});
        prop_assert_eq!(read, expected);
    }
}

#[test]
fn the_config_file_is_read_back() {
    let file = &render_layout(Layout::SharedCredentialsFile, Some(REGION))["config"];
    let profile = read_by_sdk(EnvConfigFileKind::Config, file);
    assert_eq!(profile.get("region"), Some(REGION));
    assert_eq!(
        read_as_ini(file).get("default", "region").as_deref(),
        Some(REGION)
    );
}

#[test]
fn the_file_of_the_process_is_read_back_as_a_config_file_and_as_a_credentials_file() {
    for region in [None, Some(REGION)] {
        let file = &render_layout(Layout::CredentialProcess, region)["config-process"];
        for kind in [EnvConfigFileKind::Config, EnvConfigFileKind::Credentials] {
            let profile = read_by_sdk(kind, file);
            assert_eq!(profile.get("region"), region);
            assert_eq!(profile.get("credential_process"), Some(COMMAND));
            assert_eq!(profile.get("aws_access_key_id"), None);
        }
        let ini = read_as_ini(file);
        assert_eq!(ini.sections(), ["default"]);
        assert_eq!(ini.get("default", "region").as_deref(), region);
        let command = ini.get("default", "credential_process");
        assert_eq!(command.as_deref(), Some(COMMAND));
    }
}

#[test]
fn the_command_means_the_same_with_a_shell_and_without() {
    let plain = |word: &str| {
        word.chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "/.-".contains(letter))
    };
    assert!(
        COMMAND.split(' ').all(plain),
        "nothing is quoted or expanded"
    );
    assert!(COMMAND.starts_with('/'), "the path is absolute");
}

#[test]
fn what_the_file_refuses_is_what_readers_misread() {
    for secret in ["#leading", ";leading", "in #side", "in ;side", " x", "x "] {
        let file = format!("[default]\naws_secret_access_key = {secret}\n");
        let profile = read_by_sdk(EnvConfigFileKind::Credentials, &file);
        assert_ne!(
            profile.get("aws_secret_access_key"),
            Some(secret),
            "{secret:?}"
        );
    }
}
