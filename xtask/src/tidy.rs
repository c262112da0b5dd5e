//! `cargo xtask tidy`: what every file and manifest owes the next reader.

mod harness;

use crate::{finding::Finding, tree};
use anyhow::Context as _;
use std::path::Path;

/// How long a source may get, its tests not counted. Aim for 300.
const MOST_LINES: usize = 500;

/// How many columns a line of a comment may have. Those of code are rustfmt's.
const MOST_COLUMNS: usize = 120;

/// Files that are longer, each with why. The list only shrinks: one that has become short is a finding too.
const LONG_FILES: &[(&str, &str)] = &[];

/// What no file of ours may say: where it was built, and from which mirror. (In two parts, so that this file may.)
const MACHINE_PATHS: &[&str] = &[concat!("/ro", "ot/"), concat!("/wo", "rk/"), concat!("/ho", "me/")];

/// The only sources that lock files may name.
const REGISTRIES: &[(&str, &str, &str)] = &[
    ("Cargo.lock", "source = \"", "registry+https://github.com/rust-lang/crates.io-index\""),
    ("package-lock.json", "\"resolved\": \"", "https://registry.npmjs.org/"),
];

/// All findings in the tree at `root`, in order of place.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let files = tree::text_files(root, root, |_| true)?;
    let mut findings = harness::check(&files)?;
    for file in &files {
        findings.extend(check_file(&file.path, &file.text, &|path| root.join(path).exists())?);
    }
    for (path, _) in LONG_FILES {
        if !root.join(path).is_file() {
            findings.push(finding(
                path,
                1,
                "length",
                "is exempt from the limit and does not exist".to_owned(),
            ));
        }
    }
    findings.sort();
    Ok(findings)
}

/// All findings in one file; `exists` knows the paths of the tree.
fn check_file(path: &str, text: &str, exists: &dyn Fn(&str) -> bool) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let name = path.rsplit('/').next().unwrap_or(path);
    if Path::new(name).extension().is_some_and(|extension| extension == "rs") {
        findings.extend(says_what_it_is_for(path, text));
        findings.extend(is_short_enough(path, text));
        findings.extend(comments_are_narrow_enough(path, text));
    }
    if name == "Cargo.toml" {
        findings.extend(inherits_from_the_workspace(path, text)?);
    }
    // A decision record tells what was; it is never rewritten.
    if Path::new(name).extension().is_some_and(|extension| extension == "md")
        && !path.starts_with("docs/adr/")
    {
        findings.extend(names_what_exists(path, text, exists));
    }
    findings.extend(locks_the_public_registry(path, name, text));
    findings.extend(names_no_machine(path, text));
    Ok(findings)
}

fn says_what_it_is_for(path: &str, text: &str) -> Option<Finding> {
    let first = text.lines().find(|line| !line.starts_with("#![")).unwrap_or_default();
    let says = first.strip_prefix("//!").is_some_and(|rest| !rest.trim().is_empty());
    (!says).then(|| finding(path, 1, "module-doc", "begin with `//!` and what this file is for".to_owned()))
}

fn is_short_enough(path: &str, text: &str) -> Option<Finding> {
    let is_test = path.contains("/tests/") || path.ends_with("/tests.rs");
    let lines = text.lines().position(|line| line.trim() == "#[cfg(test)]").unwrap_or(text.lines().count());
    let exempt = LONG_FILES.iter().any(|(long, _)| *long == path);
    let message = match (lines > MOST_LINES && !is_test, exempt) {
        (true, false) => {
            format!("{lines} lines without tests, {MOST_LINES} at most: it holds more than one idea")
        }
        (false, true) => "is short enough now: take it out of LONG_FILES".to_owned(),
        _ => return None,
    };
    Some(finding(path, lines.max(1), "length", message))
}

/// Lines that are comments alone: rustfmt breaks none of them.
fn comments_are_narrow_enough(path: &str, text: &str) -> Vec<Finding> {
    lines_with(text, |line| line.trim_start().starts_with("//") && line.chars().count() > MOST_COLUMNS)
        .map(|line| {
            let message = format!("has more than {MOST_COLUMNS} columns: break the comment");
            finding(path, line, "comment-width", message)
        })
        .collect()
}

/// One lint table, and one version of each dependency, for all crates.
fn inherits_from_the_workspace(path: &str, text: &str) -> anyhow::Result<Vec<Finding>> {
    let manifest: toml::Table = text.parse().with_context(|| format!("reading {path}"))?;
    if manifest.contains_key("workspace") {
        return Ok(Vec::new());
    }
    let inherits = |value: Option<&toml::Value>| value.and_then(|v| v.get("workspace")) == Some(&true.into());
    let mut findings = Vec::new();
    if !inherits(manifest.get("lints")) {
        let message = "add `[lints] workspace = true`: the lints hold for every crate".to_owned();
        findings.push(finding(path, 1, "lints", message));
    }
    let mut tables: Vec<&toml::Table> = vec![&manifest];
    tables.extend(
        manifest
            .get("target")
            .and_then(|t| t.as_table())
            .into_iter()
            .flat_map(toml::Table::values)
            .filter_map(toml::Value::as_table),
    );
    for table in tables {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in table.get(kind).and_then(|v| v.as_table()).into_iter().flatten() {
                if !inherits(Some(value)) {
                    let line =
                        text.lines().position(|line| line.starts_with(name.as_str())).map_or(1, |i| i + 1);
                    let message = format!(
                        "{name}: name its version in [workspace.dependencies], and `{name}.workspace = true` here"
                    );
                    findings.push(finding(path, line, "workspace-dependency", message));
                }
            }
        }
    }
    Ok(findings)
}

/// Paths in backquotes from the top of the tree, and links from the file's own folder.
fn names_what_exists(path: &str, text: &str, exists: &dyn Fn(&str) -> bool) -> Vec<Finding> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let quoted =
            line.split('`').skip(1).step_by(2).filter(|text| is_path_of_the_tree(text)).map(str::to_owned);
        let links = line.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        let linked =
            links.filter(|link| !link.is_empty() && !link.contains(':')).map(|link| joined(folder, link));
        for named in quoted.chain(linked).filter(|named| !exists(named)) {
            findings.push(finding(
                path,
                index + 1,
                "dead-path",
                format!("names {named}, which does not exist"),
            ));
        }
    }
    findings
}

/// `crates/api/src/lib.rs`, but not a command, a route, or a pattern such as `crates/{layer}`.
fn is_path_of_the_tree(text: &str) -> bool {
    let top = ["crates/", "docs/", "migrations/", "xtask/", ".ci/"];
    top.iter().any(|folder| text.starts_with(folder))
        && !text.contains(|c: char| c.is_whitespace() || "{}<>*()".contains(c))
}

/// A link, seen from the top of the tree.
fn joined(folder: &str, link: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

fn locks_the_public_registry(path: &str, name: &str, text: &str) -> Vec<Finding> {
    let Some((_, key, registry)) = REGISTRIES.iter().find(|(lock, ..)| *lock == name) else {
        return Vec::new();
    };
    lines_with(text, |line| {
        line.trim_start().strip_prefix(key).is_some_and(|source| !source.starts_with(registry))
    })
    .map(|line| finding(path, line, "registry", format!("is locked to another source than {registry}")))
    .collect()
}

fn names_no_machine(path: &str, text: &str) -> Vec<Finding> {
    lines_with(text, |line| MACHINE_PATHS.iter().any(|machine| begins_a_path(line, machine)))
        .map(|line| finding(path, line, "machine-path", "names a folder of one machine".to_owned()))
        .collect()
}

/// Whether an absolute path stands in the line: `/x/` that does not go on from a host, a folder or a variable.
fn begins_a_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !"/.-_~}>)".contains(c))
    })
}

fn lines_with<'a>(text: &'a str, broken: impl Fn(&str) -> bool + 'a) -> impl Iterator<Item = usize> + 'a {
    text.lines().enumerate().filter(move |(_, line)| broken(line)).map(|(index, _)| index + 1)
}

fn finding(file: &str, line: usize, rule: &'static str, message: String) -> Finding {
    Finding { file: file.to_owned(), line, rule, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::assert_none;

    #[test]
    fn the_tree_is_tidy() {
        let findings = check(&tree::root().expect("a tree")).expect("the tree reads");
        assert_none(&findings);
    }

    #[test]
    fn each_rule_finds_what_breaks_it() {
        let long = format!("//! Long.\n{}", "\n".repeat(MOST_LINES));
        let wide = "x".repeat(MOST_COLUMNS - "    /// ".len());
        let good_crate = "[package]\n[lints]\nworkspace = true\n[dependencies]\n";
        let mirror = "source = \"registry+https://mirror.example/index\"\n";
        let cases: &[(&str, String, &str)] = &[
            ("crates/x/src/a.rs", "fn a() {}\n".into(), "1 module-doc"),
            ("crates/x/src/a.rs", "//!\nfn a() {}\n".into(), "1 module-doc"),
            ("crates/x/src/a.rs", "#![expect(dead_code)]\n//! Fine.\n".into(), ""),
            ("crates/x/src/a.rs", long.clone(), "501 length"),
            ("crates/x/tests/it/a.rs", long.clone(), ""),
            ("crates/x/src/a.rs", format!("//! A.\n#[cfg(test)]\nmod tests {{{long}}}"), ""),
            ("crates/x/src/a.rs", format!("//! A.\n    /// {wide}\n"), ""),
            ("crates/x/src/a.rs", format!("//! A.\n    /// {wide}x\n"), "2 comment-width"),
            ("crates/x/tests/it/a.rs", format!("//! A.\n    //  {wide}x\n"), "2 comment-width"),
            ("crates/x/src/a.rs", format!("//! A.\nconst A: &str = \"// {wide}\";\n"), ""),
            ("crates/x/Cargo.toml", "[package]\n".into(), "1 lints"),
            ("crates/x/Cargo.toml", format!("{good_crate}serde.workspace = true\n"), ""),
            ("crates/x/Cargo.toml", format!("{good_crate}serde = \"1\"\n"), "5 workspace-dependency"),
            (
                "crates/x/Cargo.toml",
                format!("{good_crate}[target.'cfg(unix)'.dependencies]\nnix = \"1\"\n"),
                "6 workspace-dependency",
            ),
            ("Cargo.lock", mirror.into(), "1 registry"),
            (
                "console/package-lock.json",
                "\"resolved\": \"https://mirror.example/x.tgz\"".into(),
                "1 registry",
            ),
            ("README.md", format!("in\n`{}main`\n", MACHINE_PATHS[1]), "2 machine-path"),
            ("README.md", format!("https://example.com{}\n", MACHINE_PATHS[1]), ""),
            ("README.md", "`crates/api`, `crates/{layer}/src`, `docs/errors.md`".into(), ""),
            ("README.md", "see\n`crates/gone` and [this](docs/gone.md)".into(), "2 dead-path, 2 dead-path"),
            (
                "docs/a.md",
                "[a](errors.md#x) [b](../docs/errors.md) [c](https://x.example/y) [d](#z)".into(),
                "",
            ),
            ("docs/a.md", "[a](docs/errors.md)".into(), "1 dead-path"),
            ("docs/adr/0001-layers.md", "`crates/gone`".into(), ""),
        ];
        for (path, text, expected) in cases {
            let exists = |path: &str| ["docs/errors.md", "crates/api"].contains(&path);
            let findings = check_file(path, text, &exists).expect("reads");
            let found: Vec<String> = findings.iter().map(|f| format!("{} {}", f.line, f.rule)).collect();
            assert_eq!(
                found.join(", "),
                *expected,
                "{path}:\n{}",
                text.chars().take(200).collect::<String>()
            );
        }
    }
}
