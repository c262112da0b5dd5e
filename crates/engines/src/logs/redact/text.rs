//! Plain text, scanned until a scan finds nothing more.

use rules::facts::SecretKind;

use super::{
    detectors::DETECTORS,
    encoded::{self, Inner},
    findings::{Class, Found},
    unveil::unveil,
};

/// After so many scans a text that still changes was made to evade.
const MAX_SCANS: usize = 8;

/// The text without what must not be stored; `None` if there is nothing to remove. Where only the text as it reads in
/// the end holds something, that is what is left. `inner` redacts what is encoded in it.
pub(super) fn clean(text: &str, found: &mut Found, inner: Inner) -> Option<String> {
    let before = found.mark();
    let mut cleaned: Option<String> = None;
    for _ in 0..MAX_SCANS {
        let now = cleaned.as_deref().unwrap_or(text);
        let next = scan(now, found, inner)
            .or_else(|| unveil(now).and_then(|unveiled| scan(&unveiled, found, inner)));
        match next {
            Some(next) => cleaned = Some(next),
            None => return cleaned,
        }
    }
    found.back_to(before);
    let class = Class::Secret(SecretKind::Secret);
    found.add(class, text);
    Some(class.marker())
}

fn scan(text: &str, found: &mut Found, inner: Inner) -> Option<String> {
    let mut cleaned: Option<String> = None;
    for detector in DETECTORS.of(text) {
        let changed = detector.apply(cleaned.as_deref().unwrap_or(text), found);
        cleaned = changed.or(cleaned);
    }
    let decoded = encoded::apply(cleaned.as_deref().unwrap_or(text), found, inner);
    decoded.or(cleaned)
}
