//! Whoever holds the key and the store, and plants one fault before anything is hashed: all roots, leaves, proofs and
//! signatures fit what was planted, so that only what records say of each other is left to show it.

use std::cell::Cell;

use proof::{
    bundle::{Manifest, Parts, assemble},
    canonical,
    checkpoint::Checkpoint,
    dsse::Envelope,
    hash::{Hash, sha256},
    leaves::RunLeaf,
    records::{CaptureFailureRecord, Record, StepRecord},
    statement::{PAYLOAD_TYPE, Statement},
    tagged::leaf_hash,
    words::{Action, Assurance, CaptureFailureReason, EvidenceClass, FailureResolution, RunStatus},
};
use serde_json::{Value, json};
use verify::Word;

use crate::{
    kit::{self, Plant, Scene},
    words::{parse, verify, write},
};

/// The word for a scene with a fault in it, and the checks that failed.
pub(crate) fn found(
    make: fn() -> Scene,
    plant: Plant,
    change: impl FnOnce(&mut Parts<'_>),
) -> (Word, Vec<&'static str>) {
    let mut scene = plant.within(make);
    let records = scene.records.clone();
    let mut parts = scene.parts(&records);
    change(&mut parts);
    let bundle = assemble(parts, &kit::signing_key()).expect("whole numbers");
    let report = verify(bundle.as_bytes());
    (report.word, report.checks.iter().filter(|check| !check.passed).map(|check| check.name).collect())
}

/// Nothing but this check finds the fault.
pub(crate) fn only(check: &'static str, make: fn() -> Scene, plant: Plant) {
    only_with(check, make, plant, |_| ());
}

pub(crate) fn only_with(
    check: &'static str,
    make: fn() -> Scene,
    plant: Plant,
    change: impl FnOnce(&mut Parts<'_>),
) {
    assert_eq!(found(make, plant, change), (Word::Tampered, vec![check]));
}

pub(crate) const NOTHING: Plant = Plant::records(Some);

/// A fault in the steps of which `which` holds.
#[expect(clippy::unnecessary_wraps, reason = "a plant may drop a record, and this one does not")]
pub(crate) fn step(record: Record, which: u64, fault: impl FnOnce(&mut StepRecord)) -> Option<Record> {
    Some(match record {
        Record::Step(mut step) if step.step_index == which => {
            fault(&mut step);
            step.determinism_hash = step.determinism().to_string();
            Record::Step(step)
        }
        other => other,
    })
}

#[test]
fn without_a_fault_all_of_them_are_complete() {
    for make in [kit::clean, kit::blocked, kit::everything, kit::late, kit::empty] {
        assert_eq!(found(make, NOTHING, |_| ()), (Word::Complete, vec![]));
    }
}

#[test]
fn an_environment_that_is_gone_needs_a_failed_capture_in_its_place() {
    let gone = |record: Record| (!matches!(record, Record::Environment(_))).then_some(record);
    only("links", kit::clean, Plant::records(gone));
    thread_local!(static FAILED: Cell<EvidenceClass> = const { Cell::new(EvidenceClass::Provider) });
    let instead = |record| {
        Some(match record {
            Record::Environment(environment) => Record::CaptureFailure(CaptureFailureRecord {
                tenant_id: environment.tenant_id,
                run_id: environment.run_id,
                failure_id: "cpf_1".to_owned(),
                seq: 0,
                step_index: None,
                evidence_class: FAILED.get(),
                reason: CaptureFailureReason::DatabaseError,
                resolution: FailureResolution::Transient,
                error_message: "no room".to_owned(),
                failed_at: environment.captured_at,
            }),
            other => other,
        })
    };
    only("links", kit::clean, Plant::records(instead));
    FAILED.set(EvidenceClass::Environment);
    assert_eq!(found(kit::clean, Plant::records(instead), |_| ()), (Word::Complete, vec![]));
}

#[test]
fn a_call_without_evidence_needs_a_failed_capture_of_it() {
    let faults: [fn(Record) -> Option<Record>; 2] = [
        |record| step(record, 0, |step| step.provider_hash = None),
        |record| step(record, 1, |step| step.activity_hash = None),
    ];
    for fault in faults {
        only("links", kit::clean, Plant::records(fault));
    }
    let told = |record: Record| match record {
        // The run says that the capture of what its first call was answered failed.
        Record::Provider(provider) if provider.step_index == 0 => {
            Some(Record::CaptureFailure(CaptureFailureRecord {
                tenant_id: provider.tenant_id,
                run_id: provider.run_id,
                failure_id: "cpf_1".to_owned(),
                seq: 0,
                step_index: Some(0),
                evidence_class: EvidenceClass::Provider,
                reason: CaptureFailureReason::CaptureFailed,
                resolution: FailureResolution::Transient,
                error_message: "it names no model".to_owned(),
                failed_at: provider.captured_at,
            }))
        }
        other => step(other, 0, |step| step.provider_hash = None),
    };
    assert_eq!(found(kit::clean, Plant::records(told), |_| ()), (Word::Complete, vec![]));
}

#[test]
fn a_run_without_steps_costs_nothing() {
    let cost = |record: Record| match record {
        Record::Run(mut run) => {
            run.cost_nanousd = 5;
            Some(Record::Run(run))
        }
        other => Some(other),
    };
    only_with("counts", kit::empty, Plant::records(cost), |parts| parts.run.cost_nanousd = 5);
}

#[test]
fn totals_add_up_step_by_step() {
    let records: [fn(Record) -> Option<Record>; 4] = [
        |record| step(record, 0, |step| step.cost_nanousd += 1),
        |record| step(record, 1, |step| step.input_tokens += 1),
        |record| step(record, 0, |step| step.run_after = step.run_after.replace(":1200", ":1201")),
        |record| match record {
            Record::Run(mut run) => {
                run.llm_call_count += 1;
                Some(Record::Run(run))
            }
            other => Some(other),
        },
    ];
    for fault in records {
        only("counts", kit::clean, Plant::records(fault));
    }
    only("addenda", kit::late, Plant::records(|record| step(record, 2, |step| step.cost_nanousd += 1)));
    let late: [fn(&mut proof::bundle::LiveLate); 4] = [
        |late| late.cost_nanousd += 1,
        |late| late.input_tokens += 1,
        |late| late.output_tokens += 1,
        |late| late.step_count += 1,
    ];
    for fault in late {
        only_with("addenda", kit::late, NOTHING, |parts| fault(parts.run.late.as_mut().expect("late")));
    }
}

#[test]
fn an_intervention_names_the_first_decision_that_met_it() {
    let nobody = |record: Record| match record {
        Record::Intervention(mut met) => {
            met.decision_hash = sha256(b"nobody").to_string();
            Some(Record::Intervention(met))
        }
        other => Some(other),
    };
    only("links", kit::everything, Plant::records(nobody));
    only("addenda", kit::late, Plant::records(nobody));
    let another = |record: Record| match record {
        Record::Decision(mut decision) if decision.intervention.is_some() => {
            let met = decision.intervention.as_deref().unwrap_or_default().replace("under review", "why not");
            decision.intervention = Some(met);
            Some(Record::Decision(decision))
        }
        other => Some(other),
    };
    only("links", kit::everything, Plant::records(another));
    only("addenda", kit::late, Plant::records(another));
    let none = |record: Record| match record {
        Record::Decision(mut decision) => {
            decision.intervention = None;
            Some(Record::Decision(decision))
        }
        other => Some(other),
    };
    only("links", kit::everything, Plant::records(none));
    only("addenda", kit::late, Plant::records(none));
}

#[test]
fn a_step_names_the_decision_that_judged_it() {
    let faults: [fn(Record) -> Option<Record>; 7] = [
        |record| step(record, 1, |step| step.decision_id = Some("dec_other".to_owned())),
        |record| step(record, 1, |step| step.decision_id = None),
        |record| step(record, 2, |step| step.permit_id = Some("prm_other".to_owned())),
        |record| step(record, 2, |step| step.permit_id = None),
        |record| step(record, 2, |step| step.pre_decision_hash.clone_from(&step.post_decision_hash)),
        |record| step(record, 1, |step| (step.pre_decision_hash, step.post_decision_hash) = (None, None)),
        |record| match record {
            Record::Decision(mut decision) if decision.step_index == Some(1) => {
                decision.step_index = Some(2);
                Some(Record::Decision(decision))
            }
            other => Some(other),
        },
    ];
    for fault in faults {
        only("links", kit::clean, Plant::records(fault));
    }
    // A late one likewise.
    let late = |record| step(record, 2, |step| step.permit_id = Some("prm_other".to_owned()));
    only("addenda", kit::late, Plant::records(late));
    // The decision on another step, which is there.
    thread_local!(static OTHER: Cell<Option<Hash>> = const { Cell::new(None) });
    let first =
        kit::clean().records.iter().find(|record| matches!(record, Record::Decision(_))).map(Record::hash);
    OTHER.set(first);
    let others =
        |record| step(record, 1, |step| step.pre_decision_hash = OTHER.get().map(|hash| hash.to_string()));
    only("links", kit::clean, Plant::records(others));
}

#[test]
fn what_was_refused_is_what_a_decision_refused() {
    let allowed = |record: Record| match record {
        Record::Decision(mut decision) if decision.action == Action::Block => {
            decision.action = Action::Allow;
            Some(Record::Decision(decision))
        }
        other => Some(other),
    };
    only("links", kit::blocked, Plant::records(allowed));
}

#[test]
fn times_have_one_form_and_steps_are_recorded_in_their_order() {
    for fault in [
        (|record| step(record, 1, |step| step.recorded_at = "yesterday".to_owned()))
            as fn(Record) -> Option<Record>,
        |record| step(record, 1, |step| step.started_at = Some("2026-11-21T08:00:00+23:00".to_owned())),
    ] {
        only("format", kit::clean, Plant::records(fault));
    }
    let back = |record| step(record, 1, |step| step.recorded_at = "2026-11-20T00:00:00.000000Z".to_owned());
    only("links", kit::clean, Plant::records(back));
    only("addenda", kit::late, Plant::records(back));
    only_with("as of", kit::clean, NOTHING, |parts| {
        parts.as_of.time = parts.opened.started_at.clone();
    });
}

#[test]
fn what_struck_came_to_an_incident_of_the_run() {
    let enforced: fn(Record) -> Option<Record> = |record| match record {
        Record::Enforcement(mut enforcement) => {
            enforcement.incident_id = enforcement.incident_id.map(|id| id + "0");
            Some(Record::Enforcement(enforcement))
        }
        other => Some(other),
    };
    let prevented: fn(Record) -> Option<Record> = |record| match record {
        Record::Prevention(mut prevention) => {
            prevention.blocked_incident_id = prevention.blocked_incident_id.map(|id| id + "0");
            Some(Record::Prevention(prevention))
        }
        other => Some(other),
    };
    for plant in [enforced, prevented] {
        only("links", kit::everything, Plant::records(plant));
    }
}

#[test]
fn a_gap_is_of_a_decision_and_costs_the_run_its_assurance() {
    let nobody = |record: Record| match record {
        Record::Gap(mut gap) => {
            gap.decision_id = "dec_other".to_owned();
            Some(Record::Gap(gap))
        }
        other => Some(other),
    };
    only("links", kit::everything, Plant::records(nobody));
    only("addenda", kit::late, Plant::records(nobody));
    // Only the gap of leave that was lost names a permit that its decision does not.
    let under_another = |record: Record| match record {
        Record::Gap(mut gap) => {
            gap.permit_id = Some("prm_other".to_owned());
            Some(Record::Gap(gap))
        }
        other => Some(other),
    };
    only("links", kit::everything, Plant::records(under_another));
    only_with("counts", kit::late, NOTHING, |parts| parts.run.assurance = Assurance::Enforced);
    let enforced = |record: Record| match record {
        Record::Run(mut run) => {
            run.assurance = Assurance::Enforced;
            Some(Record::Run(run))
        }
        other => Some(other),
    };
    let mut scene = Plant::records(enforced).within(kit::everything);
    let records = scene.records.clone();
    let mut parts = scene.parts(&records);
    parts.run.assurance = Assurance::Enforced;
    // The receipt says REPORTED, and the statement with it: two of them must be wrong.
    let bundle = assemble(parts, &kit::signing_key()).expect("whole numbers");
    assert_eq!(verify(bundle.as_bytes()).word, Word::Tampered);
    let sealed = |leaf| match leaf {
        RunLeaf::Sealed(mut leaf) => {
            leaf.assurance = Assurance::Enforced;
            RunLeaf::Sealed(leaf)
        }
        other => other,
    };
    only_with("counts", kit::everything, Plant::leaves(sealed), |parts| {
        parts.run.assurance = Assurance::Enforced;
    });
}

#[test]
fn the_run_as_it_stands_is_the_run_that_was_sealed() {
    let faults: [fn(&mut proof::bundle::LiveRun); 10] = [
        |run| run.conversation_id = None,
        |run| run.session_id.clone_from(&run.conversation_id),
        |run| run.user_id = Some("another".to_owned()),
        |run| run.status = RunStatus::Failed,
        |run| run.termination_reason = None,
        |run| run.error_message = Some("none".to_owned()),
        |run| run.agent_id.push('x'),
        |run| run.cost_nanousd += 1,
        |run| run.step_count += 1,
        |run| run.completed_at.clone_from(&Some(run.started_at.clone())),
    ];
    for fault in faults {
        only_with("counts", kit::clean, NOTHING, |parts| fault(&mut parts.run));
    }
    only_with("counts", kit::open, NOTHING, |parts| parts.run.output_tokens += 1);
}

#[test]
fn an_addendum_counts_every_kind_and_none_is_zero_by_silence() {
    let silent = |leaf| match leaf {
        RunLeaf::Addendum(mut leaf) => {
            leaf.record_counts.retain(|_, count| *count > 0);
            RunLeaf::Addendum(leaf)
        }
        other => other,
    };
    only("addenda", kit::late, Plant::leaves(silent));
    // A receipt may leave them out.
    let silent = |leaf| match leaf {
        RunLeaf::Sealed(mut leaf) => {
            leaf.record_counts.retain(|_, count| *count > 0);
            RunLeaf::Sealed(leaf)
        }
        other => other,
    };
    assert_eq!(found(kit::clean, Plant::leaves(silent), |_| ()), (Word::Complete, vec![]));
}

#[test]
fn both_checkpoints_are_of_one_installation() {
    only_with("checkpoints", kit::clean, NOTHING, |parts| {
        let audit = Checkpoint::open(&parts.checkpoints.audit, &kit::keys()).expect("it is signed");
        let origin = audit.origin.replacen("hoc.example", "other.example", 1);
        let moved = Checkpoint { origin, ..audit }.sign(&kit::signing_key()).expect("an origin");
        parts.checkpoints.audit = moved;
    });
}

/// Makes the statement anew for what has become of `proofs.audit`, and signs it.
fn signed_again(document: &mut Value) {
    let envelope: Envelope = serde_json::from_value(document["statement"].clone()).expect("an envelope");
    let (payload, _) = envelope.open(PAYLOAD_TYPE, &kit::keys()).expect("signed");
    let mut statement: Statement<Manifest> = serde_json::from_slice(&payload).expect("a statement");
    let proofs = &document["proofs"];
    statement.predicate.proofs.audit =
        proofs["audit"].as_array().expect("proofs").iter().map(leaf_hash).collect();
    statement.subject[2].digest.sha256 = sha256(&canonical::to_bytes(proofs));
    let envelope = Envelope::sign(PAYLOAD_TYPE, &canonical::to_bytes(&statement), &kit::signing_key());
    document["statement"] = serde_json::to_value(envelope).expect("JSON");
}

#[test]
fn audit_proofs_are_one_for_each_row_in_their_order() {
    let whole = parse(&kit::everything().json());
    let failed = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut document = whole.clone();
        change(document["proofs"]["audit"].as_array_mut().expect("proofs"));
        signed_again(&mut document);
        let report = verify(&write(&document));
        let failed: Vec<_> = report.checks.iter().filter(|it| !it.passed).map(|it| it.name).collect();
        (report.word, failed)
    };
    assert_eq!(failed(&|_| ()), (Word::Complete, vec![]));
    assert_eq!(failed(&|proofs| proofs.reverse()), (Word::Tampered, vec!["audit"]));
    let surplus = |proofs: &mut Vec<Value>| {
        let mut another = proofs[0].clone();
        another["id"] = json!("aud_nobody");
        proofs.push(another);
    };
    assert_eq!(failed(&surplus), (Word::Tampered, vec!["audit"]));
}
