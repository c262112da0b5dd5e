//! Do the records hash up to the roots, and do the roots stand in the receipt?

use proof::{
    hash::Hash,
    leaves::{KindRoot, SealedLeaf},
    merkle::root_of,
    records::RecordKind,
    run_ranges::records_root,
    words::RunStatus,
};

use super::{Case, Outcome, Worst};

/// Chain head and roots, computed from every record of the run, whether it is here or only signed for. Of a kind of
/// which one is missing that whoever made the bundle could not read, the root is as it is stated: the receipt has that
/// too.
pub(crate) fn roots(case: &Case<'_>) -> Outcome {
    let stated = &case.document.proofs.roots.value;
    let kinds: Vec<KindRoot> = RecordKind::ALL
        .iter()
        .map(|kind| {
            let listed = case.listed(*kind);
            let known: Option<Vec<Hash>> = listed.iter().collect();
            let stated = || stated.kinds.iter().find(|stated| stated.kind == *kind);
            let root = known.map(|leaves| root_of(&leaves).to_string());
            let root = root.or_else(|| stated().map(|stated| stated.root.clone()));
            KindRoot { kind: *kind, count: listed.len() as u64, root: root.unwrap_or_default() }
        })
        .collect();
    let steps = case.listed(RecordKind::Step);
    let opened = case.manifest.sealed.opened;
    let chain_head = if steps.is_empty() { Some(opened) } else { steps.last() };
    let root_hash =
        kinds.iter().find(|kind| kind.kind == RecordKind::Step).map(|kind| kind.root.parse::<Hash>());
    let mut worst = Worst::default();
    for (kind, stated) in kinds.iter().zip(&stated.kinds) {
        worst.expect(kind == stated, || format!("{} lead to another root or count than stated", kind.kind));
    }
    worst.expect(kinds == stated.kinds, || "the roots are not of every kind once, in order".to_owned());
    worst.expect(chain_head.is_none_or(|head| head == stated.chain_head), || {
        "the chain ends elsewhere than stated".to_owned()
    });
    worst.expect(root_hash == Some(Ok(stated.root_hash)), || {
        "the steps lead to another root than stated".to_owned()
    });
    worst.expect(records_root(&kinds) == stated.records_root, || {
        "the records lead to another root than stated".to_owned()
    });
    worst.or_else(|| format!("the records lead to {}", stated.records_root))
}

/// The receipt says what the records and the statement say.
pub(crate) fn receipt(case: &Case<'_>) -> Outcome {
    let Some(receipt) = &case.document.proofs.receipt else { return super::manifest::completeness(case) };
    super::manifest::completeness(case)?;
    let (leaf, manifest) = (&receipt.value.leaf.value, case.manifest);
    let roots = &case.document.proofs.roots.value;
    let mut worst = Worst::default();
    let is = |text: &str, hash: Hash| text.parse() == Ok(hash);
    worst
        .expect(is(&leaf.records_root, roots.records_root), || "the receipt is for other records".to_owned());
    worst.expect(is(&leaf.root_hash, roots.root_hash), || "the receipt is for other steps".to_owned());
    worst.expect(is(&leaf.chain_head, roots.chain_head), || "the receipt is for another chain".to_owned());
    let stated = leaf.record_counts.iter().filter(|(_, count)| **count > 0);
    let counted = manifest.record_counts.iter().filter(|(_, count)| **count > 0);
    worst.expect(stated.eq(counted), || "the receipt counts other records".to_owned());
    let stated = leaf.verdict_tally.iter().filter(|(_, count)| **count > 0);
    worst.expect(stated.eq(&manifest.verdict_tally), || "the receipt tallies other verdicts".to_owned());
    worst.expect(leaf.snapshot_digest == case.document.sealed.opened.value.snapshot_digest, || {
        "the receipt names another snapshot".to_owned()
    });
    worst.expect(Some(leaf.grade) == manifest.grade, || "the receipt has another grade".to_owned());
    worst.expect(leaf.assurance == manifest.assurance, || "the receipt has another assurance".to_owned());
    run(case, leaf, &mut worst);
    worst.or_else(|| format!("sealed {} at {}, for these records", leaf.status, leaf.sealed_at))
}

fn run(case: &Case<'_>, leaf: &SealedLeaf, worst: &mut Worst) {
    let steps = case.listed(RecordKind::Step).len() as u64;
    worst.expect(leaf.step_count.checked_add(leaf.refused_count) == Some(steps), || {
        "the receipt counts other steps".to_owned()
    });
    worst.expect(leaf.status != RunStatus::Running, || {
        "the receipt is of a run that still goes on".to_owned()
    });
    worst.expect(case.listed(RecordKind::Run).len() == 1, || {
        "the receipt is not for exactly one run".to_owned()
    });
    if let [run] = case.document.sealed.gist.run.as_slice() {
        worst.expect(
            (run.status, run.step_count, run.refused_count)
                == (leaf.status, leaf.step_count, leaf.refused_count),
            || "the receipt has another status or other counts than the run".to_owned(),
        );
    }
}
