//! What the mark of a run that stalls makes of its row, by the words that stand there: it need not read back.

use entities::activity::runs::Model;
use models::activity::{LatencyBucket, RiskLevel};
use sea_orm::{
    FromQueryResult as _, QueryResult, Value,
    sea_query::{Expr, SimpleExpr},
};
use uuid::Uuid;

use crate::{conn::Conn, counters};

/// Notes for the counters that these rows of runs are marked; gives their keys, in order.
pub(crate) fn noted(conn: &Conn, rows: &[QueryResult]) -> Vec<[Value; 2]> {
    let mut keys: Vec<[Uuid; 2]> = Vec::with_capacity(rows.len());
    for row in rows {
        let key = |column| row.try_get::<Uuid>("", column);
        let (Ok(tenant), Ok(run)) = (key("tenant_id"), key("id")) else { continue };
        keys.push([tenant, run]);
        let Ok(before) = Model::from_query_result(row, "") else { continue };
        let mut now = before.clone();
        LatencyBucket::Stalled.as_str().clone_into(&mut now.latency_bucket);
        if milder().any(|risk| risk == now.risk_level) {
            RiskLevel::AtRisk.as_str().clone_into(&mut now.risk_level);
        }
        counters::stored::moved(conn, &before, &now);
    }
    keys.sort_unstable();
    keys.into_iter().map(|key| key.map(Value::from)).collect()
}

/// The risk of a run that is marked: never lowered.
pub(crate) fn risk() -> SimpleExpr {
    let milder = milder().collect::<Vec<_>>().join("', '");
    Expr::cust(format!(
        "CASE WHEN risk_level IN ('{milder}') THEN '{}' ELSE risk_level END",
        RiskLevel::AtRisk
    ))
}

/// What is less than the risk of a run that stalls.
fn milder() -> impl Iterator<Item = &'static str> {
    RiskLevel::ALL.iter().filter(|risk| **risk < RiskLevel::AtRisk).map(|risk| risk.as_str())
}
