//! Why a watch fails, worded for the person who has to fix it.

use kube::runtime::watcher;

use crate::{domain::words, error::chain};

/// The cause of a failure.
#[derive(Debug, PartialEq, Eq)]
pub struct Trouble {
    pub(super) message: String,
    /// The API server answers, but the permission was revoked or is not granted yet.
    pub(super) is_forbidden: bool,
}

impl From<String> for Trouble {
    fn from(message: String) -> Self {
        Self {
            message,
            is_forbidden: false,
        }
    }
}

/// Why a watch fails, and the remedy where a person can act.
#[must_use]
pub fn explain(error: &watcher::Error) -> Trouble {
    let inner = match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => error,
        watcher::Error::WatchError(_) | watcher::Error::NoResourceVersion => {
            return words::foreign(&error.to_string()).into();
        }
    };
    let message = match inner {
        kube::Error::Api(status) if status.code == 404 => {
            "the API server does not know the kind; install the CustomResourceDefinitions staticawscredentials.awscredentials.dev and awscredentialsclasses.awscredentials.dev".to_owned()
        }
        kube::Error::Api(status) if status.code == 403 => format!("not allowed: {}", words::foreign(&status.message)),
        kube::Error::Api(status) if is_undecryptable(&status.message) => format!(
            "the API server answers but cannot decrypt a stored object: {}; repair or delete the object, since every list of that scope fails until then; with scope.namespaces, such an object affects only its own namespace",
            words::foreign(&status.message)
        ),
        kube::Error::Api(status) if status.code == 401 => "the API server does not accept the service account's token".to_owned(),
        other => format!("the API server does not answer: {}", chain(other)),
    };
    Trouble {
        message,
        is_forbidden: matches!(inner, kube::Error::Api(status) if status.code == 403),
    }
}

/// A single Secret whose encryption key is gone makes every list fail. The message of the API
/// server usually names that object.
fn is_undecryptable(message: &str) -> bool {
    let marks = [
        "unable to transform key",
        "illegal base64 data",
        "no matching key was found",
        "failed to decrypt",
    ];
    marks.iter().any(|mark| message.contains(mark))
}
