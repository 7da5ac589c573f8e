//! What several suites use: Helm with the chart, the built operator with a given account, a cycle of all writes, and a
//! stand-in for STS.

pub mod cycle;
pub mod helm;
pub mod operator;
pub mod sts;
