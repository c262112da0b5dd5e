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

/// How a command speaks, where nobody says how much it is to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// It serves for long, and says what goes on.
    Serves,
    /// It speaks by its answer, and warns beside that.
    Answers,
    /// Its answer is all that is to be said, warnings and failures too.
    Examines,
}

/// Starts logging.
pub(crate) fn start(config: &Config, voice: Voice) -> anyhow::Result<()> {
    let Log { filter, format } = &config.log;
    let levels = match voice {
        _ if filter.is_given() => filter.value.as_str(),
        Voice::Serves => filter.value.as_str(),
        Voice::Answers => "warn",
        Voice::Examines => "off",
    };
    let levels = EnvFilter::try_new(levels).with_context(|| {
        format!(
            "log.filter ({}): `{levels}` is no filter, such as info or warn,orchestrator=debug",
            filter.origin
        )
    })?;
    let human = match format.value {
        // Lines of a server are collected; those of a command stand beside what a person reads.
        Format::Auto => voice != Voice::Serves || io::stderr().is_terminal(),
        Format::Human => true,
        Format::Json => false,
    };
    // A line that cannot be written, as to a full disk, is lost: telling of it on the same stream would panic.
    let lines =
        tracing_subscriber::fmt().with_env_filter(levels).with_writer(io::stderr).log_internal_errors(false);
    if human {
        // As everything else that is printed: not where NO_COLOR is set.
        lines.with_ansi(console::colors_enabled_stderr()).init();
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
