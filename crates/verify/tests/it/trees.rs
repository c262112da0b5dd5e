//! Bundles of traces: calls that several spans tell of, which are in the totals once.

use proof::records::Record;
use serde_json::json;
use verify::Word;

use crate::{
    kit::{self, Plant},
    planted::{found, step},
    words::{parse, verify, write},
};

type Fault = fn(Record) -> Option<Record>;

/// Whoever holds the key can change what is hashed: what a step told, where it stands and who told it must fit the
/// totals.
#[test]
fn totals_are_those_of_the_steps_that_count() {
    let tampered: [(&str, Fault); 9] = [
        ("the tokens of a sum, until a call tells of it", |record| {
            step(record, 0, |step| step.output_tokens += 1)
        }),
        ("the tokens of a call, until one below tells of it", |record| {
            step(record, 1, |step| step.input_tokens += 1)
        }),
        ("the cost of the call", |record| step(record, 2, |step| step.cost_nanousd += 1)),
        ("that it is below the other", |record| step(record, 2, |step| step.external_parent_span_id = None)),
        ("that the other is above it", |record| step(record, 1, |step| step.external_span_id = None)),
        ("whose the call below is", |record| {
            step(record, 3, |step| step.reported_by = Some(kit::KEY.to_owned()))
        }),
        ("that it is the other side of a tool", |record| {
            step(record, 5, |step| step.external_parent_span_id = None)
        }),
        ("that one below was told before", |record| step(record, 8, |step| step.external_span_id = None)),
        ("the calls of a tool", |record| match record {
            Record::Run(mut run) => {
                run.tool_call_count += 1;
                Some(Record::Run(run))
            }
            other => Some(other),
        }),
    ];
    for (what, fault) in tampered {
        let found = found(kit::traced, Plant::records(fault), |_| ());
        assert_eq!(found, (Word::Tampered, vec!["counts"]), "{what}");
    }
}

/// Of what an agent used, a call for speech, pictures or films tells nothing.
#[test]
fn calls_of_another_class_than_text_take_no_sum_away() {
    let found = found(kit::traced_beside_text, Plant::records(Some), |_| ());
    assert_eq!(found, (Word::Complete, vec![]));
}

/// Small calls within a call, or within what an agent did, are others.
#[test]
fn small_calls_take_no_sum_away() {
    let found = found(kit::traced_judged, Plant::records(Some), |_| ());
    assert_eq!(found, (Word::Complete, vec![]));
}

#[test]
fn late_totals_are_those_of_the_late_steps_that_count() {
    let tampered: [(&str, Fault); 4] = [
        ("the cost of one that counts", |record| step(record, 10, |step| step.cost_nanousd += 1)),
        ("that one is below a call that counts", |record| {
            step(record, 11, |step| step.external_parent_span_id = None)
        }),
        ("that one is above one that counts", |record| step(record, 12, |step| step.external_span_id = None)),
        ("who reported one below a call that counts", |record| {
            step(record, 11, |step| step.reported_by = Some(kit::OTHER_KEY.to_owned()))
        }),
    ];
    for (what, fault) in tampered {
        let found = found(kit::traced_late, Plant::records(fault), |_| ());
        assert_eq!(found, (Word::Tampered, vec!["addenda"]), "{what}");
    }
}

/// A decision as an engine made it that named no tally yet.
fn by_another(record: Record) -> Record {
    match record {
        Record::Decision(mut decision) => {
            "hoc-rules/5 cedar-language/4.6.0".clone_into(&mut decision.engine_version);
            Record::Decision(decision)
        }
        other => other,
    }
}

/// Which steps of a trace count is said by the version that its decisions name, and asked anew of no other.
#[test]
fn what_another_version_counted_is_not_counted_anew() {
    let of_uses: [Fault; 4] = [
        |record| Some(by_another(record)),
        |record| step(by_another(record), 2, |step| step.cost_nanousd += 1),
        |record| step(by_another(record), 2, |step| step.external_parent_span_id = None),
        |record| step(by_another(record), 11, |step| step.external_parent_span_id = None),
    ];
    for fault in of_uses {
        for make in [kit::traced, kit::traced_late] {
            assert_eq!(found(make, Plant::records(fault), |_| ()), (Word::Complete, vec![]));
        }
    }
    let report = verify(&Plant::records(|record| Some(by_another(record))).within(kit::traced).json());
    let counts = report.checks.iter().find(|check| check.name == "counts").expect("a check");
    assert!(counts.detail.ends_with("another version counted it"), "{report}");
    // Late alone: the sealed steps are counted as ever.
    let late: Fault = |record| match &record {
        Record::Decision(decision) if decision.step_index.is_some_and(|index| index >= 10) => {
            Some(by_another(record))
        }
        _ => step(record, 11, |step| step.external_parent_span_id = None),
    };
    assert_eq!(found(kit::traced_late, Plant::records(late), |_| ()), (Word::Complete, vec![]));
}

/// Nothing else is taken at its word.
#[test]
fn what_another_version_counted_adds_up_to_the_run() {
    let of_totals: Fault = |record| match by_another(record) {
        Record::Run(mut run) => {
            run.cost_nanousd += 1;
            Some(Record::Run(run))
        }
        other => Some(other),
    };
    assert_eq!(found(kit::traced, Plant::records(of_totals), |_| ()), (Word::Tampered, vec!["counts"]));
    // What is in no tree counts for every version.
    let of_no_tree: Fault = |record| step(by_another(record), 0, |step| step.cost_nanousd += 1);
    assert_eq!(found(kit::clean, Plant::records(of_no_tree), |_| ()), (Word::Tampered, vec!["counts"]));
}

/// Whoever does not hold the key changes nothing that was signed, whether it counts or not.
#[test]
fn what_was_signed_of_a_tree_is_not_changed() {
    let whole = parse(&kit::traced().json());
    for (at, member, other) in [
        (1, "input_tokens", json!(121)),
        (2, "cost_nanousd", json!(1)),
        (2, "external_parent_span_id", json!(null)),
        (8, "output_tokens", json!(0)),
        (3, "reported_by", json!(kit::KEY)),
    ] {
        let mut changed = whole.clone();
        assert_ne!(changed["records"]["sealed"]["steps"][at][member], other, "{at} {member}");
        changed["records"]["sealed"]["steps"][at][member] = other;
        let report = verify(&write(&changed));
        let failed = report.checks.iter().find(|check| !check.passed).map(|check| check.name);
        assert_eq!((report.word, failed), (Word::Tampered, Some("manifest")), "{at} {member}\n{report}");
    }
}
