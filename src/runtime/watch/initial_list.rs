//! The initial list: streamed (`WatchList`), or read in pages where the API server does not support
//! streaming.

use std::{collections::VecDeque, fmt::Debug, io, io::ErrorKind};

use futures::StreamExt;
use kube::{
    Api, Resource,
    api::{ListParams, WatchEvent, WatchParams},
    runtime::watcher::{Error, Event},
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::lines::{Events, IDLE_TIMEOUT, watch};
use crate::runtime::pages::page;

/// Timeout of the streamed list in seconds. Later events come from another watch.
const LIST_TIMEOUT: u32 = 600;
/// Objects per page. Only the decoded fields of each object are kept in memory.
const PAGE: u32 = 100;
/// The annotation of the bookmark that ends the initial events.
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// Progress of the initial list.
pub enum InitialList<K> {
    /// The list is requested next.
    NotRequested,
    /// The API server streams the list.
    Streams(Events<K>),
    /// Objects of a page that was read, and the rest of the list.
    Pages(VecDeque<K>, NextPage),
}

/// The rest of a paged list: a page with its continue token, or only the version of the complete list.
pub enum NextPage {
    Page(Option<String>),
    Nothing(String),
}

/// The result of one step.
pub enum ListStep<K> {
    /// Possibly an event, and the state of the incomplete list.
    More(Option<Event<K>>, InitialList<K>),
    /// The list is complete at this version.
    All(String),
    /// The list failed before it was complete.
    Failed(Error),
}

impl<K> InitialList<K>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    /// Takes one step: at most 1 event or 1 page.
    pub async fn next(self, api: &Api<K>) -> ListStep<K> {
        match self {
            Self::NotRequested => start(api).await,
            Self::Streams(events) => poll_list(events).await,
            Self::Pages(mut items, rest) => match (items.pop_front(), rest) {
                (Some(item), rest) => {
                    ListStep::More(Some(Event::InitApply(item)), Self::Pages(items, rest))
                }
                (None, NextPage::Nothing(version)) => ListStep::All(version),
                (None, NextPage::Page(token)) => next_page(api, token).await,
            },
        }
    }
}

async fn start<K>(api: &Api<K>) -> ListStep<K>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let parameters = WatchParams::streaming_lists().timeout(LIST_TIMEOUT);
    match timeout(IDLE_TIMEOUT, watch(api, &parameters, "")).await {
        Ok(Ok(events)) => ListStep::More(None, InitialList::Streams(events)),
        // The API server does not know WatchList, or has that feature turned off.
        Ok(Err(kube::Error::Api(status))) if matches!(status.code, 400 | 422) => ListStep::More(
            None,
            InitialList::Pages(VecDeque::new(), NextPage::Page(None)),
        ),
        Ok(Err(error)) => ListStep::Failed(Error::InitialListFailed(error)),
        Err(_) => list_failed(ErrorKind::TimedOut),
    }
}

async fn poll_list<K>(mut events: Events<K>) -> ListStep<K> {
    let event = match timeout(IDLE_TIMEOUT, events.next()).await {
        Ok(Some(Ok(event))) => event,
        Ok(Some(Err(error))) => return ListStep::Failed(Error::InitialListFailed(error)),
        Ok(None) => return list_failed(ErrorKind::UnexpectedEof),
        Err(_) => return list_failed(ErrorKind::TimedOut),
    };
    let event = match event {
        WatchEvent::Added(object) | WatchEvent::Modified(object) => Some(Event::InitApply(object)),
        WatchEvent::Deleted(object) => Some(Event::Delete(object)),
        WatchEvent::Error(status) => return ListStep::Failed(Error::WatchError(status.boxed())),
        WatchEvent::Bookmark(bookmark) => {
            if bookmark
                .metadata
                .annotations
                .contains_key(INITIAL_EVENTS_END)
            {
                return ListStep::All(bookmark.metadata.resource_version);
            }
            None
        }
    };
    ListStep::More(event, InitialList::Streams(events))
}

fn list_failed<K>(kind: ErrorKind) -> ListStep<K> {
    let error = kube::Error::Service(io::Error::from(kind).into());
    ListStep::Failed(Error::InitialListFailed(error))
}

async fn next_page<K>(api: &Api<K>, token: Option<String>) -> ListStep<K>
where
    K: Resource + Clone + DeserializeOwned + Send + 'static,
{
    let mut parameters = ListParams::default().limit(PAGE);
    parameters.continue_token = token;
    let mut items = VecDeque::new();
    let page = match page(api, &parameters, |item: K| items.push_back(item)).await {
        Ok(page) => page,
        Err(error) => return ListStep::Failed(Error::InitialListFailed(error)),
    };
    let rest = match (page.next, page.resource_version) {
        (next, _) if !next.is_empty() => NextPage::Page(Some(next)),
        (_, version) if !version.is_empty() => NextPage::Nothing(version),
        _ => return ListStep::Failed(Error::NoResourceVersion),
    };
    ListStep::More(None, InitialList::Pages(items, rest))
}
