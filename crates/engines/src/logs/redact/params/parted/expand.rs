//! What a shell puts in the place of a `$`: what a variable is, or would be, and letters by their numbers.

use super::super::programs::{SHELLS, program};
use super::{
    MAX_BRACES, Reader,
    variables::{Value, leading_name},
};

impl Reader<'_> {
    pub(super) fn dollar(&mut self) {
        if !self.is_quoted && self.rest.starts_with('\'') {
            self.rest = &self.rest[1..];
            self.ansi();
            return;
        }
        if !self.is_quoted && self.rest.starts_with('"') {
            return;
        }
        if self.rest.starts_with("((")
            && let Some(end) = self.rest[..self.rest.floor_char_boundary(MAX_BRACES)].find("))")
        {
            // It gives a number.
            self.rest = &self.rest[end + 2..];
            self.word.expands = true;
            return;
        }
        if self.take_if("(") {
            self.word.mark_unknown();
            self.open(')');
            return;
        }
        let name = if self.rest.starts_with('{') {
            let longest = self.rest.char_indices().take(MAX_BRACES).find(|(_, c)| *c == '}');
            let Some((end, _)) = longest else {
                self.word.mark_unknown();
                return;
            };
            let (name, behind) = (&self.rest[1..end], &self.rest[end + 1..]);
            self.rest = behind;
            name
        } else {
            let of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let mut end = self.rest.find(|c| !of_a_name(c)).unwrap_or(self.rest.len());
            if end == 0 && self.rest.starts_with(['@', '*', '#', '?', '!', '$', '-']) {
                end = 1;
            }
            let (name, behind) = self.rest.split_at(end);
            self.rest = behind;
            name
        };
        self.asked(name);
    }

    /// What stands for `name`, and for what behind it says what it would be: `${a:-b}` gives `b` where `a` is nothing.
    fn asked(&mut self, asked: &str) {
        let base = leading_name(asked);
        let behind = &asked[base.len()..];
        if behind.starts_with(":=") || behind.starts_with('=') {
            self.variables.doubt(base);
        }
        let (name, default) = match behind.strip_prefix(":-").or_else(|| behind.strip_prefix(":=")) {
            Some(default) => (base, Some(default)),
            None => asked.split_once(":-").map_or((asked, None), |(name, value)| (name, Some(value))),
        };
        self.variables.ask(base, !self.outer.is_empty());
        // `a=$(..); $a`
        let is_program = self.command.words.is_empty() && self.is_start() && !self.rest.starts_with('/');
        self.line.unsure |= is_program && self.variables.is_changed(base, self.given);
        match self.variables.value(name) {
            Value::Known(held) if default.is_none() || !held.text.is_empty() => {
                // It is not copied where it has no room: a line may ask for it at each of its letters.
                if held.text.len() > self.room {
                    self.line.unsure = true;
                    return;
                }
                let held = held.clone();
                let at = held.unknown.map(|at| at + self.word.text.len());
                self.put(&held.text, true);
                self.word.unknown = self.word.unknown.or(at);
            }
            Value::Unknown if default.is_none() => self.word.mark_unknown(),
            _ if name.is_empty() && default.is_none() => self.word.text.push('$'),
            value => {
                let is_free = match value {
                    Value::Known(_) => true,
                    Value::Unknown => false,
                    Value::Outside => self.is_believed(name, default.unwrap_or_default()),
                };
                if !self.line.asked.contains(base) {
                    self.line.asked.insert(base.to_owned());
                }
                // `r$@m`: nothing stands there.
                let is_nothing = default.is_none() && matches!(name, "@" | "*") && !self.word.text.is_empty();
                self.line.unsure |= is_nothing && self.rest.starts_with(char::is_alphanumeric);
                let of_words =
                    |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | ' ');
                match default {
                    Some(default) => {
                        let is_literal = !default.is_empty() && default.chars().all(of_words);
                        self.put(default, is_literal && is_free);
                    }
                    None => self.word.mark_unknown(),
                }
            }
        }
    }

    /// Whether a variable that the line does not set is what stands there for that.
    fn is_believed(&self, name: &str, default: &str) -> bool {
        // Where a shell is meant, it is one.
        let is_shell = matches!(name, "SHELL" | "BASH") && SHELLS.contains(&program(default));
        is_shell || self.variables.is_free(name, self.given)
    }

    /// The value of a variable, whose blanks part words if nothing quotes it. Where it is not sure, it is one that may
    /// be.
    fn put(&mut self, value: &str, is_sure: bool) {
        if value.len() > self.room {
            self.line.unsure = true;
            return;
        }
        self.room -= value.len();
        self.word.is_resolved = true;
        // `-${x:-a}`: which option it is.
        if !is_sure && !self.word.text.is_empty() && self.word.text.bytes().all(|byte| byte == b'-') {
            self.word.mark_unknown();
        }
        for letter in value.chars() {
            if letter.is_whitespace() && !self.is_quoted {
                if !is_sure && !self.is_start() {
                    self.word.mark_unknown();
                }
                self.end_word();
                self.word.is_resolved = true;
            } else {
                self.push(letter);
            }
        }
        if !is_sure {
            self.word.mark_unknown();
        }
    }

    /// `$'\x72\155'`
    fn ansi(&mut self) {
        (self.word.is_quoted, self.word.is_resolved) = (true, true);
        while let Some(letter) = self.next() {
            let letter = match letter {
                '\'' => return,
                '\\' => match self.next() {
                    Some('x') => self.code(16, 2),
                    Some('u') => self.code(16, 4),
                    Some('U') => self.code(16, 8),
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('r') => '\r',
                    Some(digit @ '0'..='7') => self.octal(digit),
                    Some(other) => other,
                    None => return,
                },
                other => other,
            };
            self.word.text.push(letter);
        }
    }

    fn octal(&mut self, first: char) -> char {
        let digits = self.rest.find(|c: char| !matches!(c, '0'..='7')).unwrap_or(self.rest.len()).min(2);
        let (more, behind) = self.rest.split_at(digits);
        self.rest = behind;
        letter_of(&format!("{first}{more}"), 8)
    }

    fn code(&mut self, radix: u32, longest: usize) -> char {
        let digits = self.rest.find(|c: char| !c.is_digit(radix)).unwrap_or(self.rest.len()).min(longest);
        let (digits, behind) = self.rest.split_at(digits);
        self.rest = behind;
        letter_of(digits, radix)
    }
}

fn letter_of(digits: &str, radix: u32) -> char {
    u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}
