//! Protobuf, read field by field. The length of a message says where it ends, so what is broken in it breaks no other.

use std::borrow::Cow;

use orchestrator::ports::Unreadable;

use super::{super::lossy::lossy, Any, Attribute, Event, Id, MAX_DEPTH, Sink, Span};

/// What stands for a value that is nested too deep.
const TOO_DEEP: &str = "<CUT:nested too deep>";

/// Reads a request. Only what has no known end is refused whole.
pub(in super::super) fn protobuf<'b>(body: &'b [u8], sink: &mut impl Sink<'b>) -> Result<(), Unreadable> {
    for field in Fields(body) {
        let field = field.map_err(|Broken| {
            Unreadable("it is no ExportTraceServiceRequest: the protobuf is broken".to_owned())
        })?;
        if let (1, Value::Bytes(bytes)) = field {
            resource_spans(bytes, sink);
        }
    }
    Ok(())
}

fn resource_spans<'b>(bytes: &'b [u8], sink: &mut impl Sink<'b>) {
    let mut about = Vec::new();
    for field in Fields(bytes) {
        match field {
            Ok((1, Value::Bytes(bytes))) => attributes_in(bytes, 1, &mut about),
            // By their number before OTLP 0.15 too.
            Ok((2 | 1000, Value::Bytes(bytes))) => scope_spans(bytes, sink),
            Ok(_) => {}
            Err(Broken) => sink.span(Err(broken("spans of a resource"))),
        }
    }
    sink.resource(about);
}

fn scope_spans<'b>(bytes: &'b [u8], sink: &mut impl Sink<'b>) {
    for field in Fields(bytes) {
        match field {
            Ok((2, Value::Bytes(bytes))) => sink.span(Ok(span(bytes))),
            Ok(_) => {}
            Err(Broken) => sink.span(Err(broken("spans of a scope"))),
        }
    }
}

fn broken(what: &str) -> String {
    format!("some {what} cannot be read: the protobuf is broken")
}

fn span(bytes: &[u8]) -> Span<'_> {
    let mut span = Span::default();
    for field in Fields(bytes) {
        match field {
            Ok((1, Value::Bytes(id))) => span.trace_id = Id::of(id),
            Ok((2, Value::Bytes(id))) => span.id = Id::of(id),
            Ok((4, Value::Bytes(id))) => span.parent_span_id = Id::of(id),
            Ok((5, Value::Bytes(name))) => span.name = lossy(name),
            Ok((6, Value::Number(kind))) => span.kind = kind,
            Ok((7, Value::Number(time))) => span.start_unix_nano = time,
            Ok((8, Value::Number(time))) => span.end_unix_nano = time,
            Ok((9, Value::Bytes(bytes))) => push(&mut span.attributes, attribute(bytes, 0, &mut span.cut)),
            Ok((11, Value::Bytes(bytes))) => {
                let event = event(bytes, &mut span.cut);
                if !(event.name.is_empty() && event.attributes.is_empty()) {
                    span.events.push(event);
                }
            }
            // So many attributes were dropped, and so many events.
            Ok((10 | 12, Value::Number(dropped))) => span.cut |= dropped > 0,
            Ok((15, Value::Bytes(bytes))) => status(bytes, &mut span),
            Ok((16, Value::Number(flags))) => span.flags = flags,
            Ok(_) => {}
            Err(Broken) => span.cut = true,
        }
    }
    span
}

fn event<'b>(bytes: &'b [u8], cut: &mut bool) -> Event<'b> {
    let mut event = Event::default();
    for field in Fields(bytes) {
        match field {
            Ok((2, Value::Bytes(name))) => event.name = lossy(name),
            Ok((3, Value::Bytes(bytes))) => push(&mut event.attributes, attribute(bytes, 0, cut)),
            Ok((4, Value::Number(dropped))) => *cut |= dropped > 0,
            Ok(_) => {}
            Err(Broken) => *cut = true,
        }
    }
    event
}

fn status<'b>(bytes: &'b [u8], span: &mut Span<'b>) {
    for field in Fields(bytes) {
        match field {
            Ok((2, Value::Bytes(message))) => span.status_message = lossy(message),
            Ok((3, Value::Number(code))) => span.status_code = code,
            Ok(_) => {}
            Err(Broken) => span.cut = true,
        }
    }
}

/// The attributes that are field `number` of a message.
fn attributes_in<'b>(bytes: &'b [u8], number: u64, to: &mut Vec<Attribute<'b>>) {
    for field in Fields(bytes) {
        if let Ok((at, Value::Bytes(bytes))) = field
            && at == number
        {
            push(to, attribute(bytes, 0, &mut false));
        }
    }
}

fn push<'b>(to: &mut Vec<Attribute<'b>>, attribute: Attribute<'b>) {
    if !attribute.is_nothing() {
        to.push(attribute);
    }
}

fn attribute<'b>(bytes: &'b [u8], depth: usize, cut: &mut bool) -> Attribute<'b> {
    let mut attribute = Attribute::default();
    for field in Fields(bytes) {
        match field {
            Ok((1, Value::Bytes(key))) => attribute.key = lossy(key),
            Ok((2, Value::Bytes(bytes))) => attribute.value = any(bytes, depth, cut),
            Ok(_) => {}
            Err(Broken) => *cut = true,
        }
    }
    attribute
}

fn any<'b>(bytes: &'b [u8], depth: usize, cut: &mut bool) -> Option<Any<'b>> {
    let mut value = None;
    for field in Fields(bytes) {
        value = Some(match field {
            Ok((1, Value::Bytes(text))) => Any::Text(lossy(text)),
            Ok((2, Value::Number(flag))) => Any::Bool(flag != 0),
            Ok((3, Value::Number(number))) => Any::Int(number.cast_signed()),
            Ok((4, Value::Number(bits))) => Any::Double(f64::from_bits(bits)),
            Ok((5 | 6, Value::Bytes(_))) if depth >= MAX_DEPTH => {
                *cut = true;
                Any::Text(Cow::Borrowed(TOO_DEEP))
            }
            Ok((5, Value::Bytes(bytes))) => Any::List(list(bytes, depth + 1, cut)),
            Ok((6, Value::Bytes(bytes))) => Any::Map(map(bytes, depth + 1, cut)),
            Ok((7, Value::Bytes(bytes))) => Any::of_bytes(Cow::Borrowed(bytes)),
            Ok(_) => continue,
            Err(Broken) => {
                *cut = true;
                continue;
            }
        });
    }
    value
}

fn list<'b>(bytes: &'b [u8], depth: usize, cut: &mut bool) -> Vec<Any<'b>> {
    let mut values = Vec::new();
    for field in Fields(bytes) {
        match field {
            Ok((1, Value::Bytes(bytes))) => values.extend(any(bytes, depth, cut)),
            Ok(_) => {}
            Err(Broken) => *cut = true,
        }
    }
    values
}

fn map<'b>(bytes: &'b [u8], depth: usize, cut: &mut bool) -> Vec<Attribute<'b>> {
    let mut members = Vec::new();
    for field in Fields(bytes) {
        match field {
            Ok((1, Value::Bytes(bytes))) => push(&mut members, attribute(bytes, depth, cut)),
            Ok(_) => {}
            Err(Broken) => *cut = true,
        }
    }
    members
}

/// The bytes do not follow the wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Broken;

/// What a field holds, as far as its wire type tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value<'b> {
    Number(u64),
    Bytes(&'b [u8]),
    /// Fields between two marks, which nobody writes any more. They are gone past.
    Group,
}

/// The fields of a message, in their order; the first that is broken is the last.
struct Fields<'b>(&'b [u8]);

impl<'b> Iterator for Fields<'b> {
    type Item = Result<(u64, Value<'b>), Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.0.is_empty() {
            match self.field() {
                Some((_, Value::Group)) => {}
                Some(field) => return Some(Ok(field)),
                None => {
                    self.0 = &[];
                    return Some(Err(Broken));
                }
            }
        }
        None
    }
}

impl<'b> Fields<'b> {
    fn field(&mut self) -> Option<(u64, Value<'b>)> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Value::Number(self.varint()?),
            1 => Value::Number(u64::from_le_bytes(*self.fixed()?)),
            2 => Value::Bytes(self.bytes()?),
            3 => {
                self.group()?;
                Value::Group
            }
            5 => Value::Number(u32::from_le_bytes(*self.fixed()?).into()),
            _ => return None,
        };
        (key >> 3 != 0).then_some((key >> 3, value))
    }

    fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        let (value, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(value)
    }

    /// Goes past the rest of a group, and past those within it.
    fn group(&mut self) -> Option<()> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.varint()? & 7 {
                0 => _ = self.varint()?,
                1 => _ = self.fixed::<8>()?,
                2 => _ = self.bytes()?,
                3 => depth += 1,
                4 => depth -= 1,
                5 => _ = self.fixed::<4>()?,
                _ => return None,
            }
        }
        Some(())
    }

    fn fixed<const N: usize>(&mut self) -> Option<&'b [u8; N]> {
        let (value, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(value)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for (at, byte) in self.0.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte & 0x80 == 0 {
                self.0 = &self.0[at + 1..];
                return Some(value);
            }
        }
        None
    }
}
