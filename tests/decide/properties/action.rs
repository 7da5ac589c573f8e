//! All actions of the random sequences.

use std::time::Duration;

use k8s_openapi::{ByteString, jiff::SignedDuration};
use static_aws_credentials::api::{
    DeletionPolicy, Layout, OnRejected, Reason, RootUser, ValidationLevel,
};

use crate::sim::{Pair, SOURCE, TARGET, World, alpha, beta, foreign_account, resource, root};

/// One action.
#[derive(Clone, Debug)]
pub enum Action {
    Fill(Content),
    DeleteSource,
    TouchSource,
    Deactivate(u8),
    Activate(u8),
    Outage(Option<Reason>),
    DisableRegion(bool),
    BreakSignatures(bool),
    EditTarget,
    DeleteTarget,
    LabelTarget,
    StripTarget,
    FreezeTarget,
    Occupy(&'static str),
    Vacate(&'static str),
    Respecify(Field),
    Recreate,
    Rival(bool),
    CollectGarbage,
    Restart,
    Crash(u32),
    List,
    Clock(i64),
    Advance(u64),
    Deliver(u8),
    Run,
}

/// The content of a source.
#[derive(Clone, Debug)]
pub enum Content {
    Pair(u8),
    WrongSecret(u8),
    LineBreak,
    OneKey,
}

/// A field of the spec, and its new value.
#[derive(Clone, Debug)]
pub enum Field {
    Account(Option<&'static str>),
    Arn(Option<&'static str>),
    Level(ValidationLevel),
    OnRejected(OnRejected),
    RootUser(RootUser),
    Interval(&'static str),
    Region(&'static str),
    Layouts(Vec<Layout>),
    Target(Option<&'static str>),
    Policy(DeletionPolicy),
    Suspend(bool),
}

impl Action {
    /// Whether the effect depends on when the process reconciled.
    pub fn depends_on_the_process(&self) -> bool {
        matches!(
            self,
            Self::Crash(_)
                | Self::Clock(_)
                | Self::Deliver(_)
                | Self::Run
                | Self::Advance(_)
                | Self::Rival(_)
        )
    }

    /// Whether the action changes the answers of AWS.
    pub fn is_of_aws(&self) -> bool {
        matches!(
            self,
            Self::Deactivate(_)
                | Self::Activate(_)
                | Self::Outage(_)
                | Self::DisableRegion(_)
                | Self::BreakSignatures(_)
        )
    }

    /// The actions after which the pair `alpha` is published.
    pub fn amends() -> Vec<Self> {
        let fields = [
            Field::Account(None),
            Field::Arn(None),
            Field::Level(ValidationLevel::Identity),
            Field::RootUser(RootUser::Allow),
            Field::Interval("5m"),
            Field::Region("eu-west-1"),
            Field::Suspend(false),
        ];
        let mut amends = vec![
            Self::Rival(false),
            Self::CollectGarbage,
            Self::Vacate(TARGET),
            Self::Vacate("renamed"),
            Self::Outage(None),
            Self::DisableRegion(false),
            Self::BreakSignatures(false),
            Self::Activate(0),
            Self::Fill(Content::Pair(0)),
        ];
        amends.extend(fields.map(Self::Respecify));
        amends
    }
}

fn pair(number: u8) -> Pair {
    match number {
        0 => alpha(),
        1 => beta(),
        2 => foreign_account(),
        _ => root(),
    }
}

/// Performs an action.
pub fn perform(world: &mut World, action: &Action) {
    let edit_target = |world: &mut World, edit: fn(&mut k8s_openapi::api::core::v1::Secret)| {
        if world.store.secret(TARGET).is_some() {
            world.store.edit(TARGET, edit);
        }
    };
    match action {
        Action::Fill(content) => fill(world, content),
        Action::DeleteSource => drop(world.store.delete(SOURCE, None)),
        Action::TouchSource => {
            let version = world.log.len().to_string();
            if world.store.secret(SOURCE).is_some() {
                world.store.edit(SOURCE, |secret| {
                    secret.metadata.annotations = Some([("touched".to_owned(), version)].into());
                });
            }
        }
        Action::Deactivate(number) => world.aws.deactivate(&pair(*number)),
        Action::Activate(number) => world.aws.activate(&pair(*number)),
        Action::Outage(reason) => world.aws.outage = *reason,
        Action::DisableRegion(true) => drop(world.aws.disabled.insert("eu-west-1".to_owned())),
        Action::DisableRegion(false) => world.aws.disabled.clear(),
        Action::BreakSignatures(breaks) => world.aws.breaks_signatures = *breaks,
        Action::EditTarget => edit_target(world, |secret| {
            let data = secret.data.get_or_insert_default();
            data.insert(
                "AWS_ACCESS_KEY_ID".to_owned(),
                ByteString(b"scribble".to_vec()),
            );
        }),
        Action::DeleteTarget => drop(world.store.delete(TARGET, None)),
        Action::LabelTarget => edit_target(world, |secret| {
            let labels = secret.metadata.labels.get_or_insert_default();
            labels.insert("team".to_owned(), "orders".to_owned());
        }),
        Action::StripTarget => edit_target(world, |secret| {
            secret.metadata.owner_references = None;
            secret.metadata.labels = None;
        }),
        Action::FreezeTarget => edit_target(world, |secret| secret.immutable = Some(true)),
        Action::Occupy(name) => {
            if world.store.secret(name).is_none() {
                world.fill(name, &beta());
            }
        }
        Action::Vacate(name) => drop(world.store.delete(name, None)),
        Action::Respecify(field) => respecify(world, field),
        Action::Recreate => {
            let mut orders = resource("orders");
            orders.spec = world.store.resources["orders"].spec.clone();
            world.store.delete_resource("orders");
            world.store.apply(orders);
        }
        Action::Rival(there) => rival(world, *there),
        Action::CollectGarbage => world.store.collect_garbage(),
        Action::Restart => world.restart(),
        Action::Crash(after) => world.faults.crash_after = Some(*after),
        Action::List => world.list_secrets(),
        Action::Clock(seconds) => world.set_clock(SignedDuration::from_secs(*seconds)),
        Action::Advance(seconds) => world.advance(Duration::from_secs(*seconds)),
        Action::Deliver(count) => drop((0..*count).map(|_| world.deliver()).max()),
        Action::Run => world.run("orders"),
    }
}

fn fill(world: &mut World, content: &Content) {
    match content {
        Content::Pair(number) => world.fill(SOURCE, &pair(*number)),
        Content::WrongSecret(number) => world.fill(SOURCE, &pair(*number).with_wrong_secret()),
        Content::LineBreak => world.store.edit(SOURCE, |secret| {
            let mut data = alpha().data();
            for value in data.values_mut() {
                value.0.push(b'\n');
            }
            secret.data = Some(data);
        }),
        Content::OneKey => world.store.edit(SOURCE, |secret| {
            let mut data = alpha().data();
            data.pop_last();
            secret.data = Some(data);
        }),
    }
}

fn respecify(world: &mut World, field: &Field) {
    world.respecify(|spec| match field.clone() {
        Field::Account(account) => spec.validation.account_id = account.map(str::to_owned),
        Field::Arn(arn) => spec.validation.arn = arn.map(str::to_owned),
        Field::Level(level) => spec.validation.level = level,
        Field::OnRejected(on_rejected) => spec.validation.on_rejected = on_rejected,
        Field::RootUser(root_user) => spec.validation.root_user = root_user,
        Field::Interval(interval) => interval.clone_into(&mut spec.validation.interval),
        Field::Region(region) => spec.region = Some(region.to_owned()),
        Field::Layouts(layouts) => spec.target.layouts = layouts,
        Field::Target(name) => spec.target.name = name.map(str::to_owned),
        Field::Policy(policy) => spec.target.deletion_policy = policy,
        Field::Suspend(suspend) => spec.suspend = suspend,
    });
}

/// Creates or deletes a second resource with the same target and its own pair.
fn rival(world: &mut World, there: bool) {
    if there {
        let mut rival = resource("rival");
        rival.spec.target.name = Some(TARGET.to_owned());
        world.fill("rival-key-pair", &beta());
        world.store.apply(rival);
    } else {
        world.store.delete_resource("rival");
    }
}
