//! The hostile values, and how each is written where it is put.

use serde_json::json;

use super::document::{Spot, Takes};

/// How every planted token begins; the rest says which it is.
pub(super) const TOKEN: &str = "ghp_16C7e42F292c6912E7710c8383";

#[derive(Clone)]
pub(super) struct Hostile {
    pub(super) name: &'static str,
    /// As it is written in JSON.
    json: String,
    /// As it is: in a header, in protobuf, and behind percent signs in an address.
    pub(super) raw: Vec<u8>,
    pub(super) is_number: bool,
}

pub(super) fn hostile(serial: usize) -> Vec<Hostile> {
    let text = |name, text: &str| Hostile {
        name,
        json: json!(text).to_string(),
        raw: text.as_bytes().to_vec(),
        is_number: false,
    };
    let number = |it: &'static str| Hostile {
        name: it,
        json: it.to_owned(),
        raw: it.as_bytes().to_vec(),
        is_number: true,
    };
    // Half a pair is no UTF-8: outside of JSON it is the bytes that it would have.
    let half = Hostile {
        name: "half a surrogate pair",
        json: r#""a\ud800b""#.to_owned(),
        raw: b"a\xED\xA0\x80b".to_vec(),
        is_number: false,
    };
    vec![
        text("3 kB of letters", &letters(3_000)),
        text("300 kB of letters", &letters(300_000)),
        text("a token", &format!("{TOKEN}{serial:06}")),
        text("U+0000", "a\0b"),
        half,
        number("1e400"),
        number("-0"),
        number("9223372036854775808"),
    ]
}

/// Letters that nothing makes shorter.
fn letters(count: usize) -> String {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut letter = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'a' + u8::try_from(state % 26).expect("below 26"))
    };
    std::iter::repeat_with(&mut letter).take(count).collect()
}

impl Hostile {
    /// How it is written in each of the ways in which a member can hold it; none where it has nothing to do there.
    pub(super) fn ways(&self, spot: &Spot, takes: Takes) -> Vec<String> {
        match spot {
            Spot::Body(pointer) => self.in_json(pointer, takes),
            Spot::Query(_) if takes.number || !self.is_number => vec![self.in_address()],
            Spot::Path(_) if !self.is_number => vec![self.in_address()],
            Spot::Header(_) if !self.is_number => vec![String::new()],
            _ => Vec::new(),
        }
    }

    fn in_json(&self, pointer: &str, takes: Takes) -> Vec<String> {
        let it = &self.json;
        let mut ways = Vec::new();
        if takes.anything || if self.is_number { takes.number } else { takes.text } {
            ways.push(it.clone());
        }
        // A secret is most at home in a literal.
        if pointer == "/condition" && self.is_number {
            ways.push(format!("\"context.step.cost_microusd > {it}\""));
        } else if pointer == "/condition" {
            let literal = &it[1..it.len() - 1];
            ways.push(format!(r#""context.step.skill == \"{literal}\"""#));
        }
        if pointer == "/conditions" {
            let fact = if self.is_number { "step.cost_microusd" } else { "step.skill" };
            ways.push(format!(r#"{{"all":[{{"fact":"{fact}","op":"==","value":{it}}}]}}"#));
            if !self.is_number {
                ways.push(format!(r#"{{"all":[{{"fact":{it},"op":{it},"value":1}}]}}"#));
            }
        } else if takes.anything {
            ways.push(format!(r#"{{"a":[{{"b":{it}}}]}}"#));
            if !self.is_number {
                ways.push(format!("{{{it}:1}}"));
                ways.push(format!(r#"{{"command":{it},"url":{it},"to":{it}}}"#));
            }
        }
        ways
    }

    fn in_address(&self) -> String {
        let byte = |byte: &u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => char::from(*byte).to_string(),
            other => format!("%{other:02X}"),
        };
        self.raw.iter().map(byte).collect()
    }
}
