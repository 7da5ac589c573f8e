//! The classes of the cluster, and the resources that name them.

use std::sync::{Arc, Mutex};

use kube::{ResourceExt, runtime::watcher::Event};

use crate::{
    api::StaticAwsCredentials,
    domain::{
        class::{self, Class},
        lock::lock,
        place::Store,
        resource::ValidatedCredentials,
        verdict::Finding,
    },
    runtime::watched_class::WatchedClass,
    sts::TrustedCa,
};

/// The classes as last seen by their watch.
#[derive(Debug, Default)]
pub struct Classes {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Each class, or why it cannot be used. Classes are few.
    known: Vec<(String, Result<Class, Finding>)>,
    listing: Option<Vec<String>>,
    listed: Listed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Listed {
    /// The first list is awaited.
    #[default]
    Pending,
    /// The API server has no such kind, or does not let the operator list it.
    Denied,
    /// Every class is known.
    Complete,
}

/// The store of a class, or why the class cannot be used.
pub type Resolved = Result<Arc<Store>, Finding>;

impl Classes {
    /// The class of a resource; `None` until the classes are listed.
    #[must_use]
    pub fn resolve(&self, name: &str, namespace: &str) -> Option<Resolved> {
        let state = lock(&self.state);
        match state.get(name) {
            Some(Ok(class)) => Some(class.for_namespace(namespace)),
            Some(Err(finding)) => Some(Err(finding.clone())),
            None => match state.listed {
                Listed::Pending => None,
                Listed::Denied => Some(Err(class::not_listed(name))),
                Listed::Complete => Some(Err(class::not_found(name))),
            },
        }
    }

    /// A validated resource with its class; `None` until the classes are listed.
    ///
    /// # Errors
    /// A field of the spec holds a value that the schema would have rejected.
    pub fn validated(
        &self,
        object: &StaticAwsCredentials,
    ) -> Result<Option<ValidatedCredentials>, Finding> {
        let resource = ValidatedCredentials::parse(object)?;
        let Some(class) = &object.spec.class_ref else {
            return Ok(Some(resource));
        };
        let class = self.resolve(&class.name, &resource.key.namespace);
        Ok(class.map(|class| ValidatedCredentials {
            class: Some(class),
            ..resource
        }))
    }

    /// The keys of the places that the classes describe.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        let state = lock(&self.state);
        let usable = state
            .known
            .iter()
            .filter_map(|(_, class)| class.as_ref().ok());
        usable.map(|class| class.store.key()).collect()
    }

    /// Applies an event of the watch. Returns the names of the classes that changed or whose absence became known;
    /// `None` for all names.
    #[must_use]
    pub fn on_event(&self, event: Event<WatchedClass>) -> Option<Vec<String>> {
        lock(&self.state).on_event(event)
    }

    /// The API server denies the first list. Returns whether that is new.
    #[must_use]
    pub fn on_denied(&self) -> bool {
        let mut state = lock(&self.state);
        let is_new = state.listed == Listed::Pending;
        if is_new {
            state.listed = Listed::Denied;
        }
        is_new
    }
}

impl State {
    fn get(&self, name: &str) -> Option<&Result<Class, Finding>> {
        let known = self.known.iter().find(|(known, _)| known == name);
        known.map(|(_, class)| class)
    }

    fn on_event(&mut self, event: Event<WatchedClass>) -> Option<Vec<String>> {
        match event {
            Event::Init => {
                self.listing = Some(Vec::new());
                Some(Vec::new())
            }
            Event::InitApply(object) => {
                let name = object.name_any();
                if let Some(listing) = &mut self.listing {
                    listing.push(name.clone());
                }
                Some(self.record(object).then_some(name).into_iter().collect())
            }
            Event::InitDone => {
                let listing = self.listing.take().unwrap_or_default();
                let gone = self
                    .known
                    .extract_if(.., |(name, _)| !listing.contains(name))
                    .map(|(name, _)| name)
                    .collect();
                let was_complete = self.listed == Listed::Complete;
                self.listed = Listed::Complete;
                was_complete.then_some(gone)
            }
            Event::Apply(object) => {
                let name = object.name_any();
                Some(self.record(object).then_some(name).into_iter().collect())
            }
            Event::Delete(object) => {
                let name = object.name_any();
                let is_gone = |(known, _): &mut (String, _)| *known == name;
                let is_known = self.known.extract_if(.., is_gone).count() > 0;
                Some(is_known.then_some(name).into_iter().collect())
            }
        }
    }

    /// Records a class, and returns whether that changes something for its resources.
    fn record(&mut self, object: WatchedClass) -> bool {
        let name = object.name_any();
        let class = match object.0 {
            Ok(object) => Class::parse(&object).and_then(with_usable_ca),
            Err(invalid) => Err(class::undecodable(&name, &invalid.error)),
        };
        let known = self.known.iter_mut().find(|(known, _)| *known == name);
        let Some((_, known)) = known else {
            self.known.push((name, class));
            return true;
        };
        let is_new = *known != class;
        *known = class;
        is_new
    }
}

fn with_usable_ca(class: Class) -> Result<Class, Finding> {
    let Some(pem) = &class.store.ca_bundle else {
        return Ok(class);
    };
    match TrustedCa::from_pem(pem.clone().into_bytes()) {
        Ok(_) => Ok(class),
        Err(error) => Err(class::invalid(
            &class.store.class,
            "spec.endpoint.caBundle",
            &error.to_string(),
        )),
    }
}

#[cfg(test)]
mod tests;
