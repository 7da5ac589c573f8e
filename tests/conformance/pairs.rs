//! The pairs of the user at one time. What the operator says of a key counts all pods that hold the key,
//! under every resource: in one pair with variables, the pods of a helper would never be said to be done.

use crate::way::Way;

/// A pair for what reads it again by itself, and one for all that may go on with the one before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pairs<T> {
    pub process: T,
    pub others: T,
}

impl<T> Pairs<T> {
    pub fn of(&self, way: Way) -> &T {
        match way {
            Way::CredentialProcess => &self.process,
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

/// The Secrets from which they are published.
pub const SOURCES: Pairs<&str> = Pairs {
    process: "orders-helper-key-pair",
    others: "orders-key-pair",
};

/// Whose they are. AWS gives a user 2 keys at the most.
pub const USERS: Pairs<&str> = Pairs {
    process: "orders-helper",
    others: "orders",
};
