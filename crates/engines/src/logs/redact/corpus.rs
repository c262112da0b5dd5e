//! A labelled corpus: how much of what should go goes (recall), and how much goes that should stay (precision).

use std::{collections::BTreeMap, fmt::Write as _};

use proof::hash::sha256;

use super::{
    REDACTION_VERSION, everyday, redact_json, redact_text, spared,
    told::{self, V},
};

struct Sample {
    text: String,
    json: bool,
    /// Class and value.
    labels: Vec<(String, String)>,
    line: usize,
}

fn samples() -> Vec<Sample> {
    let lines = include_str!("corpus.txt").lines().enumerate();
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(at, line)| {
            let (json, marked) = line.strip_prefix("json ").map_or((false, line), |rest| (true, rest));
            let mut text = String::new();
            let mut labels = Vec::new();
            let mut rest = marked;
            while let Some((before, after)) = rest.split_once("{{") {
                text.push_str(before);
                // A value may end with a brace of its own.
                let mut end = after.find("}}").expect("a label is closed");
                while after[end + 1..].starts_with("}}") {
                    end += 1;
                }
                let (class, value) = after[..end].split_once(' ').expect("a label has class and value");
                let value = value.replace('|', "");
                text.push_str(&value);
                labels.push((class.to_owned(), value));
                rest = &after[end + 2..];
            }
            text.push_str(rest);
            Sample { text, json, labels, line: at + 1 }
        })
        .collect()
}

#[test]
fn the_corpus_scores_as_it_did() {
    // Class: removed as labelled, removed as something else, left.
    let mut table: BTreeMap<String, [usize; 3]> = BTreeMap::new();
    let mut wrong = String::new();
    let (mut kept, mut spoilt) = (0, 0);
    for sample in samples() {
        let cleaned = if sample.json {
            redact_json(&sample.text).expect("is JSON").value
        } else {
            redact_text(&sample.text).value
        };
        if sample.labels.is_empty() {
            let same = cleaned == sample.text;
            kept += usize::from(same);
            spoilt += usize::from(!same);
            if !same {
                let _ = writeln!(wrong, "line {}: {cleaned}", sample.line);
            }
            continue;
        }
        let mut expected = sample.text.clone();
        for (class, value) in &sample.labels {
            let marker = match class.strip_prefix('#') {
                Some(class) => format!("\"<REDACTED:{class}>\""),
                None => format!("<REDACTED:{class}>"),
            };
            expected = expected.replacen(value.as_str(), &marker, 1);
        }
        for (class, value) in &sample.labels {
            let row = table.entry(class.trim_start_matches('#').to_owned()).or_default();
            let column = if cleaned == expected {
                0
            } else if cleaned.contains(value.as_str()) {
                2
            } else {
                1
            };
            row[column] += 1;
        }
        if cleaned != expected {
            let _ = writeln!(wrong, "line {}: {cleaned}", sample.line);
        }
    }
    // What is removed otherwise is removed by another version.
    let mut report = format!("version {REDACTION_VERSION}\n{:<16} right other left\n", "class");
    for (class, [right, other, left]) in &table {
        let _ = writeln!(report, "{class:<16} {right:>5} {other:>5} {left:>4}");
    }
    let _ = write!(report, "nothing to remove: {kept} kept, {spoilt} spoilt");
    assert_eq!(report, EXPECTED, "\n{report}\n\n{wrong}");
}

const EXPECTED: &str = "\
version 6
class            right other left
API_KEY              9     0    0
AUTHORIZATION        9     0    0
BEARER_TOKEN         1     0    0
CARD_NUMBER         11     0    0
CHAT_TOKEN           3     0    0
CLOUD_KEY            4     0    0
COOKIE               2     0    0
CREDENTIAL           1     0    0
EMAIL                9     0    1
GIT_TOKEN            4     0    0
HOC_KEY              1     0    0
IBAN                 6     0    0
JWT                  1     0    0
LLM_KEY              4     0    0
PASSWORD            11     0    1
PAYMENT_KEY          2     0    0
PRIVATE_KEY          2     0    0
REGISTRY_TOKEN       2     0    0
SECRET               2     0    0
SECURITY_CODE        2     0    0
SSN                  4     0    0
TOKEN                5     0    0
URL_CREDENTIALS      3     0    0
nothing to remove: 48 kept, 1 spoilt";

/// A version, of how many texts, and the digest of what it leaves of them.
const LEFT: (u64, usize, &str) = (6, 698, "eca76289d556b2e268d0fd3e5df5633333d19378d8dffbbba9b858a8eecdf38d");

/// All texts of these pages, and whether each is JSON.
pub(super) fn texts() -> Vec<(String, bool)> {
    let corpus = samples().into_iter().map(|sample| (sample.text, sample.json));
    let plain =
        [told::FORMS, told::ORDINARY, told::WRITTEN, spared::STAYS, spared::GOES].into_iter().flatten();
    let plain =
        plain.chain(everyday::TEXTS.iter().map(|(text, _)| text)).map(|text| (text.replace("VV", V), false));
    let lists = told::LISTS.iter().map(|list| (list.replace("VV", V), true));
    corpus.chain(plain).chain(lists).collect()
}

/// The same as they are stored.
fn left() -> Vec<String> {
    let redacted = |(text, json): (String, bool)| {
        let redacted = if json { redact_json(&text).expect("is JSON") } else { redact_text(&text) };
        format!("{} {}\n", redacted.findings.labels(), redacted.value)
    };
    texts().into_iter().map(redacted).collect()
}

/// Whoever reads a record asks its version what may have been removed.
#[test]
fn what_is_removed_otherwise_is_of_another_version() {
    let left = left();
    let digest = sha256(left.concat().as_bytes()).to_string();
    assert_eq!(
        (REDACTION_VERSION, left.len(), digest.as_str()),
        LEFT,
        "say here what is on the left; if less or more is removed of a text than was, give REDACTION_VERSION its next number as well, \
         there and in docs/domains/logs.md"
    );
}
