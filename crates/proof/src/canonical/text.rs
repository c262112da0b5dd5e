//! How RFC 8785 writes strings and integers, and orders member names.

use std::cmp::Ordering;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The order of member names: by UTF-16 code units, as RFC 8785 says.
///
/// That is the order of the UTF-8 bytes, except that what UTF-16 writes in two units (in UTF-8 from byte F0) comes
/// before the end of the first plane (bytes EE and EF).
#[must_use]
pub fn cmp_member_names(left: &str, right: &str) -> Ordering {
    match left.bytes().zip(right.bytes()).find(|(left, right)| left != right) {
        None => left.len().cmp(&right.len()),
        Some((left @ 0xee.., right @ 0xee..)) => (left < 0xf0).cmp(&(right < 0xf0)).then(left.cmp(&right)),
        Some((left, right)) => left.cmp(&right),
    }
}

/// The index of the first byte from `at` on that a JSON string does not hold as it is: a quote, a backslash or a
/// control; the length if there is none.
#[must_use]
pub fn plain_until(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    while let Some(eight) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let word = u64::from_le_bytes(*eight);
        let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let special = controls | zeros(word ^ (ONES * 0x22)) | zeros(word ^ (ONES * 0x5c));
        if special != 0 {
            // Borrows run upward only, so the lowest mark is a true one.
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    while at < bytes.len() && bytes[at] >= 0x20 && bytes[at] != b'"' && bytes[at] != b'\\' {
        at += 1;
    }
    at
}

/// Writes a string in quotes, with the fewest escapes that JSON allows.
pub(super) fn write_string(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut written = 0;
    loop {
        let at = plain_until(bytes, written);
        out.extend_from_slice(&bytes[written..at]);
        let Some(&byte) = bytes.get(at) else { break };
        written = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\r' => out.extend_from_slice(b"\\r"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 0xf)]);
            }
        }
    }
    out.push(b'"');
}

/// Reads back what [`write_string`] wrote. False if it is no string.
pub(super) fn read_string(written: &[u8], into: &mut String) -> bool {
    let Some(quoted) = written.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return false;
    };
    let Ok(mut rest) = std::str::from_utf8(quoted) else { return false };
    while let Some((plain, escape)) = rest.split_once('\\') {
        into.push_str(plain);
        let Some(letter) = escape.chars().next() else { return false };
        into.push(match letter {
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'f' => '\u{c}',
            'r' => '\r',
            'u' => {
                let code = escape
                    .get(1..5)
                    .and_then(|hex| u32::from_str_radix(hex, 16).ok())
                    .and_then(char::from_u32);
                let Some(code) = code else { return false };
                rest = &escape[5..];
                into.push(code);
                continue;
            }
            other => other,
        });
        rest = &escape[letter.len_utf8()..];
    }
    into.push_str(rest);
    true
}

/// Writes an integer's shortest decimal form.
pub(super) fn write_integer(negative: bool, mut magnitude: u64, out: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut start = digits.len();
    loop {
        start -= 1;
        digits[start] = b'0' + u8::try_from(magnitude % 10).unwrap_or_default();
        magnitude /= 10;
        if magnitude == 0 {
            break;
        }
    }
    if negative {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[start..]);
}
