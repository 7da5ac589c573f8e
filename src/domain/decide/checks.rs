//! Every check of a pair that needs no request, in the order in which the checks are made. The first violation is
//! reported. `SECRET_CHECKS` comes first, then the chains `BYTE_CHECKS` and `TEXT_CHECKS` of domain/format/violation.rs,
//! then `PAIR_CHECKS`; `IDENTITY_CHECKS` compares the identity that AWS returned.

use k8s_openapi::api::core::v1::Secret;

use super::SourcePair;
use crate::{
    api::{Identity, Reason, RootUser},
    domain::{
        account,
        resource::{Checks, ValidatedCredentials},
        target,
        verdict::Finding,
    },
};

type SecretCheck = fn(&Secret, &str) -> Option<Finding>;
type PairCheck = fn(&ValidatedCredentials, &SourcePair) -> Option<Finding>;
type IdentityCheck = fn(&Checks, &Identity) -> Option<Finding>;

/// Checks of the Secret, before a pair is read from it.
const SECRET_CHECKS: [SecretCheck; 2] = [
    source_is_target, // first: another type of Secret would not make a target a source
    source_type_forbidden,
];

/// Checks of a well-formed pair against the spec.
const PAIR_CHECKS: [PairCheck; 3] = [
    layout_cannot_carry, // first: no account and no answer of AWS changes it
    account_unknown,     // before the comparison, which needs an account
    account_mismatch,
];

/// Checks of a proven identity against the spec.
const IDENTITY_CHECKS: [IdentityCheck; 3] = [
    account_pin_mismatch, // before the ARN, which names the account too
    arn_pin_mismatch,
    root_user_denied,
];

/// The first violation of the Secret itself.
pub(super) fn of_secret(secret: &Secret, name: &str) -> Option<Finding> {
    SECRET_CHECKS.iter().find_map(|check| check(secret, name))
}

/// The first violation of the spec by a well-formed pair.
pub(super) fn of_pair(resource: &ValidatedCredentials, pair: &SourcePair) -> Option<Finding> {
    PAIR_CHECKS.iter().find_map(|check| check(resource, pair))
}

/// The first violation of the pins by an identity.
pub(super) fn of_identity(checks: &Checks, identity: &Identity) -> Option<Finding> {
    IDENTITY_CHECKS
        .iter()
        .find_map(|check| check(checks, identity))
}

/// A Secret counts as a target by its controller reference or its label, not because a spec names it:
/// otherwise any user could block a source by naming it as a target.
fn source_is_target(secret: &Secret, name: &str) -> Option<Finding> {
    let metadata = &secret.metadata;
    let known_by = if target::our_controller(metadata).is_some() {
        "its owner reference"
    } else if target::uid_label(metadata).is_some() {
        "its label awscredentials.dev/uid"
    } else {
        return None;
    };
    let message = format!(
        "spec.secretRef: Secret \"{name}\" is the target of a StaticAwsCredentials, by {known_by}; name the Secret that a person or pipeline fills, or, if this one is a copy of a target, remove that from the copy"
    );
    Some(Finding::new(Reason::SourceIsTarget, message))
}

fn source_type_forbidden(secret: &Secret, name: &str) -> Option<Finding> {
    const FORBIDDEN: [&str; 3] = [
        "kubernetes.io/service-account-token",
        "bootstrap.kubernetes.io/token",
        "helm.sh/release.v1",
    ];
    let kind = secret.type_.as_deref().unwrap_or("Opaque");
    FORBIDDEN.contains(&kind).then(|| {
        let message =
            format!("spec.secretRef: Secret \"{name}\" is of type {kind}, which never holds a key pair; use an Opaque Secret");
        Finding::new(Reason::SourceTypeForbidden, message)
    })
}

fn layout_cannot_carry(_: &ValidatedCredentials, pair: &SourcePair) -> Option<Finding> {
    let mut finding = pair.data.as_ref().err()?.clone();
    // A comment behind a value, for example, is the cause, and not the layout.
    pair.note(&mut finding);
    Some(finding)
}

fn account_unknown(resource: &ValidatedCredentials, pair: &SourcePair) -> Option<Finding> {
    offline_pin(resource)?;
    encoded_account(pair).is_none().then(|| {
        Finding::new(
            Reason::AccountUnknown,
            "the access key ID does not encode its account, so spec.validation.accountId cannot be checked at level Format; use level Identity",
        )
    })
}

fn account_mismatch(resource: &ValidatedCredentials, pair: &SourcePair) -> Option<Finding> {
    let pin = offline_pin(resource)?;
    let account = encoded_account(pair).filter(|account| account != pin)?;
    Some(Finding::new(
        Reason::AccountMismatch,
        format!(
            "the access key ID belongs to account {account}, and spec.validation.accountId is {pin}; use a pair of that account"
        ),
    ))
}

/// The account pin, if no answer of AWS is compared with it.
fn offline_pin(resource: &ValidatedCredentials) -> Option<&str> {
    let pin = resource.checks.account.as_deref();
    pin.filter(|_| !resource.verifies_online())
}

fn encoded_account(pair: &SourcePair) -> Option<String> {
    account::account_id_from_key_id(pair.pair.access_key_id.expose_secret())
}

fn account_pin_mismatch(checks: &Checks, identity: &Identity) -> Option<Finding> {
    let account = &identity.account_id;
    let pin = checks.account.as_deref().filter(|pin| pin != account)?;
    let message = format!(
        "the pair belongs to account {account}, and spec.validation.accountId is {pin}; use a pair of that account"
    );
    Some(Finding::new(Reason::PinMismatch, message))
}

fn arn_pin_mismatch(checks: &Checks, identity: &Identity) -> Option<Finding> {
    let arn = &identity.arn;
    checks.arn.as_ref().filter(|pin| !pin.matches(arn))?;
    let message = format!(
        "the pair belongs to {arn}, which spec.validation.arn does not match; use a pair of that user"
    );
    Some(Finding::new(Reason::PinMismatch, message))
}

fn root_user_denied(checks: &Checks, identity: &Identity) -> Option<Finding> {
    let is_denied = checks.root_user == RootUser::Deny && identity.arn.ends_with(":root");
    is_denied.then(|| {
        let message = format!(
            "the pair belongs to the root user of account {}; use a pair of an IAM user, or set spec.validation.rootUser to Allow",
            identity.account_id
        );
        Finding::new(Reason::RootUserDenied, message)
    })
}
