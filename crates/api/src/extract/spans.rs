//! Bodies of spans: protobuf or JSON, as they are or packed with gzip.

use std::io::Read as _;

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderName, header},
};
use flate2::read::MultiGzDecoder;
use orchestrator::ports::SpanEncoding;

use super::body::{bounds, hold, read, share, too_large};
use crate::{Problem, problem::Code};

/// A body of spans, unpacked.
#[derive(Clone, Debug)]
pub(crate) struct SpanBody {
    pub(crate) encoding: SpanEncoding,
    pub(crate) bytes: Bytes,
}

impl<S: Sync> FromRequest<S> for SpanBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let encoding = encoding(request.headers())?;
        let is_packed = is_packed(request.headers())?;
        let limit = bounds(&request).span_bytes;
        let held = share(&request);
        let mut bytes = read(request, limit).await?;
        if is_packed {
            bytes = unpack(&bytes, limit)?;
            hold(held.as_ref(), bytes.len())?;
        }
        Ok(Self { encoding, bytes })
    }
}

fn encoding(headers: &HeaderMap) -> Result<SpanEncoding, Problem> {
    let given = text(headers, header::CONTENT_TYPE);
    let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/x-protobuf" | "application/protobuf" => Ok(SpanEncoding::Protobuf),
        "application/json" => Ok(SpanEncoding::Json),
        _ => {
            let given = if given.is_empty() { "not given" } else { given };
            let detail =
                format!("send `content-type: application/x-protobuf` or `application/json`; it is {given}");
            Err(Problem::new(Code::UnsupportedMediaType, detail))
        }
    }
}

fn is_packed(headers: &HeaderMap) -> Result<bool, Problem> {
    let given = text(headers, header::CONTENT_ENCODING);
    match given.trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(false),
        "gzip" | "x-gzip" => Ok(true),
        _ => {
            let detail = format!("send spans plain or with `content-encoding: gzip`; it is {given}");
            Err(Problem::new(Code::UnsupportedMediaType, detail))
        }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Stops at the limit, however much a small body would become.
fn unpack(packed: &[u8], limit: usize) -> Result<Bytes, Problem> {
    let mut bytes = Vec::with_capacity(packed.len().saturating_mul(4).min(limit));
    let most = limit as u64 + 1;
    match MultiGzDecoder::new(packed).take(most).read_to_end(&mut bytes) {
        Ok(_) if bytes.len() > limit => Err(too_large(limit)),
        Ok(_) => Ok(bytes.into()),
        Err(err) => Err(Problem::new(Code::BadRequest, format!("the body is no gzip: {err}"))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("in memory");
        encoder.finish().expect("in memory")
    }

    #[test]
    fn a_bomb_is_not_unpacked_to_its_end() {
        let bomb = packed(&vec![0; 64 << 20]);
        assert!(bomb.len() < 100_000, "{}", bomb.len());
        assert_eq!(unpack(&bomb, 1 << 20).expect_err("too large").code(), Code::BodyTooLarge);
        assert_eq!(unpack(&packed(b"spans"), 5).expect("it fits"), "spans");
        assert_eq!(unpack(&packed(b"spans"), 4).expect_err("one too many").code(), Code::BodyTooLarge);
        assert_eq!(unpack(b"spans", 10).expect_err("no gzip").code(), Code::BadRequest);
    }
}
