//! The current pairs. The operator counts the pods that hold a key across all resources: with one pair for all ways,
//! the previous key would never be reported as unused for the helper.

use crate::conformance::way::Way;

/// A pair for clients that reload it, and one for clients that may keep the previous one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pairs<T> {
    pub process: T,
    pub others: T,
}

impl<T> Pairs<T> {
    pub fn of(&self, way: Way) -> &T {
        match way {
            Way::CREDENTIAL_PROCESS => &self.process,
            _ => &self.others,
        }
    }

    pub fn both(&self) -> [&T; 2] {
        [&self.process, &self.others]
    }

    pub fn map<U>(&self, convert: impl Fn(&T) -> U) -> Pairs<U> {
        Pairs {
            process: convert(&self.process),
            others: convert(&self.others),
        }
    }
}

/// The Secrets from which the pairs are published.
pub const SOURCES: Pairs<&str> = Pairs {
    process: "orders-helper-key-pair",
    others: "orders-key-pair",
};

/// The users of the pairs. AWS allows at most 2 keys per user.
pub const USERS: Pairs<&str> = Pairs {
    process: "orders-helper",
    others: "orders",
};
