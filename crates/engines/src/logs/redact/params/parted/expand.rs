//! What a shell puts in the place of a `$`: what a variable is, or would be, and letters by their numbers.

use super::{MAX_BRACES, Reader};

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
        // `${a:-b}` gives what follows where `a` is nothing.
        let (name, default) = name.split_once(":-").map_or((name, None), |(name, value)| (name, Some(value)));
        let known = self.variables.get(name);
        match known.filter(|value| default.is_none() || value.as_deref() != Some("")) {
            // It is not copied where it has no room: a line may ask for it at each of its letters.
            Some(Some(value)) if value.len() > self.room => self.line.unsure = true,
            Some(Some(value)) => {
                let value = value.clone();
                self.put(&value);
            }
            Some(None) => {
                // `a=$(..); $a`
                let is_program = self.command.words.is_empty() && self.is_start();
                self.line.unsure |= is_program && !self.rest.starts_with('/');
                self.word.mark_unknown();
            }
            None if name.is_empty() && default.is_none() => self.word.text.push('$'),
            None => {
                // `r$@m`: nothing stands there.
                let is_nothing = default.is_none() && matches!(name, "@" | "*") && !self.word.text.is_empty();
                self.line.unsure |= is_nothing && self.rest.starts_with(char::is_alphanumeric);
                if let Some(default) = default {
                    self.put(default);
                }
                let is_literal = default.is_some_and(|default| {
                    let of_words =
                        |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+' | ' ');
                    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                    is_name && !name.is_empty() && !default.is_empty() && default.chars().all(of_words)
                });
                if !is_literal {
                    self.word.mark_unknown();
                }
            }
        }
    }

    /// The value of a variable, whose blanks part words if nothing quotes it.
    fn put(&mut self, value: &str) {
        if value.len() > self.room {
            self.line.unsure = true;
            return;
        }
        self.room -= value.len();
        self.word.is_resolved = true;
        for letter in value.chars() {
            if letter.is_whitespace() && !self.is_quoted {
                self.end_word();
                self.word.is_resolved = true;
            } else {
                self.push(letter);
            }
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
