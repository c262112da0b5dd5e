//! Whoever holds the key and plants what contradicts itself: a step that says that nothing was done, a permit that was
//! granted twice, a sealed run that goes on. As in [`super::planted`], everything else fits.

use std::cell::RefCell;

use proof::{
    bundle::LiveLate,
    records::{DecisionRecord, Record},
    words::{Action, Moment, RunStatus, StepStatus},
};
use verify::Word;

use crate::{
    kit::{self, Call, Plant, Scene},
    planted::{NOTHING, found, only, only_with, step},
};

#[test]
fn what_was_done_is_told_and_a_refused_permit_is_not() {
    // Refused after the act: that nothing is told of it would mean that nothing was done.
    only("links", kit::blocked, Plant::records(|record| step(record, 1, |step| step.reported_status = None)));
    let otherwise = |record| step(record, 0, |step| step.reported_status = Some(StepStatus::Failure));
    only("links", kit::clean, Plant::records(otherwise));
    let late = |record| step(record, 2, |step| step.reported_status = None);
    only("addenda", kit::late, Plant::records(late));
}

#[test]
fn a_cost_that_is_not_known_is_none() {
    only("links", kit::clean, Plant::records(|record| step(record, 0, |step| step.cost_known = false)));
}

#[test]
fn a_parent_came_before_its_step() {
    let of_itself = |record| step(record, 0, |step| step.parent_step_index = Some(0));
    only("links", kit::clean, Plant::records(of_itself));
    let of_a_later_one = |record| step(record, 0, |step| step.parent_step_index = Some(1));
    only("links", kit::clean, Plant::records(of_a_later_one));
    let late = |record| step(record, 2, |step| step.parent_step_index = Some(2));
    only("addenda", kit::late, Plant::records(late));
}

/// A fault in the decisions of which `which` holds.
#[expect(clippy::unnecessary_wraps, reason = "a plant may drop a record, and this one does not")]
fn decision(
    record: Record,
    which: impl FnOnce(&DecisionRecord) -> bool,
    fault: impl FnOnce(&mut DecisionRecord),
) -> Option<Record> {
    Some(match record {
        Record::Decision(mut decision) if which(&decision) => {
            fault(&mut decision);
            Record::Decision(decision)
        }
        other => other,
    })
}

#[test]
fn a_refusal_was_not_overridden() {
    let overridden = |record| {
        decision(record, |it| it.action == Action::Block, |it| it.overridden_by = Some("ana".to_owned()))
    };
    only("links", kit::blocked, Plant::records(overridden));
}

#[test]
fn a_decision_is_there_once_and_so_is_what_it_granted() {
    thread_local!(static FIRST: RefCell<Option<String>> = const { RefCell::new(None) });
    // Each leave names the first permit that was granted.
    let one_permit = |record| {
        decision(
            record,
            |it| it.moment == Moment::StepPre,
            |it| {
                FIRST.with_borrow_mut(|first| {
                    let permit = first.get_or_insert_with(|| it.permit_id.clone().unwrap_or_default());
                    it.permit_id = Some(permit.clone());
                });
            },
        )
    };
    let twice: fn() -> Scene = || {
        let mut scene = Scene::new(kit::snapshot(vec![], vec![]));
        scene.permit(&Call::tool("search"));
        scene.permit(&Call::tool("search"));
        scene.seal(RunStatus::Succeeded);
        scene
    };
    assert_eq!(found(twice, NOTHING, |_| ()), (Word::Complete, vec![]));
    only("links", twice, Plant::records(one_permit));
    let one_id = |record| {
        decision(record, |it| it.moment == Moment::StepPre, |it| "dec_one".clone_into(&mut it.decision_id))
    };
    only("links", twice, Plant::records(one_id));
}

#[test]
fn a_permit_serves_once() {
    thread_local!(static FIRST: RefCell<Option<(String, String)>> = const { RefCell::new(None) });
    // The second step is done under the leave of the first.
    let again = |record: Record| {
        let hash = record.hash().to_string();
        Some(match record {
            Record::Decision(mut it) => {
                FIRST.with_borrow_mut(|first| {
                    let permit = it.permit_id.clone().unwrap_or_default();
                    let (first, _) = first.get_or_insert_with(|| (permit, hash));
                    if it.moment == Moment::StepPost {
                        it.permit_id = Some(first.clone());
                    }
                });
                Record::Decision(it)
            }
            Record::Step(mut it) => {
                FIRST.with_borrow(|first| {
                    (it.permit_id, it.pre_decision_hash) = first.clone().unzip();
                });
                Record::Step(it)
            }
            other => other,
        })
    };
    let twice: fn() -> Scene = || {
        let mut scene = Scene::new(kit::snapshot(vec![], vec![]));
        scene.permitted(&Call::tool("search"));
        scene.permitted(&Call::tool("search"));
        scene.seal(RunStatus::Succeeded);
        scene
    };
    assert_eq!(found(twice, NOTHING, |_| ()), (Word::Complete, vec![]));
    only("links", twice, Plant::records(again));
}

#[test]
fn a_run_that_is_sealed_is_over() {
    let goes_on: fn() -> Scene = || {
        let mut scene = Scene::new(kit::snapshot(vec![], vec![]));
        scene.call(&Call::tool("search"));
        scene.seal(RunStatus::Running);
        scene
    };
    only("receipt", goes_on, NOTHING);
}

#[test]
fn where_nothing_came_late_there_are_no_late_totals() {
    only_with("addenda", kit::clean, NOTHING, |parts| {
        parts.run.late =
            Some(LiveLate { addenda: 0, step_count: 0, input_tokens: 0, output_tokens: 0, cost_nanousd: 0 });
    });
}
