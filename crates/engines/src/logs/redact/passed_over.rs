//! No shape that is in a text is passed over because the text seems to lack what the shape needs: what is needed is
//! held against the shapes, on the texts of these pages and on such as are drawn from each shape.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, Hir, HirKind};

use super::{
    corpus,
    detect::Table,
    detectors::DETECTORS,
    hostile,
    listed::{PLACED, TOLD},
};

/// How many texts are drawn from each shape.
const OF_EACH: usize = 60;
/// How often more than it has to be a piece is repeated at most.
const MORE: usize = 3;
/// At how many places each text is cut.
const CUTS: usize = 4;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).map_or(0, |drawn| drawn % sides)
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        if all.is_empty() { None } else { all.get(self.roll(all.len())) }
    }
}

fn tables() -> [&'static Table; 3] {
    [LazyLock::force(&DETECTORS), LazyLock::force(&PLACED), LazyLock::force(&TOLD)]
}

/// A text in other letters, which a shape may or may not tell from its own, and pieces of it.
fn spelt(text: &str, dice: &mut Dice) -> Vec<String> {
    let mut spelt = vec![
        text.to_owned(),
        text.to_uppercase(),
        text.to_lowercase(),
        text.replace(['s', 'S'], "\u{17f}"),
        text.replace(['k', 'K'], "\u{212a}"),
    ];
    let other = |letter: char| match dice.roll(2) {
        0 => letter.to_ascii_uppercase(),
        _ => letter.to_ascii_lowercase(),
    };
    spelt.push(text.chars().map(other).collect());
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    for _ in 0..CUTS {
        let at = dice.one_of(&places).copied().unwrap_or(0);
        spelt.extend([text[..at].to_owned(), text[at..].to_owned()]);
    }
    spelt
}

/// Adds a text that is what a shape describes, but for what it asks of what stands around.
fn draw(shape: &Hir, dice: &mut Dice, text: &mut String) {
    match shape.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(&String::from_utf8_lossy(&literal.0)),
        HirKind::Class(class) => text.extend(letter(class, dice)),
        HirKind::Repetition(repetition) => {
            let least = repetition.min as usize;
            let most = repetition.max.map_or(usize::MAX, |most| most as usize);
            for _ in 0..least + dice.roll(most.saturating_sub(least).min(MORE) + 1) {
                draw(&repetition.sub, dice, text);
            }
        }
        HirKind::Capture(capture) => draw(&capture.sub, dice, text),
        HirKind::Concat(pieces) => pieces.iter().for_each(|piece| draw(piece, dice, text)),
        HirKind::Alternation(ways) => {
            if let Some(way) = dice.one_of(ways) {
                draw(way, dice, text);
            }
        }
    }
}

/// A letter of a class: mostly one that is on every keyboard, where it has one.
fn letter(class: &Class, dice: &mut Dice) -> Option<char> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            class.iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
        Class::Bytes(class) => class.iter().map(|range| (range.start().into(), range.end().into())).collect(),
    };
    let has =
        |letter: &char| ranges.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(*letter)));
    let typed: Vec<char> = (' '..='~').filter(has).collect();
    if !typed.is_empty() && dice.roll(8) > 0 {
        return dice.one_of(&typed).copied();
    }
    let (first, last) = *dice.one_of(&ranges)?;
    let some: Vec<char> = (first..=last).filter_map(char::from_u32).take(64).collect();
    dice.one_of(&some).copied()
}

#[test]
fn nothing_that_is_in_a_known_text_is_passed_over() {
    let mut dice = Dice(1);
    let known = corpus::texts().into_iter().map(|(text, _)| text);
    let hostile = hostile::PIECES.iter().map(|piece| piece.repeat(3));
    for text in known.chain(hostile) {
        for text in spelt(&text, &mut dice) {
            for table in tables() {
                let passed_over = table.passed_over(&text);
                assert!(passed_over.is_empty(), "{passed_over:#?} in {text:?}");
            }
        }
    }
}

#[test]
fn nothing_that_a_shape_describes_is_passed_over() {
    let mut dice = Dice(2);
    let (mut shapes, mut met) = (0, 0);
    for table in tables() {
        for (n, shape) in table.shapes().enumerate() {
            let described = regex_syntax::parse(shape).expect("a shape");
            let mut is_met = false;
            for _ in 0..OF_EACH {
                let mut text = String::new();
                draw(&described, &mut dice, &mut text);
                for text in [format!(" {text} "), format!("x: {text}\n"), format!("a\n{text}\r\nb"), text] {
                    let (told, is_in) = table.told_and_is_in(n, &text);
                    assert!(told || !is_in, "{shape} in {text:?}");
                    is_met |= is_in;
                }
            }
            shapes += 1;
            met += usize::from(is_met);
        }
    }
    assert!(2 * met > shapes, "what is drawn is of {met} of {shapes} shapes");
}
