//! The StaticAwsCredentials operator: it proves the AWS key pair in one Secret and publishes it to another.
//!
//! - [`api`] is what users write and read; [`resource`] is the same, parsed once.
//! - [`watch`] feeds the [`index`], which knows what each resource cares about, and the [`store`], where a
//!   resource rests [`packed`]; where only the metadata matter, a [`glimpse`] is enough. The [`queue`] knows
//!   whose turn it is, and [`controller`] makes runs of it.
//! - A run ([`reconcile`]) is three verbs: [`observe`] reads, [`decide`] is pure and names the next step,
//!   [`act`] writes. [`conditions`], [`events`] and [`metrics`] tell of it. Lists are decoded by [`pages`].
//! - What is wrong with a pair: [`mod@format`], [`account`], [`arn`], [`region`]; what AWS says of it: [`sts`], whose
//!   calls [`fair`] hands out in turn. [`verdict`] is the outcome, [`pair`] the only holder of key material,
//!   [`fingerprint`] and [`remembered`] what is kept of one. [`layout`] and [`target`] are what is published.
//! - [`managers`] recognizes what another tool manages, which is never taken over.
//! - [`words`] bounds texts of the API server and of others, and takes key material out of them.
//! - After a rotation [`consumers`] says who still holds the superseded pair.
//! - Of several replicas [`leader`] says who acts; [`standby`] keeps the others warm.
//! - [`args`], [`kubeconfig`], [`process`], [`health`], [`server`], [`telemetry`], [`core_dumps`] and [`panics`] are the
//!   process; [`check`] and [`api_check`] the commands for people and pipelines; [`yaml`] is what manifests and
//!   kubeconfigs are written in.

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
