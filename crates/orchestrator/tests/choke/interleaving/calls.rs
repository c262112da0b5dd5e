//! What is asked, and what was answered. Each thing that is asked has a number, which the rows that come of it carry.

use std::fmt;

use models::{
    ids::{IncidentId, PermitId, RunId},
    incidents::IncidentFilter,
    page::PageRequest,
};
use orchestrator::{
    CallContext, Error, Spine,
    choke::call::{EndRun, EstimateRequest, PermitRequest, StartRun, StepReport},
    errors::ConflictCode,
    handlers::{activity, incidents, policies},
    ports::SpanEncoding,
};
use proof::words::StepKind;
use serde_json::{Value, json};

use super::dice::Dice;
use crate::{
    agent::{ask, llm},
    trees,
};

/// Something that is asked, once or several times: what has a key may be asked again.
pub(super) struct Asked {
    pub(super) what: What,
    pub(super) key: Option<String>,
    /// Every answer that came, in the order in which they came.
    pub(super) told: Vec<Told>,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Start,
    Permit {
        run: RunId,
        tokens: u64,
    },
    /// With the permit, by its id and the number under which it was asked for.
    Record {
        run: RunId,
        tokens: u64,
        permit: Option<(PermitId, u64)>,
    },
    Complete {
        run: RunId,
    },
    /// An exporter tells of one span of a trace: an agent that may sum up what is below it, a call that may be told of
    /// by another one, a tool. Its parent may be told already, come later or never.
    Span {
        trace: u64,
        id: u64,
        parent: u64,
        operation: &'static str,
        tokens: u64,
    },
    /// A person takes all incidents that there are, the newest first.
    Take,
    /// A person ends a run.
    Kill {
        run: RunId,
    },
    /// A person freezes the agent of all runs.
    Freeze,
    /// A person lifts that.
    Lift,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Started(RunId),
    Granted(PermitId),
    /// A step at this place: with its hash, or refused.
    Step(u64, Option<String>),
    Ended,
    /// A span is recorded, now or before, in this run.
    Reported(RunId),
    /// So many incidents were taken: whatever came in between was not there yet.
    Taken(usize),
    Killed,
    Frozen,
    Lifted,
    /// The run takes nothing any more, or its agent is frozen, or is so no longer: nothing was stored.
    Closed,
    /// It may have happened, and may not.
    Unknown(String),
    /// No order of things is an excuse for this.
    Wrong(String),
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started(run) => write!(f, "started {}", short(run)),
            Self::Granted(permit) => write!(f, "granted {}", short(permit)),
            Self::Step(index, Some(hash)) => write!(f, "step {index}, {}", &hash[..8]),
            Self::Step(index, None) => write!(f, "refused as step {index}"),
            Self::Ended => f.write_str("ended"),
            Self::Reported(run) => write!(f, "a span of {}", short(run)),
            Self::Taken(count) => write!(f, "{count} incidents taken"),
            Self::Killed => f.write_str("killed"),
            Self::Frozen => f.write_str("frozen"),
            Self::Lifted => f.write_str("lifted"),
            Self::Closed => f.write_str("the run takes nothing more"),
            Self::Unknown(why) => write!(f, "not known: {why}"),
            Self::Wrong(why) => write!(f, "WRONG: {why}"),
        }
    }
}

/// The end of an id, which tells it from all others of its seed.
fn short(id: impl fmt::Display) -> String {
    let id = id.to_string();
    id[id.len() - 10..].to_owned()
}

impl Asked {
    pub(super) fn new(what: What, key: Option<String>) -> Self {
        Self { what, key, told: Vec::new() }
    }

    /// The permit that it got.
    pub(super) fn granted(&self) -> Option<PermitId> {
        self.told.iter().find_map(|told| match told {
            Told::Granted(id) => Some(*id),
            _ => None,
        })
    }

    /// In a line, as the `number`-th thing.
    pub(super) fn in_words(&self, number: u64) -> String {
        let key = self.key.as_ref().map(|key| format!(" key {key}")).unwrap_or_default();
        format!("#{number} {}{key}", self.what.in_words())
    }
}

impl What {
    /// Whether it is for a person, and not for the agent.
    pub(super) fn is_a_persons(&self) -> bool {
        matches!(self, Self::Take | Self::Kill { .. } | Self::Freeze | Self::Lift)
    }

    fn in_words(&self) -> String {
        match self {
            Self::Start => "start".to_owned(),
            Self::Permit { run, tokens } => format!("permit {tokens} tokens in {}", short(run)),
            Self::Record { run, tokens, permit: None } => format!("record {tokens} tokens in {}", short(run)),
            Self::Record { run, tokens, permit: Some((_, asked)) } => {
                format!("record {tokens} tokens in {} with the permit of #{asked}", short(run))
            }
            Self::Complete { run } => format!("complete {}", short(run)),
            Self::Span { trace, id, parent, operation, tokens } => {
                format!("{operation} of {tokens} tokens, span {id} below {parent} of trace {trace}")
            }
            Self::Take => "take the incidents".to_owned(),
            Self::Kill { run } => format!("kill {}", short(run)),
            Self::Freeze => "freeze the agent".to_owned(),
            Self::Lift => "lift the freeze".to_owned(),
        }
    }
}

/// Asks it of a replica, and waits for the answer.
pub(super) async fn put(
    spine: Spine,
    ctx: CallContext,
    number: u64,
    what: What,
    key: Option<String>,
) -> Told {
    match what {
        What::Start => {
            let request =
                StartRun { agent_id: AGENT.to_owned(), idempotency_key: key, ..StartRun::default() };
            let started = activity::start(&spine, &ctx, request).await;
            started.map_or_else(failed, |started| Told::Started(started.run.id))
        }
        What::Permit { run, tokens } => {
            let request = PermitRequest { idempotency_key: key, ..permit(number, tokens) };
            let granted = activity::permit(&spine, &ctx, run, request).await;
            granted.map_or_else(failed, |granted| Told::Granted(granted.permit_id))
        }
        What::Record { run, tokens, permit } => {
            let report = StepReport { idempotency_key: key, ..step(number, tokens, permit) };
            let recorded = activity::record(&spine, &ctx, run, report).await;
            recorded.map_or_else(failed, |step| {
                Told::Step(step.step_index, step.step_hash.map(|hash| hash.to_string()))
            })
        }
        What::Complete { run } => activity::complete(&spine, &ctx, run, EndRun::Succeeded)
            .await
            .map_or_else(failed, |_| Told::Ended),
        What::Span { trace, id, parent, operation, tokens } => {
            let body = span(number, (trace, id, parent), operation, tokens).to_string();
            match activity::ingest(&spine, &ctx, SpanEncoding::Json, body.as_bytes()).await {
                Err(err) => failed(err),
                Ok(ingested) => match ingested.runs.first() {
                    Some(run) if ingested.rejected.count == 0 => Told::Reported(*run),
                    _ => Told::Wrong(format!("a span was not taken: {ingested:?}")),
                },
            }
        }
        What::Take => take(&spine, &ctx).await.map_or_else(failed, Told::Taken),
        What::Kill { run } => {
            let killed = activity::kill(&spine, &ctx, run, Some(kill_reason(number))).await;
            killed.map_or_else(failed, |_| Told::Killed)
        }
        What::Freeze => {
            let frozen = policies::freeze(&spine, &ctx, Some(AGENT.to_owned()), "stop".to_owned()).await;
            frozen.map_or_else(failed, |_| Told::Frozen)
        }
        What::Lift => match policies::unfreeze(&spine, &ctx, Some(AGENT.to_owned()), None).await {
            Ok(_) => Told::Lifted,
            // Another was first, or nobody has frozen it.
            Err(Error::NotFound { .. }) => Told::Closed,
            Err(err) => failed(err),
        },
    }
}

/// What an exporter sends. The number is in how long the span took.
fn span(number: u64, (trace, id, parent): (u64, u64, u64), operation: &str, tokens: u64) -> Value {
    let told = match operation {
        "execute_tool" => trees::tool("search"),
        _ => trees::usage(operation, tokens, 0),
    };
    let mut span = trees::span(trace, (id, parent), &told);
    span["startTimeUnixNano"] = json!(BEGAN.to_string());
    span["endTimeUnixNano"] = json!((BEGAN + number * 1_000_000).to_string());
    let service = json!([{ "key": "service.name", "value": { "stringValue": AGENT } }]);
    json!({ "resourceSpans": [{ "resource": { "attributes": service }, "scopeSpans": [{ "spans": [span] }] }] })
}

/// The agent of all runs.
const AGENT: &str = "researcher";

/// When every span began, in nanoseconds.
const BEGAN: u64 = 1_795_238_603_931_000_000;

/// How many traces a seed has, and how many spans each has at most.
pub(super) const TRACES: u64 = 2;
const SPANS: u64 = 7;

/// The first span of a trace: an agent's, which counts until something below it is told.
pub(super) fn first_span(trace: u64) -> What {
    What::Span { trace, id: 1, parent: 0, operation: "invoke_agent", tokens: 10 }
}

async fn take(spine: &Spine, ctx: &CallContext) -> Result<usize, Error> {
    let filter = IncidentFilter::default();
    let all = incidents::list(spine, ctx, filter, PageRequest::default()).await?.items;
    let ids: Vec<IncidentId> = all.iter().map(|incident| incident.id).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    let taken = incidents::acknowledge_many(spine, ctx, ids, None).await?;
    for one in &taken {
        one.clone().answer()?;
    }
    Ok(taken.len())
}

/// The number is in the cost that is expected, and in the parameters.
fn permit(number: u64, tokens: u64) -> PermitRequest {
    PermitRequest {
        kind: StepKind::LlmCall,
        params: Some(params(number)),
        provider: Some("openai".to_owned()),
        model: Some("gpt-4o".to_owned()),
        estimate: EstimateRequest { input_tokens: tokens, output_tokens: 0, cost_nanousd: Some(number) },
        ..ask("gpt-4o")
    }
}

/// The number is in how long the step took; its parameters are those of its permit, which must be the same.
fn step(number: u64, tokens: u64, permit: Option<(PermitId, u64)>) -> StepReport {
    let report = llm(1);
    let of_llm = report.llm.map(|mut llm| {
        (llm.input_tokens, llm.output_tokens) = (tokens, 0);
        llm
    });
    StepReport {
        llm: of_llm,
        params: Some(params(permit.map_or(number, |(_, asked)| asked))),
        permit_id: permit.map(|(id, _)| id),
        duration_ms: number,
        ..report
    }
}

/// The number is in the reason.
pub(super) fn kill_reason(number: u64) -> String {
    format!("asked as {number}")
}

pub(super) fn params(number: u64) -> String {
    format!("{{\"asked\":{number}}}")
}

fn failed(err: Error) -> Told {
    match err {
        Error::StepHalted(halted) => match (halted.recorded, halted.step_index) {
            (true, Some(index)) => Told::Step(index, None),
            (true, None) => Told::Wrong(format!("a refusal without a place: {halted:?}")),
            // From memory, while its store was not there: it is written when it can be.
            (false, _) => Told::Unknown("halted, not recorded".to_owned()),
        },
        Error::RunNotRunning { .. }
        | Error::RunKilled { .. }
        | Error::Conflict { code: ConflictCode::AgentFrozen | ConflictCode::AlreadyFrozen, .. } => {
            Told::Closed
        }
        // Spans are read for before they are recorded, and there may be no connection to read on.
        Error::Unavailable(_) | Error::CommitUnknown(_) | Error::Busy => Told::Unknown(err.to_string()),
        other => Told::Wrong(format!("{other}: {other:?}")),
    }
}

/// Something new to ask, or something to ask again: its place among all that was asked.
pub(super) fn next(dice: &mut Dice, asked: &mut Vec<Asked>, runs: &[RunId]) -> usize {
    let permits_only = dice.chance(60);
    let may_come_again = |at: &usize| {
        asked[*at].key.is_some() && (!permits_only || matches!(asked[*at].what, What::Permit { .. }))
    };
    let keyed: Vec<usize> = (0..asked.len()).filter(may_come_again).collect();
    if dice.chance(45)
        && let Some(again) = dice.pick(&keyed)
    {
        return *again;
    }
    let number = asked.len() as u64 + 1;
    let run = *dice.pick(runs).unwrap();
    let tokens = 5 * (1 + dice.roll(8));
    let plain = What::Record { run, tokens, permit: None };
    let (what, keyed) = match dice.roll(100) {
        0..28 => (What::Permit { run, tokens }, dice.chance(75)),
        28..48 => (with_permit(dice, asked).unwrap_or(plain), dice.chance(50)),
        48..64 => (plain, dice.chance(60)),
        // A span is known by its id.
        64..89 => (another_span(dice, asked).unwrap_or(plain), true),
        89..92 => (What::Start, true),
        92..94 => (What::Take, false),
        94..96 => (What::Kill { run }, false),
        96..98 => (freeze_or_lift(asked), false),
        _ => (What::Complete { run }, false),
    };
    asked.push(Asked::new(what, keyed.then(|| format!("k{number}"))));
    asked.len() - 1
}

/// What was not asked last of the two: a freeze that nobody lifts leaves little to do.
fn freeze_or_lift(asked: &[Asked]) -> What {
    let last = asked.iter().rev().find(|one| matches!(one.what, What::Freeze | What::Lift));
    if last.is_some_and(|one| matches!(one.what, What::Freeze)) { What::Lift } else { What::Freeze }
}

/// The record of what a permit was granted for: seldom one that was recorded before.
fn with_permit(dice: &mut Dice, asked: &[Asked]) -> Option<What> {
    let twice = dice.chance(10);
    let is_used = |id: PermitId| {
        asked.iter().any(|one| matches!(one.what, What::Record { permit: Some((used, _)), .. } if used == id))
    };
    let open: Vec<What> = (1..)
        .zip(asked)
        .filter_map(|(number, one)| {
            let (What::Permit { run, tokens }, Some(id)) = (&one.what, one.granted()) else { return None };
            let record = What::Record { run: *run, tokens: *tokens, permit: Some((id, number)) };
            (twice || !is_used(id)).then_some(record)
        })
        .collect();
    dice.pick(&open).cloned()
}

/// A span that nobody has told of, below any other of its trace, or one that never comes.
fn another_span(dice: &mut Dice, asked: &[Asked]) -> Option<What> {
    let of = 1 + dice.roll(TRACES);
    let is_told = |span: &u64| {
        asked.iter().any(|one| matches!(one.what, What::Span { trace, id, .. } if (trace, id) == (of, *span)))
    };
    let free: Vec<u64> = (1..=SPANS).filter(|span| !is_told(span)).collect();
    let id = *dice.pick(&free)?;
    let parent = dice.roll(SPANS + 2);
    let operation = *dice.pick(&["invoke_agent", "chat", "chat", "execute_tool"])?;
    Some(What::Span { trace: of, id, parent, operation, tokens: 5 * (1 + dice.roll(3)) })
}
