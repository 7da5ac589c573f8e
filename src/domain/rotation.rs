//! Which pods still hold a previous key pair, when none does any more, and which workloads are restarted for it.
//! All of it is pure; `reconcile` reads pods and workloads, and restarts the workloads.

mod fleet;
mod group;
mod laggard;
mod messages;
mod names;
mod overlap;
mod owner;
mod pod;
mod publication;
mod recheck;
mod reload;
pub mod restart;
mod verdict;
mod volume;
mod workload;

pub use fleet::{Fleets, Pods, is_older};
pub use group::{Key, Keys, Others, Own, Relation, superseded};
pub use laggard::Laggards;
pub use overlap::{OldKeyHolder, forget, holder, is_open, note, propagated_at, since};
pub use pod::Pod;
pub use publication::Publication;
pub use recheck::Recheck;
pub use reload::{ReloadMode, reload_mode};
pub use verdict::{Assessment, judge, judge_again, own, unlisted};
pub use workload::{Workload, restart_annotation_key};

#[cfg(test)]
mod tests;
