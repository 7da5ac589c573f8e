//! Progress messages, until the table is printed.

/// Prints one line to standard error.
pub fn say(what: &str) {
    eprintln!("  {what}");
}
