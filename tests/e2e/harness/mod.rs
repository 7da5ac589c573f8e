//! What the tests share: the cluster of a suite, a namespace with an operator for each test, and the invariants that hold
//! at each moment of each test.

pub mod actions;
pub mod barrier;
pub mod invariants;
pub mod launch;
pub mod replica;
pub mod steps;
pub mod test_cluster;
pub mod test_env;
