//! Calls that are told by others which leave out something: those count, and what was used is not known.

use super::{
    A, B, C, D, E, NONE,
    layers::{Layer, WHOLE, told},
    orders,
};
use crate::{
    tally::{Tally, Told},
    words::{
        CostNote::{CountsContradict, NoTokens},
        StepKind::{LlmCall, Other, ToolCall},
    },
};

/// The same as what is whole, with what was thought.
const MORE: (u64, u64, u64) = (1_000, 500, 47);

fn call(of: &'static str, parent: &'static str, used: (u64, u64, u64)) -> Layer {
    (of, parent, LlmCall, used, None)
}

/// Which of these are in doubt when all are there, in whatever order they come; those failed.
fn hold(what: &str, layers: &[Layer], failed: &[&str], right: &[&str]) {
    hold_with(what, layers, Some("gpt-4o"), failed, right);
}

/// The same where each sum names this model, or none.
fn hold_with(what: &str, layers: &[Layer], of_sums: Option<&'static str>, failed: &[&str], right: &[&str]) {
    for order in orders(layers.len()) {
        let mut tally = Tally::default();
        for (index, at) in (0..).zip(&order) {
            let layer = layers[*at];
            let model = if layer.2 == Other { of_sums } else { Some("gpt-4o") };
            let failed = failed.contains(&layer.0);
            tally.add(Told { failed, models: [model, None], ..told(layer, index) });
        }
        let place = |at: usize| order.iter().position(|one| *one == at).expect("it came") as u64;
        let all = layers.iter().enumerate();
        let doubts: Vec<&str> =
            all.filter(|(at, _)| tally.is_in_doubt(place(*at))).map(|(_, layer)| layer.0).collect();
        assert_eq!(doubts, right, "{what}: {order:?}");
        assert_eq!(tally.leaves_doubt(), !right.is_empty(), "{what}: {order:?}");
    }
}

#[test]
fn tokens_that_what_counts_leaves_out_leave_a_doubt() {
    let chain: Layer = (B, A, Other, (0, 0, 0), None);
    let agent: Layer = (B, A, Other, (1_000, 100, 0), None);
    let unpriced: Layer = (B, A, LlmCall, (0, 0, 0), Some(NoTokens));
    hold("what was thought", &[call(A, NONE, MORE), call(B, A, WHOLE)], &[], &[A]);
    hold("with a chain between", &[call(A, NONE, MORE), chain, call(C, B, WHOLE)], &[], &[A]);
    hold("with an agent between", &[call(A, NONE, MORE), agent, call(C, B, WHOLE)], &[], &[A]);
    hold("with one that tells nothing", &[call(A, NONE, MORE), unpriced, call(C, B, WHOLE)], &[], &[A]);
    hold("what was cached", &[call(A, NONE, (21_000, 100, 9)), call(B, A, WHOLE)], &[], &[A]);
    hold("told by three", &[call(A, NONE, MORE), call(B, A, MORE), call(C, B, WHOLE)], &[], &[B]);
    hold("below an agent", &[(D, NONE, Other, MORE, None), call(A, D, MORE), call(B, A, WHOLE)], &[], &[A]);
}

#[test]
fn a_call_of_which_all_is_told_leaves_none() {
    hold("the same", &[call(A, NONE, WHOLE), call(B, A, WHOLE)], &[], &[]);
    hold("less above", &[call(A, NONE, WHOLE), call(B, A, MORE)], &[], &[]);
    hold("less between", &[call(A, NONE, MORE), call(B, A, WHOLE), call(C, B, MORE)], &[], &[]);
    hold("the total alone", &[call(A, NONE, (1_100, 0, 0)), call(B, A, WHOLE)], &[], &[]);
    hold("a cost alone", &[call(A, NONE, (0, 0, 7)), call(B, A, WHOLE)], &[], &[]);
    hold("a beginning below", &[call(A, NONE, WHOLE), call(B, A, (1_000, 1, 2))], &[], &[]);
    hold("a small call below", &[call(A, NONE, WHOLE), call(B, A, (50, 5, 1))], &[], &[]);
    let tool: Layer = (B, A, ToolCall, (0, 0, 0), None);
    hold("a call of a tool", &[call(A, NONE, MORE), tool, call(C, B, WHOLE)], &[], &[]);
    hold("a try that failed", &[call(A, NONE, MORE), call(B, A, WHOLE)], &[B], &[]);
    let [one, two] = [(C, (1_000, 200, 9)), (D, (1_000, 300, 9))].map(|(of, used)| call(of, A, used));
    hold("two calls together", &[call(A, NONE, MORE), one, two], &[], &[]);
    hold("two calls, of which one tells all", &[call(A, NONE, MORE), one, call(E, A, MORE)], &[], &[]);
    hold("two calls that are less", &[call(A, NONE, MORE), one, call(E, A, WHOLE)], &[], &[A]);
}

/// What contradicts itself gives way by its model's name alone, and which of its readings is right nobody says.
#[test]
fn counts_that_contradict_each_other_leave_a_doubt_where_they_give_way() {
    let small = (100, 50, 1);
    for used in [(1_000, 100, 0), (100, 50, 0), (20_000, 0, 0)] {
        let odd = |of, parent| -> Layer { (of, parent, LlmCall, used, Some(CountsContradict)) };
        let hold = |case: &str, layers: &[Layer], right: &[&str]| {
            hold(&format!("{used:?} {case}"), layers, &[], right);
        };
        hold("below", &[call(A, NONE, small), odd(B, A)], &[B]);
        let chain: Layer = (B, A, Other, (0, 0, 0), None);
        hold("with a chain between", &[call(A, NONE, small), chain, odd(C, B)], &[C]);
        let above = call(D, NONE, (40_000, 400, 9_000));
        hold("below two", &[above, call(A, D, small), odd(B, A)], &[B]);
    }
}

/// Half of a use counts, or all that it tells is told by what it gives way to; but a cost alone that is more is not.
#[test]
fn half_of_a_use_leaves_no_doubt() {
    let small = call(A, NONE, (100, 50, 1));
    let (more, less) = ([(20_000, 0, 0), (0, 300, 0)], [(150, 0, 0), (0, 50, 0), (0, 0, 1)]);
    for used in more.into_iter().chain(less) {
        let half: Layer = (B, A, LlmCall, used, Some(NoTokens));
        hold(&format!("{used:?}"), &[small, half], &[], &[]);
    }
    for cost in [2, 5_000] {
        let alone: Layer = (C, A, LlmCall, (0, 0, cost), None);
        hold(&format!("{cost}"), &[small, alone], &[], &[C]);
    }
}

/// Other prices than the book's come to a little more. In what is more than twice as much there is something of which
/// no call tells. The book makes no price of what names no model.
#[test]
fn a_cost_that_an_agent_reports_and_its_calls_do_not_come_to_leaves_a_doubt() {
    let hold = |what: &str, layers: &[Layer], right: &[&str]| hold_with(what, layers, None, &[], right);
    let agent = |of, parent, cost| -> Layer { (of, parent, Other, (1_000, 100, cost), None) };
    let dear = agent(A, NONE, 15);
    hold("twice as much", &[agent(A, NONE, 14), call(B, A, WHOLE)], &[]);
    hold("more", &[dear, call(B, A, WHOLE)], &[A]);
    hold("over calls of no price", &[dear, call(B, A, (1_000, 100, 0))], &[A]);
    let tool: Layer = (C, A, ToolCall, (0, 0, 5), None);
    hold("with what its tool cost", &[dear, call(B, A, WHOLE), tool], &[]);
    hold("of two calls", &[dear, call(B, A, (600, 60, 4)), call(C, A, (400, 40, 4))], &[]);
    hold("of an agent's agent", &[agent(D, NONE, 15), agent(A, D, 15), call(B, A, WHOLE)], &[A]);
    hold("that counts", &[dear, call(B, A, (20, 2, 1))], &[]);
    for model in [None, Some("gpt-4o")] {
        let alone: Layer = (A, NONE, Other, (0, 0, 15), None);
        hold_with("its cost alone", &[alone, call(B, A, WHOLE)], model, &[], &[A]);
        let out: Layer = (A, NONE, Other, (0, 100, 15), None);
        hold_with("what came out alone", &[out, call(B, A, WHOLE)], model, &[], &[A]);
    }
    let mut tally = Tally::default();
    tally.add(told(call(B, A, WHOLE), 0));
    let late = Told { models: [None, None], ..told(dear, 1) };
    assert!(tally.come_late(late).is_in_doubt && !tally.leaves_doubt(), "beside the sealed totals");
}

/// What the price book makes of an agent's tokens is no witness: it has neither what its calls read from a cache, nor
/// that they are of a cheaper model, and of an agent that adds up its life all turns before.
#[test]
fn a_cost_that_may_be_the_price_book_s_leaves_no_doubt() {
    for agent in [(1_000, 100, 15), (3_000, 300, 21), (1_000, 0, 15)] {
        let layers = [(A, NONE, Other, agent, None), call(B, A, WHOLE)];
        hold(&format!("{agent:?}"), &layers, &[], &[]);
    }
}
