//! Spans of outside tracers: one trace is one run, one span is one step, through the choke point like every step.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use models::ids::RunId;
use proof::words::{StepKind, StepStatus, WayIn};

use super::{sides::find_sides, sources::Sources, span_order::sums_last};
use crate::{
    aside::aside,
    choke::{
        Done, MAX_GROUP,
        call::StepReport,
        prepare::{Call, Missing, fit::Fit},
    },
    consequences::{author::SystemCaller, rejected},
    context::CallContext,
    errors::{Error, told},
    handlers::account,
    ports::{RejectedSpans, ReportedSpan, ReportedSpans, SpanAct, SpanEncoding},
    report::{LlmReport, PartOf},
    spine::Spine,
};

/// What became of the spans of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ingested {
    /// How many were recorded now.
    pub recorded: u64,
    /// How many were recorded before.
    pub known: u64,
    /// Those that were not taken.
    pub rejected: RejectedSpans,
    /// The runs that they are of.
    pub runs: BTreeSet<RunId>,
}

/// `activity.ingest`: records what an exporter of spans sent. Gives what became of them, once all that can be are
/// committed; a body sent again changes nothing.
#[tracing::instrument(name = "activity.ingest", skip_all, fields(tenant = %ctx.tenant.id))]
pub async fn ingest(
    spine: &Spine,
    ctx: &CallContext,
    encoding: SpanEncoding,
    body: &[u8],
) -> Result<Ingested, Error> {
    let way_in = match encoding {
        SpanEncoding::Json => WayIn::OtlpJson,
        SpanEncoding::Protobuf => WayIn::OtlpProtobuf,
    };
    take(spine, ctx, way_in, encoding, body).await
}

/// The same for the tenant of a slug, by who has the store itself: spans that were kept in a file.
#[tracing::instrument(name = "activity.ingest", skip_all, fields(slug))]
pub async fn ingest_as(
    spine: &Spine,
    caller: &SystemCaller,
    slug: &str,
    encoding: SpanEncoding,
    body: &[u8],
) -> Result<Ingested, Error> {
    let ctx = account::without_a_key(spine, caller, slug).await?;
    take(spine, &ctx, WayIn::File, encoding, body).await
}

/// Tells people of a body of spans that is refused whole: an exporter does not send it again, and says so to nobody.
/// How many spans were in it is not known; it is told as one.
pub async fn refuse_spans(spine: &Spine, ctx: &CallContext, why: &str) {
    let mut refused = RejectedSpans::default();
    refused.add(|| format!("a body was refused with all that was in it: {why}"));
    rejected::tell(spine, ctx, &refused).await;
}

async fn take(
    spine: &Spine,
    ctx: &CallContext,
    way_in: WayIn,
    encoding: SpanEncoding,
    body: &[u8],
) -> Result<Ingested, Error> {
    let decoded = aside(body.len(), || spine.span_codec().decode(encoding, body));
    let ReportedSpans { sources, mut spans, rejected } = match decoded {
        Ok(reported) => reported,
        Err(err) => {
            let why = told(&err.0);
            // Who imports a file is told by the command.
            if !matches!(way_in, WayIn::File) {
                refuse_spans(spine, ctx, &why).await;
            }
            return Err(Error::Unreadable(why));
        }
    };
    // Beside the body that they were read of: small spans become far more than they were.
    let read = spine.bodies().share(Some(ctx.tenant.id));
    read.take(spans.iter().map(ReportedSpan::weight).sum())?;
    let sources = Sources::of(sources);
    let Traces { runs, mut refused } = runs_of(spine, ctx, way_in, body.len(), &spans, &sources).await?;
    if runs.is_empty()
        && let Some((_, err)) = refused.pop_first()
    {
        // Nothing of the body is the caller's to report: an exporter tells an error, and hides a partial success.
        return Err(err);
    }
    find_sides(&mut spans);
    sums_last(&mut spans);
    let mut ingested = Ingested { rejected, runs: runs.values().copied().collect(), ..Ingested::default() };
    let mut rest = spans.into_iter().peekable();
    while rest.peek().is_some() {
        let some: Vec<ReportedSpan> = rest.by_ref().take(MAX_GROUP).collect();
        let rejected = &mut ingested.rejected;
        let calls = aside(body.len(), || calls(ctx, some, &sources, &runs, &refused, rejected))?;
        record(spine, ctx, calls, &mut ingested).await?;
    }
    rejected::tell(spine, ctx, &ingested.rejected).await;
    Ok(ingested)
}

/// A call for each span that can be recorded.
fn calls(
    ctx: &CallContext,
    spans: Vec<ReportedSpan>,
    sources: &Sources,
    runs: &HashMap<String, RunId>,
    refused: &BTreeMap<String, Error>,
    rejected: &mut RejectedSpans,
) -> Result<Vec<Call>, Error> {
    let mut calls = Vec::with_capacity(spans.len());
    for span in spans {
        let span_id = span.span_id.clone();
        if let Some(err) = refused.get(&span.trace_id) {
            rejected.add(|| why(&span_id, err));
            continue;
        }
        let run = runs.get(&span.trace_id).copied();
        let run = run.ok_or_else(|| Error::Internal(format!("trace {} got no run", span.trace_id)))?;
        let (report, missing) = step(span, sources);
        match Call::span(ctx, run, report, missing) {
            Ok(call) => calls.push(call),
            Err(err) => rejected.add(|| why(&span_id, &err)),
        }
    }
    Ok(calls)
}

/// Whether it only gathers what several tools gave, as Google's ADK does: by its name, and called with nothing, or with
/// what says so.
fn is_merged(span: &ReportedSpan) -> bool {
    let is_named_so = matches!(span.skill_name.as_str(), "(merged tools)" | "(merged)");
    is_named_so && matches!(span.params.as_deref(), None | Some("{}" | r#"{"input":"N/A"}"#))
}

/// The report of the step that a span is, and what of it is not there.
fn step(span: ReportedSpan, sources: &Sources) -> (StepReport, Missing) {
    let kind = match span.act {
        SpanAct::ModelCall => StepKind::LlmCall,
        // What some tell beside the tools of a model's answer, of all of them together: each is a call of its own.
        SpanAct::ToolCall if is_merged(&span) => StepKind::Other,
        SpanAct::ToolCall | SpanAct::ToolServer => StepKind::ToolCall,
        SpanAct::Retrieval => StepKind::Retrieval,
        SpanAct::HttpCall => StepKind::HttpCall,
        SpanAct::Transform => StepKind::Transform,
        SpanAct::Other => StepKind::Other,
    };
    let mut fit = Fit::default();
    let mut part_of = part_of(&mut fit, span.part_of);
    let part_is_cut = sources.complete(span.source, &mut part_of);
    let cut = span.cut || part_is_cut;
    let provider = span.llm.as_ref().and_then(|call| call.provider.as_deref());
    let report = StepReport {
        kind,
        skill_name: fit.skill(span.skill_name, provider),
        params: span.params.map(|text| fit.json("input", text)),
        status: if span.failure.is_some() { StepStatus::Failure } else { StepStatus::Success },
        outcome_category: None,
        outcome_code: span.failure.map(|code| fit.name(code)),
        outcome_data: span.outcome_data.map(|text| fit.json("output", text)),
        llm: span.llm.map(|call| model_call(&mut fit, call)),
        duration_ms: span.duration_ms,
        retry_count: 0,
        started_at: span.started_at,
        ended_at: span.ended_at,
        idempotency_key: Some(span.span_id.clone()),
        replay_behavior: None,
        permit_id: None,
        parent_step_index: None,
        step_index: None,
        external_span_id: Some(span.span_id),
        external_parent_span_id: span.parent_span_id,
        parent_is_remote: span.parent_is_remote,
        labels: Vec::new(),
        part_of,
        other_side: span.other_side,
    };
    (report, Missing { cut: fit.cut || cut, arguments: span.arguments_untold })
}

fn model_call(fit: &mut Fit, call: LlmReport) -> LlmReport {
    LlmReport {
        provider: fit.identity_said(call.provider),
        model: fit.identity_said(call.model),
        model_requested: fit.identity_said(call.model_requested),
        request_id: call.request_id.map(|id| fit.name(id)),
        finish_reason: call.finish_reason.map(|reason| fit.name(reason)),
        ..call
    }
}

fn part_of(fit: &mut Fit, of: PartOf) -> PartOf {
    let mut name = |name: Option<String>| name.map(|name| fit.name(name));
    PartOf {
        conversation_id: name(of.conversation_id),
        session_id: name(of.session_id),
        user_id: name(of.user_id),
    }
}

/// Records a group of spans; what is wrong with one is not wrong with its neighbours.
async fn record(
    spine: &Spine,
    ctx: &CallContext,
    calls: Vec<Call>,
    ingested: &mut Ingested,
) -> Result<(), Error> {
    if calls.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = calls.iter().map(|call| call.span_id().unwrap_or_default().to_owned()).collect();
    let answers = spine.choke().submit_each(spine, &ctx.tenant, calls).await?;
    for (id, answer) in ids.iter().zip(answers) {
        match answer {
            Some(Ok(Done::Reported { is_new: false })) => ingested.known += 1,
            Some(Ok(_)) => ingested.recorded += 1,
            Some(Err(err)) if is_its_own_fault(&err) => ingested.rejected.add(|| why(id, &err)),
            Some(Err(err)) => return Err(err),
            None => return Err(Error::Internal("the choke point passed a span over".to_owned())),
        }
    }
    Ok(())
}

/// What became of the traces of a body.
#[derive(Default)]
struct Traces {
    runs: HashMap<String, RunId>,
    /// Those that the caller's key may not begin.
    refused: BTreeMap<String, Error>,
}

/// The run of each trace: those that have one, then those that are opened now, in a transaction of their own. So the
/// spans are hashed for the run that they are recorded in, whoever else opens it at this moment.
async fn runs_of(
    spine: &Spine,
    ctx: &CallContext,
    way_in: WayIn,
    length: usize,
    spans: &[ReportedSpan],
    sources: &Sources,
) -> Result<Traces, Error> {
    // By trace: who sent its first span, and the provider of its models as far as these spans tell.
    let mut first: HashMap<&str, (usize, Option<&String>)> = HashMap::new();
    let mut order = Vec::new();
    for span in spans {
        let (_, provider) = first.entry(&span.trace_id).or_insert_with(|| {
            order.push(span.trace_id.clone());
            (span.source, None)
        });
        if provider.is_none() {
            *provider = span.llm.as_ref().and_then(|llm| llm.provider.as_ref());
        }
    }
    if order.is_empty() {
        return Ok(Traces::default());
    }
    let mut runs = spine.read().await?.activity().runs_of_traces(ctx.tenant.id, &order).await?;
    let mut refused = BTreeMap::new();
    order.retain(|trace| !runs.contains_key(trace));
    for traces in order.chunks(MAX_GROUP) {
        let now = spine.now();
        let open = |trace: &String| {
            let (source, provider) = first.get(trace.as_str()).copied().unwrap_or_default();
            Call::trace(ctx, way_in, spine.id(now), sources.start(source, trace.clone(), provider))
        };
        let calls = aside(length, || traces.iter().map(open).collect::<Result<Vec<_>, _>>())?;
        let answers = spine.choke().submit_each(spine, &ctx.tenant, calls).await?;
        for (trace, answer) in traces.iter().zip(answers) {
            match answer.unwrap_or_else(|| Err(Error::Internal("a trace got no answer".to_owned()))) {
                Ok(Done::Traced(run)) => drop(runs.insert(trace.clone(), run)),
                Ok(_) => return Err(Error::Internal("a trace is a trace".to_owned())),
                Err(err @ Error::AgentNotBound { .. }) => drop(refused.insert(trace.clone(), err)),
                Err(err) => return Err(err),
            }
        }
    }
    Ok(Traces { runs, refused })
}

/// Whether a span was refused for what it is. Anything else met the whole group, and the exporter must come again.
fn is_its_own_fault(err: &Error) -> bool {
    matches!(
        err,
        Error::Invalid(_)
            | Error::IdempotencyConflict { .. }
            | Error::NotFound { .. }
            | Error::RunNotRunning { .. }
            | Error::RunKilled { .. }
            // Of its run alone: the others of the body are recorded.
            | Error::Damaged { .. }
    )
}

fn why(span_id: &str, err: &Error) -> String {
    let detail = match err {
        Error::IdempotencyConflict { .. } => "another span of this id is recorded in its trace".to_owned(),
        other => other.to_string(),
    };
    format!("span {span_id}: {detail}")
}
