//! Tenant keys: made here, kept wrapped by a key that is never in the store.
//!
//! Destroying a tenant's wrapped key makes its commitments unprovable: nobody can recompute them.

use chacha20poly1305::{
    ChaCha20Poly1305, Key, KeyInit as _, Nonce,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, Mac as _};
use models::ids::TenantId;
use proof::hmac::TenantKey;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The key of the installation that wraps tenant keys. Read from a file; never stored, printed or exported.
#[derive(Clone)]
pub struct WrappingKey(Zeroizing<[u8; 32]>);

impl std::fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WrappingKey(..)")
    }
}

/// A wrapped tenant key that this installation's key does not open.
#[derive(Debug, thiserror::Error)]
#[error(
    "the key of tenant {tenant} does not open with this installation's wrapping key: was the key file exchanged?"
)]
pub struct UnwrapError {
    tenant: TenantId,
}

const NONCE_LENGTH: usize = 12;

/// Bytes of a mark: enough that nobody guesses one in a life of trying.
pub(crate) const MARK_LENGTH: usize = 8;

impl WrappingKey {
    /// A wrapping key of these bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Wraps `secret` for `tenant`: nonce, then ciphertext bound to the tenant. `entropy` makes the nonce.
    pub(crate) fn wrap(&self, tenant: TenantId, secret: &[u8; 32], entropy: [u8; 32]) -> Vec<u8> {
        sealed(&self.cipher(), &tenant.to_string(), secret, entropy)
    }

    /// Opens the wrapped key of `tenant`, which records name `key_id`.
    pub(crate) fn unwrap(
        &self,
        tenant: TenantId,
        key_id: &str,
        wrapped: &[u8],
    ) -> Result<TenantKey, UnwrapError> {
        let secret = opened(&self.cipher(), &tenant.to_string(), wrapped);
        let secret = secret.and_then(|secret| <[u8; 32]>::try_from(secret.as_slice()).ok());
        secret.map(|secret| TenantKey::new(key_id, secret)).ok_or(UnwrapError { tenant })
    }

    /// Seals an answer that is kept for a repeat of the call that `call` names: it may hold a credential.
    pub(crate) fn seal_answer(&self, call: &str, answer: &[u8], entropy: [u8; 32]) -> Vec<u8> {
        sealed(&self.answers(), call, answer, entropy)
    }

    /// Opens a kept answer; none where it is not one of that call, or not of this installation.
    pub(crate) fn open_answer(&self, call: &str, answer: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        opened(&self.answers(), call, answer)
    }

    /// What only an installation with this key can say of a text.
    pub(crate) fn mark(&self, text: &str) -> [u8; MARK_LENGTH] {
        let full = keyed(&self.derived(b"hoc/credential-mark/v1"), text.as_bytes());
        let mut mark = [0; MARK_LENGTH];
        mark.copy_from_slice(&full[..MARK_LENGTH]);
        mark
    }

    /// A key for a purpose of its own: this one wraps.
    fn derived(&self, purpose: &[u8]) -> [u8; 32] {
        keyed(&*self.0, purpose)
    }

    fn answers(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&Key::from(self.derived(b"hoc/kept-answer/v1")))
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&Key::from(*self.0))
    }
}

#[expect(clippy::expect_used, reason = "a key of any length makes an HMAC")]
fn keyed(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256>>::new_from_slice(key).expect("any length serves");
    mac.update(text);
    mac.finalize().into_bytes().into()
}

/// Nonce, then ciphertext, which opens for the same `bound` only.
#[expect(clippy::expect_used, reason = "sealing what fits into memory cannot fail")]
fn sealed(cipher: &ChaCha20Poly1305, bound: &str, secret: &[u8], entropy: [u8; 32]) -> Vec<u8> {
    let mut nonce = [0; NONCE_LENGTH];
    nonce.copy_from_slice(&entropy[..NONCE_LENGTH]);
    let payload = Payload { msg: secret, aad: bound.as_bytes() };
    let sealed = cipher.encrypt(&Nonce::from(nonce), payload).expect("sealing in memory");
    [nonce.as_slice(), &sealed].concat()
}

fn opened(cipher: &ChaCha20Poly1305, bound: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_LENGTH)?;
    let nonce: [u8; NONCE_LENGTH] = nonce.try_into().ok()?;
    let payload = Payload { msg: sealed, aad: bound.as_bytes() };
    cipher.decrypt(&Nonce::from(nonce), payload).ok().map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use models::ids::TenantId;

    use super::WrappingKey;

    fn tenant(n: u128) -> TenantId {
        TenantId(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn opens_for_its_tenant_and_installation_only() {
        let key = WrappingKey::new([7; 32]);
        let wrapped = key.wrap(tenant(1), &[9; 32], [3; 32]);
        assert!(key.unwrap(tenant(1), "tky", &wrapped).is_ok());
        assert!(key.unwrap(tenant(2), "tky", &wrapped).is_err(), "bound to the tenant");
        assert!(
            WrappingKey::new([8; 32]).unwrap(tenant(1), "tky", &wrapped).is_err(),
            "another installation"
        );
        let mut bent = wrapped.clone();
        bent[20] ^= 1;
        assert!(key.unwrap(tenant(1), "tky", &bent).is_err(), "changed");
        assert!(key.unwrap(tenant(1), "tky", &wrapped[..5]).is_err(), "cut");
    }
}
