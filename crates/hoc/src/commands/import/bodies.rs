//! What is in a file of exported spans, told by its content: protobuf or JSON, one body or many, packed or not.

use std::io;

use flate2::read::MultiGzDecoder;
use orchestrator::ports::SpanEncoding;
use serde::de::IgnoredAny;
use serde_json::{Deserializer, value::RawValue};

use crate::whole::whole;

/// U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The bytes, unpacked where they are gzip; none where that would be more than `most`, however few are packed.
pub(super) fn unpacked(bytes: Vec<u8>, most: usize) -> io::Result<Option<Vec<u8>>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Some(as_text(bytes)));
    }
    Ok(whole(MultiGzDecoder::new(bytes.as_slice()), 0, most as u64)?.map(as_text))
}

/// What is JSON but for bytes that are no text, as JSON: what is odd in one span costs its neighbours nothing.
fn as_text(mut bytes: Vec<u8>) -> Vec<u8> {
    // Some shells and editors put it before a text; no protobuf begins with it.
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    if !matches!(bytes.first(), Some(b'{' | b'[')) {
        return bytes;
    }
    String::from_utf8(bytes)
        .unwrap_or_else(|err| String::from_utf8_lossy(err.as_bytes()).into_owned())
        .into_bytes()
}

/// The bodies in the bytes. JSON may hold several: one a line, as the Collector's file exporter writes them, or a list.
pub(super) fn bodies(bytes: &[u8]) -> Result<(SpanEncoding, Vec<&[u8]>), serde_json::Error> {
    if !is_json(bytes) {
        return Ok((SpanEncoding::Protobuf, vec![bytes]));
    }
    let mut texts: Vec<&[u8]> = Vec::new();
    for value in Deserializer::from_slice(bytes).into_iter::<&RawValue>() {
        let text = value?.get();
        if text.starts_with('[') {
            texts
                .extend(serde_json::from_str::<Vec<&RawValue>>(text)?.iter().map(|one| one.get().as_bytes()));
        } else {
            texts.push(text.as_bytes());
        }
    }
    Ok((SpanEncoding::Json, texts))
}

/// No protobuf request begins with a brace or a bracket. It may begin with a line end, and either may be its next byte:
/// then it is JSON only if it reads as JSON. A file of blanks is a text in which nothing is.
fn is_json(bytes: &[u8]) -> bool {
    let opens = |first: Option<&u8>| matches!(first, Some(b'{' | b'['));
    if opens(bytes.first()) {
        return true;
    }
    let text = bytes.trim_ascii_start();
    if text.is_empty() {
        return !bytes.is_empty();
    }
    opens(text.first()) && Deserializer::from_slice(bytes).into_iter::<IgnoredAny>().all(|one| one.is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: &[u8]) -> (SpanEncoding, usize) {
        let (encoding, bodies) = bodies(bytes).expect("it reads");
        (encoding, bodies.len())
    }

    #[test]
    fn the_content_decides() {
        assert_eq!(told(br#"{"resourceSpans":[]}"#), (SpanEncoding::Json, 1));
        assert_eq!(told(b"\n {\"a\":1}\n{\"b\":2}\n\n{\"c\":3}"), (SpanEncoding::Json, 3));
        // A request whose one message has 123 bytes begins like JSON after an empty line.
        assert_eq!(told(&[&[0x0a, b'{'], [0x12; 123].as_slice()].concat()), (SpanEncoding::Protobuf, 1));
        assert_eq!(told(b""), (SpanEncoding::Protobuf, 1));
        assert_eq!(told(b"  \n"), (SpanEncoding::Json, 0));
        let list = br#" [ {"a":1}, {"b":[2]} ] "#;
        assert_eq!(bodies(list).expect("a list").1, [br#"{"a":1}"#.as_slice(), br#"{"b":[2]}"#]);
        assert_eq!((told(b"[]"), told(b"[[{}]]")), ((SpanEncoding::Json, 0), (SpanEncoding::Json, 1)));
        assert_eq!(told(&[&[0x0a, b'['], [0x12; 91].as_slice()].concat()), (SpanEncoding::Protobuf, 1));
        for cut in [b"{\"cut\":".as_slice(), b"[{\"a\":1},"] {
            assert!(bodies(cut).is_err(), "JSON that does not end is told as JSON");
        }
    }

    #[test]
    fn packed_or_not() {
        use std::io::Write as _;
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(b"spans").expect("it packs");
        let gzip = packer.finish().expect("it packs");
        let within = |most: usize, bytes: &[u8]| unpacked(bytes.to_vec(), most);
        let all = |bytes: &[u8]| within(100, bytes).expect("it reads").expect("there is room");
        assert_eq!(all(&gzip), b"spans");
        assert_eq!(all(b"spans"), b"spans");
        assert!(within(100, &gzip[..gzip.len() - 4]).is_err());
        assert_eq!(all(b"{\"a\":\"\xff\"}"), "{\"a\":\"\u{fffd}\"}".as_bytes());
        assert_eq!(all(b"\xef\xbb\xbf{}"), b"{}");
        assert_eq!(all(b"\n\xff"), b"\n\xff");
        assert_eq!(within(5, &gzip).expect("it unpacks"), Some(b"spans".to_vec()));
        assert_eq!(within(4, &gzip).expect("it is left packed"), None);
    }
}
