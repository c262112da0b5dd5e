//! Puts a spine together with what stands above it.

use crate::{
    budget::Budget,
    choke::Choke,
    spine::{Parts, Spine},
    streams::Streams,
};

impl Spine {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let settings = &parts.settings;
        let budget = || Budget::new(settings.max_held_bytes);
        let choke = Choke::new(settings.max_waiting, budget(), budget());
        let streams = Streams::new(settings.max_streams);
        Self::keeping(parts, vec![Box::new(choke), Box::new(streams)])
    }
}
