//! What re-execution finds beyond the checks that are always made: faults that the holder of the key plants.

use proof::{
    bundle::assemble,
    records::{DecisionRecord, Record},
    words::Moment,
};
use verify::{Options, Report, Word};

use crate::kit::{self, Plant, Scene};

/// A scene with a fault in it, with every decision decided again.
pub(crate) fn reexecuted(make: fn() -> Scene, plant: Plant) -> Report {
    let mut scene = plant.within(make);
    let records = scene.records.clone();
    let bundle = assemble(scene.parts(&records), &kit::signing_key()).expect("whole numbers");
    let options = Options { reexecute: true, ..Options::default() };
    verify::bundle(bundle.as_bytes(), &kit::keys(), &options).expect("a bundle")
}

pub(crate) fn failed(report: &Report) -> Vec<&'static str> {
    report.checks.iter().filter(|check| !check.passed).map(|check| check.name).collect()
}

/// A fault in each decision.
#[expect(clippy::unnecessary_wraps, reason = "a plant may drop a record, and this one does not")]
pub(crate) fn decision(record: Record, fault: impl FnOnce(&mut DecisionRecord)) -> Option<Record> {
    Some(match record {
        Record::Decision(mut decision) => {
            fault(&mut decision);
            Record::Decision(decision)
        }
        other => other,
    })
}

fn by_another(record: Record) -> Option<Record> {
    decision(record, |it| "hoc-engine/0".clone_into(&mut it.engine_version))
}

#[test]
fn what_another_engine_decided_is_not_said_to_be_well() {
    let report = reexecuted(kit::clean, Plant::records(by_another));
    assert_eq!((report.word, failed(&report)), (Word::NotReexecuted, vec!["reexecute"]), "{report}");
    let told = report.to_string();
    assert!(told.contains("none reexecute") && told.contains("hoc-engine/0"), "{told}");
    assert!(told.ends_with("NOT_REEXECUTED\n"), "{told}");
    // What is worse goes before.
    let bent = |record| match by_another(record)? {
        Record::Step(mut step) => {
            step.decision_id = None;
            Some(Record::Step(step))
        }
        other => Some(other),
    };
    let report = reexecuted(kit::clean, Plant::records(bent));
    assert_eq!(report.word, Word::Tampered, "{report}");
}

#[test]
fn what_is_left_out_of_some_is_said() {
    let leave = |record| {
        decision(record, |it| {
            if it.moment == Moment::StepPre {
                "hoc-engine/0".clone_into(&mut it.engine_version);
            }
        })
    };
    let report = reexecuted(kit::clean, Plant::records(leave));
    assert_eq!((report.word, failed(&report)), (Word::Complete, vec![]), "{report}");
    let told = report.to_string();
    assert!(told.contains("part reexecute") && told.contains("1 by another engine"), "{told}");
}

#[test]
fn a_run_of_which_nothing_was_decided_leaves_nothing_out() {
    let report = reexecuted(kit::empty, Plant::records(Some));
    assert_eq!((report.word, failed(&report)), (Word::Complete, vec![]), "{report}");
    assert!(!report.checks.iter().any(|check| check.undone), "{report}");
}
