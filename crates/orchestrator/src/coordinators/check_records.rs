//! Reads records again and says which are not what was recorded: definitions, rows of a log, runs.

use drivers::{ReadTx, StoreError};
use engines::incidents::Mismatch;
use models::{
    activity::RunState,
    ids::{RunId, TenantId},
};
use proof::{
    definitions::{LimitDefinition, RuleDefinition},
    hash::Hash,
    leaves::RunLeaf,
    records::RecordKind,
    run_ranges::RunRanges,
};

use super::{
    beside::Beside,
    run_proof::{chain, verify, with_late},
    sealed_records::{late_records, sealed_records},
};
use crate::{bridges::Bridges, handlers::incidents::Found};

/// A sealed run that does not verify.
pub(super) fn of_sealed(run: RunId, why: String) -> Found {
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

/// What the store itself could not read back.
pub(crate) fn of_corrupt(run: Option<RunId>, err: StoreError) -> Result<Found, StoreError> {
    match err {
        StoreError::Corrupt { table, row, why } => {
            Ok((run, Mismatch { table, row, log: "its own form", why, policy_id: None, part_of: None }))
        }
        other => Err(other),
    }
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

/// Recomputes a run, sealed or open, from its stored records. None where it is as it was recorded, or gone.
pub(crate) async fn check_run(
    store: &ReadTx,
    tenant: TenantId,
    id: RunId,
) -> Result<Option<Found>, StoreError> {
    match why_not(store, tenant, id).await {
        Ok(why) => Ok(why.map(|why| of_sealed(id, why))),
        Err(err) => of_corrupt(Some(id), err).map(Some),
    }
}

async fn why_not(store: &ReadTx, tenant: TenantId, id: RunId) -> Result<Option<String>, StoreError> {
    let Some(run) = store.activity().find_run(tenant, id).await? else { return Ok(None) };
    let leaves = store.ledger().run_leaves(tenant, id).await?;
    let steps = Bridges::over(store, tenant).logs.steps_of_run(id).await?;
    let records = sealed_records(store, tenant, &run).await?;
    let beside = Beside::read(store, tenant, id).await?;
    if run.state == RunState::Completed {
        let late = late_records(store, tenant, &run).await?;
        let sealed = verify(&run, &leaves, &steps, &records);
        return Ok(with_late(sealed, &run, &leaves, (&records, &late), &beside).failure_reason);
    }
    let Some(opened) = leaves.iter().find(|entry| matches!(entry.leaf, RunLeaf::Opened(_))) else {
        return Ok(Some("the run log has no OPENED leaf of this run".to_owned()));
    };
    let Some(trace) = store.traces().trace_of_run(tenant, id).await? else {
        return Ok(Some("its trace is gone".to_owned()));
    };
    let head = match chain(opened.leaf_hash, &steps, &records) {
        Ok(head) => head,
        Err(why) => return Ok(Some(why)),
    };
    let mut ranges = RunRanges::default();
    for record in &records {
        ranges.push(record);
    }
    let differs = |kind: &&RecordKind| ranges.kind(**kind) != trace.ranges.kind(**kind);
    Ok(if opened.leaf.hash() != opened.leaf_hash {
        Some(format!("leaf {} of the run log does not match its hash", opened.leaf_index))
    } else if head != trace.chain_head {
        Some("its last step is not the one that its trace names".to_owned())
    } else {
        RecordKind::ALL
            .iter()
            .find(differs)
            .map(|kind| format!("{kind}: what is stored is not what its trace has hashed"))
            .or_else(|| beside.check(&run, &leaves, &records, &[]).err())
    })
}
