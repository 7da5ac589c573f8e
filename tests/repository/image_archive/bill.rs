//! The bill of materials, the list in the binary and the licences, each against Cargo's own tree.

use std::{collections::BTreeSet, process::Command};

use serde_json::Value;

use super::{
    HELPER, NAME, image, platform,
    reader::{file, text},
};

const LIBRARIES: [&str; 3] = ["glibc", "libgcc", "rust-std"];
const DATA: &str = "webpki-root-certs";

/// `name version` of each crate that is linked into the program of a package according to Cargo.
fn crates_of(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--locked", "--package", package])
        .args(["--target", platform().triple()])
        .args(["--edges=normal,no-proc-macro", "--prefix=none"])
        .output()
        .expect("cargo starts");
    let tree = String::from_utf8(output.stdout).expect("text");
    tree.lines()
        .filter_map(|line| line.split_once(" v"))
        .map(|(name, rest)| format!("{name} {}", rest.split(' ').next().unwrap_or_default()))
        .collect()
}

fn crates() -> BTreeSet<String> {
    let crates = crates_of(NAME);
    assert!(crates.len() > 100, "{crates:?}");
    crates
}

fn bill() -> Value {
    let bill = text("sbom/static-aws-credentials.cdx.json");
    serde_json::from_str(bill).expect("it is JSON")
}

fn named(component: &Value) -> String {
    let part = |key: &str| component[key].as_str().unwrap_or_default();
    format!("{} {}", part("name"), part("version"))
}

#[test]
fn the_bill_lists_exactly_the_crates_in_the_program() {
    let bill = bill();
    let components = bill["components"].as_array().expect("components");
    let others = |component: &&Value| {
        let name = component["name"].as_str().unwrap_or_default();
        !LIBRARIES.contains(&name) && name != DATA
    };
    let mut found: BTreeSet<String> = components.iter().filter(others).map(named).collect();
    found.insert(named(&bill["metadata"]["component"]));
    assert_eq!(found, crates());
    for name in LIBRARIES.iter().chain([&DATA]) {
        let there = components
            .iter()
            .any(|component| component["name"] == *name);
        assert!(there, "{name} is missing");
    }
}

#[test]
fn the_bill_is_whole() {
    let bill = bill();
    assert_eq!(
        (&bill["bomFormat"], &bill["specVersion"]),
        (&"CycloneDX".into(), &"1.6".into())
    );
    let mut references = BTreeSet::new();
    let components = bill["components"].as_array().expect("components").iter();
    for component in components.chain([&bill["metadata"]["component"]]) {
        let reference = component["bom-ref"].as_str().expect("a reference");
        assert!(references.insert(reference), "{reference} is there twice");
        assert!(
            component["licenses"][0]["expression"].is_string(),
            "{reference}"
        );
        let is_crate = reference.starts_with("pkg:cargo/");
        let sum = component["hashes"][0]["content"]
            .as_str()
            .unwrap_or_default();
        assert_eq!(sum.len() == 64, is_crate, "{reference} has the sum {sum:?}");
    }
    let dependencies = bill["dependencies"].as_array().expect("dependencies");
    assert_eq!(dependencies.len(), references.len());
    for dependency in dependencies {
        let on = dependency["dependsOn"].as_array().expect("a list").iter();
        for reference in on.chain([&dependency["ref"]]).filter_map(Value::as_str) {
            assert!(
                references.contains(reference),
                "{reference} is no component"
            );
        }
    }
}

#[test]
fn the_bill_beside_the_archive_is_the_one_inside() {
    let beside = std::fs::read_to_string(&image().sbom).expect("a bill beside the archive");
    assert_eq!(beside, text("sbom/static-aws-credentials.cdx.json"));
}

#[test]
fn the_bill_has_the_sums_of_the_programs() {
    let operator = &bill()["metadata"]["component"];
    let helper = &operator["components"][0];
    for (name, component) in [(NAME, operator), (HELPER, helper)] {
        assert_eq!(component["name"], name);
        assert_eq!(component["version"], operator["version"]);
        let sum = &component["hashes"][0]["content"];
        assert_eq!(
            format!("sha256:{}", sum.as_str().unwrap_or_default()),
            image::oci::digest(file(name))
        );
    }
}

#[test]
fn the_helper_has_crates_of_the_operator_and_not_the_operator() {
    let is_local = |name: &String| [NAME, HELPER].iter().any(|local| name.starts_with(local));
    let (local, crates_of_helper): (BTreeSet<_>, BTreeSet<_>) =
        crates_of(HELPER).into_iter().partition(is_local);
    assert_eq!(local.len(), 1, "{local:?}");
    let others: Vec<_> = crates_of_helper.difference(&crates()).cloned().collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn a_scanner_finds_the_crates_in_the_program_itself() {
    let limits = auditable_info::Limits::default();
    let info = auditable_info::audit_info_from_slice(file(NAME), limits.decompressed_json_size);
    let packages = info.expect("the list can be read").packages;
    let found = packages
        .iter()
        .map(|package| format!("{} {}", package.name, package.version));
    assert_eq!(found.collect::<BTreeSet<_>>(), crates());
    let roots: Vec<_> = packages.iter().filter(|package| package.root).collect();
    assert_eq!(roots.len(), 1);
    assert_eq!(roots[0].name, NAME);
    // kube is a direct dependency of the operator.
    let kube = packages.iter().position(|package| package.name == "kube");
    assert!(kube.is_some_and(|place| roots[0].dependencies.contains(&place)));
}

#[test]
fn every_part_has_its_licence_in_full() {
    let all = text("licenses/THIRD-PARTY.txt");
    let parts = crates();
    let bill = bill();
    let components = bill["components"]
        .as_array()
        .expect("components")
        .iter()
        .map(named);
    for part in parts.into_iter().chain(components) {
        let start = format!("{part}: ");
        let line = all.lines().find_map(|line| line.strip_prefix(&start));
        let (license, numbers) = line
            .and_then(|line| line.split_once("; texts "))
            .unwrap_or_else(|| panic!("{part} is not in the list"));
        assert!(!license.is_empty(), "{part} has no licence");
        let texts = numbers
            .split(", ")
            .map(|number| licence(all, number, &part));
        // The shortest licence, MIT's, has a thousand characters; a notice has a line.
        assert!(texts.max() > Some(400), "{part} has no text of a licence");
    }
    for words in [
        "Permission is hereby granted, free of charge",
        "Apache License",
        "GNU LESSER GENERAL PUBLIC LICENSE",
        "GCC RUNTIME LIBRARY EXCEPTION",
        "Community Data License Agreement",
    ] {
        let has = all.to_lowercase().contains(&words.to_lowercase());
        assert!(has, "no text has {words:?}");
    }
}

/// The length of a numbered text, after a check that its heading names the part.
fn licence(all: &str, number: &str, part: &str) -> usize {
    let heading = format!("\ntext {number}: ");
    let (_, text) = all.split_once(&heading).expect("the text is there");
    let (owners, text) = text.split_once('\n').expect("a heading");
    let names = owners.split(", ").any(|owner| owner == part);
    assert!(names, "text {number} is of {owners}, not of {part}");
    let (_, text) = text.split_once("\n\n").expect("a line under the heading");
    let line = format!("\n{}\ntext ", "-".repeat(78));
    text.split(&line).next().unwrap_or_default().trim().len()
}
