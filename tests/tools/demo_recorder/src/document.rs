//! The files of the repository that show the demo.

use std::{fs, path::Path};

use anyhow::{Context, Result};

use crate::{
    picture::picture,
    transcript::{Line, Transcript},
};

pub(crate) const RECORDING: &str = "docs/demo.cast";
const PICTURE: &str = "docs/demo.svg";
const PAGE: &str = "README.md";
const BEGIN: &str = "<!-- demo: begin -->\n";
const END: &str = "<!-- demo: end -->";

/// Writes the picture, and the text into the page.
pub(crate) fn write(root: &Path, transcript: &Transcript) -> Result<()> {
    fs::write(root.join(PICTURE), picture(transcript)?)?;
    let page = root.join(PAGE);
    let renewed = renewed(&fs::read_to_string(&page)?, transcript)?;
    Ok(fs::write(page, renewed)?)
}

/// The page with the text of a recording between its marks.
fn renewed(page: &str, transcript: &Transcript) -> Result<String> {
    let (before, rest) = page.split_once(BEGIN).context("the page has no begin")?;
    let (_, after) = rest.split_once(END).context("the page has no end")?;
    // The command is above the marks.
    let lines = transcript.lines.iter().skip(1).map(Line::text);
    let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
    let text = lines.join("\n");
    Ok(format!("{before}{BEGIN}\n```\n{text}\n```\n\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{recording::Recording, root};

    fn transcript() -> Result<Transcript> {
        Transcript::of(&Recording::read(&root().join(RECORDING))?)
    }

    fn read(file: &str) -> Result<String> {
        fs::read_to_string(root().join(file)).with_context(|| file.to_owned())
    }

    #[test]
    fn the_picture_is_that_of_the_recording() -> Result<()> {
        let fresh = read(PICTURE)? == picture(&transcript()?)?;
        assert!(
            fresh,
            "{PICTURE} is stale: `cargo record-demo --redraw` draws it"
        );
        Ok(())
    }

    #[test]
    fn the_text_in_the_readme_is_that_of_the_recording() -> Result<()> {
        let page = read(PAGE)?;
        let fresh = renewed(&page, &transcript()?)? == page;
        assert!(
            fresh,
            "{PAGE} is stale: `cargo record-demo --redraw` writes it"
        );
        Ok(())
    }

    #[test]
    fn a_page_without_marks_is_refused() -> Result<()> {
        assert!(renewed("# Title\n", &transcript()?).is_err());
        assert!(renewed(BEGIN, &transcript()?).is_err());
        Ok(())
    }
}
