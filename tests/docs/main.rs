//! The documentation: links lead somewhere, names exist, manifests are taken, commands run, and what is
//! written from the code is fresh.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "../support/schema/definition.rs"]
mod definition;

#[allow(dead_code, reason = "each test uses a part of it")]
#[path = "../support/exposition.rs"]
mod exposition;

mod commands;
mod faults;
mod links;
mod managers;
mod manifests;
mod metrics;
mod names;
mod pages;
mod reference;
mod rights;
mod tables;
mod troubleshooting;
