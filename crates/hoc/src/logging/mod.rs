//! Structured logs to standard error: for people on a terminal, JSON lines otherwise.

mod lines;

use std::io::{self, IsTerminal as _};

use anyhow::Context as _;
use tracing_subscriber::{EnvFilter, fmt::format::JsonFields};

use self::lines::JsonLines;
use crate::config::{
    Config,
    log::{Format, Log},
};

/// Starts logging. Only what serves for long says `info`; other commands speak by their answer.
pub(crate) fn start(config: &Config, serves: bool) -> anyhow::Result<()> {
    let Log { filter, format } = &config.log;
    let levels = if serves || filter.is_given() { filter.value.as_str() } else { "warn" };
    let levels = EnvFilter::try_new(levels).with_context(|| {
        format!(
            "log.filter ({}): `{levels}` is no filter, such as info or warn,orchestrator=debug",
            filter.origin
        )
    })?;
    let human = match format.value {
        Format::Auto => io::stderr().is_terminal(),
        Format::Human => true,
        Format::Json => false,
    };
    // A line that cannot be written, as to a full disk, is lost: telling of it on the same stream would panic.
    let lines =
        tracing_subscriber::fmt().with_env_filter(levels).with_writer(io::stderr).log_internal_errors(false);
    if human {
        lines.with_ansi(io::stderr().is_terminal()).init();
    } else {
        lines.fmt_fields(JsonFields::new()).event_format(JsonLines).init();
    }
    for variable in &config.unknown_variables {
        tracing::warn!(
            variable,
            "{variable} is set, but is no setting of this version of hoc: it changes nothing"
        );
    }
    Ok(())
}
