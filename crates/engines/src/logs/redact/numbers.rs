//! Numbers in plain text that are personal: of accounts, of cards, of persons.

use std::ops::Range;

use regex::Captures;
use rules::facts::PiiClass as P;

use super::{
    checks::{iban_length, is_card, is_ssn, luhn, mod_97},
    findings::Class,
    ruling::{Ruling, over},
};

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
    let before = &text.as_bytes()[..run.start()];
    let fraction = before.last() == Some(&b'.') && before.iter().rev().nth(1).is_some_and(u8::is_ascii_digit);
    if fraction {
        return over(matched);
    }
    let mut groups: Vec<Range<usize>> = Vec::new();
    for (at, _) in run.as_str().bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        let at = run.start() + at;
        match groups.last_mut() {
            Some(group) if group.end == at => group.end = at + 1,
            _ => groups.push(at..at + 1),
        }
    }
    let mut cards = Vec::new();
    let mut first = 0;
    while first < groups.len() {
        match card_from(text, &groups[first..]) {
            Some(taken) => {
                cards.push((groups[first].start..groups[first + taken - 1].end, Class::Pii(P::CardNumber)));
                first += taken;
            }
            None => first += 1,
        }
    }
    if cards.is_empty() { over(matched) } else { Ruling::Remove(cards) }
}

/// How many of the groups, from the first on, make a card number.
fn card_from(text: &str, groups: &[Range<usize>]) -> Option<usize> {
    let mut digits = Vec::with_capacity(19);
    let mut longest = None;
    for (at, group) in groups.iter().enumerate() {
        digits.extend_from_slice(text[group.clone()].as_bytes());
        if digits.len() > 19 {
            break;
        }
        let quartered = at == 3 && digits.len() == 16 && groups[..4].iter().all(|group| group.len() == 4);
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
