//! How a plan is carried out: the target, the leftovers, the status, the memory.

use std::ops::ControlFlow;

use super::{
    Acting, CONFLICTS, Done, Effect, Failure, PendingQuestion, Progress, Reconcile, Removed,
    Surroundings, WriteOutcome, state::PendingStatus,
};
use crate::{
    api::StaticAwsCredentialsStatus,
    domain::{
        decide::{self, Cause, Plan, Requeue},
        index::Observed,
        rotation::{self, restart},
    },
};

impl Reconcile<'_> {
    pub(super) fn act(&mut self, mut plan: Plan, around: &mut Surroundings<'_>) -> Progress {
        // Stored before the writes, so that a failed write does not lose the answer of AWS.
        around.state.memory.proof.clone_from(&plan.memory.proof);
        let is_confirmed_first = plan.is_confirmed_first();
        let left = std::mem::take(&mut plan.leftovers).into_iter();
        self.acting = Some(Acting {
            plan,
            left,
            tried: Vec::new(),
            refused: Vec::new(),
            is_repair: false,
        });
        if is_confirmed_first {
            ControlFlow::Continue(Effect::Confirm)
        } else {
            self.write(around)
        }
    }

    pub(super) fn write(&mut self, around: &mut Surroundings<'_>) -> Progress {
        let change = self.acting.as_mut().and_then(|acting| {
            let change = acting.plan.change.take()?;
            acting.is_repair = change.is_repair();
            Some(change)
        });
        match change {
            None => self.remove_next(around),
            Some(change) => ControlFlow::Continue(Effect::Write(Box::new(change))),
        }
    }

    pub(super) fn written(
        &mut self,
        outcome: WriteOutcome,
        around: &mut Surroundings<'_>,
    ) -> Progress {
        match outcome {
            WriteOutcome::Applied(name, after) => self.applied(&name, &after, around),
            WriteOutcome::Conflict(name) => {
                self.acting = None;
                self.conflicts += 1;
                if self.conflicts >= CONFLICTS {
                    return ControlFlow::Break(Err(Failure::Contended(name)));
                }
                return ControlFlow::Continue(Effect::ReadTarget(name));
            }
            WriteOutcome::NamespaceTerminating => return ControlFlow::Break(Ok(Done::default())),
            WriteOutcome::Rejected(finding) => {
                if let Some(mut acting) = self.acting.take() {
                    acting.plan = self.with_inputs(around, |inputs| {
                        decide::write_refused(inputs, &acting.plan, &finding)
                    });
                    acting.left = Vec::new().into_iter();
                    self.acting = Some(acting);
                }
            }
        }
        self.remove_next(around)
    }

    fn applied(&mut self, name: &str, after: &Observed, around: &mut Surroundings<'_>) {
        if let Some(acting) = &mut self.acting {
            let published = acting.plan.status.published.as_mut();
            if let (Some(published), Some(seen)) = (published, after.present()) {
                published.uid = seen.uid.to_string();
                published.resource_version = seen.version.to_string();
            }
            if acting.is_repair {
                around.state.restored(around.now);
            }
        }
        self.see_target(name, after);
    }

    /// A rejected removal is reported and retried later; the other removals and the status do not wait for it.
    fn remove_next(&mut self, around: &mut Surroundings<'_>) -> Progress {
        let next = self.acting.as_mut().and_then(|acting| {
            let next = acting.left.next()?;
            acting.tried.push(next.clone());
            Some(next)
        });
        match next {
            Some(leftover) => ControlFlow::Continue(Effect::Remove(leftover)),
            None => self.report(around),
        }
    }

    pub(super) fn removed(&mut self, removed: Removed, around: &mut Surroundings<'_>) -> Progress {
        let Some(mut acting) = self.acting.take() else {
            return self.finish(around);
        };
        if let Some(leftover) = acting.tried.last().cloned() {
            match removed {
                Removed::Done(after) => {
                    let before = Observed::Found(leftover.seen.clone());
                    self.observe(leftover.name.clone(), before, after.clone());
                    let known = (
                        self.status.published.as_ref(),
                        self.resource.target.as_str(),
                    );
                    leftover.removed(&after, known, &mut self.view, &mut acting.plan);
                }
                Removed::Changed => {}
                Removed::Refused(why) => acting.refused.push((leftover, why)),
                Removed::Unanswered(why) => {
                    acting.refused.push((leftover, why));
                    // Counted as tried, as those before it.
                    acting.tried.extend(acting.left.by_ref());
                }
            }
        }
        self.acting = Some(acting);
        self.remove_next(around)
    }

    /// The status comes last: it reports what was done.
    fn report(&mut self, around: &mut Surroundings<'_>) -> Progress {
        let Some(acting) = &mut self.acting else {
            return self.finish(around);
        };
        let refused = acting.refused.iter();
        let refused: Vec<_> = refused
            .map(|(leftover, why)| (leftover, why.clone()))
            .collect();
        let note = decide::leftovers_note(&refused);
        let status = &mut acting.plan.status;
        if note.is_some() {
            decide::tell_leftovers(&mut status.conditions, note.as_deref());
        }
        let leftovers = &mut around.state.leftovers;
        leftovers.tried(&acting.tried, note, around.now);
        let mut status = std::mem::take(status);
        self.note_superseded(&mut status, around);
        let is_news = status != self.status;
        if let Some(acting) = &mut self.acting {
            acting.plan.status.clone_from(&status);
        }
        if is_news {
            ControlFlow::Continue(Effect::WriteStatus(Box::new(status)))
        } else {
            self.finish(around)
        }
    }

    /// If the pair was superseded, records that in a status that is about to be written.
    fn note_superseded(&self, status: &mut StaticAwsCredentialsStatus, around: &Surroundings<'_>) {
        let (settings, now) = (&self.settings, around.wall);
        let kubelet = settings.kubelet_sync_period;
        if settings.lists_consumers {
            rotation::note(&self.status, status, kubelet, now);
        } else if status.previous.is_some() {
            rotation::forget(status);
        }
        let allowed = settings.restarts_consumers;
        restart::note(&self.status, status, self.restart, allowed, kubelet, now);
    }

    /// Records a status that was written.
    pub fn status_written(
        &mut self,
        status: StaticAwsCredentialsStatus,
        version: Option<u64>,
        around: &mut Surroundings<'_>,
    ) {
        if let Some(version) = version {
            // A further write of the status in this reconcile replaces this one.
            self.version = version.to_string();
        }
        around.state.written = version.map(|version| {
            Box::new(PendingStatus {
                version,
                status: status.clone(),
                epoch: around.epoch,
            })
        });
        self.status = status;
    }

    pub(super) fn finish(&mut self, around: &mut Surroundings<'_>) -> Progress {
        let Some(Acting { plan, .. }) = self.acting.take() else {
            return ControlFlow::Break(Ok(Done::default()));
        };
        let (state, now) = (&mut *around.state, around.now);
        let look = self.inputs_hash();
        let settling = plan.status.settling.as_ref();
        if let Some(settling) = settling.filter(|_| plan.refusal_began) {
            state.refusal_began(&settling.key_id_suffix, now);
        }
        let next = plan.next;
        state.update_memory(plan.memory, now);
        state.failures.credentials = 0;
        let (pause, question) = if next == Requeue::Answer {
            let pause = state.restore_wait(now);
            let pause = pause.map(|pause| (pause, Cause::Restore));
            let look = pause.is_none().then_some(look);
            (pause, PendingQuestion::Await(look))
        } else {
            state.memory.look = Some(look);
            state.schedule(next, now);
            (state.pause(now), PendingQuestion::Cancel)
        };
        let leftovers = state.leftovers.wait(now);
        let leftovers = leftovers.map(|pause| (pause, Cause::Retry));
        let pauses = pause.into_iter().chain(leftovers);
        let pause = pauses.min_by_key(|(pause, _)| *pause);
        ControlFlow::Break(Ok(Done {
            pause,
            next,
            question,
        }))
    }
}
