//! Pictures, sounds and files within what was said: a record keeps which they were, not what is in them.

use std::{borrow::Cow, fmt::Write as _};

use sha2::{Digest as _, Sha256};

use super::super::{base64::base64, value::hex};

/// How a file is given.
#[derive(Clone, Copy)]
pub(super) enum Data<'t> {
    /// Its bytes, in base64.
    Base64(&'t str),
    /// Where it is, or its bytes as a `data:` URL.
    Url(&'t str),
    /// The name by which its provider knows it.
    Id(&'t str),
}

/// The mark of a file: `[image image/png, 68 bytes, sha256:..]`, or where it is.
pub(super) fn mark(kind: &str, media_type: Option<&str>, data: Option<Data<'_>>) -> Cow<'static, str> {
    let mut media_type = media_type.map(str::trim).filter(|media_type| !media_type.is_empty());
    let data = match data {
        Some(Data::Url(url)) => match url.trim().strip_prefix("data:").and_then(|url| url.split_once(',')) {
            Some((head, body)) => {
                let of_url = head.split(';').next().filter(|of_url| !of_url.is_empty());
                media_type = of_url.or(media_type);
                Some(Data::Base64(body))
            }
            None => Some(Data::Url(url)),
        },
        other => other,
    };
    let kind = match media_type.and_then(|media_type| media_type.split_once('/')) {
        Some((of @ ("image" | "audio" | "video"), _)) => of,
        _ => kind,
    };
    let mut mark = format!("[{kind}");
    if let Some(media_type) = media_type {
        mark.extend([" ", media_type]);
    }
    match data {
        Some(Data::Base64(text)) => {
            let bytes = base64(text);
            let bytes = bytes.as_deref().unwrap_or(text.as_bytes());
            let hash = hex(&Sha256::digest(bytes));
            let _ = write!(mark, ", {} bytes, sha256:{hash}", bytes.len());
        }
        Some(Data::Url(place) | Data::Id(place)) => mark.extend([" ", place.trim()]),
        None => {}
    }
    mark.push(']');
    Cow::Owned(mark)
}

/// So long a text of nothing but the letters of base64 is a file's bytes.
const LONG: usize = 1_024;

/// JSON of a form that nobody here knows, with marks for the files in its strings.
pub(in super::super) fn marked(json: &str) -> Cow<'_, str> {
    let bytes = json.as_bytes();
    let (mut out, mut kept, mut at) = (String::new(), 0, 0);
    while let Some(quote) = bytes.get(at..).and_then(|rest| memchr::memchr(b'"', rest)) {
        let start = at + quote + 1;
        let (mut end, mut is_plain) = (start, true);
        loop {
            match bytes.get(end..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
                Some(next) if bytes[end + next] == b'"' => {
                    end += next;
                    break;
                }
                Some(next) => {
                    end += next + 2;
                    is_plain = false;
                }
                None => {
                    end = bytes.len();
                    break;
                }
            }
        }
        if is_plain && let Some(mark) = of_file(&json[start..end]) {
            out.push_str(&json[kept..start]);
            out.push_str(&mark);
            kept = end;
        }
        at = end + 1;
    }
    if kept == 0 {
        return Cow::Borrowed(json);
    }
    out.push_str(&json[kept..]);
    Cow::Owned(out)
}

/// The mark of a file that a string is, without what JSON would escape.
fn of_file(text: &str) -> Option<Cow<'static, str>> {
    if text.starts_with("data:") && text.contains(";base64,") {
        return Some(mark("file", None, Some(Data::Url(text))));
    }
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
    let has = |of: fn(&u8) -> bool| text.as_bytes().iter().any(of);
    let is_bytes = text.len() >= LONG
        && text.bytes().all(is_letter)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit);
    is_bytes.then(|| mark("file", None, Some(Data::Base64(text))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_in_the_strings_of_any_json_are_marks() {
        let abc = "3 bytes, sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad]";
        let url = r#"{"a\"":"data:image/png;base64,YWJj","n":12345678901234567890123,"b":"\"data:"}"#;
        let told =
            format!(r#"{{"a\"":"[image image/png, {abc}","n":12345678901234567890123,"b":"\"data:"}}"#);
        assert_eq!(marked(url), told);
        let bytes = format!(r#"["{}", 1]"#, "YWJj0".repeat(400));
        assert!(marked(&bytes).starts_with(r#"["[file, 1500 bytes, sha256:"#), "{}", marked(&bytes));
        for plain in
            ["", "\"", "{}", r#"{"a":"data:"#, r#"{"a":"\"#, r#"{"a":"é\é"}"#, "data:image/png;base64,YWJj"]
        {
            assert_eq!(marked(plain), plain);
        }
        let prose = format!(r#"{{"a":"{}"}}"#, "x".repeat(2_000));
        assert_eq!(marked(&prose), prose, "no file is of one letter");
    }

    #[test]
    fn a_file_is_told_by_kind_size_and_hash() {
        // Of "abc", as FIPS 180-2 has it.
        let abc = "3 bytes, sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad]";
        assert_eq!(
            mark("image", Some("image/png"), Some(Data::Base64("YWJj"))),
            format!("[image image/png, {abc}")
        );
        assert_eq!(
            mark("image", None, Some(Data::Url("data:image/gif;base64,YWJj"))),
            format!("[image image/gif, {abc}")
        );
        assert_eq!(
            mark("blob", Some("audio/wav"), Some(Data::Base64("YWJj"))),
            format!("[audio audio/wav, {abc}")
        );
        assert_eq!(
            mark("image", None, Some(Data::Url("https://h.example/a.png"))),
            "[image https://h.example/a.png]"
        );
        assert_eq!(mark("file", None, Some(Data::Id("file-1"))), "[file file-1]");
        assert_eq!(mark("image", None, None), "[image]");
        assert!(
            mark("image", None, Some(Data::Base64("no base64!"))).starts_with("[image, 10 bytes, sha256:")
        );
    }
}
