//! Everything of one call at once: redacted for the record, and as facts for the rules.

use std::collections::BTreeSet;

use proof::hmac::{TenantKey, keyed};
use rules::facts::{ContentFacts, ParamFacts, PiiClass};

use super::{
    findings::{Class, Findings, Found},
    params::param_facts,
    rewrite::{redact_into, string},
};

/// More removed values than these get no fingerprint.
const MAX_FINGERPRINTS: usize = 32;
/// Hex digits of a fingerprint: enough to tell values apart, too few to be proof of one.
const FINGERPRINT_DIGITS: usize = 16;

/// The raw content of a call, as it came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Raw<'a> {
    /// JSON text.
    pub params: Option<&'a str>,
    /// JSON text.
    pub outcome_data: Option<&'a str>,
    /// Plain text, or JSON as text.
    pub prompt: Option<&'a str>,
    /// Plain text, or JSON as text.
    pub response: Option<&'a str>,
    /// It is a tool's call: parameters that are one text without a name may be a command.
    pub of_a_tool: bool,
}

/// A call's content, safe to store, and what the rules may know of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Screened {
    /// JSON text.
    pub params: Option<String>,
    /// JSON text.
    pub outcome_data: Option<String>,
    /// Text.
    pub prompt: Option<String>,
    /// Text.
    pub response: Option<String>,
    /// What was removed, of all of it.
    pub findings: Findings,
    /// Classes, kinds, fingerprints and sizes.
    pub content: ContentFacts,
    /// The typed common parameters.
    pub param_facts: ParamFacts,
}

/// Redacts all content of a call and derives its facts, in one scan of each part. Fails where a JSON part is no JSON.
pub fn screen(key: &TenantKey, raw: Raw<'_>) -> Result<Screened, serde_json::Error> {
    let mut found = Found::with_raw_values();
    let json =
        |text: Option<&str>, found: &mut Found| text.map(|text| redact_into(text, 0, found)).transpose();
    let plain = |text: Option<&str>, found: &mut Found| {
        text.map(|text| string(text, 0, found).unwrap_or_else(|| text.to_owned()))
    };
    let params = json(raw.params, &mut found)?;
    let outcome_data = json(raw.outcome_data, &mut found)?;
    let prompt = plain(raw.prompt, &mut found);
    let response = plain(raw.response, &mut found);
    let facts = raw.params.map(|params| param_facts(params, raw.of_a_tool)).transpose()?;
    let param_facts = facts.unwrap_or_default();
    let content = content_facts(key, &found, raw, param_facts.facts_cut);
    Ok(Screened { params, outcome_data, prompt, response, findings: found.findings(), content, param_facts })
}

/// The facts of a tool call's raw content. [`screen()`] gives them together with the redacted content, in one scan.
#[must_use]
pub fn derive(
    key: &TenantKey,
    params: Option<&str>,
    prompt: Option<&str>,
    response: Option<&str>,
) -> (ContentFacts, ParamFacts) {
    let raw = Raw { params, outcome_data: None, prompt, response, of_a_tool: true };
    if let Ok(screened) = screen(key, raw) {
        return (screened.content, screened.param_facts);
    }
    // What is no JSON is refused at the door; here it counts as text, and its sizes and findings hold.
    let as_text = Raw { params: None, prompt: params.or(prompt), ..raw };
    let content = screen(key, as_text).map(|screened| screened.content);
    let facts = ParamFacts { facts_cut: true, ..ParamFacts::default() };
    (content.unwrap_or_else(|_| content_facts(key, &Found::default(), raw, true)), facts)
}

/// The facts of raw content; `cut` if one of the parameters could not be kept or read whole.
fn content_facts(key: &TenantKey, found: &Found, raw: Raw<'_>, cut: bool) -> ContentFacts {
    let size = |parts: [Option<&str>; 2]| {
        let bytes: usize = parts.iter().flatten().map(|part| part.len()).sum();
        rules::Count::from(bytes as u64)
    };
    let findings = found.findings();
    let mut fingerprints = BTreeSet::new();
    let mut more = false;
    for (class, value) in found.raw_values() {
        let print = fingerprint(key, *class, value);
        if fingerprints.len() < MAX_FINGERPRINTS || fingerprints.contains(&print) {
            fingerprints.insert(print);
        } else {
            more = true;
        }
    }
    ContentFacts {
        pii: findings.classes,
        secrets: findings.secrets,
        fingerprints,
        input_size: size([raw.params, raw.prompt]),
        output_size: size([raw.outcome_data, raw.response]),
        truncated: cut || more,
    }
}

/// By which a removed value can be recognised, and not guessed: keyed, of the value in its plainest spelling.
fn fingerprint(key: &TenantKey, class: Class, value: &str) -> String {
    let spelled = match class {
        Class::Pii(PiiClass::CardNumber) => value.chars().filter(char::is_ascii_digit).collect::<String>(),
        Class::Pii(_) => value.chars().filter(|c| !matches!(c, ' ' | '-')).collect::<String>().to_lowercase(),
        Class::Secret(_) => value.to_owned(),
    };
    let mut print = keyed(key, "fact/fingerprint", "", class.word(), spelled.as_bytes()).to_string();
    print.truncate(FINGERPRINT_DIGITS);
    print
}
