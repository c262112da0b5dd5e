//! Letters that must stand side by side in every match, as classes of bytes, and all such rows looked for at once.

use regex_syntax::hir::{Class, ClassUnicode, Hir, HirKind};

/// More letters in a row tell no more.
const LONGEST: usize = 12;
/// How many letters all rows that are looked for at once have together.
const BITS: u32 = u64::BITS;

/// Which bytes a letter can be.
pub(super) type Bytes = [bool; 256];

/// The letters that stand side by side in every match and tell most; none where a match has none of ASCII.
pub(super) fn most_telling(hir: &Hir) -> Vec<Bytes> {
    let mut rows = Rows::default();
    rows.read(hir);
    rows.best
}

#[derive(Default)]
struct Rows {
    now: Vec<Bytes>,
    best: Vec<Bytes>,
}

impl Rows {
    fn read(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Capture(capture) => self.read(&capture.sub),
            HirKind::Concat(pieces) => pieces.iter().for_each(|piece| self.read(piece)),
            HirKind::Literal(literal) => literal.0.iter().for_each(|byte| {
                if byte.is_ascii() {
                    self.push(one(*byte));
                } else {
                    self.now.clear();
                }
            }),
            HirKind::Class(class) => match letter(class) {
                Some(letter) => self.push(letter),
                None => self.now.clear(),
            },
            HirKind::Repetition(repetition) => {
                let least = repetition.min as usize;
                let letter =
                    if let HirKind::Class(class) = repetition.sub.kind() { letter(class) } else { None };
                let Some(letter) = letter else { return self.now.clear() };
                (0..least.min(LONGEST)).for_each(|_| self.push(letter));
                if repetition.max != Some(repetition.min) {
                    // What comes next stands behind the last of them.
                    self.now.clear();
                    self.now.extend(std::iter::repeat_n(letter, least.min(LONGEST)));
                }
            }
            HirKind::Alternation(_) => self.now.clear(),
        }
    }

    fn push(&mut self, letter: Bytes) {
        if self.now.len() == LONGEST {
            self.now.remove(0);
        }
        self.now.push(letter);
        if telling(&self.now) > telling(&self.best) {
            self.best.clone_from(&self.now);
        }
    }
}

/// How little of all rows of letters a row is: the bits that it says.
fn telling(row: &[Bytes]) -> u32 {
    row.iter().map(|letter| 8 - letter.iter().filter(|is| **is).count().max(1).ilog2()).sum()
}

fn one(byte: u8) -> Bytes {
    let mut letter = [false; 256];
    letter[usize::from(byte)] = true;
    letter
}

/// The bytes of a class of ASCII. What is folded to an ASCII letter is none: whoever looks for rows in a text looks for
/// that first.
fn letter(class: &Class) -> Option<Bytes> {
    let Class::Unicode(class) = class else { return None };
    let mut letter = [false; 256];
    for range in ascii(class)? {
        range.for_each(|byte| letter[usize::from(byte)] = true);
    }
    Some(letter)
}

fn ascii(class: &ClassUnicode) -> Option<Vec<std::ops::RangeInclusive<u8>>> {
    let folded = |range: &&regex_syntax::hir::ClassUnicodeRange| {
        !(range.start() == range.end() && matches!(range.start(), '\u{17f}' | '\u{212a}'))
    };
    let byte = |letter: char| u8::try_from(letter).ok().filter(u8::is_ascii);
    class.iter().filter(folded).map(|range| Some(byte(range.start())?..=byte(range.end())?)).collect()
}

/// Rows that are looked for at once: a bit for each letter, set while a text is in the midst of its row (Shift-And).
#[derive(Debug)]
pub(super) struct Sequences {
    masks: Box<[u64; 256]>,
    first: u64,
    used: u32,
    /// The rows, and what their last letters are.
    known: Vec<(Vec<Bytes>, u64)>,
}

/// The last letters of the rows that a text has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Met(u64);

impl Met {
    /// Whether a text has all rows that end with these letters.
    pub(super) fn has(self, ends: u64) -> bool {
        self.0 & ends == ends
    }
}

impl Sequences {
    pub(super) fn new() -> Self {
        Self { masks: Box::new([0; 256]), first: 0, used: 0, known: Vec::new() }
    }

    /// Looks for that row as well, and adds what its last letter is; `false` if there is no room for it.
    pub(super) fn add(&mut self, row: &[Bytes], ends: &mut u64) -> bool {
        if let Some((_, known)) = self.known.iter().find(|(known, _)| known == row) {
            *ends |= known;
            return true;
        }
        let begin = self.used;
        let Some(used) = u32::try_from(row.len()).ok().map(|length| begin + length) else { return false };
        if row.is_empty() || used > BITS {
            return false;
        }
        self.used = used;
        self.first |= 1 << begin;
        for (at, letter) in (begin..).zip(row) {
            for (mask, _) in self.masks.iter_mut().zip(letter).filter(|(_, is)| **is) {
                *mask |= 1 << at;
            }
        }
        let end = 1 << (used - 1);
        *ends |= end;
        self.known.push((row.to_vec(), end));
        true
    }

    /// Which of them a text has.
    pub(super) fn met(&self, text: &[u8]) -> Met {
        // Two halves at a time, neither of which waits for the other. A row that begins in the first one ends in it.
        let half = text.len() / 2;
        let (front, back) = (&text[..(half + LONGEST - 1).min(text.len())], &text[half..]);
        let step = |now: &mut u64, byte: u8| {
            *now = ((*now << 1) | self.first) & self.masks[usize::from(byte)];
            *now
        };
        let ((mut now, mut then), mut all) = ((0, 0), 0);
        for (one, other) in front.iter().zip(back) {
            all |= step(&mut now, *one) | step(&mut then, *other);
        }
        let both = front.len().min(back.len());
        front[both..].iter().for_each(|byte| all |= step(&mut now, *byte));
        back[both..].iter().for_each(|byte| all |= step(&mut then, *byte));
        Met(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_every_match_has_is_told() {
        for (shape, length) in [
            ("(?i)(?-u:\\b)[a-z]{2}[0-9]{2}(?:[ ]?[a-z0-9]){11,30}", 4),
            ("[0-9]{3}-[0-9]{2}-[0-9]{4}", 11),
            ("[MN][0-9A-Z_-]{23,25}\\.[0-9]{6}\\.x", 12),
            ("(?:a|bc)d", 1),
            ("[0-9]*", 0),
            ("x?", 0),
        ] {
            assert_eq!(most_telling(&regex_syntax::parse(shape).expect("a shape")).len(), length, "{shape}");
        }
    }

    #[test]
    fn a_row_is_met_where_its_letters_stand_side_by_side() {
        let (mut sequences, mut ends) = (Sequences::new(), 0);
        let row = most_telling(&regex_syntax::parse("(?i)[a-z]{2}[0-9]{2}").expect("a shape"));
        assert!(sequences.add(&row, &mut ends));
        for (text, is_met) in
            [("xDE89", true), ("de8", false), ("d89e8 9", false), ("", false), ("aab12", true)]
        {
            assert_eq!(sequences.met(text.as_bytes()).has(ends), is_met, "{text}");
        }
    }
}
