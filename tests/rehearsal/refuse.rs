//! Images under tags of the release that are not the released ones. The verification of docs/verify.md refuses them.

use std::sync::Arc;

use anyhow::{Result, ensure};

use crate::{
    TestCluster,
    publish::Release,
    suite::tests,
    verify::{block, fail, run, with_names},
};

tests![an_image_that_was_not_signed_by_the_release_is_refused];

/// An image without a signature.
const CHANGE: &str = r#"crane mutate "$image:$version-amd64" --entrypoint /changed --tag "$image:$version"
"#;
/// A signature of another image, moved to the image under the tag.
const MOVE_SIGNATURE: &str = r#"crane copy "$(cosign triangulate "$image@SIGNED")" \
  "$(cosign triangulate "$image@$digest")"
"#;
/// A signature with another key.
const SIGN: &str = r#"cosign generate-key-pair --output-key-prefix "$RUNNER_TEMP/other"
cosign sign --yes --key "$RUNNER_TEMP/other.key" --tlog-upload=false "$image@$digest"
"#;
/// The image without an attestation. The page verifies the bill of materials of this architecture.
const TAG: &str = r#"crane tag "$image@$digest" "$version-amd64"
"#;

async fn an_image_that_was_not_signed_by_the_release_is_refused(
    release: Arc<TestCluster>,
) -> Result<()> {
    let moved = MOVE_SIGNATURE.replace("SIGNED", &release.digest);
    for (title, commands, mark, refusal) in [
        (
            "another image under the tag",
            CHANGE.to_owned(),
            "signatures",
            "no signatures found",
        ),
        (
            "the signature of the release beside that image",
            moved,
            "signatures",
            "invalid or missing digest in claim",
        ),
        (
            "a signature with another key",
            SIGN.to_owned(),
            "signatures",
            "invalid signature when validating",
        ),
        (
            "that image under the tag of an architecture",
            TAG.to_owned(),
            "bill",
            "no matching attestations",
        ),
    ] {
        run(&release, title, &with_names(&release, &commands)?).await?;
        is_refused(&release, mark, title, refusal).await?;
    }
    let signed = &release.digest;
    let restore = format!("crane tag \"$image@{signed}\" \"$version\"\n");
    let restore = with_names(&release, &restore)?;
    run(&release, "the tag of the release again", &restore).await?;
    let verified = block(&release, "signatures")?;
    let title = "docs/verify.md: signatures, once more";
    run(&release, title, &verified).await.map(drop)
}

async fn is_refused(release: &Release, mark: &str, what: &str, refusal: &str) -> Result<()> {
    let title = format!("docs/verify.md: {mark}, {what}");
    let output = fail(release, &title, &block(release, mark)?).await?;
    ensure!(
        output.contains(refusal),
        "{what}: no {refusal:?}:\n{output}"
    );
    Ok(())
}
