//! Bytes that encode actions in the simulated world of `tests/decide`, whose rules assert the promise at every single
//! effect.

use std::time::Duration;

use static_aws_credentials::api::{
    DeletionPolicy, Layout, OnRejected, Reason, RootUser, ValidationLevel,
};

use crate::{
    decide::properties::action::{Action, Content, Field, perform},
    sim::{SOURCE, TARGET, World, alpha, resource},
};

/// The maximal number of actions, which take milliseconds.
const LONGEST: usize = 40;

pub fn world(input: &[u8]) {
    let mut world = World::new();
    world.fill(SOURCE, &alpha());
    world.store.apply(resource("orders"));
    for action in Actions(input).take(LONGEST) {
        perform(&mut world, &action);
    }
    rest(&mut world);
}

/// No more actions, and AWS answers.
fn rest(world: &mut World) {
    world.faults.crash_after = None;
    world.aws.outage = None;
    world.aws.breaks_signatures = false;
    world.store.collect_garbage();
    // Longer than the longest interval of an action, plus the confirmation of a rejection.
    world.advance(Duration::from_hours(5));
    world.settle_twice();
}

struct Actions<'a>(&'a [u8]);

impl Actions<'_> {
    fn byte(&mut self) -> u8 {
        let (byte, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *byte
    }

    fn number(&mut self) -> u64 {
        u64::from(self.byte()) << 8 | u64::from(self.byte())
    }

    fn chance(&mut self) -> bool {
        self.byte() & 1 == 1
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[usize::from(self.byte()) % all.len()].clone()
    }
}

impl Iterator for Actions<'_> {
    type Item = Action;

    fn next(&mut self) -> Option<Action> {
        if self.0.is_empty() {
            return None;
        }
        let places = [TARGET, "renamed"];
        Some(match self.byte() % 34 {
            0..=4 => Action::Fill(self.content()),
            5 => Action::DeleteSource,
            6 => Action::TouchSource,
            7 => Action::EditTarget,
            8 => Action::DeleteTarget,
            9 => Action::LabelTarget,
            10 => Action::StripTarget,
            11 => Action::FreezeTarget,
            12 => Action::Occupy(self.of(&places)),
            13 => Action::Vacate(self.of(&places)),
            14..=19 => Action::Respecify(self.field()),
            20 => Action::Recreate,
            21 => Action::Rival(self.chance()),
            22 => Action::CollectGarbage,
            23 => Action::Deactivate(self.byte() % 4),
            24 => Action::Activate(self.byte() % 4),
            25 => Action::Outage(self.of(&[
                None,
                Some(Reason::StsUnreachable),
                Some(Reason::RegionDisabled),
                Some(Reason::StsAccessDenied),
            ])),
            26 => match self.byte() % 4 {
                disabled @ 0..2 => Action::DisableRegion(disabled == 1),
                breaks => Action::BreakSignatures(breaks == 3),
            },
            27 => Action::Restart,
            28 => Action::Crash(u32::from(self.byte() % 8)),
            29 => Action::List,
            30 => Action::Clock(i64::try_from(self.number() % 1800).unwrap_or_default() - 900),
            31 => Action::Advance(self.number() % 8_000),
            32 => Action::Deliver(self.byte() % 6),
            _ => Action::Run,
        })
    }
}

impl Actions<'_> {
    fn content(&mut self) -> Content {
        match self.byte() % 9 {
            0..=4 => Content::Pair(self.byte() % 4),
            5 | 6 => Content::WrongSecret(self.byte() % 4),
            7 => Content::LineBreak,
            _ => Content::OneKey,
        }
    }

    fn field(&mut self) -> Field {
        let arns = [
            None,
            Some("arn:aws:iam::*:user/connectors/*"),
            Some("arn:aws:iam::*:user/nobody"),
        ];
        let layouts = [
            vec![Layout::Env],
            vec![Layout::Mendix, Layout::CredentialProcess],
        ];
        match self.byte() % 11 {
            0 => Field::Account(self.of(&[None, Some("123456789012"), Some("999999999999")])),
            1 => Field::Arn(self.of(&arns)),
            2 => Field::Level(self.of(&[ValidationLevel::Identity, ValidationLevel::Format])),
            3 => Field::OnRejected(self.of(&[OnRejected::Keep, OnRejected::Withdraw])),
            4 => Field::RootUser(self.of(&[RootUser::Deny, RootUser::Allow])),
            5 => Field::Interval(self.of(&["5m", "1h", "3h"])),
            6 => Field::Region(self.of(&["eu-west-1", "eu-central-1", "cn-north-1"])),
            7 => Field::Layouts(self.of(&layouts)),
            8 => Field::Target(self.of(&[None, Some("renamed")])),
            9 => Field::Policy(self.of(&[DeletionPolicy::Delete, DeletionPolicy::Retain])),
            _ => Field::Suspend(self.chance()),
        }
    }
}
