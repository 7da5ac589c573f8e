//! Secret values that must not leak, and the search for them in everything that a process wrote.

use std::path::Path;

use aho_corasick::AhoCorasick;
use anyhow::{Context, Result, bail, ensure};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

use crate::control_plane::ControlPlane;

/// The first message in an operator's log.
pub const BEGINNING: &str = "starting";
/// Shorter values occur in texts by chance.
pub const SHORTEST: usize = 12;

/// The forms in which a value may leak: as it is, in base64 at any offset, in hexadecimal, percent-encoded, as a
/// list of bytes.
#[must_use]
pub fn forms(value: &[u8]) -> Vec<String> {
    let each = |form: fn(&u8) -> String| value.iter().map(form).collect::<String>();
    let hex = each(|byte| format!("{byte:02x}"));
    let bytes = format!("{value:?}");
    let mut forms = vec![
        hex.to_uppercase(),
        hex,
        each(|byte| percent(*byte, |byte| format!("%{byte:02X}"))),
        each(|byte| percent(*byte, |byte| format!("%{byte:02x}"))),
        bytes.trim_matches(['[', ']']).to_owned(),
    ];
    for shift in 0..3 {
        forms.push(in_base64(&STANDARD_NO_PAD, value, shift));
        forms.push(in_base64(&URL_SAFE_NO_PAD, value, shift));
    }
    forms.extend(std::str::from_utf8(value).ok().map(str::to_owned));
    forms
}

/// The forms of some values, ready for the search.
pub struct Canaries {
    forms: Vec<String>,
    finder: AhoCorasick,
}

impl Canaries {
    /// These values, in all forms.
    ///
    /// # Errors
    /// If a value is so short that texts contain it by chance.
    pub fn of(secrets: &[impl AsRef<[u8]>]) -> Result<Self> {
        let mut forms = Vec::new();
        for secret in secrets {
            ensure!(secret.as_ref().len() >= SHORTEST, "a secret is too short");
            forms.extend(self::forms(secret.as_ref()));
        }
        let finder = AhoCorasick::new(&forms)?;
        Ok(Self { forms, finder })
    }

    /// Fails if a text contains one of the values.
    ///
    /// # Errors
    /// The error names the form and the text.
    pub fn unshown(&self, what: &str, text: &str) -> Result<()> {
        let found = self.finder.find(text);
        let form = found.and_then(|found| self.forms.get(found.pattern().as_usize()));
        form.map_or(Ok(()), |form| bail!("{what} shows \"{form}\""))
    }

    /// Fails if a log of the operator contains one of the values. `AWSCREDS_LOG` should be `trace`.
    ///
    /// # Errors
    /// As [`Self::unshown`], and if the log cannot be read or no operator wrote it.
    pub fn unlogged(&self, log: &Path) -> Result<()> {
        let what = log.display().to_string();
        let text = std::fs::read(log).with_context(|| format!("cannot read {what}"))?;
        let text = String::from_utf8_lossy(&text);
        ensure!(text.contains(BEGINNING), "no operator began in {what}");
        self.unshown(&what, &text)
    }

    /// Fails if the operator's objects in the cluster, other than targets, contain one of the values.
    ///
    /// # Errors
    /// The error names the form; or the cluster does not answer.
    pub async fn unwritten(&self, cluster: &ControlPlane) -> Result<()> {
        let kinds = "staticawscredentials,events,leases";
        let shown = cluster.kubectl(&["get", kinds, "-A", "-o", "yaml"]).await?;
        ensure!(shown.contains("kind: StaticAwsCredentials"), "{shown}");
        self.unshown("the cluster", &shown)
    }
}

/// Panics where [`Canaries::unlogged`] fails, except while a failing test already panics with its own message.
///
/// # Panics
/// If the log contains one of the secrets, cannot be read, or was not written by an operator.
pub fn assert_unlogged(log: &Path, secrets: &[&str]) {
    let unlogged = Canaries::of(secrets).and_then(|canaries| canaries.unlogged(log));
    if let Err(error) = unlogged
        && !std::thread::panicking()
    {
        panic!("{error:#}");
    }
}

fn percent(byte: u8, coded: impl Fn(u8) -> String) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => coded(byte),
    }
}

/// The characters that depend on the value alone, if `shift` bytes precede it.
fn in_base64(engine: &impl Engine, value: &[u8], shift: usize) -> String {
    let shifted = [&vec![0; shift], value].concat();
    let text = engine.encode(&shifted);
    let end = shifted.len() * 8 / 6;
    let begin = (shift * 8).div_ceil(6);
    text[begin..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUE: &str = "w>Secret?Of/Nobody~";

    #[test]
    fn a_value_is_found_in_every_form() -> Result<()> {
        let canaries = Canaries::of(&[VALUE])?;
        let shown = [
            VALUE,
            "dz5TZWNyZXQ/T2YvTm9ib2R5fg==",
            "dz5TZWNyZXQ_T2YvTm9ib2R5fg==",
            "eHc+U2VjcmV0P09mL05vYm9keX54",
            "eHh3PlNlY3JldD9PZi9Ob2JvZHl+",
            "773e5365637265743f4f662f4e6f626f64797e",
            "773E5365637265743F4F662F4E6F626F64797E",
            "w%3ESecret%3FOf%2FNobody~",
            "w%3eSecret%3fOf%2fNobody~",
            "[119, 62, 83, 101, 99, 114, 101, 116, 63, 79, 102, 47, 78, 111, 98, 111, 100, 121, 126]",
        ];
        for text in shown {
            let result = canaries.unshown("it", &format!("a {text} b"));
            assert!(result.is_err(), "{text}");
        }
        let nothing = "w>Secret?Of/Somebody~ dz5TZWNyZXQ/T2YvU29tZWJvZHl+";
        canaries.unshown("it", nothing)
    }

    #[test]
    fn what_cannot_be_looked_for_is_no_success() -> Result<()> {
        let canaries = Canaries::of(&[VALUE])?;
        let log = tempfile::NamedTempFile::new()?;
        std::fs::write(log.path(), "starting")?;
        canaries.unlogged(log.path())?;
        std::fs::write(log.path(), "nothing")?;
        assert!(canaries.unlogged(log.path()).is_err());
        assert!(canaries.unlogged(Path::new("/nowhere")).is_err());
        assert!(Canaries::of(&["short"]).is_err());
        Ok(())
    }
}
