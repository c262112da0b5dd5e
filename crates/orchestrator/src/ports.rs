//! The outside world, as L4 needs it. L3 implements these.

use std::io;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::Value;

pub use self::outside::{
    CheckpointSink, Depth, Grown, Kept, OutsideCheckpoint, OutsideLog, SinkError, Stands, Statement,
};
use crate::{
    errors::told,
    report::{LlmReport, OtherSide, PartOf},
};

mod outside;

/// Keeps what was answered while the store was down, until the store has it. One process writes to it.
#[async_trait]
pub trait Spool: Send + Sync {
    /// The lines that an earlier process left, oldest first.
    async fn left(&self) -> io::Result<Vec<Vec<u8>>>;

    /// Adds a line, which holds no line break; returns when it is durable.
    async fn append(&self, line: Vec<u8>) -> io::Result<()>;

    /// So many of the lines are of no use any more. When that is all of them, none is kept.
    async fn written(&self, lines: usize) -> io::Result<()>;

    /// Keeps a line apart, for a person to look at: no store takes it.
    async fn set_aside(&self, line: Vec<u8>) -> io::Result<()>;

    /// Takes back what was kept apart, where that is not much, to be tried again: it is among the lines that are left.
    async fn take_back(&self) -> io::Result<Vec<Vec<u8>>>;
}

/// How a request of an exporter of spans is written, and so its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanEncoding {
    /// `application/x-protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

/// Who exported spans: what a run that begins with one of them is opened with, and what it says of all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanSource {
    /// The agent. Not empty.
    pub agent_id: String,
    /// The project it belongs to.
    pub project_id: Option<String>,
    /// JSON text: what the exporter says of itself.
    pub environment: Option<String>,
    /// Whose conversation its spans are of, where they do not say it themselves.
    pub part_of: PartOf,
}

/// JSON that an outside format holds as a text, by the one reader of every door. None where it is nothing that a door
/// lets in: a member is there twice, values are nested too deep, a number is infinite to a computer.
#[must_use]
pub fn json_of(text: &str) -> Option<Value> {
    engines::logs::redact::read_json(text).ok()
}

/// Whether JSON holds nothing: no text, no number, no yes or no, however deep.
#[must_use]
pub fn holds_nothing(json: &Value) -> bool {
    match json {
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(items) => items.iter().all(holds_nothing),
        Value::Object(members) => members.values().all(holds_nothing),
    }
}

/// What a call to a model is for, by the word that its skill's name ends with.
pub type CallClass = proof::words::CallClass;

/// What a span did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanAct {
    /// A call to a model.
    ModelCall,
    /// A call of a tool.
    ToolCall,
    /// The same, as the server tells of it that the tool is on: the client may tell of it too.
    ToolServer,
    /// A search for what the model is to know.
    Retrieval,
    /// A call over HTTP.
    HttpCall,
    /// A change of what goes in or came out.
    Transform,
    /// Anything else; agents and chains, which sum up what their children did.
    Other,
}

/// One span, which is one step.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportedSpan {
    /// The trace, which is the run: 32 lower-case hex digits.
    pub trace_id: String,
    /// Its own id: 16 lower-case hex digits.
    pub span_id: String,
    /// Its parent's. The root has none, and its end is the run's.
    pub parent_span_id: Option<String>,
    /// Its parent is in another process, which may export to nobody here.
    pub parent_is_remote: bool,
    /// Position in [`ReportedSpans::sources`].
    pub source: usize,
    /// What it did.
    pub act: SpanAct,
    /// With which tool or model.
    pub skill_name: String,
    /// JSON text of what went in.
    pub params: Option<String>,
    /// JSON text of what came out, or why it failed.
    pub outcome_data: Option<String>,
    /// The kind of failure, where it failed.
    pub failure: Option<String>,
    /// The model's call, where it was one: only then what it used counts.
    pub llm: Option<LlmReport>,
    /// When it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// How long it took.
    pub duration_ms: u64,
    /// Something of it could not be read, or not whole.
    pub cut: bool,
    /// It is a tool's call, and nothing by a name that is known says what it was called with.
    pub arguments_untold: bool,
    /// What it says by itself of its run.
    pub part_of: PartOf,
    /// Whether the body tells of the other side of the same call. Told by nobody: found in the body.
    pub other_side: OtherSide,
}

impl ReportedSpan {
    /// Whether it does not tell what went in, whatever else it tells.
    pub(crate) fn tells_no_params(&self) -> bool {
        self.params.as_deref().is_none_or(|params| json_of(params).as_ref().is_some_and(holds_nothing))
    }

    /// About how many bytes it holds.
    pub(crate) fn weight(&self) -> usize {
        let texts = [&self.params, &self.outcome_data, &self.failure, &self.parent_span_id];
        let own = self.trace_id.len() + self.span_id.len() + self.skill_name.len();
        let of_llm = self.llm.as_ref().map_or(0, LlmReport::weight);
        let lengths: usize = texts.into_iter().flatten().map(String::len).sum();
        size_of::<Self>() + own + lengths + of_llm
    }
}

/// What an exporter sent, in its order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReportedSpans {
    /// Who sent.
    pub sources: Vec<SpanSource>,
    /// The spans that can be steps.
    pub spans: Vec<ReportedSpan>,
    /// Those that cannot.
    pub rejected: RejectedSpans,
}

/// Spans that were not taken, with the reasons of the first few.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RejectedSpans {
    /// How many.
    pub count: u64,
    /// Why, in words.
    pub reasons: Vec<String>,
}

impl RejectedSpans {
    /// So many reasons are told; more would make the answer longer than the request.
    const TOLD: usize = 5;

    /// Rejects one more. The reason may quote what was sent: it is told as every error is, and a store takes it.
    pub fn add(&mut self, why: impl FnOnce() -> String) {
        self.count += 1;
        if self.reasons.len() < Self::TOLD {
            self.reasons.push(told(&why()).replace('\0', "\u{fffd}"));
        }
    }

    /// Rejects those of another request too. A reason that is told already is not told again.
    pub(crate) fn add_all(&mut self, more: Self) {
        self.count += more.count;
        let room = Self::TOLD.saturating_sub(self.reasons.len());
        let new = more.reasons.into_iter().filter(|why| !self.reasons.contains(why)).take(room);
        let new: Vec<String> = new.collect();
        self.reasons.extend(new);
    }

    /// The reasons as one text; empty where nothing was rejected.
    #[must_use]
    pub fn message(&self) -> String {
        let untold = self.count.saturating_sub(self.reasons.len() as u64);
        let more = if untold > 0 { format!("; and {untold} more") } else { String::new() };
        format!("{}{more}", self.reasons.join("; "))
    }
}

/// The body is not what its content type says.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

/// Reads what exporters of spans send, whatever dialect they speak, and writes what they are answered.
pub trait SpanCodec: Send + Sync {
    /// The spans of a body. One that is no step is rejected; it does not stand in its neighbours' way.
    fn decode(&self, encoding: SpanEncoding, body: &[u8]) -> Result<ReportedSpans, Unreadable>;

    /// The answer when all but `rejected` were recorded.
    fn answer(&self, encoding: SpanEncoding, rejected: &RejectedSpans) -> Vec<u8>;

    /// The answer to a body that cannot be read.
    fn refusal(&self, encoding: SpanEncoding, message: &str) -> Vec<u8>;
}
