//! Whether a text of which no name says what it is has a sign of what facts are made of: of a line for a shell, of an
//! address, or of a statement. One without is no reason to say that a fact may be missed: `weather in Oslo`,
//! `{{ name }}`.

use crate::logs::redact::roles::{Role, role};

/// Signs wherever they stand.
const ANYWHERE: &[char] = &[
    '/', '\u{ff0f}', '\\', '$', '`', '|', ';', '<', '>', '&', '=', '@', '\u{ff20}', '~', '^', '(', ')', '{',
    '}', '[', ']',
];
/// Signs within a word, and of prose at its end: `h.example`, `h:80`, `%40`.
const WITHIN: &[char] = &['.', ':', '%', '\u{ff0e}'];
/// Dots to whoever looks a host up. Where no blanks part sentences, they stand between letters too, but hardly beside
/// Latin ones.
const STOPS: &[char] = &['\u{3002}', '\u{ff61}'];
/// The first word of a statement, and one behind it.
#[rustfmt::skip]
const STATEMENTS: &[(&str, &str)] = &[
    ("select", "from"), ("delete", "from"), ("copy", "from"), ("insert", "into"), ("merge", "into"), ("replace", "into"),
    ("update", "set"), ("create", "table"), ("alter", "table"), ("drop", "table"), ("truncate", "table"),
];
/// What is divided and has more may be an address.
const MAX_DIGITS: usize = 7;
/// A longer literal is not looked through.
const MAX_LITERAL: usize = 4_096;

/// Whether a text by itself may be more than prose, a word or a sum of numbers.
pub(super) fn has_sign(text: &str) -> bool {
    if is_sum(text) {
        return false;
    }
    text.contains(ANYWHERE)
        || has_sign_within(text)
        || text.split_whitespace().any(|word| is_option(word) || word.eq_ignore_ascii_case("localhost"))
        || is_address_of_digits(text)
        || is_statement(text)
}

/// Between digits they part a number or a time.
fn has_sign_within(text: &str) -> bool {
    let mut before = ' ';
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if let Some(next) = letters.peek().filter(|next| next.is_alphanumeric()) {
            let is_of_digits = before.is_ascii_digit() && next.is_ascii_digit();
            let is_latin = before.is_ascii_alphanumeric() || next.is_ascii_alphanumeric();
            if WITHIN.contains(&letter) && !is_of_digits || STOPS.contains(&letter) && is_latin {
                return true;
            }
        }
        before = letter;
    }
    false
}

/// `2*(3+4)`, `10 / 4`, and no address with a path: `127.1/8`, `2130706433/1`.
fn is_sum(text: &str) -> bool {
    let of_a_sum = |c: char| c.is_ascii_digit() || " +-*/().,^%".contains(c);
    let is_address = |number: &str| number.contains('.') || number.len() > MAX_DIGITS;
    let numbers = || text.split(|c: char| !c.is_ascii_digit() && c != '.');
    text.chars().all(of_a_sum)
        && text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '(' | '-'))
        && text.contains(|c: char| c.is_ascii_digit())
        && !(text.contains('/') && numbers().any(is_address))
        && !is_address_of_digits(text)
}

/// `-rf`, `--all`, but not `-5` or a dash.
fn is_option(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c == '-' || c.is_alphabetic()))
}

/// `127.1`, `10.0.0.1`
fn is_address_of_digits(text: &str) -> bool {
    let is_one = |word: &str, dots: usize| {
        word.bytes().filter(|byte| *byte == b'.').count() >= dots
            && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b':')
    };
    let text = text.trim();
    is_one(text.trim_end_matches('.'), 1)
        || text.split_whitespace().any(|word| is_one(word.trim_end_matches('.'), 2))
}

fn is_statement(text: &str) -> bool {
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let place =
        |words: &[&str], wanted: &str| words.iter().position(|word| word.eq_ignore_ascii_case(wanted));
    STATEMENTS
        .iter()
        .any(|(verb, behind)| place(&words, verb).is_some_and(|at| place(&words[at..], behind).is_some()))
}

/// Whether another parser than ours can find no fact in a text that looks like JSON and is none: no name in it says
/// what a value is, and no URL can be in it.
pub(super) fn is_plain_literal(text: &str, role_of_all: Option<Role>) -> bool {
    let may_be_any = match role_of_all {
        None | Some(Role::Beside | Role::Person | Role::Data | Role::Code) => true,
        // A list of those is a line.
        Some(Role::Arguments | Role::Query) => text.starts_with('{'),
        Some(_) => false,
    };
    may_be_any
        && text.len() <= MAX_LITERAL
        && !text.contains(['/', '\\', '%', '@'])
        && !is_statement(text)
        && text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').all(says_no_fact)
}

/// What may be an address, a mail or code is none without a sign of it.
fn says_no_fact(word: &str) -> bool {
    matches!(role(word), None | Some(Role::Person | Role::Data | Role::Code))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::facts;

    /// Most tools of one parameter are called so, and a rule on `facts_cut` must not stop them.
    #[test]
    fn a_text_without_a_sign_of_any_fact_is_free() {
        for text in [
            "Oslo",
            "hello",
            "weather in Oslo, Norway",
            "What's the time in Rome?",
            "2+2",
            "3.5 * 2",
            "2*(3+4) - 1.5",
            "10/4",
            "2^8",
            "\u{4f60}\u{597d}\u{3002}\u{518d}\u{89c1}\u{3002}",
            "meet at 12:30.",
            "-5 degrees - or less",
            "50% off, 2026-11-28",
            "the book \"Dune\"",
            "Note: buy milk. And bread!",
            "Zürich",
            "update me on Oslo",
            "first line\nsecond line",
        ] {
            for params in [
                json!(text),
                json!({ "input": text }),
                json!({ "__arg1": text }),
                json!({ "tool_input": text }),
                json!({ "input": [text] }),
                json!({ "input": json!({ "input": text }).to_string() }),
            ] {
                let facts = facts(&params);
                assert!(!facts.facts_cut && !facts.commands.is_empty(), "{params}: {facts:?}");
            }
        }
    }

    #[test]
    fn a_text_with_a_sign_of_one_is_not() {
        for text in [
            "rm -rf x",
            "ls /",
            "a; b",
            "x | y",
            "$x y",
            "x > y",
            "(x)",
            "a=b",
            "`x`",
            "h.example",
            "h\u{3002}example",
            "h:80",
            "::1",
            "bob@h",
            "bob%40h",
            "localhost",
            "127.1",
            "127.1/8",
            "2130706433/1",
            "/1",
            "ping 10.0.0.1",
            "select a from b",
            "DROP TABLE b",
            "update a set b",
        ] {
            for params in [json!(text), json!({ "input": text }), json!({ "__arg1": text })] {
                assert!(facts(&params).facts_cut, "{params}");
            }
        }
    }

    #[test]
    fn a_literal_that_names_no_fact_is_free() {
        for params in [
            json!({"template": "{{ name }}"}),
            json!({"css": "{ color: red }"}),
            json!({"query": "{ user(id: 1) { name } }"}),
            json!({"list": "['a', 'b']"}),
            json!({"json": "{a:1}"}),
            json!({"python": "{'a': True}"}),
            json!({"text": "{\"a\": 1"}),
            json!({"arguments": "{'a':1}"}),
            json!({"input": "{'a': True}"}),
            json!({"input": "['a', 'b']"}),
            json!({"code": "{'a': 1}"}),
            json!({"data": "{members: ['a'], code: 1}"}),
        ] {
            assert!(!facts(&params).facts_cut, "{params}");
        }
        for params in [
            json!({"text": "{'command': 'reboot'}"}),
            json!({"text": "{'target_host': 'evil'"}),
            json!({"text": "{{ table }}"}),
            json!({"text": "{'a': 'https://h'"}),
            json!({"text": "{'\\u0063ommand': 'reboot'}"}),
            json!({"input": "['rm', '-rf', '/']"}),
            json!({"command": "shutdown", "arguments": "['now']"}),
            json!({"query": "{'a': 'drop table b'}"}),
            json!({"to": "{'a': 'b'}"}),
            json!({"command": "{'a': 'b'}"}),
        ] {
            assert!(facts(&params).facts_cut, "{params}");
        }
    }
}
