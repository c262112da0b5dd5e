//! What counters say of the row of a run as it stands, which need not read back: the check of counters counts it too.

use entities::activity::runs::Model;
use models::activity::RiskLevel;

use super::{kind, runs::of_kind, span::day, yes};
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
    let is_normal = row.risk_level == RiskLevel::Normal.as_str();
    let at_risk = !is_normal || row.incident_count > 0 || row.policy_violation;
    let closed = [
        row.state.as_str(),
        &row.status,
        &row.risk_level,
        yes(at_risk),
        &row.source,
        yes(row.is_synthetic),
        &row.integrity_status,
        &row.evidence_health,
        &row.latency_bucket,
        &row.assurance,
    ];
    let key = row.key_id.to_string();
    let open = [row.project_id.as_deref(), row.provider_type.as_deref(), Some(key.as_str())];
    let words = [closed.map(Some).as_slice(), &open].concat();
    of_kind(row.tenant_id.0, (&row.agent_id, &day(row.started_at)), &kind(&words))
}
