//! Which modules of a crate import which, read from the text of its files, and the circles among them.

use std::collections::{BTreeMap, BTreeSet};

/// The modules of a crate, a file each. They are named by their paths without `crate::`, such as `data::split`.
pub struct Modules(BTreeMap<String, String>);

impl Modules {
    /// The modules in these files, each given by its path below `src` and its text. The root of the crate, its programs and
    /// files of unit tests are left out.
    pub fn new(files: &[(String, String)]) -> Self {
        let module = |file: &str| {
            let path = file.strip_suffix(".rs").unwrap();
            let path = path.strip_suffix("/mod").unwrap_or(path);
            let is_left_out = matches!(path, "lib" | "main")
                || path.starts_with("bin/")
                || file.rsplit('/').next() == Some("tests.rs");
            (!is_left_out).then(|| path.replace('/', "::"))
        };
        Modules(files.iter().filter_map(|(file, text)| Some((module(file)?, text.clone()))).collect())
    }

    /// A line for each group of modules that import each other in a circle, and for each module in it, with its imports
    /// within the group.
    pub fn circles(&self) -> Vec<String> {
        let imports: BTreeMap<&str, BTreeSet<&str>> =
            self.0.keys().map(|module| (module.as_str(), self.imports_of(module))).collect();
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            imports.keys().map(|module| (*module, reached_from(module, &imports))).collect();
        let mut lines = Vec::new();
        let mut grouped = BTreeSet::new();
        for (module, from_here) in &reached {
            if !from_here.contains(module) || grouped.contains(module) {
                continue;
            }
            let group: BTreeSet<&str> =
                from_here.iter().filter(|other| reached[*other].contains(module)).copied().collect();
            lines.push(format!("{} files of `src` import each other in a circle, and none may:", group.len()));
            for member in &group {
                let within: Vec<&str> = imports[member].intersection(&group).copied().collect();
                lines.push(format!("    {member} -> {}", within.join(", ")));
            }
            grouped.extend(group);
        }
        lines
    }

    /// The modules that a module imports, or names by a path. Comments and unit tests are left out.
    fn imports_of(&self, module: &str) -> BTreeSet<&str> {
        let code = without_tests(&self.0[module]);
        let lines: Vec<&str> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let (uses, rest) = split_uses(&lines.join("\n"));
        let used = uses.iter().flat_map(|tree| paths_in_tree(tree));
        let named = paths_in_code(&rest).into_iter().map(|path| match path[0] {
            "crate" | "super" | "self" => path,
            _ => path[..1].to_vec(), // of a child's path, the child
        });
        used.chain(named).filter_map(|path| self.module_of(module, &path)).filter(|other| *other != module).collect()
    }

    /// The module that a path in another module leads to or into.
    fn module_of(&self, module: &str, path: &[&str]) -> Option<&str> {
        let mut full: Vec<&str> = match path[0] {
            "crate" => Vec::new(),
            "super" | "self" => module.split("::").collect(),
            child if self.0.contains_key(&format!("{module}::{child}")) => module.split("::").collect(),
            _ => return None,
        };
        for part in path {
            match *part {
                "crate" | "self" => {}
                "super" => drop(full.pop()),
                name => full.push(name),
            }
        }
        let longest = (1..=full.len()).rev().find_map(|length| self.0.get_key_value(&full[..length].join("::")));
        longest.map(|(name, _)| name.as_str())
    }
}

/// The modules that are imported by a module, by those that it imports, and so on. The module itself is among them if it
/// is part of a circle.
fn reached_from<'a>(module: &str, imports: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = imports[module].iter().copied().collect();
    while let Some(module) = next.pop() {
        if reached.insert(module) {
            next.extend(&imports[module]);
        }
    }
    reached
}

/// The text of a file up to its module of unit tests, which comes last.
pub fn without_tests(text: &str) -> &str {
    const ATTRIBUTE: &str = "#[cfg(test)]\n";
    let is_tests = |(at, _): &(usize, &str)| {
        let line = text[at + ATTRIBUTE.len()..].lines().next().unwrap_or_default();
        let line = line.strip_prefix("pub ").unwrap_or(line);
        (*at == 0 || text[..*at].ends_with('\n')) && line.starts_with("mod ") && line.ends_with(" {")
    };
    text.match_indices(ATTRIBUTE).find(is_tests).map_or(text, |(at, _)| &text[..at])
}

/// The trees of all `use` declarations, and the code without them.
fn split_uses(code: &str) -> (Vec<String>, String) {
    let (mut trees, mut rest) = (Vec::new(), String::new());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let Some(start) = after_use(line) else {
            rest = rest + line + "\n";
            continue;
        };
        let mut tree = start.to_owned();
        while !tree.contains(';') {
            let Some(line) = lines.next() else { break };
            tree = tree + " " + line.trim();
        }
        let (tree, behind) = tree.split_once(';').unwrap_or((&tree, ""));
        trees.push(tree.to_owned());
        rest = rest + behind + "\n";
    }
    (trees, rest)
}

/// What follows `use` in a line that begins with it, or with a visibility and it.
fn after_use(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let public = line.strip_prefix("pub").map(|rest| match rest.strip_prefix('(') {
        Some(rest) => rest.split_once(')').map_or("", |(_, rest)| rest),
        None => rest,
    });
    public.unwrap_or(line).trim_start().strip_prefix("use ")
}

/// The names in a path.
fn names(path: &str) -> Vec<&str> {
    path.split("::").map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// The paths in the tree of a `use` declaration: `a::{b, c::{self, d}}` holds `a::b`, `a::c` and `a::c::d`.
fn paths_in_tree(tree: &str) -> Vec<Vec<&str>> {
    let Some((start, inside)) = tree.split_once('{') else {
        let path = names(tree.split(" as ").next().unwrap_or_default());
        return if path.is_empty() { Vec::new() } else { vec![path] };
    };
    let inside = inside.trim_end().strip_suffix('}').unwrap_or(inside);
    let (mut paths, mut depth, mut from) = (Vec::new(), 0, 0);
    for (at, character) in inside.char_indices().chain([(inside.len(), ',')]) {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                for path in paths_in_tree(&inside[from..at]) {
                    let path = if path == ["self"] { Vec::new() } else { path };
                    paths.push([names(start), path].concat());
                }
                from = at + 1;
            }
            _ => {}
        }
    }
    paths
}

/// The paths of several names in code without `use` declarations.
fn paths_in_code(code: &str) -> Vec<Vec<&str>> {
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | ':' | '.');
    let words = code.split(|character| !is_part(character)).flat_map(|word| word.split(".."));
    // a dot is followed by a method, and behind `::` at the start an external crate or what follows a type in brackets
    let paths = words.filter_map(|word| word.split('.').next()).filter(|path| !path.starts_with("::"));
    paths.map(names).filter(|path| path.len() > 1).collect()
}

#[test]
fn a_use_tree_holds_the_paths_of_all_its_branches() {
    let paths: Vec<String> =
        paths_in_tree("crate::a::{self, b, c::{D, e as f}, g::*}").iter().map(|path| path.join("::")).collect();
    assert_eq!(paths, ["crate::a", "crate::a::b", "crate::a::c::D", "crate::a::c::e", "crate::a::g::*"]);
    assert_eq!(paths_in_tree("super::x as y"), [["super", "x"]]);
}

#[test]
fn modules_are_imported_by_each_kind_of_path() {
    let user = [
        "pub mod child;",
        "use crate::{a::Item, b::{",
        "    self, c::{Other, d},",
        "}};",
        "pub(crate) use super::sibling::thing as other;",
        "use self::child::Item;",
        "use std::fmt;",
        "// use crate::comment;",
        "fn f(x: crate::inline::X) -> super::above::Y { 0..upper::LIMIT; crate::constant::C.g(); x.method::<u8>() }",
        "#[cfg(test)]",
        "mod tests {",
        "    use crate::tested;",
        "}",
    ];
    let imported =
        ["a", "b", "b::c", "constant", "inline", "p::above", "p::sibling", "p::user::child", "p::user::upper"];
    let others = ["comment", "tested", "std", "p", "p::user::method"];
    let file = |module: &&str| (format!("{}.rs", module.replace("::", "/")), String::new());
    let mut files: Vec<(String, String)> = imported.iter().chain(&others).map(file).collect();
    files.push(("p/user/mod.rs".to_owned(), user.join("\n")));
    let found: Vec<String> = Modules::new(&files).imports_of("p::user").into_iter().map(str::to_owned).collect();
    assert_eq!(found, imported);
}

#[test]
fn a_circle_is_told_with_its_imports_and_no_others() {
    let files = [
        ("a.rs", "use crate::b::f;"),
        ("b.rs", "use crate::c::{f, g};\nuse crate::leaf;"),
        ("c.rs", "fn f() { crate::a::f() }"),
        ("above.rs", "use crate::a::f;"),
        ("leaf.rs", ""),
    ];
    let files = files.map(|(file, text)| (file.to_owned(), text.to_owned()));
    let first = "3 files of `src` import each other in a circle, and none may:";
    assert_eq!(Modules::new(&files).circles(), [first, "    a -> b", "    b -> c", "    c -> a"]);
    assert!(Modules::new(&files[1..]).circles().is_empty());
}
