//! A world in memory that performs the effects of the shipped reconcile: an API server, AWS, a clock, and processes that
//! start and end. No client, no waiting.

mod aws;
mod build;
mod faults;
mod process;
mod rules;
mod run;
mod store;
mod view;
mod world;

pub use aws::{Asked, Aws};
pub use build::{
    DEFAULT_ACCOUNT, Pair, SOURCE, TARGET, alpha, arn_of, beta, data, foreign_account, resource,
    root, secret, universe,
};
pub use process::Process;
pub use store::{Event, FIRST_VERSION, NAMESPACE, Store};
pub use world::World;
