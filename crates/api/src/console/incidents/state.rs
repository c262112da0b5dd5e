//! Where an incident stands, as a badge.

use models::incidents::Incident;

use crate::console::show::{self, Badge};

/// The badge of an incident's state.
pub(super) fn state(incident: &Incident) -> Badge {
    let word = incident.lifecycle_state.as_str();
    Badge::toned(word, show::state_tone(word))
}
