//! Faults of processes, watches, clocks and requests.

use std::rc::Rc;

use k8s_openapi::jiff::SignedDuration;
use static_aws_credentials::domain::{index::SecretVersion, resource::key_of};

use super::{
    NAMESPACE, World,
    process::Process,
    run::{Interrupted, mentions},
};

/// An action between two requests of a reconcile.
pub type Meanwhile = Rc<dyn Fn(&mut World)>;

/// Faults of requests.
#[derive(Clone, Default)]
pub struct Faults {
    /// The process ends after this number of requests.
    pub crash_after: Option<u32>,
    /// The response to a write is lost after this number of responses.
    pub lose_after: Option<u32>,
    /// An action after this number of requests.
    pub meanwhile: Option<(u32, Meanwhile)>,
}

impl World {
    /// Records a request before it is sent; the process may end instead.
    pub fn request(&mut self, request: String) -> Result<(), Interrupted> {
        match self.faults.meanwhile.take() {
            Some((0, happens)) => happens(self),
            Some((left, happens)) => self.faults.meanwhile = Some((left - 1, happens)),
            None => {}
        }
        if let Some(left) = &mut self.faults.crash_after {
            if *left == 0 {
                return Err(Interrupted::Crash);
            }
            *left -= 1;
        }
        self.log.push(request);
        Ok(())
    }

    /// The response to a write that the API server has stored; it may be lost.
    pub fn reply(&mut self) -> Result<(), Interrupted> {
        match self.faults.lose_after.take() {
            Some(0) => return Err(Interrupted::Lost),
            left => self.faults.lose_after = left.map(|left| left - 1),
        }
        Ok(())
    }

    /// The other replica becomes the leader. It enqueues all resources.
    pub fn take_over(&mut self) {
        self.swap();
        self.process.woken = self.process.watched.keys().cloned().collect();
    }

    /// The other replica continues with its own state. If there is none yet, it starts.
    pub fn swap(&mut self) {
        let before = if let Some(other) = self.other.take() {
            std::mem::replace(&mut self.process, *other)
        } else {
            let before = self.process.clone();
            self.restart();
            before
        };
        self.other = Some(Box::new(before));
    }

    /// The process ends and another starts, with an empty memory.
    pub fn restart(&mut self) {
        self.process = Process::new();
        self.process.watched = self.store.resources.clone();
        self.process.woken = self.process.watched.keys().cloned().collect();
        self.list_resources();
        self.list_secrets();
        self.process.has_listed_all(&self.store);
    }

    fn list_resources(&mut self) {
        let index = &mut self.process.index;
        for object in self.store.resources.values() {
            index.apply_resource(&key_of(object), mentions(object));
        }
    }

    /// The watch of Secrets breaks, and lists again.
    pub fn list_secrets(&mut self) {
        self.process.has_listed_secrets(&self.store);
        let index = &mut self.process.index;
        index.start_relist();
        for (name, secret) in &self.store.secrets {
            if let Some(seen) = SecretVersion::of(&secret.metadata) {
                index.list_secret(NAMESPACE, name, seen);
            }
        }
        let woken = index.finish_relist();
        self.process
            .woken
            .extend(woken.into_iter().map(|key| key.name.to_string()));
    }

    /// Changes the wall clock.
    pub fn set_clock(&mut self, by: SignedDuration) {
        self.wall_shift += by;
        self.clock_jumped = true;
    }
}
