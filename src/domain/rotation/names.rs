//! Lists of names in messages.

/// The most names that a message or a status has.
pub(super) const MAX_NAMED: usize = 10;

/// The first 10 names, and the number of the others.
pub(super) fn join_names(names: &[String], count: usize) -> String {
    let shown = names.get(..MAX_NAMED).unwrap_or(names);
    let text = shown.join(", ");
    match count.checked_sub(shown.len()) {
        Some(more) if more > 0 => format!("{text} and {more} more"),
        _ => text,
    }
}
