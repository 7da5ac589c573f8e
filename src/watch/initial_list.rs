//! What is there when a watch begins: the API server tells it as the first events, one object after
//! the other. One that cannot do so is asked for a list, page by page.

use std::{collections::VecDeque, fmt::Debug, io, io::ErrorKind};

use futures::StreamExt;
use kube::{
    Api, Resource,
    api::{ListParams, WatchEvent, WatchParams},
    runtime::watcher::{Error, Event},
};
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::{
    lines::{Events, watch},
    watcher::IDLE_TIMEOUT,
};
use crate::pages::page;

/// How long the API server may take to tell all; a watch for what happens then is another one.
const LIST_TIMEOUT: u32 = 600;
/// Of a page are kept what is read of its objects, and not the objects.
const PAGE: u32 = 100;
/// What the bookmark carries that ends the events which tell what is there.
const INITIAL_EVENTS_END: &str = "k8s.io/initial-events-end";

/// How far the API server has come.
pub enum InitialList<K> {
    /// It is asked next.
    Asked,
    /// It tells.
    Streams(Events<K>),
    /// Some of the list is here.
    Pages(VecDeque<K>, NextPage),
}

/// What of a list is still to come.
pub enum NextPage {
    Page(Option<String>),
    Nothing(String),
}

/// What it told.
pub enum ListStep<K> {
    /// Perhaps an object, and there is more to come.
    More(Option<Event<K>>, InitialList<K>),
    /// Everything up to a version.
    All(String),
    /// It did not tell all.
    Failed(Error),
}

impl<K> InitialList<K>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    /// Hears one thing.
    pub async fn next(self, api: &Api<K>) -> ListStep<K> {
        match self {
            Self::Asked => start(api).await,
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
        // The feature is called WatchList, and not every API server has it turned on.
        Ok(Err(kube::Error::Api(status))) if matches!(status.code, 400 | 422) => ListStep::More(
            None,
            InitialList::Pages(VecDeque::new(), NextPage::Page(None)),
        ),
        Ok(Err(error)) => ListStep::Failed(Error::InitialListFailed(error)),
        Err(_) => cut_off(ErrorKind::TimedOut),
    }
}

async fn poll_list<K>(mut events: Events<K>) -> ListStep<K> {
    let event = match timeout(IDLE_TIMEOUT, events.next()).await {
        Ok(Some(Ok(event))) => event,
        Ok(Some(Err(error))) => return ListStep::Failed(Error::InitialListFailed(error)),
        Ok(None) => return cut_off(ErrorKind::UnexpectedEof),
        Err(_) => return cut_off(ErrorKind::TimedOut),
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

fn cut_off<K>(why: ErrorKind) -> ListStep<K> {
    let error = kube::Error::Service(io::Error::from(why).into());
    ListStep::Failed(Error::InitialListFailed(error))
}

async fn next_page<K>(api: &Api<K>, token: Option<String>) -> ListStep<K>
where
    K: Resource + Clone + DeserializeOwned + Send + 'static,
{
    let mut parameters = ListParams::default().limit(PAGE);
    parameters.continue_token = token;
    let mut items = VecDeque::new();
    let page = match page(api, &parameters, |item| items.push_back(item)).await {
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
