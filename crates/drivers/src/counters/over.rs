//! Over which time each counter counts, from which follows where it is looked for.

use chrono::NaiveDate;
use models::counters::Counted;

use super::name::bound;
use crate::cells::TABLE;

/// Over which time a counter counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// A month, or all time: what the days say together.
    All,
    /// All time, of one agent: there may be as many of them as runs.
    Agent,
    /// A day, by the column that has its name.
    Day(&'static str),
    /// An hour: its place begins with the day.
    Hour,
}

pub(super) const fn over(counted: Counted) -> Over {
    match counted {
        Counted::Runs | Counted::RunsOfMonth | Counted::Calls => Over::All,
        Counted::AgentRuns => Over::Agent,
        Counted::RunsOfDay | Counted::CallsOfDay | Counted::AgentCallsOfDay => Over::Day("place"),
        Counted::AgentRunsOfDay => Over::Day("part"),
        Counted::CallsOfHour | Counted::AgentCallsOfHour => Over::Hour,
    }
}

/// A counter of days or of hours, with the column that has the name of its time.
pub(super) type Time = (Counted, &'static str);

/// All of them.
pub(super) fn of_times() -> impl Iterator<Item = Time> {
    Counted::ALL.iter().filter_map(|counted| match over(*counted) {
        Over::All | Over::Agent => None,
        Over::Day(column) => Some((*counted, column)),
        Over::Hour => Some((*counted, "place")),
    })
}

/// The one of the days of agents.
pub(super) const fn of_agents() -> Time {
    (Counted::AgentRunsOfDay, "part")
}

/// The day that the name of a time is, or lies in. None of what is no name of any: somebody wrote it past HOC.
pub(super) fn day_of(counted: Counted, name: &str) -> Option<NaiveDate> {
    let day = if over(counted) == Over::Hour { name.get(..10)? } else { name };
    day.parse::<NaiveDate>().ok().filter(|read| read.to_string() == day)
}

/// The earliest name of a time that `is` from (`>=`), or after (`>`), another.
pub(super) fn next((counted, column): (Counted, &str), is: &str) -> String {
    format!(
        "SELECT MIN({column}) FROM {TABLE} WHERE tenant_id = $1 AND counted = '{counted}' AND {column} {is} {}",
        bound(2)
    )
}

/// All names of times that a counter has, each by one look into an index.
pub(super) fn names((counted, column): (Counted, &str)) -> String {
    let least = format!("SELECT MIN({column}) FROM {TABLE} WHERE tenant_id = $1 AND counted = '{counted}'");
    format!(
        "WITH RECURSIVE names(name) AS ({least} UNION ALL SELECT ({least} AND {column} > names.name) FROM names \
         WHERE names.name IS NOT NULL) SELECT name FROM names WHERE name IS NOT NULL"
    )
}

/// The conditions for the counters of a day, whose name is the second value; those of hours end before the third.
pub(super) fn of_day() -> impl Iterator<Item = (String, bool)> {
    Counted::ALL.iter().filter_map(|counted| match over(*counted) {
        Over::All | Over::Agent => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_day_is_no_name_of_one() {
        let is_one = |counted, name| day_of(counted, name).is_some();
        for name in ["2026-02-28", "0001-01-01", "9999-12-31"] {
            assert!(is_one(Counted::RunsOfDay, name), "{name}");
        }
        for name in [
            "",
            "2031-13-77",
            "2026-02-30",
            "2026-2-1",
            " 2026-02-01",
            "2026-02-01T00",
            "2026-02-01x",
            "漢字",
        ] {
            assert!(!is_one(Counted::AgentRunsOfDay, name), "{name}");
        }
        assert!(is_one(Counted::CallsOfHour, "2026-02-28T23"));
        // It is found with the day: no call has such an hour.
        assert!(is_one(Counted::CallsOfHour, "2026-02-28T77"));
        assert!(!is_one(Counted::AgentCallsOfHour, "2026-02-30T00"));
    }
}
