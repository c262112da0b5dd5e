//! What a way through a shape needs of a text, and which of the texts that it needs are worth to be searched for.

use super::{needed::is_of_token, runs::has_run, sequences::Bytes};

/// Shorter texts are met in any line.
const WORD: usize = 3;

/// A way through a shape.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) shape: usize,
    /// Of so many sets of texts the text must hold one.
    pub(super) sets: usize,
    /// Of each of these sets of bytes the text must hold one.
    pub(super) bytes: Vec<Seen>,
    /// The last letters of the rows of letters that the text must hold.
    pub(super) rows: u64,
    pub(super) digits: usize,
    pub(super) run: usize,
    /// All of it stands in one line.
    pub(super) of_a_line: bool,
}

impl Way {
    /// Whether a part of a text, which holds its texts, holds the rest of what it needs. Which bytes it has is found
    /// out once.
    #[inline]
    pub(super) fn may_be_in(&self, part: &[u8], seen: &mut Option<Seen>) -> bool {
        self.bytes.iter().all(|set| seen.get_or_insert_with(|| Seen::of(part)).has_one_of(set))
            && (self.digits == 0 || digits(part) >= self.digits)
            && has_run(part, self.run, is_of_token)
    }
}

/// A set of bytes, a bit for each.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen([u64; 4]);

impl Seen {
    fn of(text: &[u8]) -> Self {
        let mut seen = [false; 256];
        for byte in text {
            seen[usize::from(*byte)] = true;
        }
        Self::from(&seen)
    }

    fn has_one_of(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).any(|(these, others)| these & others != 0)
    }
}

impl From<&Bytes> for Seen {
    fn from(bytes: &Bytes) -> Self {
        let mut seen = Self::default();
        for (word, bytes) in seen.0.iter_mut().zip(bytes.chunks_exact(64)) {
            *word = bytes.iter().rev().fold(0, |bits, is| (bits << 1) | u64::from(*is));
        }
        seen
    }
}

/// The sets that are worth to be looked for, as texts and as bytes. A set of which some are one byte, which are met
/// too often to be told each time, is one of bytes; where one of the others has no byte that is rare, it is left out.
/// A set of nothing else is looked for in any case.
pub(super) fn worth(sets: Vec<Vec<String>>) -> (Vec<Vec<String>>, Vec<Bytes>) {
    let (mut short, mut long): (Vec<_>, Vec<_>) =
        sets.into_iter().partition(|set| set.iter().any(|text| text.len() == 1));
    // What is half as long as another, or less, is met in many a line.
    let length = |set: &Vec<String>| set.iter().map(String::len).min().unwrap_or(0);
    let longest = long.iter().map(length).max().unwrap_or(0);
    long.retain(|set| 2 * length(set) > longest && (length(set) >= WORD || longest < WORD));
    let rare = |text: &String| text.bytes().find(u8::is_ascii_punctuation);
    let as_bytes = |set: &Vec<String>| {
        let byte = |text: &String| if let [byte] = text.as_bytes() { Some(*byte) } else { rare(text) };
        let mut bytes = [false; 256];
        for byte in set.iter().map(byte) {
            let byte = byte?;
            bytes[usize::from(byte)] = true;
            bytes[usize::from(byte.to_ascii_uppercase())] = true;
        }
        Some(bytes)
    };
    if long.is_empty() && short.iter().all(|set| set.iter().any(|text| text.len() > 1)) {
        long.append(&mut short);
    }
    let is_plain = |set: &Bytes| long.is_empty() || !set[usize::from(b' ')];
    let bytes = short.iter().filter_map(as_bytes).filter(is_plain).collect();
    (long, bytes)
}

fn digits(text: &[u8]) -> usize {
    text.iter().filter(|byte| byte.is_ascii_digit()).count()
}
