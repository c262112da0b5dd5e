//! Whoever holds the key and takes away what followed from decisions, or says otherwise of it when it was asked.

use proof::{
    records::{PreventionRecord, Record},
    words::Asked,
};
use verify::Word;

use crate::{
    kit::{self, Plant, Scene},
    reexecution::{failed, reexecuted},
};

/// Nothing but the effects show it.
fn shown(make: fn() -> Scene, plant: fn(Record) -> Option<Record>) {
    let report = reexecuted(make, Plant::records(plant));
    assert_eq!((report.word, failed(&report)), (Word::Tampered, vec!["effects"]), "{report}");
}

#[test]
fn what_follows_from_a_decision_is_there() {
    let makes: [fn() -> Scene; 5] = [kit::blocked, kit::stopped, kit::killed, kit::breached, kit::everything];
    for make in makes {
        assert_eq!(reexecuted(make, Plant::records(Some)).word, Word::Complete);
        shown(make, |record| (!matches!(record, Record::Enforcement(_))).then_some(record));
        shown(make, |record| (!matches!(record, Record::Prevention(_))).then_some(record));
    }
    shown(kit::breached, |record| (!matches!(record, Record::Breach(_))).then_some(record));
    // What came late leaves rows too.
    shown(kit::late, |record| (!matches!(record, Record::Enforcement(_))).then_some(record));
}

#[test]
fn what_refused_came_to_an_incident() {
    let none = |record| match record {
        Record::Incident(_) => None,
        Record::Enforcement(mut enforcement) => {
            enforcement.incident_id = None;
            Some(Record::Enforcement(enforcement))
        }
        Record::Prevention(mut prevention) => {
            prevention.blocked_incident_id = None;
            Some(Record::Prevention(prevention))
        }
        other => Some(other),
    };
    for make in [kit::blocked as fn() -> Scene, kit::breached, kit::late] {
        shown(make, none);
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a plant may drop a record, and this one does not")]
fn prevention(record: Record, fault: impl FnOnce(&mut PreventionRecord)) -> Option<Record> {
    Some(match record {
        Record::Prevention(mut prevention) => {
            fault(&mut prevention);
            Record::Prevention(prevention)
        }
        other => other,
    })
}

#[test]
fn what_was_refused_after_it_was_done_was_not_prevented() {
    shown(kit::blocked, |record| prevention(record, |it| it.asked = Some(Asked::Before)));
    shown(kit::blocked, |record| prevention(record, |it| it.refused_after = false));
    shown(kit::blocked, |record| prevention(record, |it| it.step_index = Some(0)));
}
