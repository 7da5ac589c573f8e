//! What goes on, for those who wait for the table.

/// One line, beside what is printed at the end.
pub fn say(what: &str) {
    eprintln!("  {what}");
}
