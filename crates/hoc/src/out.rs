//! All that is printed: answers to standard output, everything else to standard error.
//!
//! A reader that hangs up (`hoc keys list | head -1`) is no failure. Where an answer gets lost otherwise, as on a full
//! disk, that is told at once, and the command ends as one that failed, whatever else it did.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
    process::ExitCode,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{failure, output::CannotWrite};

/// Whether an answer was lost. There is one standard output.
static IS_LOST: AtomicBool = AtomicBool::new(false);

/// One line of the answer.
pub(crate) fn line(text: impl Display) {
    answered(writeln!(io::stdout().lock(), "{text}"));
}

/// Text that brings its own line ends.
pub(crate) fn text(text: &str) {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    drop(stdout);
    answered(written);
}

/// What the reader of the command line has to say: the help, or the version, that somebody asked for; or what is wrong
/// with what was typed. Gives how the command ends.
pub(crate) fn usage(said: &clap::Error) -> ExitCode {
    let written = said.print();
    if !said.use_stderr() {
        answered(written.and_then(|()| io::stdout().flush()));
    }
    ended(u8::try_from(said.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// One line for whoever watches; machines do not read it.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether a person reads the answer as it comes.
pub(crate) fn is_watched() -> bool {
    io::stdout().is_terminal()
}

/// How a command ends that came to this.
pub(crate) fn ended(code: ExitCode) -> ExitCode {
    let is_lost = IS_LOST.load(Ordering::Relaxed);
    if is_lost && code == ExitCode::SUCCESS { ExitCode::FAILURE } else { code }
}

/// Tells of an answer that got lost: of the first.
fn answered(written: io::Result<()>) {
    let Err(why) = written else { return };
    let lost = CannotWrite::of("-".as_ref(), why);
    if lost.is_for_its_reader() || IS_LOST.swap(true, Ordering::Relaxed) {
        return;
    }
    note(format!("error: {}", failure::told(&lost.into())));
}
