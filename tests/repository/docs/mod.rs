//! The documentation: links resolve, names exist, manifests are accepted, commands run, generated parts are up to date,
//! and the prose, that of messages and comments included, has no odd phrase. Also the changelog, the issue forms and the
//! settings of Dependabot.
#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

mod artifact_hub;
mod commands;
mod community;
mod demo;
mod faults;
mod forms;
mod layouts;
mod links;
mod linters;
mod managers;
mod manifests;
mod metrics;
mod names;
mod pages;
mod prose;
mod reference;
mod rights;
mod tables;
mod troubleshooting;
mod versions;
