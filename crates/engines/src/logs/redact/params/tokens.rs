//! A text of SQL, word by word.

/// Longer names than this are none.
const MAX_BRACKETS: usize = 128;
/// So many quotes of PostgreSQL's dollars that nobody closes are looked for.
const MAX_UNCLOSED: usize = 16;

/// How comments and strings are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Standard,
    MySql,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'t> {
    Word(&'t str),
    /// A name in quotes, which to MySQL may be a string.
    Quoted(&'t str),
    Text(&'t str),
    /// A string between dollars, which is mostly code.
    Code(&'t str),
    Open,
    Close,
    Comma,
    Dot,
    End,
    Other(char),
}

impl Token<'_> {
    pub(super) fn is(&self, word: &str) -> bool {
        matches!(self, Token::Word(this) if this.eq_ignore_ascii_case(word))
    }

    /// A word without quotes, in lower case.
    pub(super) fn word(&self) -> Option<String> {
        match self {
            Token::Word(word) => Some(word.to_ascii_lowercase()),
            _ => None,
        }
    }
}

/// The words of a text, and whether something in it may hide others.
pub(super) fn tokens(text: &str, dialect: Dialect) -> (Vec<Token<'_>>, bool) {
    let mut reader = Reader { text, at: 0, dialect, unclosed: 0, unsure: false };
    let mut all = Vec::new();
    while let Some(token) = reader.next() {
        all.push(token);
    }
    (all, reader.unsure)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    dialect: Dialect,
    unclosed: usize,
    unsure: bool,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn next(&mut self) -> Option<Token<'t>> {
        self.pass_over();
        let rest = self.rest();
        let first = rest.chars().next()?;
        if is_of_a_word(first) {
            let is_my_comment = |c: char| c == '#' && self.dialect == Dialect::MySql;
            let end = rest.find(|c| !is_of_a_word(c) && c != '$' || is_my_comment(c)).unwrap_or(rest.len());
            // MySQL's comment may begin with the word.
            let end = end.max(first.len_utf8());
            self.at += end;
            let word = &rest[..end];
            let marks =
                ["e", "n", "b", "x", "r", "br", "rb"].iter().any(|mark| word.eq_ignore_ascii_case(mark));
            if marks && self.rest().starts_with('\'') {
                let escapes = word.eq_ignore_ascii_case("e") || self.dialect == Dialect::MySql;
                return Some(Token::Text(self.quoted('\'', escapes)));
            }
            return Some(Token::Word(word));
        }
        let is_mysql = self.dialect == Dialect::MySql;
        match first {
            '\'' => return Some(Token::Text(self.quoted('\'', is_mysql))),
            '"' => return Some(Token::Quoted(self.quoted('"', is_mysql))),
            '`' => return Some(Token::Quoted(self.quoted('`', false))),
            '[' => {
                if let Some(name) = self.bracketed() {
                    return Some(Token::Quoted(name));
                }
            }
            '$' if !is_mysql => {
                if let Some(code) = self.between_dollars() {
                    return Some(Token::Code(code));
                }
            }
            _ => {}
        }
        self.at += first.len_utf8();
        Some(match first {
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            '.' => Token::Dot,
            ';' => Token::End,
            other => Token::Other(other),
        })
    }

    /// Passes over blanks and comments.
    fn pass_over(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed =
                rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\0' || c == '\u{feff}');
            self.at += rest.len() - trimmed.len();
            let is_mysql = self.dialect == Dialect::MySql;
            let dashes = trimmed
                .strip_prefix("--")
                .is_some_and(|behind| !is_mysql || behind.chars().next().is_none_or(char::is_whitespace));
            if dashes || is_mysql && trimmed.starts_with('#') {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if is_mysql && (trimmed.starts_with("/*!") || trimmed.starts_with("*/")) {
                // MySQL runs what stands in it.
                let marks = |c: char| c.is_ascii_digit() || matches!(c, '/' | '*' | '!');
                self.at += trimmed.len() - trimmed.trim_start_matches(marks).len();
            } else if trimmed.starts_with("/*") {
                self.at += comment(trimmed, !is_mysql);
            } else {
                return;
            }
        }
    }

    /// What stands between two quotes; two of them in it are one.
    fn quoted(&mut self, quote: char, escapes: bool) -> &'t str {
        let rest = &self.rest()[quote.len_utf8()..];
        let mut end = rest.len();
        let mut letters = rest.char_indices().peekable();
        while let Some((at, letter)) = letters.next() {
            if letter == '\\' && escapes {
                letters.next();
            } else if letter == quote {
                if letters.peek().is_some_and(|(_, next)| *next == quote) {
                    letters.next();
                } else {
                    end = at;
                    break;
                }
            }
        }
        self.at += (quote.len_utf8() + end + quote.len_utf8()).min(self.text.len() - self.at);
        &rest[..end]
    }

    /// A name in brackets; others are places in a list.
    fn bracketed(&mut self) -> Option<&'t str> {
        let rest = &self.rest()[1..];
        let end = rest.char_indices().take(MAX_BRACKETS).find(|(_, c)| *c == ']')?.0;
        let name = &rest[..end];
        let of_a_name = |c: char| is_of_a_word(c) || matches!(c, ' ' | '.' | '-' | '$');
        let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '#');
        if is_name && name.chars().all(of_a_name) {
            self.at += end + 2;
            return Some(name);
        }
        // `[a']`: to some a name in which a quote stands.
        self.unsure |= name.matches('\'').count() % 2 == 1;
        None
    }

    /// `$$ .. $$`, `$body$ .. $body$`
    fn between_dollars(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let tag = rest[1..].find(|c: char| !(c.is_alphanumeric() || c == '_'))? + 2;
        let is_tag = rest.as_bytes().get(tag - 1) == Some(&b'$')
            && !rest[1..].starts_with(|c: char| c.is_ascii_digit());
        if !is_tag || self.unclosed >= MAX_UNCLOSED {
            self.unsure |= is_tag;
            return None;
        }
        let (tag, behind) = rest.split_at(tag);
        let Some(end) = behind.find(tag) else {
            self.unclosed += 1;
            return None;
        };
        self.at += 2 * tag.len() + end;
        Some(&behind[..end])
    }
}

fn is_of_a_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '@' | '#')
}

/// How long a comment is; others may stand in it.
fn comment(text: &str, nests: bool) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut open) = (2, 1);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"*/") {
            open -= 1;
            at += 2;
            if open == 0 {
                return at;
            }
        } else if nests && bytes[at..].starts_with(b"/*") {
            open += 1;
            at += 2;
        } else {
            at += 1;
        }
    }
    bytes.len()
}
