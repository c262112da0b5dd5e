//! Spans as an exporter sends them: OTLP requests in protobuf, each span about 4 kB of a model's conversation.

use super::{
    bodies::Bodies,
    http::Client,
    load::Outcome,
    server::{Bench, timed},
    stats::number,
};
use anyhow::{Context as _, ensure};
use std::time::Duration;

/// Spans of one request: what an SDK's batch processor sends at most is 512.
pub(super) const REQUEST: usize = 500;

/// Spans of an ordinary run.
const RUN: usize = 20;

/// Bytes of the two texts of a span; with its other attributes it has about 4 kB.
const TEXT: usize = 1_850;

const PATH: &str = "/v1/traces";
const PROTOBUF: &str = "application/x-protobuf";

/// One trace, from its first span to being readable, and read back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trace {
    pub(super) spans: usize,
    pub(super) ingested: Duration,
    pub(super) read: Duration,
}

/// Requests of one exporter, no two alike.
pub(super) struct Exporter {
    bodies: Bodies,
    body: Vec<u8>,
}

impl Exporter {
    pub(super) fn new(seed: usize) -> Self {
        Self { bodies: Bodies::new(4_000 + seed), body: Vec::new() }
    }

    /// A request of whole runs of 20 spans each.
    pub(super) fn runs(&mut self) -> &[u8] {
        let traces: Vec<u128> = (0..REQUEST / RUN).map(|_| self.bodies.id()).collect();
        self.request((0..REQUEST).map(|at| (traces[at / RUN], at % RUN)))
    }

    /// A request of the `count` spans of a trace that come after the first `from`.
    fn part(&mut self, trace: u128, from: usize, count: usize) -> &[u8] {
        self.request((from..from + count).map(|at| (trace, at)))
    }

    fn request(&mut self, spans: impl Iterator<Item = (u128, usize)>) -> &[u8] {
        let mut of_scope = Vec::new();
        for (trace, at) in spans {
            let span = self.span(trace, at);
            message(&mut of_scope, 2, &span);
        }
        let mut of_resource = Vec::new();
        let mut resource = Vec::new();
        attribute(&mut resource, 1, "service.name", &Value::Text("bench-agent"));
        message(&mut of_resource, 1, &resource);
        message(&mut of_resource, 2, &of_scope);
        self.body.clear();
        message(&mut self.body, 1, &of_resource);
        &self.body
    }

    /// A call to a model, under the trace's first span.
    fn span(&mut self, trace: u128, at: usize) -> Vec<u8> {
        let (prompt, response) = (self.bodies.text(TEXT), self.bodies.text(TEXT));
        let at = at as u64 + 1;
        let begin = 1_790_000_000_000_000_000 + at * 1_000_000_000;
        let mut span = Vec::with_capacity(4_500);
        message(&mut span, 1, &trace.to_be_bytes());
        message(&mut span, 2, &at.to_be_bytes());
        if at > 1 {
            message(&mut span, 4, &1_u64.to_be_bytes());
        }
        message(&mut span, 5, b"chat gpt-4o-mini");
        tag(&mut span, 6, 0);
        varint(&mut span, 3);
        fixed(&mut span, 7, begin);
        fixed(&mut span, 8, begin + 700_000_000);
        let attributes = [
            ("gen_ai.operation.name", Value::Text("chat")),
            ("gen_ai.provider.name", Value::Text("openai")),
            ("gen_ai.request.model", Value::Text("gpt-4o-mini")),
            ("gen_ai.response.finish_reasons", Value::Text("stop")),
            ("gen_ai.usage.input_tokens", Value::Count(420)),
            ("gen_ai.usage.output_tokens", Value::Count(380)),
            ("gen_ai.usage.cost", Value::Text("0.000291")),
            ("gen_ai.input.messages", Value::Text(&prompt)),
            ("gen_ai.output.messages", Value::Text(&response)),
        ];
        for (key, value) in &attributes {
            attribute(&mut span, 9, key, value);
        }
        span
    }
}

/// Sends a request and counts its spans.
pub(super) fn export(client: &mut Client, body: &[u8], spans: usize) -> anyhow::Result<Outcome> {
    let answer = client.post_as(PATH, PROTOBUF, body)?;
    // An answer without a word is full success: a partial one would say what was rejected.
    let whole = answer.status == 200 && answer.body.is_empty();
    Ok(if whole { Outcome::Done(spans) } else { Outcome::Other(answer.status, answer.text()) })
}

/// Sends one trace of so many spans, waits until it can be read, and reads it.
pub(super) fn trace(bench: &Bench<'_>, spans: usize) -> anyhow::Result<Trace> {
    let mut client = bench.server.client(bench.agent);
    let mut exporter = Exporter::new(9_000);
    let trace = exporter.bodies.id();
    let (mut sent, mut took) = (0, Duration::ZERO);
    while sent < spans {
        let count = REQUEST.min(spans - sent);
        let body = exporter.part(trace, sent, count);
        let (outcome, time) = timed(|| export(&mut client, body, count))?;
        let outcome = bench.counted(outcome, body.len());
        ensure!(matches!(outcome, Outcome::Done(_)), "a part of a long trace was not taken");
        took += time;
        sent += count;
    }
    let (run, found) = timed(|| newest_run(&mut client, spans))?;
    let (read, reading) = timed(|| steps(&mut client, &run))?;
    ensure!(read == spans, "{read} of {spans} spans could be read");
    Ok(Trace { spans, ingested: took + found, read: reading })
}

fn newest_run(client: &mut Client, spans: usize) -> anyhow::Result<String> {
    let list = client.get("/api/v1/runtime/activity/runs?limit=1")?.expect(200)?.json()?;
    let run = &list["items"][0];
    ensure!(run["step_count"] == spans, "the newest run has {} steps, not {spans}", run["step_count"]);
    Ok(run["run_id"].as_str().context("a run has an id")?.to_owned())
}

fn steps(client: &mut Client, run: &str) -> anyhow::Result<usize> {
    let (mut read, mut cursor) = (0, String::new());
    loop {
        let path = format!("/api/v1/runtime/activity/runs/{run}/steps?limit=200{cursor}");
        let page = client.get(&path)?.expect(200)?.json()?;
        read += page["items"].as_array().map_or(0, Vec::len);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(read),
        }
    }
}

impl Trace {
    /// For a person who waits.
    pub(super) fn line(&self) -> String {
        let per_second = number(self.spans) / self.ingested.as_secs_f64();
        format!(
            "a trace of {} spans: readable after {:.2} s ({per_second:.0} spans/s), read in {:.0} ms",
            self.spans,
            self.ingested.as_secs_f64(),
            self.read.as_secs_f64() * 1_000.0
        )
    }
}

enum Value<'a> {
    Text(&'a str),
    Count(u64),
}

/// A `KeyValue` in field `number`.
fn attribute(out: &mut Vec<u8>, number: u32, key: &str, value: &Value<'_>) {
    let mut any = Vec::new();
    match value {
        Value::Text(text) => message(&mut any, 1, text.as_bytes()),
        Value::Count(count) => {
            tag(&mut any, 3, 0);
            varint(&mut any, *count);
        }
    }
    let mut pair = Vec::with_capacity(key.len() + any.len() + 8);
    message(&mut pair, 1, key.as_bytes());
    message(&mut pair, 2, &any);
    message(out, number, &pair);
}

/// A field of bytes: a message, a text, an id.
fn message(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    tag(out, number, 2);
    varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn fixed(out: &mut Vec<u8>, number: u32, value: u64) {
    tag(out, number, 1);
    out.extend_from_slice(&value.to_le_bytes());
}

fn tag(out: &mut Vec<u8>, number: u32, wire: u64) {
    varint(out, u64::from(number) << 3 | wire);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_protobuf_writes_them() {
        let mut out = Vec::new();
        tag(&mut out, 9, 2);
        varint(&mut out, 300);
        fixed(&mut out, 7, 1);
        assert_eq!(out, [0x4a, 0xac, 0x02, 0x39, 1, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_request_holds_whole_runs_of_spans_of_four_kilobytes() {
        let mut exporter = Exporter::new(0);
        let length = exporter.runs().len();
        assert!((3_800..4_400).contains(&(length / REQUEST)), "{length} bytes");
        let first = exporter.runs().to_vec();
        assert_ne!(first, exporter.runs());
    }
}
