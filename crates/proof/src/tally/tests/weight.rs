//! What a tree weighs, and that equal marks are kept once.

use super::{A, B, C, D, NONE, Span, told};
use crate::{
    tally::{Counted, MAX_STEPS, Tally, Told, WEIGHT_OF_STEP, node::Node},
    words::StepKind::{LlmCall, Other, ToolCall},
};

/// What is kept of the weight is what the steps weigh, and of the doubts those that they leave; and each is told what
/// lies above it by what the one above keeps.
pub(super) fn check(tally: &Tally) {
    assert_eq!(tally.weight, tally.nodes.iter().map(Node::weight).sum::<usize>());
    assert_eq!(tally.doubts, tally.nodes.iter().filter(|node| node.leaves_doubt()).count());
    for at in 0..tally.nodes.len() {
        let Some(above) = tally.hearer(at) else { continue };
        let (node, over) = (&tally.nodes[at], &tally.nodes[above]);
        assert!(node.above.are_kept_with(&over.hands));
        assert_eq!(node.near, over.near_below(above));
    }
}

fn id(of: u64) -> String {
    format!("{of:016x}")
}

/// A chain of calls of three classes, each with a model of its own, and so many steps below the end of it; in the order
/// of time, or the steps first and the calls from the end on.
fn chain(calls: u64, below: u64, is_turned: bool) -> Tally {
    let mut tally = Tally::default();
    let mut order: Vec<u64> = (0..calls + below).collect();
    if is_turned {
        order.reverse();
    }
    for (index, at) in order.into_iter().enumerate() {
        let (span, parent) = (id(at + 1), id(at.min(calls)));
        let model = format!("m{at}");
        let (kind, skill_name, used) = match at % 3 {
            _ if at >= calls => (Other, "chain", (0, 0, 0)),
            0 => (LlmCall, "openai.chat", (at + 1, 1, 0)),
            1 => (LlmCall, "openai.embeddings", (at + 1, 1, 0)),
            _ => (LlmCall, "openai.image_generation", (at + 1, 1, 0)),
        };
        tally.add(Told {
            index: index as u64,
            span: Some(&span),
            parent: Some(&parent),
            kind,
            skill_name,
            models: [Some(&model), None],
            used,
            note: None,
            failed: false,
            reporter: None,
        });
    }
    check(&tally);
    tally
}

#[test]
fn what_lies_below_many_calls_keeps_no_marks_of_its_own() {
    for is_turned in [false, true] {
        let (alone, with) = (chain(48, 0, is_turned), chain(48, 1000, is_turned));
        assert!(alone.weight() > 48 * (WEIGHT_OF_STEP + 300), "marks weigh something");
        assert_eq!(with.weight() - alone.weight(), 1000 * WEIGHT_OF_STEP, "{is_turned}");
    }
}

/// Marks that were added to a list that others share have room for more than the same ones by themselves.
#[test]
fn a_list_that_is_exchanged_for_an_equal_one_is_weighed_anew() {
    let mut tally = Tally::default();
    let calls = |from: u64, parent: u64| {
        [(from, parent, Some("m1")), (from + 1, parent, Some("m2")), (from + 2, parent, Some("m3"))]
    };
    let steps = [&[(1, 0, None), (2, 1, None)][..], &calls(3, 2), &calls(7, 6), &[(6, 1, None)]].concat();
    for (index, (span, parent, model)) in steps.into_iter().enumerate() {
        let (span, parent) = (id(span), id(parent));
        let (kind, skill_name, used) = match model {
            Some(_) => (LlmCall, "openai.chat", (20, 1, 0)),
            None => (Other, "chain", (0, 0, 0)),
        };
        tally.add(Told {
            index: index as u64,
            span: Some(&span),
            parent: Some(&parent),
            kind,
            skill_name,
            models: [model, None],
            used,
            note: None,
            failed: false,
            reporter: None,
        });
        check(&tally);
    }
}

#[test]
fn what_comes_after_so_many_steps_is_in_no_tree() {
    let mut tally = Tally::default();
    let at = |index: u64, span: Span| Told { index, ..told(0, span) };
    let counts = |no_longer: &[u64]| Counted { counts: true, no_longer: no_longer.to_vec() };
    let above = tally.add(at(MAX_STEPS - 2, (A, C, LlmCall, "x", true)));
    let below = tally.add(at(MAX_STEPS - 1, (B, A, LlmCall, "x", true)));
    assert_eq!((above, below), (counts(&[]), counts(&[MAX_STEPS - 2])));
    assert!(tally.awaits_others([]));
    let weight = tally.weight();
    assert_eq!(tally.add(at(MAX_STEPS, (C, NONE, LlmCall, "x", true))), counts(&[]));
    assert!(tally.add_late(at(MAX_STEPS + 1, (D, B, LlmCall, "x", true))));
    assert_eq!((tally.len(), tally.weight()), (2, weight));
    assert!(!tally.awaits_others([]), "it has come");
}

#[test]
fn names_weigh_what_they_are_long() {
    let (mut long, mut short) = (Tally::default(), Tally::default());
    for index in 0..100 {
        for (tally, of) in [(&mut long, 1000), (&mut short, 1)] {
            let name = format!("{}{index:03}", "n".repeat(of));
            for kind in [ToolCall, LlmCall] {
                tally.add(Told {
                    index,
                    span: None,
                    parent: None,
                    kind,
                    skill_name: &name,
                    models: [Some(&name), None],
                    used: (0, 0, 0),
                    note: None,
                    failed: false,
                    reporter: Some(&name),
                });
            }
        }
    }
    check(&long);
    assert_eq!(long.weight() - short.weight(), 3 * 100 * 999, "of a tool, of a model, of who reports");
}
