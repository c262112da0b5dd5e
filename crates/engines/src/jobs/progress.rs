//! How far a job is, and when it will be done.

use chrono::{DateTime, TimeDelta, Utc};
use models::jobs::{Job, ProgressStage};

/// Notes how far a job is, at one time.
#[derive(Clone, Copy, Debug)]
pub struct JobProgressTracker {
    now: DateTime<Utc>,
}

impl JobProgressTracker {
    /// One for what happens at `now`.
    #[must_use]
    pub const fn new(now: DateTime<Utc>) -> Self {
        Self { now }
    }

    /// It waits.
    pub fn queue(self, job: &mut Job) {
        self.note(job, ProgressStage::Queued, 0);
        job.finished_at = None;
    }

    /// An attempt begins.
    pub fn start(self, job: &mut Job) {
        self.note(job, ProgressStage::Starting, 0);
        job.started_at = Some(self.now);
    }

    /// So many of a hundred are done. It does not go back within an attempt.
    pub fn update(self, job: &mut Job, percentage: u64) {
        let percentage = percentage.min(100).max(job.percentage);
        let stage = if percentage == 100 { ProgressStage::Completing } else { ProgressStage::Running };
        self.note(job, stage, percentage);
        job.eta_at = job.started_at.and_then(|began| Self::calculate_eta(began, percentage, self.now));
    }

    /// It is done.
    pub fn complete(self, job: &mut Job) {
        self.end(job, ProgressStage::Completed, 100);
    }

    /// It is given up, as far as it was.
    pub fn fail(self, job: &mut Job) {
        self.end(job, ProgressStage::Failed, job.percentage);
    }

    /// Somebody cancelled it, as far as it was.
    pub fn cancel(self, job: &mut Job) {
        self.end(job, ProgressStage::Cancelled, job.percentage);
    }

    /// When it is done, if what is left takes as long as what is done did: `now + elapsed (100 - p) / p`. None before
    /// anything is done.
    #[must_use]
    pub fn calculate_eta(began: DateTime<Utc>, percentage: u64, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let done = i64::try_from(percentage.min(100)).ok().filter(|done| *done > 0)?;
        let elapsed = (now - began).num_milliseconds().max(0);
        let left = TimeDelta::try_milliseconds(elapsed.saturating_mul(100 - done) / done)?;
        now.checked_add_signed(left)
    }

    fn end(self, job: &mut Job, stage: ProgressStage, percentage: u64) {
        self.note(job, stage, percentage);
        job.finished_at = Some(self.now);
    }

    fn note(self, job: &mut Job, stage: ProgressStage, percentage: u64) {
        job.stage = stage;
        job.percentage = percentage;
        job.eta_at = None;
        job.updated_at = self.now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_takes_as_long_as_what_is_done_did() {
        let began = DateTime::UNIX_EPOCH;
        let now = began + TimeDelta::seconds(30);
        for (percentage, left) in [(1, 2_970), (10, 270), (25, 90), (50, 30), (75, 10), (100, 0), (300, 0)] {
            let eta = JobProgressTracker::calculate_eta(began, percentage, now);
            assert_eq!(eta.map(|at| (at - now).num_seconds()), Some(left), "{percentage}");
        }
        assert_eq!(JobProgressTracker::calculate_eta(began, 0, now), None, "nothing is done yet");
        assert_eq!(
            JobProgressTracker::calculate_eta(now, 50, began),
            Some(began),
            "a clock that was set back"
        );
    }
}
