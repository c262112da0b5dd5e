//! What the caller asks beyond the bundle: freshness, step hashes that the agent kept, an export of the Audit Ledger.

use std::collections::{HashMap, HashSet};

use proof::{leaves::AuditLeaf, merkle::root_of, records::RecordKind};

use super::{Case, Outcome, Worst, logs::Heads};
use crate::{Row, Seen, report::Finding};

/// The bundle was not made before `time`.
pub(crate) fn not_before(case: &Case<'_>, time: &str) -> Outcome {
    let made = &case.document.after.as_of.value.time;
    if made.as_str() < time {
        return Err(Finding::truncated(format!(
            "made at {made}: what came later, until {time}, is not here"
        )));
    }
    Ok(format!("made at {made}, not before {time}"))
}

/// The run has every step that the agent was told of, unchanged.
pub(crate) fn seen(case: &Case<'_>, seen: &[Seen]) -> Outcome {
    let steps = case.listed(RecordKind::Step);
    let known: HashSet<_> = steps.iter().flatten().collect();
    let all_are_known = steps.iter().all(|step| step.is_some());
    let mut worst = Worst::default();
    for Seen { step_index, step_hash } in seen {
        match step_index {
            Some(index) => match usize::try_from(*index).ok().and_then(|index| steps.get(index)) {
                Some(step) => {
                    worst.expect(step == *step_hash, || {
                        format!("step {index} is not the one that the agent was told of")
                    });
                }
                None => worst.found(Finding::truncated(format!(
                    "step {index}, which the agent was told of, is not here"
                ))),
            },
            None if known.contains(step_hash) => {}
            None => {
                let detail = format!("no step has the hash {step_hash}, which the agent was told");
                // It may be one that is missing.
                worst.found(if all_are_known {
                    Finding::tampered(detail)
                } else {
                    Finding::truncated(detail)
                });
            }
        }
    }
    worst.or_else(|| format!("{} steps are as the agent was told", seen.len()))
}

/// The bundle leaves out no audit row of the run that the export of the ledger has.
pub(crate) fn ledger(case: &Case<'_>, heads: &Heads, rows: &[Row<AuditLeaf>]) -> Outcome {
    let head = &heads.audit;
    let listed: HashSet<_> = case.manifest.after.audit.iter().collect();
    let by_id: HashMap<&str, _> =
        case.document.after.audit.iter().map(|row| (row.value.id.as_str(), row.hash)).collect();
    let mut worst = Worst::default();
    let (mut compared, mut newer) = (0, 0);
    for Row { leaf_index, leaf_hash, leaf } in rows {
        worst.expect(leaf.hash() == *leaf_hash, || {
            format!("row {leaf_index} of the export is not what was hashed")
        });
        let AuditLeaf::Entry(entry) = leaf;
        if entry.run_id.as_ref() != Some(&case.manifest.run_id) || entry.tenant_id != case.manifest.tenant_id
        {
            continue;
        }
        if *leaf_index >= head.size {
            newer += 1;
        } else if listed.contains(leaf_hash) {
            compared += 1;
        } else if by_id.contains_key(entry.id.as_str()) {
            worst.found(Finding::tampered(format!("audit row {} is another in the ledger", entry.id)));
        } else {
            worst.found(Finding::truncated(format!("audit row {} of the ledger was left out", entry.id)));
        }
    }
    // An export of the whole ledger proves itself against the checkpoint.
    let size = usize::try_from(head.size).unwrap_or(usize::MAX);
    let contiguous = rows.iter().zip(0u64..).all(|(row, index)| row.leaf_index == index);
    let whole = contiguous && rows.len() >= size;
    if whole {
        let leaves: Vec<_> = rows[..size].iter().map(|row| row.leaf_hash).collect();
        worst.expect(root_of(&leaves) == head.root, || {
            "the export is of another ledger than the checkpoint".to_owned()
        });
    }
    let against = if whole { "the whole ledger, by its checkpoint" } else { "a part of the ledger" };
    worst.or_else(|| format!("{compared} rows compared with {against}; {newer} are newer than the bundle"))
}
