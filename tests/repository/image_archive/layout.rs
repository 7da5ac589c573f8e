//! The config, the size, and the files in the root.

use super::{HELPER, NAME, image, platform, reader::read};

const LIMIT: u64 = 12_000_000;

/// Each pod that uses the helper gets a copy.
const LIMIT_OF_HELPER: u64 = 1_500_000;

/// Everything that the root may contain, with its mode.
const ROOT: [(&str, u32); 11] = [
    (HELPER, 0o755),
    ("etc", 0o755),
    ("etc/ssl", 0o755),
    ("etc/ssl/certs", 0o755),
    ("etc/ssl/certs/ca-certificates.crt", 0o644),
    ("licenses", 0o755),
    ("licenses/LICENSE", 0o644),
    ("licenses/THIRD-PARTY.txt", 0o644),
    ("sbom", 0o755),
    ("sbom/static-aws-credentials.cdx.json", 0o644),
    (NAME, 0o755),
];

#[test]
fn a_registry_keeps_it_under_the_digest_that_we_tell() {
    assert_eq!(read().digest, image().digest);
}

#[test]
fn the_user_is_a_number_without_rights_and_the_command_is_the_operator() {
    let config = &read().config["config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(
        config["Entrypoint"],
        serde_json::json!([format!("/{NAME}")])
    );
    assert_eq!(config["WorkingDir"], "/");
    assert!(config.get("Cmd").is_none() && config.get("Env").is_none());
    assert_eq!(read().config["os"], "linux");
    assert_eq!(read().config["architecture"], platform().architecture());
}

#[test]
fn labels_and_annotations_tell_what_it_is() {
    let version = image()
        .name
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .to_owned();
    for (name, value) in [
        ("title", NAME),
        ("version", version.as_str()),
        ("licenses", "Apache-2.0"),
    ] {
        let key = format!("org.opencontainers.image.{name}");
        assert_eq!(read().config["config"]["Labels"][&key], value);
        assert_eq!(read().manifest["annotations"][&key], value);
    }
    let created = &read().config["created"];
    assert_eq!(
        read().manifest["annotations"]["org.opencontainers.image.created"],
        *created
    );
    assert!(created.as_str().is_some_and(|time| time.ends_with('Z')));
}

#[test]
fn it_is_no_larger_than_it_may_be() {
    let bytes = |file: &super::reader::Entry| file.content.len() as u64;
    let root: u64 = read().root.values().map(bytes).sum();
    let archive = std::fs::metadata(&image().archive)
        .expect("an archive")
        .len();
    let binary = bytes(&read().root[NAME]);
    let helper = bytes(&read().root[HELPER]);
    eprintln!("binary {binary}, helper {helper}, root {root}, archive {archive} bytes");
    assert!(helper <= LIMIT_OF_HELPER, "the helper takes {helper} bytes");
    assert!(root <= LIMIT, "the root takes {root} bytes");
    assert!(archive <= LIMIT, "the archive takes {archive} bytes");
}

#[test]
fn nothing_else_is_in_it_and_nobody_but_root_may_write() {
    let found: Vec<_> = read()
        .root
        .iter()
        .map(|(path, entry)| (path.as_str(), entry.mode))
        .collect();
    assert_eq!(found, ROOT);
    for (path, entry) in &read().root {
        assert_eq!((entry.owner, entry.modified), ((0, 0), 0), "{path}");
    }
}
