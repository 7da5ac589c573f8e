//! Actions of people, in AWS too.

use k8s_openapi::ByteString;
use static_aws_credentials::api::{DeletionPolicy, OnRejected};

use crate::kit::{SOURCE, TARGET, World, alpha, beta, resource};

/// The second source. It holds the pair `beta`.
pub const SECOND: &str = "second-key-pair";
/// Another name for the target.
pub const RENAMED: &str = "renamed";

/// One action of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
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
pub const DEEDS: [Deed; 14] = [
    Deed::Rotate,
    Deed::Spoil,
    Deed::DeleteSource,
    Deed::SwitchSource,
    Deed::DeleteTarget,
    Deed::EditTarget,
    Deed::StripTarget,
    Deed::Rename,
    Deed::Occupy,
    Deed::Recreate,
    Deed::Withdraw,
    Deed::Retain,
    Deed::Suspend,
    Deed::Deactivate,
];

/// Performs an action, if it is possible.
pub fn done(world: &mut World, deed: Deed) -> bool {
    let stands = world.store.secret(TARGET).is_some();
    match deed {
        Deed::Rotate => world.fill(SOURCE, &beta()),
        Deed::Spoil => world.fill(SOURCE, &alpha().with_wrong_secret()),
        Deed::DeleteSource => return world.store.delete(SOURCE, None).is_ok(),
        Deed::SwitchSource => world.respecify(|spec| {
            let second = spec.secret_ref.name == SOURCE;
            if second { SECOND } else { SOURCE }.clone_into(&mut spec.secret_ref.name);
        }),
        Deed::DeleteTarget => return world.store.delete(TARGET, None).is_ok(),
        Deed::EditTarget if stands => world.store.edit(TARGET, |secret| {
            let data = secret.data.get_or_insert_default();
            data.insert("AWS_REGION".to_owned(), ByteString(b"scribble".to_vec()));
        }),
        Deed::StripTarget if stands => world.store.edit(TARGET, |secret| {
            secret.metadata.owner_references = None;
            secret.metadata.labels = None;
        }),
        Deed::Rename => world.respecify(|spec| {
            let renamed = spec.target.name.is_some();
            spec.target.name = (!renamed).then(|| RENAMED.to_owned());
        }),
        Deed::Occupy if world.store.secret(RENAMED).is_none() => {
            world
                .store
                .edit(RENAMED, |secret| secret.data = Some(stranger()));
        }
        Deed::EditTarget | Deed::StripTarget | Deed::Occupy => return false,
        Deed::Recreate => {
            let mut orders = resource("orders");
            orders.spec = world.store.resources["orders"].spec.clone();
            world.store.delete_resource("orders");
            world.store.apply(orders);
            world.store.collect_garbage();
        }
        Deed::Withdraw => world.respecify(|spec| {
            spec.validation.on_rejected = OnRejected::Withdraw;
        }),
        Deed::Retain => world.respecify(|spec| {
            spec.target.deletion_policy = DeletionPolicy::Retain;
        }),
        Deed::Suspend => world.respecify(|spec| spec.suspend = !spec.suspend),
        Deed::Deactivate => world.aws.deactivate(&alpha()),
    }
    true
}

/// The data of a foreign Secret under the name that the target is to have.
pub fn stranger() -> std::collections::BTreeMap<String, ByteString> {
    crate::kit::data(&[("password", "of a stranger")])
}
