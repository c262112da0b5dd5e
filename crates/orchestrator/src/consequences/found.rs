//! What was found not to be what was recorded: definitions, runs, and what the store could not read back.

use drivers::StoreError;
use engines::incidents::Mismatch;
use models::ids::RunId;
use proof::{
    contents::MissingContents,
    definitions::{LimitDefinition, RuleDefinition},
    hash::Hash,
    segment::MissingSegment,
};

/// A mismatch, and the run that it is in.
pub(crate) type Found = (Option<RunId>, Mismatch);

/// A sealed run that does not verify.
pub(crate) fn of_sealed(run: RunId, why: String) -> Found {
    (
        Some(run),
        Mismatch {
            table: "runs",
            row: run.to_string(),
            log: "the run log",
            why,
            policy_id: None,
            part_of: None,
        },
    )
}

/// A row that does not read back.
pub(crate) fn of_row(run: Option<RunId>, table: &'static str, row: String, why: String) -> Found {
    (run, Mismatch { table, row, log: "its own form", why, policy_id: None, part_of: None })
}

/// A row of a run that is stored in another way than this server remembers it, in the same version.
pub(crate) fn of_remembered(run: RunId, table: &'static str, row: String) -> Found {
    let why =
        "it is not as it was stored last, and its version says that nobody has written it since".to_owned();
    let log = "what this server remembers of it";
    (Some(run), Mismatch { table, row, log, why, policy_id: None, part_of: None })
}

/// What the store itself could not read back.
pub(crate) fn of_corrupt(run: Option<RunId>, err: StoreError) -> Result<Found, StoreError> {
    match err {
        StoreError::Corrupt { table, row, why } => Ok(of_row(run, table, row, why)),
        other => Err(other),
    }
}

/// How many segments of a run are told of at once: where all of them are bad, the first say enough.
const TOLD: usize = 10;

/// The segments of a run that are missing from what was read.
pub(crate) fn of_segments(run: RunId, missing: &[MissingSegment]) -> Vec<Found> {
    let told = missing.iter().take(TOLD);
    told.map(|one| of_row(Some(run), "run_segments", one.row(&run.to_string()), one.why.clone())).collect()
}

/// The bodies of a run's texts that are missing from what was read.
pub(crate) fn of_contents(run: RunId, missing: &[MissingContents]) -> Vec<Found> {
    let told = missing.iter().take(TOLD);
    told.map(|one| of_row(Some(run), one.table(), one.row(&run.to_string()), one.why.clone())).collect()
}

/// What of a run failed calls which needed it, where it is a row that only the run's calls need. Such an error names
/// its run.
pub(crate) fn of_damage(err: &StoreError) -> Option<Found> {
    let StoreError::Corrupt { table: table @ ("run_segments" | "step_keys" | "run_salts"), row, why } = err
    else {
        return None;
    };
    let run: RunId = row.split('/').next()?.parse().ok()?;
    Some(of_row(Some(run), table, row.clone(), why.clone()))
}

/// The definitions that do not match the integrity record of their version.
pub(crate) fn mismatched_definitions(
    rules: &[(RuleDefinition, Option<Hash>)],
    limits: &[(LimitDefinition, Option<Hash>)],
) -> Vec<Mismatch> {
    let mismatch = |table, id: &str, name: &str, stored: Option<Hash>| Mismatch {
        table,
        row: id.to_owned(),
        log: "its integrity record",
        why: match stored {
            Some(_) => format!("the definition of `{name}` does not match the hash that was taken of it"),
            None => format!("the definition of `{name}` has no integrity record"),
        },
        policy_id: Some(id.to_owned()),
        part_of: None,
    };
    let rules = rules.iter().filter(|(rule, hash)| *hash != Some(rule.hash_root()));
    let limits = limits.iter().filter(|(limit, hash)| *hash != Some(limit.hash_root()));
    let rules = rules.map(|(rule, hash)| mismatch("policy_rules", &rule.rule_id, &rule.name, *hash));
    rules.chain(limits.map(|(limit, hash)| mismatch("limits", &limit.limit_id, &limit.name, *hash))).collect()
}
