//! The rules of the lease, without a client: the next step of a replica, given the lease that it last observed.
//!
//! Clocks of machines differ, so the times that are written in a lease are not compared. A holder is
//! considered dead when the lease has not changed for its duration, by the clock of the observer.

use std::time::Duration;

use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta},
    jiff::Timestamp,
};
use tokio::time::Instant;

/// A lease that has not changed for this long is free.
pub const LEASE_DURATION: Duration = Duration::from_secs(15);
/// A holder that could not renew for this long stops leading, well before another replica may lead.
pub const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// How often the holder renews the lease, and the other replicas read it.
pub const RETRY_PERIOD: Duration = Duration::from_secs(2);
/// The cap on the duration in another writer's lease: a typing error must not stop all replicas.
const MAX_LEASE_DURATION: Duration = Duration::from_mins(1);

/// The lease as last observed, and since when it has not changed.
#[derive(Clone, Debug)]
pub struct Observed {
    lease: Lease,
    since: Instant,
}

/// The next step of a replica.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Replace the lease, if it still has the `resourceVersion` of this object.
    Write(Box<Lease>),
    /// Another replica holds the lease.
    Wait,
}

impl Observed {
    /// The state after the lease was observed again.
    #[must_use]
    pub fn after(before: Option<Self>, lease: Lease, now: Instant) -> Self {
        let unchanged = |before: &Self| {
            before.lease.metadata.resource_version == lease.metadata.resource_version
                && before.lease.metadata.uid == lease.metadata.uid
        };
        let since = before.filter(unchanged).map_or(now, |before| before.since);
        Self { lease, since }
    }

    /// Whether `identity` is the holder that is written in the lease.
    #[must_use]
    pub fn is_held_by(&self, identity: &str) -> bool {
        self.holder() == Some(identity)
    }

    /// The holder that is written in the lease.
    #[must_use]
    pub fn holder(&self) -> Option<&str> {
        let holder = self.spec()?.holder_identity.as_deref()?;
        (!holder.is_empty()).then_some(holder)
    }

    fn spec(&self) -> Option<&LeaseSpec> {
        self.lease.spec.as_ref()
    }

    fn is_free(&self, now: Instant) -> bool {
        let seconds = self.spec().and_then(|spec| spec.lease_duration_seconds);
        let seconds = seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let duration = seconds
            .map_or(LEASE_DURATION, Duration::from_secs)
            .min(MAX_LEASE_DURATION);
        self.holder().is_none() || now.saturating_duration_since(self.since) >= duration
    }

    /// The next step of this replica.
    #[must_use]
    pub fn next(&self, identity: &str, now: Instant, wall: Timestamp) -> Step {
        let spec = self.spec().cloned().unwrap_or_default();
        let renewed = if self.is_held_by(identity) {
            LeaseSpec {
                renew_time: Some(MicroTime(wall)),
                lease_duration_seconds: Some(seconds(LEASE_DURATION)),
                ..spec
            }
        } else if self.is_free(now) {
            acquired_spec(
                identity,
                spec.lease_transitions.unwrap_or(0).saturating_add(1),
                wall,
            )
        } else {
            return Step::Wait;
        };
        Step::Write(Box::new(self.replaced_by(renewed)))
    }

    /// The lease without a holder: the next replica that reads it acquires it at once.
    #[must_use]
    pub fn released(&self, wall: Timestamp) -> Lease {
        self.replaced_by(LeaseSpec {
            lease_duration_seconds: Some(1),
            renew_time: Some(MicroTime(wall)),
            lease_transitions: self.spec().and_then(|spec| spec.lease_transitions),
            ..LeaseSpec::default()
        })
    }

    fn replaced_by(&self, spec: LeaseSpec) -> Lease {
        Lease {
            metadata: ObjectMeta {
                managed_fields: None,
                ..self.lease.metadata.clone()
            },
            spec: Some(spec),
        }
    }
}

/// A new lease that is held by `identity`, to be created.
#[must_use]
pub fn first(name: &str, identity: &str, wall: Timestamp) -> Lease {
    Lease {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        spec: Some(acquired_spec(identity, 0, wall)),
    }
}

fn acquired_spec(identity: &str, transitions: i32, wall: Timestamp) -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(identity.to_owned()),
        lease_duration_seconds: Some(seconds(LEASE_DURATION)),
        acquire_time: Some(MicroTime(wall)),
        renew_time: Some(MicroTime(wall)),
        lease_transitions: Some(transitions),
        ..LeaseSpec::default()
    }
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests;
