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

#[cfg(test)]
mod tests {
    use super::*;

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
