//! Everything that waits: for the API server, for a timer, for AWS.
//!
//! - [`watch`] feeds the index, and the [`store`], where each resource is kept [`compressed`]. Secrets are watched by
//!   their metadata alone ([`partial_meta`]). The [`queue`] orders the resources that are due, and the [`controller`]
//!   starts a reconcile for each.
//! - [`reconcile`] performs the effects that [`domain::reconcile`](crate::domain::reconcile) names: [`observe`] reads,
//!   [`act`] writes, [`events`] reports; lists are decoded by [`pages`]. A [`pending_verification`] is a request to STS
//!   that outlives its reconcile.
//! - Nothing of a pair is left behind: [`stack`] overwrites the frames of what used the pair.
//! - [`classes`] are the stores that resources may name, each read as a [`watched_class`], and [`provers`] asks them, or AWS.
//! - [`scopes`] are the namespaces that are served. [`context`] is what the reconciles of one scope share.
//! - With several replicas [`leader`] elects the one that acts; [`standby`] keeps the others warm. [`guards`] looks
//!   whether the admission policies stand.

pub(crate) mod act;
pub mod classes;
pub(crate) mod compressed;
pub mod context;
pub mod controller;
pub mod events;
pub mod guards;
pub mod leader;
pub(crate) mod observe;
pub(crate) mod pages;
pub(crate) mod partial_meta;
pub(crate) mod pending_verification;
pub mod provers;
pub mod queue;
pub(crate) mod reconcile;
pub mod scopes;
pub(crate) mod stack;
pub(crate) mod standby;
pub mod store;
pub(crate) mod watch;
pub(crate) mod watched_class;

#[cfg(test)]
mod tests;
