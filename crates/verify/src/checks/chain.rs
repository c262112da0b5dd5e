//! Do the records belong to one run, follow each other, and mean each other?

use std::collections::HashSet;

use proof::{hash::Hash, records::RecordKind};

use super::{Case, Outcome, Worst};
use crate::{
    document::{Named, Step},
    report::Finding,
};

/// One tenant, one run, one trace, everywhere.
pub(crate) fn identity(case: &Case<'_>) -> Outcome {
    let (document, manifest) = (case.document, case.manifest);
    let (tenant, run) = (manifest.tenant_id.as_str(), manifest.run_id.as_str());
    let trace = document.after.run.value.trace_id.as_str();
    let mut worst = Worst::default();
    let mut expect = |what: &str, of_tenant: &str, of_run: Option<&str>| {
        worst.expect(of_tenant == tenant && of_run == Some(run), || {
            format!("{what} is of {of_tenant}, {}", of_run.unwrap_or("no run"))
        });
    };
    let opened = &document.sealed.opened.value;
    expect("the OPENED leaf", &opened.tenant_id, Some(&opened.run_id));
    expect("records/after/run", &document.after.run.value.tenant_id, Some(&document.after.run.value.run_id));
    for (tenant, run) in &document.sealed.owners.0 {
        expect("a record", tenant, run.as_deref());
    }
    for row in &document.after.audit {
        expect("an audit row", &row.value.tenant_id, row.value.run_id.as_deref());
    }
    if let Some(receipt) = &document.proofs.receipt {
        let leaf = &receipt.value.leaf.value;
        expect("the receipt", &leaf.tenant_id, Some(&leaf.run_id));
    }
    let receipt = document.proofs.receipt.iter().map(|receipt| &receipt.value.leaf.value.trace_id);
    for other in receipt.chain(&document.sealed.traces.0).filter(|other| *other != trace) {
        worst.expect(false, || format!("there are two traces, {trace} and {other}"));
    }
    worst.or_else(|| format!("everything is of {run} in {trace}"))
}

/// Each step names the hash of the one before, the first that of the OPENED leaf.
pub(crate) fn steps(case: &Case<'_>) -> Outcome {
    let listed = case.listed(RecordKind::Step);
    let opened = case.document.sealed.opened.hash;
    let mut worst = Worst::default();
    for (step, place) in with_places(case, RecordKind::Step, &case.document.sealed.steps) {
        let before = if place == 0 { opened } else { listed[place - 1] };
        worst.expect(step.prev == Some(before), || {
            format!("step {} does not follow the step before it", step.index)
        });
    }
    let count = case.document.sealed.steps.len();
    worst.or_else(|| format!("{count} steps, each follows the one before, the first follows the OPENED leaf"))
}

/// What a record says of another by hash is so.
pub(crate) fn links(case: &Case<'_>) -> Outcome {
    let sealed = &case.document.sealed;
    let mut worst = Worst::default();

    let snapshot = &sealed.snapshot.value;
    let digest = snapshot.definition.digest();
    worst.expect(snapshot.digest == digest, || "the snapshot's digest is not that of its text".to_owned());
    let digest = digest.to_string();
    let named = sealed.snapshots.0.iter().chain([&sealed.opened.value.snapshot_digest]);
    for other in named.filter(|other| **other != digest) {
        worst.expect(false, || format!("the snapshot {other} is named, and another is here"));
    }
    // Known only where all decisions are there.
    worst.expect(!case.whole(RecordKind::Decision) || sealed.engines.0 == snapshot.engines, || {
        "the snapshot names other engines than the decisions".to_owned()
    });

    // Where its capture failed there is none; a second one there never is.
    let environment = case.listed(RecordKind::Environment);
    let named = sealed.opened.value.environment_hash.parse();
    worst.expect(environment.is_empty() || environment.iter().map(|it| Ok(*it)).eq([named]), || {
        "the OPENED leaf names another environment".to_owned()
    });

    let known = |kind| case.listed(kind).iter().copied().collect::<HashSet<Hash>>();
    let kinds =
        [RecordKind::Decision, RecordKind::Activity, RecordKind::Provider].map(|kind| (kind, known(kind)));
    for step in &sealed.steps {
        for (kind, named) in &step.named {
            let among = || kinds.iter().find(|(known, _)| known == kind).map(|(_, hashes)| hashes);
            let there = match named {
                Named::Nothing => true,
                Named::Record(hash) => among().is_some_and(|hashes| hashes.contains(hash)),
                Named::Nonsense => false,
            };
            worst.expect(there, || {
                format!("step {} names one of {kind} that the run does not have", step.index)
            });
        }
        worst.expect(step.deterministic, || {
            format!("step {} has another determinism hash than its fields give", step.index)
        });
    }
    interventions(case, &mut worst);
    worst.or_else(|| "snapshot, environment, decisions and evidence are those that are named".to_owned())
}

/// A decision that met a person's intervention met one that is here, and each names the decision that it made first.
fn interventions(case: &Case<'_>, worst: &mut Worst) {
    let sealed = &case.document.sealed;
    let decisions: HashSet<Hash> = case.listed(RecordKind::Decision).iter().copied().collect();
    for record in &sealed.interventions {
        let there = record.decision_hash.parse().is_ok_and(|hash| decisions.contains(&hash));
        worst.expect(there, || {
            format!("{} names a decision that the run does not have", record.intervention_id)
        });
    }
    if case.whole(RecordKind::Intervention) {
        let known: HashSet<String> =
            sealed.interventions.iter().map(|it| proof::canonical::to_text(&it.intervened())).collect();
        for met in sealed.intervened.0.iter().filter(|met| !known.contains(*met)) {
            worst.expect(false, || format!("a decision met an intervention that is not here: {met}"));
        }
    }
}

/// Every record of a kind claims the place that it has.
pub(crate) fn places(case: &Case<'_>) -> Outcome {
    let mut worst = Worst::default();
    for kind in RecordKind::ALL {
        let lines = case.document.sealed.lines.get(kind).map_or(&[][..], Vec::as_slice);
        for (line, place) in with_places(case, *kind, lines) {
            worst.expect(line.place == Some(place as u64), || {
                format!("records/sealed/{kind} at {place} says that its place is {:?}", line.place)
            });
        }
    }
    for (row, place) in case.document.after.audit.iter().zip(case.matched.audit()) {
        let seq = row.value.run_seq;
        if seq != Some(*place as u64 + 1) {
            let detail = format!("audit row {} has run_seq {seq:?} at place {place}", row.value.id);
            // A number that is skipped is a row that somebody left out before signing.
            let skipped = seq.is_some_and(|seq| seq > *place as u64 + 1);
            worst.found(if skipped { Finding::truncated(detail) } else { Finding::tampered(detail) });
        }
    }
    worst.or_else(|| "no record is out of its place, no number is skipped".to_owned())
}

/// The values of a kind, each with its place among those that ought to be there.
fn with_places<'c, T>(
    case: &'c Case<'_>,
    kind: RecordKind,
    values: &'c [T],
) -> impl Iterator<Item = (&'c T, usize)> {
    values.iter().zip(case.matched.places(kind).iter().copied())
}

/// The steps that count, and those that do not.
pub(crate) fn counted(steps: &[Step]) -> (u64, u64) {
    let refused = steps.iter().filter(|step| step.refused).count() as u64;
    (steps.len() as u64 - refused, refused)
}
