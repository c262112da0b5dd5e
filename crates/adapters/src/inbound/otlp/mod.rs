//! OTLP traces: protobuf or JSON in, steps out, and the answers in the same encoding.
//!
//! A span is read in three moves: `wire` turns bytes into spans, one by one, so that a bad one loses nobody else;
//! `fields` finds what the three dialects (OpenTelemetry GenAI, OpenLLMetry, OpenInference) call by different names;
//! `span` makes a step of it, with `messages` for what was said. docs/otlp.md has the tables.

mod answer;
mod fields;
mod messages;
mod operation;
mod source;
mod span;
mod value;
mod wire;

use orchestrator::ports::{RejectedSpans, ReportedSpans, SpanCodec, SpanEncoding, Unreadable};

/// Reads and answers OTLP/HTTP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Otlp;

impl SpanCodec for Otlp {
    fn decode(&self, encoding: SpanEncoding, body: &[u8]) -> Result<ReportedSpans, Unreadable> {
        let mut read = ReportedSpans::default();
        let mut resource = |resource, spans: &mut dyn Iterator<Item = Result<_, String>>| {
            let at = read.sources.len();
            read.sources.push(source::source(resource));
            for span in spans {
                match span.and_then(|span| span::step(span, at)) {
                    Ok(span) => read.spans.push(span),
                    Err(why) => read.rejected.add(|| why),
                }
            }
        };
        match encoding {
            SpanEncoding::Protobuf => wire::protobuf(body, &mut resource)?,
            SpanEncoding::Json => wire::json(body, &mut resource)?,
        }
        Ok(read)
    }

    fn answer(&self, encoding: SpanEncoding, rejected: &RejectedSpans) -> Vec<u8> {
        answer::answer(encoding, rejected)
    }

    fn refusal(&self, encoding: SpanEncoding, message: &str) -> Vec<u8> {
        answer::refusal(encoding, message)
    }
}
