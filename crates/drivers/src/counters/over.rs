//! Over which time each counter counts, from which follows where it is looked for.

use models::counters::Counted;

use crate::cells::TABLE;

/// Over which time a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// A month, or all time: what the days say together.
    All,
    /// A day, by the column that has its name.
    Day(&'static str),
    /// An hour: its place begins with the day.
    Hour,
}

pub(super) const fn over(counted: Counted) -> Over {
    match counted {
        Counted::Runs | Counted::RunsOfMonth | Counted::AgentRuns | Counted::Calls => Over::All,
        Counted::RunsOfDay | Counted::CallsOfDay | Counted::AgentCallsOfDay => Over::Day("place"),
        Counted::AgentRunsOfDay => Over::Day("part"),
        Counted::CallsOfHour | Counted::AgentCallsOfHour => Over::Hour,
    }
}

/// The earliest name of a day, or of an hour, from a name on, that anything is counted of: one statement for each
/// counter of days.
pub(super) fn next() -> impl Iterator<Item = String> {
    Counted::ALL.iter().filter_map(|counted| {
        let column = match over(*counted) {
            Over::All => return None,
            Over::Day(column) => column,
            Over::Hour => "place",
        };
        Some(format!(
            "SELECT MIN({column}) FROM {TABLE} WHERE tenant_id = $1 AND counted = '{counted}' AND {column} >= $2"
        ))
    })
}

/// The conditions for the counters of a day, whose name is the second value; those of hours end before the third.
pub(super) fn of_day() -> impl Iterator<Item = (String, bool)> {
    Counted::ALL.iter().filter_map(|counted| match over(*counted) {
        Over::All => None,
        Over::Day(column) => Some((format!("counted = '{counted}' AND {column} = $2"), false)),
        Over::Hour => Some((format!("counted = '{counted}' AND place >= $2 AND place < $3"), true)),
    })
}

/// The condition for those of months, and of no time.
pub(super) fn of_no_day() -> String {
    let all = Counted::ALL.iter().filter(|counted| over(**counted) == Over::All);
    let names: Vec<String> = all.map(|counted| format!("'{counted}'")).collect();
    format!("counted IN ({})", names.join(", "))
}
