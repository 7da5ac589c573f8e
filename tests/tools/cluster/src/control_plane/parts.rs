//! The programs of a control plane.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::flags::Plan;
use crate::{
    binaries::{self, Binary, Release},
    certs::Authority,
    component::Component,
};

/// The programs, each of which can be stopped and started.
pub(super) struct Parts {
    pub(super) scheduler: Option<Component>,
    pub(super) controller_manager: Component,
    pub(super) api_server: Component,
    pub(super) etcd: Component,
}

/// Where the programs are.
pub(super) struct Programs {
    pub(super) kubectl: PathBuf,
    etcd: PathBuf,
    api_server: PathBuf,
    controller_manager: PathBuf,
    scheduler: Option<PathBuf>,
}

impl Parts {
    pub(super) fn new(programs: &Programs, plan: &Plan, authority: &Authority) -> Result<Self> {
        let part = |program: &Path, flags| {
            let name = program.file_name().unwrap_or_default();
            Component::new(&name.to_string_lossy(), program, flags, &plan.directory)
        };
        let scheduler = programs.scheduler.as_deref();
        let scheduler =
            scheduler.map(|program| anyhow::Ok(part(program, plan.scheduler(authority)?)));
        Ok(Self {
            scheduler: scheduler.transpose()?,
            controller_manager: part(
                &programs.controller_manager,
                plan.controller_manager(authority)?,
            ),
            api_server: part(&programs.api_server, plan.api_server()),
            etcd: part(&programs.etcd, plan.etcd()),
        })
    }

    pub(super) fn start_controllers(&self) -> Result<()> {
        self.controller_manager.start()?;
        self.scheduler.as_ref().map_or(Ok(()), Component::start)
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        // A graceful stop of the API server can take a minute, and these data are not read again.
        self.scheduler.iter().for_each(Component::kill_now);
        self.controller_manager.kill_now();
        self.api_server.kill_now();
        self.etcd.kill_now();
    }
}

/// Finds the programs, and builds missing ones. Blocks.
pub(super) fn programs(release: Release, scheduler: bool) -> Result<Programs> {
    let mut wanted = vec![Binary::Etcd, Binary::Kubectl];
    wanted.extend(scheduler.then_some(Binary::KubeScheduler));
    let mut found = binaries::find(&wanted)?.into_iter();
    let of_release = [Binary::KubeApiserver, Binary::KubeControllerManager];
    let mut of_release = binaries::find_of(release, &of_release)?.into_iter();
    let mut next = || found.next().context("a program was not found");
    Ok(Programs {
        etcd: next()?,
        kubectl: next()?,
        scheduler: next().ok(),
        api_server: of_release.next().context("no API server")?,
        controller_manager: of_release.next().context("no controller manager")?,
    })
}
