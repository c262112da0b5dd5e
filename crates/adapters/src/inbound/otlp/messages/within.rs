//! Files within what stays as it came: JSON that nobody here knows, a request or an answer told whole, a tool's result.
//! Each is told by kind, size and hash, and all around it stays byte for byte.

use std::{borrow::Cow, cell::LazyCell};

use memchr::memmem;

use super::{
    super::{base64::base64, reader::Reader},
    media::{Data, mark},
    object::{Object, items, text_of},
};

/// So deep a value is looked into, and so often a text that is JSON.
const DEEPEST: u8 = 32;
const MOST_QUOTED: u8 = 3;

/// Fewer characters than these are no file, unless somebody says that they are one.
const SHORTEST: usize = 64;

/// So many letters of base64, large and small and digits, are a file whatever they are called.
const LONG: usize = 1_024;

/// A text without any of these, and without a long word, has no file in it.
const TELLING: [&str; 7] = ["base64", "b64_json", "bytes", "ime_type", "imeType", "edia_type", "ediaType"];

/// What says beside the bytes of a file what it is.
const TYPES: [&str; 7] =
    ["mime_type", "mimeType", "media_type", "mediaType", "content_type", "contentType", "format"];

/// What the bytes of a file are called.
const BYTES: [&str; 14] = [
    "data",
    "b64_json",
    "b64",
    "base64",
    "bytes",
    "blob",
    "file_data",
    "fileData",
    "content",
    "image",
    "audio",
    "image_data",
    "image_base64",
    "screenshot",
];

/// How files begin, in base64.
const BEGINNINGS: [(&str, &str); 12] = [
    ("iVBORw0KGgo", "image/png"),
    ("/9j/", "image/jpeg"),
    ("R0lGOD", "image/gif"),
    ("UklGR", "file"),
    ("JVBERi0", "application/pdf"),
    ("SUQz", "audio/mpeg"),
    ("T2dnUw", "audio/ogg"),
    ("ZkxhQ", "audio/flac"),
    ("AAAAIGZ0eX", "video/mp4"),
    ("AAAAHGZ0eX", "video/mp4"),
    ("GkXfo", "video/webm"),
    ("UEsDB", "application/zip"),
];

/// The text with each file in it as its mark.
pub(super) fn marked(text: &str) -> Cow<'_, str> {
    marked_within(text, 0).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// A text with marks for the files in it.
pub(in super::super) fn without_files(text: String) -> String {
    let marked = match marked(&text) {
        Cow::Owned(marked) => Some(marked),
        Cow::Borrowed(_) => None,
    };
    marked.unwrap_or(text)
}

fn marked_within(text: &str, quoted: u8) -> Option<String> {
    if !may_hold_a_file(text) {
        return None;
    }
    let json = text.trim();
    if !json.starts_with(['{', '[']) || Reader::new(json).is_err() {
        return in_prose(text);
    }
    let mut walk = Walk { text, quoted, found: Vec::new() };
    walk.value(json, "", None, 0);
    if walk.found.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (start, end, instead) in walk.found {
        out.push_str(&text[at..start]);
        out.push_str(&instead);
        at = end;
    }
    out.push_str(&text[at..]);
    Some(out)
}

fn may_hold_a_file(text: &str) -> bool {
    let bytes = text.as_bytes();
    TELLING.iter().any(|word| memmem::find(bytes, word.as_bytes()).is_some()) || has_long_word(bytes)
}

/// Whether there are so many characters of base64 behind each other; most of a text is gone past without a look.
fn has_long_word(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(window) = bytes.get(at..at + SHORTEST) {
        match window.iter().rposition(|byte| !is_base64_byte(*byte)) {
            Some(other) => at += other + 1,
            None => return true,
        }
    }
    false
}

fn is_base64_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte)
}

/// A walk over JSON: where files are in it, and what stands there instead.
struct Walk<'t> {
    text: &'t str,
    quoted: u8,
    found: Vec<(usize, usize, String)>,
}

impl<'t> Walk<'t> {
    /// A value under its name, with the kind of file that is told of it.
    fn value(&mut self, json: &'t str, name: &str, kind: Option<&str>, depth: u8) {
        match json.as_bytes().first() {
            Some(b'{') if depth < DEEPEST => {
                let Some(object) = Object::of(json) else { return };
                let own = object.text(&TYPES);
                for (name, value) in object.members() {
                    self.value(value, name, own.as_deref().or(kind), depth + 1);
                }
            }
            Some(b'[') if depth < DEEPEST => {
                for item in items(json).unwrap_or_default() {
                    self.value(item, name, kind, depth + 1);
                }
            }
            Some(b'"') => {
                if let Some(instead) = instead_of(&text_of(json), name, kind, self.quoted) {
                    // What is walked are pieces of one text.
                    let start = json.as_ptr().addr() - self.text.as_ptr().addr();
                    self.found.push((
                        start,
                        start + json.len(),
                        serde_json::Value::from(instead).to_string(),
                    ));
                }
            }
            _ => {}
        }
    }
}

/// What stands in place of a text that is a file, or has one in it.
fn instead_of(text: &str, name: &str, kind: Option<&str>, quoted: u8) -> Option<String> {
    if let Some(mark) = file(text, name, kind) {
        return Some(mark.into_owned());
    }
    if quoted < MOST_QUOTED { marked_within(text, quoted + 1) } else { in_prose(text) }
}

/// The mark of a text that is the bytes of a file: where somebody says so, or the bytes do.
fn file(text: &str, name: &str, kind: Option<&str>) -> Option<Cow<'static, str>> {
    if text.is_empty() || !text.bytes().all(is_base64_byte) {
        return None;
    }
    let kind = kind.filter(|kind| is_of_files(kind));
    let is_word = text.len() < SHORTEST;
    let begins = BEGINNINGS.iter().find(|(beginning, _)| !is_word && text.starts_with(beginning));
    let is_named = BYTES.contains(&name);
    let has = |of: fn(&u8) -> bool| text.as_bytes().iter().any(of);
    let is_long = text.len() >= LONG
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit);
    let bytes = LazyCell::new(|| base64(text));
    let is_base64 = || bytes.is_some();
    // What encodes a text may hold what a rule asks for, whatever somebody calls it: it stays, and is looked into. What
    // is no text in the end can hold nothing of that.
    let holds_text = || bytes.as_deref().is_some_and(is_text);
    let is_told = kind.is_some_and(|kind| !is_of_an_application(kind) || !holds_text());
    let is_file = begins.is_some()
        || is_long && !holds_text()
        || is_named && is_told && is_base64()
        || is_named && !is_word && is_base64() && !holds_text();
    let of_bytes = begins.map(|(_, kind)| *kind).filter(|kind| kind.contains('/'));
    is_file.then(|| mark("file", kind.or(of_bytes), Some(Data::Base64(text))))
}

/// Whether bytes are a text that somebody may read.
fn is_text(bytes: &[u8]) -> bool {
    let is_readable = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    str::from_utf8(bytes).is_ok_and(|text| text.chars().all(is_readable))
}

/// Whether a type says only what made the bytes: `application/octet-stream` is any.
fn is_of_an_application(kind: &str) -> bool {
    kind.trim().split_once('/').is_some_and(|(of, _)| of.eq_ignore_ascii_case("application"))
}

/// Whether a `data:` URL holds a text, and says nothing else.
fn is_a_text(url: &str) -> bool {
    let Some((head, body)) = url.split_once(',') else { return false };
    let kind = head.trim_start_matches("data:").split(';').next().unwrap_or_default();
    let is_told = is_of_files(kind) && !is_of_an_application(kind);
    !is_told && base64(body).is_some_and(|bytes| is_text(&bytes))
}

/// Whether what has this type is no text.
fn is_of_files(kind: &str) -> bool {
    const FORMATS: [&str; 22] = [
        "png", "jpeg", "jpg", "gif", "webp", "bmp", "tiff", "heic", "pdf", "doc", "docx", "xls", "xlsx",
        "wav", "mp3", "mp4", "mpeg", "flac", "opus", "ogg", "webm", "pcm16",
    ];
    let kind = kind.trim().to_ascii_lowercase();
    let is_text = || ["json", "xml", "javascript", "yaml"].iter().any(|word| kind.contains(word));
    match kind.split_once('/') {
        Some(("image" | "audio" | "video", _)) => true,
        Some(("application", _)) => !is_text(),
        Some(_) => false,
        None => FORMATS.contains(&kind.as_str()),
    }
}

/// Files in a text, as URLs that hold their bytes.
fn in_prose(text: &str) -> Option<String> {
    const BEFORE: &str = ";base64,";
    let mut out: Option<String> = None;
    let mut rest = text;
    while let Some(at) = memmem::find(rest.as_bytes(), BEFORE.as_bytes()) {
        let body = &rest[at + BEFORE.len()..];
        let end = body.bytes().position(|byte| !is_base64_byte(byte)).unwrap_or(body.len());
        let ends = |c: char| c.is_whitespace() || "\"'`()<>[]{},\\".contains(c);
        let start = rest[..at]
            .rfind(ends)
            .map_or(0, |before| before + rest[before..].chars().next().map_or(0, char::len_utf8));
        let (before, url) = (&rest[..start], &rest[start..at + BEFORE.len() + end]);
        let out = out.get_or_insert_with(|| String::with_capacity(text.len()));
        out.push_str(before);
        if url.starts_with("data:") && end > 0 && !is_a_text(url) {
            out.push_str(&mark("file", None, Some(Data::Url(url))));
        } else {
            out.push_str(url);
        }
        rest = &body[end..];
    }
    let out = out?;
    Some(out + rest).filter(|out| out != text)
}

#[cfg(test)]
mod tests {
    use ::base64::{Engine as _, engine::general_purpose::STANDARD};

    use super::*;

    const ABC: &str = "3 bytes, sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad]";

    #[test]
    fn all_around_a_file_stays_as_it_came() {
        for (text, with) in [
            (
                r#" { "a" : null, "n":1.50, "image_url":"data:image/png;base64,YWJj" , "a":1}"#,
                format!(r#" {{ "a" : null, "n":1.50, "image_url":"[image image/png, {ABC}" , "a":1}}"#),
            ),
            (
                r#"{"content":[{"type":"image","mimeType":"image/png","data":"YWJj"},{"text":"YWJj"}]}"#,
                format!(
                    r#"{{"content":[{{"type":"image","mimeType":"image/png","data":"[image image/png, {ABC}"}},{{"text":"YWJj"}}]}}"#
                ),
            ),
            (
                r#"{"image":{"format":"png","source":{"bytes":"YWJj"}}}"#,
                format!(r#"{{"image":{{"format":"png","source":{{"bytes":"[file png, {ABC}"}}}}}}"#),
            ),
            (
                "see ![it](data:image/png;base64,YWJj), and data:x;base64, and ;base64,YWJj",
                format!("see ![it]([image image/png, {ABC}), and data:x;base64, and ;base64,YWJj"),
            ),
            (
                r#"["{\"url\":\"data:image\/png;base64,YWJj\"}"]"#,
                format!(r#"["{{\"url\":\"[image image/png, {ABC}\"}}"]"#),
            ),
        ] {
            assert_eq!(marked(text), with, "{text}");
        }
        for text in [
            "plain",
            "",
            "\"",
            "{}",
            r#"{"a":"data:"#,
            r#"{"a":"\"#,
            r#"{"n":12345678901234567890123,"b":"\"data:"}"#,
            r#"{"mimeType":"text/plain","data":"YWJj"}"#,
            r#"{"mimeType":"image/png","name":"YWJj"}"#,
            r#"{"encoding":"base64","sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#,
            "[1, ",
        ] {
            assert_eq!(marked(text), text);
        }
    }

    #[test]
    fn a_file_is_known_by_how_it_begins() {
        let png = format!("iVBORw0KGgo{}", "A".repeat(61));
        for json in [
            format!(r#"{{"b64_json":"{png}"}}"#),
            format!(r#"{{"whatever":["{png}"]}}"#),
            format!(r#"{{"output":"{{\"x\":\"{png}\"}}"}}"#),
        ] {
            let told = marked(&json);
            assert!(
                told.contains("[image image/png, 54 bytes, sha256:") && !told.contains("iVBOR"),
                "{told}"
            );
        }
        let binary = "/////".repeat(20);
        assert!(marked(&format!(r#"{{"data":"{binary}"}}"#)).contains("[file, 75 bytes"));
        let id = format!(r#"{{"id":"{binary}"}}"#);
        assert_eq!(marked(&id), id, "nobody says that it is a file");
        let long = "x".repeat(100_000);
        assert_eq!(marked(&long), long);
    }

    /// The redactor looks into it, as it does where the same comes by another door.
    #[test]
    fn a_text_in_base64_is_no_file() {
        let row = "Bob,4111 1111 1111 1111,DB_PASSWORD=hunter2-and-more\n";
        let (short, long) = (STANDARD.encode(row), STANDARD.encode(row.repeat(20)));
        assert!(short.len() < LONG && long.len() >= LONG);
        for text in [
            format!(r#"{{"content":"{long}"}}"#),
            format!(r#"{{"mimeType":"application/octet-stream","data":"{short}"}}"#),
            format!(r#"{{"mimeType":"application/octet-stream","data":"{long}"}}"#),
            format!(r#"{{"output":"{{\"data\":\"{long}\"}}"}}"#),
            format!("see data:text/csv;base64,{short} and data:application/octet-stream;base64,{long}"),
        ] {
            assert_eq!(marked(&text), text);
        }
        let bytes: Vec<u8> = (0..=255).cycle().take(1_000).collect();
        let (short, long) = (STANDARD.encode(&bytes[200..240]), STANDARD.encode(&bytes));
        for text in [
            format!(r#"{{"content":"{long}"}}"#),
            format!(r#"{{"whatever":"{long}"}}"#),
            format!(r#"{{"mimeType":"application/octet-stream","data":"{short}"}}"#),
            format!("see data:application/octet-stream;base64,{short}"),
            format!("see data:text/plain;base64,{short}"),
        ] {
            let told = marked(&text);
            assert!(told.contains(" bytes, sha256:") && !told.contains(&short), "{told}");
        }
    }

    #[test]
    fn depth_does_no_harm() {
        let deep = format!("{}\"data:image/png;base64,YWJj\"{}", "[".repeat(5_000), "]".repeat(5_000));
        assert_eq!(marked(&deep), deep, "too deep to be looked for");
        let _ = marked(&";base64,".repeat(50_000));
    }
}
