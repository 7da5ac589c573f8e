//! What is printed of a panic.

use std::panic::{PanicHookInfo, set_hook};

/// Prints of each panic where it was, and not its message: that of a library may quote the request
/// or the answer that the library was given.
pub fn hide_messages() {
    set_hook(Box::new(print));
}

fn print(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let location = location.as_deref().unwrap_or("an unknown place");
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("without a name");
    if tracing::dispatcher::has_been_set() {
        tracing::error!(location, thread, "panicked, which is a bug");
    } else {
        eprintln!("error: panicked at {location}, which is a bug");
    }
}
