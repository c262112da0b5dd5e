//! Numbers in plain text that are personal: of accounts, of cards, of persons.

use std::ops::Range;

use regex::Captures;
use rules::facts::PiiClass as P;

use super::{
    checks::{iban_length, is_card, is_ssn, luhn, mod_97},
    findings::Class,
    ruling::{Ruling, over},
};

/// The longest number of a card.
const MAX_DIGITS: usize = 19;
/// The groups of digits that are printed on cards.
const PRINTED: &[&[usize]] = &[&[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4]];

pub(super) fn iban(text: &str, matched: &Captures<'_>) -> Ruling {
    let start = matched.get_match().start();
    // The letters and digits after a wrong start may hold a right one.
    let over = Ruling::PassOver(start + 1);
    let bytes = &text.as_bytes()[start..matched.get_match().end()];
    let Some(length) = iban_length([bytes[0], bytes[1]]) else { return over };
    let mut compact = Vec::with_capacity(length);
    let mut end = start;
    for (at, byte) in bytes.iter().enumerate().filter(|(_, byte)| **byte != b' ') {
        compact.push(*byte);
        end = start + at + 1;
        if compact.len() == length {
            break;
        }
    }
    let goes_on = text[end..].bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if compact.len() == length && !goes_on && mod_97(&compact) {
        return Ruling::Remove(vec![(start..end, Class::Pii(P::Iban))]);
    }
    over
}

/// Every card number in a run of digits: whole groups of it, of a length and range that issuers use.
pub(super) fn cards(text: &str, matched: &Captures<'_>) -> Ruling {
    let run = matched.get_match();
    let mut groups: Vec<Group> = Vec::new();
    for (at, _) in run.as_str().bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        let at = run.start() + at;
        match groups.last_mut() {
            Some(group) if group.digits.end == at => group.digits.end = at + 1,
            before => {
                let end = before.map(|before| before.digits.end);
                groups.push(Group { digits: at..at + 1, joint: joint(text, end, at) });
            }
        }
    }
    let mut cards = Vec::new();
    let mut first = 0;
    while first < groups.len() {
        let rest = &groups[first..];
        match usual(text, rest).or_else(|| unusual(text, rest)) {
            Some(taken) => {
                let range = rest[0].digits.start..rest[taken - 1].digits.end;
                cards.push((range, Class::Pii(P::CardNumber)));
                first += taken;
            }
            None => first += 1,
        }
    }
    if cards.is_empty() { over(matched) } else { Ruling::Remove(cards) }
}

/// Digits that stand together.
struct Group {
    digits: Range<usize>,
    /// What stands before them.
    joint: Joint,
}

/// What stands between two groups of digits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joint {
    /// Nothing that joins them to others.
    None,
    /// A blank or a hyphen of any kind, as cards have.
    Usual,
    /// What numbers of other kinds have as well.
    Other(u8),
}

/// What stands before a group of digits: behind the end of the one before it in the same run, or before all of them.
fn joint(text: &str, before: Option<usize>, start: usize) -> Joint {
    let bytes = text.as_bytes();
    match before {
        Some(end) => match &bytes[end..start] {
            [other @ (b'.' | b'/' | b'_')] => Joint::Other(*other),
            _ => Joint::Usual,
        },
        // `0.4111111111111111` is a fraction; whatever is between, a run has all digits that are joined.
        None => match &bytes[..start] {
            [.., b'0'..=b'9', b'.'] => Joint::Other(b'.'),
            _ => Joint::None,
        },
    }
}

/// How many of the groups, from the first on, make a card number as most are written.
fn usual(text: &str, groups: &[Group]) -> Option<usize> {
    let fraction = groups[0].joint == Joint::Other(b'.');
    let joined =
        groups.iter().skip(1).take(MAX_DIGITS).take_while(|group| group.joint == Joint::Usual).count();
    if fraction { None } else { card_from(text, &groups[..=joined]) }
}

/// The same with dots and the like between them: in the groups that are printed on cards, where no number goes on.
fn unusual(text: &str, groups: &[Group]) -> Option<usize> {
    let joint = groups.get(1)?.joint;
    let apart = |group: Option<&Group>| group.is_none_or(|group| group.joint != joint);
    if !matches!(joint, Joint::Other(_)) || !apart(groups.first()) {
        return None;
    }
    let is_one = |lengths: &&[usize]| {
        groups.get(..lengths.len()).is_some_and(|card| {
            let digits: Vec<u8> = card.iter().flat_map(|group| text[group.digits.clone()].bytes()).collect();
            card.iter().zip(*lengths).all(|(group, length)| group.digits.len() == *length)
                && card[1..].iter().all(|group| group.joint == joint)
                && apart(groups.get(lengths.len()))
                && is_card(&digits)
        })
    };
    PRINTED.iter().copied().find(is_one).map(<[usize]>::len)
}

/// How many of the groups, from the first on, make a card number.
fn card_from(text: &str, groups: &[Group]) -> Option<usize> {
    let mut digits = Vec::with_capacity(MAX_DIGITS);
    let mut longest = None;
    for (at, group) in groups.iter().enumerate() {
        digits.extend_from_slice(text[group.digits.clone()].as_bytes());
        if digits.len() > MAX_DIGITS {
            break;
        }
        let quartered =
            at == 3 && digits.len() == 16 && groups[..4].iter().all(|group| group.digits.len() == 4);
        if is_card(&digits) || quartered && luhn(&digits) {
            longest = Some(at + 1);
        }
    }
    longest
}

pub(super) fn ssn(text: &str, matched: &Captures<'_>) -> Ruling {
    let found = matched.get_match();
    let digits: Vec<u8> = found.as_str().bytes().filter(u8::is_ascii_digit).collect();
    let joined = |byte: Option<u8>| byte.is_some_and(|byte| matches!(byte, b'-' | b'.' | b'/'));
    let before = text[..found.start()].bytes().next_back();
    let after = text[found.end()..].bytes().next();
    let goes_on = after == Some(b'-') || after == Some(b'/');
    if is_ssn(&digits) && !joined(before) && !goes_on {
        return Ruling::Remove(vec![(found.range(), Class::Pii(P::Ssn))]);
    }
    over(matched)
}
