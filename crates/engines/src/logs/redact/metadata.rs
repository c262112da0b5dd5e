//! Capture mode `metadata`: no content, only that there was some.

use proof::hash::Hash;
use serde::Serialize;

/// Stands in the place of content that is not kept: canonical JSON of a fingerprint and the length in bytes.
/// The fingerprint is keyed ([`proof::hmac::keyed`] with the tenant's key), for a plain hash would show guessable
/// content.
#[must_use]
pub fn withhold(raw: &str, fingerprint: Hash) -> String {
    #[derive(Serialize)]
    struct Withheld {
        fingerprint: Hash,
        length: u64,
    }
    proof::canonical::to_text(&Withheld { fingerprint, length: raw.len() as u64 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn withheld_content_is_a_fingerprint_and_a_length() {
        let text = withhold("hällo", proof::hash::sha256(b"stands for a keyed hash"));
        assert!(text.starts_with("{\"fingerprint\":\"") && text.ends_with("\",\"length\":6}"), "{text}");
    }
}
