//! Streams of YAML or JSON documents.

use serde_json::Value;

/// The documents of a text.
///
/// # Errors
/// A sentence that names the line alone: the parser's own error shows the lines around it, and these may
/// hold a key or a token.
pub fn documents(text: &str) -> Result<Vec<Value>, String> {
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    serde_saphyr::from_multiple(text).map_err(|error| {
        let location = error
            .location()
            .map(|at| format!(" from line {} on", at.line()));
        format!(
            "it is not valid YAML or JSON{}",
            location.unwrap_or_default()
        )
    })
}
