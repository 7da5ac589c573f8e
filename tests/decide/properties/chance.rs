//! The probabilities of actions.

use proptest::prelude::*;
use static_aws_credentials::api::{
    DeletionPolicy, Layout, OnRejected, Reason, RootUser, ValidationLevel,
};

use super::action::{Action, Content, Field};
use crate::sim::TARGET;

fn fields() -> impl Strategy<Value = Field> {
    prop_oneof![
        prop_oneof![
            Just(None),
            Just(Some("123456789012")),
            Just(Some("999999999999"))
        ]
        .prop_map(Field::Account),
        prop_oneof![
            Just(None),
            Just(Some("arn:aws:iam::*:user/connectors/*")),
            Just(Some("arn:aws:iam::*:user/nobody"))
        ]
        .prop_map(Field::Arn),
        prop_oneof![3 => Just(ValidationLevel::Identity), 1 => Just(ValidationLevel::Format)]
            .prop_map(Field::Level),
        prop_oneof![Just(OnRejected::Keep), Just(OnRejected::Withdraw)].prop_map(Field::OnRejected),
        prop_oneof![Just(RootUser::Deny), Just(RootUser::Allow)].prop_map(Field::RootUser),
        prop_oneof![Just("5m"), Just("1h"), Just("3h")].prop_map(Field::Interval),
        prop_oneof![Just("eu-west-1"), Just("eu-central-1"), Just("cn-north-1")]
            .prop_map(Field::Region),
        prop_oneof![
            Just(vec![Layout::Env]),
            Just(vec![Layout::Mendix, Layout::CredentialProcess])
        ]
        .prop_map(Field::Layouts),
        prop_oneof![Just(None), Just(Some("renamed"))].prop_map(Field::Target),
        prop_oneof![Just(DeletionPolicy::Delete), Just(DeletionPolicy::Retain)]
            .prop_map(Field::Policy),
        any::<bool>().prop_map(Field::Suspend),
    ]
}

fn contents() -> impl Strategy<Value = Content> {
    prop_oneof![
        5 => (0..4_u8).prop_map(Content::Pair),
        2 => (0..4_u8).prop_map(Content::WrongSecret),
        1 => Just(Content::LineBreak),
        1 => Just(Content::OneKey),
    ]
}

fn outages() -> impl Strategy<Value = Action> {
    let reasons = prop_oneof![
        2 => Just(None),
        1 => Just(Some(Reason::StsUnreachable)),
        1 => Just(Some(Reason::RegionDisabled)),
        1 => Just(Some(Reason::StsAccessDenied)),
    ];
    reasons.prop_map(Action::Outage)
}

/// Any action.
pub fn actions() -> impl Strategy<Value = Action> {
    let name = || prop_oneof![Just(TARGET), Just("renamed")];
    let of_people = prop_oneof![
        6 => contents().prop_map(Action::Fill),
        1 => Just(Action::DeleteSource),
        1 => Just(Action::TouchSource),
        2 => Just(Action::EditTarget),
        2 => Just(Action::DeleteTarget),
        1 => Just(Action::LabelTarget),
        1 => Just(Action::StripTarget),
        1 => Just(Action::FreezeTarget),
        1 => name().prop_map(Action::Occupy),
        1 => name().prop_map(Action::Vacate),
        8 => fields().prop_map(Action::Respecify),
        1 => Just(Action::Recreate),
        1 => any::<bool>().prop_map(Action::Rival),
        1 => Just(Action::CollectGarbage),
    ];
    let of_the_world = prop_oneof![
        3 => (0..4_u8).prop_map(Action::Deactivate),
        2 => (0..4_u8).prop_map(Action::Activate),
        2 => outages(),
        1 => any::<bool>().prop_map(Action::DisableRegion),
        1 => any::<bool>().prop_map(Action::BreakSignatures),
        2 => Just(Action::Restart),
        2 => (0..8_u32).prop_map(Action::Crash),
        1 => Just(Action::List),
        1 => (-900..900_i64).prop_map(Action::Clock),
        6 => prop_oneof![0..90_u64, 0..8_000_u64].prop_map(Action::Advance),
        4 => (0..6_u8).prop_map(Action::Deliver),
        4 => Just(Action::Run),
    ];
    prop_oneof![of_people, of_the_world]
}
