//! What a run's callers said, apart from its records: a record names a text by its length and its salted hash, and the
//! texts stand beside, where they can be erased.
//!
//! The salt is 32 random bytes of the run. It is in no record. Whoever has it and a text can show that a record names
//! that text; where it is gone, nobody can try whether a text is the one that was there.

mod missing;
mod pressed;

use std::{collections::HashSet, fmt};

use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

pub use self::{
    missing::MissingContents,
    pressed::{NEWEST, open, press},
};
use crate::hash::{Hash, Stream};

/// What a salted text begins with when it is hashed, so that it is no leaf and no node.
const SALTED: [u8; 1] = [0x02];

/// How a record names a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// SHA-256 of the byte 2, the run's salt and the text.
    pub hash: Hash,
    /// How many bytes of UTF-8 it has.
    pub length: u64,
}

/// What the texts of a run are hashed with. Never printed, wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// A salt of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be stored apart from every record.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// How a record of the run names this text.
    #[must_use]
    pub fn name(&self, text: &str) -> Content {
        let mut hash = Stream::default();
        hash.update(&SALTED);
        hash.update(&self.0);
        hash.update(text.as_bytes());
        Content { hash: hash.finish(), length: text.len() as u64 }
    }
}

impl Drop for Salt {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// Texts as they are kept together: each once, behind its length in four bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    bytes: Vec<u8>,
    count: u64,
    known: HashSet<Hash>,
}

impl Texts {
    /// Adds a text, unless it is there already. One that is longer than four bytes can say is not taken, and `false`.
    pub fn add(&mut self, name: &Content, text: &str) -> bool {
        let Ok(length) = u32::try_from(text.len()) else { return false };
        if self.known.insert(name.hash) {
            self.bytes.extend(length.to_be_bytes());
            self.bytes.extend(text.as_bytes());
            self.count += 1;
        }
        true
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The bytes that are kept of them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// The texts of such bytes.
///
/// # Errors
/// Why they are none.
pub fn texts(mut bytes: &[u8]) -> Result<Vec<&str>, String> {
    let mut texts = Vec::new();
    while !bytes.is_empty() {
        let at = texts.len();
        let cut = || format!("text {at} is cut off");
        let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(cut)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (text, rest) = rest.split_at_checked(length).ok_or_else(cut)?;
        texts.push(std::str::from_utf8(text).map_err(|err| format!("text {at}: {err}"))?);
        bytes = rest;
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::hash::sha256;

    #[test]
    fn a_name_is_that_of_salt_and_text() {
        let salt = Salt::new([7; 32]);
        let name = salt.name("Gr\u{fc}\u{df}e");
        assert_eq!(name.length, 7);
        assert_eq!(name.hash, sha256(&[&[2][..], &[7; 32], "Gr\u{fc}\u{df}e".as_bytes()].concat()));
        assert_ne!(name, Salt::new([8; 32]).name("Gr\u{fc}\u{df}e"));
        assert_eq!(format!("{salt:?}"), "Salt(..)");
    }

    #[test]
    fn what_is_no_list_of_texts_is_told() {
        assert_eq!(texts(&[]), Ok(vec![]));
        for wrong in [&[0, 0, 0][..], &[0, 0, 0, 1], &[0, 0, 0, 1, 255], &[255, 255, 255, 255, b'a']] {
            assert!(texts(wrong).is_err(), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn texts_come_back_each_once(said in prop::collection::vec(".{0,40}", 0..12)) {
            let salt = Salt::new([1; 32]);
            let mut all = Texts::default();
            for text in said.iter().chain(&said) {
                prop_assert!(all.add(&salt.name(text), text));
            }
            let mut once: Vec<&str> = Vec::new();
            for text in &said {
                if !once.contains(&text.as_str()) {
                    once.push(text);
                }
            }
            prop_assert_eq!(all.count(), once.len() as u64);
            let body = press(all.as_bytes(), None).expect("pressed");
            let opened = open(NEWEST, &body, all.as_bytes().len(), None).expect("opened");
            prop_assert_eq!(texts(&opened), Ok(once));
        }
    }
}
