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

impl Log {
    pub(super) fn read(sources: &Sources, flags: &Flags) -> anyhow::Result<Self> {
        Ok(Self {
            filter: sources.setting(&FILTER, flags.log_filter.as_deref(), DEFAULT.to_owned(), |text| {
                Ok(text.to_owned())
            })?,
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
