//! A line, letter by letter: its words without their quotes, with what can be known put in the place of variables.

use std::collections::BTreeSet;

use super::flagged::is_reaching;

mod braces;
mod expand;
mod line;
mod variables;

pub(super) use line::{Command, Given, Line, Word};
pub(super) use variables::is_name;
use variables::{List, Place, Variables};

/// How deep what a shell runs within a line is read.
const MAX_OPEN: usize = 32;
/// How far the end of `${..}` or `{..}` is looked for.
const MAX_BRACES: usize = 256;
/// How much is put in the place of variables and of braces.
const MAX_PUT: usize = 16_384;

/// Words behind which a command begins.
const BEFORE: &[&str] = &["then", "do", "else", "if", "elif", "while", "until", "!", "{", "time"];

/// The commands of a line, which is run where `given` variables are set.
pub(super) fn parted(text: &str, given: &Given<'_>) -> Line {
    let (line, variables) = Reader::new(text, given, BTreeSet::new()).read();
    let (mut line, variables) = if variables.doubted().is_empty() {
        (line, variables)
    } else {
        // What may change one may stand behind where it is asked for.
        Reader::new(text, given, variables.doubted().clone()).read()
    };
    line.sets = variables.given();
    line
}

/// Where a reader was when something opened in its line.
struct Outer {
    closes: char,
    command: Command,
    word: Word,
    /// It opened between quotes.
    is_quoted: bool,
    list: List,
}

struct Reader<'t> {
    rest: &'t str,
    command: Command,
    word: Word,
    outer: Vec<Outer>,
    /// Between quotes of two strokes.
    is_quoted: bool,
    /// The next word is where something is read from or written to.
    redirects: bool,
    /// What ends the texts that are in the next lines.
    heredocs: Vec<String>,
    /// The next word ends such a text.
    is_heredoc: bool,
    variables: Variables,
    given: &'t Given<'t>,
    /// How the list has gone on that is read.
    list: List,
    /// How much of them is still put in their place.
    room: usize,
    line: Line,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, given: &'t Given<'t>, doubted: BTreeSet<String>) -> Self {
        Self {
            rest: text,
            command: Command::default(),
            word: Word::default(),
            outer: Vec::new(),
            is_quoted: false,
            redirects: false,
            heredocs: Vec::new(),
            is_heredoc: false,
            variables: Variables::new(doubted),
            given,
            list: List::First,
            room: MAX_PUT,
            line: Line::default(),
        }
    }

    fn next(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        Some(next)
    }

    fn take_if(&mut self, wanted: &str) -> bool {
        let behind = self.rest.strip_prefix(wanted);
        self.rest = behind.unwrap_or(self.rest);
        behind.is_some()
    }

    fn read(mut self) -> (Line, Variables) {
        while let Some(letter) = self.next() {
            match letter {
                '\\' => self.escaped(),
                '"' => {
                    self.is_quoted = !self.is_quoted;
                    self.word.is_quoted = true;
                }
                '$' => self.dollar(),
                '`' if self.outer.last().is_some_and(|outer| outer.closes == '`') => self.close(),
                '`' => {
                    self.word.mark_unknown();
                    self.open('`');
                }
                _ if self.is_quoted => self.push(letter),
                '\'' => {
                    let end = self.rest.find('\'').unwrap_or(self.rest.len());
                    self.word.text.push_str(&self.rest[..end]);
                    self.word.is_quoted = true;
                    self.rest = self.rest.get(end + 1..).unwrap_or_default();
                }
                '(' if self.is_function() => {}
                '(' => {
                    if self.word.equals.is_some_and(|at| at + 1 == self.word.text.len()) {
                        // `a=(x y)`
                        self.word.mark_unknown();
                    }
                    self.open(')');
                }
                ')' if self.outer.last().is_some_and(|outer| outer.closes == ')') => self.close(),
                ')' | ';' => {
                    self.end_list();
                    self.command.is_piped = false;
                }
                '|' => {
                    let is_or = self.take_if("|");
                    self.end_command(!is_or);
                    if is_or {
                        self.variables.end_list();
                        self.list = List::Or;
                    } else {
                        self.take_if("&");
                    }
                    self.command.is_piped = !is_or;
                }
                '&' if self.take_if(">") => {
                    self.end_word();
                    self.redirects = true;
                }
                '&' if self.take_if("&") => {
                    self.end_command(false);
                    if self.list == List::First {
                        self.list = List::And;
                    }
                }
                '&' => {
                    self.end_command(true);
                    self.end_list();
                }
                '<' | '>' => self.redirect(letter),
                '\n' => {
                    // Behind `&&` a list goes on in the next line.
                    if self.is_start() && self.command.words.is_empty() && self.command.settings.is_empty() {
                        self.end_command(false);
                    } else {
                        self.end_list();
                    }
                    self.pass_over_texts();
                }
                '#' if self.is_start() => {
                    self.rest = &self.rest[self.rest.find('\n').unwrap_or(self.rest.len())..];
                }
                '{' => self.brace(),
                '=' => {
                    let word = &mut self.word;
                    if !word.is_quoted && !word.is_resolved && word.unknown.is_none() {
                        word.equals.get_or_insert(word.text.len());
                    }
                    self.push('=');
                }
                letter if letter.is_whitespace() => self.end_word(),
                letter => self.push(letter),
            }
        }
        while !self.outer.is_empty() {
            self.close();
        }
        self.end_list();
        (self.line, self.variables)
    }

    /// `f()`, behind which stands what runs where it is called.
    fn is_function(&mut self) -> bool {
        let of_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | ':' | '.');
        let name = &self.word.text;
        let is_name = !name.is_empty() && name.chars().all(of_a_name) && !self.word.is_quoted;
        let Some(behind) = self.rest.trim_start_matches([' ', '\t']).strip_prefix(')') else { return false };
        let is_function = is_name && self.command.words.is_empty();
        if is_function {
            self.rest = behind;
            self.word = Word::default();
        }
        is_function
    }

    fn is_start(&self) -> bool {
        let word = &self.word;
        word.text.is_empty() && !word.is_quoted && !word.expands && word.choices.is_empty()
    }

    fn push(&mut self, letter: char) {
        if letter == '/' {
            self.word.expands = false;
        }
        self.word.text.push(letter);
    }

    fn escaped(&mut self) {
        if self.take_if("\r\n") || self.take_if("\n") {
            // A word goes on in the next line.
            self.word.is_resolved |= !self.is_start() && !self.rest.starts_with(char::is_whitespace);
            return;
        }
        if self.is_quoted && !self.rest.starts_with(['"', '\\', '$', '`']) {
            self.word.text.push('\\');
        } else if let Some(letter) = self.next() {
            self.word.text.push(letter);
        }
    }

    /// A command within the line.
    fn open(&mut self, closes: char) {
        if self.outer.len() >= MAX_OPEN {
            self.line.unsure = true;
            self.end_command(true);
            return;
        }
        let command = std::mem::take(&mut self.command);
        let word = std::mem::take(&mut self.word);
        self.outer.push(Outer { closes, command, word, is_quoted: self.is_quoted, list: self.list });
        self.is_quoted = false;
        self.list = List::First;
    }

    fn close(&mut self) {
        self.end_command(true);
        if let Some(outer) = self.outer.pop() {
            self.command = outer.command;
            self.word = outer.word;
            self.is_quoted = outer.is_quoted;
            self.list = outer.list;
        }
    }

    fn redirect(&mut self, sign: char) {
        // `2>` names no word.
        if self.word.choices.is_empty() && self.word.text.bytes().all(|byte| byte.is_ascii_digit()) {
            self.word = Word::default();
        }
        self.end_word();
        if self.take_if("(") {
            self.open(')');
        } else if sign == '<' && self.rest.starts_with('<') && !self.rest.starts_with("<<") {
            self.rest = &self.rest[1..];
            self.take_if("-");
            self.is_heredoc = true;
        } else {
            self.rest = self.rest.trim_start_matches(['<', '>', '&', '|']);
            self.redirects = true;
        }
    }

    fn end_word(&mut self) {
        if self.is_start() {
            return;
        }
        let word = std::mem::take(&mut self.word);
        if std::mem::take(&mut self.is_heredoc) {
            self.heredocs.push(word.text);
            return;
        }
        if std::mem::take(&mut self.redirects) {
            return;
        }
        if let Some(setting) = self.variables.setting(&self.command, &word) {
            if let Some((_, value)) = setting.known().filter(|(name, _)| is_reaching(name)) {
                self.line.proxies.push(value.to_owned());
            }
            self.command.settings.push(setting);
            return;
        }
        if self.command.words.is_empty() && !word.is_quoted {
            self.variables.keyword(&word.text);
            if BEFORE.contains(&word.text.as_str()) {
                return;
            }
        }
        if word.text == "{" && self.command.words.first().is_some_and(|first| first.text == "function") {
            self.variables.keyword("{");
            self.end_command(false);
            return;
        }
        if word.choices.is_empty() {
            self.command.words.push(word);
            return;
        }
        let Some(chosen) = word.chosen(self.room) else {
            self.line.unsure = true;
            self.command.words.push(word);
            return;
        };
        self.room = self.room.saturating_sub(chosen.iter().map(String::len).sum());
        for text in chosen.into_iter().filter(|text| !text.is_empty()) {
            let unknown = word.unknown.map(|at| text.floor_char_boundary(at));
            let (is_quoted, expands) = (word.is_quoted, word.expands);
            self.command.words.push(Word {
                text,
                is_quoted,
                expands,
                is_resolved: true,
                unknown,
                equals: None,
                choices: Vec::new(),
            });
        }
    }

    /// A command has come to its end; one that `is_apart` runs in a shell of its own.
    fn end_command(&mut self, is_apart: bool) {
        self.end_word();
        (self.redirects, self.is_heredoc) = (false, false);
        let is_apart = is_apart || self.command.is_piped || !self.outer.is_empty();
        self.variables.settle(&mut self.command, Place { list: self.list, is_apart });
        if !self.command.words.is_empty() {
            self.line.commands.push(std::mem::take(&mut self.command));
        }
    }

    fn end_list(&mut self) {
        self.end_command(false);
        self.variables.end_list();
        self.list = List::First;
    }

    /// The texts that stand in the next lines are no commands.
    fn pass_over_texts(&mut self) {
        for end in std::mem::take(&mut self.heredocs) {
            while !self.rest.is_empty() {
                let (line, behind) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
                self.rest = behind;
                if line.trim() == end {
                    break;
                }
            }
        }
    }
}
