//! The files of the repository, and the image: sources, definition, chart, documents and workflows, each against the code
//! and the tools that read it. Commands of the documents, and rights, are tried on a control plane.

#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "../support/exposition.rs"]
mod exposition;

#[allow(
    dead_code,
    clippy::indexing_slicing,
    reason = "each test uses a part of it, and a key that a JSON value lacks reads as null"
)]
#[path = "../support/schema/mod.rs"]
mod schema;

mod architecture;
mod chart;
mod crds;
mod docs;
mod image_archive;
mod rbac;
mod workflow;
