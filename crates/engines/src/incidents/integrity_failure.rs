//! What was changed behind our back, as an incident.

use models::ids::LimitId;
use proof::words::{IncidentCategory, LogName, Severity};

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
    /// The log that it is a part of: a log is bad as a whole.
    pub part_of: Option<LogName>,
}

impl Mismatch {
    /// Which row is bad, and how: told of once.
    #[must_use]
    pub fn found(&self) -> String {
        let Self { table, row, log, why, .. } = self;
        format!("Table {table}, row {row}, by {log}: {why}.")
    }
}

/// The cause of an INTEGRITY_FAILURE: one for each log, and for each row that is in none, such as a run.
#[must_use]
pub fn integrity_failure(mismatch: &Mismatch) -> Cause {
    let Mismatch { table, row, policy_id, part_of, .. } = mismatch;
    let found = mismatch.found();
    Cause {
        category: IncidentCategory::IntegrityFailure,
        cause_key: part_of.map_or_else(|| format!("{table}/{row}"), |log| format!("log/{log}")),
        severity: Severity::Critical,
        title: format!("{table}: row {row} is not what was recorded"),
        description: format!(
            "{found} It was changed past HOC, or damaged. Compare it with a backup and with the checkpoints that are kept \
             outside the store."
        ),
        note: None,
        step_index: None,
        policy_id: policy_id.clone(),
        limit_id: policy_id.as_ref().and_then(|id| id.parse::<LimitId>().ok()),
        error_code: Some("integrity_failure".to_owned()),
        cost_impact_nanousd: 0,
    }
}
