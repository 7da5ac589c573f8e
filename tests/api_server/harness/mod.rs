//! What several suites share.

pub mod cycle;
pub mod helm;
pub mod operator;
