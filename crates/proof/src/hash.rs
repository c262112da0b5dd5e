//! SHA-256, its written form, and the two prefixes that keep leaves and nodes of a tree apart (RFC 6962).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

/// Thirty-two bytes of SHA-256. Written as 64 lower-case hex digits, and read from nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

/// A text that is not 64 lower-case hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 64 lower-case hex digits")]
pub struct NotAHash;

/// SHA-256 of the bytes as they are: fingerprints, digests, addresses.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Hash {
    Hash(Sha256::digest(bytes).into())
}

/// [`sha256`] of bytes that come in pieces.
#[derive(Clone, Debug, Default)]
pub struct Stream(Sha256);

impl Stream {
    /// For [`leaf`] of bytes that come in pieces.
    #[must_use]
    pub fn of_leaf() -> Self {
        let mut stream = Self::default();
        stream.update(&[LEAF]);
        stream
    }

    /// More bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all bytes so far.
    #[must_use]
    pub fn finish(self) -> Hash {
        Hash(self.0.finalize().into())
    }
}

/// What is hashed before a leaf.
const LEAF: u8 = 0x00;

/// Hash of a leaf: of a record, of a log's entry.
#[must_use]
pub fn leaf(bytes: &[u8]) -> Hash {
    Hash(Sha256::new().chain_update([LEAF]).chain_update(bytes).finalize().into())
}

/// Hash of an inner node.
#[must_use]
pub fn node(left: Hash, right: Hash) -> Hash {
    let mut bytes = [0u8; 65];
    bytes[0] = 0x01;
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    sha256(&bytes)
}

impl Hash {
    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// From stored bytes; `None` unless there are 32.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    fn with_hex<T>(self, then: impl FnOnce(&str) -> T) -> T {
        let mut digits = [0u8; 64];
        hex::encode_to_slice(self.0, &mut digits).unwrap_or_else(|_| unreachable!("64 digits hold 32 bytes"));
        then(std::str::from_utf8(&digits).unwrap_or_else(|_| unreachable!("hex digits are ASCII")))
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with_hex(|digits| f.pad(digits))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The value of each lower-case hex digit, and 255 for every other byte.
const VALUES: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    values
};

impl FromStr for Hash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, NotAHash> {
        let digits: &[u8; 64] = text.as_bytes().try_into().map_err(|_| NotAHash)?;
        let mut bytes = [0u8; 32];
        let mut wrong = 0;
        for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
            let [high, low] = pair.map(|digit| VALUES[usize::from(digit)]);
            *byte = high << 4 | low & 0xf;
            wrong |= high | low;
        }
        // No digit has a value above 15.
        if wrong > 0xf { Err(NotAHash) } else { Ok(Self(bytes)) }
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.with_hex(|digits| serializer.serialize_str(digits))
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl de::Visitor<'_> for Digits {
            type Value = Hash;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 lower-case hex digits")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Hash, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_written_and_read_as_lower_case_hex_only() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sha256(b"").to_string(), empty);
        assert_eq!(empty.parse(), Ok(sha256(b"")));
        for wrong in [&empty.to_uppercase(), &empty[1..], &format!("{empty}0"), &empty.replace('e', "g"), ""]
        {
            assert_eq!(wrong.parse::<Hash>(), Err(NotAHash), "{wrong}");
        }
    }

    #[test]
    fn a_leaf_that_comes_in_pieces_is_the_same_leaf() {
        let mut stream = Stream::of_leaf();
        stream.update(b"in ");
        stream.update(b"pieces");
        assert_eq!(stream.finish(), leaf(b"in pieces"));
    }
}
