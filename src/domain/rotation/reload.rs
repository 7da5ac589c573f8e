//! How a pod that uses a Secret gets new content of it.

use std::collections::BTreeMap;

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};

use super::{
    pod::{Container, Mount, Pod, Spec, Variable},
    volume::Named,
};
use crate::api::{INJECT_ANNOTATION, PROCESS_CONFIG, ROTATION_ANNOTATION};

/// How a pod that may hold a previous key pair gets the present one. The worst comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReloadMode {
    /// By itself: its SDKs call the helper again and again.
    Reloads,
    /// By itself, but the pod is not ready, so it is unknown whether it does.
    Unknown,
    /// By a restart.
    NeedsRestart,
}

/// SDKs read the config file that the first one names; old SDKs read the file of the second one.
const FILE_VARIABLES: [&str; 2] = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];
/// Variables that SDKs prefer to the config file.
const SHADOWING_VARIABLES: [&str; 5] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_ACCESS_KEY",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
];

/// How a pod gets the content that a Secret has had since some time. `None` if the pod does not use the Secret,
/// or started later and surely holds that content.
#[must_use]
pub fn reload_mode(pod: &Pod, secret: &str, since: Timestamp) -> Option<ReloadMode> {
    if pod.has_ended() {
        return None;
    }
    let is_older = |started: Option<&Time>| started.is_none_or(|started| started.0 <= since);
    let older = pod.running().filter(|(_, started)| is_older(*started));
    let uses =
        older.filter_map(|(container, _)| container_reload_mode(&pod.spec, container, secret));
    let copied = is_copied(pod, secret, &is_older).then_some(ReloadMode::NeedsRestart);
    let driver = is_held_by_driver(pod, secret, since).then_some(ReloadMode::NeedsRestart);
    let worst = uses.chain(copied).chain(driver).max()?;
    if worst == ReloadMode::Reloads && !pod.is_ready() {
        return Some(ReloadMode::Unknown);
    }
    Some(worst)
}

/// Whether a container may hold a copy that another container wrote. A copy outlives the container that made it;
/// and a container that has run since before a newer copy was made has read the older one. The reported state
/// of a finished init container may change or vanish while the pod runs.
fn is_copied(pod: &Pod, secret: &str, is_older: &impl Fn(Option<&Time>) -> bool) -> bool {
    let is_running = pod.running().next().is_some();
    let mut writers = pod.spec.all().filter_map(|container| {
        let mode = container_reload_mode(&pod.spec, container, secret)?;
        Some((container, mode, pod.state(container)))
    });
    writers.any(|(writer, mode, state)| {
        let running = state.and_then(|state| state.running.as_ref());
        if running.is_some() && mode == ReloadMode::Reloads {
            return false;
        }
        let wrote = running.or_else(|| state?.terminated.as_ref());
        let wrote_before = match wrote {
            Some(wrote) => is_older(wrote.started_at.as_ref()),
            None => is_running && is_older(pod.status.start_time.as_ref()),
        };
        let mut readers = readers(&pod.spec, writer);
        readers.any(|reader| {
            let state = pod.state(reader);
            let running = state.and_then(|state| state.running.as_ref());
            wrote_before
                || running.is_some_and(|reader_state| is_older(reader_state.started_at.as_ref()))
        })
    })
}

/// The other containers that can read what a container writes.
fn readers<'a>(spec: &'a Spec, writer: &'a Container) -> impl Iterator<Item = &'a Container> {
    let others = spec.all().filter(|other| other.name != writer.name);
    others.filter(|other| {
        let mut shared = writer.writes().filter(|name| {
            let mut volumes = spec.volumes.iter();
            volumes.any(|volume| volume.name == *name && volume.is_writable())
        });
        shared.any(|name| other.volumes().any(|volume| volume == name))
    })
}

/// Whether the driver of a volume got the Secret when the pod started. Containers that start later get the same
/// volume.
fn is_held_by_driver(pod: &Pod, secret: &str, since: Timestamp) -> bool {
    let started = match &pod.status.start_time {
        Some(started) => started.0 <= since,
        None => pod.running().next().is_some(),
    };
    started && is_passed_to_driver(&pod.spec, secret)
}

/// Whether a driver gets the Secret. The kubelet makes only volumes that some container uses.
fn is_passed_to_driver(spec: &Spec, secret: &str) -> bool {
    let mut volumes = spec
        .volumes
        .iter()
        .filter(|volume| volume.is_passed_to_driver(secret));
    volumes.any(|volume| {
        let mut used = spec.all().flat_map(Container::volumes);
        used.any(|name| name == volume.name)
    })
}

/// How the pods of a template get the content of a Secret, if they use it. Injection changes the pods, not the
/// template, so its annotations are read instead.
pub(super) fn template_reload_mode(
    annotations: &BTreeMap<String, String>,
    spec: &Spec,
    secret: &str,
) -> Option<ReloadMode> {
    let has = |name: &str, value: &str| annotations.get(name).is_some_and(|found| found == value);
    let injected = has(INJECT_ANNOTATION, secret).then(|| {
        if has(ROTATION_ANNOTATION, "Hot") {
            ReloadMode::Reloads
        } else {
            ReloadMode::NeedsRestart
        }
    });
    let containers = spec.containers.iter().chain(&spec.init_containers);
    let uses = containers.filter_map(|container| container_reload_mode(spec, container, secret));
    let driver = is_passed_to_driver(spec, secret).then_some(ReloadMode::NeedsRestart);
    uses.chain(injected).chain(driver).max()
}

fn container_reload_mode(spec: &Spec, container: &Container, secret: &str) -> Option<ReloadMode> {
    let by_environment = container
        .env
        .iter()
        .any(|variable| reads_secret(variable, secret))
        || container
            .env_from
            .iter()
            .any(|all| refers_to(all.secret_ref.as_ref(), secret));
    let mounts = || {
        let mounts = container.volume_mounts.iter();
        mounts.filter(|mount| mounts_secret(spec, mount, secret))
    };
    if by_environment {
        return Some(ReloadMode::NeedsRestart);
    }
    mounts().next()?;
    let is_whole_volume =
        |mount: &&Mount| mount.sub_path.is_none() && mount.sub_path_expr.is_none();
    let uses_helper = |mount: &Mount| {
        let file = format!("{}/{PROCESS_CONFIG}", mount.path.trim_end_matches('/'));
        FILE_VARIABLES
            .iter()
            .all(|name| value(container, name) == Some(&file))
    };
    let shadowed = container
        .env
        .iter()
        .any(|variable| SHADOWING_VARIABLES.contains(&variable.name.as_str()));
    let reloads =
        mounts().all(|mount| is_whole_volume(&mount)) && mounts().any(uses_helper) && !shadowed;
    Some(if reloads {
        ReloadMode::Reloads
    } else {
        ReloadMode::NeedsRestart
    })
}

fn reads_secret(variable: &Variable, secret: &str) -> bool {
    let from = variable.value_from.as_ref();
    refers_to(from.and_then(|from| from.secret_key_ref.as_ref()), secret)
}

fn refers_to(reference: Option<&Named>, secret: &str) -> bool {
    reference.is_some_and(|reference| reference.name.as_deref() == Some(secret))
}

/// Of several variables with the same name the last one counts.
fn value<'a>(container: &'a Container, name: &str) -> Option<&'a String> {
    let mut variables = container.env.iter().rev();
    variables.find(|one| one.name == name)?.value.as_ref()
}

fn mounts_secret(spec: &Spec, mount: &Mount, secret: &str) -> bool {
    let mut volumes = spec.volumes.iter();
    volumes.any(|volume| {
        let direct = volume.secret.as_ref();
        let projected = volume.projected.iter().flat_map(|all| &all.sources);
        volume.name == mount.name
            && (direct.is_some_and(|direct| direct.secret_name.as_deref() == Some(secret))
                || projected
                    .into_iter()
                    .any(|source| refers_to(source.secret.as_ref(), secret)))
    })
}
