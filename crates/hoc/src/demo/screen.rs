//! What the demo shows: a line for each verdict as it arrives, on a timeline, with what it used and what is left. Where
//! the terminal is narrow, the same over several short lines.

use console::{StyledObject, Term, measure_text_width, style};
use serde_json::Value;

use super::{
    conversation::{Conversation, Turn},
    play::Played,
    scene::{BUDGET, BUDGET_NAME, RULE, RULE_NAME, Scene},
};
use crate::out;

const TIMELINE: usize = 24;
const GAUGE: usize = 10;
/// What a row of the timeline takes.
const WIDE: usize = 124;

/// Where it is shown: so wide, or nowhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    columns: usize,
    shows: bool,
}

impl Screen {
    /// The terminal; where there is none, nothing is folded.
    pub(super) fn of_terminal() -> Self {
        let columns = Term::stdout().size_checked().map_or(usize::MAX, |(_, columns)| usize::from(columns));
        Self { columns, shows: true }
    }

    /// For who wants one line at the end.
    pub(super) const fn none() -> Self {
        Self { columns: usize::MAX, shows: false }
    }

    pub(super) fn print(self, lines: impl IntoIterator<Item = String>) {
        if self.shows {
            lines.into_iter().for_each(out::line);
        }
    }

    /// Whether somebody watches it as it comes.
    pub(super) fn is_watched(self) -> bool {
        self.shows && out::is_watched()
    }

    const fn is_narrow(self) -> bool {
        self.columns < WIDE
    }

    /// A text that stands `indent` from the left, its first line after `head`: over as many lines as it takes. What has
    /// no blank in it, such as a path, stays whole.
    pub(super) fn folded(self, head: &str, indent: usize, text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = format!("{head}{}", " ".repeat(indent.saturating_sub(measure_text_width(head))));
        let mut is_begun = false;
        for word in text.split(' ') {
            let room =
                measure_text_width(&line) + usize::from(is_begun) + measure_text_width(word) <= self.columns;
            if is_begun && !room {
                lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
                is_begun = false;
            }
            if is_begun {
                line.push(' ');
            }
            line.push_str(word);
            is_begun = true;
        }
        lines.push(line);
        lines
    }

    /// What stands before the run.
    pub(super) fn opening(self, scene: &Scene, store: &str, conversation: &Conversation) {
        let heading = style("HOC demo: a real agent conversation, governed").bold();
        self.print([format!("\n  {heading}\n")]);
        let block = style("BLOCK").red();
        for (name, value) in [
            ("store", store.to_owned()),
            ("server", format!("http://{}", scene.address)),
            ("tenant", format!("{}, made for this demo", scene.tenant)),
            ("rule", format!("{RULE_NAME}: {block} where {RULE}")),
            ("budget", format!("{BUDGET_NAME}: {block} above {BUDGET} tokens a day")),
            ("agent", format!("{} is asked \"{}\"", conversation.agent_id, conversation.goal)),
        ] {
            self.print(self.folded(&format!("  {}", style(name).dim()), 12, &value));
        }
    }

    /// The run has begun.
    pub(super) fn run_started(self, run_id: &str) {
        self.print([format!("\n  {run_id}")]);
        let head = if self.is_narrow() {
            "  step  verdict  what".to_owned()
        } else {
            format!(
                "  {:>4}  {:<40}  {:<TIMELINE$}  {:>6}  {:>10}  {:<20}  {}",
                "step", "what", "when", "tokens", "cost", "budget", "verdict"
            )
        };
        self.print([style(head).dim().to_string()]);
    }

    /// The incidents that the run caused.
    pub(super) fn incidents(self, incidents: &[Value]) {
        self.print([String::new()]);
        for incident in incidents {
            let [severity, category, title, state, id] =
                ["severity", "category", "title", "lifecycle_state", "incident_id"]
                    .map(|member| incident[member].as_str().unwrap_or_default());
            let said = if self.is_narrow() {
                format!("{severity} {category} {title} {state}")
            } else {
                format!("{severity:<8} {category:<17} {title}  {} {}", style(state).dim(), style(id).dim())
            };
            self.print(self.folded(&format!("  {}", style("incident").red()), 12, &said));
        }
    }

    /// The run as it was sealed.
    pub(super) fn sealed(self, run: &Value) {
        self.named("sealed", &said_of(run));
    }

    /// Something with its name before it.
    pub(super) fn named(self, name: &str, said: &str) {
        self.print(self.folded(&format!("  {}", style(name).cyan()), 12, said));
    }

    /// One check of the bundle.
    pub(super) fn check(self, check: &verify::Check) {
        let mark = if check.passed { style("ok").green() } else { style("FAIL").red() };
        let head = format!("            {mark} {:<12} ", check.name);
        let indent = if self.is_narrow() { 15 } else { measure_text_width(&head) };
        let lines = self.folded(&head, indent, &check.detail);
        self.print(lines);
    }
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
    pub(super) fn lines(&mut self, screen: Screen, turn: &Turn, played: &Played) -> Vec<String> {
        let action = played.verdict["action"].as_str().unwrap_or("?");
        let refused = !matches!(action, "ALLOW" | "WARN");
        let when = self.when(turn, action, refused);
        if let Some(used) = used(&played.verdict).filter(|_| !refused) {
            self.used = used;
        }
        let title = turn.title();
        let tokens = if refused { "-".to_owned() } else { turn.tokens().to_string() };
        let cost = match turn.cost_usd().filter(|_| !refused) {
            Some(cost) => format!("${cost}"),
            None => "-".to_owned(),
        };
        let (index, gauge) = (played.step_index, gauge(self.used));
        let mut lines = if screen.is_narrow() {
            let verdict = coloured(action, format!("{action:<7}")).bold();
            let mut lines = screen.folded(&format!("  {index:>4}  {verdict}"), 17, &title);
            let used = if refused { gauge } else { format!("{tokens} tokens  {cost}  {gauge}") };
            lines.push(format!("        {}", used.trim_end()));
            lines
        } else {
            let title = title.chars().take(40).collect::<String>();
            let verdict = coloured(action, action.to_owned()).bold();
            vec![format!("  {index:>4}  {title:<40}  {when}  {tokens:>6}  {cost:>10}  {gauge}  {verdict}")]
        };
        let note = if refused { reason(&played.verdict) } else { turn.gist() };
        let took = format!("{:.1} ms", played.governed.as_secs_f64() * 1_000.0);
        let note = screen.folded("", 8, &format!("{note}  ({took} of governing)"));
        lines.extend(note.into_iter().map(|line| style(line).dim().to_string()));
        if action == "WARN" {
            let warned = screen.folded("", 8, &reason(&played.verdict));
            lines.extend(warned.into_iter().map(|line| style(line).yellow().to_string()));
        }
        lines
    }

    /// Its bar on the timeline.
    fn when(&mut self, turn: &Turn, action: &str, refused: bool) -> String {
        let cells = |ms: u64| usize::try_from(ms * TIMELINE as u64 / self.total_ms).unwrap_or(TIMELINE);
        let from = cells(self.passed_ms).min(TIMELINE - 1);
        let length = cells(turn.duration_ms).clamp(1, TIMELINE - from);
        let bar = if refused { "x".to_owned() } else { "█".repeat(length) };
        let after = TIMELINE - from - bar.chars().count();
        if !refused {
            self.passed_ms += turn.duration_ms;
        }
        format!("{}{}{}", " ".repeat(from), coloured(action, bar), " ".repeat(after))
    }
}

/// A run in a line.
fn said_of(run: &Value) -> String {
    let tokens = |name: &str| run[name].as_u64().unwrap_or_default();
    format!(
        "{}: {} steps, {} refused, {} tokens, ${}",
        run["status"].as_str().unwrap_or_default(),
        run["step_count"],
        run["refused_count"],
        tokens("input_tokens") + tokens("output_tokens"),
        run["cost_usd"].as_f64().unwrap_or_default(),
    )
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    #[test]
    fn a_narrow_terminal_gets_short_lines_with_all_that_a_row_has() {
        let conversation = Conversation::captured().expect("it reads");
        let played = |action: &str, message: &str| Played {
            step_index: 3,
            verdict: json!({ "action": action, "limits": [{ "name": BUDGET_NAME, "used": 96 }],
                "fired": [{ "kind": "LIMIT", "message": message }] }),
            governed: Duration::from_micros(1_234),
        };
        let message = "`weather-tokens` allows 110 TOKENS_TOTAL; 72 are used and this call would bring it to 120 in all";
        for columns in [60, 80] {
            let screen = Screen { columns, shows: false };
            for action in ["ALLOW", "WARN", "BLOCK"] {
                let mut timeline = Timeline::of(&conversation);
                for turn in &conversation.turns {
                    let lines = timeline.lines(screen, turn, &played(action, message));
                    for line in &lines {
                        assert!(measure_text_width(line) <= columns, "{columns}: {line}");
                    }
                    let told = lines.join(" ");
                    let told = console::strip_ansi_codes(&told);
                    let folded: Vec<&str> = told.split_whitespace().collect();
                    let told = folded.join(" ");
                    assert!(told.contains(action) && told.contains(&turn.title()), "{told}");
                    assert!(told.contains("/110") && told.contains("1.2 ms of governing"), "{told}");
                    assert_eq!(told.contains(message), action != "ALLOW", "{told}");
                }
            }
        }
        let wide = Screen { columns: WIDE, shows: false };
        let rows = Timeline::of(&conversation).lines(wide, &conversation.turns[0], &played("ALLOW", message));
        assert!(rows[0].trim_end().ends_with("ALLOW") && rows[0].contains('█'), "one row: {rows:?}");
    }

    #[test]
    fn an_amount_has_all_its_decimals() {
        let mut conversation = Conversation::captured().expect("it reads");
        conversation.turns[0].say_cost(json!(0.000_000_4));
        let played = Played {
            step_index: 0,
            verdict: json!({ "action": "ALLOW" }),
            governed: Duration::from_micros(1_234),
        };
        let screen = Screen { columns: usize::MAX, shows: false };
        let rows = Timeline::of(&conversation).lines(screen, &conversation.turns[0], &played);
        assert!(rows[0].contains(" $0.0000004 "), "{rows:?}");
        let said = said_of(
            &json!({ "status": "SUCCEEDED", "step_count": 1, "refused_count": 0, "cost_usd": 0.000_414_000_7 }),
        );
        assert_eq!(said, "SUCCEEDED: 1 steps, 0 refused, 0 tokens, $0.0004140007");
    }

    #[test]
    fn what_has_no_blank_stays_whole() {
        let screen = Screen { columns: 20, shows: false };
        let path = "./hoc-demo/run_0190.bundle.json";
        assert_eq!(
            screen.folded("  bundle", 12, &format!("{path} (10 bytes)")),
            [format!("  bundle    {path}"), "            (10".to_owned(), "            bytes)".to_owned(),]
        );
    }
}
