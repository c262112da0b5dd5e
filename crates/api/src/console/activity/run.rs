//! One run: its facts, and its steps as a waterfall.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use chrono::{DateTime, Utc};
use models::{
    activity::{Freeze, Run, RunState},
    ids::RunId,
    incidents::{RunIncident, WOULD_HAVE},
    page::{Cursor, PageRequest},
};
use orchestrator::{
    Spine,
    handlers::{
        activity::{self, MissingSteps, MissingTexts},
        incidents,
    },
};
use serde::Deserialize;

use super::{
    fact::{Fact, by},
    kill::{self, Act},
    step::{Met, Step, waterfall},
};
use crate::{
    Problem,
    console::{
        fields::Asked,
        folds::Folds as _,
        frozen::Frozen,
        links::{self, STEPS},
        page::Page,
        show::{self, Badge, Moment},
        visitor::{Frame, Visitor},
    },
    extract::{Handles, Id, Inspects, ReadsRuns, SetsPolicy, Views},
    problem::Code,
};

/// Which of the steps.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// The steps after this one.
    after: Option<u64>,
}

#[derive(Template)]
#[template(path = "run.html")]
pub(crate) struct RunPage {
    title: String,
    frame: Frame,
    head: Head,
    facts: Vec<Fact>,
    details: Vec<Fact>,
    goal: Option<String>,
    error: Option<String>,
    metadata: Option<String>,
    steps: Vec<Step>,
    /// What of them does not read back, in words.
    missing: Vec<String>,
    missing_texts: Vec<String>,
    span: String,
    incidents: Vec<Caused>,
    interventions: Vec<Act>,
    /// The freeze that holds for its agent, in words.
    frozen: Option<String>,
    may: May,
    next: Option<u64>,
    is_first: bool,
    is_live: bool,
    /// It is a trace, and what its tracer sends is recorded however late.
    is_reported: bool,
}

/// What the visitor may do here.
struct May {
    kill: bool,
    freeze: bool,
    see_freezes: bool,
}

/// What stands at the top of every page of a run.
pub(crate) struct Head {
    pub(crate) id: String,
    pub(crate) path: String,
    pub(crate) agent_id: String,
    pub(crate) badges: Vec<Badge>,
    /// Which of its pages this is.
    pub(crate) here: &'static str,
    /// Whether the visitor may see evidence and proof.
    pub(crate) inspects: bool,
}

impl Head {
    pub(crate) fn of(run: &Run, here: &'static str, inspects: bool) -> Self {
        let mut badges = vec![Badge::of(run.status.as_str())];
        if run.state.as_str() == "LIVE" {
            badges.push(Badge::of("LIVE"));
        }
        badges.push(Badge::of(run.risk_level.as_str()));
        if run.integrity_status.as_str() != "UNKNOWN" {
            badges.push(Badge::of(run.integrity_status.as_str()));
        }
        let id = run.id.to_string();
        let path = format!("/console/activity/runs/{id}");
        Self { id, path, agent_id: run.agent_id.clone(), badges, here, inspects }
    }

    /// Where a step of the run is.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "a template passes references")]
    pub(crate) fn step(&self, index: &u64) -> String {
        links::step(&self.id, *index)
    }
}

/// An incident that the run opened or joined.
struct Caused {
    path: String,
    title: String,
    severity: Badge,
    state: Badge,
    step: Option<u64>,
    /// It was open, and the run joined it.
    joined: bool,
}

/// Which steps are missing, and why.
fn told(missing: &MissingSteps) -> String {
    let MissingSteps { first_record, first_step, step_count, why, .. } = missing;
    format!(
        "{} from step {first_step} on cannot be read: segment {first_record} of the run's records was changed past HOC, or \
         damaged ({why})",
        show::counted(*step_count, "step")
    )
}

/// Which texts of steps are missing, and why.
fn told_of_texts(missing: &MissingTexts) -> String {
    let MissingTexts { first_record, why } = missing;
    let which = match first_record {
        Some(place) => format!("texts of steps cannot be read: body {place} of the run's texts"),
        None => "no text of this run can be read: the salt of its texts".to_owned(),
    };
    format!("{which} was changed past HOC, or damaged ({why})")
}

/// `GET /console/activity/runs/{run_id}`.
pub(crate) async fn run(
    State(spine): State<Spine>,
    visitor: Visitor<ReadsRuns>,
    Id(id): Id<RunId>,
    Asked(Which { after }): Asked<Which>,
) -> Result<Page<RunPage>, Problem> {
    let now = spine.now();
    let run = activity::get(&spine, visitor.context(), id).await?;
    let mut page = PageRequest::new(Some(STEPS), None, false)
        .map_err(|err| Problem::new(Code::InvalidParameter, err.to_string()))?;
    page.cursor = after.filter(|after| i64::try_from(*after).is_ok()).map(Cursor::After);
    let found = activity::steps(&spine, visitor.context(), id, page).await?;
    let caused = if visitor.may::<Views>() {
        incidents::by_run(&spine, visitor.context(), id).await?
    } else {
        Vec::new()
    };
    let met = activity::interventions(&spine, visitor.context(), id).await?;
    let frozen = Frozen::now(&spine, visitor.context()).await?;
    let freeze = frozen.of(&run.agent_id);
    let run_is_reported = run.is_reported();
    let next = if found.has_more { found.items.last().map(|step| step.step.record.step_index) } else { None };
    let mut at_steps: HashMap<u64, Vec<Met>> = HashMap::new();
    for one in &caused {
        if let Some(step) = one.of.first_step_index {
            let refused = one.of.note.as_deref() != Some(WOULD_HAVE);
            let met = Met { title: show::plain(&one.title()), tone: if refused { "bad" } else { "warn" } };
            at_steps.entry(step).or_default().push(met);
        }
    }
    let missing = found.missing.iter().map(told).collect();
    let missing_texts = found.missing_texts.iter().map(told_of_texts).collect();
    let (steps, span) = waterfall(found.items, &at_steps, visitor.may::<Views>());
    Ok(Page(RunPage {
        title: format!("Run of {}", run.agent_id),
        frame: visitor.frame.clone(),
        head: Head::of(&run, "steps", visitor.may::<Inspects>()),
        facts: facts(&run, now),
        details: details(&run),
        is_live: run.state.as_str() == "LIVE",
        is_reported: run_is_reported,
        goal: run.goal,
        error: run.error_message,
        metadata: run.metadata.as_deref().map(show::json),
        frozen: freeze.map(|freeze| frozen_since(freeze, now)),
        may: May {
            kill: run.state == RunState::Live && visitor.may::<Handles>(),
            freeze: freeze.is_none() && visitor.may::<SetsPolicy>(),
            see_freezes: visitor.may::<Views>(),
        },
        interventions: met.into_iter().map(|one| kill::shown(one, run_is_reported, now)).collect(),
        steps,
        missing,
        missing_texts,
        span,
        incidents: caused.iter().map(shown).collect(),
        next,
        is_first: after.is_none(),
    }))
}

fn frozen_since(freeze: &Freeze, now: DateTime<Utc>) -> String {
    let whom = if freeze.target().1.is_some() { "This agent is frozen" } else { "All agents are frozen" };
    let by = freeze.actor_id.as_deref().unwrap_or("somebody");
    let because = freeze.reason.as_ref().map(|reason| format!(" Reason: {reason}")).unwrap_or_default();
    let since = Moment::of(freeze.requested_at, now).exact;
    format!("{whom} since {since}, by {by}: no run begins, and what it asks next is refused.{because}")
}

fn facts(run: &Run, now: DateTime<Utc>) -> Vec<Fact> {
    let totals = run.totals();
    let mut facts = Vec::new();
    let mut fact = |name, value: String| facts.push(Fact { name, value });
    fact("Started", Moment::of(run.started_at, now).exact);
    // Its steps' durations are the agent's word, so the two need not agree.
    let clock = if run.reported_end.is_some() { "as its tracer told" } else { "by HOC's clock" };
    let took = |ms| format!("{}, {clock}", show::duration(ms));
    fact("Duration", run.duration_ms.map_or_else(|| "still running".to_owned(), took));
    let refused =
        if run.refused_count > 0 { format!(", {} refused", run.refused_count) } else { String::new() };
    fact("Steps", format!("{}{refused}", show::count(totals.step_count)));
    fact(
        "Calls",
        format!(
            "{} LLM, {} tool{}",
            show::count(totals.llm_call_count),
            show::count(totals.tool_call_count),
            if run.refused_count > 0 { "; not those of refused steps" } else { "" }
        ),
    );
    let tokens = [totals.input_tokens, totals.output_tokens];
    let [input, output] = tokens.map(show::count);
    // Where all is known, a zero is one.
    let told = match tokens.map(|count| count > 0 || totals.cost_known) {
        [true, true] => format!("{input} in, {output} out"),
        [true, false] => format!("{input} in, out not told"),
        [false, true] => format!("in not told, {output} out"),
        [false, false] => "unknown".to_owned(),
    };
    fact("Tokens", told);
    fact("Cost", show::cost(totals.cost_nanousd, totals.cost_known));
    facts
}

fn details(run: &Run) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut fact = |name, value: String| facts.push(Fact { name, value });
    let actor = run.actor_id.as_deref().map(|id| format!(" {id}")).unwrap_or_default();
    fact("Actor", format!("{}{actor}", run.actor_type.as_str()));
    if let Some(project) = &run.project_id {
        fact("Project", project.clone());
    }
    for (name, id) in
        [("Conversation", &run.conversation_id), ("Session", &run.session_id), ("User", &run.user_id)]
    {
        if let Some(id) = id {
            fact(name, id.clone());
        }
    }
    fact("Source", run.source.as_str().to_owned());
    let sealed = run.sealed_assurance();
    fact(
        "Assurance",
        if sealed == run.assurance {
            sealed.as_str().to_owned()
        } else {
            format!("{} with its addenda, sealed as {}", run.assurance.as_str(), sealed.as_str())
        },
    );
    if run.unasked_count > 0 && !run.is_reported() {
        let all = run.step_count + run.refused_count;
        let told = format!(
            "{} of {} only after being done",
            show::count(run.unasked_count),
            show::counted(all, "step")
        );
        fact("Told", told);
    }
    if let Some(late) = &run.late {
        fact("After it was sealed", format!("{}, counted above", show::counted(late.step_count, "step")));
    }
    if let Some(reason) = run.termination_reason {
        fact("Ended by", ended_by(run.status.as_str(), reason.as_str()));
    }
    fact("Latency", run.latency_bucket.as_str().to_owned());
    fact("Evidence", run.evidence_health.as_str().to_owned());
    fact("Policies", format!("snapshot {}", show::short_hash(&run.snapshot_digest.to_string())));
    fact("Correlation", run.correlation_id.clone());
    fact("Opened by", by(run.key_id.real().map(|key| key.to_string())));
    facts
}

/// Who or what ended a run, with the word that the API has for it.
fn ended_by(status: &str, reason: &str) -> String {
    let who = match (status, reason) {
        (_, "completed") => "its agent, which was done",
        ("HALTED", "user_abort") => "a person, who killed it",
        (_, "user_abort") => "its agent, which gave it up",
        (_, "policy_block") => "a rule that refused a step of it",
        (_, "budget_exceeded" | "rate_limited") => "a limit that it passed",
        (_, "abandoned") => "HOC, which heard nothing of it any more",
        (_, "system_failure") => "a failure",
        _ => return reason.to_owned(),
    };
    format!("{who} ({reason})")
}

fn shown(caused: &RunIncident) -> Caused {
    let RunIncident { incident, of } = caused;
    Caused {
        path: format!("/console/incidents/{}", incident.id),
        title: show::plain(&caused.title()),
        severity: Badge::of(incident.severity.as_str()),
        state: Badge::toned(
            incident.lifecycle_state.as_str(),
            show::state_tone(incident.lifecycle_state.as_str()),
        ),
        step: of.first_step_index,
        joined: of.relation.as_str() == "AFFECTED",
    }
}
