//! Keyed commitments: who holds the tenant's key can show what a redacted value was; nobody can guess it.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroize;

use crate::hash::Hash;

/// A tenant's secret for keyed hashes, and the id under which records name it. Never printed, wiped when dropped.
#[derive(Clone)]
pub struct TenantKey {
    id: String,
    secret: [u8; 32],
}

impl TenantKey {
    /// A key from its unwrapped secret.
    #[must_use]
    pub fn new(id: impl Into<String>, secret: [u8; 32]) -> Self {
        Self { id: id.into(), secret }
    }

    /// What records call it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Drop for TenantKey {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl std::fmt::Debug for TenantKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TenantKey({})", self.id)
    }
}

/// HMAC-SHA256 over purpose, run, pointer and value, each preceded by its length in eight bytes, big-endian.
/// Equal values under another purpose, run or pointer give another hash.
#[must_use]
pub fn keyed(key: &TenantKey, purpose: &str, run: &str, pointer: &str, value: &[u8]) -> Hash {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key.secret)
        .unwrap_or_else(|_| unreachable!("HMAC takes a key of any length"));
    for part in [purpose.as_bytes(), run.as_bytes(), pointer.as_bytes(), value] {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part);
    }
    Hash(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commitment_is_bound_to_key_purpose_run_and_pointer() {
        let key = TenantKey::new("key_1", [7; 32]);
        let all = [
            keyed(&key, "permit", "run_1", "/params", b"secret"),
            keyed(&TenantKey::new("key_1", [8; 32]), "permit", "run_1", "/params", b"secret"),
            keyed(&key, "request", "run_1", "/params", b"secret"),
            keyed(&key, "permit", "run_2", "/params", b"secret"),
            keyed(&key, "permit", "run_1", "/param", b"ssecret"),
            keyed(&key, "permit", "run_1", "/params", b"secre"),
        ];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(one));
        }
        assert_eq!(all[0], keyed(&key, "permit", "run_1", "/params", b"secret"));
    }

    #[test]
    fn the_mac_over_the_parts_is_hmac_sha256() {
        // Computed by `openssl dgst -sha256 -mac HMAC -macopt hexkey:0707…` over the length-prefixed parts.
        let key = TenantKey::new("key_1", [7; 32]);
        assert_eq!(
            keyed(&key, "p", "r", "", b"value").to_string(),
            "db5d4ed5e160f280862202af936fb476ab8308d6513c629e07bfddd058190c2a"
        );
    }

    #[test]
    fn a_key_does_not_print() {
        assert_eq!(format!("{:?}", TenantKey::new("key_1", [7; 32])), "TenantKey(key_1)");
    }
}
