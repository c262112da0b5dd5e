//! Do the records belong to one run, and follow each other?

use proof::records::RecordKind;

use super::{Case, Outcome, Worst};
use crate::report::Finding;

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
    for (tenant, run) in &document.sealed.gist.owners.0 {
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
    for other in receipt.chain(&document.sealed.gist.traces.0).filter(|other| *other != trace) {
        worst.expect(false, || format!("there are two traces, {trace} and {other}"));
    }
    worst.or_else(|| format!("everything is of {run} in {trace}"))
}

/// Each step names the hash of the one before, the first that of the OPENED leaf.
pub(crate) fn steps(case: &Case<'_>) -> Outcome {
    let listed = case.listed(RecordKind::Step);
    let opened = case.document.sealed.opened.hash;
    let mut worst = Worst::default();
    let steps = &case.document.sealed.gist.steps;
    for (step, place) in steps.iter().zip(case.matched.places(RecordKind::Step).iter()) {
        let before = if place == 0 { Some(opened) } else { listed.get(place - 1) };
        // What comes behind a step that nobody could read follows that.
        worst.expect(before.is_none_or(|before| step.prev == Some(before)), || {
            format!("step {} does not follow the step before it", step.index)
        });
    }
    let count = steps.len();
    worst.or_else(|| format!("{count} steps, each follows the one before, the first follows the OPENED leaf"))
}

/// Every record of a kind claims the place that it has.
pub(crate) fn places(case: &Case<'_>) -> Outcome {
    let mut worst = Worst::default();
    for kind in RecordKind::ALL {
        for (at, place) in case.matched.places(*kind).iter().enumerate() {
            let claimed = case.document.sealed.lines.place(*kind, at);
            worst.expect(claimed == Some(place as u64), || {
                format!("records/sealed/{kind} at {place} says that its place is {claimed:?}")
            });
        }
    }
    for (row, place) in case.document.after.audit.iter().zip(case.matched.audit().iter()) {
        let seq = row.value.run_seq;
        if seq != Some(place as u64 + 1) {
            let detail = format!("audit row {} has run_seq {seq:?} at place {place}", row.value.id);
            // A number that is skipped is a row that somebody left out before signing.
            let skipped = seq.is_some_and(|seq| seq > place as u64 + 1);
            worst.found(if skipped { Finding::truncated(detail) } else { Finding::tampered(detail) });
        }
    }
    worst.or_else(|| "no record is out of its place, no number is skipped".to_owned())
}
