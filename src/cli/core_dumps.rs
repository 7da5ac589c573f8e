//! A process that holds key material leaves none of its memory on a disk.

use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};

/// From now on a crash leaves no core dump, and only a process with rights over the whole machine reads the
/// memory of this one.
///
/// # Errors
/// The system does not allow it.
pub fn forbid() -> std::io::Result<()> {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, none)?;
    // A limit of zero does not hold where the system pipes core dumps to a program.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}
