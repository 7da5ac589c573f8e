//! Imports between modules: a layer imports only from lower layers, and imports of modules form no cycle.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};

use super::{File, files};

/// Layers from the lowest to the highest.
const LAYERS: [&str; 8] = [
    "api", "domain", "error", "sts", "s3", "ops", "runtime", "cli",
];

/// A module as the names of its path below the crate, such as `["domain", "decide"]`.
type Module = Vec<String>;

/// The paths in a file, as written: `["crate", "domain", "decide", "Step"]`.
#[derive(Default)]
struct Paths(BTreeSet<Vec<String>>);

impl Paths {
    fn of(text: &str) -> Self {
        let mut paths = Self::default();
        paths.visit_file(&syn::parse_file(text).unwrap());
        paths
    }

    fn tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |ident: &dyn ToString| [before, &[ident.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => _ = self.0.insert(with(&name.ident)),
            syn::UseTree::Rename(name) => _ = self.0.insert(with(&name.ident)),
            syn::UseTree::Glob(_) => _ = self.0.insert(before.to_vec()),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.tree(before, item));
            }
        }
    }

    /// Collects paths from the arguments of a macro, which are tokens, not syntax.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.0.insert(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                other => {
                    self.0.insert(std::mem::take(&mut path));
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.0.insert(path);
    }
}

impl Visit<'_> for Paths {
    fn visit_item_use(&mut self, item: &syn::ItemUse) {
        self.tree(&[], &item.tree);
    }

    fn visit_path(&mut self, path: &syn::Path) {
        let names = path.segments.iter().map(|one| one.ident.to_string());
        self.0.insert(names.collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &syn::Macro) {
        self.tokens(call.tokens.clone());
    }
}

/// The files of the crate by module, without those of the binaries.
fn modules() -> BTreeMap<Module, File> {
    let files = files().into_iter();
    let is_package = |file: &File| {
        ["bin/", "patches/"]
            .iter()
            .any(|folder| file.path.starts_with(folder))
    };
    let files = files.filter(|file| !is_package(file) && file.path != "main.rs");
    let module = |file: File| {
        let path = file.path.strip_suffix(".rs")?;
        let path = path.trim_end_matches("/mod");
        let names = path.split('/').filter(|name| *name != "lib");
        Some((names.map(str::to_owned).collect(), file))
    };
    files.filter_map(module).collect()
}

/// The module that a path refers to, if it belongs to the crate.
fn target(from: &Module, path: &[String], all: &BTreeMap<Module, File>) -> Option<Module> {
    let mut names = path.iter().peekable();
    let mut module = from.clone();
    match names.peek()?.as_str() {
        "crate" => {
            names.next();
            module.clear();
        }
        "self" => _ = names.next(),
        "super" => {
            while names.next_if(|name| *name == "super").is_some() {
                module.pop();
            }
        }
        first => {
            let child = [from.as_slice(), &[first.to_owned()]].concat();
            all.get(&child)?;
        }
    }
    for name in names {
        let child = [module.as_slice(), std::slice::from_ref(name)].concat();
        if !all.contains_key(&child) {
            break;
        }
        module = child;
    }
    Some(module)
}

/// Pairs of a module and a module that it imports.
fn imports() -> BTreeSet<(Module, Module)> {
    let all = modules();
    let mut found = BTreeSet::new();
    for (module, file) in &all {
        for path in Paths::of(&file.text).0 {
            let to = target(module, &path, &all).filter(|to| to != module);
            found.extend(to.map(|to| (module.clone(), to)));
        }
    }
    assert!(found.len() > 300, "{} imports are found", found.len());
    found
}

fn layer(module: &Module) -> Option<usize> {
    let name = module.first()?;
    let place = LAYERS.iter().position(|layer| layer == name);
    Some(place.unwrap_or_else(|| panic!("{name} is in no layer")))
}

#[test]
fn no_layer_imports_from_a_layer_above_it() {
    for (from, to) in imports() {
        let (Some(lower), Some(upper)) = (layer(&from), layer(&to)) else {
            continue;
        };
        assert!(upper <= lower, "{from:?} imports from {to:?}");
    }
}

#[test]
fn modules_of_one_folder_import_each_other_in_no_circle() {
    let mut folders: BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (from, to) in imports() {
        let shared = from.iter().zip(&to).take_while(|(one, other)| one == other);
        let depth = shared.count();
        // A module and its child belong together.
        if let (Some(one), Some(other)) = (from.get(depth), to.get(depth)) {
            let folder = folders.entry(from[..depth].to_vec()).or_default();
            folder.entry(one.clone()).or_default().insert(other.clone());
        }
    }
    for (folder, imports) in folders {
        assert_eq!(circle(imports), None, "in {folder:?}");
    }
}

/// The modules that remain after repeatedly removing modules without an import of a remaining one.
fn circle(mut imports: BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    loop {
        let left: BTreeSet<String> = imports.keys().cloned().collect();
        let before = imports.len();
        imports.retain(|_, names| !names.is_disjoint(&left));
        if imports.len() == before {
            return (before > 0).then(|| left.into_iter().collect());
        }
    }
}

#[test]
fn imports_are_found_in_declarations_in_code_and_in_macros() {
    let text = "
        use crate::{a::{b, c as d}, e::*};
        fn f() { crate::g::h(super::i::J); tracing::info!(k = crate::l::m()); }
    ";
    let found = Paths::of(text).0;
    for path in [
        "crate a b",
        "crate a c",
        "crate e",
        "crate g h",
        "super i J",
        "crate l m",
    ] {
        let names: Vec<String> = path.split(' ').map(str::to_owned).collect();
        assert!(found.contains(&names), "{path} of {found:?}");
    }
}

#[test]
fn a_circle_is_found_behind_modules_that_are_in_none() {
    let of = |text: &str| {
        let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in text.split(' ').map(|pair| pair.split_once('>').unwrap()) {
            imports
                .entry(from.to_owned())
                .or_default()
                .insert(to.to_owned());
        }
        circle(imports)
    };
    assert_eq!(of("a>b b>c a>c"), None);
    assert_eq!(
        of("a>b b>c c>b"),
        Some(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()])
    );
}
