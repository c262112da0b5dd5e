//! The files that pages load, in the binary. Their names carry a digest, so a browser keeps them for ever.

use axum::{
    Extension,
    http::{Uri, header},
    response::IntoResponse,
};

use crate::{Problem, carried::PackedForms, problem::Code};

const STYLE: &str = include_str!("../../static/console.css");
const ICON: &str = include_str!("../../static/icon.svg");

/// FNV-1a of a file: it only has to differ when the file does.
const fn digest(text: &str) -> u64 {
    let (bytes, mut hash, mut at) = (text.as_bytes(), 0xcbf2_9ce4_8422_2325_u64, 0);
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

/// The address of the style sheet.
pub(super) fn style() -> &'static str {
    static ADDRESS: std::sync::LazyLock<String> =
        std::sync::LazyLock::new(|| format!("/console/static/{:016x}.css", digest(STYLE)));
    &ADDRESS
}

/// A file. The digest in its name is for the browser: any gives the file that there is.
pub(super) async fn file(address: Uri) -> Result<impl IntoResponse, Problem> {
    static FORMS_OF_STYLE: PackedForms = PackedForms::new();
    static FORMS_OF_ICON: PackedForms = PackedForms::new();
    let name = address.path().rsplit('/').next().unwrap_or_default();
    let (kind, text, forms) = match name.rsplit_once('.') {
        Some((_, "css")) => ("text/css; charset=utf-8", STYLE, &FORMS_OF_STYLE),
        Some(("icon", "svg")) => ("image/svg+xml", ICON, &FORMS_OF_ICON),
        _ => return Err(Problem::new(Code::RouteNotFound, "the console has no such file")),
    };
    let kept = "public, max-age=31536000, immutable";
    Ok((Extension(forms), [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, kept)], text))
}
