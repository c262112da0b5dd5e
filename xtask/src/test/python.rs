//! A Python with what tests need from outside, in a virtual environment under `target/`.
//!
//! Python itself is found or installed, like Postgres. The packages come from the Python index, pinned; where the index
//! does not answer, their tests are skipped, and that is said where nobody overlooks it. CI takes no skipping.

use super::tool::Tool;
use crate::settings::env;
use anyhow::{Context as _, bail, ensure};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// What a test of crates/hoc needs in Python.
pub(super) struct Packages {
    /// For a person.
    what: &'static str,
    /// The test.
    test: &'static str,
    /// The variable by which the test finds the interpreter.
    pub(super) variable: &'static str,
    /// What is installed, each thing with its version.
    requirements: &'static str,
    /// A module by which it is known to be there, or several.
    module: &'static str,
}

/// All of them.
static ALL: [Packages; 4] = [
    Packages {
        what: "a real OpenTelemetry SDK",
        test: "sdk",
        variable: "HOC_TEST_OTEL_PYTHON",
        requirements: "crates/hoc/tests/data/opentelemetry.txt",
        module: "opentelemetry.sdk",
    },
    Packages {
        what: "schemathesis",
        test: "contract",
        variable: "HOC_TEST_SCHEMATHESIS_PYTHON",
        requirements: "crates/hoc/tests/data/schemathesis.txt",
        module: "schemathesis",
    },
    Packages {
        what: "axe-core",
        test: "axe",
        variable: "HOC_TEST_AXE_PYTHON",
        requirements: "crates/hoc/tests/data/axe.txt",
        module: "axe_playwright_python",
    },
    Packages {
        what: "what a second verifier of bundles needs",
        test: "second_verifier",
        variable: "HOC_TEST_VERIFIER_PYTHON",
        requirements: "crates/hoc/tests/data/second_verifier.txt",
        module: "cryptography, jsonschema",
    },
];

/// One that makes environments. Debian's cannot without `python3-venv`.
pub(super) static PYTHON: Tool = Tool {
    name: "Python with `venv`",
    package: "python3-venv",
    find: || {
        let python = PathBuf::from("python3");
        runs(&python, "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 9))").then_some(python)
    },
    wanted: || {
        format!(
            "the tests of a real OpenTelemetry SDK, of the OpenAPI document, of the console's pages and of bundles need Python 3.9 or newer with `venv` (Debian and Ubuntu: package `python3-venv`; Fedora: `python3`), or interpreters that have what they need in {}",
            ALL.each_ref().map(|packages| packages.variable).join(" and ")
        )
    },
    variable: None,
};

/// An environment with the packages for which nobody has named an interpreter.
pub(super) struct Environment {
    root: PathBuf,
    packages: Vec<&'static Packages>,
    /// All that is to be in it, each thing with its version.
    requirements: String,
}

impl Environment {
    /// As it is to be; none where nothing needs it.
    pub(super) fn of(root: &Path) -> anyhow::Result<Option<Self>> {
        let packages: Vec<_> = ALL.iter().filter(|packages| env(packages.variable).is_none()).collect();
        let requirements = merged(root, &packages)?;
        let environment = Self { root: root.to_owned(), packages, requirements };
        Ok((!environment.packages.is_empty()).then_some(environment))
    }

    /// Its interpreter.
    pub(super) fn python(&self) -> PathBuf {
        self.folder().join("bin/python")
    }

    /// What is in it once it is made.
    pub(super) fn packages(&self) -> &[&'static Packages] {
        &self.packages
    }

    /// Whether all of that is in it.
    pub(super) fn is_made(&self) -> bool {
        let modules: Vec<&str> = self.packages.iter().map(|packages| packages.module).collect();
        fs::read_to_string(self.made_of()).is_ok_and(|of| of == self.requirements)
            && runs(&self.python(), &format!("import {}", modules.join(", ")))
    }

    /// Makes it; gives what is in it now. What cannot be fetched is said loudly, and is an error in CI.
    pub(super) fn make(&self) -> anyhow::Result<Vec<&'static Packages>> {
        let folder = self.folder();
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
        }
        let what: Vec<&str> = self.packages.iter().map(|packages| packages.what).collect();
        println!("xtask test: installing into {}: {}", folder.display(), what.join(", "));
        let made = ran(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
        ensure!(
            made.status.success(),
            "`python3 -m venv {}` failed:\n{}{}",
            folder.display(),
            String::from_utf8_lossy(&made.stdout),
            String::from_utf8_lossy(&made.stderr)
        );
        let list = folder.join("requirements.txt");
        fs::write(&list, &self.requirements).with_context(|| format!("cannot write {}", list.display()))?;
        if self.install(&list)?.is_none() {
            fs::rename(&list, self.made_of()).with_context(|| format!("cannot rename {}", list.display()))?;
            return Ok(self.packages.clone());
        }
        // What cannot be had takes nothing else with it.
        let mut there = Vec::new();
        for packages in &self.packages {
            let Packages { what, test, variable, requirements, .. } = packages;
            let Some(why) = self.install(&self.root.join(requirements))? else {
                there.push(*packages);
                continue;
            };
            let told = format!(
                "WITHOUT {}: pip could not install {requirements}: {why}\n\
                 xtask test: so the test `{test}` of crates/hoc CANNOT RUN. It needs the Python index (or a mirror, as \
                 pip's settings name it); or give an interpreter that has those packages in {variable}",
                what.to_uppercase()
            );
            if env("CI").is_some() {
                bail!("{told}");
            }
            eprintln!("\nxtask test: {told}\n");
        }
        Ok(there)
    }

    /// Installs what a list names; why not, where that cannot be done.
    fn install(&self, list: &Path) -> anyhow::Result<Option<String>> {
        let mut pip = Command::new(self.python());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        // What is listed is all that is needed: nothing else comes along.
        let installed = ran(pip.args(["--no-deps", "--requirement"]).arg(list))?;
        let said = String::from_utf8_lossy(&installed.stderr);
        let why = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it does not say why");
        Ok((!installed.status.success()).then(|| why.to_owned()))
    }

    fn folder(&self) -> PathBuf {
        self.root.join("target").join("python")
    }

    /// The requirements of what all is in it.
    fn made_of(&self) -> PathBuf {
        self.folder().join("made-of.txt")
    }
}

/// The lists of several in one. What two of them name is the same version in both.
fn merged(root: &Path, packages: &[&Packages]) -> anyhow::Result<String> {
    let mut lines = BTreeMap::new();
    for Packages { requirements, .. } in packages {
        let list = fs::read_to_string(root.join(requirements));
        let list = list.with_context(|| format!("cannot read {requirements}"))?;
        for line in list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (name, _) = line
                .split_once("==")
                .with_context(|| format!("{requirements}: `{line}` names no version"))?;
            let other = lines.insert(name.to_lowercase().replace('_', "-"), line.to_owned());
            ensure!(
                other.as_ref().is_none_or(|other| other == line),
                "{requirements} names {line}, and a list before it {}: there is one environment",
                other.unwrap_or_default()
            );
        }
    }
    Ok(lines.into_values().collect::<Vec<_>>().join("\n") + "\n")
}

fn runs(python: &Path, program: &str) -> bool {
    ran(Command::new(python).args(["-c", program])).is_ok_and(|ran| ran.status.success())
}

/// Runs it to its end; what it says is kept.
fn ran(command: &mut Command) -> anyhow::Result<Output> {
    command.stdin(Stdio::null()).output().with_context(|| format!("starting {command:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree;

    #[test]
    fn all_lists_go_into_one_environment() {
        let all: Vec<&Packages> = ALL.iter().collect();
        let merged = merged(&tree::root().expect("a tree"), &all).expect("no two of them disagree");
        for wanted in ["schemathesis==", "opentelemetry-sdk==", "axe-playwright-python==", "cryptography=="] {
            assert_eq!(merged.lines().filter(|line| line.starts_with(wanted)).count(), 1, "{wanted}");
        }
        assert_eq!(merged.lines().filter(|line| line.starts_with("attrs==")).count(), 1, "two lists name it");
    }

    #[test]
    fn two_versions_of_one_package_are_refused() {
        let root = tempfile::tempdir().expect("a folder");
        let merged = |one: &str, other: &str| {
            fs::write(root.path().join("one.txt"), one).expect("written");
            fs::write(root.path().join("other.txt"), other).expect("written");
            let packages =
                |requirements| Packages { what: "", test: "", variable: "", requirements, module: "" };
            let (one, other) = (packages("one.txt"), packages("other.txt"));
            merged(root.path(), &[&one, &other]).map_err(|err| err.to_string())
        };
        assert_eq!(merged("# Why.\nb==2\na==1\n", "\nb==2\n"), Ok("a==1\nb==2\n".to_owned()));
        let refused = merged("a_b==1\n", "A-b==2\n").expect_err("there is one environment");
        assert!(refused.contains("other.txt names A-b==2") && refused.contains("a_b==1"), "{refused}");
        assert!(merged("a\n", "").expect_err("no version").contains("names no version"));
    }
}
