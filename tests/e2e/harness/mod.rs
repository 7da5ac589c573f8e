//! What the tests of both suites use: the cluster of a suite, an environment for each test (a namespace with an
//! operator), and the invariants that hold throughout every test.

pub mod actions;
pub mod barrier;
pub mod classes;
pub mod invariants;
pub mod launch;
pub mod replica;
pub mod steps;
pub mod test_cluster;
pub mod test_env;
