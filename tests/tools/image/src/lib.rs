//! The operator's image: a static binary, Mozilla's certificate authorities and the licences, in an OCI archive that
//! is made without a container engine. The same sources and tools give the same bytes.
//!
//! [`built`] and [`built_for`] are for tests that need the image; `cargo image` is for users; [`oci`] writes any image;
//! [`chart()`] makes the chart of a release.

mod audit;
mod build;
mod cargo;
mod chart;
mod licenses;
pub mod oci;
mod origin;
mod page;
mod parts;
mod platform;
pub mod read;
mod sbom;
mod toolchain;
mod trust;
mod verify;

pub use build::{Built, built, built_for};
pub use chart::{Published, chart};
pub use platform::Platform;
pub use trust::roots;
pub use verify::verify;
