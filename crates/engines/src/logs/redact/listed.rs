//! Commands that are lists of their words, as `["vault", "login", ".."]`, read as the lines that they are: the items of
//! a list of JSON, and a list that stands in a text, as code and Python write it.

use std::{ops::Range, sync::LazyLock};

use regex::Captures;

use super::{
    commands::{TOOL, command},
    detect::Table,
    findings::{Class, OPENING},
    forms::is_argument,
    lines::LINES,
    ruling::{Judge, Ruling},
    users::{USER, user_and_password},
    values::{FLAG, flag},
};

/// So many words of a list are looked at.
pub(super) const MAX_WORDS: usize = 48;
/// A longer word is no password, and stands for itself as one letter.
const MAX_WORD: usize = 1_024;
/// Stands in a line for what would end a word of it, and is as long.
const FILLER: char = '\u{1}';

/// `['curl', '-u', '..']`, and the arguments of a call: `Command("curl", "-u", "..")`.
pub(super) const LIST: &str = r#"[\[(][ \t\r\n]*\\*["'][A-Za-z0-9_./~+\-]+\\*["'][ \t\r\n]*,"#;

/// What the words of a list say to each other otherwise, and has to be looked for where it is a text.
const OF_TEXTS: &[(&str, Judge)] = &[(FLAG, flag), (TOOL, command), (USER, user_and_password)];

/// What is looked for in each line.
pub(super) static PLACED: LazyLock<Table> = LazyLock::new(|| Table::new(LINES.iter()));
/// What is looked for as well in one that is a text.
pub(super) static TOLD: LazyLock<Table> = LazyLock::new(|| Table::new(OF_TEXTS.iter()));

/// The password in a word of a list.
pub(super) struct Placed {
    /// Which item of the list.
    pub(super) item: usize,
    /// Where in it.
    pub(super) part: Range<usize>,
    pub(super) class: Class,
}

/// The line that the items of a list are.
pub(super) struct Line {
    text: String,
    words: Vec<Range<usize>>,
}

impl Line {
    /// One that begins with the program that the words are told to.
    pub(super) fn behind(program: Option<&str>) -> Self {
        Self { text: program.unwrap_or_default().to_owned(), words: Vec::new() }
    }

    /// Adds a word; `false` if no more are looked at.
    pub(super) fn add(&mut self, word: &str) -> bool {
        if self.words.len() >= MAX_WORDS {
            return false;
        }
        self.text.push(' ');
        let start = self.text.len();
        if word.len() > MAX_WORD {
            self.words.push(start..start);
            self.text.push('x');
        } else {
            fill(&mut self.text, word);
            self.words.push(start..self.text.len());
        }
        true
    }

    /// The passwords in it, in order.
    pub(super) fn passwords(&self) -> Vec<Placed> {
        let mut all = Vec::new();
        for detector in PLACED.of(&self.text) {
            for (part, class) in detector.parts(&self.text) {
                let within = |word: &Range<usize>| word.start <= part.start && part.start < word.end;
                let Some(item) = self.words.iter().position(within) else { continue };
                let word = &self.words[item];
                // What ends a word in a shell ends none here.
                let ends =
                    self.text[part.end..].starts_with(['<', '>', '|', ';', '&', ',', ')', '}', ']', '\\']);
                let whole = ends && !self.text[word.clone()].contains(OPENING);
                let end = if whole { word.end } else { part.end.min(word.end) };
                all.push(Placed { item, part: part.start - word.start..end - word.start, class });
            }
        }
        all.sort_by_key(|placed| (placed.item, placed.part.start));
        all
    }
}

/// A word, with nothing in it that would end it or put it in quotes.
fn fill(line: &mut String, word: &str) {
    for letter in word.chars() {
        if letter.is_whitespace() || matches!(letter, '"' | '\'' | '`') {
            line.extend(std::iter::repeat_n(FILLER, letter.len_utf8()));
        } else {
            line.push(letter);
        }
    }
}

/// The passwords in a list that a text has. Its line is as long as it is, with blanks for what stands between the
/// words.
pub(super) fn written(text: &str, matched: &Captures<'_>) -> Ruling {
    let start = matched.get_match().start();
    let (line, end) = line_at(text, start);
    let mut found: Vec<(Range<usize>, Class)> = PLACED
        .of(&line)
        .chain(TOLD.of(&line))
        .flat_map(|detector| detector.parts(&line))
        .map(|(part, class)| (start + part.start..start + part.end, class))
        .filter(|(part, _)| text.get(part.clone()).is_some_and(is_argument))
        .collect();
    if found.is_empty() {
        return Ruling::PassOver(end);
    }
    found.sort_by_key(|(part, _)| part.start);
    Ruling::Remove(found)
}

/// The line of the list that begins there, and where that ends. A list within it goes on with it, as in
/// `run('curl', ['-u', '..'])`.
fn line_at(text: &str, start: usize) -> (String, usize) {
    let (mut line, mut at, mut words) = (String::new(), start, 0);
    while words < MAX_WORDS {
        let rest = &text[at..];
        let between = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n', ',', '[', '(']).len();
        let slashes = rest[between..].bytes().take_while(|byte| *byte == b'\\').count();
        line.extend(std::iter::repeat_n(' ', between));
        at += between;
        let rest = &rest[between..];
        let quote = rest[slashes..].chars().next().filter(|quote| matches!(quote, '"' | '\''));
        at += if let Some(quote) = quote {
            let inner = &rest[slashes + 1..];
            let ends = |byte: u8| char::from(byte) == quote;
            let Some(length) = inner.bytes().take(MAX_WORD).position(ends) else { break };
            line.extend(std::iter::repeat_n(' ', slashes + 1));
            let word = inner[..length].trim_end_matches('\\');
            fill(&mut line, word);
            line.extend(std::iter::repeat_n(' ', length - word.len() + 1));
            slashes + length + 2
        } else {
            // What a name stands for is not told here, and looks like the next flag.
            let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.$".contains(byte);
            let length = rest.bytes().take_while(is_name).count();
            if length == 0 || !rest[length..].starts_with([',', ' ', '\t', '\r', '\n', ']', ')']) {
                break;
            }
            line.extend(std::iter::repeat_n('-', length));
            length
        };
        words += 1;
    }
    (line, at.max(start + 1))
}
