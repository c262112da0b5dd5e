//! Are the leaves in the logs that a trusted key signed?

use proof::{
    checkpoint::{Checkpoint, LogOrigin},
    merkle::verify_inclusion,
    words::LogName,
};

use super::{Case, Outcome, Worst};
use crate::report::Finding;

/// Both checkpoints, once a trusted key is known to have signed them for this tenant's logs.
pub(crate) struct Heads {
    pub(crate) runs: Checkpoint,
    pub(crate) audit: Checkpoint,
}

/// Opens the checkpoints.
pub(crate) fn heads(case: &Case<'_>) -> Result<Heads, Finding> {
    let notes = &case.document.proofs.checkpoints.value;
    let (runs, runs_origin) = head(case, &notes.runs, LogName::Runs)?;
    let (audit, audit_origin) = head(case, &notes.audit, LogName::Audit)?;
    if runs_origin.installation != audit_origin.installation {
        return Err(Finding::tampered("the two checkpoints are of two installations"));
    }
    Ok(Heads { runs, audit })
}

fn head(case: &Case<'_>, note: &str, log: LogName) -> Result<(Checkpoint, LogOrigin), Finding> {
    let checkpoint = Checkpoint::open(note, case.keys)
        .map_err(|why| Finding::tampered(format!("the checkpoint of the log {log}: {why}")))?;
    let origin: LogOrigin = checkpoint.origin.parse().map_err(|why| Finding::tampered(format!("{why}")))?;
    if origin.tenant_id != case.manifest.tenant_id || origin.log != log {
        return Err(Finding::tampered(format!(
            "the checkpoint of the log {log} is of {}",
            checkpoint.origin
        )));
    }
    Ok((checkpoint, origin))
}

/// The OPENED leaf, the receipt, the addenda and the ERASED leaf are in the run log.
pub(crate) fn run_log(case: &Case<'_>, heads: &Heads) -> Outcome {
    let head = &heads.runs;
    let (opened, proof) = (&case.document.sealed.opened, &case.document.proofs.opened.value);
    let mut worst = Worst::default();
    let proven = verify_inclusion(opened.hash, proof.leaf_index, head.size, &proof.inclusion, head.root);
    worst.expect(proven.is_ok(), || format!("the OPENED leaf is not in the run log: {}", why(proven)));
    let mut leaves = format!("OPENED at {}", proof.leaf_index);
    if let Some(receipt) = &case.document.proofs.receipt {
        let (leaf, proof) = (&receipt.value.leaf, &receipt.value.proof);
        let proven = verify_inclusion(leaf.hash, proof.leaf_index, head.size, &proof.inclusion, head.root);
        worst.expect(proven.is_ok(), || format!("the receipt is not in the run log: {}", why(proven)));
        worst.expect(proof.leaf_index > case.document.proofs.opened.value.leaf_index, || {
            "the run was sealed before it was opened".to_owned()
        });
        leaves = format!("{leaves}, SEALED at {}", proof.leaf_index);
    }
    let mut before =
        case.document.proofs.receipt.as_ref().map_or(0, |receipt| receipt.value.proof.leaf_index);
    for addendum in &case.document.after.addenda {
        let (leaf, proof) = (&addendum.value.leaf, &addendum.value.proof);
        let proven = verify_inclusion(leaf.hash, proof.leaf_index, head.size, &proof.inclusion, head.root);
        worst.expect(proven.is_ok(), || {
            format!("addendum {} is not in the run log: {}", leaf.value.number, why(proven))
        });
        worst.expect(proof.leaf_index > before, || {
            format!("addendum {} was added before what it follows", leaf.value.number)
        });
        before = proof.leaf_index;
        leaves = format!("{leaves}, ADDENDUM at {}", proof.leaf_index);
    }
    if let Some(index) = erased(case, heads, &mut worst) {
        leaves = format!("{leaves}, ERASED at {index}");
    }
    worst.or_else(|| format!("{leaves} of {}", head.size))
}

/// The ERASED leaf is in the run log, behind the receipt.
fn erased(case: &Case<'_>, heads: &Heads, worst: &mut Worst) -> Option<u64> {
    let erased = &case.document.contents.erased.as_ref()?.value;
    let (proof, head) = (&erased.proof, &heads.runs);
    let proven = verify_inclusion(erased.leaf.hash, proof.leaf_index, head.size, &proof.inclusion, head.root);
    worst.expect(proven.is_ok(), || format!("the ERASED leaf is not in the run log: {}", why(proven)));
    let sealed = case.document.proofs.receipt.as_ref().map(|receipt| receipt.value.proof.leaf_index);
    worst.expect(sealed.is_none_or(|sealed| sealed < proof.leaf_index), || {
        "the texts were erased before the run was sealed".to_owned()
    });
    Some(proof.leaf_index)
}

/// The bundle was made when its checkpoints were the logs' heads.
pub(crate) fn as_of(case: &Case<'_>, heads: &Heads) -> Outcome {
    let as_of = &case.document.after.as_of.value;
    let mut worst = Worst::default();
    worst.expect((as_of.runs_size, as_of.audit_size) == (heads.runs.size, heads.audit.size), || {
        "the checkpoints are of other sizes than stated".to_owned()
    });
    worst.expect(as_of.time == case.manifest.produced_at, || "there are two times of making".to_owned());
    let document = case.document;
    let sealed = document.proofs.receipt.iter().map(|receipt| &receipt.value.leaf.value.sealed_at);
    let added = document.after.addenda.iter().map(|addendum| &addendum.value.leaf.value.added_at);
    let erased = document.contents.erased.iter().map(|erased| &erased.value.leaf.value.erased_at);
    let governed = document.after.audit.iter().map(|row| &row.value.created_at);
    let opened = [&document.sealed.opened.value.started_at];
    for later in opened
        .into_iter()
        .chain(sealed)
        .chain(added)
        .chain(erased)
        .chain(governed)
        .filter(|at| **at > as_of.time)
    {
        worst.expect(false, || {
            format!("the bundle was made at {}, before what it has of {later}", as_of.time)
        });
    }
    worst.or_else(|| {
        format!("{}, run log of {}, Audit Ledger of {}", as_of.time, as_of.runs_size, as_of.audit_size)
    })
}

pub(super) fn why(proven: Result<(), proof::merkle::ProofError>) -> String {
    proven.err().map_or_else(String::new, |why| why.to_string())
}
