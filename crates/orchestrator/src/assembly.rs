//! Puts a spine together with what stands above it, and builds ahead what the first request would wait for.

use engines::logs::redact;

use crate::{
    budget::Budget,
    choke::{Budgets, Choke},
    spine::{Parts, Spine},
    streams::Streams,
};

/// Builds what every text that comes in is held against to redact it. Whoever serves has it done by a thread of its own
/// while the store is opened; who needs it before it is done waits for the rest. Dictionaries that bodies are pressed
/// with, and what rules are checked by, are built when they are first asked for.
pub fn warm() {
    redact::warm();
}

impl Spine {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let settings = &parts.settings;
        let budget = |what| Budget::new(what, settings.max_held_bytes);
        let choke = Choke::new(Budgets {
            places: Budget::new("calls that wait", settings.max_waiting),
            waiting: budget("bytes of calls that wait"),
            unwritten: budget("answers that wait for the store"),
            remembered: settings.max_remembered_bytes,
        });
        let streams = Streams::new(settings.max_streams);
        Self::keeping(parts, vec![Box::new(choke), Box::new(streams)])
    }
}
