//! What several suites use: Helm with the chart, the built operator with a given account, a cycle of all writes, a stand-in
//! for STS, and what an older Kubernetes lacks.

pub mod cycle;
pub mod helm;
pub mod operator;
pub mod sts;
pub mod version;
