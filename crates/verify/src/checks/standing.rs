//! Is the run as it stands now the run that was sealed, with what came later?

use proof::{
    bundle::Completeness,
    records::{RecordKind, RunRecord},
    words::{Assurance, IntegrityGrade},
};

use super::{Case, Worst};

/// What may not change of a run is as it was sealed, and its assurance is what its gaps leave of it.
pub(crate) fn standing(case: &Case<'_>, worst: &mut Worst) {
    let now = &case.document.after.run.value;
    let opened = &case.document.sealed.opened.value;
    worst.expect(now.started_at == opened.started_at, || {
        "records/after/run began at another time than the OPENED leaf says".to_owned()
    });
    let part_of_now = (&now.conversation_id, &now.session_id, &now.user_id);
    for run in &case.document.sealed.gist.run {
        let RunRecord { agent_id, actor_type, actor_id, status, termination_reason, error_message, .. } = run;
        let same = (&now.agent_id, now.actor_type, &now.actor_id) == (agent_id, *actor_type, actor_id)
            && (now.status, now.termination_reason) == (*status, *termination_reason)
            && now.error_message == *error_message
            && part_of_now == (&run.conversation_id, &run.session_id, &run.user_id)
            && now.started_at == run.started_at
            && now.completed_at.as_ref() == Some(&run.completed_at);
        worst.expect(same, || "records/after/run is not the run that was sealed".to_owned());
    }
    assurance(case, worst);
}

/// What a sealed run's steps and gaps leave of its assurance (spec 4).
pub(crate) fn assurance_of(run: &RunRecord, gaps: bool) -> Assurance {
    if run.external_trace_id.is_some() || gaps {
        Assurance::Reported
    } else if run.unasked_count > 0 {
        Assurance::Recorded
    } else {
        Assurance::Enforced
    }
}

/// A gap lowers the assurance: that of the statement if it is sealed, that of the run as it stands if it came later.
fn assurance(case: &Case<'_>, worst: &mut Worst) {
    let (document, manifest) = (case.document, case.manifest);
    let gaps = manifest.completeness == Completeness::Sealed && !case.listed(RecordKind::Gap).is_empty();
    worst.expect(!gaps || manifest.assurance != Assurance::Enforced, || {
        "the run is ENFORCED, and has a gap".to_owned()
    });
    worst.expect(!gaps || manifest.grade != Some(IntegrityGrade::Pass), || {
        "the grade is PASS, and there is a gap".to_owned()
    });
    if let [run] = document.sealed.gist.run.as_slice() {
        worst.expect(run.assurance == manifest.assurance, || {
            "the assurance is not that of the run".to_owned()
        });
    }
    let addenda = &document.after.addenda;
    if addenda.len() < manifest.after.addenda.len() {
        return;
    }
    let late = addenda.iter().any(|addendum| !addendum.value.added.gist.gaps.is_empty());
    let standing = if late { Assurance::Reported } else { manifest.assurance };
    worst.expect(document.after.run.value.assurance == standing, || {
        format!("records/after/run is {}, and {standing} is left", document.after.run.value.assurance)
    });
}
