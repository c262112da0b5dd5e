//! What the rules may know of a call: computed from the locked run and the redacted request.

use models::logs::StepKey;
use proof::words::{CostNote, StepKind, StepStatus};
use rules::{
    Count,
    facts::{ContentFacts, Facts, Principal, Resource, RunFacts, StepFacts},
};

use crate::choke::{
    prepare::{PreparedPermit, PreparedStep},
    state::{RunState, State},
};

/// The facts of a call on `run`. `step` is absent at RUN_START, and only there.
pub(in crate::choke) fn facts(
    state: &State,
    run: &RunState,
    step: Option<StepFacts>,
    content: ContentFacts,
) -> Facts {
    let of = &run.run;
    let totals = of.totals();
    let elapsed = u64::try_from((state.now - of.started_at).num_milliseconds()).unwrap_or(0);
    Facts {
        principal: Principal {
            agent_id: of.agent_id.clone(),
            project_id: of.project_id.clone().unwrap_or_default(),
            tenant_id: of.tenant.to_string(),
            labels: of.labels.iter().cloned().collect(),
        },
        resource: Resource {
            run_id: of.id.to_string(),
            assurance: of.assurance,
            source: of.source,
            actor_type: of.actor_type,
            provider_type: of.provider_type.clone().unwrap_or_default(),
            attempt: of.attempt.into(),
            is_replay: of.replay_of.is_some(),
            is_synthetic: of.is_synthetic,
        },
        step,
        content,
        run: RunFacts {
            steps: totals.step_count.into(),
            refused: of.refused_count.into(),
            tool_calls: totals.tool_call_count.into(),
            tokens: Count::from(totals.input_tokens) + Count::from(totals.output_tokens),
            cost_nanousd: totals.cost_nanousd.into(),
            cost_known: run.trace.cost_known,
            elapsed_ms: elapsed.into(),
            tools: run.trace.tools_used.iter().cloned().collect(),
            tools_cut: run.trace.tools_cut,
            last_tool: run.trace.last_tool.clone().unwrap_or_default(),
        },
        time: run.snapshot.zone.time_facts(state.now),
        tampered: run.snapshot.tampered.clone(),
    }
}

/// The step that a permit is asked for: as estimated.
pub(in crate::choke) fn estimated(asked: &PreparedPermit) -> StepFacts {
    let request = &asked.request;
    let estimate = request.estimate;
    StepFacts {
        told_elsewhere: false,
        kind: request.kind,
        skill: request.skill_name.clone(),
        provider: request.provider.clone().unwrap_or_default(),
        model: request.model.clone().unwrap_or_default(),
        model_requested: String::new(),
        input_tokens: estimate.input_tokens.into(),
        output_tokens: estimate.output_tokens.into(),
        cache_read_tokens: Count::ZERO,
        cache_write_tokens: Count::ZERO,
        cost_nanousd: estimate.cost_nanousd.unwrap_or(0).into(),
        cost_known: estimate.cost_nanousd.is_some() || request.kind != StepKind::LlmCall,
        duration_ms: Count::ZERO,
        retry_count: Count::ZERO,
        status: None,
        params: asked.params.clone(),
        labels: request.labels.iter().cloned().collect(),
    }
}

/// The step that is reported. Where another step tells of the same, it used nothing.
pub(in crate::choke) fn reported(step: &PreparedStep, counts: bool) -> StepFacts {
    let report = &step.report;
    let llm = report.llm.as_ref();
    let used = llm.filter(|_| counts);
    let (input, output, cost) = if counts { step.usage() } else { (0, 0, 0) };
    StepFacts {
        kind: report.kind,
        skill: report.skill_name.clone(),
        provider: llm.and_then(|llm| llm.provider.clone()).unwrap_or_default(),
        model: llm.and_then(|llm| llm.model.clone()).unwrap_or_default(),
        model_requested: llm.and_then(|llm| llm.model_requested.clone()).unwrap_or_default(),
        input_tokens: input.into(),
        output_tokens: output.into(),
        cache_read_tokens: used.map_or(0, |llm| llm.cache_read_tokens).into(),
        cache_write_tokens: used.map_or(0, |llm| llm.cache_write_tokens).into(),
        cost_nanousd: cost.into(),
        cost_known: step.cost_known() || !counts,
        duration_ms: report.duration_ms.into(),
        retry_count: report.retry_count.into(),
        status: Some(report.status),
        params: step.params.clone(),
        labels: report.labels.iter().cloned().collect(),
        told_elsewhere: !counts,
    }
}

impl PreparedStep {
    /// What tells a repeat of it.
    pub(in crate::choke) fn key(&self) -> Option<StepKey> {
        let text = self.report.idempotency_key.clone()?;
        Some(if self.is_span { StepKey::Span(text) } else { StepKey::Given(text) })
    }

    /// Tokens in, tokens out, nano-USD: what the step says it spent.
    pub(in crate::choke) fn usage(&self) -> (u64, u64, u64) {
        let llm = self.report.llm.as_ref();
        llm.map_or((0, 0, 0), |llm| (llm.input_tokens, llm.output_tokens, llm.cost_nanousd.unwrap_or(0)))
    }

    /// What is to be known of its cost.
    pub(in crate::choke) fn cost_note(&self) -> Option<CostNote> {
        match &self.report.llm {
            Some(llm) => llm.cost_note,
            None => (self.report.kind == StepKind::LlmCall).then_some(CostNote::NoTokens),
        }
    }

    /// A call that is not a model call has known cost 0.
    pub(in crate::choke) fn cost_known(&self) -> bool {
        match &self.report.llm {
            Some(llm) => llm.cost_nanousd.is_some(),
            None => self.report.kind != StepKind::LlmCall,
        }
    }

    pub(in crate::choke) fn failed(&self) -> bool {
        self.report.status == StepStatus::Failure
    }
}
