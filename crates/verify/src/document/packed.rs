//! Lists of what the checks ask of records, as bytes: a run has hundreds of thousands of them, and as values they take
//! ten times the room. What is packed is unpacked as it was, one by one.

use std::{marker::PhantomData, mem};

use super::bytes::{Lists, Nearby, Packer, Unpacker, Words};

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

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use proof::hash::Hash;
    use proptest::prelude::*;

    use super::*;
    use crate::document::bytes::{As, MOST_WORDS};

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
            for sample in &all {
                packed.push(sample);
            }
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
