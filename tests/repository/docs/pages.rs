//! The pages and their parts, and the YAML files of the repository.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");
pub const CHART: &str = "charts/static-aws-credentials";

/// A page, with its path in the repository.
pub struct Page {
    pub path: PathBuf,
    pub text: String,
}

/// A fenced block: its language, the comment above it, its text.
pub struct Block {
    pub page: PathBuf,
    pub language: String,
    pub mark: Option<String>,
    pub text: String,
}

/// The README, the pages for contributors, the chart's README, and all pages of `docs/`.
pub fn pages() -> Result<Vec<Page>> {
    let mut paths = vec![
        PathBuf::from("README.md"),
        PathBuf::from("CONTRIBUTING.md"),
        PathBuf::from(".github/CODE_OF_CONDUCT.md"),
        PathBuf::from(".github/SECURITY.md"),
        PathBuf::from(CHART).join("README.md"),
    ];
    for entry in fs::read_dir(Path::new(ROOT).join("docs"))? {
        let path = Path::new("docs").join(entry?.file_name());
        if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
    paths.sort();
    ensure!(paths.len() > 9, "the pages are found");
    paths.into_iter().map(page).collect()
}

/// The page at this path.
pub fn page(path: PathBuf) -> Result<Page> {
    let text = fs::read_to_string(Path::new(ROOT).join(&path))?;
    Ok(Page { path, text })
}

/// The changelog. It is not among [`pages`], whose names must exist: an entry keeps the names of its time.
pub fn changelog() -> Result<Page> {
    page(PathBuf::from("CHANGELOG.md"))
}

/// The files below a folder of the repository whose names have this extension.
pub fn files_below(folder: &str, extension: &str) -> Result<Vec<Page>> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(Path::new(ROOT).join(&folder))? {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(page(path)?);
            }
        }
    }
    Ok(files)
}

/// All fenced blocks of all pages.
pub fn blocks() -> Result<Vec<Block>> {
    Ok(pages()?.iter().flat_map(Page::blocks).collect())
}

impl Page {
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<(Block, usize)> = None;
        let mut mark = None;
        for line in self.text.lines() {
            let inner = line.trim_start();
            if let Some(language) = inner.strip_prefix("```") {
                if let Some((block, _)) = open.take() {
                    blocks.push(block);
                } else {
                    let block = Block {
                        page: self.path.clone(),
                        language: language.to_owned(),
                        mark: mark.take(),
                        text: String::new(),
                    };
                    open = Some((block, line.len() - inner.len()));
                }
            } else if let Some((block, indent)) = &mut open {
                block.text += line.get(*indent..).unwrap_or_default();
                block.text.push('\n');
            } else {
                let comment = inner.strip_prefix("<!-- tried: ");
                let comment = comment.and_then(|rest| rest.strip_suffix(" -->"));
                mark = comment.map(str::to_owned);
            }
        }
        blocks
    }

    /// The lines outside of blocks.
    pub fn prose(&self) -> Vec<&str> {
        let lines = self.numbered_prose().into_iter();
        lines.map(|(_, line)| line).collect()
    }

    /// The lines outside of blocks, each with its number in the page.
    pub fn numbered_prose(&self) -> Vec<(usize, &str)> {
        let mut inside = false;
        let mut prose = Vec::new();
        for (number, line) in (1..).zip(self.text.lines()) {
            if line.trim_start().starts_with("```") {
                inside = !inside;
            } else if !inside {
                prose.push((number, line));
            }
        }
        prose
    }

    /// Tables in the prose, each as a list of rows.
    pub fn tables(&self) -> Vec<Vec<&str>> {
        let mut tables = Vec::new();
        let mut open: Vec<&str> = Vec::new();
        for line in self.prose() {
            if line.trim_start().starts_with('|') {
                open.push(line.trim());
            } else if !open.is_empty() {
                tables.push(std::mem::take(&mut open));
            }
        }
        tables.extend((!open.is_empty()).then_some(open));
        tables
    }

    /// Texts between backticks in the prose.
    pub fn spans(&self) -> Vec<&str> {
        let lines = self.prose().into_iter();
        lines
            .flat_map(|line| line.split('`').skip(1).step_by(2))
            .collect()
    }
}

/// With `UPDATE_DOCS=1`, replaces the text between two marks of a page; fails if it is out of date.
pub fn fresh(path: &str, name: &str, content: &str) -> Result<()> {
    let file = Path::new(ROOT).join(path);
    let text = fs::read_to_string(&file)?;
    let (begin, end) = (
        format!("<!-- {name}: begin -->\n"),
        format!("<!-- {name}: end -->"),
    );
    let (before, rest) = text.split_once(&begin).context(begin.clone())?;
    let (_, after) = rest.split_once(&end).context(end.clone())?;
    written(path, &format!("{before}{begin}{content}{end}{after}"))
}

/// The same for a whole page.
pub fn written(path: &str, content: &str) -> Result<()> {
    let file = Path::new(ROOT).join(path);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, content)?;
    }
    ensure!(
        fs::read_to_string(&file).unwrap_or_default() == content,
        "{path} is stale: `UPDATE_DOCS=1 cargo test --test repository docs::` writes it again"
    );
    Ok(())
}

/// A YAML file of the repository.
pub fn parsed(path: &Path) -> Result<Value> {
    let content = fs::read_to_string(Path::new(ROOT).join(path))?;
    serde_saphyr::from_str(&content).with_context(|| path.display().to_string())
}

/// The text of a value, or nothing.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
