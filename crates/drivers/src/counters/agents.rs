//! What each agent used, which the store adds up: there may be as many agents as runs, and only some of them are asked
//! for.

use models::{counters::Counted, overview::Period};
use sea_orm::Value;

use super::{
    CALLS, NUMBERS, SUMMED, numbers_of_call,
    span::{Piece, among},
};
use crate::cells::TABLE;

/// What each agent used in a piece of a period, a row for a counter or for a call; the tenant is bound first.
pub(crate) fn used(piece: Piece, period: Period, values: &mut Vec<Value>) -> Option<String> {
    let (counts, names) = match piece {
        Piece::Days(names) => (Counted::AgentCallsOfDay, names),
        Piece::Hours(names) => (Counted::AgentCallsOfHour, names),
        Piece::Months(_) => return None,
        Piece::Rows(end) => {
            values.push(end.from.unwrap_or(period.from).into());
            let from = values.len();
            values.push(end.until.unwrap_or(period.until).into());
            return Some(calls_of_agents(from, values.len()));
        }
    };
    let among = among(names, values);
    let numbers = NUMBERS.join(", ");
    Some(format!("SELECT part, {numbers} FROM {TABLE} WHERE tenant_id = $1 AND counted = '{counts}'{among}"))
}

/// The calls between two times, which are bound at these places, as counters of one would say it.
fn calls_of_agents(from: usize, until: usize) -> String {
    let named = numbers_of_call().into_iter().zip(NUMBERS).map(|(of, name)| format!("{of} AS {name}"));
    let numbers = named.collect::<Vec<_>>().join(", ");
    format!(
        "SELECT r.agent_id AS part, {numbers} FROM {CALLS} \
         JOIN runs r ON r.tenant_id = l.tenant_id AND r.id = l.run_id \
         WHERE l.tenant_id = $1 AND l.created_at >= ${from} AND l.created_at < ${until} AND {SUMMED}"
    )
}
