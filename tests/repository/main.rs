//! Tests of the files in the repository, by the code and the tools that read them, and of the image that is built from
//! them:
//!
//! - `architecture`: which names and modules a source file may use, and how long files and functions may be.
//! - `chart`, `rbac`: the chart, rendered and checked by tools; the rights that it grants, on a control plane.
//! - `crds`: the generated definition.
//! - `docs`: links, names, tables and manifests in the documents; documented commands, on a control plane.
//! - `image_archive`: the files of the image, without running it.
//! - `workflow`: the release workflow.

#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "../support/exposition.rs"]
mod exposition;

#[path = "../support/registry.rs"]
mod registry;

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
