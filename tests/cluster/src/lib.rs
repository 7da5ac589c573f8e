//! A real Kubernetes control plane and node, and AWS stand-ins, for the tests and the demo.

pub mod proxy;
mod serve;
