//! The start of a run, of a caller's own and of a trace.

use engines::check::{Check, kept_labels};
use models::{bounds, ids::RunId};
use proof::words::{ActorType, RunSource, WayIn};

use super::{
    Call, CallKind, Caller, PreparedStart, capture,
    fingerprint::{StartFingerprint, fingerprint},
};
use crate::{
    choke::call::{StartRun, TraceStart},
    context::CallContext,
    errors::Error,
};

impl Call {
    /// The start of a run.
    pub(crate) fn start(ctx: &CallContext, request: StartRun) -> Result<Self, Error> {
        let start = prepared(ctx, request)?;
        Ok(Self { caller: ctx.into(), what: CallKind::Start(Box::new(start)), once: None })
    }

    /// The run of an outside trace, to be opened as `run_id` unless the trace has one.
    pub(crate) fn trace(
        ctx: &CallContext,
        way_in: WayIn,
        run_id: RunId,
        start: TraceStart,
    ) -> Result<Self, Error> {
        let TraceStart { trace_id, agent_id, project_id, provider_type, environment, cut } = start;
        let request = StartRun {
            agent_id,
            project_id,
            provider_type,
            environment,
            source: Some(RunSource::Otlp),
            external_trace_id: Some(trace_id),
            ..StartRun::default()
        };
        let start = PreparedStart { run_id: Some(run_id), way_in, cut, ..prepared(ctx, request)? };
        Ok(Self { caller: Caller::reporting(ctx), what: CallKind::Trace(Box::new(start)), once: None })
    }
}

/// A start, checked and redacted.
fn prepared(ctx: &CallContext, mut request: StartRun) -> Result<PreparedStart, Error> {
    let mut check = Check::default();
    check.required("/agent_id", &request.agent_id);
    let actor_id = request.actor.as_ref().and_then(|(_, id)| id.as_deref());
    let is_human = matches!(&request.actor, Some((ActorType::Human, _)));
    let nobody = is_human && actor_id.is_none_or(str::is_empty);
    check.refuse_if(nobody, "/actor/id", "a HUMAN actor needs an id");
    let parent_run_id = check.id("/parent_run_id", request.parent_run_id.as_deref(), "run");
    let replay_of = check.id("/replay_of", request.replay_of.as_deref(), "run");
    check.agent("/agent_id", Some(&request.agent_id));
    for (pointer, text) in [
        ("/project_id", request.project_id.as_deref()),
        ("/provider_type", request.provider_type.as_deref()),
        ("/actor/id", actor_id),
    ] {
        check.identity(pointer, text);
    }
    for (pointer, text) in [
        ("/synthetic_scenario_id", request.synthetic_scenario_id.as_ref()),
        ("/idempotency_key", request.idempotency_key.as_ref()),
        ("/conversation_id", request.part_of.conversation_id.as_ref()),
        ("/session_id", request.part_of.session_id.as_ref()),
        ("/user_id", request.part_of.user_id.as_ref()),
    ] {
        check.name(pointer, text.map(String::as_str));
    }
    check.words("/goal", request.goal.as_deref(), bounds::TEXT);
    check.document("/environment", request.environment.as_deref());
    let labels = check.metadata("/metadata", request.metadata.as_deref());
    check.number("/expected_latency_ms", request.expected_latency_ms.unwrap_or(0));
    check.done()?;
    let request_hash = fingerprint(&ctx.tenant.key, "start", &StartFingerprint::of(&request))?;
    let tenant = &ctx.tenant;
    request.goal = capture::text(tenant, "/goal", request.goal);
    request.environment = capture::json(tenant, "/environment", request.environment)?;
    request.metadata = capture::json(tenant, "/metadata", request.metadata)?;
    let labels = kept_labels(&labels);
    let bound_to = ctx.agents.without(&request.agent_id).map(ToString::to_string);
    Ok(PreparedStart {
        request,
        run_id: None,
        parent_run_id,
        replay_of,
        way_in: WayIn::Rest,
        user_agent: ctx.user_agent.as_deref().map(capture::program),
        labels,
        cut: false,
        bound_to,
        request_hash,
    })
}
