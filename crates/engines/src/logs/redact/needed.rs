//! What a text must hold if a shape is anywhere in it: so most shapes need not be looked for in most texts.

use std::cmp::Reverse;

use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind};

use super::sequences::{self, Bytes};

/// A set of beginnings that is larger is not written out.
const MOST: usize = 256;
/// One of more letters tells nothing.
const FEW: u32 = 8;

/// What each match of a way through a shape has at least.
#[derive(Debug, Default)]
pub(super) struct Needed {
    /// Of each of these sets one text, in small letters.
    pub(super) one_of_each: Vec<Vec<String>>,
    pub(super) digits: usize,
    /// Letters of a token beside each other.
    pub(super) run: usize,
    /// Letters beside each other.
    pub(super) row: Vec<Bytes>,
    /// It stands in one line, but that it may begin or end with the end of one.
    pub(super) of_a_line: bool,
}

/// Whether tokens are made of it.
pub(super) const fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// What each way through a shape needs.
pub(super) fn needed(shape: &str) -> Vec<Needed> {
    let hir = regex_syntax::parse(shape).unwrap_or_else(|error| unreachable!("a fixed shape: {error}"));
    let ways = match hir.kind() {
        HirKind::Alternation(ways) => ways.as_slice(),
        _ => std::slice::from_ref(&hir),
    };
    let each = |way: &Hir| Needed {
        one_of_each: one_of_each(way),
        digits: digits(way),
        run: run(way),
        row: sequences::most_telling(way),
        of_a_line: is_of_a_line(way),
    };
    ways.iter().map(each).collect()
}

/// Sets of texts, of each of which every match has one.
fn one_of_each(hir: &Hir) -> Vec<Vec<String>> {
    match hir.kind() {
        HirKind::Capture(capture) => one_of_each(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => one_of_each(&repetition.sub),
        HirKind::Alternation(ways) => {
            let all: Option<Vec<_>> = ways.iter().map(most_telling).collect();
            all.map(|all| all.concat()).filter(|all| all.len() <= MOST).into_iter().collect()
        }
        HirKind::Concat(pieces) => in_a_row(pieces),
        _ => exact(hir).filter(|all| is_telling(all)).into_iter().collect(),
    }
}

/// The longer the shortest of a set, and the fewer they are, the more it tells.
fn most_telling(hir: &Hir) -> Option<Vec<String>> {
    let weight = |all: &Vec<String>| (all.iter().map(String::len).min(), Reverse(all.len()));
    one_of_each(hir).into_iter().max_by_key(weight)
}

/// The beginnings of a piece that comes once at least, which are as well its ends: `[ \t]+`.
fn edges(piece: &Hir, most: usize) -> Option<Vec<String>> {
    match piece.kind() {
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            exact(&repetition.sub).filter(|all| all.len() <= most && is_telling(all))
        }
        _ => None,
    }
}

/// Of what stands side by side.
fn in_a_row(pieces: &[Hir]) -> Vec<Vec<String>> {
    let (mut sets, mut row) = (Vec::new(), vec![String::new()]);
    for piece in pieces {
        if let Some(all) = exact(piece).filter(|all| all.len() * row.len() <= MOST) {
            row = row.iter().flat_map(|front| all.iter().map(move |end| format!("{front}{end}"))).collect();
        } else if let Some(all) = edges(piece, 2 * MOST / row.len()) {
            row = row.iter().flat_map(|front| all.iter().map(move |end| format!("{front}{end}"))).collect();
            sets.push(std::mem::replace(&mut row, all));
        } else {
            sets.push(std::mem::replace(&mut row, vec![String::new()]));
            sets.extend(one_of_each(piece));
        }
    }
    sets.push(row);
    sets.retain(|all| is_telling(all));
    sets
}

fn is_telling(all: &[String]) -> bool {
    all.iter().all(|one| !one.is_empty())
}

/// Whether each match stands in one line, but that it may begin or end with the end of one.
fn is_of_a_line(hir: &Hir) -> bool {
    begins_a_line(hir, true) || begins_a_line(hir, false)
}

/// Whether no match has an end of a line in it but as its first letter, or as its last.
fn begins_a_line(hir: &Hir, first: bool) -> bool {
    let at_its_end = |hir: &Hir| begins_a_line(hir, first);
    match hir.kind() {
        _ if has_no_end_of_a_line(hir) => true,
        HirKind::Class(_) => true,
        HirKind::Capture(capture) => at_its_end(&capture.sub),
        HirKind::Alternation(ways) => ways.iter().all(at_its_end),
        HirKind::Repetition(repetition) => repetition.max == Some(1) && at_its_end(&repetition.sub),
        HirKind::Concat(pieces) => {
            let has_length = |piece: &&Hir| piece.properties().maximum_len() != Some(0);
            let mut pieces: Vec<&Hir> = pieces.iter().filter(has_length).collect();
            if !first {
                pieces.reverse();
            }
            pieces.split_first().is_none_or(|(end, rest)| {
                at_its_end(end) && rest.iter().all(|piece| has_no_end_of_a_line(piece))
            })
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) => false,
    }
}

fn has_no_end_of_a_line(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => !literal.0.contains(&b'\n'),
        HirKind::Class(Class::Unicode(class)) => {
            class.iter().all(|range| !(range.start()..=range.end()).contains(&'\n'))
        }
        HirKind::Class(Class::Bytes(_)) => false,
        HirKind::Repetition(repetition) => has_no_end_of_a_line(&repetition.sub),
        HirKind::Capture(capture) => has_no_end_of_a_line(&capture.sub),
        HirKind::Concat(pieces) | HirKind::Alternation(pieces) => pieces.iter().all(has_no_end_of_a_line),
    }
}

/// All that it matches, if that is not much.
fn exact(hir: &Hir) -> Option<Vec<String>> {
    let all = match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![String::new()],
        HirKind::Literal(literal) => {
            vec![std::str::from_utf8(&literal.0).ok()?.chars().map(folded).collect()]
        }
        HirKind::Class(Class::Unicode(class)) => {
            let count: u32 =
                class.iter().map(|range| u32::from(range.end()) - u32::from(range.start()) + 1).sum();
            if count > 2 * FEW {
                return None;
            }
            let letters = class.iter().flat_map(|range| range.start()..=range.end());
            let mut all: Vec<String> = letters.map(|letter| folded(letter).to_string()).collect();
            all.sort_unstable();
            all.dedup();
            (all.len() <= FEW as usize).then_some(all)?
        }
        HirKind::Capture(capture) => exact(&capture.sub)?,
        HirKind::Repetition(repetition) if (repetition.min, repetition.max) == (0, Some(1)) => {
            let mut all = exact(&repetition.sub)?;
            all.push(String::new());
            all
        }
        HirKind::Alternation(ways) => ways.iter().map(exact).collect::<Option<Vec<_>>>()?.concat(),
        HirKind::Concat(pieces) => pieces.iter().try_fold(vec![String::new()], |row, piece| {
            let all = exact(piece).filter(|all| all.len() * row.len() <= MOST)?;
            Some(row.iter().flat_map(|front| all.iter().map(move |end| format!("{front}{end}"))).collect())
        })?,
        _ => return None,
    };
    (all.len() <= MOST).then_some(all)
}

/// As the search reads it, which does not tell capitals from others.
fn folded(letter: char) -> char {
    match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}

/// How many letters of a token stand beside each other in each match at least.
fn run(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Repetition(repetition) if repetition.min > 0 => match repetition.sub.kind() {
            HirKind::Class(Class::Unicode(class)) if is_of_tokens(class) => repetition.min as usize,
            _ => run(&repetition.sub),
        },
        HirKind::Capture(capture) => run(&capture.sub),
        HirKind::Concat(pieces) => pieces.iter().map(run).max().unwrap_or(0),
        HirKind::Alternation(ways) => ways.iter().map(run).min().unwrap_or(0),
        _ => 0,
    }
}

fn is_of_tokens(class: &ClassUnicode) -> bool {
    let bytes =
        |range: &ClassUnicodeRange| u8::try_from(range.start()).ok().zip(u8::try_from(range.end()).ok());
    class.iter().all(|range| bytes(range).is_some_and(|(first, last)| (first..=last).all(is_of_token)))
}

/// How many digits each match has at least.
fn digits(hir: &Hir) -> usize {
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            usize::from(class.iter().all(|range| range.start() >= '0' && range.end() <= '9'))
        }
        HirKind::Literal(literal) => literal.0.iter().filter(|byte| byte.is_ascii_digit()).count(),
        HirKind::Capture(capture) => digits(&capture.sub),
        HirKind::Repetition(repetition) => digits(&repetition.sub) * repetition.min as usize,
        HirKind::Concat(pieces) => pieces.iter().map(digits).sum(),
        HirKind::Alternation(ways) => ways.iter().map(digits).min().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sets with blanks between the texts of each and bars between them.
    fn of(shape: &str) -> String {
        let sets = one_of_each(&regex_syntax::parse(shape).expect("a shape"));
        let texts = sets.into_iter().map(|mut all| {
            all.sort_unstable();
            all.join(" ")
        });
        texts.collect::<Vec<_>>().join("|")
    }

    #[test]
    fn what_every_match_has_is_needed() {
        for (shape, sets) in [
            ("ghp_[0-9A-Za-z]{16,}", "ghp_"),
            ("gh[po]_[0-9]+", "gho_ ghp_"),
            ("(?i)[a-z]*passw(?:or)?d[ ]*=", "passwd password|="),
            ("(?i)(?:key|task)=", "key= task="),
            ("[a-z]+(?:@|%40)[a-z]+", "%40 @"),
            ("(?:[a-z]+secret)+", "secret"),
            ("(?:secret)?[a-z]+", ""),
            ("secret|[a-z]+", ""),
            ("(?:ab[a-z]+cde|f)[a-z]+:", "cde f|:"),
            ("p/?w", "p/w pw"),
        ] {
            assert_eq!(of(shape), sets, "{shape}");
        }
        for (shape, count) in [
            ("(?-u:\\b)[MN][0-9A-Z_-]{23,25}\\.[0-9]{6}", 23),
            ("[a-z. ]{9}", 0),
            ("(?i)[a-z]{9}", 0),
            ("[0-9]{7,}|x", 0),
        ] {
            assert_eq!(run(&regex_syntax::parse(shape).expect("a shape")), count, "{shape}");
        }
    }
}
