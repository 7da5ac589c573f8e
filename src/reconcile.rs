//! One run for one resource: observe, decide, act.

use std::{sync::Arc, time::Duration};

use k8s_openapi::jiff::Timestamp;
use tokio::time::Instant;

use crate::{
    act::{self, Changed},
    api::{StaticAwsCredentials, StaticAwsCredentialsStatus},
    context::{Context, lock},
    decide::{self, Change, Look, Plan, Query, Read, Source, Step, Target, World},
    error::Error,
    events::{self, Announcement},
    index::{Sight, View},
    observe,
    remembered::Written,
    resource::Resource,
    sts::{Question, Urgency},
    verdict::Answer,
};

/// Reads, questions and attempts of one run; more than any decision needs.
const STEPS: u32 = 16;
/// How often a write that met a changed Secret is decided anew.
const ATTEMPTS: u32 = 4;

/// One run.
struct Run<'a> {
    context: &'a Context,
    resource: &'a Resource,
    object: &'a StaticAwsCredentials,
    status: StaticAwsCredentialsStatus,
    version: String,
    view: View,
    source: Option<Source>,
    target: Option<(String, Target)>,
    answers: Vec<(String, Answer)>,
    jitter: f64,
    conflicts: u32,
}

/// Runs once, and returns how long to wait for the next run where nothing changes before.
///
/// # Errors
/// The cluster failed.
pub async fn reconcile(
    context: &Context,
    object: &StaticAwsCredentials,
    resource: &Resource,
) -> Result<Option<Duration>, Error> {
    let mut run = Run::new(context, object, resource);
    for _ in 0..STEPS {
        match run.decide() {
            Step::Read(Read::Source) => run.read_source().await?,
            Step::Read(Read::Target(name)) => run.read_target(name).await?,
            Step::Ask(query) => run.ask(query).await,
            Step::Act(plan) => {
                if let Some(pause) = run.act(*plan).await? {
                    return Ok(pause);
                }
            }
        }
    }
    Err(Error::Endless)
}

impl<'a> Run<'a> {
    fn new(context: &'a Context, object: &'a StaticAwsCredentials, resource: &'a Resource) -> Self {
        let stored = object.status.clone().unwrap_or_default();
        let stored_version = object.metadata.resource_version.clone().unwrap_or_default();
        let rewinds = lock(&context.index).rewinds();
        // The watch brings our own status write back only after the next trigger may have come.
        let written = context.remember(&resource.uid, |remembered| {
            let newer = |written: &Written| {
                written.rewinds == rewinds
                    && stored_version
                        .parse()
                        .is_ok_and(|stored: u64| stored < written.version)
            };
            remembered.written = remembered.written.take().filter(newer);
            remembered.written.clone()
        });
        let (status, version) = match written {
            Some(written) => (written.status, written.version.to_string()),
            None => (stored, stored_version),
        };
        Self {
            context,
            resource,
            object,
            status,
            version,
            view: lock(&context.index).view(&resource.key),
            source: None,
            target: None,
            answers: Vec::new(),
            jitter: jitter(),
            conflicts: 0,
        }
    }

    fn decide(&self) -> Step {
        self.with_world(decide::decide)
    }

    fn with_world<T>(&self, with: impl FnOnce(&World<'_>) -> T) -> T {
        let now = Instant::now();
        let refused_accounts = lock(&self.context.shared.refusals).lately(now);
        let (memory, due, refused_for, restore_wait) =
            self.context.remember(&self.resource.uid, |remembered| {
                (
                    remembered.memory.clone(),
                    remembered.due(now),
                    remembered.refused_for(&self.status, now),
                    remembered.restore_wait(now),
                )
            });
        with(&World {
            resource: self.resource,
            status: &self.status,
            view: &self.view,
            memory: &memory,
            source: self.source.as_ref(),
            target: self
                .target
                .as_ref()
                .map(|(name, target)| (name.as_str(), target)),
            answers: &self.answers,
            refused_accounts: &refused_accounts,
            endpoint_replaced: self.context.shared.endpoint_replaced,
            due,
            refused_for,
            restore_wait,
            now: this_second(),
            jitter: self.jitter,
        })
    }

    async fn read_source(&mut self) -> Result<(), Error> {
        let shared = &self.context.shared;
        let source = observe::source(&shared.client, self.resource, &shared.key).await?;
        self.view.source = source.sight();
        self.record(&self.resource.source.name, &self.view.source);
        self.source = Some(source);
        Ok(())
    }

    async fn read_target(&mut self, name: String) -> Result<(), Error> {
        let target = observe::target(&self.context.shared.client, self.resource, &name).await?;
        self.saw_target(&name, target.sight());
        self.target = Some((name, target));
        Ok(())
    }

    fn saw_target(&mut self, name: &str, sight: Sight) {
        self.record(name, &sight);
        if name == self.resource.target {
            self.view.target = sight;
        } else {
            self.view.published = sight;
        }
    }

    fn record(&self, name: &str, sight: &Sight) {
        lock(&self.context.index).record(&self.resource.key.namespace, name, sight.clone());
    }

    async fn ask(&mut self, query: Query) {
        let Some(Source::Found(found)) = &self.source else {
            return;
        };
        let Ok(pair) = &found.pair else { return };
        let now = Instant::now();
        let question = Question {
            namespace: self.resource.key.namespace.clone(),
            pair: Arc::clone(&pair.pair),
            region: query.region.as_str().to_owned(),
            endpoint: query.region.sts_endpoint(),
            urgency: if query.new_pair {
                Urgency::NewPair
            } else {
                Urgency::IntervalProof
            },
            not_before: now.checked_sub(query.max_age).unwrap_or(now),
        };
        let reply = self.context.shared.sts.ask(question).await;
        self.context.shared.metrics.answered(&reply.answer);
        self.answers
            .push((query.region.as_str().to_owned(), reply.answer));
    }

    /// Carries a plan out. `None` means that the target had changed and the decision is made anew.
    async fn act(&mut self, plan: Plan) -> Result<Option<Option<Duration>>, Error> {
        let namespace = &self.resource.key.namespace;
        // What AWS said is not lost if a write fails now.
        self.context.remember(&self.resource.uid, |remembered| {
            remembered.memory.proof.clone_from(&plan.memory.proof);
        });
        let plan = match act::change(&self.context.shared.client, namespace, &plan.change).await? {
            Changed::Untouched => plan,
            Changed::Done(sight) => self.changed(plan, sight),
            Changed::Conflict => return self.conflict(&plan.change).await.map(|()| None),
            Changed::NamespaceTerminating => return Ok(Some(None)),
            Changed::Refused(finding) => {
                self.with_world(|world| decide::write_refused(world, &finding))
            }
        };
        for (name, seen) in &plan.strays {
            if let Changed::Done(sight) =
                act::delete_stray(&self.context.shared.client, namespace, name, seen).await?
            {
                self.record(name, &sight);
                self.view.strays.retain(|(stray, _)| stray != name);
                if self
                    .status
                    .published
                    .as_ref()
                    .is_some_and(|published| published.secret_name == *name)
                {
                    self.view.published = Sight::Unseen;
                }
            }
        }
        self.write_status(&plan.status).await?;
        Ok(Some(self.finish(plan)))
    }

    fn changed(&mut self, mut plan: Plan, sight: Sight) -> Plan {
        let name = match &plan.change {
            Change::Create(draft) | Change::Replace(draft, _) => {
                draft.metadata.name.clone().unwrap_or_default()
            }
            Change::Delete(name, _) => name.clone(),
            Change::Nothing => return plan,
        };
        if let (Sight::Present(seen), Some(published)) = (&sight, &mut plan.status.published) {
            published.uid = seen.uid.to_string();
            published.resource_version = seen.version.to_string();
        }
        if matches!(&plan.change, Change::Create(draft) | Change::Replace(draft, _) if draft.restores)
        {
            self.context.remember(&self.resource.uid, |remembered| {
                remembered.restored(Instant::now());
            });
        }
        self.saw_target(&name, sight);
        plan
    }

    async fn conflict(&mut self, change: &Change) -> Result<(), Error> {
        let name = match change {
            Change::Delete(name, _) => name.clone(),
            _ => self.resource.target.clone(),
        };
        self.conflicts += 1;
        if self.conflicts >= ATTEMPTS {
            return Err(Error::Contended { name });
        }
        self.read_target(name).await
    }

    async fn write_status(&mut self, status: &StaticAwsCredentialsStatus) -> Result<(), Error> {
        if *status == self.status {
            return Ok(());
        }
        let written = act::status(
            &self.context.shared.client,
            &self.resource.key,
            &self.version,
            status,
        )
        .await?;
        let announcements = events::transitions(&self.status, status);
        for event in announcements {
            // A full queue loses an event rather than a run.
            let _ = self
                .context
                .shared
                .events
                .try_send(Announcement::about(self.object, event));
        }
        self.status = status.clone();
        let rewinds = lock(&self.context.index).rewinds();
        let version = written.and_then(|version| version.parse().ok());
        self.context.remember(&self.resource.uid, |remembered| {
            remembered.written = version.map(|version| Written {
                version,
                status: status.clone(),
                rewinds,
            });
        });
        Ok(())
    }

    fn finish(&self, plan: Plan) -> Option<Duration> {
        let now = Instant::now();
        if let Some(account) = plan.first_refusal {
            lock(&self.context.shared.refusals).record(account, now);
        }
        let look = Look::of(
            self.resource.generation,
            &self.view_as_mentioned(),
            &self.status,
        );
        self.context.remember(&self.resource.uid, |remembered| {
            if let Some(settling) = plan.status.settling.as_ref().filter(|_| plan.refusal_began) {
                remembered.refusal_began(&settling.key_id_suffix, now);
            }
            remembered.memory = plan.memory;
            remembered.memory.look = Some(look);
            remembered.failures = 0;
            remembered.schedule(plan.next, now);
            remembered.pause(now)
        })
    }

    /// The view as the index will show it once the status that was written has come back.
    fn view_as_mentioned(&self) -> View {
        let mut view = self.view.clone();
        let published = self.status.published.as_ref();
        if published.is_none_or(|published| published.secret_name == self.resource.target) {
            view.published = Sight::Unseen;
        }
        view
    }
}

/// Times in a status have no fractions; one that had would differ from what comes back.
fn this_second() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// Random, from 0 to 1.
fn jitter() -> f64 {
    let mut bytes = [0; 4];
    // Without randomness every resource is due at the same time, and nothing worse.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
