//! Links inside the repository.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::pages::{Page, ROOT, changelog, pages};

#[test]
fn every_link_inside_the_repository_leads_somewhere() -> Result<()> {
    let mut pages = pages()?;
    pages.push(changelog()?);
    let mut seen = 0;
    for page in &pages {
        for link in links(page) {
            if link.contains("://") {
                continue;
            }
            seen += 1;
            let place = format!("{}: ({link})", page.path.display());
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = resolve(&page.path, file);
            ensure!(
                Path::new(ROOT).join(&path).exists(),
                "{place}: no such file"
            );
            if anchor.is_empty() {
                continue;
            }
            let target = pages.iter().find(|other| other.path == path);
            let anchors = anchors(target.with_context(|| place.clone())?);
            ensure!(
                anchors.iter().any(|other| other == anchor),
                "{place}: there are {anchors:?}"
            );
        }
    }
    ensure!(seen > 30, "links are found: {seen}");
    Ok(())
}

#[test]
fn the_index_names_every_page_once() -> Result<()> {
    let pages = pages()?;
    let index = pages
        .iter()
        .find(|page| page.path == Path::new("docs/README.md"));
    let index = index.context("there is no docs/README.md")?;
    for page in &pages {
        let Ok(name) = page.path.strip_prefix("docs") else {
            continue;
        };
        let row = format!("| [{0}]({0}) |", name.display());
        let rows = index.text.matches(&row).count();
        ensure!(
            rows == usize::from(page.path != index.path),
            "{rows} of {row}"
        );
    }
    Ok(())
}

fn links(page: &Page) -> Vec<&str> {
    let lines = page.prose().into_iter();
    let ends = lines.flat_map(|line| line.split("](").skip(1));
    ends.filter_map(|rest| rest.split_once(')').map(|(link, _)| link))
        .collect()
}

fn resolve(page: &Path, link: &str) -> PathBuf {
    if link.is_empty() {
        return page.to_owned();
    }
    let mut path = page.parent().unwrap_or(Path::new("")).to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    path
}

/// Anchors that code hosts generate from headings.
fn anchors(page: &Page) -> Vec<String> {
    let mut anchors: Vec<String> = Vec::new();
    for line in page.prose() {
        let Some((level, heading)) = line.split_once(' ') else {
            continue;
        };
        if level.is_empty() || level.chars().any(|sign| sign != '#') {
            continue;
        }
        let kept = |sign: &char| sign.is_alphanumeric() || matches!(sign, ' ' | '-' | '_');
        let anchor: String = heading.to_lowercase().chars().filter(kept).collect();
        let anchor = anchor.replace(' ', "-");
        let before = anchors.iter().filter(|other| **other == anchor).count();
        anchors.push(match before {
            0 => anchor,
            number => format!("{anchor}-{number}"),
        });
    }
    anchors
}

#[test]
fn the_map_of_the_code_names_what_is_there() -> Result<()> {
    let pages = pages()?;
    let readme = pages
        .iter()
        .find(|page| page.path == Path::new("README.md"));
    let blocks = readme.context("there is no README.md")?.blocks();
    let map = blocks
        .iter()
        .find(|block| block.text.starts_with("src/api/"));
    let map = &map.context("README.md has no map")?.text;
    for line in map.lines() {
        let path = line.split(' ').next().unwrap_or_default();
        ensure!(Path::new(ROOT).join(path).exists(), "{line}");
    }
    for parts in ["src", "tests"] {
        for entry in std::fs::read_dir(Path::new(ROOT).join(parts))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // A suite is a program of its own, or a module of a program.
            let is_suite = |file: &&str| entry.path().join(file).exists();
            if ["main.rs", "mod.rs"].iter().any(is_suite) {
                ensure!(map.contains(&format!("{parts}/{name}/")), "{parts}/{name}");
            }
        }
    }
    Ok(())
}
