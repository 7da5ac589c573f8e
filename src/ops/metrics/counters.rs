//! Counters without a place of their own.

use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use strum::VariantArray;

use super::Label;
use crate::{api::Reason, domain::verdict::Control};

#[derive(Clone, Default)]
pub(super) struct Counters {
    pub failures: Family<Label, Counter>,
    pub answers: Family<Label, Counter>,
    pub verdicts: Family<Label, Counter>,
    pub controls: Family<Label, Counter>,
    pub undecodable: Counter,
    pub mass_rejections: Counter,
    pub publications: Counter,
    pub lost_events: Counter,
}

impl Counters {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let counters = Self::default();
        counters.register(registry);
        counters.register_families(registry);
        counters.begin();
        counters
    }

    fn register(&self, registry: &mut Registry) {
        let counters = [
            (
                "staticawscredentials_mass_rejections",
                "Times that AWS rejected a published pair and accepted no other pair",
                &self.mass_rejections,
            ),
            (
                "staticawscredentials_undecodable",
                "Times that a resource could not be decoded",
                &self.undecodable,
            ),
            (
                "staticawscredentials_publications",
                "Pairs that this process published, first pairs of a resource included",
                &self.publications,
            ),
            (
                "staticawscredentials_events_lost",
                "Kubernetes events that were dropped because too many waited, or because the API server did not accept them",
                &self.lost_events,
            ),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
    }

    fn register_families(&self, registry: &mut Registry) {
        let kinds = [
            (
                "staticawscredentials_failures",
                "Failed reconciles by kind of failure",
                &self.failures,
            ),
            (
                "staticawscredentials_sts_answers",
                "Answers about pairs by kind, cached answers included",
                &self.answers,
            ),
            (
                "staticawscredentials_verdicts",
                "Verdicts on pairs by reason",
                &self.verdicts,
            ),
            (
                "staticawscredentials_control_questions",
                "Checks of other pairs, which show whether a rejection of a published pair counts, by result",
                &self.controls,
            ),
        ];
        for (name, help, counters) in kinds {
            registry.register(name, help, counters.clone());
        }
    }

    /// `rate()` misses the first increment of a series that did not exist before.
    fn begin(&self) {
        for reason in Reason::VARIANTS {
            drop(self.verdicts.get_or_create(&[("reason", reason.as_str())]));
        }
        for control in Control::VARIANTS {
            drop(self.controls.get_or_create(&[("result", control.into())]));
        }
    }
}
