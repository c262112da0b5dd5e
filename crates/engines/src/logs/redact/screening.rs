//! Which of some shapes may be in a text, and in which lines of it: where it holds what they need. Elsewhere they need
//! not be looked for.

use std::ops::Range;

use aho_corasick::{Anchored, automaton::Automaton as _, automaton::StateID, dfa::DFA};

use super::{
    needed::{Needed, needed},
    sequences::Sequences,
    ways::{Seen, Way, worth},
};

/// What is folded to an ASCII letter, and is none: a text with one of them is looked at by all shapes.
const ODD: [&str; 2] = ["\u{17f}", "\u{212a}"];

/// Tells which of some shapes may be in a text.
#[derive(Debug)]
pub(super) struct Screen {
    search: DFA,
    start: StateID,
    /// Of each text that is searched for, the sets that it is in.
    sets_of: Vec<Vec<usize>>,
    /// Of each set, the way that needs one of it.
    way_of: Vec<usize>,
    ways: Vec<Way>,
    /// The ways that need no text.
    without_texts: Vec<usize>,
    rows: Sequences,
    shapes: usize,
}

/// Where each shape may be.
#[derive(Debug)]
pub(super) struct Told {
    /// Anywhere.
    anywhere: Vec<bool>,
    /// In a part of the text that is whole lines, with the ends of lines around them.
    lines: Vec<(usize, Range<usize>)>,
    /// How many of these lines are each shape's.
    counts: Vec<usize>,
}

/// A shape that may be in more lines than this may be anywhere: to note them all would take many times the text.
const MOST_LINES: usize = 256;

impl Told {
    /// Each of so many shapes anywhere, or none.
    fn of(shapes: usize, anywhere: bool) -> Self {
        Self { anywhere: vec![anywhere; shapes], lines: Vec::new(), counts: vec![0; shapes] }
    }

    /// A shape may be in a line.
    fn in_line(&mut self, shape: usize, part: Range<usize>) {
        self.counts[shape] += 1;
        if self.counts[shape] > MOST_LINES {
            self.anywhere[shape] = true;
        } else {
            self.lines.push((shape, part));
        }
    }

    /// The shapes that are in the text, in order, as `is_in` tells of a shape and a part of a text.
    pub(super) fn shapes(mut self, text: &str, is_in: impl Fn(usize, &str) -> bool) -> Vec<usize> {
        for (shape, line) in self.lines {
            self.anywhere[shape] = self.anywhere[shape] || is_in(shape, &text[line]);
        }
        // What is at an end of a line may ask for an end of the text.
        let told = self.anywhere.iter().enumerate().filter(|(_, told)| **told).map(|(shape, _)| shape);
        told.filter(|shape| is_in(*shape, text)).collect()
    }
}

/// Which sets were met, each in the line that is read.
#[derive(Debug)]
struct Held {
    /// The line in which a text and a set were met last, and how many sets of a way were met in which line.
    texts: Vec<usize>,
    sets: Vec<usize>,
    ways: Vec<(usize, usize)>,
    /// Ways of which all sets were met, and where.
    all: Vec<(usize, usize)>,
    /// Which bytes the text has, once that was asked for.
    bytes: Option<Seen>,
}

impl Screen {
    pub(super) fn new<'s>(shapes: impl ExactSizeIterator<Item = &'s str>) -> Self {
        let (count, mut rows, mut ways) = (shapes.len(), Sequences::new(), Vec::new());
        let (mut texts, mut sets_of, mut way_of) =
            (Vec::<String>::new(), Vec::<Vec<usize>>::new(), Vec::new());
        for (shape, written) in shapes.enumerate() {
            for Needed { one_of_each, digits, run, row, of_a_line } in needed(written) {
                let (sets, mut bytes) = worth(one_of_each);
                let mut ends = 0;
                if sets.is_empty() {
                    rows.add(&row, &mut ends);
                    bytes.retain(|set| !rows.add(&[*set], &mut ends));
                }
                let bytes = bytes.iter().map(Seen::from).collect();
                let way = Way { shape, sets: sets.len(), bytes, rows: ends, digits, run, of_a_line };
                let all = (way_of.len()..).zip(sets);
                for (set, text) in all.flat_map(|(set, all)| all.into_iter().map(move |text| (set, text))) {
                    let place = texts.iter().position(|known| *known == text).unwrap_or_else(|| {
                        texts.push(text);
                        sets_of.push(Vec::new());
                        texts.len() - 1
                    });
                    sets_of[place].push(set);
                }
                way_of.extend(std::iter::repeat_n(ways.len(), way.sets));
                ways.push(way);
            }
        }
        let built = DFA::builder().ascii_case_insensitive(true).build(&texts);
        let search = built.unwrap_or_else(|error| unreachable!("the texts are fixed: {error}"));
        let start =
            search.start_state(Anchored::No).unwrap_or_else(|error| unreachable!("it has one: {error}"));
        let without_texts = (0..ways.len()).filter(|way| ways[*way].sets == 0).collect();
        Self { search, start, sets_of, way_of, ways, without_texts, rows, shapes: count }
    }

    /// Where in the text each shape may be.
    pub(super) fn may_be_in(&self, text: &str) -> Told {
        if !text.is_ascii() && ODD.iter().any(|odd| text.contains(odd)) {
            return Told::of(self.shapes, true);
        }
        let mut told = Told::of(self.shapes, false);
        let bytes = text.as_bytes();
        let (mut state, mut held, mut line) = (self.start, None, 0);
        for (at, byte) in bytes.iter().enumerate() {
            state = self.search.next_state(Anchored::No, state, *byte);
            if self.search.is_special(state) && self.search.is_match(state) {
                self.hold(&mut held, state, line);
            }
            if *byte == b'\n' {
                if let Some(held) = &mut held {
                    self.tell(held, bytes, line, at + 1, &mut told);
                }
                line = at + 1;
            }
        }
        if let Some(held) = &mut held {
            self.tell(held, bytes, line, bytes.len(), &mut told);
        }
        let (met, mut seen) = (self.rows.met(bytes), None);
        for way in self.without_texts.iter().map(|way| &self.ways[*way]) {
            told.anywhere[way.shape] =
                told.anywhere[way.shape] || met.has(way.rows) && way.may_be_in(bytes, &mut seen);
        }
        told
    }

    fn nothing_held(&self) -> Held {
        let ways = vec![(usize::MAX, 0); self.ways.len()];
        let (texts, sets) = (vec![usize::MAX; self.sets_of.len()], vec![usize::MAX; self.way_of.len()]);
        Held { texts, sets, ways, all: Vec::new(), bytes: None }
    }

    /// The texts that end here, in the line that begins there. An end of a line is still in the line that it ends: a
    /// set of nothing but that would be met a line too early, and no shape has one that is needed alone.
    #[inline(never)]
    fn hold(&self, held: &mut Option<Held>, state: StateID, line: usize) {
        let held = held.get_or_insert_with(|| self.nothing_held());
        for n in 0..self.search.match_len(state) {
            let text = self.search.match_pattern(state, n).as_usize();
            if std::mem::replace(&mut held.texts[text], line) == line {
                continue;
            }
            for set in &self.sets_of[text] {
                let way = self.way_of[*set];
                let line = if self.ways[way].of_a_line { line } else { 0 };
                if std::mem::replace(&mut held.sets[*set], line) == line {
                    continue;
                }
                let (of, sets) = &mut held.ways[way];
                *sets = if *of == line { *sets + 1 } else { 1 };
                *of = line;
                if *sets == self.ways[way].sets {
                    held.all.push((way, line));
                }
            }
        }
    }

    /// Tells of what was met in the line that begins and ends there.
    #[inline]
    fn tell(&self, held: &mut Held, text: &[u8], line: usize, end: usize, told: &mut Told) {
        if !held.all.is_empty() {
            self.tell_all(held, text, line, end, told);
        }
    }

    #[inline(never)]
    fn tell_all(&self, held: &mut Held, text: &[u8], line: usize, end: usize, told: &mut Told) {
        let part = line.saturating_sub(1)..end;
        let mut seen = None;
        for (way, _) in std::mem::take(&mut held.all) {
            let way = &self.ways[way];
            // That a way of the shape was told for this line says nothing of one that may stand in several.
            let told_already = told.anywhere[way.shape]
                || way.of_a_line
                    && told
                        .lines
                        .iter()
                        .rev()
                        .take_while(|(_, of)| of.start == part.start)
                        .any(|(shape, of)| *shape == way.shape && of.end == part.end);
            if told_already {
                continue;
            }
            if !way.of_a_line {
                told.anywhere[way.shape] = way.may_be_in(text, &mut held.bytes);
            } else if way.may_be_in(&text[part.clone()], &mut seen) {
                told.in_line(way.shape, part.clone());
            }
        }
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
            let told = screen.may_be_in(text);
            let is_told = |shape| told.anywhere[shape] || told.lines.iter().any(|(of, _)| *of == shape);
            assert_eq!([0, 1, 2].map(is_told), may, "{text}");
            for (shape, may) in shapes.into_iter().zip(may) {
                assert!(
                    may || !regex::Regex::new(shape).expect("a shape").is_match(text),
                    "{shape} in {text}"
                );
            }
        }
    }

    #[test]
    fn what_stands_in_one_line_is_looked_for_in_the_lines_that_hold_all_of_it() {
        let screen = Screen::new(["token[a-z ]*===", "token[a-z \\n]*===", "\\stoken=*,,,"].into_iter());
        let text = "a token\n is ===\n  ===\ntoken,,,";
        let told = screen.may_be_in(text);
        assert_eq!((told.anywhere, told.lines), (vec![false, true, false], vec![(2, 21..text.len())]));
    }

    #[test]
    fn no_more_lines_are_noted_than_are_few() {
        let shapes = ["token[a-z ]*===", "secret[a-z ]*==="];
        let found = shapes.map(|shape| regex::Regex::new(shape).expect("a shape"));
        let screen = Screen::new(shapes.into_iter());
        for (lines, end, expected) in [
            (MOST_LINES, "", vec![]),
            (MOST_LINES + 1, "", vec![]),
            (100_000, "", vec![]),
            (100_000, "token===", vec![0]),
            (3, "secret===", vec![1]),
        ] {
            let text = "=== token secret\n".repeat(lines) + end;
            let told = screen.may_be_in(&text);
            assert!(told.lines.len() <= 2 * MOST_LINES, "{}", told.lines.len());
            assert_eq!(told.anywhere, [lines > MOST_LINES; 2], "{lines}");
            assert_eq!(
                told.shapes(&text, |shape, part| found[shape].is_match(part)),
                expected,
                "{lines}, {end}"
            );
        }
    }

    #[test]
    fn a_way_over_several_lines_is_looked_for_where_another_of_its_shape_is_in_one() {
        for shape in ["ab=+c|xy[^<]*?z=", "xy[^<]*?z=|ab=+c"] {
            let (screen, found) =
                (Screen::new([shape].into_iter()), regex::Regex::new(shape).expect("a shape"));
            for text in ["xy\nab= z=", "xy ab=\nab= z=", "ab=\nxy\nz= ab=", "xy\nz=", "ab=c"] {
                assert!(found.is_match(text), "{shape} in {text}");
                let told = screen.may_be_in(text).shapes(text, |_, part| found.is_match(part));
                assert_eq!(told, [0], "{shape} in {text}");
            }
        }
    }
}
