//! DSSE envelopes (secure-systems-lab/dsse, protocol 1.0.0): a payload, its type, and a signature over both.

use std::{borrow::Cow, vec};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use zstd_safe::{compress, compress_bound, decompress};

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
        let mut payload = Payload::default();
        payload.digits(&self.payload);
        let (payload_type_of_it, signatures) = (self.payload_type.clone(), self.signatures.clone());
        let envelope = ReadEnvelope { payload, payload_type: payload_type_of_it, signatures };
        envelope.open(payload_type, keys).map(|(pieces, key)| (pieces.collect::<Vec<_>>().concat(), key))
    }
}

/// An envelope that was read piece by piece. Nothing in it is believed before [`ReadEnvelope::open`].
#[derive(Clone, Debug, Default)]
pub struct ReadEnvelope {
    /// The payload.
    pub payload: Payload,
    /// How to read it.
    pub payload_type: String,
    /// In a bundle exactly one.
    pub signatures: Vec<EnvelopeSignature>,
}

impl ReadEnvelope {
    /// The payload in pieces, once one of `keys` is known to have signed it as `payload_type`; and which key.
    pub fn open<'k>(
        self,
        payload_type: &str,
        keys: &'k [PublicKey],
    ) -> Result<(Pieces, &'k PublicKey), DsseError> {
        let [EnvelopeSignature { keyid, sig }] = self.signatures.as_slice() else {
            return Err(DsseError::Signatures(self.signatures.len()));
        };
        let pieces = self.payload.end()?;
        let signature = STANDARD.decode(sig).map_err(|_| DsseError::Base64("signature"))?;
        let head = pae_head(&self.payload_type, pieces.iter().map(|piece| piece.length).sum());
        let signed =
            || std::iter::once(Cow::Borrowed(head.as_bytes())).chain(pieces.iter().map(Piece::plain));
        let key = keys
            .iter()
            .find(|key| key.verifies_pieces(signed(), &signature))
            .ok_or_else(|| DsseError::Untrusted(keyid.clone()))?;
        if key.id() != *keyid {
            return Err(DsseError::Misnamed { made: key.id(), named: keyid.clone() });
        }
        if self.payload_type != payload_type {
            return Err(DsseError::Type(self.payload_type));
        }
        Ok((Pieces(pieces.into_iter()), key))
    }
}

/// A payload, piece by piece. What was taken is held no longer.
#[derive(Clone, Debug)]
pub struct Pieces(vec::IntoIter<Piece>);

impl Iterator for Pieces {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        self.0.next().map(|piece| piece.plain().into_owned())
    }
}

/// A piece of a payload, pressed where that makes it shorter: of hashes in digits, half is left.
#[derive(Clone, Debug)]
struct Piece {
    bytes: Vec<u8>,
    length: usize,
}

impl Piece {
    fn of(plain: Vec<u8>) -> Self {
        let length = plain.len();
        let mut pressed = Vec::with_capacity(compress_bound(length));
        if compress(&mut pressed, &plain, 1).is_err() || pressed.len() >= length {
            return Self { bytes: plain, length };
        }
        pressed.shrink_to_fit();
        Self { bytes: pressed, length }
    }

    fn plain(&self) -> Cow<'_, [u8]> {
        if self.bytes.len() == self.length {
            return Cow::Borrowed(&self.bytes);
        }
        let mut plain = Vec::with_capacity(self.length);
        match decompress(&mut plain, &self.bytes) {
            Ok(_) => Cow::Owned(plain),
            Err(_) => unreachable!("it was pressed here"),
        }
    }
}

/// A payload whose digits come piece by piece. It is held as the bytes that they are, pressed, which is less.
#[derive(Clone, Debug, Default)]
pub struct Payload {
    pieces: Vec<Piece>,
    /// Digits that are not bytes yet.
    rest: Vec<u8>,
    /// What ends it has come.
    is_over: bool,
    is_wrong: bool,
}

/// So many digits are made bytes at once: four are three.
const DIGITS: usize = 1 << 18;

impl Payload {
    /// More of its digits.
    pub fn digits(&mut self, digits: &str) {
        for digits in digits.as_bytes().chunks(DIGITS) {
            self.rest.extend_from_slice(digits);
            if self.rest.len() >= DIGITS {
                self.decode(self.rest.len() / 4 * 4);
            }
        }
    }

    fn decode(&mut self, count: usize) {
        match STANDARD.decode(&self.rest[..count]) {
            Ok(bytes) if !self.is_over && !self.is_wrong => {
                self.is_over = self.rest[..count].last() == Some(&b'=');
                self.pieces.push(Piece::of(bytes));
            }
            _ => self.is_wrong = true,
        }
        self.rest.drain(..count);
    }

    fn end(mut self) -> Result<Vec<Piece>, DsseError> {
        if !self.rest.is_empty() {
            self.decode(self.rest.len());
        }
        if self.is_wrong { Err(DsseError::Base64("payload")) } else { Ok(self.pieces) }
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
    fn digits_that_come_in_pieces_are_the_same_bytes() {
        let wrong = [0, 1, DIGITS - 4, DIGITS, DIGITS + 4];
        for length in [0, 1, 2, 3, DIGITS / 4 * 3 - 1, DIGITS / 4 * 3, DIGITS / 4 * 3 + 1, DIGITS * 2] {
            let plain: Vec<u8> = (0_u8..=255).cycle().take(length).collect();
            let whole = STANDARD.encode(&plain);
            let mut texts =
                vec![whole.clone(), whole.replace('=', ""), format!("{whole}="), format!("{whole}é")];
            texts.extend(wrong.iter().filter(|at| **at < whole.len()).map(|at| {
                let mut text = whole.clone();
                text.insert_str(*at, "AA==");
                text
            }));
            for text in texts {
                for at_once in [3, 1_000, usize::MAX] {
                    let mut payload = Payload::default();
                    let mut rest = text.as_str();
                    while !rest.is_empty() {
                        let (next, after) = rest.split_at(rest.floor_char_boundary(at_once.min(rest.len())));
                        let (next, after) = if next.is_empty() { (rest, "") } else { (next, after) };
                        payload.digits(next);
                        rest = after;
                    }
                    let expected = STANDARD.decode(&text).map_err(|_| DsseError::Base64("payload"));
                    let pieces = payload.end().map(|pieces| Pieces(pieces.into_iter()));
                    let bytes = pieces.map(|pieces| pieces.collect::<Vec<_>>().concat());
                    assert!(bytes == expected, "{length} by {at_once}");
                }
            }
        }
    }

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
