//! The state machine of a watch.

use tokio::time::Instant;

use super::{initial_list::InitialList, lines::Events};

pub(super) enum State<K> {
    /// Nothing is known; a list begins next.
    Empty,
    /// The initial list is under way.
    InitialList(InitialList<K>),
    /// Everything up to this version is known; a watch is opened next.
    InitListed(String),
    /// The same after a failure: the store may have been restored to an earlier version, so that is checked next.
    Suspect(String),
    /// A watch is open: the last version, the time of opening, the events.
    Watching(String, Instant, Events<K>),
}

impl<K> State<K> {
    /// Whether only a response of the API server leads to this state. A watch that ended may have
    /// been cut off without one.
    pub(super) fn implies_response(&self, was_watching: bool) -> bool {
        match self {
            Self::Watching(..)
            | Self::InitialList(InitialList::Streams(_) | InitialList::Pages(..)) => true,
            Self::InitListed(_) => !was_watching,
            Self::InitialList(InitialList::NotRequested) | Self::Empty | Self::Suspect(_) => false,
        }
    }
}
