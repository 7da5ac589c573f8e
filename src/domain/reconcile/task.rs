//! The 2 tasks of a reconcile.

/// What a reconcile can do for a resource. Each task has timers and failures of its own, so that a restart that is
/// held up delays no proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Task {
    /// Prove the pair and publish it.
    Credentials,
    /// Follow the consumers after a rotation: who still holds the previous pair, which workloads are restarted.
    Consumers,
}

impl Task {
    /// Both tasks, in the order of their execution.
    pub const ALL: [Self; 2] = [Self::Credentials, Self::Consumers];
}

/// A value for each task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerTask<T> {
    /// That of [`Task::Credentials`].
    pub credentials: T,
    /// That of [`Task::Consumers`].
    pub consumers: T,
}

impl<T> PerTask<T> {
    /// A value for one task, and the default for the other.
    #[must_use]
    pub fn of(task: Task, value: T) -> Self
    where
        T: Default,
    {
        let mut all = Self::default();
        *all.get_mut(task) = value;
        all
    }

    /// The value of a task.
    #[must_use]
    pub const fn get(&self, task: Task) -> &T {
        match task {
            Task::Credentials => &self.credentials,
            Task::Consumers => &self.consumers,
        }
    }

    /// The value of a task, to change it.
    pub const fn get_mut(&mut self, task: Task) -> &mut T {
        match task {
            Task::Credentials => &mut self.credentials,
            Task::Consumers => &mut self.consumers,
        }
    }
}
