//! A long answer to who only reads is packed as its reader asks, by `Accept-Encoding`: zstd or gzip.
//!
//! It is packed whole and before it is sent. So its length is known, to `HEAD` as well, and whoever takes it slowly
//! makes the server hold its packed bytes and no packer. What a call has written is told plain: it is short, and waited
//! for.

use std::sync::OnceLock;

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, response::Parts},
    response::{IntoResponse as _, Response},
};
use http_body_util::BodyExt as _;
use orchestrator::{aside::aside, budget::Share, spine::WholeRun};

use super::{held::UNCOUNTED, packers::Packers};
use crate::{
    Problem,
    carried::{PackedForms, StaysPlain},
    coding::{Coding, Effort},
};

/// An answer that is so short is sent in one packet, packed or not.
const SHORT: u64 = 1 << 10;

/// What is not packed: a tag names one form of a thing, and what is given to one browser is nobody's to guess at.
const PLAIN_WITH: [HeaderName; 3] = [header::ETAG, header::SET_COOKIE, header::CONTENT_ENCODING];

/// Whether the answer to a request may be packed, and how its reader wants it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packing {
    pub(super) may_be: bool,
    pub(super) by: Option<Coding>,
}

impl Packing {
    /// As a request says.
    pub(super) fn of(request: &Request) -> Self {
        let headers = request.headers();
        let may_be = request.method().is_safe() && !is_from_another_site(headers);
        Self { may_be, by: may_be.then(|| wanted(headers)).flatten() }
    }

    /// Packs an answer, where that is worth it and there is a place. The plain form is counted by the share meanwhile;
    /// without room for it there may be some later. Of a whole run it may be longer than is ever held: it is packed all
    /// the same, in the place that the run was read in, of which there are few.
    pub(super) async fn pack(self, packers: &Packers, share: &Share, response: Response) -> Response {
        if !self.may_be || !is_worth_it(&response) {
            return response;
        }
        let (mut parts, body) = response.into_parts();
        parts.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
        let Some(coding) = self.by else { return Response::from_parts(parts, body) };
        let kept =
            parts.extensions.get::<&'static PackedForms>().copied().map(|forms| forms.packed_by(coding));
        if let Some(packed) = kept.and_then(OnceLock::get) {
            return answer(coding, parts, packed.clone());
        }
        let length = usize::try_from(HttpBody::size_hint(&body).lower()).unwrap_or(usize::MAX);
        let is_counted = length <= UNCOUNTED || share.takes(length);
        let place = is_counted.then(|| packers.place()).flatten();
        let in_its_own =
            || !is_counted && share.never_holds(length) && parts.extensions.get::<WholeRun>().is_some();
        if place.is_none() && !in_its_own() {
            return Response::from_parts(parts, body);
        }
        // Its length is known, so all of it is there: this waits for nothing.
        let plain = match body.collect().await {
            Ok(all) => all.to_bytes(),
            Err(err) => return Problem::internal(&err).into_response(),
        };
        match aside(plain.len(), || coding.pack(&plain, Effort::Least)) {
            Ok(packed) => {
                let packed = Bytes::from(packed);
                if let Some(kept) = kept {
                    kept.get_or_init(|| packed.clone());
                }
                answer(coding, parts, packed)
            }
            Err(err) => {
                tracing::warn!(error = &err as &dyn std::error::Error, "an answer could not be packed");
                Response::from_parts(parts, Body::from(plain))
            }
        }
    }
}

/// An answer that was packed so.
fn answer(coding: Coding, mut parts: Parts, packed: Bytes) -> Response {
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    Response::from_parts(parts, Body::from(packed))
}

/// A stream has no length that is known: of events it has no end either, and another is packed as it goes. A problem is
/// short, and is written later.
fn is_worth_it(response: &Response) -> bool {
    let length = HttpBody::size_hint(response.body()).exact();
    response.status() == StatusCode::OK
        && length.is_some_and(|length| length > SHORT)
        && response.extensions().get::<StaysPlain>().is_none()
        && !PLAIN_WITH.into_iter().any(|name| response.headers().contains_key(name))
}

/// Whether another site made a browser ask. Who sees how long an answer is, and may choose words of the question that
/// stand in it, would guess by its length what else does.
fn is_from_another_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}

/// What a reader likes best of what there is (RFC 9110, 12.5.3). Who refuses plain answers too gets one: to who only
/// reads that is no harm. Any coding is gzip, which more programs know.
fn wanted(headers: &HeaderMap) -> Option<Coding> {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let named: Vec<(&str, f32)> = lines.flat_map(|line| line.split(',')).filter_map(weighed).collect();
    let weight = |wanted: &str| {
        let of = named.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        of.map(|(_, weight)| *weight)
    };
    let zstd = weight("zstd").unwrap_or_default();
    let gzip = weight("gzip").or_else(|| weight("x-gzip")).or_else(|| weight("*")).unwrap_or_default();
    let plain = weight("identity").unwrap_or_default();
    if plain > zstd.max(gzip) || zstd.max(gzip) <= 0.0 {
        return None;
    }
    Some(if zstd >= gzip { Coding::Zstd } else { Coding::Gzip })
}

/// One of the names in the header, with its weight, from 0 to 1; none where that cannot be read.
fn weighed(item: &str) -> Option<(&str, f32)> {
    let (name, weight) = item.split_once(';').unwrap_or((item, "q=1"));
    let weight: f32 = weight.trim().strip_prefix(['q', 'Q'])?.strip_prefix('=')?.parse().ok()?;
    (0.0..=1.0).contains(&weight).then_some((name.trim(), weight))
}

#[cfg(test)]
mod tests {
    use axum::Extension;
    use orchestrator::budget::Budget;

    use axum::response::IntoResponse;

    use super::*;
    use crate::edge::held::counted;

    const LONG: usize = 200_000;

    async fn packed_by(packers: &Packers, share: &Share, answer: impl IntoResponse) -> Response {
        let packing = Packing { may_be: true, by: Some(Coding::Gzip) };
        packing.pack(packers, share, answer.into_response()).await
    }

    fn is_packed(answer: &Response) -> bool {
        answer.status() == StatusCode::OK && answer.headers().contains_key(header::CONTENT_ENCODING)
    }

    #[tokio::test]
    async fn what_never_changes_is_packed_once_and_all_else_where_there_is_a_place() {
        static FORMS: PackedForms = PackedForms::new();
        let text = "word ".repeat(LONG / 5);
        let share = Budget::new("answers", 2 * LONG).share(None);
        let full = Packers::of(0);
        let fixed = || (Extension(&FORMS), text.clone());
        let first = packed_by(&full, &share, fixed()).await;
        assert!(
            first.status() == StatusCode::OK && !is_packed(&first),
            "there is no place, and plain is right"
        );
        assert!(first.headers().contains_key(header::VARY), "a cache keeps them apart");
        assert!(share.holds(0), "it is given back");
        assert!(is_packed(&packed_by(&Packers::of(1), &share, fixed()).await));
        assert!(share.holds(0), "it is given back");
        assert!(is_packed(&packed_by(&full, &share, fixed()).await), "no place is needed any more");
        assert!(!is_packed(&packed_by(&full, &share, text.clone()).await), "what may change is another's");
    }

    #[tokio::test]
    async fn an_answer_is_counted_while_it_is_packed_and_stays_plain_where_it_cannot_be() {
        let (answers, packers) = (Budget::new("answers", LONG), Packers::of(1));
        let share = answers.share(None);
        let answer = packed_by(&packers, &share, "a".repeat(LONG)).await;
        assert!(is_packed(&answer));
        assert_eq!(answers.held(), LONG, "as long as it was packed");
        drop(counted(share, true, answer));
        assert_eq!(answers.held(), 0);
        let other = answers.share(None);
        assert!(other.takes(1));
        for (length, comes_again) in [(LONG, true), (LONG + 1, false)] {
            let share = answers.share(None);
            let answer = packed_by(&packers, &share, "a".repeat(length)).await;
            assert!(!is_packed(&answer), "{length}: nothing is packed that is refused");
            let answer = counted(share, true, answer);
            let problem = answer.extensions().get::<Problem>().expect("it is refused at once");
            assert_eq!(problem.headers().contains_key("retry-after"), comes_again, "{length}");
        }
    }

    #[test]
    fn a_reader_gets_what_it_likes_best() {
        let (zstd, gzip) = (Some(Coding::Zstd), Some(Coding::Gzip));
        let cases: [(&[&str], Option<Coding>); 18] = [
            (&[], None),
            (&[""], None),
            (&["gzip, deflate, br, zstd"], zstd),
            (&["gzip, deflate, br"], gzip),
            (&["gzip", "ZSTD"], zstd),
            (&["zstd;q=0.5, gzip ; q=0.8"], gzip),
            (&["x-gzip"], gzip),
            (&["*"], gzip),
            (&["*;q=0.5, gzip;q=0"], None),
            (&["zstd, *;q=0"], zstd),
            (&["identity"], None),
            (&["identity;q=1, gzip;q=0.5"], None),
            (&["identity;q=0.5, gzip;q=1"], gzip),
            (&["identity;q=0"], None),
            (&["zstd;q=0, gzip;q=0.0"], None),
            (&["br"], None),
            (&["zstd;q=2, gzip;q=NaN"], None),
            (&["zstd;level=3"], None),
        ];
        for (given, best) in cases {
            let mut headers = HeaderMap::new();
            for line in given {
                headers.append(header::ACCEPT_ENCODING, line.parse().expect("a value"));
            }
            assert_eq!(wanted(&headers), best, "{given:?}");
        }
    }
}
