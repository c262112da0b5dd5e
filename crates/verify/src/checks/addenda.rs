//! Does what came late follow the receipt, and is it what the leaves of the addenda cover?

use proof::{hash::Hash, leaves::KindRoot, merkle::root_of, records::RecordKind, run_ranges::records_root};

use super::{
    Case, Outcome, Worst,
    links::{Known, Stretch},
    totals::{LateTotals, Sealed, is_counted_elsewhere},
};
use crate::{document::Addendum, report::Finding};

/// The late records as far as they have been gone through.
struct Late<'c> {
    /// By kind, in the order of [`RecordKind::ALL`].
    hashes: Vec<Vec<Hash>>,
    chain_head: Hash,
    /// What a late record may name: what is sealed, and what has come late so far. A permit that was granted before the
    /// store was down serves a step that is recorded after its run was sealed.
    known: Known<'c>,
    totals: LateTotals,
}

/// Every addendum, in order: it is of this run and names its receipt; its records go on where the last ended.
pub(crate) fn addenda<'c>(case: &Case<'c>, known: Known<'c>, totals: Option<Sealed>) -> Outcome {
    let after = &case.document.after;
    let listed = case.manifest.after.addenda.len();
    let stated = after.run.value.late.map_or(0, |late| late.addenda);
    if stated > listed as u64 {
        return Err(Finding::truncated(format!("the run has {stated} addenda, {listed} are listed")));
    }
    let mut worst = Worst::default();
    worst.expect(stated == listed as u64, || format!("the run has {stated} addenda, {listed} are listed"));
    worst.expect(after.run.value.late.is_none_or(|late| late.addenda > 0), || {
        "the run has totals of what came late, and nothing came late".to_owned()
    });
    if after.addenda.len() < listed {
        // The manifest has told of it. What is there is what was signed; what it follows is not all there.
        return worst
            .or_else(|| format!("{} of {listed} addenda, which are not gone through", after.addenda.len()));
    }
    let Some(receipt) = &case.document.proofs.receipt else {
        worst.expect(after.addenda.is_empty() || case.manifest.proofs.receipt.is_some(), || {
            "there is an addendum to a run that is not sealed".to_owned()
        });
        return worst.or_else(|| "nothing came late".to_owned());
    };
    let sealed_leaf = receipt.value.leaf.hash;
    let mut late = Late {
        hashes: vec![Vec::new(); RecordKind::ALL.len()],
        chain_head: sealed_leaf,
        known,
        totals: LateTotals::on(totals),
    };
    for (number, addendum) in after.addenda.iter().enumerate() {
        identity(case, &addendum.value, (number as u64, sealed_leaf), &mut worst);
        records(case, &addendum.value, &mut late, &mut worst);
        covered(&addendum.value, &late, &mut worst);
    }
    let steps = late.hashes[RecordKind::Step as usize].len();
    worst.expect(late.totals.are(after.run.value.late), || {
        "records/after/run has another number of late steps, or other late totals".to_owned()
    });
    let uses = if late.totals.know_uses() { "" } else { "; what they used was not counted anew" };
    worst.or_else(|| match listed {
        0 => "nothing came late".to_owned(),
        _ => format!("{steps} late steps in {listed} addenda, which follow the receipt{uses}"),
    })
}

fn identity(case: &Case<'_>, addendum: &Addendum, (number, sealed): (u64, Hash), worst: &mut Worst) {
    let (leaf, manifest) = (&addendum.leaf.value, case.manifest);
    let trace = &case.document.after.run.value.trace_id;
    worst.expect(leaf.number == number, || format!("addendum {} is in the place of {number}", leaf.number));
    worst.expect(leaf.sealed_leaf.parse() == Ok(sealed), || {
        format!("addendum {number} names another receipt")
    });
    worst.expect(leaf.addendum_of == *trace && leaf.trace_id != *trace, || {
        format!("addendum {number} is of another trace")
    });
    let of = |tenant: &str, run: Option<&str>| {
        tenant == manifest.tenant_id && run == Some(manifest.run_id.as_str())
    };
    worst.expect(of(&leaf.tenant_id, Some(&leaf.run_id)), || format!("addendum {number} is of another run"));
    for (tenant, run) in &addendum.added.gist.owners.0 {
        worst.expect(of(tenant, run.as_deref()), || {
            format!("a record of addendum {number} is of another run")
        });
    }
    for other in addendum.added.gist.traces.0.iter().filter(|other| **other != leaf.trace_id) {
        worst.expect(false, || format!("a step of addendum {number} is of the trace {other}"));
    }
    let digest = &case.document.sealed.opened.value.snapshot_digest;
    for other in addendum.added.gist.snapshots.0.iter().filter(|other| *other != digest) {
        worst.expect(false, || format!("addendum {number} was judged by the snapshot {other}"));
    }
}

/// The places, the chain and the links of an addendum's records; they are added to what came before.
fn records<'c>(case: &Case<'c>, addendum: &'c Addendum, late: &mut Late<'c>, worst: &mut Worst) {
    let number = addendum.leaf.value.number;
    let added = &addendum.added;
    for kind in added.lines.kinds() {
        let before = &mut late.hashes[kind as usize];
        for (at, hash) in added.lines.of_kind(kind).iter().enumerate() {
            let place = (case.listed(kind).len() + before.len()) as u64;
            let claimed = added.lines.place(kind, at);
            worst.expect(claimed == Some(place), || {
                format!("one of {kind} in addendum {number} at {place} says that its place is {claimed:?}")
            });
            before.push(*hash);
        }
    }
    if is_counted_elsewhere(&added.gist, &[]) {
        late.totals.are_counted_elsewhere();
    }
    for (step, hash) in added.gist.steps.iter().zip(added.lines.of_kind(RecordKind::Step)) {
        worst.expect(step.prev == Some(late.chain_head), || {
            format!("late step {} does not follow the one before it", step.index)
        });
        late.chain_head = *hash;
        late.totals.count(&step, worst);
    }
    // What is missing of the sealed records, a late one may name.
    let missing = RecordKind::ALL.iter().copied().filter(|kind| !case.whole(*kind)).collect();
    let stretch = Stretch { gist: &added.gist, lines: &added.lines, called: "late step", missing };
    late.known.follow(&stretch, worst);
}

/// The leaf is for exactly what came late so far.
fn covered(addendum: &Addendum, late: &Late<'_>, worst: &mut Worst) {
    let leaf = &addendum.leaf.value;
    let kinds: Vec<KindRoot> = RecordKind::ALL
        .iter()
        .zip(&late.hashes)
        .map(|(kind, hashes)| KindRoot {
            kind: *kind,
            count: hashes.len() as u64,
            root: root_of(hashes).to_string(),
        })
        .collect();
    let counts = kinds.iter().map(|kind| (kind.kind, kind.count)).collect();
    worst.expect(leaf.record_counts == counts, || format!("addendum {} counts other records", leaf.number));
    let is = |text: &str, hash: Hash| text.parse() == Ok(hash);
    worst.expect(is(&leaf.records_root, records_root(&kinds)), || {
        format!("addendum {} is for other records", leaf.number)
    });
    worst.expect(is(&leaf.root_hash, root_of(&late.hashes[RecordKind::Step as usize])), || {
        format!("addendum {} is for other steps", leaf.number)
    });
    worst.expect(is(&leaf.chain_head, late.chain_head), || {
        format!("addendum {} is for another chain", leaf.number)
    });
}
