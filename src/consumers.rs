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

pub use again::Again;
pub use fleet::{Fleets, Pods, is_older};
pub use group::{Key, Keys, Others, Own, Standing, superseded};
pub use laggard::Laggards;
pub use overlap::{Holder, delivered, forget, holder, is_open, note, since};
pub use pickup::{Pickup, pickup};
pub use pod::Pod;
pub use verdict::{Outlook, judge, judge_again, own, unlisted};
pub use workload::{Workload, mark};
