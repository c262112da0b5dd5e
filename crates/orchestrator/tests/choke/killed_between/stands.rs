//! What stands in the store of a tenant, told in numbers, which are the same whichever process wrote it.

use std::collections::BTreeMap;

use models::{activity::Late, ids::LimitId};
use testkit::TestDatabase;

use super::script::{CALLS, Call};
use crate::{agent::Agent, spans};

/// What came late to a run; the trace of it has another id in each process.
fn late(late: &Late) -> String {
    let Late { addenda, step_count, llm_call_count, tool_call_count, .. } = late;
    let used = [late.input_tokens, late.output_tokens, late.cost_nanousd];
    let calls = [llm_call_count, tool_call_count];
    format!(
        "late: {addenda} addenda, {step_count} steps, {calls:?} calls, {used:?}, {} {:?}",
        late.cost_unknown, late.sealed_assurance
    )
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stands {
    /// How many rows each table has more than before.
    pub(super) rows: BTreeMap<String, i64>,
    /// What the runs say of themselves.
    runs: Vec<String>,
    /// What each limit counts, and what permits hold of it.
    usage: Vec<(u64, u64)>,
    /// How many freezes are in force.
    freezes: usize,
}

impl Stands {
    /// What the tenant of `agent`, who has these limits, came to since the tables had so many rows. Nobody else writes.
    pub(super) async fn of(
        db: &TestDatabase,
        agent: &Agent<'_>,
        limits: &[LimitId],
        before: &BTreeMap<String, i64>,
    ) -> Self {
        let mut rows = db.row_counts().await;
        // On Postgres it is chance in how many rows one of them is; they are held against what they count in the end.
        rows.remove("counters");
        for (table, count) in &mut rows {
            *count -= before[table];
        }
        let runs = spans::runs(agent).await;
        let mut runs: Vec<String> = runs
            .iter()
            .map(|run| {
                format!(
                    "{:?} {:?}, {} steps, {} refused, {} of them calls, {} of tools, {} tokens in, {} out, {} nano-USD, \
                     {} incidents, {}",
                    run.state,
                    run.status,
                    run.step_count,
                    run.refused_count,
                    run.llm_call_count,
                    run.tool_call_count,
                    run.input_tokens,
                    run.output_tokens,
                    run.cost_nanousd,
                    run.incident_count,
                    run.late.as_ref().map_or_else(String::new, late)
                )
            })
            .collect();
        runs.sort_unstable();
        let read = agent.kit.db.read().await.unwrap();
        let windows = read.policies().usage_of(agent.ctx.tenant.id, limits).await.unwrap();
        let freezes = read.activity().freezes(agent.ctx.tenant.id).await.unwrap().len();
        let of = |limit: &LimitId| {
            let own: Vec<_> = windows.iter().filter(|window| window.limit_id == *limit).collect();
            let used: u64 = own.iter().map(|window| window.used).sum();
            let reserved: u64 = own.iter().map(|window| window.reserved).sum();
            (used, reserved)
        };
        Self { rows, runs, usage: limits.iter().map(of).collect(), freezes }
    }

    /// The same when whoever came next has given back what the permits of ended runs held.
    pub(super) fn given_back(mut self) -> Self {
        for (_, reserved) in &mut self.usage {
            *reserved = 0;
        }
        self
    }

    /// Holds it against what stood after each call where nobody died: it is what stood after as many calls as were
    /// answered, or with the one more that was under way, and nothing between.
    pub(super) fn hold(&self, reference: &[Self], answered: usize) -> Result<(), String> {
        let may_be = &reference[answered..reference.len().min(answered + 2)];
        if may_be.contains(self) {
            return Ok(());
        }
        // The run of a trace may be there without its span.
        if let [least, most] = may_be
            && CALLS.get(answered) == Some(&Call::FirstSpan)
            && self.usage == least.usage
            && self.rows.iter().all(|(table, count)| (least.rows[table]..=most.rows[table]).contains(count))
        {
            return Ok(());
        }
        let call = CALLS.get(answered);
        Err(format!(
            "after {answered} answers, with {call:?} under way, there stands\n{self:#?}\nand not one of\n{may_be:#?}"
        ))
    }
}
