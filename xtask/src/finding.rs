//! What a check has to say: a place, the rule that is broken there, and why it is a rule.

use std::{fmt, process::ExitCode};

/// One broken rule at one place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Path from the top of the tree, with forward slashes.
    pub(crate) file: String,
    /// From 1.
    pub(crate) line: usize,
    /// The rule's short name.
    pub(crate) rule: &'static str,
    /// What is wrong, and why.
    pub(crate) message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file, self.line, self.rule, self.message)
    }
}

/// Prints the findings, or that there are none; the exit code says which.
pub(crate) fn report(check: &str, findings: &[Finding]) -> ExitCode {
    for finding in findings {
        eprintln!("{finding}");
    }
    if findings.is_empty() {
        println!("{check}: ok");
        ExitCode::SUCCESS
    } else {
        eprintln!("{check}: {} to mend", findings.len());
        ExitCode::FAILURE
    }
}

/// For the tests over the real tree: fails with all that there is to mend.
#[cfg(test)]
pub(crate) fn assert_none(findings: &[Finding]) {
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(lines.is_empty(), "{} to mend:\n{}", lines.len(), lines.join("\n"));
}
