//! OTLP traces: protobuf or JSON in, steps out, and the answers in the same encoding.
//!
//! A span is read in three moves: `wire` turns bytes into spans, one by one, so that a bad one loses nobody else;
//! `fields` finds what the three dialects (OpenTelemetry GenAI, OpenLLMetry, OpenInference) call by different names;
//! `span` makes a step of it, with `model` for a model's call and `messages` for what was said. docs/otlp.md has the
//! tables.

mod answer;
mod anthropic;
mod arguments;
mod base64;
mod failure;
mod field;
mod fields;
mod http;
mod langfuse;
mod literal;
mod lossy;
mod messages;
mod model;
mod names;
mod nothing;
mod operation;
mod reader;
mod served;
mod source;
mod span;
mod tier;
mod usage;
mod value;
mod wire;

use orchestrator::ports::{RejectedSpans, ReportedSpans, SpanCodec, SpanEncoding, SpanSource, Unreadable};

/// The most spans of one request. A span of thirty bytes becomes a step of a thousand, so a bound on the bytes of a
/// body is none on what is read of it. Exporters send a few hundred at a time, the Collector 8,192.
const MOST_SPANS: usize = 32_768;

/// Reads and answers OTLP/HTTP.
#[derive(Clone, Copy, Debug, Default)]
pub struct Otlp;

impl SpanCodec for Otlp {
    fn decode(&self, encoding: SpanEncoding, body: &[u8]) -> Result<ReportedSpans, Unreadable> {
        let mut steps = Steps::default();
        match encoding {
            SpanEncoding::Protobuf => wire::protobuf(body, &mut steps)?,
            SpanEncoding::Json => wire::json(&wire::text(body)?, &mut steps)?,
        }
        if steps.are_too_many {
            let why = format!("it has more than {MOST_SPANS} spans: send them in several requests");
            return Err(Unreadable(why));
        }
        Ok(steps.read)
    }

    fn answer(&self, encoding: SpanEncoding, rejected: &RejectedSpans) -> Vec<u8> {
        answer::answer(encoding, rejected)
    }

    fn refusal(&self, encoding: SpanEncoding, message: &str) -> Vec<u8> {
        answer::refusal(encoding, message)
    }
}

/// Makes steps of what is read.
#[derive(Default)]
struct Steps {
    read: ReportedSpans,
    /// How many spans had their source when the last one was told.
    told: usize,
    /// There are more spans than are read.
    are_too_many: bool,
}

impl<'b> wire::Sink<'b> for Steps {
    fn span(&mut self, span: Result<wire::Span<'b>, String>) {
        if self.read.spans.len() >= MOST_SPANS {
            self.are_too_many = true;
            return;
        }
        match span.and_then(|span| span::step(span, self.read.sources.len())) {
            Ok(step) => self.read.spans.push(step),
            Err(why) => self.read.rejected.add(|| why),
        }
    }

    fn resource(&mut self, attributes: Vec<wire::Attribute<'b>>) {
        // A body may hold millions of resources without a span.
        if self.read.spans.len() > self.told {
            let source = source::source(&attributes);
            // A process for each conversation says once for all its spans which it is.
            let part_of = span::part_of(&fields::Fields::of(attributes));
            self.read.sources.push(SpanSource { part_of, ..source });
            self.told = self.read.spans.len();
        }
    }
}
