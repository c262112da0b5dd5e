//! Which of some shapes may be in a text: those of which it holds what they need. The others need not be looked for.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::needed::{Needed, is_of_token, needed};

/// What is folded to an ASCII letter, and is none: a text with one of them is looked at by all shapes.
const ODD: [&str; 2] = ["\u{17f}", "\u{212a}"];

/// A way through a shape.
#[derive(Debug)]
struct Way {
    shape: usize,
    /// The sets of which the text must hold one.
    sets: Range<usize>,
    digits: usize,
    run: usize,
}

/// Tells which of some shapes may be in a text.
#[derive(Debug)]
pub(super) struct Screen {
    search: AhoCorasick,
    /// Of each text that is searched for, the sets that it is in.
    sets_of: Vec<Vec<usize>>,
    /// The same of texts that are one byte.
    bytes: Vec<(u8, usize)>,
    sets: usize,
    ways: Vec<Way>,
    shapes: usize,
}

impl Screen {
    pub(super) fn new<'s>(shapes: impl ExactSizeIterator<Item = &'s str>) -> Self {
        let (count, mut sets, mut ways) = (shapes.len(), Vec::new(), Vec::new());
        for (shape, written) in shapes.enumerate() {
            for Needed { one_of_each, digits, run } in needed(written) {
                let first = sets.len();
                sets.extend(one_of_each);
                ways.push(Way { shape, sets: first..sets.len(), digits, run });
            }
        }
        let (mut texts, mut sets_of, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
        for (set, text) in
            sets.iter().enumerate().flat_map(|(set, all)| all.iter().map(move |text| (set, text)))
        {
            if let [byte] = text.as_bytes() {
                bytes.push((*byte, set));
                continue;
            }
            let place = texts.iter().position(|known| *known == text).unwrap_or_else(|| {
                texts.push(text);
                sets_of.push(Vec::new());
                texts.len() - 1
            });
            sets_of[place].push(set);
        }
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&texts)
            .unwrap_or_else(|error| unreachable!("the texts are fixed: {error}"));
        Self { search, sets_of, bytes, sets: sets.len(), ways, shapes: count }
    }

    /// Of each shape, whether it may be in the text.
    pub(super) fn may_be_in(&self, text: &str) -> Vec<bool> {
        if !text.is_ascii() && ODD.iter().any(|odd| text.contains(odd)) {
            return vec![true; self.shapes];
        }
        let letters = Letters::of(text);
        let mut held = vec![false; self.sets];
        for (byte, set) in &self.bytes {
            held[*set] |= letters.has(*byte);
        }
        for found in self.search.find_overlapping_iter(text) {
            for set in &self.sets_of[found.pattern().as_usize()] {
                held[*set] = true;
            }
        }
        let mut may = vec![false; self.shapes];
        for way in &self.ways {
            may[way.shape] |= way.digits <= letters.digits
                && way.run <= letters.run
                && held[way.sets.clone()].iter().all(|held| *held);
        }
        may
    }
}

/// What letters a text has.
struct Letters {
    bytes: [bool; 256],
    digits: usize,
    /// How many letters of a token stand beside each other at most.
    run: usize,
}

impl Letters {
    fn of(text: &str) -> Self {
        let (mut bytes, mut digits, mut longest, mut run) = ([false; 256], 0, 0, 0);
        for byte in text.bytes() {
            bytes[usize::from(byte)] = true;
            digits += usize::from(byte.is_ascii_digit());
            run = if is_of_token(byte) { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        Self { bytes, digits, run: longest }
    }

    fn has(&self, byte: u8) -> bool {
        self.bytes[usize::from(byte)] || self.bytes[usize::from(byte.to_ascii_uppercase())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_folded_to_a_letter_is_that_letter() {
        let shapes = ["(?i)secret=", "(?i)token=", "[0-9]{4}"];
        let screen = Screen::new(shapes.into_iter());
        for (text, may) in [
            ("SECRET= 1234", [true, false, true]),
            ("\u{17f}ecret= and 1234", [true, true, true]),
            ("TO\u{212a}EN=", [true, true, true]),
            ("nothing", [false, false, false]),
        ] {
            assert_eq!(screen.may_be_in(text), may, "{text}");
            for (shape, may) in shapes.into_iter().zip(may) {
                assert!(
                    may || !regex::Regex::new(shape).expect("a shape").is_match(text),
                    "{shape} in {text}"
                );
            }
        }
    }
}
