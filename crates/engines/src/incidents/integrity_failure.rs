//! What was changed behind our back, as an incident.

use models::ids::LimitId;
use proof::words::{IncidentCategory, Severity};

use super::Cause;

/// Something stored that does not match its hash, or what it was sealed or signed as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The table.
    pub table: &'static str,
    /// Its row, by its key.
    pub row: String,
    /// The log that shows it: `audit`, `runs`, or what else says how it should be.
    pub log: &'static str,
    /// Which comparison failed.
    pub why: String,
    /// The rule, or limit, whose definition it is.
    pub policy_id: Option<String>,
}

/// The cause of an INTEGRITY_FAILURE: one for each row.
#[must_use]
pub fn integrity_failure(mismatch: &Mismatch) -> Cause {
    let Mismatch { table, row, log, why, policy_id } = mismatch;
    Cause {
        category: IncidentCategory::IntegrityFailure,
        cause_key: format!("{table}/{row}"),
        severity: Severity::Critical,
        title: format!("{table}: row {row} is not what was recorded"),
        description: format!(
            "Table {table}, row {row}, by {log}: {why}. It was changed past HOC, or damaged. Compare it with a backup \
             and with the checkpoints that are kept outside the store."
        ),
        step_index: None,
        policy_id: policy_id.clone(),
        limit_id: policy_id.as_ref().and_then(|id| id.parse::<LimitId>().ok()),
        error_code: Some("integrity_failure".to_owned()),
        cost_impact_microusd: 0,
    }
}
