//! A real Kubernetes control plane and node, and AWS stand-ins, for the tests and the demo.

mod http_client;
mod http_server;
pub mod leak_check;
pub mod moto;
pub mod proxy;
mod python;
pub mod s3client;
pub mod schemas;
mod signature;
pub mod stores;
pub mod sts;

pub mod binaries;
pub mod certs;
pub mod chart;
pub mod child_process;
mod cleanup;
pub mod component;
pub mod control_plane;
pub mod egress;
pub mod host_allocation;
pub mod kubeconfig;
pub mod kubectl;
mod network;
pub mod node;
pub mod ports;
pub mod shipped;
pub mod tools;

pub use debian::cache;

#[cfg(test)]
mod tests;
