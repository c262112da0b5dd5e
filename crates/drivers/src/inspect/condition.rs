//! What a trigger asks before it fires, in one form for the statement that made it and for how Postgres tells it: that
//! sets every part in parentheses, says of each word of ours that it is text, and keeps neither capitals nor spaces.
//!
//! It is no grammar of SQL. Where Postgres tells one of ours in other words, a store that was just made is at fault,
//! and a test says so.

use std::{iter::Peekable, vec::IntoIter};

type Tokens = Peekable<IntoIter<String>>;

/// The condition in that form.
pub(super) fn in_one_form(condition: &str) -> String {
    let mut tokens = tokens(condition).into_iter().peekable();
    let said = any(&mut tokens).text();
    // A parenthesis that nothing opened ends it early.
    std::iter::once(said).chain(tokens).collect::<Vec<_>>().join(" ")
}

/// Words, parentheses and texts in quotes. Only the texts keep their capitals.
fn tokens(condition: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    for (at, piece) in condition.split('\'').enumerate() {
        if at % 2 == 1 {
            tokens.push(format!("'{piece}'"));
            continue;
        }
        let words = piece.replace("::text", "").replace('"', "").replace('(', " ( ").replace(')', " ) ");
        tokens.extend(words.to_lowercase().split_whitespace().map(str::to_owned));
    }
    tokens
}

/// Parts that one word joins, or a single one.
struct Joined {
    by: &'static str,
    parts: Vec<String>,
}

const SPACE: &str = " ";

impl Joined {
    fn of(by: &'static str, mut parts: Vec<Self>) -> Self {
        if parts.len() == 1 {
            return parts.remove(0);
        }
        let mut all = Vec::new();
        for part in parts {
            // `a OR (b OR c)` is as `a OR b OR c`; of other words the parentheses count.
            if part.by == by && by != SPACE { all.extend(part.parts) } else { all.push(part.text()) }
        }
        Self { by, parts: all }
    }

    fn text(self) -> String {
        match self.parts.as_slice() {
            [one] => one.clone(),
            several => format!("({})", several.join(self.by)),
        }
    }
}

fn any(tokens: &mut Tokens) -> Joined {
    joined(tokens, ("or", " or "), all)
}

fn all(tokens: &mut Tokens) -> Joined {
    joined(tokens, ("and", " and "), one)
}

fn joined(tokens: &mut Tokens, (word, by): (&str, &'static str), next: fn(&mut Tokens) -> Joined) -> Joined {
    let mut parts = vec![next(tokens)];
    while tokens.next_if(|token| token.as_str() == word).is_some() {
        parts.push(next(tokens));
    }
    Joined::of(by, parts)
}

/// What stands between the words that join.
fn one(tokens: &mut Tokens) -> Joined {
    let mut words = Vec::new();
    while let Some(token) = tokens.next_if(|token| !["and", "or", ")"].contains(&token.as_str())) {
        if token == "(" {
            words.push(any(tokens));
            tokens.next();
        } else {
            words.push(Joined { by: SPACE, parts: vec![token] });
        }
    }
    Joined::of(SPACE, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "OLD.state = 'DONE' AND ((NEW.a IS DISTINCT FROM OLD.a OR NEW.b IS DISTINCT FROM OLD.b) \
                        OR (NEW.c <> OLD.c AND NEW.c <> 'X or Y'))";

    #[test]
    fn it_is_the_same_as_postgres_tells_it() {
        let told = "(((old.state = 'DONE'::text) AND ((new.a IS DISTINCT FROM old.a) OR \
                    (new.\"b\" IS DISTINCT FROM old.\"b\") OR ((new.c <> old.c) AND (new.c <> 'X or Y'::text)))))";
        assert_eq!(in_one_form(told), in_one_form(OURS));
        let null = in_one_form("OLD.x IS NOT NULL");
        assert_eq!(in_one_form("((old.x IS NOT NULL))"), null);
        assert_eq!(null, "(old.x is not null)");
    }

    #[test]
    fn what_asks_another_thing_is_another() {
        let others = [
            "false",
            "",
            "OLD.state = 'done' AND (NEW.a IS DISTINCT FROM OLD.a OR NEW.b IS DISTINCT FROM OLD.b \
             OR (NEW.c <> OLD.c AND NEW.c <> 'X or Y'))",
            "(OLD.state = 'DONE' AND (NEW.a IS DISTINCT FROM OLD.a OR NEW.b IS DISTINCT FROM OLD.b)) \
             OR (NEW.c <> OLD.c AND NEW.c <> 'X or Y')",
            "OLD.state = 'DONE' AND (NEW.a IS DISTINCT FROM OLD.a OR (NEW.c <> OLD.c AND NEW.c <> 'X or Y'))",
        ];
        for other in others {
            assert_ne!(in_one_form(other), in_one_form(OURS), "{other}");
        }
        let more = format!("{OURS}) AND (false");
        assert_ne!(in_one_form(&more), in_one_form(OURS));
    }
}
