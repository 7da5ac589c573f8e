//! The StaticAwsCredentials operator: it proves the AWS key pair in one Secret and publishes it to another.
//!
//! - [`api`] holds the types that users write and read; [`resource`] is one resource, validated.
//! - [`watch`] feeds the [`index`], which maps Secrets to the resources that reference them, and the [`store`], where
//!   each resource is kept [`compressed`]. Secrets are watched by their metadata alone ([`partial_meta`]). The [`queue`]
//!   orders the resources that are due, and the [`controller`] starts a reconcile for each.
//! - [`reconcile`] is a loop of 3 verbs: [`observe`] reads, [`decide`] is pure and names the next step, [`act`] writes.
//!   [`conditions`], [`events`] and [`metrics`] report the outcome. Lists are decoded by [`pages`].
//! - [`mod@format`], [`account`], [`arn`] and [`region`] check a pair offline; [`sts`] asks AWS, with [`fair`] shares of
//!   its rate for each namespace. [`verdict`] is the outcome, [`pair`] the only type with key material;
//!   [`fingerprint`] and [`runtime_state`] are what is kept of a pair. [`layout`] and [`target`] are what is published.
//! - [`managers`] recognizes Secrets that another tool manages, which are never adopted.
//! - [`words`] bounds texts of the API server and of others, and takes key material out of them.
//! - After a rotation [`consumers`] finds the pods that still hold the previous pair, and the workloads to restart.
//! - With several replicas [`leader`] elects the one that acts; [`standby`] keeps the others warm.
//! - [`args`], [`kubeconfig`], [`process`], [`health`], [`server`], [`telemetry`], [`core_dumps`] and [`panics`] are the
//!   process; [`check`] and [`api_check`] the commands for people and pipelines; [`yaml`] parses manifests and
//!   kubeconfigs.

pub mod account;
pub mod act;
pub mod api;
pub mod api_check;
pub mod args;
pub mod arn;
pub mod check;
pub mod compressed;
pub mod conditions;
pub mod consumers;
pub mod context;
pub mod controller;
pub mod core_dumps;
pub mod decide;
pub mod error;
pub mod events;
pub mod fair;
pub mod fingerprint;
pub mod format;
pub mod guards;
pub mod health;
pub mod index;
pub mod kubeconfig;
pub mod layout;
pub mod leader;
mod lock;
pub mod managers;
pub mod metrics;
pub mod observe;
pub mod pages;
pub mod pair;
pub mod panics;
pub mod partial_meta;
pub mod process;
pub mod queue;
pub mod reconcile;
pub mod region;
pub mod resource;
pub mod runtime_state;
pub mod scopes;
pub mod server;
pub mod standby;
pub mod store;
pub mod sts;
pub mod target;
pub mod telemetry;
pub mod uid;
pub mod verdict;
pub mod watch;
pub mod words;
pub mod yaml;
