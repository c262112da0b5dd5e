//! What was to be JSON and is none, read as far as it can be: cut off at a limit, with half a character in it, nested
//! too deep, or as Python writes it. A rule is to see the command in it; that it may not see all is said beside.

use std::borrow::Cow;

use super::{json::MAX_DEPTH, tree::Node};

/// Reads whatever there is, in one pass.
pub(super) fn read(text: &str, depth: usize) -> Node<'_> {
    Reader { text, at: 0 }.value(depth)
}

/// Whether a text that is no JSON was to be some: another parser may make more of it.
pub(super) fn meant_as_json(text: &str) -> bool {
    let inside = text.get(1..).unwrap_or_default().trim_start();
    match text.as_bytes().first() {
        Some(b'{') => inside.starts_with(['"', '\'', '{', '}']) || inside.contains(':'),
        Some(b'[') => inside.starts_with(['"', '\'', '{', '[']),
        _ => false,
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// The next character that is not blank.
    fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        self.rest().chars().next()
    }

    fn take_if(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += if there { wanted.len_utf8() } else { 0 };
        there
    }

    fn value(&mut self, depth: usize) -> Node<'t> {
        match self.peek() {
            Some('{' | '[') if depth >= MAX_DEPTH => {
                self.pass_over();
                Node::Scalar("null")
            }
            Some('{') => self.object(depth),
            Some('[') => self.list(depth),
            Some(quote @ ('"' | '\'')) => Node::Text(self.string(quote)),
            _ => Node::Scalar(self.word()),
        }
    }

    fn object(&mut self, depth: usize) -> Node<'t> {
        self.at += 1;
        let mut members = Vec::new();
        while !self.take_if('}') {
            let Some(next) = self.peek() else { break };
            let before = self.at;
            let name = match next {
                '"' | '\'' => self.string(next),
                _ => Cow::Borrowed(self.word()),
            };
            if self.take_if(':') {
                let value = self.value(depth + 1);
                members.push((name, value));
            }
            self.go_on(before);
        }
        Node::Object(members)
    }

    fn list(&mut self, depth: usize) -> Node<'t> {
        self.at += 1;
        let mut items = Vec::new();
        while !self.take_if(']') && self.peek().is_some() {
            let before = self.at;
            let item = self.value(depth + 1);
            // What cannot stand there is no item.
            if self.at > before {
                items.push(item);
            }
            self.go_on(before);
        }
        Node::List(items)
    }

    /// Past a comma, and past what cannot stand there.
    fn go_on(&mut self, before: usize) {
        if !self.take_if(',') && self.at == before {
            self.at += self.peek().map_or(0, char::len_utf8);
        }
    }

    /// A number, a name, or what else is not in quotes.
    fn word(&mut self) -> &'t str {
        let rest = self.rest();
        let end = rest.find([',', ':', '{', '}', '[', ']', '\n', '"']).unwrap_or(rest.len());
        self.at += end;
        rest[..end].trim_end()
    }

    /// What is between quotes, or from one to the end.
    fn string(&mut self, quote: char) -> Cow<'t, str> {
        self.at += 1;
        let rest = self.rest();
        let plain = rest.find([quote, '\\']).unwrap_or(rest.len());
        self.at += plain;
        if !self.rest().starts_with('\\') {
            self.at += usize::from(self.at < self.text.len());
            return Cow::Borrowed(&rest[..plain]);
        }
        let mut out = rest[..plain].to_owned();
        while let Some(next) = self.rest().chars().next() {
            self.at += next.len_utf8();
            match next {
                '\\' => self.escape(&mut out),
                _ if next == quote => break,
                _ => out.push(next),
            }
        }
        Cow::Owned(out)
    }

    fn escape(&mut self, out: &mut String) {
        let Some(next) = self.rest().chars().next() else { return };
        self.at += next.len_utf8();
        match next {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'x' => match self.digits(2) {
                Some(code) => out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)),
                None => out.push_str("\\x"),
            },
            'u' => match self.digits(4) {
                Some(code) => out.push(self.paired(code)),
                None => out.push_str("\\u"),
            },
            other => out.push(other),
        }
    }

    /// The character of a unit of UTF-16, with the other half where it is half of one and that follows.
    fn paired(&mut self, first: u32) -> char {
        let back = self.at;
        if (0xd800..0xdc00).contains(&first) && self.rest().starts_with("\\u") {
            self.at += 2;
            match self.digits(4) {
                Some(second @ 0xdc00..0xe000) => {
                    let code = 0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                    return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
                }
                _ => self.at = back,
            }
        }
        char::from_u32(first).filter(|c| *c != '\0').unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    fn digits(&mut self, count: usize) -> Option<u32> {
        let digits = self.rest().get(..count)?;
        let code = digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then(|| u32::from_str_radix(digits, 16).ok())?;
        self.at += count;
        code
    }

    /// Past all of an object or a list, however deep.
    fn pass_over(&mut self) {
        let mut open = 0_usize;
        while let Some(next) = self.peek() {
            match next {
                '"' => drop(self.string('"')),
                '{' | '[' => {
                    open += 1;
                    self.at += 1;
                }
                '}' | ']' => {
                    open = open.saturating_sub(1);
                    self.at += 1;
                }
                _ => self.at += next.len_utf8(),
            }
            if open == 0 {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(node: &Node<'_>) -> String {
        match node {
            Node::Text(text) => format!("{text:?}"),
            Node::Scalar(token) => (*token).to_owned(),
            Node::List(items) => format!("[{}]", items.iter().map(told).collect::<Vec<_>>().join(",")),
            Node::Object(members) => {
                let members = members.iter().map(|(name, value)| format!("{name:?}:{}", told(value)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
        }
    }

    #[test]
    fn what_can_be_read_is_read() {
        for (text, read_as) in [
            (r#"{"command":"rm -rf \ud83d","n":1e400}"#, "{\"command\":\"rm -rf \u{fffd}\",\"n\":1e400}"),
            (r#"{"a":"\ud83d\ude00\u0000\x41\q"}"#, "{\"a\":\"\u{1f600}\u{fffd}Aq\"}"),
            (r#"{"command": "rm -rf /srv", "then": "ech"#, r#"{"command":"rm -rf /srv","then":"ech"}"#),
            (r#"{"command": "rm -rf /srv", "the"#, r#"{"command":"rm -rf /srv"}"#),
            (r#"{"a": [1, {"b": "c"#, r#"{"a":[1,{"b":"c"}]}"#),
            (
                "{'command': 'rm -rf \"/srv\"', 'dry': False, 'n': None,}",
                r#"{"command":"rm -rf \"/srv\"","dry":False,"n":None}"#,
            ),
            ("{command: 'ls', b: [a b, c]}", r#"{"command":"ls","b":[a b,c]}"#),
            ("[[], }, :, \"x\"]", "[[],\"x\"]"),
            ("{", "{}"),
        ] {
            assert_eq!(told(&read(text, 0)), read_as, "{text}");
        }
    }

    #[test]
    fn depth_and_length_do_no_harm() {
        let deep = format!("{{\"x\":{}{},\"command\":\"ls\"}}", "[".repeat(200_000), "]".repeat(200_000));
        assert!(told(&read(&deep, 0)).ends_with(",\"command\":\"ls\"}"));
        for odd in ["{'", "[\\", "{\"\\u", "{:::::", "[}}}}", "{\"a\":\"\\", "\u{feff}{"] {
            let _ = told(&read(&odd.repeat(10_000), 0));
        }
    }
}
