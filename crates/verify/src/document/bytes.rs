//! A value as bytes, member by member: small numbers, words that many values have, ids, and hashes that are in lists.

use std::{collections::HashMap, rc::Rc};

use proof::hash::Hash;

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

/// Texts that come again and again, each kept once.
#[derive(Debug, Default)]
pub(super) struct Words {
    all: Vec<Rc<str>>,
    numbers: HashMap<Rc<str>, u64>,
}

/// So many are kept once. Where there are more, each is its own.
pub(super) const MOST_WORDS: usize = 4_096;

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
    pub(super) bytes: &'p mut Vec<u8>,
    pub(super) words: &'p mut Words,
    pub(super) lists: &'p Lists,
    pub(super) nearby: &'p mut Nearby,
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
    pub(super) bytes: &'u [u8],
    pub(super) words: &'u Words,
    pub(super) lists: &'u Lists,
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
