//! Builds the archive from the sources, and skips steps whose results are up to date.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result};

use crate::{
    audit,
    cargo::{self, Compiled, HELPER, Metadata, NAME, Surroundings},
    licenses,
    oci::{self, Image, digest},
    origin::Origin,
    parts,
    platform::Platform,
    sbom,
    toolchain::Toolchain,
    trust,
};

/// An existing archive to use instead of building one.
const GIVEN: &str = "STATIC_AWS_CREDENTIALS_IMAGE";

/// The built image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// The OCI archive.
    pub archive: PathBuf,
    /// The bill of materials beside it, CycloneDX in JSON.
    pub sbom: PathBuf,
    /// The image's reference, as containerd stores it.
    pub name: String,
    /// The digest of its manifest.
    pub digest: String,
}

/// The place where an image is built: its archive is in the target directory.
pub(crate) struct Place {
    pub(crate) surroundings: Surroundings,
    pub(crate) origin: Origin,
    pub(crate) tools: Toolchain,
}

/// The image of this workspace for this machine: see [`built_for`].
///
/// # Errors
/// When it cannot be built.
pub fn built() -> Result<Built> {
    built_for(Platform::own()?)
}

/// The image of this workspace for a platform. It is built if it is missing or stale, which takes some minutes the
/// first time; processes that want it at the same time wait for each other. For this machine, the environment can name
/// an archive instead; for another platform, the compilers are Debian's. Blocks.
///
/// # Errors
/// When it cannot be built.
pub fn built_for(platform: Platform) -> Result<Built> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let metadata = cargo::metadata(&workspace, platform)?;
    let is_own = Platform::own().is_ok_and(|own| own == platform);
    if let Some(given) = std::env::var_os(GIVEN).filter(|_| is_own) {
        return given_archive(Path::new(&given), &version(&metadata)?);
    }
    let place = Place {
        surroundings: Surroundings {
            workspace: metadata.workspace_root.clone(),
            target: metadata.target_directory.join("image"),
            cargo_home: cargo::home()?,
            variables: Vec::new(),
        },
        tools: Toolchain::of(platform)?,
        origin: Origin::of(&metadata.workspace_root)?,
    };
    build(&place, &metadata)
}

fn given_archive(archive: &Path, version: &str) -> Result<Built> {
    eprintln!("image: {GIVEN} says to use {}", archive.display());
    Ok(Built {
        archive: archive.to_owned(),
        sbom: beside(archive),
        name: name(version),
        digest: crate::read::digest(archive)?,
    })
}

fn beside(archive: &Path) -> PathBuf {
    let file = archive.file_name().unwrap_or_default().to_string_lossy();
    archive.with_file_name(file.replace(".oci.tar", ".cdx.json"))
}

/// The reference of one version. Without a registry, a reference means Docker's, and containerd stores it so.
fn name(version: &str) -> String {
    format!("docker.io/library/{NAME}:{version}")
}

fn version(metadata: &Metadata) -> Result<String> {
    let mut packages = metadata.packages.iter();
    let operator = packages.find(|package| package.name == NAME && package.source.is_none());
    let operator = operator.context("the workspace has no operator")?;
    Ok(operator.version.clone())
}

/// Builds the image at a place.
pub(crate) fn build(place: &Place, metadata: &Metadata) -> Result<Built> {
    let directory = &place.surroundings.target;
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let _lock = lock(&directory.join("lock"))?;
    let platform = place.tools.platform;
    if !directory.join(platform.triple()).exists() {
        eprintln!(
            "image: compiling the operator for release; about 6 min on two cores the first time"
        );
    }
    let compiled = cargo::build(&place.surroundings, &place.tools)?;
    let version = version(metadata)?;
    let stem = format!("{NAME}-{version}-linux-{}", platform.architecture());
    let archive = directory.join(format!("{stem}.oci.tar"));
    let stamp = directory.join(format!("{stem}.stamp"));
    let key = key(place, &compiled)?;
    if let Some(digest) = stamped(&stamp, &key).filter(|_| archive.is_file()) {
        return Ok(Built {
            sbom: beside(&archive),
            archive,
            name: name(&version),
            digest,
        });
    }
    let built = assemble(place, metadata, &compiled, archive)?;
    fs::write(stamp, format!("{key}\n{}\n", built.digest))?;
    Ok(built)
}

/// A hash of everything that the archive is made from.
fn key(place: &Place, compiled: &Compiled) -> Result<String> {
    let mut all = Vec::new();
    let workspace = &place.surroundings.workspace;
    let own = workspace.join("tests/tools/image");
    let mut files = vec![
        compiled.binary.clone(),
        compiled.helper.clone(),
        workspace.join("Cargo.lock"),
        own.join("Cargo.toml"),
    ];
    let sources = fs::read_dir(own.join("src"))?;
    files.extend(sources.flatten().map(|entry| entry.path()));
    files.sort();
    for file in files {
        all.extend(digest(&fs::read(&file)?).into_bytes());
    }
    all.extend(format!("{:?}", place.origin).into_bytes());
    Ok(digest(&all))
}

/// The digest of the image that was made from exactly this.
fn stamped(stamp: &Path, key: &str) -> Option<String> {
    let text = fs::read_to_string(stamp).ok()?;
    let (made_from, digest) = text.trim().split_once('\n')?;
    (made_from == key).then(|| digest.to_owned())
}

fn assemble(
    place: &Place,
    metadata: &Metadata,
    compiled: &Compiled,
    archive: PathBuf,
) -> Result<Built> {
    let start = Instant::now();
    let Surroundings {
        workspace,
        target: directory,
        ..
    } = &place.surroundings;
    let version = version(metadata)?;
    let parts = parts::all(metadata, compiled, &place.tools)?;
    let audited = audit::embed(&compiled.binary, &parts, directory, &place.tools)?;
    let binary = fs::read(audited)?;
    let helper = fs::read(&compiled.helper)?;
    let bill = sbom::text(&parts, &binary, &helper, &place.origin)?;
    let sbom = beside(&archive);
    fs::write(&sbom, &bill)?;
    let file = |path: &str, content: Vec<u8>| oci::File {
        path: path.to_owned(),
        is_program: [NAME, HELPER].contains(&path),
        content,
    };
    let own_license = fs::read(workspace.join("LICENSE"))?;
    let image = Image {
        name: name(&version),
        architecture: place.tools.platform.architecture().to_owned(),
        entrypoint: vec![format!("/{NAME}")],
        labels: labels(&version, &place.origin),
        created: Some(place.origin.created.clone()),
        files: vec![
            file(NAME, binary),
            file(HELPER, helper),
            file(trust::PATH, trust::roots().into_bytes()),
            file("licenses/LICENSE", own_license),
            file(licenses::PATH, licenses::text(&parts)?.into_bytes()),
            file(&format!("sbom/{NAME}.cdx.json"), bill.into_bytes()),
        ],
    };
    let digest = oci::write(&archive, &image)?;
    eprintln!(
        "image: {} in {:.1} s",
        archive.display(),
        start.elapsed().as_secs_f64()
    );
    Ok(Built {
        archive,
        sbom,
        name: image.name,
        digest,
    })
}

fn labels(version: &str, origin: &Origin) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::from(
        [
            ("title", NAME),
            (
                "description",
                "A Kubernetes operator that proves an AWS key pair before a pod may mount it",
            ),
            ("version", version),
            ("licenses", "Apache-2.0"),
            ("created", &origin.created),
        ]
        .map(|(name, value)| (label(name), value.to_owned())),
    );
    let known = [("revision", &origin.revision), ("source", &origin.source)];
    let known = known
        .into_iter()
        .filter_map(|(name, value)| Some((label(name), value.clone()?)));
    labels.extend(known);
    labels
}

fn label(name: &str) -> String {
    format!("org.opencontainers.image.{name}")
}

fn lock(path: &Path) -> Result<File> {
    let file = File::create(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            eprintln!("image: waiting for another process that builds it");
            file.lock()?;
        }
        Err(TryLockError::Error(error)) => return Err(error).context("cannot lock the image"),
    }
    Ok(file)
}
