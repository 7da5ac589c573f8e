//! The user's key pairs: from profiles of the AWS files, or from standard input. The demo keeps them in memory,
//! writes them into its Secrets and, with `--bucket`, into a private directory with the target's files. They are
//! never printed.

use std::{
    io::{BufRead, IsTerminal, Write},
    path::PathBuf,
    sync::OnceLock,
};

use anyhow::{Context, Result, bail, ensure};
use cluster::moto::KeyPair;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::args::Args;

/// Reads one or two pairs. Blocks, while a person types.
pub(crate) fn read(args: &Args) -> Result<Vec<KeyPair>> {
    let profiles = &args.profile;
    ensure!(profiles.len() <= 2, "--profile can be given twice at most");
    let stdin = std::io::stdin();
    if args.hold.is_some() {
        from_lines(stdin.lock().lines().take_while(is_no_end))
    } else if !profiles.is_empty() {
        profiles.iter().map(|name| of_profile(name)).collect()
    } else if stdin.is_terminal() {
        Ok(vec![ask()?])
    } else {
        from_lines(stdin.lock().lines())
    }
}

/// The input of [`read`] in the holder, ended by an empty line.
pub(crate) fn to_lines(pairs: &[KeyPair]) -> String {
    let lines = pairs
        .iter()
        .map(|pair| format!("{}\n{}\n", pair.id, pair.secret));
    lines.chain(["\n".to_owned()]).collect()
}

fn is_no_end(line: &std::io::Result<String>) -> bool {
    line.as_ref().is_ok_and(|line| !line.is_empty())
}

fn from_lines(input: impl Iterator<Item = std::io::Result<String>>) -> Result<Vec<KeyPair>> {
    let mut lines = Vec::new();
    for line in input {
        let line = line.context("cannot read the pair from standard input")?;
        lines.extend((!line.is_empty()).then_some(line));
    }
    ensure!(
        lines.len() == 2 || lines.len() == 4,
        "standard input must hold an access key ID and a secret access key, each on a line of its own, \
         and perhaps a second pair; it held {} lines",
        lines.len()
    );
    let mut lines = lines.into_iter();
    let mut pairs = Vec::new();
    while let (Some(id), Some(secret)) = (lines.next(), lines.next()) {
        pairs.push(KeyPair { id, secret });
    }
    Ok(pairs)
}

fn ask() -> Result<KeyPair> {
    let id = prompt("Access key ID: ")?;
    hide_typing();
    let secret = prompt("Secret access key (it is not shown): ");
    show_typing();
    println!();
    Ok(KeyPair {
        id,
        secret: secret?,
    })
}

fn prompt(text: &str) -> Result<String> {
    print!("{text}");
    std::io::stdout().flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    let line = line.trim_end_matches(['\r', '\n']).to_owned();
    ensure!(!line.is_empty(), "nothing was given");
    Ok(line)
}

static BEFORE: OnceLock<Termios> = OnceLock::new();

fn hide_typing() {
    let stdin = std::io::stdin();
    if let Ok(before) = tcgetattr(&stdin) {
        let mut modes = BEFORE.get_or_init(|| before).clone();
        modes.local_modes.remove(LocalModes::ECHO);
        let _ = tcsetattr(&stdin, OptionalActions::Flush, &modes);
    }
}

/// Also called after an interruption, since nothing else restores the terminal.
pub(crate) fn show_typing() {
    if let Some(before) = BEFORE.get() {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, before);
    }
}

/// A pair from the credentials file, or from the config file, found as the AWS tools find it.
fn of_profile(name: &str) -> Result<KeyPair> {
    let home = std::env::home_dir().context("HOME is not set")?;
    let place = |variable: &str, usual: &str| -> PathBuf {
        let given = std::env::var_os(variable).map(PathBuf::from);
        given.unwrap_or_else(|| home.join(usual))
    };
    let in_config = if name == "default" {
        name.to_owned()
    } else {
        format!("profile {name}")
    };
    let places = [
        (
            place("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
            name,
        ),
        (place("AWS_CONFIG_FILE", ".aws/config"), in_config.as_str()),
    ];
    for (path, section) in &places {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if let Some(pair) = in_file(&text, section)? {
            return Ok(pair);
        }
    }
    let [credentials, config] = places.map(|(path, _)| path.display().to_string());
    bail!(
        "profile {name} has no access key in {credentials} or {config}: the operator proves long-term \
         key pairs, so a profile with a role, SSO or a process is of no use here"
    )
}

fn in_file(text: &str, section: &str) -> Result<Option<KeyPair>> {
    let (mut id, mut secret, mut inside) = (None, None, false);
    for line in text.lines() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.split(']').next().unwrap_or_default();
            inside = header.split_whitespace().eq(section.split_whitespace());
        } else if let (true, Some((key, value))) = (inside, line.split_once('=')) {
            match key.trim() {
                "aws_access_key_id" => id = Some(value.trim().to_owned()),
                "aws_secret_access_key" => secret = Some(value.trim().to_owned()),
                "aws_session_token" => bail!(
                    "profile {section} holds temporary credentials; the operator proves the long-term \
                     access key of an IAM user"
                ),
                _ => {}
            }
        }
    }
    Ok(id.zip(secret).map(|(id, secret)| KeyPair { id, secret }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pairs: &[KeyPair]) -> Vec<(&str, &str)> {
        let both = |pair: &KeyPair| (pair.id.clone(), pair.secret.clone());
        assert!(
            pairs
                .iter()
                .all(|pair| !format!("{pair:?}").contains(&both(pair).1))
        );
        let pairs = pairs.iter();
        pairs
            .map(|pair| (pair.id.as_str(), pair.secret.as_str()))
            .collect()
    }

    fn read(text: &'static str) -> Result<Vec<KeyPair>> {
        from_lines(text.as_bytes().lines())
    }

    #[test]
    fn standard_input_holds_one_pair_or_two() {
        let one = read("ID1\nsecret=1\n").unwrap();
        assert_eq!(shown(&one), [("ID1", "secret=1")]);
        let two = read("ID1\r\nsecret1\r\n\nID2\nsecret2").unwrap();
        assert_eq!(shown(&two), [("ID1", "secret1"), ("ID2", "secret2")]);
        for wrong in ["", "ID1", "ID1\nsecret1\nID2\n"] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(!error.contains("secret1"), "{error}");
        }
    }

    #[test]
    fn a_profile_is_found_among_others_in_both_files() {
        let credentials = "# mine\n[default]\naws_access_key_id=A\naws_secret_access_key = a=/+\n\n\
                           [work]\naws_secret_access_key = b\nregion = x\naws_access_key_id = B\n";
        let config = "[profile  work]\naws_access_key_id = C\naws_secret_access_key = c\n[profile role]\nrole_arn = r\n";
        let found = |text, section| {
            let pair = in_file(text, section).unwrap();
            pair.map(|pair| (pair.id, pair.secret))
        };
        let pair = |id: &str, secret: &str| Some((id.to_owned(), secret.to_owned()));
        assert_eq!(found(credentials, "default"), pair("A", "a=/+"));
        assert_eq!(found(credentials, "work"), pair("B", "b"));
        assert_eq!(found(config, "profile work"), pair("C", "c"));
        assert_eq!(found(config, "profile role"), None);
        assert_eq!(found(config, "work"), None);
    }

    #[test]
    fn temporary_credentials_are_of_no_use() {
        let text = "[default]\naws_access_key_id=A\naws_secret_access_key=a\naws_session_token=t\n";
        let error = in_file(text, "default").unwrap_err().to_string();
        assert!(error.contains("temporary"), "{error}");
    }
}
