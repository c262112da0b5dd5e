//! Spans as an exporter sends them, each about 4 kB of a model's conversation.

use super::{bodies::Bodies, http::Client, load::Outcome, otlp};

/// Spans of a request as SDKs send them: what a batch processor has after some seconds.
pub(super) const REQUEST: usize = 20;

/// Spans of a large request: an SDK's batch processor sends at most 512.
pub(super) const LARGE_REQUEST: usize = 500;

/// Spans of an ordinary run.
const RUN: usize = 20;

/// Bytes of the two texts of a span; with its other attributes it has about 4 kB.
const TEXT: usize = 1_850;

const PATH: &str = "/v1/traces";
const PROTOBUF: &str = "application/x-protobuf";

/// Requests of one exporter, no two alike.
pub(super) struct Exporter {
    bodies: Bodies,
    body: Vec<u8>,
}

impl Exporter {
    /// Other spans for each seed.
    pub(super) fn new(seed: usize) -> Self {
        Self { bodies: Bodies::new(4_000 + seed), body: Vec::new() }
    }

    /// An id that no other trace has.
    pub(super) fn trace(&mut self) -> u128 {
        self.bodies.id()
    }

    /// A request of so many spans, in whole runs of 20 each.
    pub(super) fn runs(&mut self, spans: usize) -> &[u8] {
        let traces: Vec<u128> = (0..spans.div_ceil(RUN)).map(|_| self.trace()).collect();
        self.request((0..spans).map(|at| (traces[at / RUN], at % RUN)))
    }

    /// A request of the `count` spans of a trace that come after the first `from`.
    pub(super) fn part(&mut self, trace: u128, from: usize, count: usize) -> &[u8] {
        self.request((from..from + count).map(|at| (trace, at)))
    }

    fn request(&mut self, spans: impl Iterator<Item = (u128, usize)>) -> &[u8] {
        let Self { bodies, body } = self;
        let calls = spans.map(|(trace, at)| {
            let (prompt, response) = (bodies.text(TEXT), bodies.text(TEXT));
            otlp::call(trace, at, &prompt, &response)
        });
        otlp::request(body, calls);
        body
    }
}

/// Sends a request and counts its spans.
pub(super) fn export(client: &mut Client, body: &[u8], spans: usize) -> anyhow::Result<Outcome> {
    let answer = client.post_as(PATH, PROTOBUF, body)?;
    // An answer without a word is full success: a partial one would say what was rejected.
    let whole = answer.status == 200 && answer.body.is_empty();
    Ok(if whole { Outcome::Done(spans) } else { Outcome::Other(answer.status, answer.text()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_holds_whole_runs_of_spans_of_four_kilobytes() {
        let mut exporter = Exporter::new(0);
        for spans in [REQUEST, LARGE_REQUEST] {
            let length = exporter.runs(spans).len();
            assert!((3_800..4_400).contains(&(length / spans)), "{length} bytes");
        }
        let first = exporter.runs(REQUEST).to_vec();
        assert_ne!(first, exporter.runs(REQUEST));
    }
}
