//! What counters say of the row of a run as it stands, which need not read back: the check of counters counts it too.

use entities::activity::runs::Model;

use super::{
    runs::of_kind,
    span::day,
    words::{Words, at_risk},
};
use crate::{
    cells::{Cell, Tally},
    conn::Conn,
};

/// A row that stands otherwise than before.
pub(crate) fn moved(conn: &Conn, before: &Model, now: &Model) {
    for (row, number) in [(before, -1), (now, 1)] {
        conn.counters().add(cells(row), Tally { number, ..Tally::default() });
    }
}

/// The counters of a row, as `runs` has those of its run.
fn cells(row: &Model) -> [Cell; 5] {
    let words = Words {
        state: row.state.as_str().into(),
        status: row.status.as_str().into(),
        risk_level: row.risk_level.as_str().into(),
        at_risk: at_risk(&row.risk_level, row.incident_count > 0, row.policy_violation),
        source: row.source.as_str().into(),
        is_synthetic: row.is_synthetic,
        integrity_status: row.integrity_status.as_str().into(),
        evidence_health: row.evidence_health.as_str().into(),
        latency_bucket: row.latency_bucket.as_str().into(),
        assurance: row.assurance.as_str().into(),
        project_id: row.project_id.as_deref().map(Into::into),
        provider_type: row.provider_type.as_deref().map(Into::into),
        key_id: row.key_id.0,
    };
    of_kind(row.tenant_id.0, (&row.agent_id, &day(row.started_at)), &words.kind())
}
