//! The operator's image: a static binary, Mozilla's certificate authorities and the licences, in an OCI archive that
//! is made without a container engine. The same sources and tools give the same bytes.
//!
//! [`built`] is for tests that need the image; `cargo image` is for users; [`oci`] writes any image; [`chart()`] makes
//! the chart of a release.

mod audit;
mod build;
mod cargo;
mod chart;
mod licenses;
pub mod oci;
mod origin;
mod page;
mod parts;
pub mod read;
mod sbom;
mod trust;
mod verify;

pub use build::{Built, built};
pub use chart::{Published, chart};
pub use trust::roots;
pub use verify::verify;
