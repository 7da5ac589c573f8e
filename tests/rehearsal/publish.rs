//! The job `publish` on this machine.

use std::{fs, os::unix::fs::symlink, path::Path};

use anyhow::{Context, Error, Result, ensure};
use image::{Built, Platform, built_for};

use crate::{
    NAME, VERSION,
    terminal::{Script, Terminal, adapted},
    workflow::{self, Outputs},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// The folder of the job, in the place of a checkout.
const CHECKOUT: &str = "checkout";
/// The commit whose time the job reads, and the key pair in the place of the workflow's identity.
const PREPARATION: &str = r#"git init --quiet
git -c user.name=example -c user.email=example@example.com commit --quiet --allow-empty --message release
cosign generate-key-pair --output-key-prefix "$RUNNER_TEMP/cosign"
"#;
/// The flags in the place of the identity of a workflow. Nothing is written to a transparency log.
const BY_KEY: &str = r#"--key "$RUNNER_TEMP/cosign.key" --tlog-upload=false "#;

/// The published release.
pub struct Release {
    pub terminal: Terminal,
    /// The image of each platform.
    pub built: [(Platform, Built); 2],
    /// Registry and name of the image.
    pub image: String,
    /// The digest of the index of both architectures.
    pub digest: String,
}

impl Release {
    /// Builds the images, and runs the steps of the job.
    pub async fn publish() -> Result<Self> {
        let built = async |platform| {
            let built = tokio::task::spawn_blocking(move || built_for(platform)).await??;
            Ok::<_, Error>((platform, built))
        };
        let built = [built(Platform::Amd64).await?, built(Platform::Arm64).await?];
        let terminal = tokio::task::spawn_blocking(Terminal::open).await??;
        lay_out(&terminal, &built)?;
        let preparation = Script {
            title: "a key pair in the place of the workflow's identity",
            folder: CHECKOUT,
            variables: &[],
            commands: PREPARATION,
        };
        terminal.run(&preparation).await?;
        let outputs = run_steps(&terminal).await?;
        let pushed = outputs.get("push").context("no step has the ID push")?;
        let output = |key: &str| {
            let value = pushed.get(key).cloned();
            value.with_context(|| format!("the push has no output {key}"))
        };
        Ok(Self {
            image: output("repository")?,
            digest: output("digest")?,
            built,
            terminal,
        })
    }
}

async fn run_steps(terminal: &Terminal) -> Result<Outputs> {
    let counterparts = [
        ("ghcr.io", terminal.registry().to_owned()),
        ("cosign sign --yes ", format!("cosign sign --yes {BY_KEY}")),
        (
            "cosign attest --yes ",
            format!("cosign attest --yes {BY_KEY}"),
        ),
        (
            "helm registry login ",
            "helm registry login --plain-http ".to_owned(),
        ),
        ("helm push ", "helm push --plain-http ".to_owned()),
    ];
    let steps = workflow::steps()?;
    let commands = steps.iter().map(|step| step.run.clone()).collect();
    let commands = adapted(commands, &counterparts)?;
    for text in &commands {
        // An upload without a signature needs no identity.
        let uploads = text.matches("cosign upload ").count();
        let calls = text.matches("cosign ").count() - uploads;
        let with_key = text.matches(BY_KEY).count();
        ensure!(calls == with_key, "cosign would ask Sigstore:\n{text}");
    }
    let mut outputs = Outputs::new();
    for (step, commands) in steps.iter().zip(&commands) {
        let script = Script {
            title: &step.name,
            folder: CHECKOUT,
            variables: &step.variables(&outputs)?,
            commands,
        };
        terminal.run(&script).await?;
        let written = terminal.outputs()?;
        if let Some(id) = &step.id {
            outputs.insert(id.clone(), written);
        }
    }
    Ok(outputs)
}

/// Lays out the files that the job has checked out, or downloaded from the other jobs.
fn lay_out(terminal: &Terminal, built: &[(Platform, Built)]) -> Result<()> {
    let checkout = terminal.folder(CHECKOUT)?;
    for folder in ["charts", "crds", "tests"] {
        symlink(Path::new(ROOT).join(folder), checkout.join(folder))?;
    }
    let images = terminal.folder("checkout/images")?;
    for (platform, built) in built {
        let stem = format!("{NAME}-{VERSION}-linux-{}", platform.architecture());
        fs::copy(&built.archive, images.join(format!("{stem}.oci.tar")))?;
        fs::copy(&built.sbom, images.join(format!("{stem}.cdx.json")))?;
    }

    let program = terminal.folder("checkout/program")?.join("image");
    let script = format!("#!/bin/sh\ncd '{ROOT}' && exec cargo image \"$@\"\n");
    fs::write(program, script)?;
    Ok(())
}
