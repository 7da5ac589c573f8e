//! Reads of the source and of targets.

use super::{Driver, with_deadline};
use crate::{domain::reconcile::Event, error::Error, runtime::observe};

impl Driver<'_> {
    pub(super) async fn read_source(&mut self) -> Result<Event, Error> {
        self.acquire_slot().await;
        let shared = &self.context.shared;
        let read = observe::source(&shared.client, self.resource, &shared.key);
        let source = with_deadline(read).await?;
        let answers = self.answers_about(&source);
        Ok(Event::Source(source, answers))
    }

    pub(super) async fn read_target(&mut self, name: String) -> Result<Event, Error> {
        self.acquire_slot().await;
        let read = observe::target(&self.context.shared.client, self.resource, &name);
        let target = with_deadline(read).await?;
        Ok(Event::Target(name, target))
    }
}
