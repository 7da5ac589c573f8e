//! The picture of the demo in the README: its steps are those of the program, and it needs nothing from elsewhere.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result, ensure};
use syn::{
    Expr, ExprLit, ExprMethodCall, ItemFn, Lit, Local, Pat,
    visit::{self, Visit},
};

use super::pages::{ROOT, files_below, page};

const PICTURE: &str = "docs/demo.svg";
const DEMO: &str = "tests/tools/cluster/src/bin/demo";

/// The titles of each step: a step can have several, of which the arguments of the demo decide.
type Steps = BTreeMap<u64, Vec<String>>;

#[test]
fn the_picture_shows_the_steps_that_the_demo_prints() -> Result<()> {
    let mut printed = Steps::new();
    for file in files_below(DEMO, "rs")? {
        for (number, titles) in steps_of(&file.text)? {
            printed.entry(number).or_default().extend(titles);
        }
    }
    ensure!(printed.len() > 8, "the steps are found: {printed:#?}");
    let shown = headings(&picture()?)?;
    let numbers = shown.iter().map(|(number, _)| number);
    ensure!(numbers.eq(printed.keys()), "{shown:#?}\n{printed:#?}");
    for (number, title) in &shown {
        let titles = printed.get(number).context("no such step")?;
        ensure!(
            titles.contains(title),
            "{PICTURE} is stale, `cargo record-demo` records it: step {number} is {title:?}, and the demo has {titles:?}"
        );
    }
    Ok(())
}

#[test]
fn a_step_that_is_printed_otherwise_is_found() -> Result<()> {
    let source = r#"
        fn one(screen: Screen) {
            screen.step(1, if args.aws { "A cluster" } else { "A cluster & moto" });
            let title = "Never mind";
        }
        fn two(screen: Screen) {
            let title = "A pod";
            screen.step(2, title);
        }"#;
    let steps = steps_of(source)?;
    let titles = |number: u64| steps.get(&number).map(|titles| titles.join(", "));
    ensure!(
        titles(1).as_deref() == Some("A cluster, A cluster & moto"),
        "{steps:?}"
    );
    ensure!(titles(2).as_deref() == Some("A pod"), "{steps:?}");
    ensure!(steps_of("fn f(s: S) { s.step(n, \"A title\"); }").is_err());
    let svg = r#"<text><tspan class="h">1  A cluster &amp; moto</tspan></text><text>2  no heading</text>"#;
    let shown = headings(svg)?;
    ensure!(shown == [(1, "A cluster & moto".to_owned())], "{shown:?}");
    Ok(())
}

#[test]
fn the_picture_is_complete_small_and_needs_nothing_from_elsewhere() -> Result<()> {
    let svg = picture()?;
    ensure!(svg.contains(">Every step held, in "), "the demo has failed");
    ensure!(svg.len() < 40_000, "{} bytes", svg.len());
    ensure!(svg.contains("prefers-reduced-motion"));
    let addresses = svg.matches("://").count();
    // The name of the format is an address.
    let format = svg.matches("xmlns=\"http://www.w3.org/2000/svg\"").count();
    ensure!(addresses == 1 && format == 1, "{addresses} addresses");
    for elsewhere in [
        "<script",
        "<image",
        "<foreignObject",
        "href",
        "url(",
        "@import",
        "@font-face",
    ] {
        ensure!(!svg.contains(elsewhere), "{elsewhere}");
    }
    let readme = page("README.md".into())?.text;
    ensure!(readme.contains(&format!("]({PICTURE})")), "no picture");
    Ok(())
}

fn picture() -> Result<String> {
    Ok(fs::read_to_string(Path::new(ROOT).join(PICTURE))?)
}

/// The numbers and titles of the headings in a picture.
fn headings(svg: &str) -> Result<Vec<(u64, String)>> {
    let parts = svg.split("<tspan class=\"h\">").skip(1);
    let heading = |part: &str| {
        let (text, _) = part.split_once("</tspan>").context("an open heading")?;
        let (number, title) = text.split_once("  ").context("no number")?;
        let title = title.replace("&lt;", "<").replace("&gt;", ">");
        Ok((number.parse()?, title.replace("&amp;", "&")))
    };
    parts.map(heading).collect()
}

fn steps_of(source: &str) -> Result<Steps> {
    let mut calls = Calls::default();
    calls.visit_file(&syn::parse_file(source)?);
    ensure!(calls.unknown == 0, "a step without a number or a title");
    Ok(calls.steps)
}

/// The calls of `step` in a source file.
#[derive(Default)]
struct Calls {
    steps: Steps,
    /// The texts of the variables in the current function.
    variables: BTreeMap<String, Vec<String>>,
    unknown: usize,
}

impl<'ast> Visit<'ast> for Calls {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.variables.clear();
        visit::visit_item_fn(self, function);
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if let (Pat::Ident(name), Some(init)) = (&local.pat, &local.init) {
            let texts = Texts::of(&init.expr);
            self.variables.insert(name.ident.to_string(), texts);
        }
        visit::visit_local(self, local);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let arguments: Vec<&Expr> = call.args.iter().collect();
        if let ("step", [number, title]) = (call.method.to_string().as_str(), arguments.as_slice())
        {
            let titles = match title {
                Expr::Path(path) => {
                    let name = path.path.get_ident().map(ToString::to_string);
                    name.and_then(|name| self.variables.get(&name).cloned())
                }
                other => Some(Texts::of(other)),
            };
            let number = match number {
                Expr::Lit(ExprLit {
                    lit: Lit::Int(number),
                    ..
                }) => number.base10_parse().ok(),
                _ => None,
            };
            match (number, titles.filter(|titles| !titles.is_empty())) {
                (Some(number), Some(titles)) => {
                    self.steps.entry(number).or_default().extend(titles);
                }
                _ => self.unknown += 1,
            }
        }
        visit::visit_expr_method_call(self, call);
    }
}

/// The texts in an expression.
#[derive(Default)]
struct Texts(Vec<String>);

impl Texts {
    fn of(expression: &Expr) -> Vec<String> {
        let mut texts = Self::default();
        texts.visit_expr(expression);
        texts.0
    }
}

impl<'ast> Visit<'ast> for Texts {
    fn visit_lit_str(&mut self, text: &'ast syn::LitStr) {
        self.0.push(text.value());
    }
}
