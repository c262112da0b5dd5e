//! The incident of a run that failed.

use std::sync::LazyLock;

use models::bounds;
use proof::{hash::sha256, words::IncidentCategory};
use regex::Regex;

use super::{Cause, severity_of_failure};

/// A longer code is a sentence.
const LONGEST_CODE: usize = 128;

/// Words that hold a slash, forwards or backwards: paths, and addresses too.
static PATHS: LazyLock<Regex> =
    LazyLock::new(|| fixed(r#"[^\s"'`(),;=<>\[\]{}]*[/\\][^\s"'`(),;=<>\[\]{}]*"#));
/// Words that hold a digit: numbers, ids, addresses of memory.
static NUMBERS: LazyLock<Regex> =
    LazyLock::new(|| fixed(r"[\p{Alphabetic}_.:-]*\p{Nd}[\p{Alphabetic}\p{Nd}_.:-]*"));

fn fixed(pattern: &str) -> Regex {
    Regex::new(pattern).unwrap_or_else(|error| unreachable!("a fixed pattern: {error}"))
}

/// A run failed: with the error that its agent names, if it names one. The run keeps all of it.
#[must_use]
pub fn failure(error: Option<&str>) -> Cause {
    Cause {
        category: IncidentCategory::ExecutionFailure,
        cause_key: error
            .map_or_else(|| "failure:unknown".to_owned(), |error| format!("failure:{}", digest(error))),
        severity: severity_of_failure(error),
        title: "The run failed".to_owned(),
        description: error.map_or_else(|| "Its agent named no error.".to_owned(), shortened),
        note: None,
        step_index: None,
        policy_id: None,
        limit_id: None,
        error_code: error.filter(|error| is_code(error)).map(str::to_owned),
        cost_impact_nanousd: 0,
    }
}

/// The same for two errors that differ in numbers, ids, paths and blanks alone.
fn digest(error: &str) -> String {
    sha256(normalised(error).as_bytes()).to_string()
}

fn normalised(error: &str) -> String {
    let without_paths = PATHS.replace_all(error, "/");
    let without_numbers = NUMBERS.replace_all(&without_paths, "0");
    without_numbers.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// `provider_timeout` is a code; a message is not.
fn is_code(error: &str) -> bool {
    !error.is_empty() && error.len() <= LONGEST_CODE && !error.contains(char::is_whitespace)
}

/// What a person reads of it first.
fn shortened(error: &str) -> String {
    match error.char_indices().nth(bounds::REASON) {
        Some((end, _)) => format!("{} [... the run has the whole error]", &error[..end]),
        None => error.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACEBACK: &str = r#"Traceback (most recent call last):
  File "/srv/agents/run.py", line 12, in main
    order = load(order_id="8f14e45f-ceea-467f-a0e6-1c7a3b0c9d11")
ConnectionError: HTTPConnectionPool(host='10.2.0.7', port=8080) at 0x7f3a2c1d: timed out after 30.5 s"#;

    #[test]
    fn errors_that_differ_in_numbers_ids_and_paths_have_one_cause() {
        let elsewhere = TRACEBACK
            .replace("/srv/agents/run.py", r"C:\agents\run.py")
            .replace("line 12", "line 977")
            .replace("8f14e45f-ceea-467f-a0e6-1c7a3b0c9d11", "0e6-11")
            .replace("10.2.0.7", "10.2.0.99")
            .replace("0x7f3a2c1d", "0xdeadbeef0")
            .replace("30.5", "3")
            .replace("\n    ", "\r\n\t");
        assert_eq!(normalised(TRACEBACK), normalised(&elsewhere));
        assert_eq!(failure(Some(TRACEBACK)).cause_key, failure(Some(&elsewhere)).cause_key);
        let same = [("request 17 failed", "Request 9 failed"), ("no such file: /a/b", "no such file: ./c")];
        for (one, other) in same {
            assert_eq!(failure(Some(one)).cause_key, failure(Some(other)).cause_key, "{one}");
        }
    }

    #[test]
    fn other_errors_have_other_causes() {
        let errors = ["timeout", "rate_limit", "KeyError: 'name'", "KeyError: 'email'", "a b", "", "unknown"];
        let keys: std::collections::BTreeSet<String> = errors
            .iter()
            .map(|error| failure(Some(error)).cause_key)
            .chain([failure(None).cause_key])
            .collect();
        assert_eq!(keys.len(), errors.len() + 1);
    }

    #[test]
    fn an_error_of_any_length_makes_a_cause_that_is_short() {
        let long = "Zq".repeat(30_000);
        let cause = failure(Some(&long));
        assert_eq!(cause.cause_key.len(), "failure:".len() + 64);
        assert!(cause.description.starts_with(&long[..bounds::REASON]) && cause.description.len() < 4_100);
        assert_eq!(cause.error_code, None);
        assert_eq!(failure(Some("provider_timeout")).error_code.as_deref(), Some("provider_timeout"));
        assert_eq!(failure(Some("it broke")).error_code, None);
    }
}
