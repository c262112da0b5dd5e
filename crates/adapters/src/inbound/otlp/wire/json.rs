//! The JSON of protobuf, by its own rules and past them: null is what is not there, numbers may be quoted, names are in
//! either case, an id is hex or base64, and what has another shape than it should is kept as its text.

use std::borrow::Cow;

use orchestrator::ports::Unreadable;

use super::{
    super::{
        base64::base64,
        reader::{Reader, mended},
    },
    Any, Attribute, CLIENT, ERROR, Event, Id, MAX_DEPTH, Odd, SERVER, Sink, Span,
};

/// The name of what stands where an attribute should.
const ODD: &str = "attributes";

/// The text of a body, in which what is no UTF-8 is marked, and which is JSON: also what is that only to who wrote it.
pub(in super::super) fn text(body: &[u8]) -> Result<Cow<'_, str>, Unreadable> {
    let text = String::from_utf8_lossy(body);
    let Err(err) = Reader::new(text.trim_start_matches(BOM)) else { return Ok(text) };
    mended(&text)
        .filter(|text| Reader::new(text.trim_start_matches(BOM)).is_ok())
        .map(Cow::Owned)
        .ok_or_else(|| unreadable(&err))
}

/// What some write before JSON.
const BOM: char = '\u{feff}';

fn unreadable(why: &dyn std::fmt::Display) -> Unreadable {
    Unreadable(format!("it is no ExportTraceServiceRequest in JSON: {why}"))
}

/// Reads a request that is JSON. Only what is no object, or has no list of spans at all, is refused whole.
pub(in super::super) fn json<'b>(text: &'b str, sink: &mut impl Sink<'b>) -> Result<(), Unreadable> {
    let mut reader = Reader::within(text.trim_start_matches(BOM));
    if reader.peek() != b'{' {
        return Err(unreadable(&"an object is expected"));
    }
    let (mut is_list, mut is_known, mut is_empty) = (true, false, true);
    reader.members(|reader, key| {
        is_empty = false;
        if matches!(&*key, "resourceSpans" | "resource_spans") {
            is_known = true;
            is_list &= list(reader, |reader| resource_spans(reader, sink));
        }
    });
    if !is_list {
        Err(unreadable(&"`resourceSpans` is no list"))
    } else if !is_known && !is_empty {
        // What tells of something else would be lost without a word.
        Err(unreadable(&"it has no `resourceSpans`"))
    } else {
        Ok(())
    }
}

/// Whether it is a list, or null, which is an empty one. Null items are none.
fn list<'b>(reader: &mut Reader<'b>, mut each: impl FnMut(&mut Reader<'b>)) -> bool {
    match reader.peek() {
        b'[' => reader.items(|reader| {
            if !reader.null() {
                each(reader);
            }
        }),
        _ => return reader.null(),
    }
    true
}

/// Whether it is an object, whose members are read; null members are none.
fn object<'b>(reader: &mut Reader<'b>, mut each: impl FnMut(&mut Reader<'b>, &str)) -> bool {
    let is_object = reader.peek() == b'{';
    if is_object {
        reader.members(|reader, key| {
            if !reader.null() {
                each(reader, &key);
            }
        });
    }
    is_object
}

fn resource_spans<'b>(reader: &mut Reader<'b>, sink: &mut impl Sink<'b>) {
    let mut about = Vec::new();
    let is_object = object(reader, |reader, key| match key {
        "resource" => {
            object(reader, |reader, key| {
                if key == "attributes" {
                    about = attributes(reader, 0);
                }
            });
        }
        // What they were called before OTLP 0.15.
        "scopeSpans" | "scope_spans" | "instrumentationLibrarySpans" | "instrumentation_library_spans"
            if !list(reader, |reader| scope_spans(reader, sink)) =>
        {
            sink.span(Err("`scopeSpans` is no list".to_owned()));
        }
        _ => {}
    });
    if !is_object {
        sink.span(Err("the spans of a resource are no object".to_owned()));
    }
    sink.resource(about);
}

fn scope_spans<'b>(reader: &mut Reader<'b>, sink: &mut impl Sink<'b>) {
    let is_object = object(reader, |reader, key| {
        if key == "spans" && !list(reader, |reader| sink.span(span(reader))) {
            sink.span(Err("`spans` is no list".to_owned()));
        }
    });
    if !is_object {
        sink.span(Err("the spans of a scope are no object".to_owned()));
    }
}

fn span<'b>(reader: &mut Reader<'b>) -> Result<Span<'b>, String> {
    let mut span = Span::default();
    reader.cut = false;
    let is_object = object(reader, |reader, key| match key {
        "traceId" | "trace_id" => span.trace_id = id(reader),
        "spanId" | "span_id" => span.id = id(reader),
        "parentSpanId" | "parent_span_id" => span.parent_span_id = id(reader),
        "name" => span.name = reader.as_text().unwrap_or_default(),
        "kind" => span.kind = word(reader, "SPAN_KIND_", &["", "INTERNAL", "SERVER", "CLIENT"]),
        "startTimeUnixNano" | "start_time_unix_nano" => span.start_unix_nano = number(reader),
        "endTimeUnixNano" | "end_time_unix_nano" => span.end_unix_nano = number(reader),
        "flags" => span.flags = number(reader),
        "droppedAttributesCount"
        | "dropped_attributes_count"
        | "droppedEventsCount"
        | "dropped_events_count" => {
            dropped(reader);
        }
        "attributes" => span.attributes = attributes(reader, 0),
        "events" => {
            span.events.clear();
            list(reader, |reader| span.events.extend(event(reader)));
        }
        "status" => {
            let is_object = object(reader, |reader, key| match key {
                "code" => span.status_code = status(reader),
                "message" => span.status_message = reader.as_text().unwrap_or_default(),
                _ => {}
            });
            // Some write its code alone.
            if !is_object {
                span.status_code = status(reader);
            }
        }
        _ => {}
    });
    span.cut = reader.cut;
    const { assert!(SERVER == 2 && CLIENT == 3 && ERROR == 2, "the places of their words") };
    if is_object { Ok(span) } else { Err("a span is no object".to_owned()) }
}

fn event<'b>(reader: &mut Reader<'b>) -> Option<Event<'b>> {
    let mut event = Event::default();
    object(reader, |reader, key| match key {
        "name" => event.name = reader.as_text().unwrap_or_default(),
        "attributes" => event.attributes = attributes(reader, 0),
        "droppedAttributesCount" | "dropped_attributes_count" => dropped(reader),
        _ => {}
    });
    let is_nothing = event.name.is_empty() && event.attributes.is_empty();
    (!is_nothing).then_some(event)
}

/// By a number, in quotes or not, or by its place among the words; what is neither is 0.
fn word(reader: &mut Reader<'_>, prefix: &str, words: &[&str]) -> u64 {
    let text = reader.as_text().unwrap_or_default();
    let name = text.trim().to_ascii_uppercase();
    let name = name.strip_prefix(prefix).unwrap_or(&name);
    let place = words.iter().position(|word| !word.is_empty() && *word == name);
    place.map_or_else(|| whole(name).unwrap_or(0), |place| place as u64)
}

fn status(reader: &mut Reader<'_>) -> u64 {
    word(reader, "STATUS_CODE_", &["UNSET", "OK", "ERROR"])
}

fn number(reader: &mut Reader<'_>) -> u64 {
    reader.as_text().and_then(|text| whole(&text)).unwrap_or(0)
}

/// So many attributes or events an exporter did not send: what is there is not all.
fn dropped(reader: &mut Reader<'_>) {
    let is_some = number(reader) > 0;
    reader.cut |= is_some;
}

/// A whole number, in any of the ways in which JSON writes one.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn whole(text: &str) -> Option<u64> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let number: f64 = text.parse().ok()?;
        (number.fract() == 0.0 && (0.0..1.8e19).contains(&number)).then_some(number as u64)
    })
}

fn id<'b, const N: usize>(reader: &mut Reader<'b>) -> Id<'b, N> {
    let is_text = reader.peek() == b'"';
    let Some(text) = reader.as_text() else { return Id::None };
    let given = text.trim();
    if is_text && given.bytes().all(|byte| byte == b'0') {
        return Id::None;
    }
    match hex(given).or_else(|| base64(given)?.try_into().ok()) {
        Some(id) if is_text => Id::from(id),
        _ => Id::Odd(Odd::Text(text)),
    }
}

fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut id = [0; N];
    for (byte, digits) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let digit =
            |at: usize| char::from(digits[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some(id)
}

/// A list of attributes. Where it is an object, its members are them; anything else is kept as one.
fn attributes<'b>(reader: &mut Reader<'b>, depth: usize) -> Vec<Attribute<'b>> {
    let mut found = Vec::new();
    if object(reader, |reader, key| {
        let value = any(reader, depth);
        found.push(Attribute { key: Cow::Owned(key.to_owned()), value });
    }) {
        return found;
    }
    if !list(reader, |reader| {
        let attribute = attribute(reader, depth);
        if !attribute.is_nothing() {
            found.push(attribute);
        }
    }) {
        found.push(odd(reader));
    }
    found
}

fn attribute<'b>(reader: &mut Reader<'b>, depth: usize) -> Attribute<'b> {
    let mut attribute = Attribute::default();
    let is_object = object(reader, |reader, key| match key {
        "key" => attribute.key = reader.as_text().unwrap_or_default(),
        "value" => attribute.value = any(reader, depth),
        _ => {}
    });
    if is_object { attribute } else { odd(reader) }
}

fn odd<'b>(reader: &mut Reader<'b>) -> Attribute<'b> {
    Attribute { key: Cow::Borrowed(ODD), value: reader.as_text().map(Any::Text) }
}

/// A value of its one kind; the last where it has several, and its text where it is no such value.
fn any<'b>(reader: &mut Reader<'b>, depth: usize) -> Option<Any<'b>> {
    match reader.peek() {
        b'"' => Some(Any::Text(reader.string())),
        b'{' => wrapped(reader, depth),
        b'[' => reader.as_text().map(Any::Text),
        b't' | b'f' => Some(Any::Bool(reader.skip() == "true")),
        _ => reader.as_text().map(|text| text.parse().map_or_else(|_| double(text), Any::Int)),
    }
}

fn wrapped<'b>(reader: &mut Reader<'b>, depth: usize) -> Option<Any<'b>> {
    let mut value = None;
    let (mut named, mut members) = (false, false);
    let whole = reader.told(|reader| {
        object(reader, |reader, key| {
            members = true;
            let Some(kind) = Kind::of(key) else { return };
            named = true;
            value = match kind {
                Kind::List | Kind::Map if depth >= MAX_DEPTH => {
                    reader.cut = true;
                    reader.as_text().map(Any::Text)
                }
                Kind::List => values(reader, depth + 1),
                Kind::Map => Some(members_of(reader, depth + 1)),
                Kind::Index => None,
                Kind::Text | Kind::Bool | Kind::Int | Kind::Double | Kind::Bytes => scalar(reader, kind),
            };
        });
    });
    // An object that names none of the kinds is no such value, but what somebody wanted to tell.
    if members && !named { Some(Any::Text(Cow::Borrowed(whole))) } else { value }
}

/// What a value says it is.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Bool,
    Int,
    Double,
    Bytes,
    List,
    Map,
    /// Into a table of texts that traces do not have.
    Index,
}

impl Kind {
    fn of(key: &str) -> Option<Self> {
        Some(match key {
            "stringValue" | "string_value" => Self::Text,
            "boolValue" | "bool_value" => Self::Bool,
            "intValue" | "int_value" => Self::Int,
            "doubleValue" | "double_value" => Self::Double,
            "bytesValue" | "bytes_value" => Self::Bytes,
            "arrayValue" | "array_value" => Self::List,
            "kvlistValue" | "kvlist_value" => Self::Map,
            "stringValueStrindex" | "string_value_strindex" => Self::Index,
            _ => return None,
        })
    }
}

fn scalar<'b>(reader: &mut Reader<'b>, kind: Kind) -> Option<Any<'b>> {
    let text = reader.as_text()?;
    Some(match kind {
        Kind::Bool if matches!(&*text, "true" | "false") => Any::Bool(text == "true"),
        Kind::Int => integer(text),
        Kind::Double => double(text),
        Kind::Bytes => match base64(&text) {
            Some(bytes) => Any::of_bytes(Cow::Owned(bytes)),
            None => Any::Text(text),
        },
        _ => Any::Text(text),
    })
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn integer(text: Cow<'_, str>) -> Any<'_> {
    if let Ok(number) = text.trim().parse() {
        return Any::Int(number);
    }
    match text.trim().parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() < 9.2e18 => Any::Int(number as i64),
        _ => Any::Text(text),
    }
}

fn double(text: Cow<'_, str>) -> Any<'_> {
    match text.trim() {
        "NaN" => Any::Double(f64::NAN),
        "Infinity" => Any::Double(f64::INFINITY),
        "-Infinity" => Any::Double(f64::NEG_INFINITY),
        number => match number.parse::<f64>() {
            Ok(number) if number.is_finite() => Any::Double(number),
            _ => Any::Text(text),
        },
    }
}

fn values<'b>(reader: &mut Reader<'b>, depth: usize) -> Option<Any<'b>> {
    let mut values = Vec::new();
    let mut is_list = true;
    let mut read = |reader: &mut Reader<'b>| list(reader, |reader| values.extend(any(reader, depth)));
    if reader.peek() == b'{' {
        let whole = reader.told(|reader| {
            object(reader, |reader, key| is_list &= key != "values" || read(reader));
        });
        return Some(if is_list { Any::List(values) } else { Any::Text(Cow::Borrowed(whole)) });
    }
    if read(reader) { Some(Any::List(values)) } else { reader.as_text().map(Any::Text) }
}

fn members_of<'b>(reader: &mut Reader<'b>, depth: usize) -> Any<'b> {
    if reader.peek() != b'{' {
        return Any::Map(attributes(reader, depth));
    }
    let mut members = Vec::new();
    object(reader, |reader, key| {
        if key == "values" {
            members = attributes(reader, depth);
        }
    });
    Any::Map(members)
}
