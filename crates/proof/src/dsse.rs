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
    [pae_head(payload_type, payload.len()).as_bytes(), payload].concat()
}

/// What comes before a payload of this length.
fn pae_head(payload_type: &str, length: usize) -> String {
    format!("DSSEv1 {} {payload_type} {length} ", payload_type.len())
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

/// How much of a payload is written at once: a multiple of three bytes, which are four digits.
const PIECE: usize = 3 << 16;

/// How the canonical form of an envelope begins: the payload is the first of its members.
const BEGIN: &str = "{\"payload\":\"";

/// A signed envelope as its canonical text, piece by piece: a payload that is long is there once, and never as digits.
#[derive(Debug)]
pub struct LongEnvelope {
    /// What is signed, the payload last.
    signed: Vec<u8>,
    /// How much of it is written, once it is begun.
    written: Option<usize>,
    /// How much of it comes before the payload.
    head: usize,
    /// What comes behind the payload.
    end: Option<String>,
}

impl LongEnvelope {
    /// Signs a payload.
    #[must_use]
    pub fn sign(payload_type: &str, mut payload: Vec<u8>, key: &SigningKey) -> Self {
        let head = pae_head(payload_type, payload.len());
        drop(payload.splice(0..0, head.bytes()));
        let rest = Envelope {
            payload: String::new(),
            payload_type: payload_type.to_owned(),
            signatures: vec![EnvelopeSignature {
                keyid: key.public().id(),
                sig: STANDARD.encode(key.sign(&payload)),
            }],
        };
        let end = crate::canonical::to_text(&rest).split_off(BEGIN.len());
        Self { signed: payload, written: None, head: head.len(), end: Some(end) }
    }
}

impl Iterator for LongEnvelope {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let Some(written) = self.written else {
            self.written = Some(self.head);
            return Some(BEGIN.to_owned());
        };
        let rest = self.signed.get(written..).unwrap_or_default();
        if rest.is_empty() {
            return self.end.take();
        }
        let piece = rest.get(..PIECE).unwrap_or(rest);
        self.written = Some(written + piece.len());
        Some(STANDARD.encode(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_envelope_is_the_envelope_piece_by_piece() {
        let key = SigningKey::from_seed(&[7; 32]);
        for length in [0, 1, 2, 3, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 2] {
            let payload: Vec<u8> = (0_u8..=255).cycle().take(length).collect();
            let whole = Envelope::sign("a/type", &payload, &key);
            let pieces: Vec<String> = LongEnvelope::sign("a/type", payload, &key).collect();
            assert!(pieces.iter().all(|piece| piece.len() <= PIECE / 3 * 4), "{length}");
            assert!(pieces.concat() == crate::canonical::to_text(&whole), "{length}");
        }
    }
}
