//! What the rows say, by plain reads: of limits after each commit, of each answer in the end.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use models::ids::TenantId;
use serde_json::Value;
use testkit::Witness;

use super::calls::{Asked, Told, What};

/// Each limit with what is counted of it, what its permits hold, what the steps spent that count, and what of that was
/// admitted: a span has happened, and asks nobody. One statement, so it is one moment.
const LIMITS: &str = "\
SELECT json_build_object('limit', l.limit_type, 'max', l.max_value, 'used', coalesce(u.used, 0), \
    'reserved', coalesce(u.reserved, 0), 'held', p.held, 'spent', \
    CASE l.limit_type WHEN 'STEPS' THEN s.steps ELSE s.tokens END, 'admitted', \
    CASE l.limit_type WHEN 'STEPS' THEN s.admitted_steps ELSE s.admitted_tokens END)::text \
FROM limits AS l LEFT JOIN limit_usage AS u ON u.tenant_id = l.tenant_id AND u.limit_id = l.id, \
LATERAL (SELECT coalesce(sum((r->>'amount')::bigint), 0) AS held \
    FROM permits AS p, jsonb_array_elements(p.reservations::jsonb) AS r \
    WHERE p.tenant_id = l.tenant_id AND status = 'GRANTED' AND r->>'limit_id' = 'lim_' || replace(l.id::text, '-', '')) AS p, \
LATERAL (SELECT coalesce(sum(t.used) FILTER (WHERE NOT t.told_elsewhere), 0) AS tokens, \
    count(*) FILTER (WHERE t.status <> 'REFUSED') AS steps, \
    coalesce(sum(t.used) FILTER (WHERE t.asked_for), 0) AS admitted_tokens, \
    count(*) FILTER (WHERE t.asked_for) AS admitted_steps \
    FROM (SELECT status, input_tokens + output_tokens AS used, status <> 'REFUSED' AND source <> 'external' AS asked_for, \
        EXISTS (SELECT 1 FROM uncounted_steps AS u WHERE u.tenant_id = a.tenant_id AND u.run_id = a.run_id \
            AND u.step_index = a.step_index) AS told_elsewhere \
        FROM aos_trace_steps AS a WHERE a.tenant_id = l.tenant_id) AS t) AS s \
WHERE l.limit_type IN ('STEPS', 'TOKENS_TOTAL') AND l.tenant_id = ";

/// Each run that has a limit on its own steps, with how many were admitted, how many its permits hold that serve by every
/// clock, and how many of the former were of a permit that may have lapsed by another replica's clock, which may have given
/// its room away.
const RUNS: &str = "\
SELECT json_build_object('run', r.id, 'max', l.max_value, 'admitted', s.admitted, 'doubtful', s.doubtful, 'held', p.held)::text \
FROM runs AS r JOIN limits AS l ON l.tenant_id = r.tenant_id AND l.limit_type = 'RUN_STEPS', \
LATERAL (SELECT count(*) AS admitted, count(*) FILTER (WHERE g.expires_at <= a.recorded_at + interval '1 second') AS doubtful \
    FROM aos_trace_steps AS a LEFT JOIN permits AS g ON g.tenant_id = a.tenant_id AND g.id = a.permit_id \
    WHERE a.tenant_id = r.tenant_id AND a.run_id = r.id AND a.status <> 'REFUSED' AND a.source <> 'external') AS s, \
LATERAL (SELECT count(*) AS held FROM permits AS g WHERE g.tenant_id = r.tenant_id AND g.run_id = r.id \
    AND g.status = 'GRANTED' AND g.expires_at > 'LATEST') AS p \
WHERE r.tenant_id = ";

/// Each run that a person has ended, with how many steps and permits it has: of its spans only what was told by then.
const KILLED: &str = "\
SELECT json_build_object('run', r.id, 'steps', (SELECT count(*) FROM aos_trace_steps AS a \
    WHERE a.tenant_id = r.tenant_id AND a.run_id = r.id AND a.source <> 'external'), \
    'permits', (SELECT count(*) FROM permits AS g WHERE g.tenant_id = r.tenant_id AND g.run_id = r.id))::text \
FROM runs AS r WHERE r.halt_action = 'KILL' AND r.tenant_id = ";

const KILLS: &str = "\
SELECT json_build_object('reason', reason)::text FROM interventions WHERE kind = 'KILL' AND tenant_id = ";

/// Permits that hold something though their runs are sealed, and that nobody is to give back before this moment.
const KEPT: &str = "\
SELECT json_build_object('permit', p.id, 'run', p.run_id, 'lapses_at', p.lapses_at)::text FROM permits AS p \
JOIN runs AS r ON r.tenant_id = p.tenant_id AND r.id = p.run_id \
WHERE p.status = 'GRANTED' AND r.state = 'COMPLETED' AND p.lapses_at > '";

const STEPS: &str = "\
SELECT json_build_object('run', 'run_' || replace(run_id::text, '-', ''), 'index', step_index, 'number', duration_ms, \
    'params', params, 'refused', status = 'REFUSED', 'hash', encode(step_hash, 'hex'), \
    'permit', 'prm_' || replace(permit_id::text, '-', ''))::text FROM aos_trace_steps WHERE tenant_id = ";

const PERMITS: &str = "\
SELECT json_build_object('id', 'prm_' || replace(id::text, '-', ''), 'number', estimate_cost_nanousd, 'status', status, \
    'run', 'run_' || replace(run_id::text, '-', ''), 'step', used_by_step)::text FROM permits WHERE tenant_id = ";

/// Each open incident: how many of its cause are open, what it says of its runs, and what they say.
const INCIDENTS: &str = "\
SELECT json_build_object('cause', i.cause_key, 'open', count(*) OVER (PARTITION BY i.category, i.cause_key), \
    'runs', i.affected_count, 'occurrences', i.occurrences, 'cost', i.cost_impact_nanousd, 'rows', r.rows, \
    'struck', r.struck, 'spent', r.spent, 'sources', r.sources)::text FROM incidents AS i, \
LATERAL (SELECT count(*) AS rows, coalesce(sum(occurrences), 0) AS struck, \
    coalesce(sum(cost_impact_nanousd + later_impact_nanousd), 0) AS spent, \
    count(*) FILTER (WHERE relation = 'SOURCE' AND run_id = i.source_run_id) AS sources \
    FROM incident_runs WHERE tenant_id = i.tenant_id AND incident_id = i.id) AS r \
WHERE i.lifecycle_state <> 'RESOLVED' AND i.tenant_id = ";

async fn rows(witness: &Witness, sql: &str, tenant: TenantId) -> Vec<Value> {
    witness
        .told(&format!("{sql}'{}'", tenant.0))
        .await
        .iter()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect()
}

/// What limits count is what the rows say, no more was admitted than there is, and a sealed run holds nothing for long: at
/// `now`, which no replica is past, it is to be given back. One cause has one open incident, which says what its runs did of it.
pub(super) async fn check(
    witness: &Witness,
    tenant: TenantId,
    now: DateTime<Utc>,
    killed: &mut BTreeMap<String, Value>,
) -> Result<(), String> {
    let kept = rows(witness, &format!("{KEPT}{}' AND p.tenant_id = ", now.to_rfc3339()), tenant).await;
    if !kept.is_empty() {
        return Err(format!("permits of sealed runs hold something: {kept:#?}"));
    }
    let limits = rows(witness, LIMITS, tenant).await;
    if limits.len() != 2 {
        return Err(format!("two limits with one window each: {limits:#?}"));
    }
    for limit in limits {
        let number = |name: &str| limit[name].as_u64().unwrap();
        if number("used") != number("spent") || number("reserved") != number("held") {
            return Err(format!("what is counted is not what the rows say: {limit}"));
        }
        if number("admitted") + number("held") > number("max") {
            return Err(format!("more was admitted than there is: {limit}"));
        }
    }
    for run in rows(witness, &RUNS.replace("LATEST", &now.to_rfc3339()), tenant).await {
        let number = |name: &str| run[name].as_u64().unwrap();
        if number("admitted") + number("held") > number("max") + number("doubtful") {
            return Err(format!("more was admitted in a run than there is: {run}"));
        }
    }
    // A run that was killed is as it was then: nothing passes, and no refusal is recorded.
    for run in rows(witness, KILLED, tenant).await {
        let before = killed.entry(run["run"].to_string()).or_insert_with(|| run.clone());
        if *before != run {
            return Err(format!("a run went on after it was killed: {before}, and now {run}"));
        }
    }
    for incident in rows(witness, INCIDENTS, tenant).await {
        if incident["open"] != 1 {
            return Err(format!("a cause has several open incidents: {incident}"));
        }
        let same = |one: &str, other: &str| incident[one] == incident[other];
        let says = same("runs", "rows") && same("occurrences", "struck") && same("cost", "spent");
        if !says || incident["sources"] != 1 {
            return Err(format!("what an incident says is not what its runs say: {incident}"));
        }
    }
    Ok(())
}

/// Each answer is in the store, once; and so is what may have happened, at most.
pub(super) async fn check_answers(
    witness: &Witness,
    tenant: TenantId,
    asked: &[Asked],
) -> Result<(), String> {
    let stored = Stored {
        steps: rows(witness, STEPS, tenant).await,
        permits: rows(witness, PERMITS, tenant).await,
        kills: rows(witness, KILLS, tenant).await,
    };
    stored.check_permits()?;
    for (number, one) in (1..).zip(asked) {
        let (steps, permits) = stored.of(number, &one.what);
        let failed = |why: &str| {
            let told = &one.told;
            Err(format!(
                "{}: {why}\ntold {told:#?}\nsteps {steps:#?}\npermits {permits:#?}",
                one.in_words(number)
            ))
        };
        if steps.len() + permits.len() > 1 || stored.kills_of(number) > 1 {
            return failed("it happened more than once");
        }
        if one.told.iter().any(|told| matches!(told, Told::Wrong(_))) {
            return failed("an answer that nobody should get");
        }
        let known: Vec<&Told> = one.told.iter().filter(|told| !is_silent(told)).collect();
        if known.windows(2).any(|pair| pair[0] != pair[1]) {
            return failed("the answers differ");
        }
        let is_there = match known.first() {
            None | Some(Told::Started(_) | Told::Ended | Told::Taken(_) | Told::Frozen | Told::Lifted) => {
                true
            }
            Some(Told::Killed) => stored.kills_of(number) == 1,
            // It is one step, however often it was told.
            Some(Told::Reported(run)) => steps.first().is_some_and(|row| row["run"] == run.to_string()),
            Some(Told::Granted(id)) => permits.first().is_some_and(|row| row["id"] == id.to_string()),
            Some(Told::Step(index, hash)) => steps.first().is_some_and(|row| {
                row["index"] == *index
                    && row["refused"] == hash.is_none()
                    && hash.as_ref().is_none_or(|hash| row["hash"] == hash.as_str())
            }),
            Some(_) => false,
        };
        if !is_there {
            return failed("what was answered is not in the store");
        }
    }
    Ok(())
}

/// Whether the answer says nothing of what is in the store.
fn is_silent(told: &Told) -> bool {
    matches!(told, Told::Unknown(_) | Told::Closed)
}

struct Stored {
    steps: Vec<Value>,
    permits: Vec<Value>,
    kills: Vec<Value>,
}

impl Stored {
    /// How often the `number`-th thing ended a run, or would have.
    fn kills_of(&self, number: u64) -> usize {
        let reason = super::calls::kill_reason(number);
        self.kills.iter().filter(|kill| kill["reason"] == reason.as_str()).count()
    }

    /// The rows that came of the `number`-th thing that was asked.
    fn of(&self, number: u64, what: &What) -> (Vec<&Value>, Vec<&Value>) {
        let params = super::calls::params(number);
        let is_its = |step: &&Value| match what {
            // A permit that was refused is a step that took no time.
            What::Permit { .. } => step["number"] == 0 && step["params"] == params.as_str(),
            _ => step["number"] == number,
        };
        let steps = self.steps.iter().filter(is_its).collect();
        let is_a_permit = matches!(what, What::Permit { .. });
        let permits = self.permits.iter().filter(|permit| is_a_permit && permit["number"] == number);
        (steps, permits.collect())
    }

    /// A permit is used by the one step that says so, or by none.
    fn check_permits(&self) -> Result<(), String> {
        let mut used: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
        for step in &self.steps {
            if let Some(permit) = step["permit"].as_str() {
                used.entry(permit).or_default().push(step);
            }
        }
        for permit in &self.permits {
            let by = used.remove(permit["id"].as_str().unwrap()).unwrap_or_default();
            let holds = match by.as_slice() {
                [] => permit["status"] != "USED" && permit["step"].is_null(),
                [step] => {
                    permit["status"] == "USED"
                        && permit["step"] == step["index"]
                        && permit["run"] == step["run"]
                }
                _ => false,
            };
            if !holds {
                return Err(format!("a permit is used once or not at all: {permit}, by {by:#?}"));
            }
        }
        if used.is_empty() { Ok(()) } else { Err(format!("permits that nobody granted: {used:#?}")) }
    }
}
