//! A verdict as it is printed. Its JSON is documented in docs/check.md and stable. Pure.

use std::fmt::Write;

use serde::Serialize;

use super::wording::in_flags;
use crate::{
    api::Identity,
    cli::args::check::Output,
    domain::{verdict::Finding, words},
};

/// A verdict and its grounds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The verdict on the pair.
    pub verdict: Verdict,
    /// Why, in a word: a reason as in the conditions, `SourceUnreadable` or `ValueIsPlaceholder`.
    pub reason: &'static str,
    /// Why, in a sentence that says what to do.
    pub message: String,
    /// What is unusual or was not checked.
    pub notes: Vec<String>,
    /// The Secret.
    pub secret: Option<String>,
    /// The resource whose rules were applied.
    pub resource: Option<String>,
    /// Its namespace, where it is known.
    pub namespace: Option<String>,
    /// The last four characters of the access key ID, if the values have the form of a pair.
    pub key_id_suffix: Option<String>,
    /// The identity that AWS names for the pair, if any.
    pub identity: Option<Identity>,
    /// The region that was asked.
    pub region: Option<String>,
}

/// A verdict on a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// It may be used.
    Accepted,
    /// It must not be used.
    Rejected,
    /// Nothing can be said.
    Undetermined,
}

impl Verdict {
    /// The exit code.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Accepted => 0,
            Self::Rejected => 1,
            Self::Undetermined => 2,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "REJECTED",
            Self::Undetermined => "undetermined",
        }
    }
}

impl Report {
    /// A report of a verdict and nothing more.
    #[must_use]
    pub fn of(verdict: Verdict, reason: &'static str, message: String) -> Self {
        Self {
            verdict,
            reason,
            message,
            notes: Vec::new(),
            secret: None,
            resource: None,
            namespace: None,
            key_id_suffix: None,
            identity: None,
            region: None,
        }
    }

    /// A report of a finding.
    #[must_use]
    pub fn finding(verdict: Verdict, finding: Finding) -> Self {
        Self::of(verdict, finding.reason.as_str(), finding.message)
    }

    /// The report as it is printed.
    #[must_use]
    pub fn printed(mut self, output: Output) -> String {
        let of_resource = self.resource.is_some();
        let texts = [&mut self.message].into_iter().chain(&mut self.notes);
        texts.for_each(|text| *text = words::foreign(&in_flags(text, of_resource)));
        // A value may have been given in the place of a name.
        let names = [
            &mut self.secret,
            &mut self.resource,
            &mut self.namespace,
            &mut self.region,
        ];
        for name in names.into_iter().flatten() {
            *name = words::foreign(name);
        }
        match output {
            Output::Json => serde_json::to_string(&self).unwrap_or_default() + "\n",
            Output::Text => self.text(),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{}: {}", self.verdict.word(), self.reason);
        if let Some(secret) = &self.secret {
            let _ = write!(text, ", Secret {secret}");
        }
        let _ = writeln!(text, "\n  {}", self.message);
        let identity = self.identity.as_ref();
        let key = self
            .key_id_suffix
            .as_ref()
            .map(|suffix| format!("…{suffix}"));
        let lines = [
            (
                "account",
                identity.map(|identity| identity.account_id.clone()),
            ),
            ("arn", identity.map(|identity| identity.arn.clone())),
            ("key ID", key),
            ("region", self.region.clone()),
        ];
        let lines = lines
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        let notes = self.notes.iter().map(|note| ("note", note.clone()));
        for (name, value) in lines.chain(notes) {
            let _ = writeln!(text, "  {name:<8} {value}");
        }
        text
    }
}
