//! What the demo shows: a line for each verdict as it arrives, on a timeline, with what it used and what is left.

use console::{StyledObject, style};
use serde_json::Value;

use super::{
    conversation::{Conversation, Turn},
    play::Played,
    scene::{BUDGET, BUDGET_NAME, RULE, RULE_NAME, Scene},
};
use crate::out;

const TIMELINE: usize = 24;
const GAUGE: usize = 10;

/// What stands before the run.
pub(super) fn opening(scene: &Scene, store: &str, conversation: &Conversation) {
    let heading = style("HOC demo: a real agent conversation, governed").bold();
    out::line(format!("\n  {heading}\n"));
    let fact =
        |name: &str, value: String| out::line(format!("  {}  {value}", style(format!("{name:<8}")).dim()));
    fact("store", store.to_owned());
    fact("server", format!("http://{}", scene.address));
    fact("tenant", format!("{}, made for this demo", scene.tenant));
    fact("rule", format!("{RULE_NAME}: {} where {RULE}", style("BLOCK").red()));
    fact("budget", format!("{BUDGET_NAME}: {} above {BUDGET} tokens a day", style("BLOCK").red()));
    fact("agent", format!("{} is asked \"{}\"", conversation.agent_id, conversation.goal));
}

/// The run has begun.
pub(super) fn run_started(run_id: &str) {
    out::line(format!("\n  {run_id}"));
    let head = format!(
        "  {:>4}  {:<40}  {:<TIMELINE$}  {:>6}  {:>9}  {:<20}  {}",
        "step", "what", "when", "tokens", "cost", "budget", "verdict"
    );
    out::line(style(head).dim());
}

/// Where turns lie in time.
pub(super) struct Timeline {
    total_ms: u64,
    passed_ms: u64,
    used: u64,
}

impl Timeline {
    pub(super) fn of(conversation: &Conversation) -> Self {
        Self { total_ms: conversation.duration_ms().max(1), passed_ms: 0, used: 0 }
    }

    /// One verdict, with what it was about.
    pub(super) fn show(&mut self, turn: &Turn, played: &Played) {
        let action = played.verdict["action"].as_str().unwrap_or("?");
        let refused = !matches!(action, "ALLOW" | "WARN");
        let cells = |ms: u64| usize::try_from(ms * TIMELINE as u64 / self.total_ms).unwrap_or(TIMELINE);
        let from = cells(self.passed_ms).min(TIMELINE - 1);
        let length = cells(turn.duration_ms).clamp(1, TIMELINE - from);
        let bar = if refused { "x".to_owned() } else { "█".repeat(length) };
        let after = TIMELINE - from - bar.chars().count();
        if !refused {
            self.passed_ms += turn.duration_ms;
        }
        if let Some(used) = used(&played.verdict).filter(|_| !refused) {
            self.used = used;
        }
        let title = turn.title();
        let tokens = if refused { "-".to_owned() } else { turn.tokens().to_string() };
        let cost = match turn.cost_usd().filter(|_| !refused) {
            Some(cost) => format!("${cost:.6}"),
            None => "-".to_owned(),
        };
        out::line(format!(
            "  {:>4}  {:<40}  {}{}{}  {tokens:>6}  {cost:>9}  {}  {}",
            played.step_index,
            title.chars().take(40).collect::<String>(),
            " ".repeat(from),
            coloured(action, bar),
            " ".repeat(after),
            gauge(self.used),
            coloured(action, action.to_owned()).bold(),
        ));
        let note = if refused { reason(&played.verdict) } else { turn.gist() };
        let took = format!("{:.1} ms", played.governed.as_secs_f64() * 1_000.0);
        out::line(style(format!("        {note}  ({took} of governing)")).dim());
        if action == "WARN" {
            out::line(format!("        {}", style(reason(&played.verdict)).yellow()));
        }
    }
}

fn used(verdict: &Value) -> Option<u64> {
    let limits = verdict["limits"].as_array()?;
    limits.iter().find(|limit| limit["name"] == BUDGET_NAME)?["used"].as_u64()
}

fn gauge(used: u64) -> String {
    let filled = usize::try_from(used * GAUGE as u64 / BUDGET).unwrap_or(GAUGE).min(GAUGE);
    let text = format!("{}{} {used:>3}/{BUDGET}", "■".repeat(filled), "·".repeat(GAUGE - filled));
    let padded = format!("{text:<20}");
    match used * 100 / BUDGET {
        0..80 => padded,
        80..100 => style(padded).yellow().to_string(),
        _ => style(padded).red().to_string(),
    }
}

/// Why the verdict is no plain ALLOW, in the words of what decided.
fn reason(verdict: &Value) -> String {
    let deciding = &verdict["deciding_policy_id"];
    let fired = verdict["fired"].as_array().map(Vec::as_slice).unwrap_or_default();
    let by = fired.iter().find(|fired| fired["policy_id"] == *deciding).or_else(|| fired.first());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    match by {
        Some(by) if by["kind"] == "RULE" => format!("rule `{}`: {}", text(&by["name"]), text(&by["message"])),
        Some(by) => format!("limit {}", text(&by["message"])),
        None => text(&verdict["halt_reason"]),
    }
}

fn coloured(action: &str, text: String) -> StyledObject<String> {
    match action {
        "ALLOW" => style(text).green(),
        "WARN" => style(text).yellow(),
        _ => style(text).red(),
    }
}

/// The incidents that the run caused.
pub(super) fn incidents(incidents: &[Value]) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    out::line("");
    for incident in incidents {
        out::line(format!(
            "  {}  {:<8} {:<17} {}  {} {}",
            style("incident").red(),
            text(&incident["severity"]),
            text(&incident["category"]),
            text(&incident["title"]),
            style(text(&incident["lifecycle_state"])).dim(),
            style(text(&incident["incident_id"])).dim(),
        ));
    }
}

/// The run as it was sealed.
pub(super) fn sealed(run: &Value) {
    out::line(format!(
        "  {}    {}: {} steps, {} refused, {} tokens, ${:.6}",
        style("sealed").cyan(),
        run["status"].as_str().unwrap_or_default(),
        run["step_count"],
        run["refused_count"],
        run["input_tokens"].as_u64().unwrap_or_default() + run["output_tokens"].as_u64().unwrap_or_default(),
        run["cost_usd"].as_f64().unwrap_or_default(),
    ));
}
