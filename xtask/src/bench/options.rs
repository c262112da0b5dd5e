//! What was asked of `cargo xtask bench`.

use anyhow::{Context as _, bail};
use std::{path::PathBuf, time::Duration};

pub(super) const HELP: &str = "\
cargo xtask bench [--short] [--store sqlite|postgres|both] [--only PART,..] [--seconds N] [--rows N]
                  [--binary FILE [--binary-commit COMMIT]] [--built FILE] [--json FILE] [--write]

  --binary         the `hoc` of a commit before: it is measured beside the one of this tree, in turn and on stores of
                   its own (before, after, before, after), and every figure is shown beside what it was
  --binary-commit  which commit that was: a binary does not say. --write asks for it
  --built          a `hoc` that is built already, measured instead of building the one of this tree; not with --write
  --store          both where not said
  --only           parts: commits (what the store itself can do), bare, steps, permits, batches, spans, conversations,
                   bundles, memory, start, lists, rules
  --seconds        how long each measurement lasts, in all rounds; ten where not said
  --rows           of the lists, 200,000 where not said. The aim is about 5000000, which take some ten minutes and ten
                   GiB for each binary on each store: `--only lists --rows 5000000` measures them alone
  --short          four seconds a measurement, bundles of up to 10,000 steps, lists of 100,000 rows, and no minute's
                   rest to see what memory comes back
  --json           where the figures go; target/bench/STORE.json as well, always
  --write          writes docs/performance.md

A whole run takes some twelve minutes, and with --binary some twenty. What cannot be measured, as where a binary of
before lacks an option or an endpoint, is said and shown as `-`; of this tree's binary, the run then fails at its end.
";

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Commits,
    Bare,
    Steps,
    Permits,
    Batches,
    Spans,
    Conversations,
    Bundles,
    Memory,
    Start,
    Lists,
    Rules,
}

impl Part {
    const ALL: [(Self, &str); 12] = [
        (Self::Commits, "commits"),
        (Self::Bare, "bare"),
        (Self::Steps, "steps"),
        (Self::Permits, "permits"),
        (Self::Batches, "batches"),
        (Self::Spans, "spans"),
        (Self::Conversations, "conversations"),
        (Self::Bundles, "bundles"),
        (Self::Memory, "memory"),
        (Self::Start, "start"),
        (Self::Lists, "lists"),
        (Self::Rules, "rules"),
    ];

    fn parse(name: &str) -> anyhow::Result<Self> {
        let found = Self::ALL.iter().find(|(_, known)| *known == name);
        found.map(|(part, _)| *part).with_context(|| format!("there is no part `{name}`\n\n{HELP}"))
    }
}

/// Which database is under the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) short: bool,
    pub(super) stores: Vec<Kind>,
    only: Vec<Part>,
    seconds: Option<u64>,
    rows: Option<u64>,
    /// The one of before.
    pub(super) binary: Option<PathBuf>,
    pub(super) binary_commit: Option<String>,
    /// Instead of building one.
    pub(super) built: Option<PathBuf>,
    pub(super) json: Option<PathBuf>,
    pub(super) write: bool,
}

impl Options {
    pub(super) fn parse(args: &[String]) -> anyhow::Result<Self> {
        let mut options = Self {
            short: false,
            stores: vec![Kind::Sqlite, Kind::Postgres],
            only: Vec::new(),
            seconds: None,
            rows: None,
            binary: None,
            binary_commit: None,
            built: None,
            json: None,
            write: false,
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            let mut value = || args.next().with_context(|| format!("{arg} needs a value\n\n{HELP}"));
            match arg.as_str() {
                "--short" => options.short = true,
                "--write" => options.write = true,
                "--binary" => options.binary = Some(std::path::absolute(value()?)?),
                "--binary-commit" => options.binary_commit = Some(value()?.clone()),
                "--built" => options.built = Some(std::path::absolute(value()?)?),
                "--rows" => options.rows = Some(value()?.parse().context("--rows takes a whole number")?),
                "--json" => options.json = Some(PathBuf::from(value()?)),
                "--seconds" => {
                    options.seconds = Some(value()?.parse().context("--seconds takes a whole number")?);
                }
                "--only" => {
                    options.only = value()?.split(',').map(Part::parse).collect::<anyhow::Result<_>>()?;
                }
                "--store" => {
                    options.stores = match value()?.as_str() {
                        "sqlite" => vec![Kind::Sqlite],
                        "postgres" => vec![Kind::Postgres],
                        "both" => vec![Kind::Sqlite, Kind::Postgres],
                        other => bail!("there is no store `{other}`\n\n{HELP}"),
                    }
                }
                other => bail!("no option `{other}`\n\n{HELP}"),
            }
        }
        options.check()?;
        Ok(options)
    }

    /// Whether the page could say what was measured.
    fn check(&self) -> anyhow::Result<()> {
        if self.binary.is_none() && self.binary_commit.is_some() {
            bail!("--binary-commit says of which commit --binary is, and there is no --binary");
        }
        if self.write && self.binary.is_some() && self.binary_commit.is_none() {
            bail!("the page names both commits: say with --binary-commit of which one --binary is");
        }
        if self.write && self.built.is_some() {
            bail!("the page names this tree's commit, and nobody knows whether --built is of it");
        }
        Ok(())
    }

    pub(super) fn has(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// How often what takes turns has its turn.
    pub(super) fn rounds(&self) -> u32 {
        if self.binary.is_some() { 2 } else { 1 }
    }

    /// How long a main measurement lasts, in all rounds.
    pub(super) fn seconds(&self) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(if self.short { 4 } else { 10 }))
    }

    /// How long it lasts in one round.
    pub(super) fn window(&self) -> Duration {
        self.seconds() / self.rounds()
    }

    /// How long the others last: those that the main ones are compared with, or that vary less.
    pub(super) fn brief_window(&self) -> Duration {
        self.window() / 2
    }

    /// How long the store's own limits are measured, which are so in one round.
    pub(super) fn limit_window(&self) -> Duration {
        self.seconds() / 2
    }

    /// How long the server rests after every kind of load before its memory is looked at again.
    pub(super) fn rest(&self) -> Option<Duration> {
        (!self.short).then_some(Duration::from_mins(1))
    }

    /// Steps of the runs whose bundles are measured.
    pub(super) fn bundle_sizes(&self) -> &'static [usize] {
        if self.short { &[20, 1_000, 10_000] } else { &[20, 1_000, 10_000, 100_000] }
    }

    /// Rows of the lists whose pages are read.
    pub(super) fn rows(&self) -> u64 {
        self.rows.unwrap_or(if self.short { 100_000 } else { 200_000 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> anyhow::Result<Options> {
        Options::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn all_is_measured_where_nothing_is_said() {
        let all = parse("").expect("options");
        assert!(Part::ALL.iter().all(|(part, _)| all.has(*part)) && !all.short && !all.write);
        assert_eq!((all.stores.len(), all.window().as_secs(), all.rows()), (2, 10, 200_000));
        assert_eq!((all.rest(), all.rounds()), (Some(Duration::from_mins(1)), 1));
    }

    #[test]
    fn what_is_said_counts() {
        let some = parse("--short --store sqlite --only steps,bare --json x.json --write").expect("options");
        assert!(some.has(Part::Steps) && some.has(Part::Bare) && !some.has(Part::Commits));
        assert_eq!((some.stores.as_slice(), some.window().as_secs()), ([Kind::Sqlite].as_slice(), 4));
        assert_eq!(parse("--short --seconds 30").expect("options").window().as_secs(), 30);
        assert_eq!((some.bundle_sizes().last(), some.rest()), (Some(&10_000), None));
        assert_eq!(parse("--rows 5000000").expect("options").rows(), 5_000_000);
        for bad in ["--fast", "--store mysql", "--only all", "--json", "--seconds soon", "--rows many"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn beside_another_binary_a_measurement_lasts_as_long_in_two_rounds() {
        let two = parse("--binary /old/hoc --binary-commit HEAD~1 --write").expect("options");
        assert_eq!((two.rounds(), two.window().as_secs(), two.seconds().as_secs()), (2, 5, 10));
        assert_eq!(two.limit_window(), Duration::from_secs(5));
        parse("--binary /old/hoc").expect("a commit is asked for by the page alone");
        parse("--built /new/hoc --binary /old/hoc").expect("both may be there already");
    }

    #[test]
    fn the_page_names_the_commits_of_all_that_it_shows() {
        for bad in ["--binary /old/hoc --write", "--built /new/hoc --write", "--binary-commit HEAD"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
