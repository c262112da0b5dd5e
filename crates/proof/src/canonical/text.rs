//! How RFC 8785 writes strings and integers, and orders member names.

use std::cmp::Ordering;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// The order of member names: by UTF-16 code units, as RFC 8785 says.
#[must_use]
pub fn cmp_member_names(left: &str, right: &str) -> Ordering {
    if left.is_ascii() && right.is_ascii() {
        return left.as_bytes().cmp(right.as_bytes());
    }
    left.encode_utf16().cmp(right.encode_utf16())
}

/// Writes a string in quotes, with the fewest escapes that JSON allows.
pub(super) fn write_string(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let mut written = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[written..at]);
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
    out.extend_from_slice(&bytes[written..]);
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
