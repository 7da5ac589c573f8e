//! What is decided, and what it is decided about: no client, no clock, no task, no randomness.
//!
//! - [`mod@reconcile`] is one reconcile as a state machine without effects, with what is kept between two reconciles of
//!   a resource. [`decide`] names its next step. [`conditions`] and [`verdict`] are what it reports.
//! - [`resource`] is one resource, validated, and [`class`] the store that it names. [`index`] maps Secrets to the resources that reference them.
//! - [`place`] is where a pair is proven: AWS STS in a region, or the store of a class.
//! - [`mod@format`], [`account`], [`arn`], [`region`], [`duration`] and [`uid`] check text offline. [`pair`] is the only type with key
//!   material, and [`fingerprint`] what is kept of a pair.
//! - [`layout`] and [`target`] are what is published. [`managers`] recognizes Secrets that another tool manages, which
//!   are never adopted; [`policy`] names the admission policies.
//! - [`rotation`] finds the pods that still hold the previous pair after a rotation, and the workloads to restart.
//! - [`fair_queue`] gives each namespace a share. [`words`] bounds the texts of others, and takes key material out.

pub mod account;
pub mod arn;
pub mod class;
pub mod conditions;
pub mod credentials_file;
pub mod decide;
pub(crate) mod duration;
pub(crate) mod fair_queue;
pub mod fingerprint;
pub mod format;
pub mod index;
pub mod layout;
pub(crate) mod lock;
pub mod managers;
pub mod pair;
pub mod place;
pub mod policy;
pub mod reconcile;
pub mod region;
pub mod resource;
pub(crate) mod rotation;
pub mod target;
pub(crate) mod uid;
pub mod verdict;
pub(crate) mod words;
