//! `hoc facts`: what a rule's condition can read.

use std::fmt::Write as _;

use orchestrator::handlers::policies::{Fact, FactList, known_facts};
use serde::Serialize;

use crate::out;

/// Print every fact that a rule's condition can read
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "\
Examples:
  hoc facts                 what there is, with an example of each
  hoc facts step.cost       those whose name holds `step.cost`
  hoc facts --json          for machines, as GET /api/v1/runtime/policies/facts answers

A condition is written over the paths: `context.step.cost_microusd > 500000`.")]
pub(crate) struct Args {
    /// Only facts whose path or meaning holds this
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// Print JSON
    #[arg(long, conflicts_with = "markdown")]
    json: bool,
    /// Print docs/facts.md
    #[arg(long, hide = true, conflicts_with = "text")]
    markdown: bool,
}

/// As the API answers.
#[derive(Serialize)]
struct Listed<'a> {
    schema_version: &'static str,
    items: Vec<&'a Fact>,
}

pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    if args.markdown {
        out::text(&orchestrator::handlers::policies::facts_page());
        return Ok(());
    }
    let FactList { schema_version, facts } = known_facts();
    let text = args.text.as_deref().unwrap_or_default().to_lowercase();
    let held = |fact: &&Fact| fact.path.contains(&text) || fact.meaning.to_lowercase().contains(&text);
    let items: Vec<&Fact> = facts.iter().filter(held).collect();
    if args.json {
        out::line(serde_json::to_string(&Listed { schema_version, items })?);
        return Ok(());
    }
    anyhow::ensure!(
        !items.is_empty(),
        "no fact has `{text}` in its path or its meaning: `hoc facts` lists them all"
    );
    out::text(&table(&items));
    Ok(())
}

/// One fact in a few lines: a table as wide as its meanings fits no screen.
fn table(facts: &[&Fact]) -> String {
    let mut text = String::new();
    let mut record = "";
    for fact in facts {
        let (of, _) = fact.place();
        if of != record {
            if !record.is_empty() {
                text.push('\n');
            }
            let _ = writeln!(text, "{of}");
            record = of;
        }
        let unit = fact.unit.map_or_else(String::new, |unit| format!(" of {unit}"));
        let moments: Vec<&str> = fact.moments().map(proof::words::BindAt::as_str).collect();
        let what = format!("{}{unit}, {}", fact.fact_type.as_str(), moments.join(" "));
        let _ = writeln!(text, "  {:<34} {what}", fact.path);
        for line in wrapped(fact.meaning, 92) {
            let _ = writeln!(text, "      {line}");
        }
        let _ = writeln!(text, "      {}", fact.example);
    }
    text
}

/// A sentence on lines of at most so many characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().map_or(0, |line| line.chars().count());
        if last > 0 && last + 1 + word.chars().count() > width {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
