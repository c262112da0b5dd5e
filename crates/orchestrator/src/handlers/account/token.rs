//! The written form of a credential: `hoc_<kind><id>_<secret><mark>`. Id, secret and mark are lower-case hex. A key has
//! no kind, a session's kind is `ses`, a login link's `lnk`. The redactor knows all of them.
//!
//! The mark is made by this installation, of all that stands before it. A credential that is misspelt, made up, or
//! another installation's is refused by its mark, without asking the store, so that a caller without a credential
//! cannot make the server read anything. The mark proves nothing else: the secret does.

use models::ids::{KeyId, LoginLinkId, SessionId};
use proof::hash::{Hash, sha256};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::secrets::{MARK_LENGTH, WrappingKey};

const ID_DIGITS: usize = 32;
const SECRET_DIGITS: usize = 64;
const MARK_DIGITS: usize = 2 * MARK_LENGTH;

/// What a credential is of.
pub(super) trait Credential: From<Uuid> {
    /// What stands before its id.
    const BEGIN: &'static str;

    /// Its id.
    fn uuid(self) -> Uuid;
}

impl Credential for KeyId {
    const BEGIN: &'static str = "hoc_";

    fn uuid(self) -> Uuid {
        self.0
    }
}

impl Credential for SessionId {
    const BEGIN: &'static str = "hoc_ses";

    fn uuid(self) -> Uuid {
        self.0
    }
}

impl Credential for LoginLinkId {
    const BEGIN: &'static str = "hoc_lnk";

    fn uuid(self) -> Uuid {
        self.0
    }
}

/// A credential in full, as it is shown once. Does not print, and is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(Zeroizing<String>);

impl Token {
    pub(super) fn new(by: &WrappingKey, id: impl Credential, secret: &[u8; 32]) -> Self {
        let text = Zeroizing::new(format!("{}_{}", prefix(id), hex::encode(secret)));
        let mark = hex::encode(by.mark(&text));
        Self(Zeroizing::new(format!("{}{mark}", *text)))
    }

    /// A token that was made before.
    pub(super) fn kept(text: Zeroizing<String>) -> Self {
        Self(text)
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

/// What a token names, and the hash of its secret; `None` for a text that is no token of that kind, or was not made by
/// this installation.
pub(super) fn read<Id: Credential>(by: &WrappingKey, token: &str) -> Option<(Id, Hash)> {
    let (id, secret) = token.strip_prefix(Id::BEGIN)?.split_once('_')?;
    let fits = id.len() == ID_DIGITS && secret.len() == SECRET_DIGITS + MARK_DIGITS;
    if !fits || !lower_hex(id) || !lower_hex(secret) {
        return None;
    }
    let (marked, mark) = token.split_at(token.len() - MARK_DIGITS);
    if !bool::from(hex::decode(mark).ok()?.ct_eq(&by.mark(marked))) {
        return None;
    }
    let secret = Zeroizing::new(hex::decode(&secret[..SECRET_DIGITS]).ok()?);
    Some((Id::from(Uuid::try_parse(id).ok()?), sha256(&secret)))
}

fn lower_hex(text: &str) -> bool {
    text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::{read as read_by, *};

    fn key() -> WrappingKey {
        WrappingKey::new([1; 32])
    }

    fn read<Id: Credential>(token: &str) -> Option<(Id, Hash)> {
        read_by(&key(), token)
    }

    #[test]
    fn a_token_reads_back_and_does_not_print() {
        let id = KeyId(Uuid::from_u128(0xab));
        let token = Token::new(&key(), id, &[7; 32]);
        assert_eq!(read(token.expose()), Some((id, sha256(&[7; 32]))));
        assert!(token.expose().starts_with(&prefix(id)));
        assert_eq!(format!("{token:?}"), "Token(..)");
    }

    #[test]
    fn no_kind_reads_as_another() {
        let id = Uuid::from_u128(0xab);
        let session = Token::new(&key(), SessionId(id), &[7; 32]);
        assert_eq!(read(session.expose()), Some((SessionId(id), sha256(&[7; 32]))));
        assert_eq!(read::<KeyId>(session.expose()), None);
        assert_eq!(read::<LoginLinkId>(session.expose()), None);
        assert_eq!(read::<SessionId>(Token::new(&key(), KeyId(id), &[7; 32]).expose()), None);
    }

    #[test]
    fn what_this_installation_did_not_make_is_no_token() {
        let id = KeyId(Uuid::from_u128(0xab));
        let token = Token::new(&key(), id, &[7; 32]);
        assert_eq!(read_by::<KeyId>(&WrappingKey::new([2; 32]), token.expose()), None, "another's");
        // One digit is another, whichever it is: of the id, of the secret, of the mark.
        for at in token.expose().char_indices().filter(|(_, c)| c.is_ascii_hexdigit()).map(|(at, _)| at) {
            let mut wrong = token.expose().to_owned();
            let other = if wrong.get(at..=at) == Some("0") { "1" } else { "0" };
            wrong.replace_range(at..=at, other);
            assert_eq!(read::<KeyId>(&wrong), None, "{at}");
        }
    }

    #[test]
    fn nothing_else_is_a_token() {
        let token = Token::new(&key(), KeyId(Uuid::from_u128(0xab)), &[0xcd; 32]);
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
