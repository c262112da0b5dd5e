//! `[log]`: what the server says of itself, and in which form.

use anyhow::bail;

use super::{
    Flags, Shown,
    origin::{Name, Setting, Sources},
};

pub(super) static FILTER: Name =
    Name { section: "log", key: "filter", variable: "HOC_LOG", flag: Some("--log-filter") };
pub(super) static FORMAT: Name =
    Name { section: "log", key: "format", variable: "HOC_LOG_FORMAT", flag: None };

/// Without the notices of Postgres, and without a line for each migration: `ready` says how many there were.
const DEFAULT: &str = "info,sqlx=warn,sea_orm_migration=warn";

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people on a terminal, JSON otherwise.
    Auto,
    Human,
    Json,
}

/// The section.
#[derive(Clone, Debug)]
pub(crate) struct Log {
    /// Levels by target: `info`, `warn,orchestrator=debug`.
    pub(crate) filter: Setting<String>,
    pub(crate) format: Setting<Format>,
}

/// Levels by target. A word alone is a level: what is none would be taken for a part of the server that says nothing.
fn levels(text: &str) -> anyhow::Result<String> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_level = |word: &str| LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level));
    let mut words = text.split(',').map(str::trim);
    if let Some(odd) =
        words.find(|word| !word.is_empty() && !word.contains(['=', '[', ']']) && !is_level(word))
    {
        bail!("`{odd}` is none of {}: of one part of the server, write part=level", LEVELS.join(", "));
    }
    Ok(text.to_owned())
}

impl Log {
    pub(super) fn read(sources: &Sources, flags: &Flags) -> anyhow::Result<Self> {
        Ok(Self {
            filter: sources.setting(&FILTER, flags.log_filter.as_deref(), DEFAULT.to_owned(), levels)?,
            format: sources.setting(&FORMAT, None, Format::Auto, |text| {
                Ok(match text {
                    "auto" => Format::Auto,
                    "human" => Format::Human,
                    "json" => Format::Json,
                    _ => bail!("`{text}` is none of auto, human, json"),
                })
            })?,
        })
    }

    pub(super) fn show(&self) -> Vec<Shown> {
        let format = match self.format.value {
            Format::Auto => "auto",
            Format::Human => "human",
            Format::Json => "json",
        };
        vec![
            Shown::text(&FILTER, &self.filter.value, &self.filter.origin),
            Shown::text(&FORMAT, format, &self.format.origin),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::levels;

    #[test]
    fn a_word_alone_is_a_level() {
        for fits in
            ["", "info", "WARN", "warn,orchestrator=debug", " off , hoc=trace", "[request{id=1,a=2}]=debug"]
        {
            assert_eq!(levels(fits).ok().as_deref(), Some(fits));
        }
        for odd in ["verbose", "orchestrator", "info,verbose", "5"] {
            assert!(levels(odd).is_err(), "{odd}");
        }
    }
}
