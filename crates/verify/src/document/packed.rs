//! Lists of what the checks ask of records, as bytes: a run has hundreds of thousands of them, and as values they take
//! ten times the room. What is packed is unpacked as it was, one by one.

use std::{collections::HashMap, marker::PhantomData, mem, rc::Rc};

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
    /// Lists that hold most of the hashes that the values name.
    lists: Lists,
    nearby: Nearby,
    of: PhantomData<T>,
}

/// The hashes of a document: of its records, and of its texts.
pub(crate) type Lists = [Rc<Vec<Hash>>; 2];

/// Where in its list a hash is looked for, by what it is named as: behind the one that was named before it.
pub(crate) type Nearby = [usize; 6];

/// What a hash is named as: its place in [`Nearby`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum As {
    Prev,
    Pre,
    Post,
    Activity,
    Provider,
    Text,
}

impl As {
    const fn list(self) -> usize {
        match self {
            Self::Text => 1,
            _ => 0,
        }
    }
}

/// So far behind the one before it a hash is looked for.
const NEAR: usize = 16;

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
        Self {
            chunks: Vec::new(),
            count: 0,
            words: Words::default(),
            lists: Lists::default(),
            nearby: Nearby::default(),
            of: PhantomData,
        }
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
        let Self { words, lists, nearby, .. } = self;
        value.pack(&mut Packer { bytes: &mut bytes, words, lists, nearby });
        match self.chunks.last_mut().filter(|chunk| chunk.bytes.len() + bytes.len() <= CHUNK) {
            Some(chunk) => {
                // What is within a chunk begins below its length.
                chunk.begins.push(u16::try_from(chunk.bytes.len()).unwrap_or(u16::MAX));
                chunk.bytes.extend_from_slice(&bytes);
            }
            None => {
                // Most lists are short.
                if !self.chunks.is_empty() {
                    bytes.reserve_exact(CHUNK.saturating_sub(bytes.len()));
                }
                self.chunks.push(Chunk { first: self.count, bytes, begins: vec![0] });
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
        T::unpack(&mut Unpacker { bytes: &bytes[begin..], words: &self.words, lists: &self.lists })
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = T> + Clone {
        let (words, lists) = (&self.words, &self.lists);
        self.chunks.iter().flat_map(move |chunk| {
            chunk.begins.iter().map(move |begin| {
                let bytes = &chunk.bytes[usize::from(*begin)..];
                T::unpack(&mut Unpacker { bytes, words, lists })
            })
        })
    }

    /// Packs all of it anew: a hash that is in one of these lists is kept as its place there.
    pub(crate) fn pack_by(&mut self, lists: Lists, nearby: Nearby) {
        let before = mem::replace(&mut self.lists, lists);
        self.nearby = nearby;
        self.count = 0;
        for Chunk { bytes, begins, .. } in mem::take(&mut self.chunks) {
            for begin in begins {
                let bytes = &bytes[usize::from(begin)..];
                let value = T::unpack(&mut Unpacker { bytes, words: &self.words, lists: &before });
                self.push(&value);
            }
        }
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
    lists: &'p Lists,
    nearby: &'p mut Nearby,
}

/// How a name is packed.
const NONE: u8 = 0;
const AS_IT_IS: u8 = 1;
/// As `run_` and 32 digits.
const ID: u8 = 2;
/// 16 digits.
const SPAN: u8 = 3;
/// Of a hash.
const IN_A_LIST: u8 = 4;

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

    pub(crate) fn hash(&mut self, named: As, hash: Option<&Hash>) {
        let Some(hash) = hash else {
            self.bytes.push(NONE);
            return;
        };
        let near = &mut self.nearby[named as usize];
        let mut list = self.lists[named.list()].iter().skip(*near).take(NEAR);
        if let Some(ahead) = list.position(|known| known == hash) {
            let at = *near + ahead;
            *near = at + 1;
            self.bytes.push(IN_A_LIST);
            self.number(at as u64);
        } else {
            self.bytes.push(AS_IT_IS);
            self.bytes.extend_from_slice(hash.as_bytes());
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
    lists: &'u Lists,
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

    pub(crate) fn hash(&mut self, named: As) -> Option<Hash> {
        let [form] = self.array();
        match form {
            NONE => None,
            IN_A_LIST => {
                let at = usize::try_from(self.number()).unwrap_or(usize::MAX);
                Some(self.lists[named.list()][at])
            }
            _ => Some(Hash(self.array())),
        }
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
            to.hash(As::Post, self.hash.as_ref());
            to.hash(As::Text, self.hash.as_ref());
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
                hash: {
                    let hash = from.hash(As::Post);
                    assert_eq!(from.hash(As::Text), hash);
                    hash
                },
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
        fn what_is_packed_is_unpacked_as_it_was(
            all in prop::collection::vec(samples(), 0..50),
            others in prop::collection::vec(any::<[u8; 32]>().prop_map(Hash), 0..20),
            listed in prop::collection::vec(any::<bool>(), 50),
            begin in 0..3_usize,
        ) {
            let mut packed = Packed::default();
            all.iter().for_each(|sample| packed.push(sample));
            prop_assert_eq!(packed.len(), all.len());
            prop_assert_eq!(packed.iter().collect::<Vec<_>>(), all.clone());
            for (at, sample) in all.iter().enumerate() {
                prop_assert_eq!(&packed.get(at), sample);
            }
            let named = all.iter().zip(&listed).filter(|(_, listed)| **listed).filter_map(|(of, _)| of.hash);
            let records: Vec<Hash> = named.clone().chain(others.iter().copied()).collect();
            let texts: Vec<Hash> = others.iter().copied().chain(named).collect();
            packed.pack_by([Rc::new(records), Rc::default()], [begin; 6]);
            prop_assert_eq!(packed.iter().collect::<Vec<_>>(), all.clone());
            packed.pack_by([Rc::new(Vec::new()), Rc::new(texts)], [begin; 6]);
            prop_assert_eq!(packed.iter().collect::<Vec<_>>(), all);
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
