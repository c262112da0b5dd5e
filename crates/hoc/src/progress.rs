//! Bars for work that takes a while. On no terminal they draw nothing.

use indicatif::{ProgressBar, ProgressStyle};

/// A count that goes up, of how many nobody knows before.
pub(crate) fn tally(doing: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:30} {human_pos} {per_sec}");
    let tally = ProgressBar::no_length().with_message(doing.to_owned());
    style.map_or_else(|_| tally.clone(), |style| tally.clone().with_style(style))
}

/// A bar of a hundred parts, and what is said behind it.
pub(crate) fn percentage(doing: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:12} {bar:40.cyan} {pos:>3}% {msg}");
    let bar = ProgressBar::new(100).with_prefix(doing.to_owned());
    style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
}

/// A bar of `length` rows.
pub(crate) fn bar(length: u64, doing: &str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg:30} {bar:40.cyan} {human_pos}/{human_len} {per_sec} {eta}");
    let bar = ProgressBar::new(length).with_message(doing.to_owned());
    style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style))
}
