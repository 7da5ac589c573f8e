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
    follow::SILENCE,
    lines::{Events, watch},
};
use crate::pages::page;

/// How long the API server may take to tell all; a watch for what happens then is another one.
const TELLING_TIMEOUT: u32 = 600;
/// Of a page are kept what is read of its objects, and not the objects.
const PAGE: u32 = 100;
/// What the bookmark carries that ends the events which tell what is there.
const ALL_TOLD: &str = "k8s.io/initial-events-end";

/// How far the API server has come.
pub enum Telling<K> {
    /// It is asked next.
    Asked,
    /// It tells.
    Streams(Events<K>),
    /// Some of the list is here.
    Pages(VecDeque<K>, Rest),
}

/// What of a list is still to come.
pub enum Rest {
    Page(Option<String>),
    Nothing(String),
}

/// What it told.
pub enum Told<K> {
    /// Perhaps an object, and there is more to come.
    More(Option<Event<K>>, Telling<K>),
    /// Everything up to a version.
    All(String),
    /// It did not tell all.
    Failed(Error),
}

impl<K> Telling<K>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    /// Hears one thing.
    pub async fn next(self, api: &Api<K>) -> Told<K> {
        match self {
            Self::Asked => ask(api).await,
            Self::Streams(events) => hear(events).await,
            Self::Pages(mut items, rest) => match (items.pop_front(), rest) {
                (Some(item), rest) => {
                    Told::More(Some(Event::InitApply(item)), Self::Pages(items, rest))
                }
                (None, Rest::Nothing(version)) => Told::All(version),
                (None, Rest::Page(token)) => turn(api, token).await,
            },
        }
    }
}

async fn ask<K>(api: &Api<K>) -> Told<K>
where
    K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let parameters = WatchParams::streaming_lists().timeout(TELLING_TIMEOUT);
    match timeout(SILENCE, watch(api, &parameters, "")).await {
        Ok(Ok(events)) => Told::More(None, Telling::Streams(events)),
        // The feature is called WatchList, and not every API server has it turned on.
        Ok(Err(kube::Error::Api(status))) if matches!(status.code, 400 | 422) => {
            Told::More(None, Telling::Pages(VecDeque::new(), Rest::Page(None)))
        }
        Ok(Err(error)) => Told::Failed(Error::InitialListFailed(error)),
        Err(_) => cut_off(ErrorKind::TimedOut),
    }
}

async fn hear<K>(mut events: Events<K>) -> Told<K> {
    let event = match timeout(SILENCE, events.next()).await {
        Ok(Some(Ok(event))) => event,
        Ok(Some(Err(error))) => return Told::Failed(Error::InitialListFailed(error)),
        Ok(None) => return cut_off(ErrorKind::UnexpectedEof),
        Err(_) => return cut_off(ErrorKind::TimedOut),
    };
    let event = match event {
        WatchEvent::Added(object) | WatchEvent::Modified(object) => Some(Event::InitApply(object)),
        WatchEvent::Deleted(object) => Some(Event::Delete(object)),
        WatchEvent::Error(status) => return Told::Failed(Error::WatchError(status.boxed())),
        WatchEvent::Bookmark(bookmark) => {
            if bookmark.metadata.annotations.contains_key(ALL_TOLD) {
                return Told::All(bookmark.metadata.resource_version);
            }
            None
        }
    };
    Told::More(event, Telling::Streams(events))
}

fn cut_off<K>(why: ErrorKind) -> Told<K> {
    let error = kube::Error::Service(io::Error::from(why).into());
    Told::Failed(Error::InitialListFailed(error))
}

async fn turn<K>(api: &Api<K>, token: Option<String>) -> Told<K>
where
    K: Resource + Clone + DeserializeOwned + Send + 'static,
{
    let mut parameters = ListParams::default().limit(PAGE);
    parameters.continue_token = token;
    let mut items = VecDeque::new();
    let page = match page(api, &parameters, |item| items.push_back(item)).await {
        Ok(page) => page,
        Err(error) => return Told::Failed(Error::InitialListFailed(error)),
    };
    let rest = match (page.next, page.resource_version) {
        (next, _) if !next.is_empty() => Rest::Page(Some(next)),
        (_, version) if !version.is_empty() => Rest::Nothing(version),
        _ => return Told::Failed(Error::NoResourceVersion),
    };
    Told::More(None, Telling::Pages(items, rest))
}
