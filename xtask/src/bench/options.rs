//! What was asked of `cargo xtask bench`.

use anyhow::{Context as _, bail};
use std::{path::PathBuf, time::Duration};

pub(super) const HELP: &str = "\
cargo xtask bench [--short] [--store sqlite|postgres|both] [--only PART,..] [--seconds N] [--binary FILE]
                  [--json FILE] [--write]

  --short       within about seven minutes; without it, ten seconds a measurement, a minute's rest after each load to
                see what memory comes back, a bundle of 100,000 steps, and lists of 1 and 5 million rows, which take a
                while to fill and some 10 GiB
  --store       both where not said
  --only        parts: commits (what the store itself can do), bare, steps, permits, batches, spans, conversations,
                bundles, start, lists, rules
  --seconds     how long each measurement lasts
  --binary      a `hoc` that is built already, such as that of another commit
  --json        where the figures go; target/bench/STORE.json as well, always
  --write       writes docs/performance.md
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
    Start,
    Lists,
    Rules,
}

impl Part {
    const ALL: [(Self, &str); 11] = [
        (Self::Commits, "commits"),
        (Self::Bare, "bare"),
        (Self::Steps, "steps"),
        (Self::Permits, "permits"),
        (Self::Batches, "batches"),
        (Self::Spans, "spans"),
        (Self::Conversations, "conversations"),
        (Self::Bundles, "bundles"),
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
    /// Instead of building one.
    pub(super) binary: Option<PathBuf>,
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
            binary: None,
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
        Ok(options)
    }

    pub(super) fn has(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// How long the main measurements last.
    pub(super) fn window(&self) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(if self.short { 4 } else { 10 }))
    }

    /// How long the others last: those that the main ones are compared with, or that vary less.
    pub(super) fn brief_window(&self) -> Duration {
        self.window() / 2
    }

    /// How long the server rests after a load before its memory is looked at again.
    pub(super) fn rest(&self) -> Option<Duration> {
        (!self.short).then_some(Duration::from_mins(1))
    }

    /// Steps of the runs whose bundles are measured.
    pub(super) fn bundle_sizes(&self) -> &'static [usize] {
        if self.short { &[20, 1_000, 10_000] } else { &[20, 1_000, 10_000, 100_000] }
    }
}

impl Options {
    /// Whether anything is measured of steps.
    pub(super) fn loads(&self) -> bool {
        [Part::Bare, Part::Steps, Part::Permits, Part::Batches, Part::Bundles]
            .iter()
            .any(|part| self.has(*part))
    }

    /// Rows of the lists whose pages are read.
    pub(super) fn list_sizes(&self) -> &'static [u64] {
        if self.short { &[100_000] } else { &[1_000_000, 5_000_000] }
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
        assert_eq!((all.stores.len(), all.window().as_secs()), (2, 10));
        assert_eq!(all.rest(), Some(Duration::from_mins(1)));
    }

    #[test]
    fn what_is_said_counts() {
        let some = parse("--short --store sqlite --only steps,bare --json x.json --write").expect("options");
        assert!(some.has(Part::Steps) && some.has(Part::Bare) && !some.has(Part::Commits));
        assert_eq!((some.stores.as_slice(), some.window().as_secs()), ([Kind::Sqlite].as_slice(), 4));
        assert_eq!(parse("--short --seconds 30").expect("options").window().as_secs(), 30);
        assert_eq!((some.bundle_sizes().last(), some.rest()), (Some(&10_000), None));
        for bad in ["--fast", "--store mysql", "--only all", "--json", "--seconds soon"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
