//! What a person, a pipeline or a kubelet calls: [`args`] parses the command line, [`process`] runs the operator,
//! [`check`] and [`api_check`] are the commands for people and pipelines.
//!
//! [`kube_client`], [`kubeconfig`] and `route` reach the API server, [`sts_client`] reaches AWS, [`server`] answers
//! probes and scrapes, [`yaml`] parses manifests and kubeconfigs. [`core_dumps`] and [`panics`] keep key material in the process.

pub mod api_check;
pub mod args;
pub mod check;
pub mod core_dumps;
pub(crate) mod kube_client;
pub(crate) mod kubeconfig;
pub mod panics;
pub mod process;
mod route;
pub mod server;
pub(crate) mod sts_client;
pub(crate) mod yaml;
