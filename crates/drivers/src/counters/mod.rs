//! Counters instead of counts (ADR 44): how many runs and calls to models there are of each kind, and what the calls
//! used.
//!
//! A driver that writes a run or a call notes what that changes. It is stored by one statement when the unit of work is
//! committed, behind all else: so nobody can write the one without the other, and a counter is locked for no longer
//! than a commit takes. What only this unit of work has noted is stored before it reads counters itself.

pub(crate) mod agents;
pub(crate) mod calls;
mod check;
mod mend;
mod name;
mod over;
mod rounds;
pub(crate) mod runs;
pub(crate) mod span;
pub(crate) mod stored;
mod there;
mod words;

use sea_orm::{DbBackend, QueryResult, Statement, Value};

pub use self::{check::Lacking, mend::Stray, name::Name, rounds::Round};
use crate::{
    StoreError,
    cells::{LOW, MOST, TABLE, Tally},
    conn::Conn,
    driver::driver,
    tally::value,
};

driver! {
    /// Holds counters against what they count.
    read CountersReads;
    /// The same, and counts anew.
    write Counters;
}

/// What lists filter by, as one text.
fn kind(words: &[Option<&str>]) -> String {
    serde_json::json!(words).to_string()
}

/// The words of a kind. None of what somebody wrote past HOC and is no kind: it counts nothing, and stops nobody.
fn words_of(kind: &str) -> Option<Vec<Option<String>>> {
    serde_json::from_str(kind).ok()
}

/// The filter that leads a list, where counters can be read: a list goes on without, for it only is found faster by it.
fn spared(leads: Result<Option<&'static str>, StoreError>) -> Result<Option<&'static str>, StoreError> {
    match leads {
        Err(StoreError::Corrupt { .. }) => Ok(None),
        leads => leads,
    }
}

/// Yes or no as a word of a kind.
const fn yes(it_is: bool) -> &'static str {
    if it_is { "yes" } else { "no" }
}

/// What one row of a counter says, in the order in which [`tally_at`] reads it.
const NUMBERS: [&str; 8] =
    ["number", "unknown", "cost_high", "cost_low", "input_high", "input_low", "output_high", "output_low"];

/// The sums of counters, in the order in which [`tally_at`] reads them.
pub(crate) fn sums(backend: DbBackend) -> String {
    NUMBERS.map(|number| sum(backend, number)).join(", ")
}

/// A sum of whole numbers, on both stores, and never an error, whatever they are: none is told as more than [`MOST`],
/// nor as less than as much below 0. SQLite, which adds up whole numbers of 64 bits alone, adds up the two parts of
/// each.
pub(crate) fn sum(backend: DbBackend, of: &str) -> String {
    const PART: i64 = 1 << 32;
    if backend == DbBackend::Postgres {
        return format!("CAST(GREATEST(LEAST(COALESCE(SUM({of}), 0), {MOST}), -{MOST}) AS BIGINT)");
    }
    let high = format!("COALESCE(SUM(({of}) / {PART}), 0)");
    let low = format!("COALESCE(SUM(({of}) % {PART}), 0)");
    let beyond = MOST / PART;
    format!(
        "CAST(CASE WHEN {high} >= {beyond} THEN {MOST} WHEN {high} <= -{beyond} THEN -{MOST} \
         ELSE MAX(MIN({high} * {PART} + {low}, {MOST}), -{MOST}) END AS BIGINT)"
    )
}

/// Calls `l` that are added up themselves, each with what is said of its step `u` where that does not count.
pub(crate) const CALLS: &str = "llm_run_records l LEFT JOIN uncounted_steps u ON u.tenant_id = l.tenant_id \
                                AND u.run_id = l.run_id AND u.step_index = l.step_index";

/// Of those the ones that say something of a sum: what they used, each call once, however many steps tell of it; or
/// that it is in doubt.
pub(crate) const SUMMED: &str = "(u.step_index IS NULL OR u.in_doubt)";

/// What one of those adds to a counter, in the order of [`NUMBERS`]: one that leaves a doubt adds that alone.
fn numbers_of_call() -> [String; NUMBERS.len()] {
    let counted = |of: &str| format!("CASE WHEN u.step_index IS NULL THEN {of} ELSE 0 END");
    let [[cost, cost_low], [input, input_low], [output, output_low]] =
        ["l.cost_nanousd", "l.input_tokens", "l.output_tokens"].map(|amount| {
            [format!("{amount} / {LOW}"), format!("{amount} % {LOW}")].map(|part| counted(&part))
        });
    let unknown = "CASE WHEN u.step_index IS NULL AND l.cost_known THEN 0 ELSE 1 END".to_owned();
    [counted("1"), unknown, cost, cost_low, input, input_low, output, output_low]
}

/// The same sums of calls that are added up themselves.
pub(crate) fn sums_of_calls() -> String {
    numbers_of_call().map(|of| format!("CAST(COALESCE(SUM({of}), 0) AS BIGINT)")).join(", ")
}

/// The sums that a row has from a column on.
pub(crate) fn tally_at(row: &QueryResult, column: usize) -> Result<Tally, StoreError> {
    let at = |n: usize| value::<i64>(TABLE, row, column + n);
    let amount = |n: usize| Ok::<i128, StoreError>(i128::from(at(n)?) * LOW + i128::from(at(n + 1)?));
    Ok(Tally { number: at(0)?, unknown: at(1)?, cost: amount(2)?, input: amount(4)?, output: amount(6)? })
}

/// A query whose places are numbered, for either store.
pub(crate) fn numbered(conn: &Conn, sql: &str, values: Vec<Value>) -> Statement {
    let backend = conn.backend();
    let sql = match backend {
        DbBackend::Postgres => sql.to_owned(),
        // SQLite numbers its placeholders with another sign.
        _ => sql.replace('$', "?"),
    };
    Statement::from_sql_and_values(backend, sql, values)
}

/// A number that was counted: what a counter that is wrong says, it says of nobody.
fn counted(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_reads_back_whatever_its_words_are() {
        let words = [Some("LIVE"), None, Some(""), Some("a\"b,\u{1}"), Some("yes")];
        let read = words_of(&kind(&words)).expect("words");
        assert_eq!(read.iter().map(Option::as_deref).collect::<Vec<_>>(), words);
        assert_eq!(words_of("LIVE"), None);
    }
}
