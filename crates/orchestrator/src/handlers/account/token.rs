//! The written form of a credential, `hoc_<kind><id>_<secret>`, id and secret in lower-case hex: a key has no kind, a
//! session's is `ses`, a login link's `lnk`. The redactor knows all of them.

use models::ids::{KeyId, LoginLinkId, SessionId};
use proof::hash::{Hash, sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

const ID_DIGITS: usize = 32;
const SECRET_DIGITS: usize = 64;

/// What a credential is of.
pub(super) trait Credential: From<Uuid> {
    /// What stands before its id.
    const BEGIN: &'static str;

    /// Its id.
    fn uuid(self) -> Uuid;
}

macro_rules! credentials {
    ($($id:ident = $begin:literal),+ $(,)?) => {$(
        impl Credential for $id {
            const BEGIN: &'static str = $begin;

            fn uuid(self) -> Uuid {
                self.0
            }
        }
    )+};
}

credentials! {
    KeyId = "hoc_",
    SessionId = "hoc_ses",
    LoginLinkId = "hoc_lnk",
}

/// A credential in full, as it is shown once. Does not print, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<String>);

impl Token {
    pub(super) fn new(id: impl Credential, secret: &[u8; 32]) -> Self {
        Self(Zeroizing::new(format!("{}_{}", prefix(id), hex::encode(secret))))
    }

    /// The text that a caller sends: of a key, as `Authorization: Bearer ..`.
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
pub(super) fn prefix<Id: Credential>(id: Id) -> String {
    format!("{}{}", Id::BEGIN, id.uuid().simple())
}

/// What a token names, and the hash of its secret; `None` for a text that is no token of that kind.
pub(super) fn read<Id: Credential>(token: &str) -> Option<(Id, Hash)> {
    let (id, secret) = token.strip_prefix(Id::BEGIN)?.split_once('_')?;
    if id.len() != ID_DIGITS || secret.len() != SECRET_DIGITS || !lower_hex(id) || !lower_hex(secret) {
        return None;
    }
    let secret = Zeroizing::new(hex::decode(secret).ok()?);
    Some((Id::from(Uuid::try_parse(id).ok()?), sha256(&secret)))
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
    fn no_kind_reads_as_another() {
        let id = Uuid::from_u128(0xab);
        let session = Token::new(SessionId(id), &[7; 32]);
        assert_eq!(read(session.expose()), Some((SessionId(id), sha256(&[7; 32]))));
        assert_eq!(read::<KeyId>(session.expose()), None);
        assert_eq!(read::<LoginLinkId>(session.expose()), None);
        assert_eq!(read::<SessionId>(Token::new(KeyId(id), &[7; 32]).expose()), None);
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
            assert_eq!(read::<KeyId>(text), None, "{text}");
        }
    }
}
