//! A report of spans as protobuf, from the JSON of the same report: only the fields that the test's report has.

use serde_json::Value;

/// A message: its members with their field numbers, and what each holds.
type Message = &'static [(&'static str, u8, Holds)];

#[derive(Clone, Copy)]
enum Holds {
    Message(Message),
    Text,
    /// In JSON as hexadecimal digits.
    Bytes,
    Fixed64,
    Number,
}

const REPORT: Message = &[("resourceSpans", 1, Holds::Message(RESOURCE_SPANS))];
const RESOURCE_SPANS: Message =
    &[("resource", 1, Holds::Message(RESOURCE)), ("scopeSpans", 2, Holds::Message(SCOPE_SPANS))];
const RESOURCE: Message = &[("attributes", 1, Holds::Message(ATTRIBUTE))];
const SCOPE_SPANS: Message = &[("spans", 2, Holds::Message(SPAN))];
const SPAN: Message = &[
    ("traceId", 1, Holds::Bytes),
    ("spanId", 2, Holds::Bytes),
    ("name", 5, Holds::Text),
    ("startTimeUnixNano", 7, Holds::Fixed64),
    ("endTimeUnixNano", 8, Holds::Fixed64),
    ("attributes", 9, Holds::Message(ATTRIBUTE)),
    ("status", 15, Holds::Message(STATUS)),
];
const STATUS: Message = &[("message", 2, Holds::Text), ("code", 3, Holds::Number)];
const ATTRIBUTE: Message = &[("key", 1, Holds::Text), ("value", 2, Holds::Message(VALUE))];
const VALUE: Message = &[("stringValue", 1, Holds::Text), ("intValue", 3, Holds::Number)];

/// The report; where it says `mark`, `put` stands as a text.
pub(super) fn report(json: &Value, mark: &str, put: &[u8]) -> Vec<u8> {
    message(json, REPORT, mark, put)
}

fn message(json: &Value, of: Message, mark: &str, put: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, member) in json.as_object().expect("a message") {
        let known = of.iter().find(|(known, ..)| known == name);
        let (_, number, holds) = *known.unwrap_or_else(|| panic!("{name} is not known"));
        let items = member.as_array().map_or(std::slice::from_ref(member), Vec::as_slice);
        for item in items {
            field(&mut bytes, number, item, holds, mark, put);
        }
    }
    bytes
}

fn field(bytes: &mut Vec<u8>, number: u8, json: &Value, holds: Holds, mark: &str, put: &[u8]) {
    let text = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
    let part = match holds {
        _ if text == mark => put.to_vec(),
        Holds::Message(of) => message(json, of, mark, put),
        Holds::Text => text.into_bytes(),
        Holds::Bytes => (0..text.len() / 2)
            .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hexadecimal"))
            .collect(),
        Holds::Fixed64 => {
            bytes.push(number << 3 | 1);
            bytes.extend(text.parse::<u64>().expect("a number").to_le_bytes());
            return;
        }
        Holds::Number => {
            bytes.push(number << 3);
            return varint(bytes, text.parse().expect("a number"));
        }
    };
    bytes.push(number << 3 | 2);
    varint(bytes, part.len());
    bytes.extend(part);
}

fn varint(bytes: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).expect("7 bits") | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).expect("7 bits"));
}
