//! Lists of what the checks ask of records, as bytes: a run has hundreds of thousands of them, and as values they take
//! ten times the room. What is packed is unpacked as it was, one by one.

use std::{collections::HashMap, marker::PhantomData, rc::Rc};

use proof::hash::Hash;

/// What is kept in such lists.
pub(crate) trait Packs {
    fn pack(&self, to: &mut Packer<'_>);
    fn unpack(from: &mut Unpacker<'_>) -> Self;
}

/// A list of values that are kept packed.
#[derive(Debug)]
pub(crate) struct Packed<T> {
    chunks: Vec<Chunk>,
    count: usize,
    words: Words,
    of: PhantomData<T>,
}

/// So many bytes of a list are together: a list that grows is never copied.
const CHUNK: usize = 1 << 16;

#[derive(Debug)]
struct Chunk {
    /// How many values come before.
    first: usize,
    bytes: Vec<u8>,
    /// Where each begins.
    begins: Vec<u16>,
}

impl<T> Default for Packed<T> {
    fn default() -> Self {
        Self { chunks: Vec::new(), count: 0, words: Words::default(), of: PhantomData }
    }
}

impl<T: Packs> Packed<T> {
    pub(crate) const fn len(&self) -> usize {
        self.count
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn push(&mut self, value: &T) {
        let mut bytes = Vec::new();
        value.pack(&mut Packer { bytes: &mut bytes, words: &mut self.words });
        let last = self.chunks.last_mut().filter(|chunk| chunk.bytes.len() + bytes.len() <= CHUNK);
        if let Some(chunk) = last {
            // What is within a chunk begins below its length.
            chunk.begins.push(u16::try_from(chunk.bytes.len()).unwrap_or(u16::MAX));
            chunk.bytes.extend_from_slice(&bytes);
        } else {
            // Most lists are short.
            if !self.chunks.is_empty() {
                bytes.reserve_exact(CHUNK.saturating_sub(bytes.len()));
            }
            self.chunks.push(Chunk { first: self.count, bytes, begins: vec![0] });
        }
        self.count += 1;
    }

    /// The value in this place, of which there is one.
    pub(crate) fn get(&self, at: usize) -> T {
        let chunk = self.chunks.partition_point(|chunk| chunk.first <= at) - 1;
        let Chunk { first, bytes, begins } = &self.chunks[chunk];
        let begin = usize::from(begins[at - first]);
        T::unpack(&mut Unpacker { bytes: &bytes[begin..], words: &self.words })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = T> + Clone {
        let words = &self.words;
        self.chunks.iter().flat_map(move |chunk| {
            chunk.begins.iter().map(move |begin| {
                let bytes = &chunk.bytes[usize::from(*begin)..];
                T::unpack(&mut Unpacker { bytes, words })
            })
        })
    }
}

/// Texts that come again and again, each kept once.
#[derive(Debug, Default)]
struct Words {
    all: Vec<Rc<str>>,
    numbers: HashMap<Rc<str>, u64>,
}

/// So many are kept once. Where there are more, each is its own.
const MOST_WORDS: usize = 4_096;

impl Words {
    fn number(&mut self, text: &str) -> Option<u64> {
        if let Some(number) = self.numbers.get(text) {
            return Some(*number);
        }
        if self.all.len() == MOST_WORDS {
            return None;
        }
        let (word, number) = (Rc::<str>::from(text), self.all.len() as u64);
        self.all.push(Rc::clone(&word));
        self.numbers.insert(word, number);
        Some(number)
    }
}

pub(crate) struct Packer<'p> {
    bytes: &'p mut Vec<u8>,
    words: &'p mut Words,
}

/// How a name is packed.
const NONE: u8 = 0;
const AS_IT_IS: u8 = 1;
/// As `run_` and 32 digits.
const ID: u8 = 2;
/// 16 digits.
const SPAN: u8 = 3;

impl Packer<'_> {
    /// A small number takes few bytes.
    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        self.bytes.push(number.to_le_bytes()[0]);
    }

    pub(crate) fn maybe(&mut self, number: Option<u64>) {
        self.flag(number.is_some());
        if let Some(number) = number {
            self.number(number);
        }
    }

    pub(crate) fn flag(&mut self, flag: bool) {
        self.bytes.push(u8::from(flag));
    }

    pub(crate) fn hash(&mut self, hash: &Hash) {
        self.bytes.extend_from_slice(hash.as_bytes());
    }

    pub(crate) fn maybe_hash(&mut self, hash: Option<&Hash>) {
        self.flag(hash.is_some());
        if let Some(hash) = hash {
            self.hash(hash);
        }
    }

    /// A text that many have.
    pub(crate) fn word(&mut self, word: &str) {
        if let Some(number) = self.words.number(word) {
            self.number(number + 1);
        } else {
            self.number(0);
            self.text(word);
        }
    }

    pub(crate) fn maybe_word(&mut self, word: Option<&str>) {
        self.flag(word.is_some());
        if let Some(word) = word {
            self.word(word);
        }
    }

    /// A text that nothing else has: an id or a span's.
    pub(crate) fn name(&mut self, name: Option<&str>) {
        let Some(name) = name else {
            self.bytes.push(NONE);
            return;
        };
        let digits = |from: usize| {
            let digits = name.as_bytes().get(from..).unwrap_or_default();
            let are_digits = digits.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            are_digits.then(|| name.get(from..)).flatten()
        };
        if let Some(digits) = digits(4).filter(|digits| digits.len() == 32)
            && let Ok(number) = u128::from_str_radix(digits, 16)
        {
            self.bytes.push(ID);
            self.bytes.extend_from_slice(&name.as_bytes()[..4]);
            self.bytes.extend_from_slice(&number.to_be_bytes());
        } else if let Some(digits) = digits(0).filter(|digits| digits.len() == 16)
            && let Ok(number) = u64::from_str_radix(digits, 16)
        {
            self.bytes.push(SPAN);
            self.bytes.extend_from_slice(&number.to_be_bytes());
        } else {
            self.bytes.push(AS_IT_IS);
            self.text(name);
        }
    }

    /// A word of a list, by its number there.
    pub(crate) fn one_of<W: PartialEq>(&mut self, all: &[W], word: &W) {
        let at = all.iter().position(|known| known == word).unwrap_or_default();
        self.bytes.push(at.to_le_bytes()[0]);
    }

    pub(crate) fn maybe_one_of<W: PartialEq>(&mut self, all: &[W], word: Option<&W>) {
        self.flag(word.is_some());
        if let Some(word) = word {
            self.one_of(all, word);
        }
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }
}

/// Reads what a [`Packer`] wrote, in the same order.
pub(crate) struct Unpacker<'u> {
    bytes: &'u [u8],
    words: &'u Words,
}

impl<'u> Unpacker<'u> {
    fn take(&mut self, count: usize) -> &'u [u8] {
        let (taken, rest) = self.bytes.split_at(count);
        self.bytes = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().unwrap_or_else(|_| unreachable!("it is so long"))
    }

    pub(crate) fn number(&mut self) -> u64 {
        let (mut number, mut shift) = (0, 0);
        loop {
            let [byte] = self.array();
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return number;
            }
            shift += 7;
        }
    }

    pub(crate) fn maybe(&mut self) -> Option<u64> {
        self.flag().then(|| self.number())
    }

    pub(crate) fn flag(&mut self) -> bool {
        let [flag] = self.array();
        flag != 0
    }

    /// One of a list of words, which was packed by its number.
    pub(crate) fn one_of<W: Copy>(&mut self, all: &[W]) -> W {
        let [at] = self.array();
        all[usize::from(at)]
    }

    pub(crate) fn maybe_one_of<W: Copy>(&mut self, all: &[W]) -> Option<W> {
        self.flag().then(|| self.one_of(all))
    }

    pub(crate) fn hash(&mut self) -> Hash {
        Hash(self.array())
    }

    pub(crate) fn maybe_hash(&mut self) -> Option<Hash> {
        self.flag().then(|| self.hash())
    }

    pub(crate) fn word(&mut self) -> Rc<str> {
        let at = usize::try_from(self.number()).unwrap_or(usize::MAX);
        match at.checked_sub(1) {
            None => Rc::from(self.text()),
            Some(at) => Rc::clone(&self.words.all[at]),
        }
    }

    pub(crate) fn maybe_word(&mut self) -> Option<Rc<str>> {
        self.flag().then(|| self.word())
    }

    pub(crate) fn name(&mut self) -> Option<String> {
        let [form] = self.array();
        match form {
            NONE => None,
            ID => {
                let prefix: [u8; 4] = self.array();
                let prefix = std::str::from_utf8(&prefix).unwrap_or_else(|_| unreachable!("it was text"));
                Some(format!("{prefix}{:032x}", u128::from_be_bytes(self.array())))
            }
            SPAN => Some(format!("{:016x}", u64::from_be_bytes(self.array()))),
            _ => Some(self.text().to_owned()),
        }
    }

    fn text(&mut self) -> &'u str {
        let length = usize::try_from(self.number()).unwrap_or(usize::MAX);
        std::str::from_utf8(self.take(length)).unwrap_or_else(|_| unreachable!("it was text"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Sample {
        numbers: (u64, Option<u64>),
        name: Option<String>,
        words: (String, Option<String>),
        hash: Option<Hash>,
        flag: bool,
    }

    impl Packs for Sample {
        fn pack(&self, to: &mut Packer<'_>) {
            to.number(self.numbers.0);
            to.maybe(self.numbers.1);
            to.name(self.name.as_deref());
            to.word(&self.words.0);
            to.maybe_word(self.words.1.as_deref());
            to.maybe_hash(self.hash.as_ref());
            to.one_of(&[false, true], &self.flag);
        }

        fn unpack(from: &mut Unpacker<'_>) -> Self {
            Self {
                numbers: (from.number(), from.maybe()),
                name: from.name(),
                words: (
                    from.word().as_ref().to_owned(),
                    from.maybe_word().map(|word| word.as_ref().to_owned()),
                ),
                hash: from.maybe_hash(),
                flag: from.one_of(&[false, true]),
            }
        }
    }

    fn names() -> impl Strategy<Value = String> {
        prop_oneof![any::<String>(), "[a-z]{3}_[0-9a-f]{32}", "[0-9a-fA-F]{15,17}", "é[a-z]_[0-9a-f]{32}"]
    }

    fn samples() -> impl Strategy<Value = Sample> {
        (
            (any::<u64>(), any::<Option<u64>>()),
            prop::option::of(names()),
            (names(), prop::option::of("[ab]")),
            prop::option::of(any::<[u8; 32]>().prop_map(Hash)),
            any::<bool>(),
        )
            .prop_map(|(numbers, name, words, hash, flag)| Sample {
                numbers,
                name,
                words,
                hash,
                flag,
            })
    }

    proptest! {
            #[test]
            fn what_is_packed_is_unpacked_as_it_was(all in prop::collection::vec(samples(), 0..50)) {
                let mut packed = Packed::default();
                for sample in &all {
    packed.push(sample);
    }
                prop_assert_eq!(packed.len(), all.len());
                prop_assert_eq!(packed.iter().collect::<Vec<_>>(), all.clone());
                for (at, sample) in all.iter().enumerate() {
                    prop_assert_eq!(&packed.get(at), sample);
                }
            }
        }

    #[test]
    fn what_is_longer_than_a_chunk_is_one_of_its_own_and_more_words_than_are_kept_are_their_own() {
        let sample = |number: usize, length: usize| Sample {
            numbers: (number as u64, None),
            name: Some("x".repeat(length)),
            words: (format!("word {number}"), None),
            hash: None,
            flag: true,
        };
        let lengths = [1, CHUNK - 1, CHUNK, 3, 3 * CHUNK, 0]
            .into_iter()
            .chain(std::iter::repeat_n(40, MOST_WORDS + 10));
        let all: Vec<_> = lengths.enumerate().map(|(number, length)| sample(number, length)).collect();
        let mut packed = Packed::default();
        for sample in &all {
            packed.push(sample);
        }
        assert!(packed.iter().eq(all.iter().cloned()));
        assert!((0..all.len()).all(|at| packed.get(at) == all[at]));
    }
}
