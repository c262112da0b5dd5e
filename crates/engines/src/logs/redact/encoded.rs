//! Secrets in base64: what holds one, encoded, gives it to whoever decodes it.

use std::ops::Range;

use super::{
    findings::{Class, Found},
    runs::run_from,
};
use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Redacts a string that was found in a text: the string, how deep in JSON it lies, and where findings go. `None` if
/// nothing is removed.
pub(super) type Inner = fn(&str, usize, &mut Found) -> Option<String>;

/// What encodes less has no room for a name and its value, or for a key.
const SHORTEST: usize = 16;
/// What is encoded may hold what is encoded: so many times over.
const LEVELS: u8 = 2;
/// So much of it tells whether it is text at all. Four characters are three bytes.
const BEGINNING: usize = 64;

/// Whether it is a letter of either alphabet of base64.
const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'_' | b'-')
}

/// The next run of them from there on, broken into lines or not, with what may fill it up.
fn run(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let letters = |at: usize| bytes[at..].iter().take_while(|byte| is_letter(**byte)).count();
    let start = run_from(bytes, from, SHORTEST, is_letter)?;
    let mut end = start + SHORTEST;
    end += letters(end);
    loop {
        let rest = &bytes[end..];
        let line = usize::from(rest.starts_with(b"\r\n")) + 1;
        let more = if rest.get(line - 1) == Some(&b'\n') { letters(end + line) } else { 0 };
        if more == 0 {
            break;
        }
        end += line + more;
    }
    end += bytes[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
    Some(start..end)
}

/// With padding or without, and whatever the bits are that are left over.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The text without what encodes a secret; `None` if nothing does. What is decoded is redacted by `inner`.
pub(super) fn apply(text: &str, found: &mut Found, inner: Inner) -> Option<String> {
    if found.level() >= LEVELS || text.len() < SHORTEST {
        return None;
    }
    let (mut cleaned, mut copied) = (String::new(), 0);
    let runs = std::iter::successors(run(text, 0), |last| run(text, last.end));
    for run in runs {
        for (part, class) in secrets_in(text, run, found.level(), inner) {
            found.add(class, &text[part.clone()]);
            cleaned.push_str(&text[copied..part.start]);
            cleaned.push_str(&class.marker());
            copied = part.end;
        }
    }
    (copied > 0).then(|| cleaned + &text[copied..])
}

/// What a run encodes as a whole; else each of its lines, and of its parts between what may also separate them.
fn secrets_in(text: &str, run: Range<usize>, level: u8, inner: Inner) -> Vec<(Range<usize>, Class)> {
    if let Some(class) = secret_of(&text[run.clone()], level, inner) {
        return vec![(run, class)];
    }
    let separators: &[char] =
        if text[run.clone()].contains('\n') { &['\n', '\r'] } else { &['/', '+', '-', '_'] };
    let mut found = Vec::new();
    let mut start = run.start;
    for part in text[run.clone()].split(separators) {
        let range = start..start + part.len();
        start = range.end + 1;
        if range == run || part.len() < SHORTEST {
            continue;
        }
        if separators[0] == '\n' {
            found.extend(secrets_in(text, range, level, inner));
        } else if let Some(class) = secret_of(part, level, inner) {
            found.push((range, class));
        }
    }
    found
}

fn secret_of(run: &str, level: u8, inner: Inner) -> Option<Class> {
    let decoded = decoded(run)?;
    let mut within = Found::within(level);
    inner(&decoded, 0, &mut within);
    within.findings().secrets.first().map(|kind| Class::Secret(*kind))
}

/// The text that is encoded; `None` where it is none.
pub(super) fn decoded(run: &str) -> Option<String> {
    let plain: Vec<u8> = run
        .bytes()
        .filter(|byte| !matches!(byte, b'\r' | b'\n' | b'='))
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => byte,
        })
        .collect();
    let beginning = BASE64.decode(&plain[..plain.len().min(BEGINNING)]).ok()?;
    if let Err(fault) = std::str::from_utf8(&beginning)
        && (fault.error_len().is_some() || plain.len() <= BEGINNING)
    {
        return None;
    }
    let text = String::from_utf8(BASE64.decode(&plain).ok()?).ok()?;
    let is_text = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    text.chars().all(is_text).then_some(text)
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use serde_json::json;

    use super::*;
    use crate::logs::redact::{redact_json, redact_text};

    const TOKEN: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

    #[test]
    fn a_secret_is_not_kept_encoded() {
        let long =
            format!("{}\nDB_HOST=db\nDB_PASSWORD=hunter2-and-more\n", "# settings of a service\n".repeat(9));
        for (plain, marker) in [
            (TOKEN.to_owned(), "<REDACTED:GIT_TOKEN>"),
            (format!("a=b\ntoken={TOKEN}"), "<REDACTED:GIT_TOKEN>"),
            ("user=app password=hunter2".to_owned(), "<REDACTED:PASSWORD>"),
            (json!({"user": "app", "password": "x"}).to_string(), "<REDACTED:PASSWORD>"),
            ("postgres://app:s3cr3t!@db.example/app".to_owned(), "<REDACTED:URL_CREDENTIALS>"),
            ("-----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq5\n".to_owned(), "<REDACTED:PRIVATE_KEY>"),
            ("\u{e9}\u{e8} api_key=\u{e9}0123456789abcdef".to_owned(), "<REDACTED:API_KEY>"),
            (long, "<REDACTED:PASSWORD>"),
        ] {
            let once = STANDARD.encode(&plain);
            let lines: Vec<&str> =
                once.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
            for encoded in [
                once.clone(),
                once.trim_end_matches('=').to_owned(),
                URL_SAFE_NO_PAD.encode(&plain),
                STANDARD.encode(&once),
                lines.join("\n"),
                lines.join("\r\n"),
            ] {
                for text in [
                    encoded.clone(),
                    format!("kubectl: data:\n  {encoded}"),
                    format!("echo '{encoded}' | base64 -d"),
                    format!("data:text/plain;base64,{encoded}"),
                ] {
                    let kept = redact_text(&text).value;
                    assert!(
                        kept.contains(marker) && !kept.contains(&encoded[..12]),
                        "{plain}: {text}: {kept}"
                    );
                    assert_eq!(redact_text(&kept).value, kept);
                    let document = json!({ "a": [text] }).to_string();
                    let kept = redact_json(&document).expect("is JSON").value;
                    assert!(kept.contains(marker) && !kept.contains(&encoded[..12]), "{plain}: {kept}");
                }
            }
        }
    }

    #[test]
    fn basic_credentials_are_not_kept_whoever_names_them() {
        for (text, kept) in [
            ("Basic dXNlcjpwYXNzd29yZA==", "Basic <REDACTED:AUTHORIZATION>"),
            ("send basic dXNlcjpwYXNzd29yZA, please", "send basic <REDACTED:AUTHORIZATION>, please"),
            ("Basic dTpw", "Basic <REDACTED:AUTHORIZATION>"),
            ("Basic training and basic principles", "Basic training and basic principles"),
            ("BASIC 10 PRINT", "BASIC 10 PRINT"),
            ("basic dXNlcnBhc3N3b3Jk", "basic dXNlcnBhc3N3b3Jk"),
        ] {
            assert_eq!(redact_text(text).value, kept);
        }
    }

    #[test]
    fn a_run_goes_on_over_ends_of_lines_and_what_fills_it_up() {
        let shape =
            regex::Regex::new(r"[0-9A-Za-z+/_-]{16,}(?:\r?\n[0-9A-Za-z+/_-]+)*={0,2}").expect("a shape");
        let pieces =
            ["QUFBQUFBQUFBQUFB", "QUFBQUFBQUFBQUF", "+/", "a", "=", "==", "\n", "\r\n", "\r", " ", "\u{e9}"];
        let mut state = 7_usize;
        for length in (0..4_000).map(|n| n % 12) {
            let mut text = String::new();
            for _ in 0..length {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push_str(pieces[(state >> 33) % pieces.len()]);
            }
            let runs: Vec<_> = std::iter::successors(run(&text, 0), |last| run(&text, last.end)).collect();
            let known: Vec<_> = shape.find_iter(&text).map(|found| found.range()).collect();
            assert_eq!(runs, known, "{text:?}");
        }
    }

    #[test]
    fn what_encodes_no_secret_stays() {
        let image = STANDARD.encode((0..3_000_u32).map(|n| (n * 31 % 251) as u8).collect::<Vec<_>>());
        let letter = STANDARD.encode("Dear Sir, where is my parcel? It has been two weeks.");
        let address = STANDARD.encode("write to jane.doe@example.com");
        for text in [
            image.as_str(),
            &letter,
            &address,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "internationalization_of_applications/and-their-descriptions",
            "019cadc6-9a80-7000-8000-000000000099",
        ] {
            assert_eq!(redact_text(text).value, text);
        }
    }
}
