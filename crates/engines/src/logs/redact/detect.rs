//! Detectors: a shape to look for, and a judge of what was found.

use std::ops::Range;

use regex::{Regex, RegexSet, RegexSetBuilder};

use super::{
    findings::{Class, Found},
    pieces::whole,
    ruling::{Judge, Ruling},
};

/// How large the shapes of a table may be together once they are compiled, and how much of what they have met a thread keeps: with less
/// room than they use, each text would be looked at by the slower way.
const SIZE: usize = 32 << 20;
const KEPT: usize = 8 << 20;

/// Detectors whose shapes are looked for at once.
///
/// How far a text has led into which of them is kept, so that it is not found out anew at the next letter, nor for the next text. A shape
/// that counts letters has many such places, and several of them together have as many as their product. Base64 leads to new ones again
/// and again; where they are more than can be kept, that text and those of whoever comes next take a hundred times as long. So not all
/// shapes are in one table.
pub(super) struct Table {
    shapes: RegexSet,
    detectors: Vec<Detector>,
}

impl Table {
    pub(super) fn new(definitions: &[(&str, Judge)]) -> Self {
        let shapes = RegexSetBuilder::new(definitions.iter().map(|(shape, _)| whole(shape)))
            .size_limit(SIZE)
            .dfa_size_limit(KEPT)
            .build()
            .unwrap_or_else(|error| unreachable!("the shapes are fixed and a test compiles them: {error}"));
        Self { shapes, detectors: definitions.iter().map(Detector::new).collect() }
    }

    /// Those that have anything to do with a text, in order.
    pub(super) fn of(&self, text: &str) -> impl Iterator<Item = &Detector> {
        self.shapes.matches(text).into_iter().map(move |at| &self.detectors[at])
    }
}

/// One shape and its judge.
pub(super) struct Detector {
    shape: Regex,
    judge: Judge,
}

impl Detector {
    fn new((shape, judge): &(&str, Judge)) -> Self {
        let shape = Regex::new(&whole(shape)).unwrap_or_else(|error| unreachable!("a fixed shape: {error}"));
        Self { shape, judge: *judge }
    }

    /// The text without what this detector finds; `None` if it finds nothing.
    pub(super) fn apply(&self, text: &str, found: &mut Found) -> Option<String> {
        let parts = self.parts(text);
        if parts.is_empty() {
            return None;
        }
        let (mut cleaned, mut copied) = (String::with_capacity(text.len()), 0);
        for (part, class) in parts {
            found.add(class, &text[part.clone()]);
            cleaned.push_str(&text[copied..part.start]);
            cleaned.push_str(&class.marker());
            copied = part.end;
        }
        Some(cleaned + &text[copied..])
    }

    /// What this detector finds in a text, in order.
    pub(super) fn parts(&self, text: &str) -> Vec<(Range<usize>, Class)> {
        let (mut all, mut taken, mut at) = (Vec::new(), 0, 0);
        while let Some(captures) = (at <= text.len()).then(|| self.shape.captures_at(text, at)).flatten() {
            let matched = captures.get_match().range();
            let next = match (self.judge)(text, &captures) {
                Ruling::Remove(parts) => {
                    let next = parts.last().map_or(matched.end, |(part, _)| part.end);
                    for (part, class) in parts {
                        // What stands before its name may have two of them, and goes once.
                        if part.start >= taken {
                            taken = part.end;
                            all.push((part, class));
                        }
                    }
                    next
                }
                Ruling::PassOver(next) => next,
            };
            at = after(text, next.max(matched.start + 1));
        }
        all
    }
}

/// The first place from there on where a character begins.
fn after(text: &str, from: usize) -> usize {
    (from..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len().max(from))
}
