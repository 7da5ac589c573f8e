//! A real Kubernetes control plane and node, and AWS stand-ins, for the tests and the demo.

pub mod canary;
mod http_client;
pub mod moto;
pub mod proxy;
mod python;
pub mod s3client;
pub mod schemas;
mod serve;
pub mod sts;

pub mod binaries;
pub mod certs;
pub mod chart;
pub mod component;
pub mod control_plane;
pub mod egress;
pub mod kubeconfig;
pub mod leash;
mod network;
pub mod node;
pub mod ports;
mod remains;
pub mod slot;
pub mod tools;
