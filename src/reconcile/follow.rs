//! After a rotation: who holds the superseded pair? Asked until nobody does.

use std::time::Duration;

use tokio::time::Instant;

use super::{Run, gather::this_second, in_time};
use crate::{
    consumers::{self, Outlook, Pod},
    decide::Look,
    error::Error,
    observe,
};

impl Run<'_> {
    /// Takes note of it in a status that is about to be written if the pair was superseded.
    pub(super) fn note_superseded(&self, status: &mut crate::api::StaticAwsCredentialsStatus) {
        if self.context.shared.lists_consumers {
            consumers::note(&self.status, status, this_second());
        } else if status.previous.is_some() {
            consumers::forget(status);
        }
    }

    /// Looks at the consumers if it is time to, and returns when to look again.
    pub(super) async fn follow_consumers(&mut self) -> Result<Option<Duration>, Error> {
        let resource = self.resource;
        let follows =
            self.context.shared.lists_consumers && !resource.suspend && !resource.deleting;
        let open = consumers::is_open(&self.status).filter(|_| follows);
        let Some((_, published)) = open else {
            return Ok(None);
        };
        let published = published.clone();
        let first = consumers::delivered(&published).duration_since(this_second());
        let first = Duration::try_from(first).unwrap_or_default();
        let now = Instant::now();
        let wait = self.context.remember(resource, |remembered| {
            remembered.overlap.wait(published.revision, first, now)
        });
        if !wait.is_zero() {
            return Ok(Some(wait));
        }
        self.admitted().await;
        self.still_leads()?;
        let (client, namespace) = (&self.context.shared.client, &resource.key.namespace);
        let mut holders = Vec::new();
        let see = |pod: &Pod| holders.extend(consumers::holder(pod, &published));
        let outlook = match in_time(observe::pods(client, namespace, see)).await {
            Ok(()) => consumers::judge(&self.status, &holders, this_second()),
            Err(Error::ListPods(error)) if is_forbidden(&error) => {
                consumers::unlisted(&self.status, this_second())
            }
            Err(error) => return Err(error),
        };
        let Some(Outlook { status, again }) = outlook else {
            return Ok(None);
        };
        let news = status.consumers != self.status.consumers;
        self.still_leads()?;
        self.write_status(&status).await?;
        let (look, jitter, now) = (self.look(), self.jitter, Instant::now());
        Ok(self.context.remember(resource, |remembered| {
            remembered.memory.look = remembered.memory.look.map(|_| look);
            remembered.overlap.looked(again, news, jitter, now)
        }))
    }

    /// What this run has seen.
    pub(super) fn look(&self) -> Look {
        let view = super::as_mentioned(self.view.clone(), &self.status, self.resource);
        Look::of(self.resource.generation, &view, &self.status)
    }
}

fn is_forbidden(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if status.code == 403)
}

/// The sooner of two.
pub(super) fn sooner(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    one.into_iter().chain(other).min()
}
