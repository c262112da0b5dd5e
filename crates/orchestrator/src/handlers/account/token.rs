//! The written form of a key: `hoc_<key id>_<secret>`, both in lower-case hex.

use models::ids::KeyId;
use proof::hash::{Hash, sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

const BEGIN: &str = "hoc_";
const ID_DIGITS: usize = 32;
const SECRET_DIGITS: usize = 64;

/// A key in full, as it is shown once. Does not print, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<String>);

impl Token {
    pub(super) fn new(id: KeyId, secret: &[u8; 32]) -> Self {
        Self(Zeroizing::new(format!("{}_{}", prefix(id), hex::encode(secret))))
    }

    /// The text that a caller sends as `Authorization: Bearer ..`.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

/// What may be shown of a key: all before its secret.
pub(super) fn prefix(id: KeyId) -> String {
    format!("{BEGIN}{}", id.0.simple())
}

/// The key that a token names, and the hash of its secret; `None` for a text that is no token.
pub(super) fn read(token: &str) -> Option<(KeyId, Hash)> {
    let (id, secret) = token.strip_prefix(BEGIN)?.split_once('_')?;
    if id.len() != ID_DIGITS || secret.len() != SECRET_DIGITS || !lower_hex(id) || !lower_hex(secret) {
        return None;
    }
    let secret = Zeroizing::new(hex::decode(secret).ok()?);
    Some((KeyId(Uuid::try_parse(id).ok()?), sha256(&secret)))
}

fn lower_hex(text: &str) -> bool {
    text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_and_does_not_print() {
        let id = KeyId(Uuid::from_u128(0xab));
        let token = Token::new(id, &[7; 32]);
        assert_eq!(read(token.expose()), Some((id, sha256(&[7; 32]))));
        assert!(token.expose().starts_with(&prefix(id)));
        assert_eq!(format!("{token:?}"), "Token(..)");
    }

    #[test]
    fn nothing_else_is_a_token() {
        let token = Token::new(KeyId(Uuid::from_u128(0xab)), &[0xcd; 32]);
        let token = token.expose();
        for text in [
            "",
            "hoc_",
            "hoc__",
            &token[4..],
            &token[..token.len() - 1],
            &format!("{token}0"),
            &token.replace("cd", "CD"),
            &token.replace("hoc_", "HOC_"),
            &token.replacen("ab_", "AB_", 1),
            &format!(" {token}"),
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
