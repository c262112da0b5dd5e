//! What cargo builds to test a library: as much as there is to test, and all of that.
//!
//! For examples in its documentation rustdoc reads a library whole, and for unit tests a binary is linked. Where there
//! are none, both are for nothing, so the manifest says so; and where it says so, none that is added later would run.

use crate::{finding::Finding, tree::TextFile};
use anyhow::Context as _;
use std::path::Path;

/// Something that a library may have, and what is built for it.
struct Kind {
    /// What switches it off in `[lib]`.
    key: &'static str,
    /// For a person.
    what: &'static str,
    /// What it costs where there is none.
    cost: &'static str,
    /// The line of the first in a source, from 1.
    first: fn(&str) -> Option<usize>,
}

const KINDS: [Kind; 2] = [
    Kind {
        key: "doctest",
        what: "example in its documentation",
        cost: "rustdoc reads all of it for nothing",
        first: first_example,
    },
    Kind { key: "test", what: "unit test", cost: "a binary is linked for nothing", first: first_test },
];

/// Libraries that have what is not run, or have what is built for nothing.
pub(super) fn check(files: &[TextFile]) -> anyhow::Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for manifest in files {
        let Some(folder) = manifest.path.strip_suffix("/Cargo.toml") else { continue };
        let sources = format!("{folder}/src/");
        let sources: Vec<&TextFile> =
            files.iter().filter(|file| file.path.starts_with(&sources) && is_rust_file(&file.path)).collect();
        if !sources.iter().any(|file| file.path == format!("{folder}/src/lib.rs")) {
            continue;
        }
        let table: toml::Table =
            manifest.text.parse().with_context(|| format!("reading {}", manifest.path))?;
        for Kind { key, what, cost, first } in &KINDS {
            let said = table.get("lib").and_then(|lib| lib.get(*key)).and_then(toml::Value::as_bool);
            let found = sources.iter().find_map(|file| first(&file.text).map(|line| (&file.path, line)));
            let (file, line, rule, message) = match (found, said.unwrap_or(true)) {
                (Some((file, line)), false) => {
                    let message =
                        format!("{folder}/Cargo.toml says `{key} = false`, so this {what} never runs");
                    (file, line, "never-run", message)
                }
                (None, true) => {
                    let message =
                        format!("the library has no {what}: say `{key} = false` in [lib], or {cost}");
                    (&manifest.path, 1, "built-for-nothing", message)
                }
                _ => continue,
            };
            findings.push(Finding { file: file.clone(), line, rule, message });
        }
    }
    Ok(findings)
}

fn is_rust_file(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "rs")
}

/// A fence in a comment of documentation that begins Rust.
fn first_example(text: &str) -> Option<usize> {
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let comment = line.strip_prefix("//!").or_else(|| line.strip_prefix("///"));
        let Some(comment) = comment.map(str::trim_start) else {
            inside = false;
            continue;
        };
        if let Some(info) = comment.strip_prefix("```").or_else(|| comment.strip_prefix("~~~")) {
            inside = !inside;
            if inside && is_rust(info) {
                return Some(index + 1);
            }
        }
    }
    None
}

/// Whether rustdoc takes a block of that name for Rust: it does unless there is a word that it does not know.
fn is_rust(info: &str) -> bool {
    let words: Vec<&str> = info.split([',', ' ']).filter(|word| !word.is_empty()).collect();
    let known = |word: &str| {
        ["should_panic", "no_run", "test_harness", "compile_fail", "standalone_crate"].contains(&word)
            || word.starts_with("ignore")
            || word.starts_with("edition")
            || word.strip_prefix('E').is_some_and(|code| code.parse::<u16>().is_ok())
    };
    words.contains(&"rust") || words.iter().all(|word| known(word))
}

/// An attribute that makes a test, or the macro of ours that makes two.
fn first_test(text: &str) -> Option<usize> {
    let makes_one = |line: &str| {
        ["#[test]", "#[tokio::test", "on_both!", "testkit::on_both!"].iter().any(|it| line.starts_with(it))
    };
    text.lines().position(|line| makes_one(line.trim_start())).map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in a crate of that `[lib]`, one of whose sources is that.
    fn found(lib: &str, source: &str) -> String {
        let files = [
            ("Cargo.toml", "[workspace]\n".to_owned()),
            ("crates/x/Cargo.toml", format!("[package]\nname = \"x\"\n[lib]\n{lib}\n")),
            ("crates/x/src/a/b.rs", source.to_owned()),
            ("crates/x/src/lib.rs", "//! X.\n".to_owned()),
            // Without a library there is nothing of a library to build.
            ("crates/y/Cargo.toml", "[package]\nname = \"y\"\n".to_owned()),
            ("crates/y/src/main.rs", "//! Y.\n".to_owned()),
        ];
        let files = files.map(|(path, text)| TextFile { path: path.to_owned(), text });
        let findings = check(&files).expect("the manifests read");
        let told: Vec<_> = findings.iter().map(|it| format!("{}:{} {}", it.file, it.line, it.rule)).collect();
        told.join(", ")
    }

    #[test]
    fn examples_are_run_where_there_are_some_and_looked_for_nowhere_else() {
        let found = |said: &str, source: &str| found(&format!("test = false\n{said}"), source);
        let example =
            |info: &str| format!("/// It adds.\n///\n/// ```{info}\n/// x(1);\n/// ```\nfn x() {{}}\n");
        for rust in ["", "rust", "no_run", "compile_fail,E0308", "ignore", "edition2024, should_panic"] {
            assert_eq!(found("doctest = false", &example(rust)), "crates/x/src/a/b.rs:3 never-run", "{rust}");
            assert_eq!(found("", &example(rust)), "", "{rust}");
        }
        for other in ["text", "sql", "json", "toml,no_run"] {
            assert_eq!(found("doctest = false", &example(other)), "", "{other}");
            assert_eq!(found("", &example(other)), "crates/x/Cargo.toml:1 built-for-nothing", "{other}");
        }
        // The end of one block is not the beginning of another, and what is no documentation is none.
        let no_examples = "/// ```text\n/// x\n/// ```\nfn x() {\n    // ```\n    // y\n    // ```\n}\n";
        assert_eq!(found("doctest = false", no_examples), "");
    }

    #[test]
    fn unit_tests_are_run_where_there_are_some_and_linked_nowhere_else() {
        let found = |said: &str, source: &str| found(&format!("doctest = false\n{said}"), source);
        for test in ["#[test]", "#[tokio::test]", "#[tokio::test(start_paused = true)]", "on_both! {"] {
            let source = format!("#[cfg(test)]\nmod tests {{\n    {test}\n}}\n");
            assert_eq!(found("test = false", &source), "crates/x/src/a/b.rs:3 never-run", "{test}");
            assert_eq!(found("", &source), "", "{test}");
        }
        let none = "/// Its `#[test]` is elsewhere.\nfn x() {}\n";
        assert_eq!(found("test = false", none), "");
        assert_eq!(found("", none), "crates/x/Cargo.toml:1 built-for-nothing");
    }
}
