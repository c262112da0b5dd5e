//! Whoever holds the key and puts other facts under a decision, or another step over it: re-execution alone would prove
//! that the facts lead to the verdict, and not that they are those of the step.

use proof::{
    records::Record,
    words::{Moment, RunSource},
};
use verify::Word;

use crate::{
    kit::{self, Plant, Scene, TENANT},
    planted::step,
    reexecution::{decision, failed, reexecuted},
};

/// Nothing but the facts show it.
fn shown(make: fn() -> Scene, plant: fn(Record) -> Option<Record>) {
    let report = reexecuted(make, Plant::records(plant));
    assert_eq!((report.word, failed(&report)), (Word::Tampered, vec!["facts"]), "{report}");
}

/// Other facts in the decisions of one moment.
fn other(record: Record, moment: Moment, fact: &str, instead: &str) -> Option<Record> {
    decision(record, |it| {
        if it.moment == moment {
            it.facts = it.facts.replace(fact, instead);
        }
    })
}

#[test]
fn a_decision_is_made_on_the_step_that_it_judged() {
    use Moment::StepBoth as Both;
    let faults: [fn(Record) -> Option<Record>; 9] = [
        |record| other(record, Both, "\"TOOL_CALL\"", "\"HTTP_CALL\""),
        |record| other(record, Both, "\"search\"", "\"look\""),
        |record| other(record, Both, "\"openai\"", "\"another\""),
        |record| other(record, Both, "\"gpt-4o-mini\"", "\"gpt-4o\""),
        |record| other(record, Both, "\"status\":\"SUCCESS\"", "\"status\":\"FAILURE\""),
        |record| other(record, Both, "\"input_tokens\":120", "\"input_tokens\":12"),
        |record| other(record, Both, "\"skill\"", "\"retry_count\":3,\"skill\""),
        |record| other(record, Both, "\"duration_ms\":12", "\"duration_ms\":11"),
        |record| step(record, 1, |step| "look".clone_into(&mut step.skill_name)),
    ];
    for fault in faults {
        shown(kit::clean, fault);
    }
    // A late one likewise.
    shown(kit::late, |record| step(record, 2, |step| "look".clone_into(&mut step.skill_name)));
}

#[test]
fn only_what_a_trace_tells_twice_used_nothing() {
    // It would have used nothing, as if another step told of it.
    shown(kit::clean, |record| {
        decision(record, |it| {
            if it.moment == Moment::StepPost {
                it.facts = it
                    .facts
                    .replace("\"cost_nanousd\":900000,", "")
                    .replace("\"input_tokens\":120,", "")
                    .replace("\"output_tokens\":40,", "")
                    .replace("\"status\":\"SUCCESS\"}", "\"status\":\"SUCCESS\",\"told_elsewhere\":true}");
            }
        })
    });
}

#[test]
fn leave_was_given_for_what_was_done() {
    shown(kit::clean, |record| other(record, Moment::StepPre, "\"skill\":\"chat\"", "\"skill\":\"talk\""));
    shown(kit::late, |record| other(record, Moment::StepPre, "\"search\"", "\"look\""));
}

#[test]
fn a_decision_is_made_on_its_run() {
    shown(kit::clean, |record| other(record, Moment::StepBoth, "\"agent-1\"", "\"agent-2\""));
    shown(kit::clean, |record| other(record, Moment::StepBoth, "\"attempt\":1", "\"attempt\":2"));
    shown(kit::clean, |record| other(record, Moment::StepPost, TENANT, "ten_another"));
    shown(kit::clean, |record| other(record, Moment::StepPost, kit::RUN, "run_another"));
    // The run is another one than all were decided on.
    shown(kit::clean, |record| match record {
        Record::Run(mut run) => {
            run.source = RunSource::Human;
            Some(Record::Run(run))
        }
        other => Some(other),
    });
}

#[test]
fn a_decision_is_made_on_what_the_run_had_come_to() {
    shown(kit::clean, |record| other(record, Moment::StepPost, "\"steps\":2", "\"steps\":9"));
    shown(kit::clean, |record| {
        other(record, Moment::StepPost, "\"cost_nanousd\":1200000", "\"cost_nanousd\":1")
    });
    shown(kit::clean, |record| other(record, Moment::StepPre, "\"tokens\":160", "\"tokens\":16"));
}
