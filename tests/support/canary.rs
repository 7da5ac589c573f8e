//! A pair whose secret is looked for in what a process wrote, at the end of a test.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

/// Fails if the log holds one of the secrets, as it is, in base64, or in hexadecimal. A test that fails
/// already keeps its own words.
pub fn assert_unlogged(log: &Path, secrets: &[&str]) {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let holds = |secret: &&str| {
        let hex = { secret.bytes() }.fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let forms = [(*secret).to_owned(), STANDARD_NO_PAD.encode(secret), hex];
        forms.iter().any(|form| text.contains(form))
    };
    if !std::thread::panicking() {
        assert!(!text.is_empty(), "nothing was logged");
        assert!(
            !secrets.iter().any(holds),
            "a secret stands in {}",
            log.display()
        );
    }
}
