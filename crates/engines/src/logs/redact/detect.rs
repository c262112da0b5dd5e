//! Detectors: a shape to look for, and a judge of what was found.

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use super::{
    findings::{Class, Found},
    pieces::whole,
    ruling::{Judge, Ruling},
    screening::Screen,
};

/// How large one shape may be once it is compiled.
const SIZE: usize = 32 << 20;

/// Detectors, in the order in which they are applied.
///
/// Each shape is looked for by itself, where the text has what it needs. All of them at once would be one automaton
/// with a place for each way in which a text can be half through several of them, which base64 finds more of than can
/// be kept: then that text, and those of whoever comes next, take a hundred times as long.
pub(super) struct Table {
    screen: Screen,
    detectors: Vec<Detector>,
}

impl Table {
    pub(super) fn new<'d>(definitions: impl Iterator<Item = &'d (&'static str, Judge)>) -> Self {
        let written: Vec<(String, Judge)> =
            definitions.map(|(shape, judge)| (whole(shape), *judge)).collect();
        Self {
            screen: Screen::new(written.iter().map(|(shape, _)| shape.as_str())),
            detectors: written.iter().map(|(shape, judge)| Detector::new(shape, *judge)).collect(),
        }
    }

    /// Those that have anything to do with a text, in order.
    pub(super) fn of(&self, text: &str) -> impl Iterator<Item = &Detector> {
        self.in_it(text).into_iter().map(|shape| &self.detectors[shape])
    }

    fn in_it(&self, text: &str) -> Vec<usize> {
        let is_in = |shape: usize, part: &str| self.detectors[shape].shape.is_match(part);
        self.screen.may_be_in(text).shapes(text, is_in)
    }
}

/// One shape and its judge.
pub(super) struct Detector {
    shape: Regex,
    judge: Judge,
}

impl Detector {
    fn new(shape: &str, judge: Judge) -> Self {
        let shape = RegexBuilder::new(shape)
            .size_limit(SIZE)
            .build()
            .unwrap_or_else(|error| unreachable!("a fixed shape: {error}"));
        Self { shape, judge }
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

#[cfg(test)]
impl Table {
    /// The shapes, as they are written.
    pub(super) fn shapes(&self) -> impl Iterator<Item = &str> {
        self.detectors.iter().map(|detector| detector.shape.as_str())
    }

    /// Whether one of the shapes is told to be in a text, and whether it is in it.
    pub(super) fn told_and_is_in(&self, shape: usize, text: &str) -> (bool, bool) {
        (self.in_it(text).contains(&shape), self.detectors[shape].shape.is_match(text))
    }

    /// The shapes that are in a text, and are not told to be in it.
    pub(super) fn passed_over(&self, text: &str) -> Vec<&str> {
        let told = self.in_it(text);
        let passed_over = self.detectors.iter().enumerate().filter(|(n, _)| !told.contains(n));
        passed_over
            .filter(|(_, detector)| detector.shape.is_match(text))
            .map(|(_, detector)| detector.shape.as_str())
            .collect()
    }
}
