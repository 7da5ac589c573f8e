//! How far a watch has come.

use tokio::time::Instant;

use super::{initial_list::InitialList, lines::Events};

/// The state of a watch.
pub(super) enum State<K> {
    /// Nothing is known.
    Empty,
    /// The API server tells what is there.
    InitialList(InitialList<K>),
    /// Everything up to a version is known, and a watch begins next.
    InitListed(String),
    /// The same, but the store may stand before it.
    Suspect(String),
    /// A watch goes on.
    Watching(String, Instant, Events<K>),
}

impl<K> State<K> {
    /// Whether only an answer of the API server leads to this state. A watch that ends may have been
    /// cut off.
    pub(super) fn follows_an_answer(&self, watched: bool) -> bool {
        match self {
            Self::Watching(..)
            | Self::InitialList(InitialList::Streams(_) | InitialList::Pages(..)) => true,
            Self::InitListed(_) => !watched,
            Self::InitialList(InitialList::Asked) | Self::Empty | Self::Suspect(_) => false,
        }
    }
}
