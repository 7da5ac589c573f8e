//! Metrics of single resources, read page by page from the stores, whose locks are free between two pages.

use std::{
    fmt::{self, Write},
    sync::{Arc, Mutex},
};

use super::Summary;
use crate::domain::{index::NamespacedName, lock::lock};

/// Resources of a page, which has about 100 KiB.
const PAGE: usize = 500;

/// The state of some resources.
type Page = Vec<(NamespacedName, Summary)>;

/// A source for the state of resources: up to this number after this key, or the first ones, in a stable order.
type Listing = dyn Fn(Option<&NamespacedName>, usize) -> Page + Send + Sync;

/// All sources for the state of resources.
#[derive(Clone, Default)]
pub struct Resources {
    listings: Arc<Mutex<Vec<Arc<Listing>>>>,
}

/// One metric with one or several series for each resource.
struct Family {
    name: &'static str,
    help: &'static str,
    tell: fn(&mut Lines<'_>, &Summary) -> fmt::Result,
}

/// All families, page by page.
struct Pages {
    listings: Vec<Arc<Listing>>,
    family: usize,
    listing: usize,
    last: Option<NamespacedName>,
    begun: bool,
}

/// The lines of one resource in one family.
struct Lines<'a> {
    text: &'a mut String,
    name: &'static str,
    key: &'a NamespacedName,
}

const FAMILIES: [Family; 4] = [
    Family {
        name: "staticawscredentials_status_condition",
        help: "1 for the present status of each condition of a resource.",
        tell: |lines, summary| {
            let mut all = summary.conditions();
            all.try_for_each(|(kind, status)| lines.add(&[("type", kind), ("status", status)], 1))
        },
    },
    Family {
        name: "staticawscredentials_status_reason",
        help: "1 for the reason of a condition of a resource; reasons of a healthy resource, such as Published or IdentityVerified, are left out.",
        tell: |lines, summary| {
            let mut all = summary.reasons();
            all.try_for_each(|(kind, reason)| lines.add(&[("type", kind), ("reason", reason)], 1))
        },
    },
    Family {
        name: "staticawscredentials_last_verified_timestamp_seconds",
        help: "When AWS last accepted the published pair of a resource, in seconds since 1970.",
        tell: |lines, summary| summary.verified().map_or(Ok(()), |at| lines.add(&[], at)),
    },
    Family {
        name: "staticawscredentials_published_revision",
        help: "Number of pairs that were published for a resource.",
        tell: |lines, summary| summary.revision().map_or(Ok(()), |at| lines.add(&[], at)),
    },
];

impl Resources {
    /// Adds a source: a function that returns up to a number of resources after a key, or the first ones, in a stable
    /// order. Nothing removes a source: the scopes, which have one each, last as long as the process.
    pub fn add<F>(&self, listing: F)
    where
        F: Fn(Option<&NamespacedName>, usize) -> Page + Send + Sync + 'static,
    {
        lock(&self.listings).push(Arc::new(listing));
    }

    /// The metrics of all resources, page by page.
    pub(super) fn pages(&self) -> impl Iterator<Item = String> + Send + use<> {
        Pages {
            listings: lock(&self.listings).clone(),
            family: 0,
            listing: 0,
            last: None,
            begun: false,
        }
    }
}

impl fmt::Debug for Resources {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Resources")
    }
}

impl Iterator for Pages {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let family = FAMILIES.get(self.family)?;
        let mut text = String::new();
        if !std::mem::replace(&mut self.begun, true) {
            let (name, help) = (family.name, family.help);
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n");
        }
        let listing = self.listings.get(self.listing);
        let Some(listing) = listing else {
            self.family += 1;
            (self.listing, self.begun) = (0, false);
            return Some(text);
        };
        let page = listing(self.last.as_ref(), PAGE);
        for (key, summary) in &page {
            let name = family.name;
            let text = &mut text;
            // Writing to a string does not fail.
            let _ = (family.tell)(&mut Lines { text, name, key }, summary);
        }
        self.last = page.into_iter().next_back().map(|(key, _)| key);
        if self.last.is_none() {
            self.listing += 1;
        }
        Some(text)
    }
}

impl Lines<'_> {
    /// Names of Kubernetes objects hold no characters that would have to be escaped.
    fn add(&mut self, more: &[(&str, &str)], value: u32) -> fmt::Result {
        let (name, key) = (self.name, self.key);
        let (namespace, resource) = (&key.namespace, &key.name);
        write!(
            self.text,
            "{name}{{namespace=\"{namespace}\",name=\"{resource}\""
        )?;
        for (label, value) in more {
            write!(self.text, ",{label}=\"{value}\"")?;
        }
        writeln!(self.text, "}} {value}")
    }
}
