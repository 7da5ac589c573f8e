//! The helper shares no code with the operator: its file, its name and the bounds of its TTL are constants of both.

#[path = "../../../bin/credential-process/src/command.rs"]
mod command;

use std::ffi::OsString;

use crate::domain::layout::{DEFAULT_TTL, LEAST_TTL, LONGEST_TTL, file::process_config};
use command::{Command, Refused, parse};

/// The command of the config file, as an SDK passes it to a shell.
fn by_config(ttl: u32) -> Result<Command, Refused> {
    let config = process_config(None, ttl);
    let config = std::str::from_utf8(config.expose_secret()).unwrap();
    let (_, command) = config.split_once("credential_process = ").unwrap();
    parse(["sh", "-c", command].map(OsString::from))
}

#[test]
fn the_config_names_the_file_and_the_ttl_that_the_helper_has_by_default() {
    let by_default = parse(["credential-process"].map(OsString::from));
    assert_eq!(by_config(DEFAULT_TTL).unwrap(), by_default.unwrap());
}

#[test]
fn the_helper_takes_each_ttl_of_the_operator_and_no_other() {
    for ttl in [1, LEAST_TTL, DEFAULT_TTL, LONGEST_TTL] {
        assert!(by_config(ttl).is_ok(), "{ttl}");
    }
    for ttl in [0, LONGEST_TTL + 1] {
        assert!(by_config(ttl).is_err(), "{ttl}");
    }
}
