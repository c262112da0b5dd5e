//! DSSE envelopes (secure-systems-lab/dsse, protocol 1.0.0): a payload, its type, and a signature over both.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::keys::{PublicKey, SigningKey};

/// A signed payload. Nothing in it is believed before [`Envelope::open`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The payload's bytes in standard base64.
    pub payload: String,
    /// How to read them.
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    /// In a bundle exactly one.
    pub signatures: Vec<EnvelopeSignature>,
}

/// Who signed, and the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvelopeSignature {
    /// [`PublicKey::id`] of the key: a hint, checked against the key that was given.
    pub keyid: String,
    /// Ed25519 in standard base64.
    pub sig: String,
}

/// Why an envelope is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DsseError {
    /// None, or more than one: nobody would notice one that is added.
    #[error("{0} signatures where there must be one")]
    Signatures(usize),
    /// Not standard base64.
    #[error("the {0} is not standard base64")]
    Base64(&'static str),
    /// None of the given keys made the signature.
    #[error("none of the given keys made the signature (it names key {0})")]
    Untrusted(String),
    /// A given key made the signature, under another key's name.
    #[error("key {made} made the signature, which names key {named}")]
    Misnamed {
        /// The key that made it.
        made: String,
        /// The one it names.
        named: String,
    },
    /// Signed, but something else than was asked for.
    #[error("the payload is of type `{0}`")]
    Type(String),
}

/// What is signed: type and payload, each with its length.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

impl Envelope {
    /// Signs a payload.
    #[must_use]
    pub fn sign(payload_type: &str, payload: &[u8], key: &SigningKey) -> Self {
        Self {
            payload: STANDARD.encode(payload),
            payload_type: payload_type.to_owned(),
            signatures: vec![EnvelopeSignature {
                keyid: key.public().id(),
                sig: STANDARD.encode(key.sign(&pae(payload_type, payload))),
            }],
        }
    }

    /// The payload, once one of `keys` is known to have signed it as `payload_type`; and which key.
    pub fn open<'k>(
        &self,
        payload_type: &str,
        keys: &'k [PublicKey],
    ) -> Result<(Vec<u8>, &'k PublicKey), DsseError> {
        let [EnvelopeSignature { keyid, sig }] = self.signatures.as_slice() else {
            return Err(DsseError::Signatures(self.signatures.len()));
        };
        let payload = STANDARD.decode(&self.payload).map_err(|_| DsseError::Base64("payload"))?;
        let signature = STANDARD.decode(sig).map_err(|_| DsseError::Base64("signature"))?;
        let signed = pae(&self.payload_type, &payload);
        let key = keys
            .iter()
            .find(|key| key.verifies(&signed, &signature))
            .ok_or_else(|| DsseError::Untrusted(keyid.clone()))?;
        if key.id() != *keyid {
            return Err(DsseError::Misnamed { made: key.id(), named: keyid.clone() });
        }
        if self.payload_type != payload_type {
            return Err(DsseError::Type(self.payload_type.clone()));
        }
        Ok((payload, key))
    }
}
