//! What several suites use: Helm with the chart, the built operator with a given account, and a cycle of all writes.

pub mod cycle;
pub mod helm;
pub mod operator;
