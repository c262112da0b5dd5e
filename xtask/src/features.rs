//! Which features crates are built with: cargo gives a crate those that anybody in the same build asks for.
//!
//! Tests must be built as what ships: a dependency of the tests or of these tools could change the product's own crates
//! under every test. And a crate that is tested alone must be built as it is with all the others, or else every third
//! party that differs is built again, with all that stands on it, whenever somebody goes from one of our crates to the
//! next.

use crate::{finding::Finding, manifests, tree};
use anyhow::{Context as _, ensure};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// Crates that have more features under test, each with why that changes nothing. The list only shrinks: one that is
/// the same in both is a finding too.
const MORE_IN_TESTS: &[(&str, &str)] = &[];

/// Our crates that are not looked at, each with why.
const BUILT_OTHERWISE: &[(&str, &str)] = &[
    ("pins", "it has no tests: it is there for the others"),
    ("xtask", "the tools are built before anything else is, and with nothing of ours"),
];

/// The sets of features with which each crate and version is built, one for each of its builds.
type Features = BTreeMap<String, BTreeSet<String>>;

/// All findings in the workspace at `root`: crates of the product that its tests are built with other features of, and
/// third parties that a crate alone is tested with other features of.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let shipped = features(&["--package", "hoc", "--edges", "normal,build"])?;
    let tested = features(&["--workspace", "--edges", "normal,build,dev"])?;
    let mut findings = compare(&shipped, &tested, MORE_IN_TESTS);
    let ours = manifests::read(root)?.packages;
    for krate in ours.iter().filter(|krate| !BUILT_OTHERWISE.iter().any(|(name, _)| *name == krate.name)) {
        let alone = features(&["--package", &krate.name, "--edges", "normal,build,dev"])?;
        findings.extend(built_again(&krate.name, &alone, &tested));
    }
    Ok(findings)
}

fn features(of: &[&str]) -> anyhow::Result<Features> {
    let mut cargo = tree::cargo()?;
    cargo.args(["tree", "--locked", "--prefix", "none", "--format", "{p}\t{f}"]).args(of);
    let output = cargo.output().context("starting `cargo tree`")?;
    ensure!(output.status.success(), "`cargo tree` failed:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(read(&String::from_utf8(output.stdout)?))
}

fn read(told: &str) -> Features {
    let mut features = Features::new();
    for (package, of) in told.lines().filter_map(|line| line.split_once('\t')) {
        // What was told before is marked.
        let of = of.trim_end_matches("(*)").trim();
        features.entry(package.to_owned()).or_default().insert(of.to_owned());
    }
    features
}

fn compare(shipped: &Features, tested: &Features, exempt: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut differ = BTreeSet::new();
    for (package, builds) in shipped {
        let name = package.split(' ').next().unwrap_or(package);
        let tested = tested.get(package);
        for of in builds.iter().filter(|of| !tested.is_some_and(|tested| tested.contains(*of))) {
            differ.insert(name);
            if exempt.iter().any(|(exempt, _)| *exempt == name) {
                continue;
            }
            let tested: Vec<_> = tested.into_iter().flatten().map(|of| format!("[{of}]")).collect();
            findings.push(finding(format!(
                "{package} ships with the features [{of}] and is tested with {}: name in [workspace.dependencies] \
                 what the product needs of it, and do without what only tests or xtask ask for",
                tested.join(" or ")
            )));
        }
    }
    for (name, _) in exempt.iter().filter(|(name, _)| !differ.contains(name)) {
        findings.push(finding(format!("{name} is tested as it ships: take it out of MORE_IN_TESTS")));
    }
    findings
}

/// Third parties that are built for the tests of one of our crates, and not so for those of all.
fn built_again(krate: &str, alone: &Features, tested: &Features) -> Vec<Finding> {
    let mut findings = Vec::new();
    // What is ours has its path behind its version.
    for (package, builds) in alone.iter().filter(|(package, _)| !package.contains('/')) {
        let all: Vec<&str> = tested.get(package).into_iter().flatten().map(String::as_str).collect();
        for of in builds.iter().filter(|of| !all.contains(&of.as_str())) {
            let message = format!(
                "{package} is built with the features [{of}] for the tests of {krate} alone and with [{}] for those of \
                 all: name what is missing here",
                all.join("] or [")
            );
            let file = "crates/pins/Cargo.toml".to_owned();
            findings.push(Finding { file, line: 1, rule: "pinned-features", message });
        }
    }
    findings
}

fn finding(message: String) -> Finding {
    Finding { file: "Cargo.toml".to_owned(), line: 1, rule: "shipped-features", message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::assert_none;

    #[test]
    fn the_product_is_tested_as_it_ships_and_each_crate_as_all_are() {
        assert_none(&check(&tree::root().expect("a tree")).expect("cargo tells"));
    }

    #[test]
    fn a_third_party_that_is_built_again_for_one_crate_is_found() {
        let all = read(
            "ours v0.1.0 (/x)\tstore\na v1.0.0\tstd\nb v1.0.0 (proc-macro)\t\nc v1.0.0\tx\nc v1.0.0\tx,y\n",
        );
        let found = |alone: &str| {
            let findings = built_again("ours", &read(alone), &all);
            findings.into_iter().map(|finding| finding.message).collect::<Vec<_>>()
        };
        // Ours may differ, and which of several builds it is makes no difference.
        let same = "ours v0.1.0 (/x)\t\na v1.0.0\tstd (*)\nb v1.0.0 (proc-macro)\t\nc v1.0.0\tx,y\n";
        assert_eq!(found(same), Vec::<String>::new());
        let told = found("a v1.0.0\t\nc v1.0.0\ty\n");
        assert!(told.len() == 2, "{told:?}");
        assert!(told[0].starts_with(
            "a v1.0.0 is built with the features [] for the tests of ours alone and with [std]"
        ));
        assert!(told[1].contains("features [y]") && told[1].contains("with [x] or [x,y]"), "{}", told[1]);
    }

    #[test]
    fn a_feature_that_only_tests_have_is_found() {
        let shipped = "hoc v0.1.0 (/x)\t\na v1.0.0\tstd (*)\nb v1.0.0\t\nb v2.0.0\tx\nc v1.0.0\ta,b\n";
        let found = |tested: &str, exempt: &[(&str, &str)]| {
            let findings = compare(&read(shipped), &read(tested), exempt);
            findings.into_iter().map(|finding| finding.message).collect::<Vec<_>>()
        };
        assert_eq!(found(&format!("{shipped}only-tests v1.0.0\tx\n"), &[]), Vec::<String>::new());
        // Another build of the same crate, as for build scripts, changes nothing.
        assert_eq!(found(&format!("{shipped}c v1.0.0\ta,b,c\n"), &[]), Vec::<String>::new());

        let more = shipped.replace("b v2.0.0\tx", "b v2.0.0\tx,y");
        let told = found(&more, &[]);
        assert!(
            told.len() == 1
                && told[0].starts_with("b v2.0.0 ships with the features [x] and is tested with [x,y]")
        );
        assert_eq!(found(&more, &[("b", "it does no harm")]), Vec::<String>::new());
        assert_eq!(found(shipped, &[("b", "it does no harm")]).len(), 1);
    }
}
