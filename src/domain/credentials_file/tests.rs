//! Files as people and tools write them, and what is read from them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use super::*;

const ID: &str = "AKIAQRSTUVWX23456723";
const SECRET: &str = "abcdefghijklmnopqrstuvwxyz/ABCDEFGHIJKL+";

fn read_profile(text: &[u8], profile: &str) -> Result<(Option<String>, Option<String>), Finding> {
    let file = CredentialsFile {
        key: "cloud".to_owned(),
        profile: profile.to_owned(),
    };
    let values = read(Some(SecretBytes::new(text.to_vec())), &file, "orders")?;
    let text = |value: Option<SecretBytes>| {
        value.map(|bytes| String::from_utf8(bytes.expose_secret().to_vec()).unwrap())
    };
    Ok((text(values.access_key_id), text(values.secret_access_key)))
}

fn pair() -> String {
    format!("aws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\n")
}

#[test]
fn a_pair_in_its_plain_forms_is_read() {
    let pair = pair();
    let files = [
        format!("[default]\n{pair}"),
        format!("[default]\n{pair}").trim_end().to_owned(),
        format!("[default]\r\n{}", pair.replace('\n', "\r\n")),
        format!("# of the store\n; and more\n\n[default] \t\n\n{pair}# the end"),
        format!("[default]\naws_access_key_id={ID}\t\naws_secret_access_key  =\t{SECRET} \n"),
        format!("[default]\nregion = eu-west-1\n{pair}output = json\n"),
        format!("[other]\naws_access_key_id = x\n  y: z\nrole_arn = r\n[default]\n{pair}[last]\nx"),
        format!("[default]\n{pair}[other]\naws_session_token = x\n"),
    ];
    for file in files {
        let read = read_profile(file.as_bytes(), "default").expect(&file);
        assert_eq!(
            read,
            (Some(ID.to_owned()), Some(SECRET.to_owned())),
            "{file}"
        );
    }
}

#[test]
fn the_named_profile_is_read_and_no_other() {
    let file = format!(
        "[default]\naws_access_key_id = x\n[team-a/prod]\n{}[Default]\n",
        pair()
    );
    let read = |profile| read_profile(file.as_bytes(), profile);
    assert_eq!(read("default").unwrap(), (Some("x".to_owned()), None));
    assert_eq!(read("team-a/prod").unwrap().0.as_deref(), Some(ID));
    assert_eq!(read("Default").unwrap(), (None, None));
    for absent in ["team-a", "prod", "DEFAULT"] {
        let finding = read(absent).unwrap_err();
        assert_eq!(finding.reason, Reason::ProfileNotFound);
        assert_eq!(
            finding.message,
            format!(
                "key \"cloud\" of Secret \"orders\" has no profile [{absent}]; add it, or correct \
                 spec.secretRef.credentialsFile.profile"
            )
        );
    }
}

#[test]
fn what_sdks_read_differently_is_refused_with_the_number_of_the_line() {
    let pair = pair();
    let rows = [
        (1, format!("{pair}[default]\n{pair}")),
        (1, format!(" [default]\n{pair}")),
        (1, format!("[default] # of orders\n{pair}")),
        (1, format!("[ default ]\n{pair}")),
        (1, format!("[default]]\n{pair}")),
        (1, format!("[profile default]\n{pair}")),
        (1, format!("\u{a0}\n[default]\n{pair}")),
        (4, format!("[default]\n{pair}[default]\n{pair}")),
        (4, format!("[default]\n{pair}[profile default]\n{pair}")),
        (4, format!("[default]\n{pair}  [other]\n")),
        (4, format!("[default]\n{pair}aws_access_key_id = other\n")),
        (5, format!("[default]\n{pair}region = a\nregion = b\n")),
        (4, format!("[default]\n{pair}  continued\n")),
        (4, format!("[default]\n{pair}\taws_x = y\n")),
        (4, format!("[default]\n{pair}no sign\n")),
        (4, format!("[default]\n{pair}a: b = c\n")),
        (4, format!("[default]\n{pair}AWS_ACCESS_KEY_ID = x\n")),
        (4, format!("[default]\n{pair} # indented\n")),
        (4, format!("[default]\n{pair}= x\n")),
        (
            2,
            format!("[default]\naws_access_key_id = {ID} # of orders\n"),
        ),
        (2, format!("[default]\naws_access_key_id = {ID}\t;\n")),
        (2, "[default]\naws_secret_access_key = #x\n".to_owned()),
        (2, "[default]\naws_secret_access_key = ]x\n".to_owned()),
        (2, format!("[default]\n(MISSING){pair}")),
        (
            2,
            format!("[default]\naws_access_key_id = {ID}\r{SECRET}\n"),
        ),
    ];
    for (number, file) in rows {
        let finding = read_profile(file.as_bytes(), "default").expect_err(&file);
        assert_eq!(finding.reason, Reason::CredentialsFileAmbiguous, "{file}");
        let start = format!("line {number} of key \"cloud\" of Secret \"orders\" ");
        assert!(finding.message.starts_with(&start), "{}", finding.message);
        assert!(!finding.message.contains(ID) && !finding.message.contains(SECRET));
        assert!(
            finding.message.chars().count() <= 300,
            "{}",
            finding.message
        );
    }
}

#[test]
fn a_profile_with_other_credentials_is_refused_by_the_name_of_its_setting() {
    let pair = pair();
    let rows = [
        ("aws_session_token", Reason::TemporaryCredentials),
        ("aws_security_token", Reason::TemporaryCredentials),
        ("credential_process", Reason::ProfileNotStatic),
        ("credential_source", Reason::ProfileNotStatic),
        ("role_arn", Reason::ProfileNotStatic),
        ("source_profile", Reason::ProfileNotStatic),
        ("web_identity_token_file", Reason::ProfileNotStatic),
        ("sso_session", Reason::ProfileNotStatic),
        ("sso_account_id", Reason::ProfileNotStatic),
    ];
    for (name, reason) in rows {
        let shown = if name.starts_with("sso_") {
            "sso_*"
        } else {
            name
        };
        for value in ["", "of another"] {
            let file = format!("[default]\n{name} = {value}\n{pair}");
            let finding = read_profile(file.as_bytes(), "default").unwrap_err();
            assert_eq!(finding.reason, reason, "{name}");
            let start = format!("line 2 of key \"cloud\" of Secret \"orders\" sets {shown}, ");
            assert!(finding.message.starts_with(&start), "{}", finding.message);
        }
    }
}

#[test]
fn a_value_keeps_what_the_checks_of_values_report() {
    for value in ["", "\"quoted\"", "\u{a0}x", "a\u{0}b", "a = b"] {
        let file = format!("[default]\naws_secret_access_key = {value}\n");
        let (id, secret) = read_profile(file.as_bytes(), "default").unwrap();
        assert_eq!((id, secret.as_deref()), (None, Some(value)));
    }
}

#[test]
fn what_is_no_text_is_refused_with_its_key() {
    let rows: [(&[u8], Reason); 3] = [
        (b"[default]\n\xFF", Reason::NotUtf8),
        (b"\xFF\xFE[\0d\0", Reason::NotUtf8),
        (b"\xEF\xBB\xBF[default]\n", Reason::ByteOrderMark),
    ];
    for (bytes, reason) in rows {
        let finding = read_profile(bytes, "default").unwrap_err();
        assert_eq!(finding.reason, reason);
        let start = "key \"cloud\" of Secret \"orders\" ";
        assert!(finding.message.starts_with(start), "{}", finding.message);
    }
}

#[test]
fn a_secret_without_the_file_is_told_apart_from_a_file_without_the_pair() {
    let file = CredentialsFile {
        key: "cloud".to_owned(),
        profile: "default".to_owned(),
    };
    let finding = read(None, &file, "orders").unwrap_err();
    assert_eq!(finding.reason, Reason::SourceKeyMissing);
    assert_eq!(
        finding.message,
        "key \"cloud\" of Secret \"orders\" does not exist; add it, or correct \
         spec.secretRef.credentialsFile.key"
    );
}
