//! An answer that is a stream with an end, such as a bundle: it is packed as it goes, and holds a fixed part of the
//! budget of answers until it is taken or given up.
//!
//! Nobody knows its length, and no more of it is made than is taken: so a reader that is slow makes nothing wait here
//! but this. What goes wrong behind the first byte breaks it, and it has no end that could be taken for one.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use http_body::Frame;
use orchestrator::{aside::aside, budget::Share};

use super::packed::Packing;
use crate::{Problem, coding::Effort, packer::Packer};

/// What a stream holds: what is made of it at once, what was read for that, and its packer.
const HELD: usize = 16 << 20;

/// Counts and packs a stream; refuses it where there are too many answers that nobody has taken.
pub(super) fn streamed(packing: Packing, share: Share, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    if packing.may_be {
        parts.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    }
    if let Some(coding) = packing.by {
        parts.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    }
    if HttpBody::is_end_stream(&body) {
        // It is asked for by HEAD: nothing of it is made.
        return Response::from_parts(parts, body);
    }
    let mut bytes = HELD;
    while share.never_holds(bytes) {
        bytes /= 2;
    }
    if !share.holds(bytes) {
        return Problem::from(share.refuse()).into_response();
    }
    let packer = packing.by.map(|coding| Packer::begin(coding, Effort::Least, Vec::new()));
    let body = match packer.transpose() {
        Ok(None) => Body::new(Plain { body, _share: share }),
        Ok(Some(packer)) => Body::new(Packed { body, packer: Some(packer), is_begun: false, _share: share }),
        Err(err) => return Problem::internal(&err).into_response(),
    };
    Response::from_parts(parts, body)
}

/// A stream with what it holds.
struct Plain {
    body: Body,
    _share: Share,
}

impl HttpBody for Plain {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }
}

/// The same, packed.
struct Packed {
    body: Body,
    /// None once it has ended.
    packer: Option<Packer<Vec<u8>>>,
    is_begun: bool,
    _share: Share,
}

impl Packed {
    /// What is ready to be sent once this has come too.
    fn pack(&mut self, plain: &[u8]) -> io::Result<Vec<u8>> {
        let Some(packer) = &mut self.packer else { return Ok(Vec::new()) };
        packer.put(plain)?;
        if !std::mem::replace(&mut self.is_begun, true) {
            // Its reader sees at once that it has begun.
            packer.flush()?;
        }
        Ok(std::mem::take(packer.to()))
    }
}

impl HttpBody for Packed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        while this.packer.is_some() {
            let packed = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(plain) => aside(plain.len(), || this.pack(&plain)),
                    Err(_) => continue,
                },
                Some(Err(err)) => {
                    this.packer = None;
                    return Poll::Ready(Some(Err(err)));
                }
                None => this.packer.take().map_or(Ok(Vec::new()), Packer::end),
            };
            match packed {
                Ok(packed) if packed.is_empty() => {}
                Ok(packed) => return Poll::Ready(Some(Ok(Frame::data(packed.into())))),
                Err(err) => {
                    this.packer = None;
                    return Poll::Ready(Some(Err(axum::Error::new(err))));
                }
            }
        }
        Poll::Ready(None)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use axum::http::StatusCode;
    use flate2::read::MultiGzDecoder;
    use futures::stream;
    use http_body_util::BodyExt as _;
    use models::ids::TenantId;
    use orchestrator::budget::Budget;
    use uuid::Uuid;

    use super::*;
    use crate::coding::Coding;

    const TENANT: Option<TenantId> = Some(TenantId(Uuid::nil()));

    /// A stream of so many pieces, which may fail behind the last.
    fn answer(budget: &Budget, by: Option<Coding>, pieces: usize, fails: bool) -> Response {
        let pieces =
            stream::iter((0..pieces).map(Ok).chain(fails.then_some(Err(io::Error::other("it broke")))));
        let pieces = futures::TryStreamExt::map_ok(pieces, |n| format!("{n}:").repeat(30_000));
        let packing = Packing { may_be: true, by };
        streamed(packing, budget.share(TENANT), Response::new(Body::from_stream(pieces)))
    }

    fn unpacked(by: Option<Coding>, body: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        match by {
            None => plain.extend_from_slice(body),
            Some(Coding::Zstd) => zstd::stream::copy_decode(body, &mut plain).expect("it unpacks"),
            Some(Coding::Gzip) => {
                MultiGzDecoder::new(body).read_to_end(&mut plain).expect("it unpacks");
            }
        }
        plain
    }

    #[tokio::test]
    async fn a_stream_is_packed_as_it_goes_and_holds_its_part_until_it_is_taken() {
        let budget = Budget::new("answers", 4 * HELD);
        for by in [None, Some(Coding::Zstd), Some(Coding::Gzip)] {
            let due: String = (0..9).map(|n| format!("{n}:").repeat(30_000)).collect();
            let response = answer(&budget, by, 9, false);
            assert_eq!(response.headers().get("content-encoding").is_some(), by.is_some());
            assert_eq!(response.headers()["vary"], "accept-encoding");
            assert_eq!(budget.held(), HELD);
            let mut body = response.into_body();
            assert_eq!(HttpBody::size_hint(&body).exact(), None);
            let first = body.frame().await.expect("a piece").expect("no error").into_data().expect("data");
            let rest = body.collect().await.expect("the rest").to_bytes();
            assert!(!first.is_empty() && !rest.is_empty(), "{by:?}: it came before the rest");
            assert!(unpacked(by, &[first, rest].concat()) == due.as_bytes(), "{by:?}");
            assert_eq!(budget.held(), 0);
        }
    }

    #[tokio::test]
    async fn a_stream_that_breaks_has_no_end() {
        let budget = Budget::new("answers", 4 * HELD);
        for by in [None, Some(Coding::Zstd), Some(Coding::Gzip)] {
            for pieces in [0, 1, 5] {
                let mut body = answer(&budget, by, pieces, true).into_body();
                let mut came = Vec::new();
                let broke = loop {
                    match body.frame().await {
                        Some(Ok(frame)) => came.extend(frame.into_data().expect("data")),
                        Some(Err(_)) => break true,
                        None => break false,
                    }
                };
                assert!(broke, "{by:?}, {pieces}");
                if by == Some(Coding::Gzip) {
                    let mut plain = Vec::new();
                    let end = MultiGzDecoder::new(&came[..]).read_to_end(&mut plain);
                    assert!(pieces == 0 || end.is_err(), "it shows that it is cut");
                }
            }
        }
    }

    #[test]
    fn streams_that_nobody_takes_are_bounded() {
        let budget = Budget::new("answers", 4 * HELD);
        let taken: Vec<_> = (0..2).map(|_| answer(&budget, None, 1, false)).collect();
        let refused = answer(&budget, None, 1, false);
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE, "a tenant has half");
        drop((taken, refused));
        assert_eq!(budget.held(), 0);
        // Where a tenant may not hold so much, it has one stream at a time.
        let small = Budget::new("answers", HELD);
        let one = answer(&small, None, 1, false);
        assert_eq!((one.status(), small.held()), (StatusCode::OK, HELD / 2));
        assert_eq!(answer(&small, None, 1, false).status(), StatusCode::SERVICE_UNAVAILABLE);
    }

    #[test]
    fn to_head_nothing_is_made() {
        let budget = Budget::new("answers", 4 * HELD);
        let packing = Packing { may_be: true, by: Some(Coding::Gzip) };
        let response = streamed(packing, budget.share(TENANT), Response::new(Body::empty()));
        assert_eq!(response.headers()["content-encoding"], "gzip");
        assert!(HttpBody::is_end_stream(response.body()) && budget.held() == 0);
    }
}
