//! How jobs of each kind are done.

use chrono::TimeDelta;
use engines::jobs::{Policy, RetryConfig};
use models::jobs::JobKind;

use crate::spine::Spine;

/// How long a server that has gone silent keeps a job from the others.
const LEASE: TimeDelta = TimeDelta::seconds(60);

/// The policy of jobs of this kind.
pub(crate) fn policy_of(spine: &Spine, kind: JobKind) -> Policy {
    let every = match kind {
        JobKind::LogCheck => spine.settings().check_every,
    };
    Policy { retry: RetryConfig::default(), lease: LEASE, every }
}
