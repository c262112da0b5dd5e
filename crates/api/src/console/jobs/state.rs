//! Where a job stands, as a badge.

use models::jobs::{Job, JobState};

use crate::console::show::Badge;

/// The badge of a job's state: what nobody tries again by himself wants somebody.
pub(super) fn state(job: &Job) -> Badge {
    let tone = match job.state {
        JobState::Succeeded => "good",
        JobState::Running => "info",
        JobState::Retrying => "warn",
        JobState::Failed | JobState::Dead => "bad",
        JobState::Queued | JobState::Cancelled => "mute",
    };
    Badge::toned(job.state.as_str(), tone)
}
