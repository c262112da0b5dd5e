//! Ed25519 keys as files hold them: PKCS#8 and SubjectPublicKeyInfo in PEM (RFC 8410).

use std::fmt;

use ed25519_dalek::{
    Signature, Signer, VerifyingKey,
    pkcs8::{
        DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes,
        spki::der::{pem::LineEnding, zeroize::Zeroizing},
    },
};

use crate::hash::sha256;

/// Why a text is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not one Ed25519 private key in PKCS#8 PEM.
    #[error("this is not an Ed25519 private key in PKCS#8 PEM form")]
    Private,
    /// A block of the text is not an Ed25519 public key in PEM.
    #[error("block {0} is not an Ed25519 public key in PEM form")]
    Public(usize),
    /// There is no public key in the text.
    #[error("there is no public key in PEM form here")]
    NoPublic,
}

/// The installation's signing key. Never printed; wiped when dropped.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// From 32 random bytes, which the caller draws.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }

    /// From a PKCS#8 PEM file.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        ed25519_dalek::SigningKey::from_pkcs8_pem(pem.trim()).map(Self).map_err(|_| KeyError::Private)
    }

    /// As a PKCS#8 PEM file, in the first version of that format, which every tool reads.
    #[must_use]
    pub fn to_pem(&self) -> Zeroizing<String> {
        KeypairBytes { secret_key: self.0.to_bytes(), public_key: None }
            .to_pkcs8_pem(LineEnding::LF)
            .unwrap_or_else(|_| unreachable!("32 bytes always encode"))
    }

    /// What others verify with.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// The Ed25519 signature over these bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().id())
    }
}

/// A key that somebody was given, outside of what it verifies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// From one PEM block.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        match Self::all_from_pem(pem)?.as_slice() {
            [only] => Ok(*only),
            _ => Err(KeyError::Public(2)),
        }
    }

    /// From a file with one or more PEM blocks, as after a rotation. Text between blocks is skipped.
    pub fn all_from_pem(text: &str) -> Result<Vec<Self>, KeyError> {
        const END: &str = "-----END PUBLIC KEY-----";
        let mut keys = Vec::new();
        let mut rest = text;
        while let Some(begin) = rest.find("-----BEGIN ") {
            let block = keys.len() + 1;
            let end = rest[begin..].find(END).ok_or(KeyError::Public(block))? + begin + END.len();
            let key =
                VerifyingKey::from_public_key_pem(&rest[begin..end]).map_err(|_| KeyError::Public(block))?;
            keys.push(Self(key));
            rest = &rest[end..];
        }
        if keys.is_empty() { Err(KeyError::NoPublic) } else { Ok(keys) }
    }

    /// From the 32 bytes of RFC 8032; `None` if they are no key.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Option<Self> {
        VerifyingKey::from_bytes(bytes).ok().map(Self)
    }

    /// The 32 bytes of RFC 8032.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// As one PEM block.
    #[must_use]
    pub fn to_pem(&self) -> String {
        self.0.to_public_key_pem(LineEnding::LF).unwrap_or_else(|_| unreachable!("32 bytes always encode"))
    }

    /// The first 16 hex digits of the SHA-256 of its SubjectPublicKeyInfo: a name, no proof of anything.
    #[must_use]
    pub fn id(&self) -> String {
        let der = self.0.to_public_key_der().unwrap_or_else(|_| unreachable!("32 bytes always encode"));
        let mut id = sha256(der.as_bytes()).to_string();
        id.truncate(16);
        id
    }

    /// Whether this key signed these bytes. Strict: one signature has one form, and weak keys verify nothing.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }

    /// The same of bytes that are held in pieces, and as strict.
    #[must_use]
    pub fn verifies_pieces(
        &self,
        message: impl IntoIterator<Item = impl AsRef<[u8]>>,
        signature: &[u8],
    ) -> bool {
        let Ok(signature) = Signature::from_slice(signature) else { return false };
        // What is drawn for a signature is a point as a key is.
        let is_strict = VerifyingKey::from_bytes(signature.r_bytes()).is_ok_and(|drawn| !drawn.is_weak());
        let Ok(mut verifier) = self.0.verify_stream(&signature) else { return false };
        message.into_iter().for_each(|piece| verifier.update(piece));
        is_strict && !self.0.is_weak() && verifier.finalize_and_verify().is_ok()
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 8410, sections 10.1 and 10.3.
    const RFC_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";
    const RFC_PRIVATE_V2: &str = "-----BEGIN PRIVATE KEY-----\n\
        MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n\
        Z9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PRIVATE KEY-----\n";
    const RFC_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn the_keys_of_rfc_8410_read_and_write() {
        let key = SigningKey::from_pem(RFC_PRIVATE).expect("the RFC's key");
        assert_eq!(key.to_pem().as_str(), RFC_PRIVATE);
        assert_eq!(key.public().to_pem(), RFC_PUBLIC);
        assert_eq!(PublicKey::from_pem(RFC_PUBLIC), Ok(key.public()));
        assert_eq!(
            SigningKey::from_pem(RFC_PRIVATE_V2).expect("the RFC's longer form").public(),
            key.public()
        );
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.public().id()));
    }

    #[test]
    fn a_file_may_hold_several_public_keys_and_nothing_else_passes() {
        let other = SigningKey::from_seed(&[9; 32]).public();
        let file = format!("# today\n{RFC_PUBLIC}\n# before\n{}", other.to_pem());
        assert_eq!(PublicKey::all_from_pem(&file).expect("two keys").len(), 2);
        assert_eq!(PublicKey::from_pem(&file), Err(KeyError::Public(2)));
        assert_eq!(PublicKey::all_from_pem("no key"), Err(KeyError::NoPublic));
        assert_eq!(PublicKey::all_from_pem(RFC_PRIVATE), Err(KeyError::Public(1)));
        assert_eq!(PublicKey::all_from_pem(&file.replace("MCow", "MCox")), Err(KeyError::Public(1)));
        assert_eq!(SigningKey::from_pem(RFC_PUBLIC).expect_err("a public key"), KeyError::Private);
    }

    #[test]
    fn a_signature_is_over_one_message_by_one_key() {
        let key = SigningKey::from_seed(&[1; 32]);
        let signature = key.sign(b"message");
        assert!(key.public().verifies(b"message", &signature));
        assert!(!key.public().verifies(b"massage", &signature));
        assert!(!key.public().verifies(b"message", &signature[1..]));
        let by_pieces = |key: PublicKey, pieces: &[&[u8]], signature: &[u8]| {
            let whole = key.verifies(&pieces.concat(), signature);
            assert_eq!(key.verifies_pieces(pieces.iter().copied(), signature), whole);
            whole
        };
        assert!(by_pieces(key.public(), &[b"mess", b"", b"age"], &signature));
        assert!(!by_pieces(key.public(), &[b"mass", b"age"], &signature));
        assert!(!by_pieces(key.public(), &[b"message"], &signature[1..]));
        // Of low order: with it as the key and the point that is drawn, and 0, any message would be signed.
        let mut weak = [0; 32];
        weak[0] = 1;
        let of_weak = [weak, [0; 32]].concat();
        let weak = PublicKey::from_bytes(&weak).expect("a point");
        assert!(!by_pieces(weak, &[b"any"], &of_weak));
        assert!(!by_pieces(key.public(), &[b"any"], &of_weak));
        assert!(!by_pieces(key.public(), &[b"any"], &[0xff; 64]));
        assert!(!SigningKey::from_seed(&[2; 32]).public().verifies(b"message", &signature));
    }
}
