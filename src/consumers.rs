//! Who still holds a pair that was superseded, when nobody does any more, and which workloads are restarted
//! for it. All of it is pure; `reconcile` reads pods and workloads, and restarts them.

mod again;
mod overlap;
mod pickup;
mod pod;
pub mod restart;
mod verdict;
mod volume;
mod workload;

pub use again::Again;
pub use overlap::{Holder, delivered, forget, holder, is_open, note, since};
pub use pickup::{Pickup, pickup};
pub use pod::Pod;
pub use verdict::{Outlook, judge, unlisted};
pub use workload::{Workload, mark};
