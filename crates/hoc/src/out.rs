//! All that is printed: answers to standard output, everything else to standard error.
//!
//! A reader that hangs up (`hoc keys list | head -1`) is no failure, so what cannot be written is let go.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

/// One line of the answer.
pub(crate) fn line(text: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Text that brings its own line ends.
pub(crate) fn text(text: &str) {
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

/// One line for whoever watches; machines do not read it.
pub(crate) fn note(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether a person reads the answer as it comes.
pub(crate) fn is_watched() -> bool {
    io::stdout().is_terminal()
}
