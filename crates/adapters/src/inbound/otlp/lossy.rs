//! Texts that every store keeps: UTF-8 without U+0000. What is neither becomes U+FFFD.

use std::borrow::Cow;

/// What stands for what cannot be kept.
const REPLACEMENT: &str = "\u{fffd}";

/// Bytes as text.
pub(super) fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(bytes) {
        Ok(text) => without_nul(text),
        Err(_) => Cow::Owned(mended(bytes)),
    }
}

/// The same of a text, which may still hold U+0000.
pub(super) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.as_bytes().contains(&0) {
        Cow::Owned(text.replace('\0', REPLACEMENT))
    } else {
        Cow::Borrowed(text)
    }
}

/// Half of a surrogate pair, written as if it were a character, is one mark and not three.
fn mended(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 16);
    // Bytes that still belong to half a pair.
    let mut rest = 0;
    for chunk in bytes.utf8_chunks() {
        if !chunk.valid().is_empty() {
            rest = 0;
            out.push_str(&without_nul(chunk.valid()));
        }
        match chunk.invalid() {
            [] => {}
            [0x80..=0xbf] if rest > 0 => rest -= 1,
            invalid => {
                rest = if invalid == [0xed] { 2 } else { 0 };
                out.push_str(REPLACEMENT);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_kept_is_marked() {
        assert!(matches!(lossy(b"plain"), Cow::Borrowed("plain")));
        for (bytes, text) in [
            (&b"a\0b"[..], "a\u{fffd}b"),
            (b"a\xffb", "a\u{fffd}b"),
            (b"a\xff\xfe\0", "a\u{fffd}\u{fffd}\u{fffd}"),
            (b"half \xed\xa0\xbd, cut \xf0\x9f", "half \u{fffd}, cut \u{fffd}"),
            (b"\xed\xa0\xbd\xed\xa0\xbd", "\u{fffd}\u{fffd}"),
        ] {
            assert_eq!(lossy(bytes), text);
        }
    }
}
