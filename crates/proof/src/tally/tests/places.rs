//! Where a step has its place, what is still to come, and what that costs.

use super::{A, B, C, D, E, HALF, NONE, told};
use crate::{
    tally::{Counted, Tally, Told},
    words::StepKind::{HttpCall, LlmCall, Other, ToolCall},
};

/// Hours, where each step asked all those above it.
#[test]
fn a_long_chain_of_spans_is_no_long_work() {
    let id = |at: u64| format!("{:016x}", at + 1);
    for (kind, uses) in [(Other, false), (Other, true), (LlmCall, true), (ToolCall, false), (HttpCall, false)]
    {
        // Each model call is told of some others.
        let spans = if kind == LlmCall { 20_000 } else { 200_000 };
        for upwards in [false, true] {
            let mut tally = Tally::default();
            for index in 0..spans {
                let at = if upwards { spans - 1 - index } else { index };
                let (span, parent) = (id(at), at.checked_sub(1).map(id));
                let (span, parent) = (Some(span.as_str()), parent.as_deref());
                let skill_name = &format!("t{at}");
                // Each of another model, and of other counts.
                let (models, used) = ([Some(skill_name.as_str()), None], (u64::from(uses) * (at + 1), 0, 0));
                let (note, failed, reporter) = (None, false, None);
                tally.add(Told {
                    index,
                    span,
                    parent,
                    kind,
                    skill_name,
                    models,
                    used,
                    note,
                    failed,
                    reporter,
                });
            }
            let last: Vec<String> = (0..500).map(|_| id(spans - 1)).collect();
            let parents = last.iter().map(|span| Some(span.as_str()));
            assert!(tally.counted_above(parents).len() <= 32, "{kind:?}");
        }
    }
}

#[test]
fn the_parents_that_are_still_to_come_are_known() {
    let mut tally = Tally::default();
    let awaits = |tally: &Tally, than: &[&str]| tally.awaits_others(than.iter().copied());
    tally.add(told(0, ("00000000000000a1", "00000000000000a2", Other, "", false)));
    tally.add(told(1, ("00000000000000a3", "00000000000000a2", Other, "", false)));
    assert!(awaits(&tally, &[]) && awaits(&tally, &["00000000000000a1"]));
    assert!(!awaits(&tally, &["00000000000000a2"]));
    assert_eq!(tally.children_of_span("00000000000000a2"), 2);
    tally.add(told(2, ("00000000000000a2", "00000000000000a4", Other, "", false)));
    assert!(awaits(&tally, &["00000000000000a2"]), "it came, and its own parent did not");
    tally.add(told(3, ("00000000000000a4", "", Other, "", false)));
    assert!(!awaits(&tally, &[]));
}

#[test]
fn what_is_in_no_tree_counts() {
    let mut tally = Tally::default();
    for index in 0..3 {
        let (span, parent, kind, skill_name) = (None, Some("no span"), LlmCall, "x");
        let (models, used, note) = ([None, None], (index, 0, 0), None);
        let (failed, reporter) = (false, None);
        let told = Told { index, span, parent, kind, skill_name, models, used, note, failed, reporter };
        assert_eq!(tally.add(told), Counted { counts: true, no_longer: Vec::new() });
    }
    assert_eq!((tally.len(), tally.is_empty()), (3, false));
}

/// What may count no longer when a step comes is known before it comes: its windows are locked by then.
#[test]
fn half_of_a_use_below_what_comes_is_found() {
    let mut tally = Tally::default();
    tally.add(told(0, (B, A, Other, "chain", false)));
    tally.add(told(1, (C, B, LlmCall, HALF, true)));
    tally.add(told(2, (D, B, ToolCall, "t", false)));
    tally.add(told(3, (E, D, LlmCall, HALF, true)));
    assert_eq!(tally.counted_below([Some(A), None, Some(A)]), [1]);
    assert_eq!(tally.add(told(4, (A, NONE, LlmCall, "x", true))).no_longer, [1]);
    assert!(tally.counted_below([Some(A), Some(B)]).is_empty(), "it counts no longer");
}
