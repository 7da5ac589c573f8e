//! kstatus, by which Flux, Helm 4 and `kubectl apply --prune` of cli-utils determine whether an
//! object is ready: the copy of Flux and that of cli-utils.

use std::sync::Arc;

use anyhow::Result;
use serde_json::Value;

use crate::{
    gitops::{
        argo_cd,
        readers::read,
        test_cluster::{TestCluster, folder},
    },
    suite::tests,
};

tests![
    kstatus_knows_every_state_of_a_live_object,
    kstatus_knows_every_state_in_the_test_data,
];

async fn kstatus_knows_every_state_of_a_live_object(test_cluster: Arc<TestCluster>) -> Result<()> {
    let states = test_cluster.states().await?;
    let objects: Vec<&Value> = states.iter().map(|state| &state.object).collect();
    let computed = read(&["status"], &objects).await?;
    for (state, computed) in states.iter().zip(computed) {
        assert_eq!(
            computed["flux"], state.kstatus,
            "{}: {computed}",
            state.name
        );
        assert_eq!(
            computed["cliUtils"], state.kstatus,
            "{}: {computed}",
            state.name
        );
    }
    Ok(())
}

/// The name of each file gives its Argo CD health, and so the expected kstatus status.
async fn kstatus_knows_every_state_in_the_test_data(test_cluster: Arc<TestCluster>) -> Result<()> {
    test_cluster.test_data().await?;
    let mut files: Vec<_> = std::fs::read_dir(folder(argo_cd::DIRECTORY).join("testdata"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    assert!(files.len() >= 12, "{files:?}");
    for file in files {
        let object: Value = serde_saphyr::from_str(&std::fs::read_to_string(&file)?)?;
        let name = file
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let expected = match name.split_once('_') {
            _ if name == "progressing_deleting" => "Terminating",
            _ if name == "suspended_stalled" => "Failed",
            Some(("progressing", _)) => "InProgress",
            Some(("degraded", _)) => "Failed",
            _ => "Current",
        };
        let computed = read(&["status"], &[&object]).await?;
        assert_eq!(computed[0]["flux"], expected, "{name}: {computed:?}");
        assert_eq!(computed[0]["cliUtils"], expected, "{name}: {computed:?}");
    }
    Ok(())
}
