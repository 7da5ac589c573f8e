//! Who still holds a pair that was superseded, when nobody does any more, and which workloads are restarted
//! for it. All of it is pure; `reconcile` reads pods and workloads, and restarts them.

mod again;
mod fleet;
mod group;
mod laggard;
mod overlap;
mod owner;
mod pickup;
mod pod;
pub mod restart;
mod said;
mod verdict;
mod volume;
mod workload;

pub use again::Recheck;
pub use fleet::{Fleets, Pods, is_older};
pub use group::{Key, Keys, Others, Own, Standing, superseded};
pub use laggard::Laggards;
pub use overlap::{OldKeyHolder, forget, holder, is_open, note, propagated_at, since};
pub use pickup::{ReloadMode, reload_mode};
pub use pod::Pod;
pub use verdict::{Assessment, judge, judge_again, own, unlisted};
pub use workload::{Workload, restart_annotation_key};
