//! A line, letter by letter: its words without their quotes, with what can be known put in the place of variables.

use std::collections::BTreeMap;

use super::flagged::is_reaching;

mod braces;
mod expand;

/// How deep what a shell runs within a line is read.
const MAX_OPEN: usize = 32;
/// How far the end of `${..}` or `{..}` is looked for.
const MAX_BRACES: usize = 256;
/// How much is put in the place of variables and of braces.
const MAX_PUT: usize = 16_384;

/// Words behind which a command begins.
const BEFORE: &[&str] = &["then", "do", "else", "if", "elif", "while", "until", "!", "{", "time"];

/// What a line runs.
#[derive(Debug, Default)]
pub(super) struct Line {
    pub(super) commands: Vec<Command>,
    /// Through what its programs are told to reach others: `http_proxy=h.example:80`.
    pub(super) proxies: Vec<String>,
    /// What runs cannot be known.
    pub(super) unsure: bool,
}

/// One program, with what it gets.
#[derive(Debug, Default)]
pub(super) struct Command {
    pub(super) words: Vec<Word>,
    /// What another program writes is what it reads.
    pub(super) is_piped: bool,
}

#[derive(Debug, Default)]
pub(super) struct Word {
    pub(super) text: String,
    /// There are quotes in it, so that it may be empty or have blanks.
    pub(super) is_quoted: bool,
    /// Something in it is known to the shell alone, since its last slash.
    pub(super) expands: bool,
    /// It is not written as it is read here, and not by its quotes alone.
    pub(super) is_resolved: bool,
    /// Where the first of it stands that is known to the shell alone.
    pub(super) unknown: Option<usize>,
    /// What stands between braces, `{a,b}`, and where.
    choices: Vec<(usize, Vec<String>)>,
}

impl Word {
    fn mark_unknown(&mut self) {
        self.expands = true;
        self.unknown.get_or_insert(self.text.len());
    }
}

/// The commands of a line.
pub(super) fn parted(text: &str) -> Line {
    Reader::new(text).read()
}

/// Where a reader was when something opened in its line.
struct Outer {
    closes: char,
    command: Command,
    word: Word,
    /// It opened between quotes.
    is_quoted: bool,
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
    /// What the line itself sets; to nothing where that is not known.
    variables: BTreeMap<String, Option<String>>,
    /// How much of them is still put in their place.
    room: usize,
    line: Line,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        Self {
            rest: text,
            command: Command::default(),
            word: Word::default(),
            outer: Vec::new(),
            is_quoted: false,
            redirects: false,
            heredocs: Vec::new(),
            is_heredoc: false,
            variables: BTreeMap::from([("IFS".to_owned(), Some(" ".to_owned()))]),
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

    fn read(mut self) -> Line {
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
                '(' => self.open(')'),
                ')' if self.outer.last().is_some_and(|outer| outer.closes == ')') => self.close(),
                ')' | ';' => {
                    self.end_command();
                    self.command.is_piped = false;
                }
                '|' => {
                    self.end_command();
                    self.take_if("&");
                    self.command.is_piped = !self.take_if("|");
                }
                '&' if !self.take_if(">") => self.end_command(),
                '&' => {
                    self.end_word();
                    self.redirects = true;
                }
                '<' | '>' => self.redirect(letter),
                '\n' => {
                    self.end_command();
                    self.pass_over_texts();
                }
                '#' if self.is_start() => {
                    self.rest = &self.rest[self.rest.find('\n').unwrap_or(self.rest.len())..];
                }
                '{' => self.brace(),
                letter if letter.is_whitespace() => self.end_word(),
                letter => self.push(letter),
            }
        }
        while !self.outer.is_empty() {
            self.close();
        }
        self.end_command();
        self.line
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
            self.end_command();
            return;
        }
        let command = std::mem::take(&mut self.command);
        let word = std::mem::take(&mut self.word);
        self.outer.push(Outer { closes, command, word, is_quoted: self.is_quoted });
        self.is_quoted = false;
    }

    fn close(&mut self) {
        self.end_command();
        if let Some(outer) = self.outer.pop() {
            self.command = outer.command;
            self.word = outer.word;
            self.is_quoted = outer.is_quoted;
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
        let sets = self.command.words.first().is_none_or(|first| {
            ["export", "declare", "local", "readonly", "typeset"].contains(&first.text.as_str())
        });
        if sets && let Some((name, value)) = word.text.split_once('=') {
            let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if is_name {
                let is_known = !word.expands && word.choices.is_empty();
                if is_known && is_reaching(name) {
                    self.line.proxies.push(value.to_owned());
                }
                let value = is_known.then(|| value.to_owned());
                self.variables.insert(name.to_owned(), value);
                return;
            }
        }
        if self.command.words.is_empty() && !word.is_quoted && BEFORE.contains(&word.text.as_str()) {
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
                choices: Vec::new(),
            });
        }
    }

    fn end_command(&mut self) {
        self.end_word();
        (self.redirects, self.is_heredoc) = (false, false);
        if !self.command.words.is_empty() {
            self.line.commands.push(std::mem::take(&mut self.command));
        }
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
