//! Are the run's audit rows in the Audit Ledger, in their order?

use std::collections::HashMap;

use proof::{bundle::AuditProof, merkle::verify_inclusion};

use super::{
    Case, Outcome, Worst,
    logs::{Heads, why},
};
use crate::report::Finding;

/// Each row has a proof that leads to the checkpoint; rows and ledger are in one order.
pub(crate) fn audit(case: &Case<'_>, heads: &Heads) -> Outcome {
    let head = &heads.audit;
    let (rows, proofs) = (&case.document.after.audit, &case.document.proofs.audit);
    let mut worst = Worst::default();
    let mut by_id: HashMap<&str, &AuditProof> = HashMap::new();
    for proof in proofs {
        worst.expect(by_id.insert(&proof.value.id, &proof.value).is_none(), || {
            format!("audit row {} has two proofs", proof.value.id)
        });
    }
    // Where one of them is missing, the manifest has told of it.
    let whole =
        rows.len() == case.manifest.after.audit.len() && proofs.len() == case.manifest.proofs.audit.len();
    let paired = rows.iter().map(|row| &row.value.id).eq(proofs.iter().map(|proof| &proof.value.id));
    worst.expect(!whole || paired, || "the proofs are not one for each row, in their order".to_owned());
    let mut before: Option<(u64, &str)> = None;
    for row in rows {
        let (id, at) = (&row.value.id, row.value.created_at.as_str());
        let Some(proof) = by_id.get(id.as_str()) else {
            worst.found(Finding::truncated(format!("audit row {id} has lost its proof")));
            continue;
        };
        let proven = verify_inclusion(row.hash, proof.leaf_index, head.size, &proof.inclusion, head.root);
        worst
            .expect(proven.is_ok(), || format!("audit row {id} is not in the Audit Ledger: {}", why(proven)));
        let ordered = before.is_none_or(|(index, time)| index < proof.leaf_index && time <= at);
        worst.expect(ordered, || format!("audit row {id} is in another order in the Audit Ledger"));
        before = Some((proof.leaf_index, at));
    }
    worst.or_else(|| format!("{} rows, each in the Audit Ledger of {}", rows.len(), head.size))
}
