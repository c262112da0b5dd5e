//! What stands where a statement awaits a table, and where it may name one.

use super::super::tokens::Token;
use super::{Awaited, MAX_LEVELS, Named, Walk};

/// Words behind which a name cannot stand, nor be one without quotes.
#[rustfmt::skip]
const RESERVED: &[&str] = &[
    "select", "where", "set", "on", "values", "as", "order", "group", "having", "limit", "union", "join", "inner", "left", "right",
    "cross", "natural", "using", "when", "then", "end", "and", "or", "null", "default", "is", "in", "case", "else", "to", "from",
    "into", "table", "insert", "update", "delete", "with", "outfile", "dumpfile", "stdin", "stdout", "by", "cascade",
];
/// Words that may stand before the name that is awaited.
#[rustfmt::skip]
const BEFORE_A_NAME: &[&str] = &[
    "if", "not", "exists", "ignore", "low_priority", "high_priority", "delayed", "quick", "concurrently", "full", "verbose", "freeze",
    "analyze", "overwrite", "extended", "formatted", "tables", "view",
];

impl<'t> Walk<'_, 't> {
    /// `create table y like x`: right behind a name or a bracket, and before a name.
    pub(super) fn is_of_a_copy(&self) -> bool {
        let is_name_next = match self.tokens.get(self.at) {
            Some(Token::Quoted(_)) => true,
            Some(next @ Token::Word(_)) => next.word().is_some_and(|word| !RESERVED.contains(&word.as_str())),
            _ => false,
        };
        self.verb == "create" && self.before.is_empty() && is_name_next
    }

    /// `identifier('a')`, `table(a)`; and no table that is called so, as in `insert into identifier (a)`.
    fn is_around_a_name(&self, word: &str, awaited: Awaited) -> bool {
        let within = self.tokens.get(self.at + 1);
        self.tokens.get(self.at) == Some(&Token::Open)
            && match word {
                "identifier" => matches!(within, Some(Token::Text(_) | Token::Code(_) | Token::Other(_))),
                "table" => awaited == Awaited::Source,
                _ => false,
            }
    }

    /// Whether a text names a table: `'a'::regclass`, `cast('a' as regclass)`, `pg_table_size('a')`.
    pub(super) fn is_of_a_table(&self) -> bool {
        let token = |at: usize| self.tokens.get(at);
        let behind = match token(self.at) {
            Some(Token::Other(':')) if token(self.at + 1) == Some(&Token::Other(':')) => token(self.at + 2),
            Some(word) if word.is("as") => token(self.at + 1),
            _ => None,
        };
        let function = (self.at >= 3 && token(self.at - 2) == Some(&Token::Open))
            .then(|| token(self.at - 3).and_then(Token::word))
            .flatten();
        behind.is_some_and(|word| word.is("regclass"))
            || function.is_some_and(|name| {
                name == "to_regclass" || name.starts_with("pg_") && name.ends_with("_size")
            })
    }

    /// Whether what comes next is a statement that is put together.
    pub(super) fn runs_a_text(&self) -> bool {
        match self.tokens.get(self.at) {
            Some(Token::Text(_) | Token::Code(_) | Token::Open | Token::Other(_)) => true,
            Some(Token::Word(word)) => {
                word.starts_with('@')
                    || ["format", "immediate", "sp_executesql"].iter().any(|w| word.eq_ignore_ascii_case(w))
            }
            _ => false,
        }
    }

    /// Takes what stands where a table is awaited; false where it is to be read as anything else.
    pub(super) fn take(&mut self, token: Token<'_>, named: &mut Named) -> bool {
        let awaited = std::mem::replace(&mut self.awaited, Awaited::Nothing);
        match token {
            Token::Open if awaited == Awaited::Source || self.verb == "copy" => {
                if self.levels.len() >= MAX_LEVELS {
                    named.unsure = true;
                    self.at = self.tokens.len();
                    return true;
                }
                self.open(true);
                self.awaited = awaited;
                true
            }
            Token::Word(_) => {
                let word = token.word().unwrap_or_default();
                let is_name_next = match self.tokens.get(self.at) {
                    Some(Token::Quoted(_)) => true,
                    Some(next @ Token::Word(_)) => {
                        let next = next.word().unwrap_or_default();
                        matches!(next.as_str(), "into" | "from" | "table")
                            || !RESERVED.contains(&next.as_str())
                    }
                    Some(Token::Open) => awaited == Awaited::Source,
                    _ => false,
                };
                let stands_before = matches!(word.as_str(), "only" | "lateral")
                    || awaited == Awaited::Name && BEFORE_A_NAME.contains(&word.as_str());
                if stands_before && is_name_next {
                    self.awaited = awaited;
                    return true;
                }
                if self.is_around_a_name(&word, awaited) && self.levels.len() < MAX_LEVELS {
                    self.at += 1;
                    self.open(false);
                    self.awaited = Awaited::Source;
                    return true;
                }
                if RESERVED.contains(&word.as_str()) {
                    return false;
                }
                let of_rights = matches!(self.verb.as_str(), "grant" | "revoke");
                let other = ["all", "database", "schema", "function", "sequence"].contains(&word.as_str());
                if of_rights && other || word.bytes().all(|byte| byte.is_ascii_digit()) {
                    return true;
                }
                self.name(token, awaited, named);
                true
            }
            Token::Quoted(_) => {
                self.name(token, awaited, named);
                true
            }
            Token::Text(text) => {
                // A file, or a statement.
                let goes_on = matches!(self.tokens.get(self.at), Some(Token::Other('|' | '+')));
                named.unsure |= goes_on || text.contains(char::is_whitespace);
                named.maybe.push(text.to_owned());
                true
            }
            // What a program puts there.
            Token::Other(c) => {
                named.unsure |= c != '*' && c != '=';
                false
            }
            Token::Open | Token::Close | Token::Comma | Token::End | Token::Dot | Token::Code(_) => false,
        }
    }

    /// A name, with whose it is before it: `shop.public.customers`, `dbo..customers`.
    fn name(&mut self, first: Token<'_>, awaited: Awaited, named: &mut Named) {
        let text = |token: Token<'t>| match token {
            Token::Word(text) | Token::Quoted(text) => Some(text),
            _ => None,
        };
        let mut name = match first {
            Token::Word(text) | Token::Quoted(text) => text.to_owned(),
            _ => return,
        };
        let mut parts = 1;
        while self.tokens.get(self.at) == Some(&Token::Dot) {
            self.at += 1;
            if let Some(part) = self.tokens.get(self.at).copied().and_then(text) {
                self.at += 1;
                parts += 1;
                name.push('.');
                name.push_str(part);
            }
        }
        self.before.clear();
        let owned = parts == 1 && {
            let name = name.to_lowercase();
            self.levels.iter().any(|level| level.owns.contains(&name))
        };
        match self.tokens.get(self.at) {
            // `U&"c\0075stomers"`, `my-project.shop.customers`, `sales_{year}`
            Some(Token::Other('&' | '-' | '{' | '%' | '$' | '?' | ':')) => named.unsure = true,
            Some(Token::Open) if awaited == Awaited::Source => {
                named.maybe.push(name);
                return;
            }
            _ => {}
        }
        // `@t` is a variable.
        if !owned && !name.starts_with('@') {
            named.tables.push(name);
        }
    }
}
