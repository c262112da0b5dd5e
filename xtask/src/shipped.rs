//! What is tested is what ships: cargo gives a crate the features that anybody in the same build asks for, so a
//! dependency of the tests or of these tools could change the product's own crates under every test.

use crate::{finding::Finding, tree};
use anyhow::{Context as _, ensure};
use std::collections::{BTreeMap, BTreeSet};

/// Crates that have more features under test, each with why that changes nothing. The list only shrinks: one that is the
/// same in both is a finding too.
const MORE_IN_TESTS: &[(&str, &str)] = &[
    ("fastrand", "tempfile asks for its own seed and `std`; functions more, none that does something else"),
    ("rustix", "tempfile asks for `fs`; functions more, none that does something else"),
];

/// The sets of features with which each crate and version is built, one for each of its builds.
type Features = BTreeMap<String, BTreeSet<String>>;

/// All findings: crates of the product that the tests of the workspace are built with other features of.
pub(crate) fn check() -> anyhow::Result<Vec<Finding>> {
    let shipped = features(&["--package", "hoc", "--edges", "normal,build"])?;
    let tested = features(&["--workspace", "--edges", "normal,build,dev"])?;
    Ok(compare(&shipped, &tested, MORE_IN_TESTS))
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

fn finding(message: String) -> Finding {
    Finding { file: "Cargo.toml".to_owned(), line: 1, rule: "shipped-features", message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::assert_none;

    #[test]
    fn the_product_is_tested_as_it_ships() {
        assert_none(&check().expect("cargo tells"));
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
