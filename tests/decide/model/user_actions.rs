//! Actions of people, in AWS too.

use k8s_openapi::ByteString;
use static_aws_credentials::api::{DeletionPolicy, OnRejected};

use crate::sim::{SOURCE, TARGET, World, alpha, beta, resource};

/// The second source. It holds the pair `beta`.
pub const SECOND: &str = "second-key-pair";
/// Another name for the target.
pub const RENAMED: &str = "renamed";

/// One action of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserAction {
    Rotate,
    Spoil,
    DeleteSource,
    SwitchSource,
    DeleteTarget,
    EditTarget,
    StripTarget,
    Rename,
    Occupy,
    Recreate,
    Withdraw,
    Retain,
    Suspend,
    Deactivate,
}

/// All actions.
pub const USER_ACTIONS: [UserAction; 14] = [
    UserAction::Rotate,
    UserAction::Spoil,
    UserAction::DeleteSource,
    UserAction::SwitchSource,
    UserAction::DeleteTarget,
    UserAction::EditTarget,
    UserAction::StripTarget,
    UserAction::Rename,
    UserAction::Occupy,
    UserAction::Recreate,
    UserAction::Withdraw,
    UserAction::Retain,
    UserAction::Suspend,
    UserAction::Deactivate,
];

/// Performs an action, if it is possible.
pub fn done(world: &mut World, action: UserAction) -> bool {
    let stands = world.store.secret(TARGET).is_some();
    match action {
        UserAction::Rotate => world.fill(SOURCE, &beta()),
        UserAction::Spoil => world.fill(SOURCE, &alpha().with_wrong_secret()),
        UserAction::DeleteSource => return world.store.delete(SOURCE, None).is_ok(),
        UserAction::SwitchSource => world.respecify(|spec| {
            let second = spec.secret_ref.name == SOURCE;
            if second { SECOND } else { SOURCE }.clone_into(&mut spec.secret_ref.name);
        }),
        UserAction::DeleteTarget => return world.store.delete(TARGET, None).is_ok(),
        UserAction::EditTarget if stands => world.store.edit(TARGET, |secret| {
            let data = secret.data.get_or_insert_default();
            data.insert("AWS_REGION".to_owned(), ByteString(b"scribble".to_vec()));
        }),
        UserAction::StripTarget if stands => world.store.edit(TARGET, |secret| {
            secret.metadata.owner_references = None;
            secret.metadata.labels = None;
        }),
        UserAction::Rename => world.respecify(|spec| {
            let renamed = spec.target.name.is_some();
            spec.target.name = (!renamed).then(|| RENAMED.to_owned());
        }),
        UserAction::Occupy if world.store.secret(RENAMED).is_none() => {
            world
                .store
                .edit(RENAMED, |secret| secret.data = Some(stranger()));
        }
        UserAction::EditTarget | UserAction::StripTarget | UserAction::Occupy => return false,
        UserAction::Recreate => {
            let mut orders = resource("orders");
            orders.spec = world.store.resources["orders"].spec.clone();
            world.store.delete_resource("orders");
            world.store.apply(orders);
            world.store.collect_garbage();
        }
        UserAction::Withdraw => world.respecify(|spec| {
            spec.validation.on_rejected = OnRejected::Withdraw;
        }),
        UserAction::Retain => world.respecify(|spec| {
            spec.target.deletion_policy = DeletionPolicy::Retain;
        }),
        UserAction::Suspend => world.respecify(|spec| spec.suspend = !spec.suspend),
        UserAction::Deactivate => world.aws.deactivate(&alpha()),
    }
    true
}

/// The data of a foreign Secret under the name that the target is to have.
pub fn stranger() -> std::collections::BTreeMap<String, ByteString> {
    crate::sim::data(&[("password", "of a stranger")])
}
