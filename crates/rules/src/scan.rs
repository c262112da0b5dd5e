//! Bounds on a condition's text, before a parser sees it: nothing that a caller writes may exhaust the stack.
//!
//! Cedar parses, checks and evaluates by recursion. These bounds keep the tree shallow enough for the smallest
//! thread that evaluates, so evaluation never meets a stack limit, and so never depends on who evaluates.

/// The longest condition, in bytes.
pub(crate) const MAX_BYTES: usize = 8_192;
const MAX_NESTING: usize = 24;
const MAX_OPERATORS: usize = 100;
const MAX_MEMBERS: usize = 32;

/// What a condition has too much of, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMuch {
    pub offset: usize,
    pub message: String,
}

/// One token, as far as bounds and places need it. Strings and comments hold none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    Word(&'a str),
    Mark(char),
}

/// The tokens of a condition with their offsets. What is no Cedar gives tokens all the same.
pub(crate) fn tokens(text: &str) -> impl Iterator<Item = (usize, Token<'_>)> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        loop {
            let tail = text.get(rest..)?;
            let first = tail.chars().next()?;
            let at = rest;
            if first == '"' {
                rest += string_end(tail);
            } else if tail.starts_with("//") {
                rest += tail.find('\n').unwrap_or(tail.len());
            } else if first.is_ascii_alphanumeric() || first == '_' {
                let word =
                    tail.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(tail.len());
                rest += word;
                return Some((at, Token::Word(&tail[..word])));
            } else {
                rest += first.len_utf8();
                if !first.is_whitespace() {
                    return Some((at, Token::Mark(first)));
                }
            }
        }
    })
}

/// Bytes of the string literal at the start of the text, closing quote included.
fn string_end(tail: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in tail.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    tail.len()
}

/// Refuses what would make a tree too deep.
pub(crate) fn check(text: &str) -> Result<(), TooMuch> {
    if text.len() > MAX_BYTES {
        return Err(TooMuch { offset: 0, message: format!("a condition has at most {MAX_BYTES} bytes") });
    }
    let (mut nesting, mut operators, mut members) = (0_usize, 0_usize, 0_usize);
    let mut doubled = None;
    for (offset, token) in tokens(text) {
        // `&&` and `||` are one operator of two marks.
        let second = doubled.take() == Some((offset, token));
        if matches!(token, Token::Mark('&' | '|')) && !second {
            doubled = Some((offset + 1, token));
        }
        match token {
            _ if second => {}
            Token::Mark('(' | '{') => nesting += 1,
            Token::Mark('[') => {
                nesting += 1;
                members += 1;
            }
            Token::Mark(')' | ']' | '}') => nesting = nesting.saturating_sub(1),
            Token::Mark('.') => members += 1,
            Token::Mark('&' | '|' | '+' | '-' | '*' | '!') | Token::Word("if") => {
                operators += 1;
                members = 0;
            }
            Token::Mark(',' | '=' | '<' | '>' | ':')
            | Token::Word("has" | "in" | "is" | "like" | "then" | "else") => {
                members = 0;
            }
            Token::Word(_) | Token::Mark(_) => {}
        }
        let message = if nesting > MAX_NESTING {
            format!("brackets are nested at most {MAX_NESTING} deep")
        } else if operators > MAX_OPERATORS {
            "too many operators: use a list with .contains(..), or several rules".to_owned()
        } else if members > MAX_MEMBERS {
            "too long a chain of members: a fact is written like context.step.kind".to_owned()
        } else {
            continue;
        };
        return Err(TooMuch { offset, message });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_comments_hold_no_tokens() {
        let text = "a.b == \"((\\\"((\" // ((((\n && c";
        let words: Vec<_> = tokens(text).filter(|(_, token)| matches!(token, Token::Word(_))).collect();
        assert_eq!(words, [(0, Token::Word("a")), (2, Token::Word("b")), (text.len() - 1, Token::Word("c"))]);
        assert_eq!(check(text), Ok(()));
    }

    #[test]
    fn depth_is_bounded_in_each_way_it_can_grow() {
        for text in [
            "(".repeat(25),
            "[".repeat(25),
            "!".repeat(101),
            format!("1{}", "+1".repeat(300)),
            format!("a{}", ".a".repeat(40)),
            format!("true{}", "&&true".repeat(101)),
            "if true then ".repeat(101),
            " ".repeat(MAX_BYTES + 1),
        ] {
            assert!(check(&text).is_err(), "{}", &text[..20]);
        }
        assert_eq!(check(&format!("true{}", " && context.step.skill == \"x\"".repeat(100))), Ok(()));
        assert_eq!(check("context.step.hosts.contains(context.step.url_host)"), Ok(()));
    }
}
