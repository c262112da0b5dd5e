//! What the rows say, by plain reads: of limits after each commit, of each answer in the end.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use models::{ids::TenantId, logs::StepRow};
use proof::{contents::Salt, words::StepStatus};
use serde_json::{Value, json};
use testkit::Witness;

use super::{
    calls::{Asked, Told, What},
    moment::Moment,
    seen::Seen,
};

/// What limits are held against, in one statement, so that it is one moment: each limit with what is counted of it and
/// what its permits hold; each run that has a limit on its own steps, with how many its permits hold that serve by
/// every clock; each run that a person has ended, with how many permits it has; when permits end; which steps do not
/// count; and the segments that were not read yet.
const MOMENT: &str = "\
SELECT json_build_object('row', 'limit', 'limit', l.limit_type, 'max', l.max_value, 'used', coalesce(u.used, 0), \
    'reserved', coalesce(u.reserved, 0), 'held', p.held)::text \
FROM limits AS l LEFT JOIN limit_usage AS u ON u.tenant_id = l.tenant_id AND u.limit_id = l.id, \
LATERAL (SELECT coalesce(sum((r->>'amount')::bigint), 0) AS held \
    FROM permits AS p, jsonb_array_elements(p.reservations::jsonb) AS r \
    WHERE p.tenant_id = l.tenant_id AND status = 'GRANTED' AND r->>'limit_id' = 'lim_' || replace(l.id::text, '-', '')) AS p \
WHERE l.limit_type IN ('STEPS', 'TOKENS_TOTAL') AND l.tenant_id = 'TENANT' \
UNION ALL \
SELECT json_build_object('row', 'run', 'run', 'run_' || replace(r.id::text, '-', ''), 'max', l.max_value, 'held', \
    (SELECT count(*) FROM permits AS g WHERE g.tenant_id = r.tenant_id AND g.run_id = r.id \
    AND g.status = 'GRANTED' AND g.expires_at > 'LATEST'))::text \
FROM runs AS r JOIN limits AS l ON l.tenant_id = r.tenant_id AND l.limit_type = 'RUN_STEPS' WHERE r.tenant_id = 'TENANT' \
UNION ALL \
SELECT json_build_object('row', 'killed', 'run', 'run_' || replace(r.id::text, '-', ''), 'permits', \
    (SELECT count(*) FROM permits AS g WHERE g.tenant_id = r.tenant_id AND g.run_id = r.id))::text \
FROM runs AS r WHERE r.halt_action = 'KILL' AND r.tenant_id = 'TENANT' \
UNION ALL \
SELECT json_build_object('row', 'permit', 'id', 'prm_' || replace(id::text, '-', ''), 'expires', \
    (extract(epoch FROM expires_at) * 1000000)::bigint)::text FROM permits WHERE tenant_id = 'TENANT' \
UNION ALL \
SELECT json_build_object('row', 'uncounted', 'run', 'run_' || replace(run_id::text, '-', ''), 'step', step_index)::text \
FROM uncounted_steps WHERE tenant_id = 'TENANT' \
UNION ALL \
SELECT json_build_object('row', 'segment', 'run', 'run_' || replace(run_id::text, '-', ''), 'first', first_record, \
    'codec', codec, 'length', raw_length, 'body', encode(body, 'hex'))::text \
FROM run_segments WHERE tenant_id = 'TENANT' AND UNREAD";

const KILLS: &str = "\
SELECT json_build_object('reason', reason)::text FROM interventions WHERE kind = 'KILL' AND tenant_id = ";

/// Permits that hold something though their runs are sealed, and that nobody is to give back before this moment.
const KEPT: &str = "\
SELECT json_build_object('permit', p.id, 'run', p.run_id, 'lapses_at', p.lapses_at)::text FROM permits AS p \
JOIN runs AS r ON r.tenant_id = p.tenant_id AND r.id = p.run_id \
WHERE p.status = 'GRANTED' AND r.state = 'COMPLETED' AND p.lapses_at > '";

const PERMITS: &str = "\
SELECT json_build_object('id', 'prm_' || replace(id::text, '-', ''), 'number', estimate_cost_nanousd, 'status', status, \
    'run', 'run_' || replace(run_id::text, '-', ''), 'step', used_by_step)::text FROM permits WHERE tenant_id = ";

const SALTS: &str = "\
SELECT json_build_object('run', 'run_' || replace(run_id::text, '-', ''), 'salt', encode(salt, 'hex'))::text \
FROM run_salts WHERE tenant_id = ";

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
    told(witness, &format!("{sql}'{}'", tenant.0)).await
}

async fn told(witness: &Witness, sql: &str) -> Vec<Value> {
    witness.told(sql).await.iter().map(|row| serde_json::from_str(row).unwrap()).collect()
}

/// What limits count is what the rows say, no more was admitted than there is, and a sealed run holds nothing for long:
/// at `now`, which no replica is past, it is to be given back. One cause has one open incident, which says what its
/// runs did of it.
pub(super) async fn check(
    witness: &Witness,
    tenant: TenantId,
    now: DateTime<Utc>,
    seen: &mut Seen,
) -> Result<(), String> {
    let kept = rows(witness, &format!("{KEPT}{}' AND p.tenant_id = ", now.to_rfc3339()), tenant).await;
    if !kept.is_empty() {
        return Err(format!("permits of sealed runs hold something: {kept:#?}"));
    }
    let moment = MOMENT
        .replace("TENANT", &tenant.0.to_string())
        .replace("LATEST", &now.to_rfc3339())
        .replace("UNREAD", &seen.unread());
    Moment::of(told(witness, &moment).await).check(seen)?;
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
    seen: &Seen,
) -> Result<(), String> {
    let stored = Stored {
        steps: seen.steps().map(step).collect(),
        permits: rows(witness, PERMITS, tenant).await,
        kills: rows(witness, KILLS, tenant).await,
        salts: rows(witness, SALTS, tenant).await,
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

fn step(row: &StepRow) -> Value {
    let StepRow { record, step_hash, .. } = row;
    json!({
        "run": record.run_id,
        "index": record.step_index,
        "number": record.duration_ms,
        "params": record.params.map(|params| params.hash.to_string()),
        "refused": record.status == StepStatus::Refused,
        "hash": step_hash.to_string(),
        "permit": record.permit_id,
    })
}

/// Whether the answer says nothing of what is in the store.
fn is_silent(told: &Told) -> bool {
    matches!(told, Told::Unknown(_) | Told::Closed)
}

struct Stored {
    steps: Vec<Value>,
    permits: Vec<Value>,
    kills: Vec<Value>,
    salts: Vec<Value>,
}

impl Stored {
    /// How a step names this text: by the salt of its run.
    fn name(&self, step: &Value, text: &str) -> Value {
        let of_run = self.salts.iter().find(|salt| salt["run"] == step["run"]).unwrap();
        let bytes = hex::decode(of_run["salt"].as_str().unwrap()).unwrap();
        Salt::new(bytes.try_into().unwrap()).name(text).hash.to_string().into()
    }

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
            What::Permit { .. } => step["number"] == 0 && self.name(step, &params) == step["params"],
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
