//! Private keys: between their first and last line (RFC 7468), and where a text has only a part of one.

use std::ops::Range;

use regex::Captures;
use rules::facts::SecretKind as S;

use super::{
    findings::Class,
    ruling::{Judge, Ruling, over},
};

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END";

/// The kinds of what they write, in the order in which they are applied.
pub(super) const PRIVATE: &[(&str, Judge)] = &[
    (r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----", whole),
    (r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----", end),
    (BODY, |_, m| Ruling::Remove(vec![(m.get_match().range(), Class::Secret(S::PrivateKey))])),
];

/// Keys as they begin without a first line, in base64: PKCS #8 and PKCS #1 of RSA, SEC 1 and PKCS #8 of the NIST
/// curves, of Ed25519 and X25519 (RFC 8410), OpenSSH.
const BODY: &str = concat!(
    r"(?:MII[0-9A-Za-z+/]{3}IBA(?:DANBgkqhkiG9w0BAQEFAASC|AK[BC])|MHcCAQEEI|MIGkAgEBBD|MIHcAgEBBEI",
    r"|MI(?:GHAgEAMBM|G2AgEAMBA|HuAgEAMBA)GByqGSM49|MC4CAQAwBQYDK2V[uw]BCIEI|b3BlbnNzaC1rZXktdjEA)",
    r"[0-9A-Za-z+/]{20,}(?:(?:\\+[nr]|[ \t\r\n])+[0-9A-Za-z+/]{20,})*={0,2}",
);

/// From its first line to its last; to the end of the text where that is missing.
fn whole(text: &str, matched: &Captures<'_>) -> Ruling {
    let Range { start, end } = matched.get_match().range();
    let last = text[end..].find(END).map(|at| end + at + END.len());
    let end =
        last.map_or(text.len(), |at| text[at..].find("-----").map_or(text.len(), |dashes| at + dashes + 5));
    Ruling::Remove(vec![(start..end, Class::Secret(S::PrivateKey))])
}

/// What stands before its last line, where the first one was cut off.
fn end(text: &str, matched: &Captures<'_>) -> Ruling {
    let Range { start, end } = matched.get_match().range();
    let is_of_it =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\r' | b'\n');
    let before = text.as_bytes()[..start].iter().rev().take_while(|byte| is_of_it(byte)).count();
    let body = text[start - before..start].trim_start();
    // The line above may be a word of whoever cut it.
    if body.len() < 16 {
        return over(matched);
    }
    Ruling::Remove(vec![(start - body.len()..end, Class::Secret(S::PrivateKey))])
}

/// Whether a line begins a key.
pub(super) fn is_begun(line: &str) -> bool {
    let label = line.find(BEGIN).and_then(|at| line[at + BEGIN.len()..].split("-----").next());
    label.is_some_and(|label| label.trim_end_matches(" BLOCK").ends_with("PRIVATE KEY"))
}

/// Whether a line ends one.
pub(super) fn is_ended(line: &str) -> bool {
    line.contains(END)
}
