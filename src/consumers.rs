//! Who still holds a pair that was superseded, and when nobody does any more. All of it is pure; the
//! pods are listed by `reconcile`.

mod overlap;
mod pickup;
mod pod;

pub use overlap::{
    Again, Holder, Outlook, delivered, forget, holder, is_open, judge, note, unlisted,
};
pub use pickup::{Pickup, pickup};
pub use pod::Pod;
