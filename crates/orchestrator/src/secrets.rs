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
    #[expect(clippy::expect_used, reason = "sealing 32 bytes in memory cannot fail")]
    pub(crate) fn wrap(&self, tenant: TenantId, secret: &[u8; 32], entropy: [u8; 32]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LENGTH];
        nonce.copy_from_slice(&entropy[..NONCE_LENGTH]);
        let bound = tenant.to_string();
        let sealed = self
            .cipher()
            .encrypt(&Nonce::from(nonce), Payload { msg: secret, aad: bound.as_bytes() })
            .expect("sealing a short secret");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens the wrapped key of `tenant`, which records name `key_id`.
    pub(crate) fn unwrap(
        &self,
        tenant: TenantId,
        key_id: &str,
        wrapped: &[u8],
    ) -> Result<TenantKey, UnwrapError> {
        let open = || {
            let (nonce, sealed) = wrapped.split_at_checked(NONCE_LENGTH)?;
            let nonce: [u8; NONCE_LENGTH] = nonce.try_into().ok()?;
            let bound = tenant.to_string();
            let payload = Payload { msg: sealed, aad: bound.as_bytes() };
            let secret = Zeroizing::new(self.cipher().decrypt(&Nonce::from(nonce), payload).ok()?);
            <[u8; 32]>::try_from(secret.as_slice()).ok()
        };
        open().map(|secret| TenantKey::new(key_id, secret)).ok_or(UnwrapError { tenant })
    }

    /// What only an installation with this key can say of a text.
    #[expect(clippy::expect_used, reason = "a key of any length makes an HMAC")]
    pub(crate) fn mark(&self, text: &str) -> [u8; MARK_LENGTH] {
        let keyed = |key: &[u8], text: &[u8]| {
            let mut mac = <Hmac<Sha256>>::new_from_slice(key).expect("any length serves");
            mac.update(text);
            mac.finalize().into_bytes()
        };
        // A key of its own: this one wraps.
        let full = keyed(&keyed(&*self.0, b"hoc/credential-mark/v1"), text.as_bytes());
        let mut mark = [0; MARK_LENGTH];
        mark.copy_from_slice(&full[..MARK_LENGTH]);
        mark
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&Key::from(*self.0))
    }
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
