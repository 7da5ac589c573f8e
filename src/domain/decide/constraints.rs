//! What the spec demands of a well-formed pair: layouts, account, user, root user.

use super::{Inputs, SourcePair};
use crate::{
    api::{Identity, Reason, RootUser},
    domain::{account, layout, verdict::Finding},
};

/// Violations that need no answer of AWS. At level Identity the account pin is compared with that answer instead.
pub(super) fn offline_violation(world: &Inputs<'_>, pair: &SourcePair) -> Option<Finding> {
    let resource = world.resource;
    if let Err(finding) = layout::render(&resource.layout_request(), &pair.pair) {
        return Some(finding);
    }
    let pin = resource
        .checks
        .account
        .as_deref()
        .filter(|_| !resource.verifies_with_sts())?;
    match account::account_id_from_key_id(pair.pair.access_key_id.expose_secret()) {
        Some(account) if account == pin => None,
        Some(account) => Some(Finding::new(
            Reason::AccountMismatch,
            format!(
                "the access key ID belongs to account {account}, and spec.validation.accountId is {pin}; use a pair of that account"
            ),
        )),
        None => Some(Finding::new(
            Reason::AccountUnknown,
            "the access key ID does not tell its account, so spec.validation.accountId cannot be checked at level Format; use level Identity",
        )),
    }
}

/// Violations of the account pin, the ARN pin or the root user rule by an identity that AWS returned.
pub(super) fn identity_violation(world: &Inputs<'_>, identity: &Identity) -> Option<Finding> {
    let checks = &world.resource.checks;
    let account = checks.account.as_deref().filter(|pin| *pin != identity.account_id).map(|pin| {
        let message = format!(
            "the pair belongs to account {}, and spec.validation.accountId is {pin}; use a pair of that account",
            identity.account_id
        );
        Finding::new(Reason::PinMismatch, message)
    });
    let arn = || {
        checks.arn.as_ref().filter(|pin| !pin.matches(&identity.arn)).map(|_| {
            let message = format!("the pair belongs to {}, which spec.validation.arn does not match; use a pair of that user", identity.arn);
            Finding::new(Reason::PinMismatch, message)
        })
    };
    let root = || {
        let denied = checks.root_user == RootUser::Deny && identity.arn.ends_with(":root");
        denied.then(|| {
            let message = format!(
                "the pair belongs to the root user of account {}; use a pair of an IAM user, or set spec.validation.rootUser to Allow",
                identity.account_id
            );
            Finding::new(Reason::RootUserDenied, message)
        })
    };
    account.or_else(arn).or_else(root)
}
