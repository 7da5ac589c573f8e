//! The kubelet updates the mount while SDKs read it.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    thread::{scope, sleep},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{ID, Mounted, SECRET, complaint, json, run};

const SOON: Duration = Duration::from_millis(300);

#[test]
fn a_file_that_is_missing_is_waited_for_a_second_and_then_named() {
    let mounted = Mounted::new();
    let begun = Instant::now();
    let output = run(&["--file", mounted.path()]);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(output.status.code(), Some(1));
    let complaint = complaint(&output);
    assert!(complaint.starts_with(mounted.path()), "{complaint}");
    assert!(complaint.contains("CredentialProcess"), "{complaint}");
}

#[test]
fn without_a_flag_it_looks_where_the_injection_mounts() {
    let complaint = complaint(&run(&[]));
    let start = "/var/run/secrets/awscredentials.dev/credentials.json: ";
    assert!(complaint.starts_with(start), "{complaint}");
}

#[test]
fn a_directory_in_the_place_of_the_file_is_named() {
    let mounted = Mounted::new();
    fs::create_dir(&mounted.file).unwrap();
    let output = run(&["--file", mounted.path()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint(&output).contains("--file"));
}

#[test]
fn a_file_that_comes_or_becomes_whole_in_time_is_read() {
    let torn = &json(ID, SECRET)[..30];
    for before in [None, Some(""), Some(torn)] {
        let mounted = Mounted::new();
        if let Some(before) = before {
            fs::write(&mounted.file, before).unwrap();
        }
        let output = scope(|scope| {
            scope.spawn(|| {
                sleep(SOON);
                fs::write(&mounted.file, json(ID, SECRET)).unwrap();
            });
            run(&["--file", mounted.path()])
        });
        assert!(output.status.success(), "{before:?}");
        let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(printed["SecretAccessKey"], SECRET);
    }
}

/// Swaps the content like the kubelet: creates a directory, replaces the link, removes the old directory.
fn swap(mount: &Path, turn: usize, content: &str) {
    let old = fs::read_link(mount.join("..data")).ok();
    let new = format!("..{turn}");
    fs::create_dir(mount.join(&new)).unwrap();
    fs::write(mount.join(&new).join("credentials.json"), content).unwrap();
    let link = mount.join("..data_tmp");
    symlink(&new, &link).unwrap();
    fs::rename(&link, mount.join("..data")).unwrap();
    if let Some(old) = old {
        fs::remove_dir_all(mount.join(old)).unwrap();
    }
}

#[test]
fn while_the_kubelet_swaps_the_mount_no_call_fails_and_none_mixes_two_pairs() {
    let mounted = Mounted::new();
    let mount = mounted.directory.path();
    let pair = |turn: usize| json(&format!("AKIA{turn:016}"), &format!("{turn:040}"));
    swap(mount, 0, &pair(0));
    symlink("..data/credentials.json", &mounted.file).unwrap();
    let over = AtomicBool::new(false);
    scope(|scope| {
        scope.spawn(|| {
            for turn in 1.. {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                swap(mount, turn, &pair(turn));
            }
        });
        for _ in 0..300 {
            let output = run(&["--file", mounted.path()]);
            over.store(!output.status.success(), Ordering::Relaxed);
            assert!(output.status.success(), "{}", complaint(&output));
            let printed: Value = serde_json::from_slice(&output.stdout).unwrap();
            let turn = |key: &str, skip: usize| -> usize {
                printed[key].as_str().unwrap()[skip..].parse().unwrap()
            };
            assert_eq!(turn("AccessKeyId", 4), turn("SecretAccessKey", 0));
        }
        over.store(true, Ordering::Relaxed);
    });
}
