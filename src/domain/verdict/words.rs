//! Messages for the answers about a pair. The texts of the servers are not repeated, since they may echo the signed
//! request.

use std::time::Duration;

use super::{Answer, Control, Finding};
use crate::{
    api::Reason,
    domain::place::{Place, Store},
};

/// A rejection, with the place that was asked and other possible causes.
#[must_use]
pub fn refused(answer: &Answer, place: &Place) -> Finding {
    let (reason, what) = match (answer, place) {
        (Answer::SignatureMismatch, _) => (
            Reason::SignatureMismatch,
            "knows the access key ID, but the secret access key does not belong to it; copy both halves of one pair again",
        ),
        (Answer::Expired, Place::Sts(_)) => (
            Reason::CredentialsExpired,
            "says that the credentials have expired; create a new access key for the IAM user",
        ),
        (Answer::Expired, Place::Store(_)) => (
            Reason::CredentialsExpired,
            "says that the credentials have expired; create a new access key in the store",
        ),
        (_, Place::Sts(_)) => (
            Reason::AccessKeyUnknown,
            "does not know the access key ID: the key was deactivated or deleted, belongs to another partition, or the account has not enabled this region; check the key in IAM and spec.region",
        ),
        (_, Place::Store(_)) => (
            Reason::AccessKeyUnknown,
            "does not know the access key ID: the key was deactivated or deleted, or belongs to another store; check the key in the store and spec.classRef",
        ),
    };
    Finding::new(reason, format!("{place} {what}"))
}

/// A new pair that is not known yet.
#[must_use]
pub fn settling(place: &Place, confirmation: Duration) -> Finding {
    let message = match place {
        Place::Sts(_) => format!(
            "{place} does not know the access key ID yet; a new key takes some seconds, and AWS is asked again for a minute"
        ),
        Place::Store(_) => format!(
            "{place} does not accept the pair yet; a new pair may take a while, and the store is asked again for {} s, as the class says",
            confirmation.as_secs()
        ),
    };
    Finding::new(Reason::Settling, message)
}

/// A new pair that comes after others that were rejected.
#[must_use]
pub fn refused_before(place: &Place) -> Finding {
    Finding::new(
        Reason::Settling,
        format!(
            "{place} rejected the last pairs of this source, one after another; this pair is checked after a pause of up to 5 minutes; find out who changes the source repeatedly"
        ),
    )
}

/// A first rejection of a published pair.
#[must_use]
pub fn unconfirmed(refusal: &Finding, place: &Place, after: Duration) -> Finding {
    let message = format!(
        "{}; {} is asked again after {} s, before this rejection counts",
        refusal.message,
        asked(place),
        after.as_secs()
    );
    Finding::new(Reason::RejectionUnconfirmed, message)
}

/// A wrong signature for a pair that was proven before.
#[must_use]
pub fn altered(place: &Place) -> Finding {
    Finding::new(
        Reason::StsRequestAltered,
        format!(
            "{place} reports a wrong signature, though this pair was proven before and IAM never changes the secret of an access key: something between the operator and STS changes requests; look for a proxy or gateway that rewrites the Host header, other headers or the body; AWS is asked again"
        ),
    )
}

/// A rejection while no other pair is accepted either.
#[must_use]
pub fn mass_rejection(control: Control, place: &Place) -> Finding {
    let others = if control == Control::Refused {
        "refuses other published pairs too, which it accepted before"
    } else {
        "gives no answer about other published pairs"
    };
    let cause = match place {
        Place::Sts(_) => "STS or the network",
        Place::Store(_) => "the store or the network",
    };
    Finding::new(
        Reason::MassRejection,
        format!(
            "{place} refuses the pair and {others}; that points to {cause}, not to the key, so the refusal does not count; {} is asked again",
            asked(place)
        ),
    )
}

/// A rejection that counts, and keeps the target.
#[must_use]
pub fn uncontrolled(refusal: &Finding) -> Finding {
    let message = format!(
        "{}; spec.validation.onRejected is Withdraw, but the target is kept: no other account or namespace has a published pair that could show whether this endpoint rejects every pair",
        refusal.message
    );
    Finding::new(refusal.reason, message)
}

/// An identity of another account than the one that the access key ID encodes.
#[must_use]
pub fn other_account(named: &str, encoded: &str, region: &str) -> Finding {
    Finding::new(
        Reason::StsUnexpectedResponse,
        format!(
            "AWS STS in {region} names account {named}, and the access key ID is one of account {encoded}; check what stands between the operator and STS; it is asked again"
        ),
    )
}

/// An expiry reported by AWS, whose access keys do not expire.
#[must_use]
pub fn never_expires(place: &Place) -> Finding {
    Finding::new(
        Reason::StsUnexpectedResponse,
        format!(
            "{place} says that the credentials have expired, which access keys of AWS never do; check what stands between the operator and STS; it is asked again"
        ),
    )
}

/// A rejection that the partition's default region does not share.
#[must_use]
pub fn region_differs(default_region: &str) -> Finding {
    Finding::new(
        Reason::RegionDisabled,
        format!(
            "AWS STS rejects the pair in spec.region, but not in {default_region}; enable the region for the account or choose another"
        ),
    )
}

/// The partition's default region gives no verdict on a pair that spec.region rejects.
#[must_use]
pub fn not_asked(reason: Reason, default_region: &str, place: &Place, proxied: bool) -> Finding {
    let said = undetermined(reason, place, proxied).message;
    Finding::new(
        reason,
        format!(
            "AWS STS refuses the pair in spec.region; the target is deleted only if {default_region} refuses it too, and {said}"
        ),
    )
}

/// An answer that says nothing about the pair.
#[must_use]
pub fn undetermined(reason: Reason, place: &Place, proxied: bool) -> Finding {
    let what = match place {
        Place::Sts(_) => of_sts(reason, proxied).to_owned(),
        Place::Store(store) => of_store(reason, store),
    };
    Finding::new(reason, format!("{place} {what}"))
}

fn of_sts(reason: Reason, proxied: bool) -> &'static str {
    match reason {
        Reason::RegionDisabled => {
            "is switched off for the account; activate STS there in the account settings or choose another spec.region"
        }
        Reason::OptInRequired => {
            "needs a subscription of the account; enable the region or choose another spec.region"
        }
        Reason::ClockSkew => {
            "says that the request's time is wrong; set the clock of the operator's node"
        }
        Reason::StsAccessDenied => {
            "was refused on the way, by an endpoint policy or a proxy; let sts:GetCallerIdentity through"
        }
        Reason::StsThrottled => "asks to slow down; it is asked again",
        Reason::StsUnavailable => "fails; it is asked again",
        Reason::StsUnreachable if proxied => {
            "cannot be reached through the proxy of --sts-proxy; check the proxy's address, its user and password, and that it lets CONNECT to STS through; it is asked again"
        }
        Reason::StsUnreachable => {
            "cannot be reached; check DNS, egress and TLS between the operator and STS; no proxy is used, since --sts-proxy names none or the endpoint is a loopback address; it is asked again"
        }
        Reason::StsRegionMismatch => {
            "was not asked: the endpoint that --sts-endpoint names serves another region; write {region} in its host, or choose the region of the endpoint as spec.region; it is asked again"
        }
        _ => {
            "gave an answer that is not one of STS; check what stands between the operator and STS; it is asked again"
        }
    }
}

fn of_store(reason: Reason, store: &Store) -> String {
    let what = match reason {
        Reason::EndpointAcceptsAnything => {
            "accepts a random pair too, so that it proves none; configure identities in the store, or correct endpoint.url of the class"
        }
        Reason::EndpointInconclusive => {
            "gives the same answer to the pair and to a wrong secret access key; let the pair list buckets (s3:ListAllMyBuckets), so that the answers differ"
        }
        Reason::EndpointRegionMismatch => {
            return format!(
                "does not serve region {}, for which requests are signed; correct region of the class",
                store.region
            );
        }
        Reason::ClockSkew => {
            "says that the request's time is wrong; set the clocks of the operator's node and of the store"
        }
        Reason::EndpointThrottled => "asks to slow down; it is asked again",
        Reason::EndpointUnavailable => "fails; it is asked again",
        Reason::EndpointUnreachable => {
            "cannot be reached; check DNS, egress and TLS between the operator and endpoint.url of the class; it is asked again"
        }
        _ => {
            "gave an answer that is not one of S3; check what answers at endpoint.url of the class; it is asked again"
        }
    };
    what.to_owned()
}

fn asked(place: &Place) -> &'static str {
    match place {
        Place::Sts(_) => "AWS",
        Place::Store(_) => "the store",
    }
}
