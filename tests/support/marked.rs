//! Blocks of commands of a page. The comment above each block has its mark, and whether a test runs the commands.

use anyhow::{Context, Result, bail, ensure};

/// Fails unless each block of commands has its mark: these of blocks that a test runs, and these of the others.
pub fn are_marked(page: &str, tried: &[&str], not_tried: &[&str]) -> Result<()> {
    let (mut found, mut others) = (Vec::new(), Vec::new());
    let mut above = "";
    for line in page.lines() {
        if line == "```sh" {
            let comment = above.strip_prefix("<!-- ");
            let comment = comment.and_then(|rest| rest.strip_suffix(" -->"));
            match comment.and_then(|comment| comment.split_once(": ")) {
                Some(("tried", mark)) => found.push(mark),
                Some(("not tried", mark)) => others.push(mark),
                _ => bail!("a block of commands is under {above:?}"),
            }
        }
        above = line;
    }
    ensure!(found == tried, "these blocks are tried: {found:?}");
    ensure!(others == not_tried, "these are not: {others:?}");
    Ok(())
}

/// The commands with this mark.
pub fn commands<'a>(page: &'a str, mark: &str) -> Result<&'a str> {
    block(page, &format!("<!-- tried: {mark} -->\n```sh\n"))
}

/// The block that begins with these lines.
pub fn block<'a>(page: &'a str, begin: &str) -> Result<&'a str> {
    let rest = page.split_once(begin).map(|(_, rest)| rest);
    let block = rest.and_then(|rest| rest.split_once("```\n"));
    Ok(block
        .with_context(|| format!("the page lacks {begin:?}"))?
        .0)
}
