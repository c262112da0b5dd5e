//! A run's steps in time: each a bar, as long as it took, coloured by its verdict.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use models::logs::{KeptText, StepTexts};
use orchestrator::{handlers::activity::StepView, verdict::Fired};

use super::fact::{Fact, by};
use crate::console::show::{self, Badge};

/// The width of the waterfall, in its own units.
const WIDTH: i64 = 1_000;
/// How deep nesting is shown.
const DEEPEST: usize = 6;

/// A step, as its row and its details show it.
pub(crate) struct Step {
    pub(crate) index: u64,
    pub(crate) depth: usize,
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) model: Option<String>,
    pub(crate) action: Badge,
    /// It was refused before it was done: there is nothing that it took or cost.
    pub(crate) refused: bool,
    /// What is to be known of it at a glance: that it had been done by then, that its permit did not serve, that it
    /// failed.
    pub(crate) notes: Vec<Badge>,
    pub(crate) tokens: Option<String>,
    pub(crate) cost: Option<String>,
    /// How long it took, where anybody told it.
    pub(crate) took: Option<String>,
    pub(crate) x: i64,
    pub(crate) width: i64,
    /// The incidents that the run opened or joined at it.
    pub(crate) incidents: Vec<Met>,
    /// The rules and limits that fired, and on what.
    pub(crate) fired: Vec<Why>,
    pub(crate) texts: Vec<Text>,
    pub(crate) facts: Vec<Fact>,
}

/// An incident, as what the run met it by.
#[derive(Clone)]
pub(crate) struct Met {
    pub(crate) title: String,
    pub(crate) tone: &'static str,
}

/// A rule or limit that fired.
pub(crate) struct Why {
    /// What it did, or would have done.
    pub(crate) action: Badge,
    pub(crate) name: String,
    pub(crate) path: Option<String>,
    /// What it fired on, or what it says.
    pub(crate) on: String,
}

/// What was said or given, at length.
pub(crate) struct Text {
    pub(crate) name: &'static str,
    pub(crate) text: String,
}

/// The steps with their places in time, and how long the whole took, by whose word. `met` are incidents by step.
/// Rules and limits are links for whoever may see them.
pub(crate) fn waterfall(
    steps: Vec<StepView>,
    met: &HashMap<u64, Vec<Met>>,
    sees_policies: bool,
) -> (Vec<Step>, String) {
    let spans: Vec<(DateTime<Utc>, DateTime<Utc>)> = steps.iter().map(span).collect();
    let told = |view: &StepView| view.step.record.started_at.is_some() || view.step.record.duration_ms > 0;
    let told = steps.iter().any(told);
    let begin = spans.iter().map(|(from, _)| *from).min().unwrap_or_default();
    let end = spans.iter().map(|(_, to)| *to).max().unwrap_or(begin);
    let whole = (end - begin).num_microseconds().unwrap_or(i64::MAX).max(1);
    let place = |at: DateTime<Utc>| {
        let since = (at - begin).num_microseconds().unwrap_or(i64::MAX).clamp(0, whole);
        i64::try_from(i128::from(since) * i128::from(WIDTH) / i128::from(whole)).unwrap_or(WIDTH)
    };
    let mut depths: HashMap<u64, usize> = HashMap::new();
    let mut rows = Vec::with_capacity(steps.len());
    for (view, (from, to)) in steps.into_iter().zip(spans) {
        let (index, parent) = (view.step.record.step_index, view.step.record.parent_step_index);
        let depth = parent.and_then(|parent| depths.get(&parent)).map_or(0, |depth| (depth + 1).min(DEEPEST));
        depths.insert(index, depth);
        let width = (place(to) - place(from)).max(6);
        let x = place(from).min(WIDTH - width);
        let reported = view.would_have.is_some();
        let fired = view.fired.iter().flatten().map(|one| why(one, reported, sees_policies)).collect();
        let incidents = met.get(&index).cloned().unwrap_or_default();
        rows.push(Step { incidents, fired, ..row(view, depth, (x, width)) });
    }
    let lasted = (end - begin).num_milliseconds();
    let clock = if told { "as its agent told" } else { "by HOC's clock: its agent told no times" };
    (rows, format!("{}, {clock}", show::duration(u64::try_from(lasted).unwrap_or_default())))
}

/// From when to when: as the agent says, else as long as it says before it was recorded.
fn span(view: &StepView) -> (DateTime<Utc>, DateTime<Utc>) {
    let step = &view.step.record;
    let took = TimeDelta::milliseconds(i64::try_from(step.duration_ms).unwrap_or_default().min(1 << 40));
    let recorded = models::time::parse(&step.recorded_at).unwrap_or_default();
    let started = step.started_at.as_deref().and_then(|at| models::time::parse(at).ok());
    let from = started.or_else(|| recorded.checked_sub_signed(took)).unwrap_or(recorded);
    (from, from.checked_add_signed(took).unwrap_or(recorded))
}

fn row(view: StepView, depth: usize, (x, width): (i64, i64)) -> Step {
    let after = view.refused_after();
    let action = view.action.map_or_else(
        || Badge::toned("NOT READABLE", "bad"),
        |action| Badge::of_verdict(action.as_str(), view.would_have.map(|action| action.as_str())),
    );
    let unread = view.fired.is_none().then_some("what fired is not readable: verify this run");
    let tokens_told = tokens_told(&view);
    let step = view.step.record;
    let twice = (!view.counts).then_some("told of by another step: not counted");
    let cost_note = step.cost_note.map(|note| about_cost(note.as_str()));
    // That it went well says itself.
    let reported = step.reported_status.map(|status| status.as_str()).filter(|status| *status != "SUCCESS");
    let doubtful = cost_note.filter(|_| step.cost_known).map(|_| "its cost is its caller's word");
    let notes = after.into_iter().chain(step.permit_note.map(|note| note.as_str()));
    let notes = notes.chain(twice).chain(unread).chain(doubtful);
    let notes = notes.map(|note| Badge::toned(note, "warn")).chain(reported.map(Badge::of)).collect();
    let refused = step.status.as_str() == "REFUSED" && after.is_none();
    let is_call = step.kind.as_str() == "LLM_CALL" || step.model.is_some();
    let mut texts = Vec::new();
    let mut text = |name, text: Option<String>| texts.extend(text.map(|text| Text { name, text }));
    let StepTexts { params, outcome_data, prompt, response } = view.texts;
    text("Prompt", prompt.map(|of| kept(of, show::json)));
    text("Response", response.map(|of| kept(of, str::to_owned)));
    text("Parameters", params.map(|of| kept(of, show::json)));
    text("Outcome data", outcome_data.map(|of| kept(of, show::json)));
    let mut facts = Vec::new();
    let mut fact = |name, value: String| facts.push(Fact { name, value });
    fact("Status", step.status.as_str().to_owned());
    if let Some(reported) = step.reported_status.filter(|reported| *reported != step.status) {
        fact("Reported as", reported.as_str().to_owned());
    }
    let was_asked = step.asked.as_str() == "BEFORE";
    fact("Asked", if was_asked { "before it was done" } else { "no: told after it was done" }.to_owned());
    let code = step.outcome_code.map(|code| format!(", {code}")).unwrap_or_default();
    fact("Outcome", format!("{}{code}", step.outcome_category.as_str()));
    if let Some(provider) = step.provider {
        fact("Provider", provider);
    }
    if let Some(requested) = step.model_requested {
        fact("Asked for", requested);
    }
    if is_call {
        fact("Tokens", tokens_told);
    }
    if let Some(note) = cost_note {
        fact("Cost", note.to_owned());
    }
    if let Some(reason) = step.finish_reason {
        fact("Finish reason", reason);
    }
    if step.retry_count > 0 {
        fact("Retries", step.retry_count.to_string());
    }
    if step.duration_ms > 0 {
        fact("Took", format!("{}, as its agent told", show::duration(step.duration_ms)));
    }
    fact("Recorded", step.recorded_at);
    fact("Reported by", by(step.reported_by));
    if let Some(parent) = step.parent_step_index {
        fact("Parent", format!("step {parent}"));
    }
    if let Some(permit) = step.permit_id {
        fact("Permit", permit);
    }
    if let Some(note) = step.permit_note {
        fact("Permit", note.as_str().to_owned());
    }
    if let Some(decision) = step.decision_id {
        fact("Decision", decision);
    }
    fact("Hash", view.step.step_hash.to_string());
    let tokens = step.input_tokens + step.output_tokens;
    let took = (step.duration_ms > 0 || step.started_at.is_some()).then(|| show::duration(step.duration_ms));
    Step {
        index: step.step_index,
        depth,
        kind: step.kind.as_str(),
        name: step.skill_name,
        model: step.model,
        action,
        refused,
        notes,
        tokens: (tokens > 0).then(|| show::count(tokens)),
        cost: is_call
            .then(|| if step.cost_known { show::usd(step.cost_nanousd) } else { "cost unknown".to_owned() }),
        took,
        x,
        width,
        incidents: Vec::new(),
        fired: Vec::new(),
        texts,
        facts,
    }
}

/// A text as it is shown; one that was erased is said to be.
fn kept(text: KeptText, show: impl Fn(&str) -> String) -> String {
    match text {
        KeptText::Text(text) => show(&text),
        KeptText::Erased(length) => format!("erased: {length} bytes were here"),
        KeptText::Lost(length) => {
            format!("not readable: {length} bytes ought to be here; verify this run")
        }
    }
}

/// The tokens of a call to a model, in words: what was told of them, and whether that is all.
fn tokens_told(view: &StepView) -> String {
    let step = &view.step.record;
    let told = format!(
        "{} in, {} out, {} read from the cache, {} written to it, {} reasoning",
        step.input_tokens,
        step.output_tokens,
        step.cache_read_tokens,
        step.cache_write_tokens,
        step.reasoning_tokens
    );
    let untold = step.cost_note.is_some_and(|note| note.as_str() == "NO_TOKENS");
    match (untold, step.input_tokens + step.output_tokens) {
        (false, _) => told,
        (true, 0) => "unknown: not all of them were told".to_owned(),
        (true, _) => format!("{told}: not all of them were told"),
    }
}

/// What is to be known of a cost, in words.
fn about_cost(note: &'static str) -> &'static str {
    match note {
        "COUNTS_CONTRADICT" => "unknown: the counts of its tokens contradict each other",
        "NO_PRICE" => "unknown: no price book has a price of its model, as it was called",
        "NO_TOKENS" => "unknown: not all of its tokens were told",
        "REPORTED_ZERO" => "0, as its caller told; no price book says so",
        other => other,
    }
}

/// One that fired. Of a step that was only reported, nothing was done about it.
fn why(fired: &Fired, reported: bool, sees_policies: bool) -> Why {
    let would_have = if reported { Some(fired.action) } else { fired.would_have };
    let list = if fired.kind.as_str() == "LIMIT" { "limits" } else { "rules" };
    Why {
        action: Badge::of_verdict(fired.action.as_str(), would_have.map(|action| action.as_str())),
        path: sees_policies.then(|| format!("/console/policies/{list}/{}", fired.policy_id)),
        on: show::plain(&fired.why()),
        name: fired.name.clone(),
    }
}
