//! The StaticAwsCredentials operator: it proves the AWS key pair in one Secret and publishes it to another.
//!
//! Layers, each of which imports only those before it:
//!
//! 1. [`api`]: the types that users write and read, and nothing that acts on them.
//! 2. [`domain`]: everything that is decided, pure.
//! 3. [`sts`]: AWS behind one small trait.
//! 4. [`s3`]: S3-compatible stores behind the same trait.
//! 5. [`ops`]: metrics, health, logs.
//! 6. [`runtime`]: everything that waits; a reconcile is observe, decide, act.
//! 7. [`cli`]: the process and the commands.
//!
//! [`error`] is what may go wrong in a reconcile.
//!
//! Public is what the program and the tests outside of the crate use.
#![allow(
    rustdoc::private_intra_doc_links,
    reason = "the crate is read with its private items: cargo doc --document-private-items"
)]

pub mod api;
pub mod cli;
pub mod domain;
pub mod error;
pub mod ops;
pub mod runtime;
pub mod s3;
pub mod sts;
